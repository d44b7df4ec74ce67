/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint on a stage, with a queue, a store and replicas that the test
 * plays: what is frozen is compared, byte for byte, with what the store has.
 */
#include "cutap.h"
#include "freeze_files.h"
#include "scratch.h"
#include "stage.h"
#include "../../modules/wmqmaint/wmqmaint.h"

#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_MAX	8000
#define ACCOUNTS_MAX	4000
#define REPLICAS	4
#define DAY_MS		86400000

static struct conf conf;
static struct wmqmaint *maint;
static struct mc_ref service;
static char path[256], key_files[256];

/* The queue: its records, and the oldest that is still there. */
static struct record { size_t len; uint8_t bytes[400]; } *records;
static uint64_t nrecords, oldest;
static uint8_t epoch[16];
static unsigned reads;

/* The store: by account number, and its position. */
static struct tcapw_account *accounts;
static bool exists[ACCOUNTS_MAX];
static struct tcapw_position store;
static bool store_silent;
static struct mc_call *unanswered[8];
static size_t nunanswered;
static unsigned positions;

/* Files and replicas. */
static uint64_t prunes, pruned_to;
static struct replicas_entry replicas[REPLICAS];
static size_t nreplicas;
static enum mc_status list_status, give_up_status;
static char given_up[256];
static struct freeze_file mirrored;
static unsigned obtains;

static void
fake_position(void *state, struct mc_call *call)
{
	(void)state;
	positions++;
	if (store_silent)
		unanswered[nunanswered++] = call;
	else
		mc_call_done(call, MC_OK, &store, sizeof(store));
}

/* A store that is loaded: how much came, and whether it is taken. */
static size_t loaded_len;
static unsigned load_begins, load_ends;
static enum mc_status load_status;

static void
fake_load_begin(void *state, struct mc_call *call)
{
	(void)state;
	load_begins++;
	loaded_len = 0;
	mc_call_done(call, MC_OK, NULL, 0);
}

static void
fake_load_add(void *state, const void *data, size_t len, struct mc_call *call)
{
	(void)state;
	(void)data;
	loaded_len += len;
	mc_call_done(call, MC_OK, NULL, 0);
}

static void
fake_load_end(void *state, const struct tcapw_position *expected,
    struct mc_call *call)
{
	(void)state;
	CU_ASSERT_EQUAL(memcmp(expected, &store, sizeof(store)), 0);
	load_ends++;
	mc_call_done(call, load_status, NULL, 0);
}

static const struct tcapw_ops tcapw_ops = {
	.position = fake_position, .load_begin = fake_load_begin,
	.load_add = fake_load_add, .load_end = fake_load_end
};

static void
fake_read(void *state, const struct wmq_pointer *after, size_t max,
    unsigned wait_ms, struct mc_call *call)
{
	uint8_t *batch = mc_zalloc(WMQ_BATCH_MAX);
	struct wmq_record record = { .tag = PWQ_TAG };
	size_t len = 0;

	(void)state;
	(void)wait_ms;
	reads++;
	if (memcmp(after->epoch, epoch, 16) != 0 || after->seq > nrecords)
		mc_call_done(call, MC_INVALID, NULL, 0);
	else if (after->seq + 1 < oldest)
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else {
		for (uint64_t n = after->seq; n < nrecords &&
		    len + sizeof(record) + records[n].len < max; n++) {
			record.seq = n + 1;
			record.len = (uint32_t)records[n].len;
			memcpy(batch + len, &record, sizeof(record));
			len += sizeof(record);
			memcpy(batch + len, records[n].bytes, record.len);
			len += record.len;
		}
		mc_call_done(call, MC_OK, batch, len);
	}
	free(batch);
}

static const struct wmq_ops wmq_ops = { .read = fake_read };

