/* SPDX-License-Identifier: MIT */
/*
 * antpclnt: its server is silent, gone, behind, another one, set back or
 * hostile; nothing wrong is shown, and nothing is thrown away too early.
 */
#include "cutap.h"

#include "antpclnt_rig.h"

#include <stdio.h>
#include <string.h>

static struct rig_reply reply;

static void
silence(void)
{
	rig_begin();
	rig_append(5);
	rig_fetch(RIG_SERVER);
	rig_pass(1500);
	CU_ASSERT_EQUAL(rig.held.wait_s, 20);
	stage_pass(29000);
	CU_ASSERT(!stage_over(rig.conn));
	stage_pass(3000);
	CU_ASSERT(stage_over(rig.conn));
	CU_ASSERT_EQUAL(stage_count("silences"), 1);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_connect();
	rig_append(1);
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 6);
	rig_done();
}

static void
fallback(void)
{
	rig_begin();
	rig_append(5);
	rig_open(RIG_SERVERS);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	stage_pass(6000);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7747");
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 5);
	stage_drop(rig.conn);
	stage_pass(6000);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_done();
}

/* Another server stands behind the first one: nothing is thrown away, as long
 * as there is one that goes on. */
static void
fallback_behind(void)
{
	rig_begin();
	rig_append(50);
	rig_fetch(RIG_SERVERS);
	CU_ASSERT_EQUAL(rig_fetched(), 50);
	stage_drop(rig.conn);
	stage_pass(6000);
	rig_connect();
	rig_answer("ANTP/1.0 116 beyond the end\n\n", NULL, 0);
	CU_ASSERT_EQUAL(stage_count("refused"), 1);
	CU_ASSERT_EQUAL(stage_count("anew"), 0);
	stage_pass(1000);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_append(1);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 51);
	rig_done();
}

/* The server's queue is another one. */
static void
replaced(void)
{
	rig_begin();
	rig_append(50);
	rig_freeze(20, 2000);
	rig_fetch(RIG_SERVER);
	rig_read(&reply, 1, 50, 30000);
	stage_drop(rig.conn);
	rig_server(2);
	rig_append(10);
	rig_freeze(3, 1000);
	stage_pass(0);
	rig_connect();
	rig_serve();
	CU_ASSERT(stage_logged("everything is fetched anew"));
	stage_pass(1000);
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT(rig_same_queue());
	CU_ASSERT_EQUAL(rig_fetched(), 10);
	CU_ASSERT(reply.answered && reply.status == MC_INVALID);
	CU_ASSERT_EQUAL(stage_count("anew"), 1);
	rig_done();
}

/* It was restored to an older state, and tells another story since. */
static void
set_back(void)
{
	rig_begin();
	rig_append(50);
	rig_fetch(RIG_SERVER);
	stage_drop(rig.conn);
	rig_server(1);
	rig_append(20);
	stage_pass(0);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(stage_count("anew"), 1);
	stage_pass(1000);
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 20);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* Older than what is here, but with a head that says nothing. */
static void
set_back_silently(void)
{
	rig_begin();
	rig_append(50);
	rig_fetch(RIG_SERVER);
	stage_drop(rig.conn);
	rig_server(1);
	rig.no_head = true;
	rig_append(70);		/* the same numbers, other times and bytes */
	rig_append(70);
	stage_pass(0);
	rig_connect();
	rig_serve();
	if (rig.conn == NULL) {
		stage_pass(1000);
		rig_connect();
		rig_serve();
	}
	CU_ASSERT_EQUAL(rig_fetched(), 140);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* What is wrong is never shown, and fetched again; for ever so is too
 * often. */
static void
wrong_bytes(void)
{
	unsigned rounds = 0;

	rig_begin();
	rig_append(10);
	rig_open(RIG_SERVER);
	rig_connect();
	rig.flip = 700;
	while (rounds++ < 50 && !stage_logged("too often within an hour")) {
		rig_serve();
		CU_ASSERT(rig_fetched() < 10);
		CU_ASSERT_PTR_NULL_FATAL(rig.conn);
		stage_pass(40000);
		if (stage_dialled()[0] != '\0')
			rig_connect();
	}
	CU_ASSERT_EQUAL(rounds, 8);
	CU_ASSERT_EQUAL(stage_count("anew"), 7);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "");
	rig_state(&reply, false);
	CU_ASSERT(((struct mirror_state *)reply.data)->halted);
	rig.flip = 0;
	stage_pass(3600000);
	CU_ASSERT_STRING_NOT_EQUAL(stage_dialled(), "");
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 10);
	rig_done();
}

