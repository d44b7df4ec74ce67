/* SPDX-License-Identifier: MIT */
/*
 * See wmqmaint_rig.h.
 */
#include "wmqmaint_rig.h"

#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_MAX	8000

struct conf conf;
struct wmqmaint *maint;
struct mc_ref service;
char path[256], key_files[256];
struct rig_queue queue;
struct rig_store store;
struct rig_replicas replicas;

static struct mc_call *unanswered[8];
static size_t nunanswered;
static struct freeze_file obtained_file;

static void
fake_position(void *state, struct mc_call *call)
{
	(void)state;
	store.asked++;
	if (store.silent)
		unanswered[nunanswered++] = call;
	else
		mc_call_done(call, MC_OK, &store.position,
		    sizeof(store.position));
}

static void
fake_load_begin(void *state, struct mc_call *call)
{
	(void)state;
	store.load_begins++;
	store.loaded_len = 0;
	mc_call_done(call, MC_OK, NULL, 0);
}

static void
fake_load_add(void *state, const void *data, size_t len, struct mc_call *call)
{
	(void)state;
	(void)data;
	store.loaded_len += len;
	mc_call_done(call, MC_OK, NULL, 0);
}

static void
fake_load_end(void *state, const struct tcapw_position *expected,
    struct mc_call *call)
{
	(void)state;
	CU_ASSERT_EQUAL(memcmp(expected, &store.position,
	    sizeof(store.position)), 0);
	store.load_ends++;
	mc_call_done(call, store.load_status, NULL, 0);
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
	queue.reads++;
	if (memcmp(after->epoch, queue.epoch, 16) != 0 ||
	    after->seq > queue.count)
		mc_call_done(call, MC_INVALID, NULL, 0);
	else if (after->seq + 1 < queue.oldest)
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else {
		for (uint64_t n = after->seq; n < queue.count &&
		    len + sizeof(record) + queue.records[n].len < max; n++) {
			record.seq = n + 1;
			record.len = (uint32_t)queue.records[n].len;
			memcpy(batch + len, &record, sizeof(record));
			len += sizeof(record);
			memcpy(batch + len, queue.records[n].bytes, record.len);
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
	queue.prunes++;
	queue.pruned_to = seq;
	mc_call_done(call, MC_OK, &count, sizeof(count));
}

static const struct wmqfile_ops wmqfile_ops = {
	.find = fake_find, .prune = fake_prune
};

static void
fake_list(void *state, struct mc_call *call)
{
	(void)state;
	mc_call_done(call, replicas.listed, replicas.entries,
	    replicas.listed == MC_OK ?
	    replicas.count * sizeof(replicas.entries[0]) : 0);
}

static void
fake_give_up(void *state, const char *name, struct mc_call *call)
{
	(void)state;
	CU_ASSERT_EQUAL(queue.prunes, 0);	/* first this, then that */
	strcat(replicas.given_up, name);
	mc_call_done(call, replicas.give_up, NULL, 0);
}

static const struct replicas_ops replicas_ops = {
	.list = fake_list, .give_up = fake_give_up
};

static void
fake_obtain(void *state, bool renew, struct mc_call *call)
{
	(void)state;
	(void)renew;
	mc_call_done(call, MC_OK, &mirror.file, sizeof(mirror.file));
}

struct rig_mirror mirror = { .ops = { .obtain = fake_obtain } };

void
change(enum tcapw_verb verb, uint64_t n)
{
	struct tcapw_change change = { .verb = verb, .by = "test" };
	struct record *record = &queue.records[queue.count++];
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
	change.account.seq = queue.count;
	if (verb != TCAPW_RESERVE && store.exists[n]) {
		pwq_digest_sub(store.position.digest, bytes,
		    pwq_account_encode(&store.accounts[n], bytes));
		store.position.count--;
		store.exists[n] = false;
	}
	if (verb == TCAPW_CREATE || verb == TCAPW_CHANGE) {
		store.accounts[n] = change.account;
		store.exists[n] = true;
		store.position.count++;
		pwq_digest_add(store.position.digest, bytes,
		    pwq_account_encode(&store.accounts[n], bytes));
	}
	store.position.pointer.seq = queue.count;
	if (change.account.uid > store.position.last_uid)
		store.position.last_uid = change.account.uid;
}

void
create_many(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		change(TCAPW_CREATE, n);
}

void
change_many(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		if (n % 2 == 0)
			change(TCAPW_CHANGE, n);
		else if (n % 4 == 1)
			change(TCAPW_DELETE, n);
}

void
rig_open(void)
{
	maint = mc_zalloc(metacube_module.state_size);
	maint->tcapw.ops = &tcapw_ops;
	maint->wmq.ops = &wmq_ops;
	maint->wmqfile.ops = &wmqfile_ops;
	maint->replicas.ops = &replicas_ops;
	service.provider = maint;
	service.ops = metacube_module.provides[0].ops;
}

void
rig_start(void)
{
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(maint, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(maint), MC_OK);
}

void
rig_close(void)
{
	metacube_module.stop(maint);
	stage_pass(0);
	metacube_module.fini(maint);
	free(maint);
}

void
rig_begin(void)
{
	stage_reset("accounts");
	scratch_make();
	freeze_key_file("key", 0x11);
	snprintf(path, sizeof(path), "%s", scratch_path("frozen"));
	snprintf(key_files, sizeof(key_files), "%s", scratch_path("key"));
	queue.records = mc_zalloc(RECORDS_MAX * sizeof(*queue.records));
	store.accounts = mc_zalloc(ACCOUNTS_MAX * sizeof(*store.accounts));
	memset(store.exists, 0, sizeof(store.exists));
	memset(&store.position, 0, sizeof(store.position));
	memset(queue.epoch, 0xe0, sizeof(queue.epoch));
	memcpy(store.position.pointer.epoch, queue.epoch, 16);
	queue.count = queue.prunes = queue.pruned_to = replicas.count = 0;
	queue.oldest = 1;
	queue.reads = store.asked = 0;
	store.load_begins = store.load_ends = 0;
	store.load_status = MC_OK;
	store.silent = false;
	replicas.listed = replicas.give_up = MC_OK;
	replicas.given_up[0] = '\0';
	memset(replicas.entries, 0, sizeof(replicas.entries));
	conf = (struct conf) {
		.path = path, .key_files = key_files, .freeze_every_ms = 0,
		.freeze_at = "", .prune = true,
		.replica_grace_ms = 30LL * DAY_MS, .memory = 16 << 20,
		.settle_ms = 60000
	};
	rig_open();
}

void
rig_end(void)
{
	while (nunanswered > 0)
		mc_call_done(unanswered[--nunanswered], MC_UNAVAILABLE, NULL,
		    0);
	rig_close();
	CU_ASSERT_EQUAL(stage_owed(), 0);
	free(queue.records);
	free(store.accounts);
	scratch_remove();
}

void
command(const char *name)
{
	const struct mc_command *at = maintenance_commands;

	while (strcmp(at->name, name) != 0)
		at++;
	at->run(maint, (struct mc_query *)maint);	/* nobody looks */
}

bool
freezes(void)
{
	command("wmqmaint freeze");
	stage_pass(0);
	CU_ASSERT_EQUAL(maint->task, TASK_NONE);
	return maint->last_status == MC_OK;
}

bool
prunes_to(uint64_t seq)
{
	queue.prunes = 0;
	command("wmqmaint prune");
	stage_pass(0);
	CU_ASSERT_EQUAL(maint->task, TASK_NONE);
	if (maint->last_status == MC_OK && queue.prunes == 1 &&
	    queue.pruned_to == seq)
		return true;
	fprintf(stderr, "# %s\n", maint->last_text);
	return false;
}

bool
prune_refused(const char *words)
{
	queue.prunes = 0;
	command("wmqmaint prune");
	stage_pass(0);
	return maint->last_status != MC_OK && queue.prunes == 0 &&
	    strstr(maint->last_text, words) != NULL;
}

bool
freeze_refused(const char *words)
{
	bool refused = !freezes() &&
	    strstr(maint->last_text, words) != NULL;

	if (!refused)
		fprintf(stderr, "# %s\n", maint->last_text);
	return refused;
}

bool
there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

bool
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
	bool right = reader != NULL && memcmp(&header.position,
	    &store.position, sizeof(store.position)) == 0;

	while (right && freeze_next(reader, &data, &len, why) == 0 && len > 0)
		for (offset = 0; right && (at = pwq_account_next(data, len,
		    &offset, &size)) != NULL;) {
			do
				n++;
			while (n < ACCOUNTS_MAX && !store.exists[n]);
			right = n < ACCOUNTS_MAX && size ==
			    pwq_account_encode(&store.accounts[n], bytes) &&
			    memcmp(at, bytes, size) == 0;
		}
	while (right && ++n < ACCOUNTS_MAX)
		right = !store.exists[n];
	freeze_close(&reader);
	freeze_keys_free(&keys);
	return right && !there("frozen.new") && !there("frozen.part");
}

void
freeze_damage(size_t from_end)
{
	size_t len;
	char *file = scratch_read(path, &len);

	file[len - from_end] ^= 1;
	scratch_write("frozen", file, len, 0600);
	free(file);
}

static void
was_obtained(void *owner, const struct mc_reply *reply)
{
	const struct freeze_file *file = MC_RESULT(reply, struct freeze_file);

	*(enum mc_status *)owner = reply->status;
	if (file != NULL)
		obtained_file = *file;
}

const struct freeze_file *
obtained(enum mc_status expected)
{
	enum mc_status status = MC_TIMEOUT;

	memset(&obtained_file, 0, sizeof(obtained_file));
	freeze_obtain(&service, true, NULL, was_obtained, &status);
	stage_pass(0);
	CU_ASSERT_EQUAL(status, expected);
	return &obtained_file;
}
