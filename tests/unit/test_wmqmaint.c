/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint: what is frozen is what the store has, and what is wrong is never
 * frozen; when it is done, and how it is loaded.
 */
#include "wmqmaint_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
first_and_next(void)
{
	rig_begin();
	rig_start();
	obtained(MC_NOT_FOUND);
	create_many(1, 1000);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	change_many(1, 1000);
	create_many(1001, 1500);
	change(TCAPW_CREATE, 5);	/* again, after it was deleted */
	change(TCAPW_RESERVE, 90000);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	CU_ASSERT_STRING_EQUAL(obtained(MC_OK)->path, path);
	CU_ASSERT_EQUAL(obtained(MC_OK)->header.position.pointer.seq,
	    queue.count);
	CU_ASSERT_EQUAL(stage_count("freezes"), 2);
	rig_end();
}

static void
nobody(void)
{
	rig_begin();
	rig_start();
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "nothing to freeze"));
	CU_ASSERT_FALSE(there("frozen"));
	create_many(1, 3);
	change(TCAPW_DELETE, 1);
	change(TCAPW_DELETE, 2);
	change(TCAPW_DELETE, 3);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	rig_end();
}

static void
many_passes(void)
{
	rig_begin();
	conf.memory = CHANGES_MIN;
	rig_start();
	create_many(1, 1500);
	change_many(1, 1500);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	CU_ASSERT_PTR_NULL(strstr(maint->last_text, "in 1 pass"));
	change_many(1, 1500);
	create_many(1501, 2500);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	rig_end();
}

/* One account that changes all the time needs no room. */
static void
hot_account(void)
{
	rig_begin();
	conf.memory = CHANGES_MIN;
	rig_start();
	change(TCAPW_CREATE, 7);
	for (int i = 0; i < 5000; i++)
		change(TCAPW_CHANGE, 7);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "in 1 pass"));
	rig_end();
}

/* Changes go on while it is made: it ends where the store has spoken. */
static void
goes_on(void)
{
	struct tcapw_position then;

	rig_begin();
	rig_start();
	create_many(1, 100);
	then = store.position;
	create_many(101, 200);
	then.pointer.seq = 100;
	store.position = then;		/* it is a little behind */
	memset(store.exists + 101, 0, 100);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	rig_end();
}

static void
nothing_new(void)
{
	rig_begin();
	rig_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	queue.reads = 0;
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_EQUAL(queue.reads, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "nothing has "
	    "changed"));
	store.position.digest[0] ^= 1;
	CU_ASSERT_TRUE(freeze_refused("not what the freeze"));
	CU_ASSERT_TRUE(prune_refused("not what the queue"));
	rig_end();
}

static void
differing(void)
{
	char *before, *after;
	size_t len, size;

	rig_begin();
	rig_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	before = scratch_read(path, &len);
	create_many(11, 20);
	store.position.digest[3] ^= 1;
	CU_ASSERT_TRUE(freeze_refused("another digest"));
	CU_ASSERT_TRUE(stage_logged("the store is not what the queue says"));
	CU_ASSERT_TRUE(prune_refused("not what the queue"));
	after = scratch_read(path, &size);
	CU_ASSERT_TRUE(len == size && memcmp(before, after, len) == 0);
	CU_ASSERT_FALSE(there("frozen.new"));
	store.position.digest[3] ^= 1;
	store.position.count++;
	CU_ASSERT_TRUE(freeze_refused("has 21 accounts"));
	store.position.count--;
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(prunes_to(20));
	free(before);
	free(after);
	rig_end();
}

