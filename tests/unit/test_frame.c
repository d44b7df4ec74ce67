/* SPDX-License-Identifier: MIT */
#include "cutap.h"
#include "frame.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

static const uint8_t two_frames[] = {
	0, 0, 0, 2, 0x1a, 0,	/* Ping */
	0, 0, 0, 4, 8, 1, 0x22, 0	/* Pong, cid 1 */
};

static void
whole(void)
{
	struct frame_part part = { 0 };
	const uint8_t *in = two_frames, *body;
	size_t len = sizeof(two_frames), body_len;

	CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 100, &body, &body_len),
	    FRAME_READY);
	CU_ASSERT_PTR_EQUAL(body, two_frames + 4);
	CU_ASSERT_EQUAL(body_len, 2);
	CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 100, &body, &body_len),
	    FRAME_READY);
	CU_ASSERT_EQUAL(body_len, 4);
	CU_ASSERT_EQUAL(len, 0);
	CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 100, &body, &body_len),
	    FRAME_MORE);
	CU_ASSERT_PTR_NULL(part.data);
}

/* Whatever the pieces, the frames are the same. */
static void
in_pieces(size_t piece)
{
	struct frame_part part = { 0 };
	const uint8_t *in, *body;
	size_t len, body_len, frames = 0;

	for (size_t at = 0; at < sizeof(two_frames); at += piece) {
		in = two_frames + at;
		len = sizeof(two_frames) - at < piece ?
		    sizeof(two_frames) - at : piece;
		while (frame_next(&part, &in, &len, 100, &body, &body_len) ==
		    FRAME_READY) {
			CU_ASSERT_EQUAL(body_len, frames == 0 ? 2 : 4);
			CU_ASSERT_EQUAL(memcmp(body, two_frames +
			    (frames == 0 ? 4 : 10), body_len), 0);
			frames++;
			frame_part_clear(&part);
		}
		CU_ASSERT_EQUAL(len, 0);
	}
	CU_ASSERT_EQUAL(frames, 2);
	CU_ASSERT_PTR_NULL(part.data);
}

static void
pieces(void)
{
	for (size_t piece = 1; piece <= sizeof(two_frames); piece++)
		in_pieces(piece);
}

static void
long_frames(void)
{
	static const uint8_t huge[] = { 0x7f, 0xff, 0xff, 0xff };
	struct frame_part part = { 0 };
	const uint8_t *in = huge, *body;
	size_t len = sizeof(huge), body_len;
	uint8_t *big = mc_zalloc(100004);

	CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 4096, &body, &body_len),
	    FRAME_TOO_LONG);
	big[1] = 0x01;
	big[2] = 0x86;
	big[3] = 0xa0;		/* 100000 */
	for (size_t at = 0; at < 100004; at++) {
		in = big + at;
		len = 1;
		CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 100000, &body,
		    &body_len), at == 100003 ? FRAME_READY : FRAME_MORE);
		CU_ASSERT_TRUE(part.size <= 2 * at + 512);
	}
	CU_ASSERT_EQUAL(body_len, 100000);
	frame_part_clear(&part);
	free(big);
}

/* One byte more than may be, wherever the length is cut in two. */
static void
too_long(void)
{
	static const uint8_t head[] = { 0, 0, 0x10, 0x01 };
	const uint8_t *in, *body;
	size_t len, body_len;

	for (size_t cut = 1; cut < sizeof(head); cut++) {
		struct frame_part part = { 0 };

		in = head;
		len = cut;
		CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 4096, &body,
		    &body_len), FRAME_MORE);
		len = sizeof(head) - cut;
		CU_ASSERT_EQUAL(frame_next(&part, &in, &len, 4096, &body,
		    &body_len), FRAME_TOO_LONG);
		frame_part_clear(&part);
	}
}

static const char *
fault_of(const void *body, size_t len)
{
	const char *fault;
	struct message *message = message_decode(body, len, &fault);

	if (message == NULL)
		return fault;
	message_free(&message);
	return "";
}

#define FAULT(part, ...) do { \
	static const uint8_t body[] = { __VA_ARGS__ }; \
	const char *said = fault_of(body, sizeof(body)); \
	CU_ASSERT_TRUE(strstr(said, part) != NULL && said[0] != '\0'); \
} while (0)