static void
fake_find(void *state, uint64_t seq, struct mc_call *call)
{
	(void)state;
	(void)seq;
	mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static void
fake_prune(void *state, uint64_t seq, struct mc_call *call)
{
	uint64_t count = 1;

	(void)state;
	prunes++;
	pruned_to = seq;
	mc_call_done(call, MC_OK, &count, sizeof(count));
}

static const struct wmqfile_ops wmqfile_ops = {
	.find = fake_find, .prune = fake_prune
};

static void
fake_list(void *state, struct mc_call *call)
{
	(void)state;
	mc_call_done(call, list_status, replicas,
	    list_status == MC_OK ? nreplicas * sizeof(replicas[0]) : 0);
}

static void
fake_give_up(void *state, const char *name, struct mc_call *call)
{
	(void)state;
	CU_ASSERT_EQUAL(prunes, 0);	/* first this, then that */
	strcat(given_up, name);
	mc_call_done(call, give_up_status, NULL, 0);
}

static const struct replicas_ops replicas_ops = {
	.list = fake_list, .give_up = fake_give_up
};

static void
fake_obtain(void *state, bool renew, struct mc_call *call)
{
	(void)state;
	(void)renew;
	obtains++;
	mc_call_done(call, MC_OK, &mirrored, sizeof(mirrored));
}

static const struct freeze_ops mirror_ops = { .obtain = fake_obtain };

/* Both the queue and the store get a change of account number n. */
static void
change(enum tcapw_verb verb, uint64_t n)
{
	struct tcapw_change change = { .verb = verb, .by = "test" };
	struct record *record = &records[nrecords++];
	uint8_t bytes[PWQ_MAX];

	freeze_account(n, &change.account);
	change.account.seq = 0;		/* it becomes the record's number */
	if (verb == TCAPW_CHANGE)
		change.account.flags |= TCAPW_LOCKED;
	if (verb == TCAPW_RESERVE)
		change.account = (struct tcapw_account) { .uid = n };
	record->len = pwq_encode(&change, bytes);
	CU_ASSERT_TRUE_FATAL(record->len <= sizeof(record->bytes));
	memcpy(record->bytes, bytes, record->len);
	change.account.seq = nrecords;
	if (verb != TCAPW_RESERVE && exists[n]) {
		pwq_digest_sub(store.digest, bytes,
		    pwq_account_encode(&accounts[n], bytes));
		store.count--;
		exists[n] = false;
	}
	if (verb == TCAPW_CREATE || verb == TCAPW_CHANGE) {
		accounts[n] = change.account;
		exists[n] = true;
		store.count++;
		pwq_digest_add(store.digest, bytes,
		    pwq_account_encode(&accounts[n], bytes));
	}
	store.pointer.seq = nrecords;
	if (change.account.uid > store.last_uid)
		store.last_uid = change.account.uid;
}

static void
create_many(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		change(TCAPW_CREATE, n);
}

/* A change of one half of the accounts, and a quarter goes. */
static void
change_many(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		if (n % 2 == 0)
			change(TCAPW_CHANGE, n);
		else if (n % 4 == 1)
			change(TCAPW_DELETE, n);
}

static void
module_open(void)
{
	maint = mc_zalloc(metacube_module.state_size);
	maint->tcapw.ops = &tcapw_ops;
	maint->wmq.ops = &wmq_ops;
	maint->wmqfile.ops = &wmqfile_ops;
	maint->replicas.ops = &replicas_ops;
	service.provider = maint;
	service.ops = metacube_module.provides[0].ops;
}

static void
module_start(void)
{
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(maint, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(maint), MC_OK);
}

static void
module_close(void)
{
	metacube_module.stop(maint);
	stage_pass(0);
	metacube_module.fini(maint);
	free(maint);
}

static void
begin(void)
{
	stage_reset("accounts");
	scratch_make();
	freeze_key_file("key", 0x11);
	snprintf(path, sizeof(path), "%s", scratch_path("frozen"));
	snprintf(key_files, sizeof(key_files), "%s", scratch_path("key"));
	records = mc_zalloc(RECORDS_MAX * sizeof(*records));
	accounts = mc_zalloc(ACCOUNTS_MAX * sizeof(*accounts));
	memset(exists, 0, sizeof(exists));
	memset(&store, 0, sizeof(store));
	memset(epoch, 0xe0, sizeof(epoch));
	memcpy(store.pointer.epoch, epoch, 16);
	nrecords = prunes = pruned_to = nreplicas = 0;
	oldest = 1;
	reads = positions = obtains = 0;
	load_begins = load_ends = 0;
	load_status = MC_OK;
	store_silent = false;
	list_status = give_up_status = MC_OK;
	given_up[0] = '\0';
	memset(replicas, 0, sizeof(replicas));
	conf = (struct conf) {
		.path = path, .key_files = key_files, .freeze_every_ms = 0,
		.freeze_at = "", .prune = true,
		.replica_grace_ms = 30LL * DAY_MS, .memory = 16 << 20,
		.settle_ms = 60000
	};
	module_open();
}

static void
end(void)
{
	while (nunanswered > 0)
		mc_call_done(unanswered[--nunanswered], MC_UNAVAILABLE, NULL,
		    0);
	module_close();
	CU_ASSERT_EQUAL(stage_owed(), 0);
	free(records);
	free(accounts);
	scratch_remove();
}

static void
command(const char *name)
{
	const struct mc_command *at = maintenance_commands;

	while (strcmp(at->name, name) != 0)
		at++;
	at->run(maint, (struct mc_query *)maint);	/* nobody looks */
}

static bool
freezes(void)
{
	command("wmqmaint freeze");
	stage_pass(0);
	CU_ASSERT_EQUAL(maint->task, TASK_NONE);
	return maint->last_status == MC_OK;
}

static bool
prunes_to(uint64_t seq)
{
	prunes = 0;
	command("wmqmaint prune");
	stage_pass(0);
	CU_ASSERT_EQUAL(maint->task, TASK_NONE);
	if (maint->last_status == MC_OK && prunes == 1 && pruned_to == seq)
		return true;
	fprintf(stderr, "# %s\n", maint->last_text);
	return false;
}

static bool
prune_refused(const char *words)
{
	prunes = 0;
	command("wmqmaint prune");
	stage_pass(0);
	return maint->last_status != MC_OK && prunes == 0 &&
	    strstr(maint->last_text, words) != NULL;
}

static bool
freeze_refused(const char *words)
{
	bool refused = !freezes() &&
	    strstr(maint->last_text, words) != NULL;

	if (!refused)
		fprintf(stderr, "# %s\n", maint->last_text);
	return refused;
}

static bool
there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

/* Does the freeze have the accounts of the store, and nothing else? */
static bool
frozen_right(void)
{
	char why[FREEZE_WHY];
	struct freeze_keys *keys = freeze_keys_load(key_files, why);
	struct freeze_header header;
	struct freeze_reader *reader = freeze_open(path, keys, &header, why);
	const void *data;
	const uint8_t *at;
	uint8_t bytes[PWQ_MAX];
	size_t len, size, offset;
	uint64_t n = 0;
	bool right = reader != NULL && memcmp(&header.position, &store,
	    sizeof(store)) == 0;

	while (right && freeze_next(reader, &data, &len, why) == 0 && len > 0)
		for (offset = 0; right && (at = pwq_account_next(data, len,
		    &offset, &size)) != NULL;) {
			do
				n++;
			while (n < ACCOUNTS_MAX && !exists[n]);
			right = n < ACCOUNTS_MAX && size ==
			    pwq_account_encode(&accounts[n], bytes) &&
			    memcmp(at, bytes, size) == 0;
		}
	while (right && ++n < ACCOUNTS_MAX)
		right = !exists[n];
	freeze_close(&reader);
	freeze_keys_free(&keys);
	return right && !there("frozen.new") && !there("frozen.part");
}

static struct freeze_file obtained_file;
static enum mc_status obtained_status;

static void
obtained(void *owner, const struct mc_reply *reply)
{
	const struct freeze_file *file = MC_RESULT(reply, struct freeze_file);

	(void)owner;
	obtained_status = reply->status;
	if (file != NULL)
		obtained_file = *file;
}

static void
first_and_next(void)
{
	begin();
	module_start();
	freeze_obtain(&service, true, NULL, obtained, NULL);
	stage_pass(0);
	CU_ASSERT_EQUAL(obtained_status, MC_NOT_FOUND);
	create_many(1, 1000);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	change_many(1, 1000);
	create_many(1001, 1500);
	change(TCAPW_CREATE, 5);	/* again, after it was deleted */
	change(TCAPW_RESERVE, 90000);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	freeze_obtain(&service, true, NULL, obtained, NULL);
	stage_pass(0);
	CU_ASSERT_EQUAL(obtained_status, MC_OK);
	CU_ASSERT_STRING_EQUAL(obtained_file.path, path);
	CU_ASSERT_EQUAL(obtained_file.header.position.pointer.seq, nrecords);
	CU_ASSERT_EQUAL(stage_count("freezes"), 2);
	end();
}

static void
nobody(void)
{
	begin();
	module_start();
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "nothing to freeze"));
	CU_ASSERT_FALSE(there("frozen"));
	create_many(1, 3);
	change(TCAPW_DELETE, 1);
	change(TCAPW_DELETE, 2);
	change(TCAPW_DELETE, 3);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	end();
}

