/* SPDX-License-Identifier: MIT */
/*
 * antpclnt: what is fetched, in whatever pieces, over connections that are
 * lost and by processes that end, is whole or not shown.
 */
#include "cutap.h"

#include "antpclnt_rig.h"
#include "scratch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct rig_reply reply;

/* The connection is lost after so many bytes, again and again; what is here
 * is always whole, and in the end all of it. */
static void
cut_everywhere(void)
{
	rig_begin();
	rig_append(90);
	rig_freeze(20, 5000);
	for (uint64_t step = 1; step < 12000; step += step < 900 ? 1 : 97) {
		rig_open(RIG_SERVER);
		rig_connect();
		rig.fed = 0;
		rig.cut_after = step;
		rig_serve();
		if (rig.conn == NULL) {
			rig.cut_after = 0;
			rig_connect();
			rig_serve();
		}
		CU_ASSERT_EQUAL(rig_fetched(), 90);
		CU_ASSERT(rig_same_freeze());
		CU_ASSERT_EQUAL(stage_count("refused"), 0);
		CU_ASSERT_EQUAL(stage_count("faults"), 0);
		rig_close();
		rig_mirror_remove();
		stage_reset("gateway");
	}
	rig_open(RIG_SERVER);
	rig_done();
}

/* The same, and each time the process is another one: only what is on the
 * disk goes on. */
static void
resumed(void)
{
	unsigned starts = 0;

	rig_begin();
	rig_append(300);
	rig_freeze(20, 200000);
	rig.chunk = 700;
	while (starts++ < 1000) {
		rig_open(RIG_SERVER);
		rig_connect();
		rig.fed = 0;
		rig.cut_after = 3001;
		rig_serve();
		if (rig.conn != NULL)
			break;
		rig_close();
		stage_reset("gateway");
	}
	CU_ASSERT(starts > 50 && starts < 500);
	CU_ASSERT_EQUAL(rig_fetched(), 300);
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(stage_count("refused"), 0);
	rig_done();
}

/* The process before was killed between the last byte and the name. */
static void
all_but_named(void)
{
	char name[96], part[128], path[256];

	rig_begin();
	rig_append(30);
	rig_freeze(20, 5000);
	rig_fetch(RIG_SERVER);
	CU_ASSERT(rig_same_freeze());
	rig_close();
	snprintf(name, sizeof(name), "mirror/%s", rig.freeze);
	snprintf(part, sizeof(part), "%s.part", name);
	snprintf(path, sizeof(path), "%s", scratch_path(part));
	CU_ASSERT_EQUAL(rename(scratch_path(name), path), 0);
	stage_reset("gateway");
	rig_fetch(RIG_SERVER);
	CU_ASSERT(rig_same_freeze());
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_OK);
	rig_done();
}

static void
byte_by_byte(void)
{
	rig_begin();
	rig_append(20);
	rig_freeze(5, 3000);
	rig.chunk = 1;
	rig_fetch(RIG_SERVER);
	CU_ASSERT_EQUAL(rig_fetched(), 20);
	CU_ASSERT(rig_same_freeze());
	rig_done();
}

/* A change comes between the pieces of a large freeze. */
static void
change_during_freeze(void)
{
	rig_begin();
	rig_append(5);
	rig_freeze(5, 20 * 1024 * 1024);
	rig_open(RIG_SERVER);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 1024 * 1024;
	rig_serve();
	rig.cut_after = 0;
	rig_append(1);
	rig_read(&reply, 1, 5, 30000);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 2 * 1024 * 1024;
	rig_serve();
	CU_ASSERT(reply.answered);
	CU_ASSERT_EQUAL(rig_last_seq(&reply), 6);
	CU_ASSERT(!rig_same_freeze());
	rig_obtain(&reply, false);
	CU_ASSERT_EQUAL(reply.status, MC_BUSY);
	rig.cut_after = 0;
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	rig_done();
}

/* One made anew under the same name has other bytes: not half and half. */
static void
other_freeze(void)
{
	rig_begin();
	rig_append(30);
	rig_freeze(20, 500000);
	rig_open(RIG_SERVER);
	rig_connect();
	rig.fed = 0;
	rig.cut_after = 300000;
	rig_serve();
	rig.cut_after = 0;
	rig_freeze(20, 400000);
	rig_connect();
	rig_serve();
	CU_ASSERT(rig_same_freeze());
	rig_freeze(25, 300000);
	rig_pass(6000);
	rig_obtain(&reply, true);
	rig_connect();
	rig_serve();
	CU_ASSERT(reply.answered && reply.status == MC_BUSY);
	CU_ASSERT(rig_same_freeze());
	rig_obtain(&reply, true);
	CU_ASSERT(reply.answered && reply.status == MC_OK);
	CU_ASSERT_EQUAL(((struct freeze_file *)reply.data)->header.
	    position.pointer.seq, 25);
	rig_done();
}

const struct cutap_test antpclnt_fetch_tests[] = {
	{ "a connection cut at every byte", cut_everywhere },
	{ "a process that ends every few bytes", resumed },
	{ "a freeze that only lacks its name", all_but_named },
	{ "bytes one by one", byte_by_byte },
	{ "a change while a freeze is fetched", change_during_freeze },
	{ "another freeze of the same name, and a newer one", other_freeze },
	{ NULL, NULL }
};
