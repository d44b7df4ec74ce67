/* SPDX-License-Identifier: MIT */
#include "frame.h"
#include "meter.h"

#include <arpa/inet.h>
#include <string.h>

size_t
frame_write(const Metacube__Envelope *envelope, uint8_t *out, size_t size)
{
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint32_t head = htonl((uint32_t)len);

	if (4 + len > size)
		bench_fail("a message of %zu bytes is too long", len);
	memcpy(out, &head, 4);
	metacube__envelope__pack(envelope, out + 4);
	return 4 + len;
}

bool
frame_read(const uint8_t *data, size_t len, Metacube__Envelope **envelope,
    size_t *used)
{
	uint32_t head;

	if (len < 4)
		return false;
	memcpy(&head, data, 4);
	head = ntohl(head);
	if (len - 4 < head)
		return false;
	*used = 4 + (size_t)head;
	*envelope = metacube__envelope__unpack(NULL, head, data + 4);
	return true;
}
