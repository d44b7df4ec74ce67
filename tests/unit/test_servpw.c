/* SPDX-License-Identifier: MIT */
/* The replica: what it does when its store cannot follow, and who hears. */
#include "servpw_rig.h"

#include "freeze_files.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers to questions about the replica. */

static enum mc_status status_told;
static size_t nnews;
static struct replica_news news[REPLICA_NEWS_MAX];
static bool answered;

static void
was_answered(void *owner, const struct mc_reply *reply)
{
	(void)owner;
	answered = true;
	status_told = reply->status;
	nnews = reply->len / sizeof(news[0]);
	if (reply->len > 0)
		memcpy(news, reply->data, reply->len);
}

static const struct mc_ref *
replica(void)
{
	static struct mc_ref ref;

	ref.ops = metacube_module.provides[0].ops;
	ref.provider = servpw;
	return &ref;
}

static void
ask_reached(uint64_t seq)
{
	struct wmq_pointer pointer = { .seq = seq };

	memcpy(pointer.epoch, server.epoch, 16);
	answered = false;
	replica_reached(replica(), &pointer, NULL, was_answered, NULL);
	stage_pass(0);
}

static void
ask_news(uint64_t after, unsigned wait_ms)
{
	answered = false;
	replica_news(replica(), after, wait_ms, NULL, was_answered, NULL);
	stage_pass(0);
}

static bool
is_level(void)
{
	return servpw->phase == PHASE_LEVEL && store_is_level();
}

/* The beginning. */

static void
from_freeze(void)
{
	rig_begin();
	server_changes(40);
	server_freeze_now();
	server.oldest = 31;
	server_changes(5);
	rig_start();
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_EQUAL(servpw->resyncs, 1);
	CU_ASSERT_EQUAL(stage_count("applied"), 5);
	server_changes(3);
	stage_pass(0);
	CU_ASSERT_TRUE(is_level());
	rig_end();
}

static void
from_queue(void)
{
	rig_begin();
	server_changes(300);
	rig_start();
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_EQUAL(servpw->resyncs, 0);
	rig_end();
}

static void
from_local(void)
{
	rig_begin();
	server_changes(10);
	store_fill(7, 7);
	rig_start();
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_EQUAL(server.obtains, 0);
	rig_end();
}

/* A freeze that is still fetched, and a server that is away. */
static void
patient(void)
{
	rig_begin();
	server_changes(10);
	server_freeze_now();
	server.oldest = 8;
	server.obtain = MC_BUSY;
	rig_start();
	stage_pass(60000);
	CU_ASSERT_EQUAL(store.begins, 0);
	CU_ASSERT_TRUE(server.obtains > 100);
	CU_ASSERT_EQUAL(servpw->error_ms, 0);
	server.silent = true;		/* what is here must do */
	server.obtain = MC_OK;
	stage_pass(1000);
	CU_ASSERT_TRUE(is_level());
	rig_end();
}

/* But not for ever: that is an error, whoever asked is told, and it is tried
 * again. */
static void
impatient(void)
{
	rig_begin();
	server_changes(10);
	server_freeze_now();
	server.oldest = 8;
	server.obtain = MC_BUSY;
	rig_start();
	stage_pass(119000);
	CU_ASSERT_EQUAL(servpw->error_ms, 0);
	stage_pass(1500);
	CU_ASSERT_EQUAL(stage_count("resyncs_failed"), 1);
	CU_ASSERT_TRUE(stage_logged("still being fetched after 120 s"));
	CU_ASSERT_NOT_EQUAL(servpw->error_ms, 0);
	command("replica resync");
	stage_pass(121000);
	CU_ASSERT_TRUE(told(MC_UNAVAILABLE, "still being fetched"));
	server.obtain = MC_OK;
	stage_pass(10000);
	CU_ASSERT_TRUE(is_level());
	rig_end();
	rig_begin();
	server_changes(10);
	server.obtain = MC_BUSY;
	rig_start();			/* all of the queue is here */
	stage_pass(121000);
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_TRUE(stage_logged("is built from the queue"));
	rig_end();
}