/* What no server should say: it is hung up, and nothing is shown of it. */
static void
hostile(void)
{
	static const struct {
		const char *head;
		size_t len;		/* bytes after it */
	} lies[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", 0 },
		{ "ANTP/1.0 010 ../../etc/passwd 0 5\n\n", 5 },
		{ "ANTP/1.0 020 ../20260130.wmq 0 0\n\n", 0 },
		{ "ANTP/1.0 020 /20260130.wmq 0 0\n\n", 0 },
		{ "ANTP/1.0 010 20260130.wmq 0 5\n\n", 5 },
		{ "ANTP/1.0 020 20260130.wmq 0 5\n\n", 5 },
		{ "ANTP/1.0 020 20260130.wmq 7 0\n\n", 0 },
		{ "ANTP/1.0 010 20260130.wmq -1 5\n\n", 5 },
		{ "ANTP/1.0 010 20260130.wmq 99999999999999999999 5\n\n", 5 },
		{ "ANTP/1.0 010 20260130.wmq 18446744073709551615 5\n\n", 5 },
		{ "ANTP/1.0 030 20260130.wmq 0 5\n\n", 5 },
		{ "ANTP/1.0 050 20260130.wmq 0 0\n\n", 0 },
		{ "\n", 0 },
	};
	static const uint8_t junk[64];
	char long_head[5000];

	rig_begin();
	rig_open(RIG_SERVER);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		rig_connect();
		rig_answer(lies[i].head, junk, lies[i].len);
		CU_ASSERT_PTR_NULL(rig.conn);
		CU_ASSERT_EQUAL(stage_count("faults"), (int64_t)i + 1);
		stage_pass(1000);
	}
	memset(long_head, 'x', sizeof(long_head));
	memcpy(long_head, "ANTP/1.0 030 ", 13);
	long_head[sizeof(long_head) - 1] = '\0';
	rig_connect();
	rig_answer(long_head, NULL, 0);
	CU_ASSERT_PTR_NULL(rig.conn);
	rig_connect();			/* answers nobody has asked for */
	rig_answer("ANTP/1.0 030 - 0 0\n\nANTP/1.0 030 - 0 0\n\n", NULL, 0);
	CU_ASSERT_PTR_NULL(rig.conn);
	CU_ASSERT_EQUAL(rig_fetched(), 0);
	rig_done();
}

/* EMPTY at once, again and again: it is not asked without a pause. */
static void
eager_server(void)
{
	rig_begin();
	rig_append(1);
	rig_fetch(RIG_SERVER);
	rig.requests = 0;
	for (unsigned ms = 0; ms < 60000; ms += 20) {
		char head[128];

		if (rig.held.verb != 0) {
			snprintf(head, sizeof(head), "ANTP/1.0 030 %s %llu 0"
			    "\n\n", rig.held.file,
			    (unsigned long long)rig.held.offset);
			rig_answer(head, NULL, 0);
		}
		stage_pass(20);
		rig_serve();
	}
	CU_ASSERT(rig.requests < 40);
	CU_ASSERT(rig.requests > 5);
	rig_done();
}

static void
server_errors(void)
{
	rig_begin();
	rig_append(5);
	rig_open(RIG_SERVER);
	rig_connect();
	rig_answer("ANTP/1.0 153 later\n\n", NULL, 0);
	CU_ASSERT_PTR_NULL(rig.conn);
	CU_ASSERT_EQUAL(stage_count("failures"), 1);
	CU_ASSERT(stage_logged("later"));
	rig_connect();
	rig_serve();
	CU_ASSERT_EQUAL(rig_fetched(), 5);
	stage_drop(rig.conn);
	stage_pass(0);
	rig_connect();
	rig_answer("ANTP/1.0 150 broken\n\n", NULL, 0);
	CU_ASSERT_EQUAL(stage_count("refused"), 0);
	rig_done();
}

const struct cutap_test antpclnt_server_tests[] = {
	{ "a server that has gone silent", silence },
	{ "another server stands in", fallback },
	{ "one that is behind does no harm", fallback_behind },
	{ "a queue with another epoch", replaced },
	{ "a server set back", set_back },
	{ "a server set back that does not say so", set_back_silently },
	{ "bytes that are wrong, for ever", wrong_bytes },
	{ "answers no server should give", hostile },
	{ "a server that does not wait", eager_server },
	{ "errors of the server", server_errors },
	{ NULL, NULL }
};