static void
many_passes(void)
{
	begin();
	conf.memory = CHANGES_MIN;
	module_start();
	create_many(1, 1500);
	change_many(1, 1500);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	CU_ASSERT_PTR_NULL(strstr(maint->last_text, "in 1 pass"));
	change_many(1, 1500);
	create_many(1501, 2500);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	end();
}

/* One account that changes all the time needs no room. */
static void
hot_account(void)
{
	begin();
	conf.memory = CHANGES_MIN;
	module_start();
	change(TCAPW_CREATE, 7);
	for (int i = 0; i < 5000; i++)
		change(TCAPW_CHANGE, 7);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "in 1 pass"));
	end();
}

/* Changes go on while it is made: it ends where the store has spoken. */
static void
goes_on(void)
{
	struct tcapw_position then;

	begin();
	module_start();
	create_many(1, 100);
	then = store;
	create_many(101, 200);
	then.pointer.seq = 100;
	store = then;		/* it is a little behind */
	memset(exists + 101, 0, 100);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(frozen_right());
	end();
}

static void
nothing_new(void)
{
	begin();
	module_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	reads = 0;
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_EQUAL(reads, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "nothing has "
	    "changed"));
	store.digest[0] ^= 1;
	CU_ASSERT_TRUE(freeze_refused("not what the freeze"));
	CU_ASSERT_TRUE(prune_refused("not what the queue"));
	end();
}

