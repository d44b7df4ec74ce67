/* SPDX-License-Identifier: MIT */
/*
 * Frames and envelopes: the first byte says in which pieces the rest arrives.
 * In pieces or whole, the same messages must come out, and what is decoded
 * can be encoded again.
 */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_MAX	(64 * 1024)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct outcome {
	unsigned	frames, messages;
	uint64_t	digest;
	bool		too_long;
};

static void
digest(struct outcome *outcome, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		outcome->digest = (outcome->digest ^ data[i]) *
		    UINT64_C(1099511628211);
}

static void
take(struct outcome *outcome, const uint8_t *body, size_t len)
{
	const char *fault;
	struct message *message = message_decode(body, len, &fault);
	uint8_t *again;
	size_t size;

	outcome->frames++;
	digest(outcome, body, len);
	if (message == NULL) {
		if (fault == NULL || fault[0] == '\0')
			abort();
		return;
	}
	outcome->messages++;
	size = frame_size(message->envelope);
	again = malloc(size);
	frame_encode(message->envelope, again, size);
	digest(outcome, again, size);
	free(again);
	message_free(&message);
}

static struct outcome
run(const uint8_t *data, size_t len, size_t piece)
{
	struct outcome outcome = { 0 };
	struct frame_part part = { 0 };
	enum frame_state state;
	const uint8_t *in, *body;
	size_t at, left, body_len;

	for (at = 0; at < len && !outcome.too_long; at += piece) {
		in = data + at;
		left = len - at < piece ? len - at : piece;
		while ((state = frame_next(&part, &in, &left, FRAME_MAX,
		    &body, &body_len)) == FRAME_READY) {
			take(&outcome, body, body_len);
			frame_part_clear(&part);
		}
		outcome.too_long = state == FRAME_TOO_LONG;
		if (state == FRAME_MORE && part.len < FRAME_HEAD && left != 0)
			abort();
	}
	frame_part_clear(&part);
	return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size < 2)
		return 0;
	whole = run(data + 1, size - 1, size - 1);
	pieces = run(data + 1, size - 1, data[0] + 1u);
	if (whole.frames != pieces.frames ||
	    whole.messages != pieces.messages ||
	    whole.digest != pieces.digest ||
	    whole.too_long != pieces.too_long)
		abort();
	return 0;
}
