/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint: what somebody still needs is not deleted, and who needs it for
 * too long is given up.
 */
#include "wmqmaint_rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
damaged(void)
{
	rig_begin();
	rig_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	rig_close();
	freeze_damage(20);
	rig_open();
	rig_start();		/* by its header it is fine */
	CU_ASSERT_TRUE(prune_refused("not authentic"));
	CU_ASSERT_TRUE(freeze_refused("not authentic"));
	create_many(11, 12);
	CU_ASSERT_TRUE(freeze_refused("not authentic"));
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_TRUE(freezes());	/* the queue has it all */
	CU_ASSERT_TRUE(frozen_right());
	rig_end();
}

/* That it was good the last time is no ground either. */
static void
rotten(void)
{
	rig_begin();
	rig_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(prunes_to(10));
	CU_ASSERT_TRUE(prunes_to(10));
	freeze_damage(20);
	CU_ASSERT_TRUE(prune_refused("not authentic"));
	freeze_damage(20);
	CU_ASSERT_TRUE(prunes_to(10));
	rig_end();
}

static void
replica_add(const char *name, uint64_t seq, bool connected, uint64_t age_ms)
{
	struct replicas_entry *entry = &replicas.entries[replicas.count++];

	strcpy(entry->name, name);
	entry->connected = connected;
	entry->progress_ms = mc_time_ms() - age_ms;
	entry->acknowledged.pointer.seq = seq;
	memcpy(entry->acknowledged.pointer.epoch, queue.epoch, 16);
}

static void
acknowledged(void)
{
	rig_begin();
	rig_start();
	create_many(1, 100);
	CU_ASSERT_TRUE(freezes());
	create_many(101, 150);
	CU_ASSERT_TRUE(prunes_to(100));		/* nobody to wait for */
	replica_add("far", 120, true, 0);
	CU_ASSERT_TRUE(prunes_to(100));
	replica_add("near", 40, false, 5LL * DAY_MS);
	CU_ASSERT_TRUE(prunes_to(40));
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "near"));
	replica_add("other", 90, true, 0);
	memset(replicas.entries[2].acknowledged.pointer.epoch, 9, 16);
	CU_ASSERT_TRUE(prunes_to(0));
	replicas.entries[2].resync = replicas.entries[1].resync = true;
	CU_ASSERT_TRUE(prunes_to(100));
	CU_ASSERT_STRING_EQUAL(replicas.given_up, "");
	replicas.listed = MC_UNAVAILABLE;
	CU_ASSERT_TRUE(prune_refused("the list of replicas"));
	rig_end();
}

/* Not seen or not moved, it is the same: what counts is progress. */
static void
grace(void)
{
	rig_begin();
	rig_start();
	create_many(1, 100);
	CU_ASSERT_TRUE(freezes());
	replica_add("away", 20, false, 29LL * DAY_MS);
	replica_add("gone", 10, false, 31LL * DAY_MS);
	replica_add("slow", 15, true, 60000);
	replicas.give_up = MC_BUSY;
	CU_ASSERT_TRUE(prune_refused("cannot be given up"));
	replicas.given_up[0] = '\0';
	replicas.give_up = MC_OK;
	CU_ASSERT_TRUE(prunes_to(15));
	CU_ASSERT_STRING_EQUAL(replicas.given_up, "gone");
	CU_ASSERT_TRUE(stage_logged("replica gone is given up: away, and "
	    "without progress for 31 days at change 10"));
	CU_ASSERT_EQUAL(stage_count("given_up"), 1);
	/* A clock that was set back makes nobody old. */
	replicas.entries[0].progress_ms = mc_time_ms() + 90LL * DAY_MS;
	replicas.count = 1;
	replicas.given_up[0] = '\0';
	CU_ASSERT_TRUE(prunes_to(20));
	CU_ASSERT_STRING_EQUAL(replicas.given_up, "");
	rig_end();
}

static void
stuck(void)
{
	rig_begin();
	rig_start();
	create_many(1, 100);
	CU_ASSERT_TRUE(freezes());
	replica_add("stuck", 10, true, 31LL * DAY_MS);
	replica_add("foreign", 90, true, 32LL * DAY_MS);
	memset(replicas.entries[1].acknowledged.pointer.epoch, 9, 16);
	replica_add("level", 100, true, 33LL * DAY_MS);
	replica_add("at home", 100, false, 34LL * DAY_MS);
	CU_ASSERT_TRUE(prunes_to(100));
	CU_ASSERT_STRING_EQUAL(replicas.given_up, "stuckforeign");
	CU_ASSERT_TRUE(stage_logged("replica stuck is given up: connected, "
	    "and without progress for 31 days at change 10"));
	CU_ASSERT_EQUAL(stage_count("given_up"), 2);
	rig_end();
}

static void
replica_server(void)
{
	struct freeze_keys *keys;
	char why[FREEZE_WHY];

	rig_begin();
	maint->mirrored.ops = &mirror.ops;
	keys = freeze_keys_load(key_files, why);
	snprintf(mirror.file.path, sizeof(mirror.file.path), "%s",
	    scratch_path("mirrored"));
	CU_ASSERT_TRUE(freeze_make(mirror.file.path, keys, 10, 50,
	    &mirror.file.header, why));
	freeze_keys_free(&keys);
	rig_start();
	store.position.pointer.seq = 70;
	CU_ASSERT_TRUE(prunes_to(50));
	store.position.pointer.seq = 30;
	CU_ASSERT_TRUE(prunes_to(30));
	CU_ASSERT_STRING_EQUAL(obtained(MC_OK)->path, mirror.file.path);
	store.asked = 0;
	command("wmqmaint freeze");
	stage_pass(0);
	CU_ASSERT_EQUAL(store.asked, 0);
	CU_ASSERT_FALSE(there("frozen"));
	scratch_write("mirrored", "x", 1, 0600);
	mirror.file.header.size++;
	CU_ASSERT_TRUE(prune_refused("too short"));
	rig_end();
}
int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a damaged freeze is no ground for anything", damaged },
		{ "nor is one that was good the last time", rotten },
		{ "what a replica has not acknowledged stays",
		  acknowledged },
		{ "who is away for too long is given up", grace },
		{ "so is who is here and comes no further", stuck },
		{ "where the freeze is only mirrored", replica_server },
		{ NULL, NULL }
	};

	return cutap_run("wmqmaint_pruning", tests);
}