static void
not_possible(void)
{
	rig_begin();
	rig_start();
	CU_ASSERT_TRUE(prune_refused("no freeze yet"));
	create_many(1, 10);
	queue.oldest = 5;
	CU_ASSERT_TRUE(freeze_refused("no record 1 any more"));
	queue.oldest = 1;
	queue.count = 7;
	CU_ASSERT_TRUE(freeze_refused("the queue ends at 7"));
	queue.count = 10;
	queue.records[3].bytes[0] ^= 0xff;
	CU_ASSERT_TRUE(freeze_refused("record 4 of the queue is no account"));
	queue.records[3].bytes[0] ^= 0xff;
	CU_ASSERT_TRUE(freezes());
	store.position.pointer.seq = 9;
	CU_ASSERT_TRUE(freeze_refused("only at change 9"));
	CU_ASSERT_TRUE(prunes_to(9));
	store.position.pointer.seq = 10;
	memset(store.position.pointer.epoch, 1, 16);
	CU_ASSERT_TRUE(freeze_refused("another epoch"));
	CU_ASSERT_TRUE(prune_refused("another epoch"));
	store.silent = true;
	command("wmqmaint freeze");
	stage_pass(TCAPW_TIMEOUT_MS + 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "does not answer"));
	rig_end();
}