/* A store that cannot follow. */

static void
gone(void)
{
	rig_begin();
	server_changes(60);
	server_freeze_now();
	server_changes(4);
	server.oldest = 50;
	store_fill(30, 30);
	rig_start();
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_EQUAL(servpw->resyncs, 1);
	CU_ASSERT_TRUE(stage_logged("only begins with 50"));
	rig_end();
}

static void
epoch(void)
{
	rig_begin();
	server_changes(20);
	store_fill(20, 20);
	rig_start();
	CU_ASSERT_TRUE(is_level());
	server_freeze_now();		/* of the old epoch: no use */
	server_epoch();
	stage_pass(2000);
	CU_ASSERT_TRUE(stage_logged("another epoch"));
	CU_ASSERT_EQUAL(servpw->phase, PHASE_WAITING);
	CU_ASSERT_EQUAL(store.begins, 0);
	server_freeze_now();
	server_changes(2);
	stage_pass(60000);
	CU_ASSERT_TRUE(is_level());
	ask_reached(22);
	CU_ASSERT_TRUE(answered && status_told == MC_OK);
	server.epoch[5]++;
	ask_reached(22);
	CU_ASSERT_TRUE(answered && status_told == MC_INVALID);
	server.epoch[5]--;
	rig_end();
}

/* The mirror began anew and is behind: its server is not. */
static void
ahead_of_mirror(void)
{
	rig_begin();
	server_changes(10);
	server_freeze_now();
	store_fill(15, 15);
	server.said.head.seq = 20;
	memcpy(server.said.head.epoch, server.epoch, 16);
	server.silent = true;
	rig_start();
	stage_pass(10000);
	CU_ASSERT_EQUAL(store.begins, 0);	/* nobody knows */
	CU_ASSERT_TRUE(stage_logged("cannot be asked"));
	server.silent = false;
	server_changes(10);
	stage_pass(10000);
	CU_ASSERT_EQUAL(store.begins, 0);
	CU_ASSERT_TRUE(is_level());
	rig_end();
}

/* The server has lost changes: its queue shows it. */
static void
ahead_of_server(void)
{
	rig_begin();
	server_changes(10);
	server_freeze(9, 9);
	store_fill(11, 11);
	rig_start();
	stage_pass(10000);
	CU_ASSERT_EQUAL(servpw->resyncs, 1);
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_TRUE(stage_logged("ahead") ||
	    stage_logged("missing from the queue"));
	rig_end();
}

static void
unknown_record(void)
{
	rig_begin();
	server_changes(10);
	store_fill(10, 10);
	rig_start();
	server_freeze(10, 10);
	server_nonsense();
	stage_pass(100000);
	CU_ASSERT_EQUAL(store.begins, 0);
	CU_ASSERT_EQUAL(table_position(store.table)->pointer.seq, 10);
	CU_ASSERT_TRUE(stage_logged("before the one that cannot"));
	server_freeze(10, 11);
	stage_pass(1000000);
	CU_ASSERT_EQUAL(servpw->resyncs, 1);
	server_changes(2);
	stage_pass(0);
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_EQUAL(store.wrong, 0);
	rig_end();
}

/* A freeze that must not be taken. */

static void
shrunk(void)
{
	rig_begin();
	server_changes(60);
	server_freeze(47, 60);
	server.oldest = 55;
	store_fill(60, 40);
	rig_start();
	stage_pass(5000);
	CU_ASSERT_EQUAL(servpw->phase, PHASE_SHRUNK);
	CU_ASSERT_EQUAL(store.begins, 0);
	CU_ASSERT_EQUAL(table_position(store.table)->count, 60);
	CU_ASSERT_TRUE(stage_logged("47 accounts, the store 60"));
	command("replica accept-shrink");
	CU_ASSERT_TRUE(told(MC_OK, "any number"));
	stage_pass(1000);
	CU_ASSERT_EQUAL(table_position(store.table)->count, 47);
	CU_ASSERT_FALSE(servpw->resync.accept_shrink);	/* once */
	rig_end();
}

