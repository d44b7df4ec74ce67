/* SPDX-License-Identifier: MIT */
/*
 * antpclnt: what is shown is what the server has, or nothing.  Here: what a
 * mirror has, and what those are told who ask it.  antpclnt_fetch.c has how
 * it comes, antpclnt_server.c and antpclnt_disk.c what may be wrong.
 */
#include "cutap.h"

#include "antpclnt_rig.h"

#include <string.h>

static struct rig_reply reply, other;

static void
from_nothing(void)
{
	rig_begin();
	rig_append(200);
	rig_freeze(100, 300000);
	rig_open(RIG_SERVER);
	CU_ASSERT_STRING_EQUAL(stage_dialled(), "127.0.0.1:7746");
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	CU_ASSERT(rig.waits > 0);
	CU_ASSERT(stage_logged("all is here"));
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_OK);
	CU_ASSERT_EQUAL(reply.len, sizeof(struct freeze_file));
	rig_done();
}

/* The queue begins where the freeze ends: older files are not fetched. */
static void
after_the_freeze(void)
{
	struct wmq_position position;

	rig_begin();
	rig_append(200);
	rig_freeze(150, 1000);
	rig_fetch(RIG_SERVER);
	rig_position(&reply);
	memcpy(&position, reply.data, sizeof(position));
	CU_ASSERT(position.oldest > 1 && position.oldest <= 151);
	CU_ASSERT_EQUAL(position.durable, 200);
	rig_done();
}

static void
without_freeze(void)
{
	rig_begin();
	rig_append(200);
	rig_fetch(RIG_SERVER);
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	CU_ASSERT(rig_same_queue());
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_close();

	stage_reset("gateway");		/* it has one, but we want none */
	rig_freeze(10, 1000);
	rig_set("mirror_freeze", false);
	rig_fetch(RIG_SERVER);
	CU_ASSERT(!rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 200);
	rig_done();
}

static void
not_wanted_freeze(void)
{
	rig_begin();
	rig_append(50);
	rig_freeze(10, 1000);
	rig_set("mirror_freeze", false);
	rig_fetch(RIG_SERVER);
	CU_ASSERT(!rig_same_freeze());
	CU_ASSERT_EQUAL(rig_fetched(), 50);
	CU_ASSERT(rig_same_queue());
	rig_done();
}

/* A change: the reader has it with the bytes, no timer between. */
static void
news(void)
{
	rig_begin();
	rig_append(3);
	rig_fetch(RIG_SERVER);
	rig_read(&reply, 1, 0, 0);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 3);
	rig_read(&reply, 1, 3, 0);
	CU_ASSERT(reply.answered && reply.status == MC_OK && reply.len == 0);
	rig_read(&reply, 1, 3, 30000);
	CU_ASSERT(!reply.answered);
	rig_append(1);
	rig_serve();
	CU_ASSERT(reply.answered);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 4);
	rig_read(&reply, 1, 4, 2000);
	stage_pass(1999);
	CU_ASSERT(!reply.answered);
	stage_pass(2);
	CU_ASSERT(reply.answered && reply.status == MC_OK && reply.len == 0);
	rig_done();
}

static void
refusals(void)
{
	rig_begin();
	rig_open(RIG_SERVER);
	rig_read(&reply, 1, 0, 100);
	CU_ASSERT_EQUAL(reply.status, MC_UNAVAILABLE);
	rig_position(&reply);
	CU_ASSERT(!reply.answered);
	stage_pass(5001);
	CU_ASSERT(reply.answered && reply.status == MC_UNAVAILABLE);
	rig_append(2);
	rig_position(&reply);
	CU_ASSERT(!reply.answered);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	rig_read(&reply, 1, 3, 0);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_read(&reply, 2, 1, 0);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_append_to(&reply);
	CU_ASSERT_EQUAL(reply.status, MC_DENIED);
	rig_done();
}