static void
differing(void)
{
	char *before, *after;
	size_t len, size;

	begin();
	module_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	before = scratch_read(path, &len);
	create_many(11, 20);
	store.digest[3] ^= 1;
	CU_ASSERT_TRUE(freeze_refused("another digest"));
	CU_ASSERT_TRUE(stage_logged("the store is not what the queue says"));
	CU_ASSERT_TRUE(prune_refused("not what the queue"));
	after = scratch_read(path, &size);
	CU_ASSERT_TRUE(len == size && memcmp(before, after, len) == 0);
	CU_ASSERT_FALSE(there("frozen.new"));
	store.digest[3] ^= 1;
	store.count++;
	CU_ASSERT_TRUE(freeze_refused("has 21 accounts"));
	store.count--;
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(prunes_to(20));
	free(before);
	free(after);
	end();
}

static void
not_possible(void)
{
	begin();
	module_start();
	CU_ASSERT_TRUE(prune_refused("no freeze yet"));
	create_many(1, 10);
	oldest = 5;
	CU_ASSERT_TRUE(freeze_refused("no record 1 any more"));
	oldest = 1;
	nrecords = 7;
	CU_ASSERT_TRUE(freeze_refused("the queue ends at 7"));
	nrecords = 10;
	records[3].bytes[0] ^= 0xff;
	CU_ASSERT_TRUE(freeze_refused("record 4 of the queue is no account"));
	records[3].bytes[0] ^= 0xff;
	CU_ASSERT_TRUE(freezes());
	store.pointer.seq = 9;
	CU_ASSERT_TRUE(freeze_refused("only at change 9"));
	CU_ASSERT_TRUE(prunes_to(9));
	store.pointer.seq = 10;
	memset(store.pointer.epoch, 1, 16);
	CU_ASSERT_TRUE(freeze_refused("another epoch"));
	CU_ASSERT_TRUE(prune_refused("another epoch"));
	store_silent = true;
	command("wmqmaint freeze");
	stage_pass(TCAPW_TIMEOUT_MS + 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(maint->last_text, "does not answer"));
	end();
}