static void
just_large_enough(void)
{
	rig_begin();
	server_changes(60);
	server_freeze(48, 60);
	server.oldest = 55;
	store_fill(60, 40);
	rig_start();
	CU_ASSERT_EQUAL(table_position(store.table)->count, 48);
	rig_end();
}

static void
damage(const char *path, long at)
{
	FILE *file = fopen(path, "r+");
	int c;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fseek(file, at, SEEK_SET);
	c = getc(file);
	fseek(file, at, SEEK_SET);
	putc(c ^ 1, file);
	fclose(file);
}

/* Whatever is wrong with it, the old store stays; then a good one comes. */
static void
old_goes_on(const char *words)
{
	unsigned begins;

	server.oldest = 55;
	store_fill(40, 40);
	rig_start();
	stage_pass(20000);
	CU_ASSERT_EQUAL(servpw->phase, PHASE_WAITING);
	CU_ASSERT_EQUAL(table_position(store.table)->count, 40);
	CU_ASSERT_EQUAL(table_position(store.table)->pointer.seq, 40);
	CU_ASSERT_TRUE(stage_logged(words));
	CU_ASSERT_PTR_NULL(store.loaded);	/* forgotten there too */
	begins = store.begins;
	CU_ASSERT_TRUE(server.obtains <= 8);	/* 1, 2, 4, 8 s */
	store.add = MC_OK;
	server_freeze_now();
	stage_pass(120000);
	CU_ASSERT_TRUE(is_level());
	CU_ASSERT_TRUE(store.begins > begins);
	rig_end();
}

static void
damaged(void)
{
	rig_begin();
	server_changes(60);
	server_freeze_now();
	damage(server.file.path, 200);
	conf.resyncs_per_hour = 100;
	old_goes_on("freeze");
}

static void
wrong_key(void)
{
	struct freeze_keys *keys;

	rig_begin();
	server_changes(60);
	server_freeze_now();
	keys = freeze_test_keys(0x22);
	freeze_keys_free(&keys);
	conf.key_files = scratch_path("key22");
	rig_start();
	stage_pass(0);
	CU_ASSERT_TRUE(stage_logged("key"));
	CU_ASSERT_EQUAL(store.begins, 0);
	CU_ASSERT_TRUE(is_level());	/* the whole queue is there */
	rig_end();
}

static void
store_refuses(void)
{
	rig_begin();
	server_changes(60);
	server_freeze_now();
	store.add = MC_BUSY;
	conf.resyncs_per_hour = 100;
	old_goes_on("adding to the account store");
}

static void
mismatched_count(void)
{
	rig_begin();
	server_changes(60);
	server_freeze_now();
	damage(server.file.path, 64);	/* the header's count */
	conf.resyncs_per_hour = 100;
	old_goes_on("freeze");
}

/* Another digest than the server's. */

static void
diverged(void)
{
	struct tcapw_account account;

	rig_begin();
	server_changes(20);
	server_freeze(18, 18);
	store_fill(20, 20);
	freeze_account(3, &account);
	table_delete(store.table, account.name);
	rig_start();
	CU_ASSERT_EQUAL(servpw->phase, PHASE_LEVEL);
	stage_pass(1100);
	CU_ASSERT_TRUE(stage_logged("DIVERGED: after change 20"));
	CU_ASSERT_EQUAL(stage_count("diverged"), 1);
	stage_pass(100);
	CU_ASSERT_TRUE(is_level());	/* also by a freeze from before */
	CU_ASSERT_FALSE(servpw->diverged);
	stage_pass(3000);
	CU_ASSERT_EQUAL(servpw->equal_seq, 20);
	CU_ASSERT_EQUAL(stage_count("diverged"), 1);
	rig_end();
}

/* It diverges again and again: never more than three times an hour, and it
 * follows all the same. */