static void
by_schedule(void)
{
	rig_begin();
	conf.freeze_every_ms = DAY_MS;
	create_many(1, 10);
	rig_start();
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_count("freezes"), 0);	/* not at once */
	stage_pass(120000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	CU_ASSERT_EQUAL(queue.prunes, 1);
	CU_ASSERT_EQUAL(queue.pruned_to, 10);
	create_many(11, 12);
	stage_pass(DAY_MS - 600000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	conf.prune = false;
	stage_pass(600000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 2);
	CU_ASSERT_EQUAL(queue.prunes, 1);
	/* It fails, and is tried again within the hour. */
	create_many(13, 14);
	store.position.digest[0] ^= 1;
	stage_pass(DAY_MS);
	CU_ASSERT_TRUE(stage_count("failed_freezes") >= 1);
	store.position.digest[0] ^= 1;
	stage_pass(3600000 + 60000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 3);
	CU_ASSERT_TRUE(frozen_right());
	/* One that was asked for counts: the next is due a day later. */
	stage_pass(DAY_MS / 2);
	create_many(15, 16);
	CU_ASSERT_TRUE(freezes());
	create_many(17, 18);
	stage_pass(DAY_MS - 60000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 4);
	stage_pass(120000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 5);
	rig_end();
}

static void
at_a_time(void)
{
	uint64_t now;

	rig_begin();
	conf.freeze_every_ms = DAY_MS;
	conf.freeze_at = "03:30";
	create_many(1, 2);
	rig_start();
	for (int day = 1; day <= 2; day++) {
		now = mc_time_ms() % DAY_MS;
		/* To a minute before, and over it. */
		stage_pass((unsigned)((3 * 60 + 29) * 60000 + DAY_MS - now) %
		    DAY_MS);
		CU_ASSERT_EQUAL(stage_count("freezes"), day - 1);
		stage_pass(60000);
		CU_ASSERT_EQUAL(stage_count("freezes"), day);
		change(TCAPW_CHANGE, 1);
	}
	conf.freeze_at = "24:00";
	CU_ASSERT_EQUAL(metacube_module.reload(maint, &conf), MC_INVALID);
	conf.freeze_at = "3:30";
	CU_ASSERT_EQUAL(metacube_module.reload(maint, &conf), MC_INVALID);
	conf.freeze_at = "";
	CU_ASSERT_EQUAL(metacube_module.reload(maint, &conf), MC_OK);
	rig_end();
}

/* Asked twice it is done once; and not both things at a time. */
static void
joined(void)
{
	rig_begin();
	rig_start();
	create_many(1, 10);
	command("wmqmaint freeze");
	command("wmqmaint freeze");
	command("wmqmaint prune");
	command("wmqmaint status");
	CU_ASSERT_EQUAL(maint->task, TASK_FREEZE);
	CU_ASSERT_EQUAL(metacube_module.reload(maint, &conf), MC_BUSY);
	stage_pass(0);
	CU_ASSERT_EQUAL(store.asked, 1);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	CU_ASSERT_EQUAL(queue.prunes, 0);
	CU_ASSERT_PTR_NULL(maint->waiters);
	command("wmqmaint status");
	rig_end();
}

static void
stopped(void)
{
	rig_begin();
	rig_start();
	create_many(1, 10);
	command("wmqmaint freeze");
	rig_end();			/* with a question open */
	rig_begin();
	rig_start();
	create_many(1, 10);
	store.silent = true;
	command("wmqmaint freeze");
	stage_pass(0);
	metacube_module.stop(maint);	/* and the answer comes after it */
	rig_end();
	CU_ASSERT_FALSE(stage_logged("10 accounts frozen"));
}

static enum mc_status thaw_status;
static bool thaw_answered;

static void
thawed(void *owner, const struct mc_reply *reply)
{
	(void)owner;
	thaw_status = reply->status;
	thaw_answered = true;
	CU_ASSERT_EQUAL(reply->len, reply->status == MC_OK ?
	    sizeof(struct freeze_header) : 0);
}

static bool
thaws(enum mc_status status)
{
	thaw_answered = false;
	freeze_thaw(&service, NULL, thawed, NULL);
	stage_pass(0);
	return thaw_answered && thaw_status == status;
}

static void
loaded(void)
{
	rig_begin();
	rig_start();
	CU_ASSERT_TRUE(thaws(MC_NOT_FOUND));
	create_many(1, 1000);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(thaws(MC_OK));
	CU_ASSERT_EQUAL(store.load_ends, 1);
	CU_ASSERT_TRUE(store.loaded_len > 100000);
	store.load_status = MC_INVALID;
	CU_ASSERT_TRUE(thaws(MC_INVALID));
	CU_ASSERT_TRUE(stage_logged("the store has come to something else"));
	store.load_status = MC_OK;
	/* While something else is done: it comes next, but only one does. */
	command("wmqmaint prune");
	thaw_answered = false;
	freeze_thaw(&service, NULL, thawed, NULL);
	CU_ASSERT_TRUE(thaws(MC_OK));
	CU_ASSERT_EQUAL(stage_count("failed_thaws"), 1);
	/* A damaged one does not replace the store. */
	freeze_damage(1);
	store.load_ends = 0;
	CU_ASSERT_TRUE(thaws(MC_UNAVAILABLE));
	CU_ASSERT_EQUAL(store.load_ends, 0);
	/* Where it is only mirrored, somebody else does it. */
	maint->mirrored.ops = &mirror.ops;
	CU_ASSERT_TRUE(thaws(MC_DENIED));
	rig_end();
}

static void
leftovers(void)
{
	rig_begin();
	scratch_text("frozen.new", "x");
	scratch_text("frozen.part", "x");
	scratch_text("frozen.part.new", "x");
	rig_start();
	CU_ASSERT_FALSE(there("frozen.new") || there("frozen.part") ||
	    there("frozen.part.new"));
	rig_end();
}

/* Another key becomes the current one. */
static void
key_changed(void)
{
	char both[512];

	rig_begin();
	rig_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	freeze_key_file("newkey", 0x22);
	snprintf(both, sizeof(both), "%s,%s", scratch_path("newkey"),
	    key_files);
	conf.key_files = both;
	CU_ASSERT_EQUAL(metacube_module.reload(maint, &conf), MC_OK);
	create_many(11, 20);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_FALSE(frozen_right());	/* with the old key */
	snprintf(key_files, sizeof(key_files), "%s",
	    scratch_path("newkey"));
	CU_ASSERT_TRUE(frozen_right());
	rig_end();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "the first freeze, and the next", first_and_next },
		{ "a freeze of nobody", nobody },
		{ "more changes than there is memory for", many_passes },
		{ "one account that changes all the time", hot_account },
		{ "it ends where the store was asked", goes_on },
		{ "nothing has changed", nothing_new },
		{ "store and queue differ: no freeze, no pruning",
		  differing },
		{ "what keeps it from being made", not_possible },
		{ "by schedule", by_schedule },
		{ "at a time of the day", at_a_time },
		{ "asked twice, and for both", joined },
		{ "stopped in the middle", stopped },
		{ "it is loaded into the store", loaded },
		{ "leftovers are removed", leftovers },
		{ "another key", key_changed },
		{ NULL, NULL }
	};

	return cutap_run("wmqmaint", tests);
}