static void
damaged(void)
{
	char *file;
	size_t len;

	begin();
	module_start();
	create_many(1, 10);
	CU_ASSERT_TRUE(freezes());
	module_close();
	file = scratch_read(path, &len);
	file[len - 20] ^= 1;
	scratch_write("frozen", file, len, 0600);
	free(file);
	module_open();
	module_start();		/* by its header it is fine */
	CU_ASSERT_TRUE(prune_refused("not authentic"));
	CU_ASSERT_TRUE(freeze_refused("not authentic"));
	create_many(11, 12);
	CU_ASSERT_TRUE(freeze_refused("not authentic"));
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_TRUE(freezes());	/* the queue has it all */
	CU_ASSERT_TRUE(frozen_right());
	end();
}

static void
replica_add(const char *name, uint64_t seq, bool connected, uint64_t age_ms)
{
	struct replicas_entry *entry = &replicas[nreplicas++];

	strcpy(entry->name, name);
	entry->connected = connected;
	entry->seen_ms = mc_time_ms() - age_ms;
	entry->acknowledged.pointer.seq = seq;
	memcpy(entry->acknowledged.pointer.epoch, epoch, 16);
}

static void
acknowledged(void)
{
	begin();
	module_start();
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
	memset(replicas[2].acknowledged.pointer.epoch, 9, 16);
	CU_ASSERT_TRUE(prunes_to(0));
	replicas[2].resync = replicas[1].resync = true;
	CU_ASSERT_TRUE(prunes_to(100));
	CU_ASSERT_STRING_EQUAL(given_up, "");
	list_status = MC_UNAVAILABLE;
	CU_ASSERT_TRUE(prune_refused("the list of replicas"));
	end();
}

static void
grace(void)
{
	begin();
	module_start();
	create_many(1, 100);
	CU_ASSERT_TRUE(freezes());
	replica_add("slow", 30, true, 40LL * DAY_MS);	/* but connected */
	replica_add("away", 20, false, 29LL * DAY_MS);
	replica_add("gone", 10, false, 31LL * DAY_MS);
	give_up_status = MC_BUSY;
	CU_ASSERT_TRUE(prune_refused("cannot be given up"));
	given_up[0] = '\0';
	give_up_status = MC_OK;
	CU_ASSERT_TRUE(prunes_to(20));
	CU_ASSERT_STRING_EQUAL(given_up, "gone");
	CU_ASSERT_TRUE(stage_logged("replica gone was not seen for 31 days"));
	CU_ASSERT_EQUAL(stage_count("given_up"), 1);
	/* A clock that was set back makes nobody old. */
	replicas[1].seen_ms = mc_time_ms() + 90LL * DAY_MS;
	nreplicas = 2;
	given_up[0] = '\0';
	CU_ASSERT_TRUE(prunes_to(20));
	CU_ASSERT_STRING_EQUAL(given_up, "");
	end();
}

static void
replica_server(void)
{
	struct freeze_keys *keys;
	char why[FREEZE_WHY];

	begin();
	maint->mirrored.ops = &mirror_ops;
	keys = freeze_keys_load(key_files, why);
	snprintf(mirrored.path, sizeof(mirrored.path), "%s",
	    scratch_path("mirrored"));
	CU_ASSERT_TRUE(freeze_make(mirrored.path, keys, 10, 50,
	    &mirrored.header, why));
	freeze_keys_free(&keys);
	module_start();
	store.pointer.seq = 70;
	CU_ASSERT_TRUE(prunes_to(50));
	store.pointer.seq = 30;
	CU_ASSERT_TRUE(prunes_to(30));
	freeze_obtain(&service, true, NULL, obtained, NULL);
	stage_pass(0);
	CU_ASSERT_EQUAL(obtained_status, MC_OK);
	CU_ASSERT_STRING_EQUAL(obtained_file.path, mirrored.path);
	positions = 0;
	command("wmqmaint freeze");
	stage_pass(0);
	CU_ASSERT_EQUAL(positions, 0);
	CU_ASSERT_FALSE(there("frozen"));
	scratch_write("mirrored", "x", 1, 0600);
	mirrored.header.size++;
	CU_ASSERT_TRUE(prune_refused("too short"));
	end();
}