static void
loop(void)
{
	rig_begin();
	server_changes(20);
	server_freeze_now();
	store_fill(20, 20);
	server.lies = true;
	rig_start();
	stage_pass(600000);
	CU_ASSERT_EQUAL(servpw->resyncs, 3);
	CU_ASSERT_TRUE(servpw->diverged);
	CU_ASSERT_TRUE(stage_logged("resyncs_per_hour"));
	server_changes(4);
	stage_pass(0);
	CU_ASSERT_EQUAL(table_position(store.table)->pointer.seq, 24);
	stage_pass(2900000);
	CU_ASSERT_EQUAL(servpw->resyncs, 3);
	stage_pass(7200000);
	CU_ASSERT_TRUE(servpw->resyncs > 3 && servpw->resyncs <= 9);
	command("replica resync");	/* people may, always */
	CU_ASSERT_TRUE(told(MC_OK, "accounts"));
	rig_end();
}

/* What people ask. */

static void
verified_empty(void)
{
	rig_begin();
	rig_start();
	command("replica verify");
	CU_ASSERT_TRUE(told(MC_OK, "nothing has changed yet"));
	rig_end();
}

static void
verified(void)
{
	struct tcapw_account account;

	rig_begin();
	server_changes(20);
	store_fill(18, 18);
	rig_start();
	command("replica verify");
	CU_ASSERT_TRUE(told(MC_OK, "equal at 20: 20 accounts"));
	server.silent = true;
	command("replica verify");
	CU_ASSERT_TRUE(told(MC_UNAVAILABLE, "did not say"));
	server.silent = false;
	follow_end(servpw);
	server_changes(1);
	command("replica verify");
	CU_ASSERT_FALSE(told(MC_OK, ""));
	stage_pass(30000);
	CU_ASSERT_TRUE(told(MC_TIMEOUT, "not yet at 21"));
	command("replica verify");
	follow_begin(servpw);
	stage_pass(0);
	CU_ASSERT_TRUE(told(MC_OK, "equal at 21"));
	freeze_account(3, &account);
	table_delete(store.table, account.name);
	server_changes(1);
	stage_pass(0);
	command("replica verify");
	CU_ASSERT_TRUE(told(MC_INVALID, "DIFFERENT at 22"));
	command("replica status");
	CU_ASSERT_TRUE(told(MC_OK, ""));
	rig_end();
}

static void
acknowledged(void)
{
	rig_begin();
	server_changes(20);
	store_fill(18, 18);
	rig_start();
	stage_pass(200);
	CU_ASSERT_EQUAL(server.acknowledged, 1);
	server_changes(50);
	stage_pass(200);
	CU_ASSERT_EQUAL(server.acknowledged, 2);
	rig_end();
}

/* Stopped wherever it is. */
static void
stopped(void)
{
	rig_begin();
	server_changes(20);
	server_freeze_now();
	server.oldest = 15;
	store.held = true;
	rig_start();
	CU_ASSERT_EQUAL(servpw->phase, PHASE_LOADING);
	command("replica resync");
	CU_ASSERT_TRUE(told(MC_BUSY, "under way"));
	rig_end();
	rig_begin();
	server_changes(20);
	server.obtain = MC_BUSY;
	rig_start();
	ask_reached(5);
	CU_ASSERT_FALSE(answered);
	command("replica resync");
	rig_end();
	CU_ASSERT_TRUE(answered && status_told == MC_UNAVAILABLE);
	CU_ASSERT_TRUE(told(MC_UNAVAILABLE, "stops"));
}

/* News, and who waits for a change. */

static void
change(enum tcapw_verb verb, uint64_t n, uint32_t flags, bool keep,
    bool new_verifier)
{
	struct tcapw_change change = {
		.verb = verb, .keep_sessions = keep,
		.new_verifier = new_verifier
	};

	freeze_account(n, &change.account);
	change.account.flags = flags;
	server_change(&change);
	stage_pass(0);
}