static void
files(void)
{
	struct wmqfile_extent extent, last;

	rig_begin();
	rig_append(200);
	rig_fetch(RIG_SERVER);
	rig_find(&reply, 0);
	CU_ASSERT_EQUAL_FATAL(reply.status, MC_OK);
	memcpy(&extent, reply.data, sizeof(extent));
	CU_ASSERT_EQUAL(extent.first_seq, 1);
	CU_ASSERT(extent.finished);
	rig_extent(&reply, extent.next, 0, 1000);
	CU_ASSERT_EQUAL_FATAL(reply.status, MC_OK);
	memcpy(&last, reply.data, sizeof(last));
	CU_ASSERT_STRING_EQUAL(last.name, extent.next);
	rig_find(&reply, 200);
	memcpy(&last, reply.data, sizeof(last));
	CU_ASSERT(!last.finished);
	rig_extent(&reply, last.name, last.end, 60000);
	CU_ASSERT(!reply.answered);
	rig_extent(&other, last.name, last.end, 1000);
	stage_pass(1001);
	CU_ASSERT(other.answered && other.status == MC_OK);
	rig_append(1);
	rig_serve();
	CU_ASSERT_FATAL(reply.answered);
	CU_ASSERT(((struct wmqfile_extent *)reply.data)->end > last.end);
	rig_extent(&reply, last.name, last.end + 100000, 0);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_extent(&reply, "20991231.wmq", 0, 0);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_find(&reply, 500);
	CU_ASSERT_EQUAL(reply.status, MC_INVALID);
	rig_prune(&reply, 200);
	CU_ASSERT_EQUAL_FATAL(reply.status, MC_OK);
	CU_ASSERT(*(uint64_t *)reply.data > 0);
	rig_find(&reply, 0);
	memcpy(&extent, reply.data, sizeof(extent));
	CU_ASSERT_STRING_EQUAL(extent.name, last.name);
	rig_read(&reply, 1, 0, 0);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_find(&reply, 3);
	CU_ASSERT_EQUAL(reply.status, MC_NOT_FOUND);
	rig_done();
}

static void
renewed(void)
{
	rig_begin();
	rig_append(30);
	rig_freeze(20, 5000);
	rig_open(RIG_SERVER);
	rig_obtain(&reply, true);
	CU_ASSERT_EQUAL(reply.status, MC_UNAVAILABLE);
	rig_connect();
	rig_serve();
	rig_pass(6000);
	rig_obtain(&reply, true);
	CU_ASSERT(!reply.answered);
	CU_ASSERT(stage_over(rig.conn));	/* ends the long poll */
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	rig_pass(1500);
	rig_state(&reply, true);
	CU_ASSERT(!reply.answered);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT_EQUAL(((struct mirror_state *)reply.data)->
	    checkpoint.pointer.seq, 31);
	CU_ASSERT_EQUAL(((struct mirror_state *)reply.data)->head.seq, 30);
	rig_append(1);
	rig_serve();
	rig_state(&reply, true);		/* while a short one waits */
	CU_ASSERT(!stage_over(rig.conn));
	stage_drop(rig.conn);
	rig.conn = NULL;
	stage_pass(0);
	CU_ASSERT(reply.answered && reply.status == MC_UNAVAILABLE);
	rig_state(&reply, false);
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT(!((struct mirror_state *)reply.data)->connected);
	rig_done();
}

/* What the replica holds is told at most about a second later. */
static void
acknowledged(void)
{
	rig_begin();
	rig_append(5);
	rig_fetch(RIG_SERVER);
	CU_ASSERT_EQUAL(rig.last.applied.pointer.seq, 0);
	rig_acknowledge(5);
	rig_pass(1500);
	CU_ASSERT_EQUAL(rig.last.applied.pointer.seq, 5);
	CU_ASSERT_EQUAL(rig.held.wait_s, 20);
	rig_append(1);
	rig_serve();
	rig_pass(5000);
	CU_ASSERT_EQUAL(rig.held.wait_s, 1);	/* the replica is behind */
	rig_acknowledge(6);
	rig_pass(1500);
	CU_ASSERT_EQUAL(rig.held.wait_s, 20);
	CU_ASSERT_EQUAL(rig.last.applied.pointer.seq, 6);
	rig_done();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a mirror from nothing", from_nothing },
		{ "the queue from the freeze on", after_the_freeze },
		{ "a server without a freeze", without_freeze },
		{ "a freeze that is not wanted", not_wanted_freeze },
		{ "news for a waiting reader", news },
		{ "what cannot be read", refusals },
		{ "files, for further replicas", files },
		{ "a look at the server on demand", renewed },
		{ "what the replica holds is told", acknowledged },
		{ NULL, NULL }
	};
	static const struct cutap_suite suites[] = {
		{ "course", antpclnt_course_tests }, { "antpclnt", tests },
		{ "fetching", antpclnt_fetch_tests },
		{ "servers", antpclnt_server_tests },
		{ "disks", antpclnt_disk_tests }, { NULL, NULL }
	};

	return cutap_run_all(suites);
}