static void
by_schedule(void)
{
	begin();
	conf.freeze_every_ms = DAY_MS;
	create_many(1, 10);
	module_start();
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_count("freezes"), 0);	/* not at once */
	stage_pass(120000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	CU_ASSERT_EQUAL(prunes, 1);
	CU_ASSERT_EQUAL(pruned_to, 10);
	create_many(11, 12);
	stage_pass(DAY_MS - 600000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	conf.prune = false;
	stage_pass(600000);
	CU_ASSERT_EQUAL(stage_count("freezes"), 2);
	CU_ASSERT_EQUAL(prunes, 1);
	/* It fails, and is tried again within the hour. */
	create_many(13, 14);
	store.digest[0] ^= 1;
	stage_pass(DAY_MS);
	CU_ASSERT_TRUE(stage_count("failed_freezes") >= 1);
	store.digest[0] ^= 1;
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
	end();
}

static void
at_a_time(void)
{
	uint64_t now;

	begin();
	conf.freeze_every_ms = DAY_MS;
	conf.freeze_at = "03:30";
	create_many(1, 2);
	module_start();
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
	end();
}

/* Asked twice it is done once; and not both things at a time. */
static void
joined(void)
{
	begin();
	module_start();
	create_many(1, 10);
	command("wmqmaint freeze");
	command("wmqmaint freeze");
	command("wmqmaint prune");
	command("wmqmaint status");
	CU_ASSERT_EQUAL(maint->task, TASK_FREEZE);
	CU_ASSERT_EQUAL(metacube_module.reload(maint, &conf), MC_BUSY);
	stage_pass(0);
	CU_ASSERT_EQUAL(positions, 1);
	CU_ASSERT_EQUAL(stage_count("freezes"), 1);
	CU_ASSERT_EQUAL(prunes, 0);
	CU_ASSERT_PTR_NULL(maint->waiters);
	command("wmqmaint status");
	end();
}

static void
stopped(void)
{
	begin();
	module_start();
	create_many(1, 10);
	command("wmqmaint freeze");
	end();			/* with a question open */
	begin();
	module_start();
	create_many(1, 10);
	store_silent = true;
	command("wmqmaint freeze");
	stage_pass(0);
	metacube_module.stop(maint);	/* and the answer comes after it */
	end();
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
	char *file;
	size_t len;

	begin();
	module_start();
	CU_ASSERT_TRUE(thaws(MC_NOT_FOUND));
	create_many(1, 1000);
	CU_ASSERT_TRUE(freezes());
	CU_ASSERT_TRUE(thaws(MC_OK));
	CU_ASSERT_EQUAL(load_ends, 1);
	CU_ASSERT_TRUE(loaded_len > 100000);
	load_status = MC_INVALID;
	CU_ASSERT_TRUE(thaws(MC_INVALID));
	CU_ASSERT_TRUE(stage_logged("the store has come to something else"));
	load_status = MC_OK;
	/* While something else is done: it comes next, but only one does. */
	command("wmqmaint prune");
	thaw_answered = false;
	freeze_thaw(&service, NULL, thawed, NULL);
	CU_ASSERT_TRUE(thaws(MC_OK));
	CU_ASSERT_EQUAL(stage_count("failed_thaws"), 1);
	/* A damaged one does not replace the store. */
	file = scratch_read(path, &len);
	file[len - 1] ^= 1;
	scratch_write("frozen", file, len, 0600);
	load_ends = 0;
	CU_ASSERT_TRUE(thaws(MC_UNAVAILABLE));
	CU_ASSERT_EQUAL(load_ends, 0);
	free(file);
	/* Where it is only mirrored, somebody else does it. */
	maint->mirrored.ops = &mirror_ops;
	CU_ASSERT_TRUE(thaws(MC_DENIED));
	end();
}

static void
leftovers(void)
{
	begin();
	scratch_text("frozen.new", "x");
	scratch_text("frozen.part", "x");
	scratch_text("frozen.part.new", "x");
	module_start();
	CU_ASSERT_FALSE(there("frozen.new") || there("frozen.part") ||
	    there("frozen.part.new"));
	end();
}

/* Another key becomes the current one. */
static void
key_changed(void)
{
	char both[512];

	begin();
	module_start();
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
	end();
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
		{ "a damaged freeze is no ground for anything", damaged },
		{ "what a replica has not acknowledged stays",
		  acknowledged },
		{ "who is away for too long is given up", grace },
		{ "where the freeze is only mirrored", replica_server },
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