static void
heard(void)
{
	uint64_t at;

	rig_begin();
	server_changes(20);
	store_fill(20, 20);
	rig_start();
	ask_news(0, 60000);
	CU_ASSERT_TRUE(answered && nnews == 1 && news[0].uid == 0);
	at = news[0].number;
	ask_news(at, 5000);
	CU_ASSERT_FALSE(answered);
	change(TCAPW_CHANGE, 3, 0, false, false);	/* nobody's business */
	change(TCAPW_CHANGE, 3, TCAPW_LOCKED, true, true);
	CU_ASSERT_FALSE(answered);
	change(TCAPW_CHANGE, 3, 0, false, true);
	CU_ASSERT_TRUE(answered && nnews == 1 && news[0].number == at + 1);
	CU_ASSERT_EQUAL(news[0].what, REPLICA_PASSWORD);
	CU_ASSERT_EQUAL(news[0].uid, 9);
	CU_ASSERT_STRING_EQUAL(news[0].name, "player3");
	change(TCAPW_CHANGE, 4, TCAPW_LOCKED, false, false);
	change(TCAPW_DELETE, 5, 0, false, false);
	ask_news(at + 1, 0);
	CU_ASSERT_TRUE(answered && nnews == 2);
	CU_ASSERT_EQUAL(news[0].what, REPLICA_LOCKED);
	CU_ASSERT_EQUAL(news[1].what, REPLICA_DELETED);
	ask_news(at + 3, 1000);
	stage_pass(1000);
	CU_ASSERT_TRUE(answered && status_told == MC_OK && nnews == 0);
	rig_end();
}

static void
anything(void)
{
	rig_begin();
	server_changes(20);
	store_fill(20, 20);
	rig_start();
	ask_news(1, 60000);
	CU_ASSERT_FALSE(answered);
	server_freeze_now();
	command("replica resync");
	CU_ASSERT_TRUE(told(MC_OK, "20 accounts"));
	CU_ASSERT_TRUE(answered && nnews == 1);
	CU_ASSERT_EQUAL(news[0].what, REPLICA_ANYTHING);
	ask_news(77777, 60000);		/* of another life */
	CU_ASSERT_TRUE(answered && news[0].what == REPLICA_ANYTHING);
	rig_end();
}

static void
reached(void)
{
	rig_begin();
	server_changes(20);
	store_fill(20, 20);
	rig_start();
	ask_reached(20);
	CU_ASSERT_TRUE(answered && status_told == MC_OK);
	ask_reached(22);
	CU_ASSERT_FALSE(answered);
	server_changes(1);
	stage_pass(0);
	CU_ASSERT_FALSE(answered);
	server_changes(1);
	stage_pass(0);
	CU_ASSERT_TRUE(answered && status_told == MC_OK);
	ask_reached(30);
	stage_pass(REPLICA_TIMEOUT_MS);
	CU_ASSERT_TRUE(answered && status_told == MC_TIMEOUT);
	ask_reached(22);	/* the one who left is forgotten by then */
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_owed(), 1);	/* the queue's reader */
	rig_end();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "an empty store begins with a freeze", from_freeze },
		{ "or, without one, with the queue", from_queue },
		{ "a store goes on where it was", from_local },
		{ "a freeze that is fetched is waited for", patient },
		{ "but only so long", impatient },
		{ "records that are gone: a freeze", gone },
		{ "another epoch: a freeze of it", epoch },
		{ "a mirror that is behind is waited for", ahead_of_mirror },
		{ "a server that has lost changes is followed, loudly",
		  ahead_of_server },
		{ "an unknown record is never skipped", unknown_record },
		{ "a freeze with far fewer accounts is refused", shrunk },
		{ "one with just enough is not", just_large_enough },
		{ "a damaged freeze: the old store goes on", damaged },
		{ "a wrong key: what can be followed is followed", wrong_key },
		{ "a store that refuses: likewise", store_refuses },
		{ "a header that was changed", mismatched_count },
		{ "another digest than the server's: alarm, resync", diverged },
		{ "but not for ever", loop },
		{ "verify says equal, different, not yet", verified },
		{ "verify says that there is nothing to compare",
		    verified_empty },
		{ "what is applied is acknowledged", acknowledged },
		{ "stopped at any time", stopped },
		{ "news of what concerns sessions", heard },
		{ "after a resync everything may be news", anything },
		{ "whoever waits for a change is told", reached },
		{ NULL, NULL }
	};

	return cutap_run("servpw", tests);
}
