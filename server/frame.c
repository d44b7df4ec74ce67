/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

#define PART_MIN	256	/* first allocation for a partial frame */

/* What a decoded message may take: the fields' descriptions while it is
 * parsed, the structures, the strings.  Honest ones stay far below. */
#define ARENA_BASE	4096
#define ARENA_FACTOR	24

#define CID_FIELD	1
#define WIRE_VARINT	0
#define WIRE_LENGTH	2

static size_t
body_length(const uint8_t *head)
{
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
}

void
frame_part_clear(struct frame_part *part)
{
	if (part->data == NULL)
		return;
	mc_wipe(part->data, part->len);
	free(part->data);
	*part = (struct frame_part){ 0 };
}

/* Grows with what has really come, not with what was announced. */
static void
part_grow(struct frame_part *part, size_t want, size_t most)
{
	struct frame_part old = *part;
	size_t size = old.size != 0 ? old.size : PART_MIN;

	if (want <= old.size)
		return;
	while (size < want)
		size *= 2;
	if (size > most)
		size = most;
	part->data = mc_zalloc(size);
	part->size = size;
	if (old.data != NULL) {
		memcpy(part->data, old.data, old.len);
		mc_wipe(old.data, old.len);
		free(old.data);
	}
}

static void
part_take(struct frame_part *part, const uint8_t **in, size_t *len,
    size_t upto)
{
	size_t take = upto - part->len < *len ? upto - part->len : *len;

	part_grow(part, part->len + take, upto > PART_MIN ? upto : PART_MIN);
	memcpy(part->data + part->len, *in, take);
	part->len += take;
	*in += take;
	*len -= take;
}

static enum frame_state
next_in_place(const uint8_t **in, size_t *len, size_t max,
    const uint8_t **body, size_t *body_len)
{
	if (*len < FRAME_HEAD)
		return FRAME_MORE;
	*body_len = body_length(*in);
	if (*body_len > max)
		return FRAME_TOO_LONG;
	if (*len - FRAME_HEAD < *body_len)
		return FRAME_MORE;
	*body = *in + FRAME_HEAD;
	*in += FRAME_HEAD + *body_len;
	*len -= FRAME_HEAD + *body_len;
	return FRAME_READY;
}

enum frame_state
frame_next(struct frame_part *part, const uint8_t **in, size_t *len,
    size_t max, const uint8_t **body, size_t *body_len)
{
	enum frame_state state;

	if (part->len == 0) {
		state = next_in_place(in, len, max, body, body_len);
		if (state != FRAME_MORE || *len == 0)
			return state;
	}
	if (part->len < FRAME_HEAD)
		part_take(part, in, len, FRAME_HEAD);
	if (part->len < FRAME_HEAD)
		return FRAME_MORE;
	*body_len = body_length(part->data);
	if (*body_len > max)
		return FRAME_TOO_LONG;
	part_take(part, in, len, FRAME_HEAD + *body_len);
	*body = part->data + FRAME_HEAD;
	return part->len == FRAME_HEAD + *body_len ? FRAME_READY : FRAME_MORE;
}

/* false: it does not end, or has more than 64 bits. */
static bool
read_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t byte = *(*at)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}

/*
 * The top level, before anything is allocated: cid at most once and exactly
 * one message.  The parser would merge a repeated message, each time anew:
 * 64 KiB of that cost more than a login.
 */
static const char *
scan(const uint8_t *at, const uint8_t *end)
{
	unsigned cids = 0, messages = 0;
	uint64_t tag, value;

	while (at < end) {
		if (!read_varint(&at, end, &tag) ||
		    !read_varint(&at, end, &value))
			return "the message is cut off";
		if (tag >> 3 == CID_FIELD) {
			if ((tag & 7) != WIRE_VARINT || ++cids > 1)
				return "the message has a bad cid";
			continue;
		}
		if ((tag & 7) != WIRE_LENGTH || tag >> 3 == 0 ||
		    tag >> 3 > 0x1fffffff)
			return "the message has a field that is no message";
		if (value > (uint64_t)(end - at))
			return "the message is cut off";
		if (++messages > 1)
			return "there is more than one message in an envelope";
		at += value;
	}
	return messages == 1 ? NULL : "there is no message in the envelope";
}

struct message *
message_decode(const uint8_t *body, size_t len, const char **fault)
{
	size_t first = 512 + 2 * (len < 4096 ? len : 4096);
	struct message *message;

	*fault = scan(body, body + len);
	if (*fault != NULL)
		return NULL;
	message = malloc(sizeof(*message) + first);
	if (message == NULL) {
		*fault = "there is no memory for the message";
		return NULL;
	}
	message->conn = NULL;
	message->first_size = first;
	arena_init(&message->arena, message->first, first,
	    ARENA_BASE + ARENA_FACTOR * len);
	message->envelope = metacube__envelope__unpack(
	    &message->arena.allocator, len, body);
	if (message->envelope == NULL) {
		message_free(&message);
		*fault = "the message cannot be decoded";
	}
	return message;
}

void
message_free(struct message **messagep)
{
	struct message *message = *messagep;
	size_t used;

	if (message == NULL)
		return;
	used = message->arena.blocks != NULL ? message->first_size :
	    (size_t)(message->arena.at - message->first);
	arena_clear(&message->arena);
	mc_wipe(message->first, used);
	free(message);
	*messagep = NULL;
}

size_t
frame_size(const Metacube__Envelope *envelope)
{
	return FRAME_HEAD + metacube__envelope__get_packed_size(envelope);
}

void
frame_encode(const Metacube__Envelope *envelope, uint8_t *out, size_t size)
{
	size_t len = size - FRAME_HEAD;

	out[0] = (uint8_t)(len >> 24);
	out[1] = (uint8_t)(len >> 16);
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	metacube__envelope__pack(envelope, out + FRAME_HEAD);
}