static void
faults(void)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(fault_of("", 0), "no message"));
	FAULT("no message", 8, 1);
	FAULT("cut off", 0x1a);
	FAULT("cut off", 0x1a, 1);
	FAULT("cut off", 0x80);
	FAULT("cut off", 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff);
	FAULT("more than one", 0x1a, 0, 0x22, 0);
	FAULT("more than one", 0x1a, 0, 0xfa, 0x3e, 0);
	FAULT("cid", 8, 1, 8, 1, 0x1a, 0);
	FAULT("cid", 0x0a, 1, 1);
	FAULT("no message", 0x18, 0);
	FAULT("no message", 2, 0);
	FAULT("cannot be decoded", 0x52, 2, 0x12, 0x7f);
}

static void
unknown(void)
{
	static const uint8_t body[] = { 8, 9, 0xfa, 0x3e, 2, 1, 2 };
	const char *fault;
	struct message *message = message_decode(body, sizeof(body), &fault);

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_EQUAL(message->envelope->cid, 9);
	CU_ASSERT_EQUAL(message->envelope->message_case,
	    METACUBE__ENVELOPE__MESSAGE__NOT_SET);
	message_free(&message);
	CU_ASSERT_PTR_NULL(message);
}

/* What it encodes it decodes, and small messages stay in one piece. */
static void
there_and_back(void)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Login login = METACUBE__LOGIN__INIT;
	uint8_t proof[32] = { 1, 2, 3 }, frame[256];
	const char *fault;
	struct message *message;
	size_t size;

	envelope.cid = 12;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
	envelope.login = &login;
	login.name = (char *)"Amanda";
	login.proof.data = proof;
	login.proof.len = sizeof(proof);
	size = frame_size(&envelope);
	CU_ASSERT_TRUE_FATAL(size <= sizeof(frame));
	frame_encode(&envelope, frame, size);
	CU_ASSERT_EQUAL(frame[3], size - 4);
	message = message_decode(frame + 4, size - 4, &fault);
	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_STRING_EQUAL(message->envelope->login->name, "Amanda");
	CU_ASSERT_EQUAL(memcmp(message->envelope->login->proof.data, proof,
	    sizeof(proof)), 0);
	CU_ASSERT_PTR_NULL(message->arena.blocks);
	message_free(&message);
}

/* 64 KiB of the smallest fields: bounded, and refused or decoded quickly. */
static void
hostile(void)
{
	size_t len = 65532;
	uint8_t *body = malloc(len + 4);

	body[0] = 0x6a;		/* Maps */
	body[1] = 0xfc;
	body[2] = 0xff;
	body[3] = 0x03;
	for (size_t i = 0; i < len; i += 2) {
		body[4 + i] = 0x0a;	/* an empty MapEntry */
		body[5 + i] = 0;
	}
	CU_ASSERT_STRING_EQUAL(fault_of(body, len + 4),
	    "the message cannot be decoded");
	for (size_t i = 0; i < len; i += 2)
		body[4 + i] = 0x28;	/* an unknown number */
	CU_ASSERT_STRING_EQUAL(fault_of(body, len + 4),
	    "the message cannot be decoded");
	free(body);
}

static void
arenas(void)
{
	uint64_t first[8];
	struct arena arena;

	arena_init(&arena, first, sizeof(first), 8192);
	CU_ASSERT_PTR_EQUAL(arena_take(&arena, 1), first);
	CU_ASSERT_PTR_EQUAL(arena_take(&arena, 8), first + 1);
	CU_ASSERT_PTR_NOT_NULL(arena_take(&arena, 100));
	CU_ASSERT_PTR_NOT_NULL(arena.blocks);
	CU_ASSERT_PTR_NULL(arena_take(&arena, 8192));
	CU_ASSERT_PTR_NULL(arena_take(&arena, SIZE_MAX));
	CU_ASSERT_PTR_NULL(arena_take(&arena, SIZE_MAX - 8));
	CU_ASSERT_PTR_NOT_NULL(arena_take(&arena, 1000));
	arena_clear(&arena);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "frames that have come whole are not copied", whole },
		{ "frames in pieces of every size", pieces },
		{ "memory grows with what has come", long_frames },
		{ "a length beyond the limit, in two pieces", too_long },
		{ "what is no message says why", faults },
		{ "an unknown message is let through", unknown },
		{ "a login there and back", there_and_back },
		{ "memory is bounded by the frame", hostile },
		{ "arenas are aligned and limited", arenas },
		{ NULL, NULL }
	};

	return cutap_run("frame", tests);
}
