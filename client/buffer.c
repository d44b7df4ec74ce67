/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_MIN	1024

static void
wipe(uint8_t *data, size_t len)
{
	if (data != NULL)
		explicit_bzero(data, len);
}

/* A new block instead of realloc, which may leave a copy of what was there. */
static int
grow(struct buffer *buffer, size_t needed)
{
	size_t size = buffer->size != 0 ? buffer->size : SIZE_MIN;
	uint8_t *data;

	while (size < needed)
		size *= 2;
	data = malloc(size);
	if (data == NULL)
		return -1;
	if (buffer->end > 0)
		memcpy(data, buffer->data, buffer->end);
	wipe(buffer->data, buffer->size);
	free(buffer->data);
	buffer->data = data;
	buffer->size = size;
	return 0;
}

uint8_t *
buffer_room(struct buffer *buffer, size_t len)
{
	size_t held = buffer_len(buffer);

	if (buffer->size - buffer->end < len && buffer->start > 0) {
		memmove(buffer->data, buffer->data + buffer->start, held);
		buffer->start = 0;
		buffer->end = held;
	}
	if (buffer->size - buffer->end < len &&
	    grow(buffer, buffer->end + len) < 0)
		return NULL;
	return buffer->data + buffer->end;
}

void
buffer_added(struct buffer *buffer, size_t len)
{
	buffer->end += len;
}

void
buffer_taken(struct buffer *buffer, size_t len)
{
	wipe(buffer->data + buffer->start, len);
	buffer->start += len;
	if (buffer->start == buffer->end)
		buffer->start = buffer->end = 0;
}

size_t
buffer_len(const struct buffer *buffer)
{
	return buffer->end - buffer->start;
}

const uint8_t *
buffer_bytes(const struct buffer *buffer)
{
	return buffer->data + buffer->start;
}

void
buffer_free(struct buffer *buffer)
{
	wipe(buffer->data, buffer->size);
	free(buffer->data);
	*buffer = (struct buffer){ NULL, 0, 0, 0 };
}
