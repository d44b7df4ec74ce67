/* SPDX-License-Identifier: MIT */
#include "servpw_rig.h"

#include "freeze_files.h"
#include "scratch.h"

#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX	8

struct server server;
struct store store;
struct servpw *servpw;
struct conf conf;

static struct mc_call *reading;		/* waits for more of the queue */
static struct wmq_pointer read_after;
static struct mc_timer *read_timer;
static struct mc_call *held[HELD_MAX];
static size_t nheld;
static char key_path[256];

/* The queue. */

static void
read_answer(void)
{
	static uint8_t batch[8192];
	size_t len = 0;
	uint64_t seq = read_after.seq;
	struct mc_call *call = reading;

	for (; seq < server.durable && len + sizeof(struct wmq_record) +
	    server.records[seq + 1].len <= sizeof(batch); seq++) {
		struct wmq_record record = {
			.seq = seq + 1, .time_ms = 1700000000000 + seq,
			.tag = "pwq", .len = (uint32_t)
			    server.records[seq + 1].len
		};

		memcpy(batch + len, &record, sizeof(record));
		memcpy(batch + len + sizeof(record),
		    server.records[seq + 1].bytes, record.len);
		len += sizeof(record) + record.len;
	}
	reading = NULL;
	mc_timer_clear(&read_timer);
	mc_call_done(call, MC_OK, batch, len);
}

static void
read_late(void *owner)
{
	(void)owner;
	read_answer();
}

static void
fake_read(void *state, const struct wmq_pointer *after, size_t max,
    unsigned wait_ms, struct mc_call *call)
{
	(void)state;
	(void)max;
	if (reading != NULL)	/* whoever asked has gone */
		read_answer();
	if (memcmp(after->epoch, server.epoch, 16) != 0 ||
	    after->seq > server.durable)
		mc_call_done(call, MC_INVALID, NULL, 0);
	else if (after->seq + 1 < server.oldest)
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else {
		reading = call;
		read_after = *after;
		mc_timer_set(stage_host(), &read_timer, wait_ms, read_late,
		    NULL);
		if (after->seq < server.durable)
			read_answer();
	}
}

static void
fake_queue_position(void *state, struct mc_call *call)
{
	struct wmq_position position = {
		.oldest = server.oldest, .durable = server.durable
	};

	(void)state;
	memcpy(position.epoch, server.epoch, 16);
	mc_call_done(call, MC_OK, &position, sizeof(position));
}

static const struct wmq_ops wmq_ops = {
	.read = fake_read, .position = fake_queue_position
};

/* The store. */

static void
table_apply(struct table *table, const struct tcapw_change *change)
{
	struct tcapw_position *position = table_position(table);
	uint8_t bytes[PWQ_MAX];

	if (change->verb == TCAPW_DELETE)
		table_delete(table, change->account.name);
	else if (change->verb != TCAPW_RESERVE)
		table_put(table, change->account.name, change->account.uid,
		    bytes, pwq_account_encode(&change->account, bytes));
	if (change->account.uid > position->last_uid)
		position->last_uid = change->account.uid;
	position->pointer = change->pointer;
}

static void
position_answer(struct mc_call *call)
{
	mc_call_done(call, MC_OK, table_position(store.table),
	    sizeof(struct tcapw_position));
}

static void
fake_apply(void *state, const struct tcapw_change *change,
    struct mc_call *call)
{
	(void)state;
	switch (tcapw_order(table_position(store.table), &change->pointer)) {
	case TCAPW_NEXT:
		table_apply(store.table, change);
		/* fall through */
	case TCAPW_OLD:
		position_answer(call);
		return;
	case TCAPW_MISPLACED:
		break;
	}
	store.wrong++;
	mc_call_done(call, MC_INVALID, NULL, 0);
}

static void
fake_position(void *state, struct mc_call *call)
{
	(void)state;
	position_answer(call);
}

static void
fake_load_begin(void *state, struct mc_call *call)
{
	(void)state;
	store.begins++;
	if (store.loaded != NULL)
		table_shrink(&store.loaded, SIZE_MAX);
	store.loaded = table_new(RECORDS_MAX);
	mc_call_done(call, MC_OK, NULL, 0);
}

static void
fake_load_add(void *state, const void *accounts, size_t len,
    struct mc_call *call)
{
	size_t offset = 0, one_len;
	const void *one;
	struct tcapw_account account;

	(void)state;
	if (store.held) {
		CU_ASSERT_TRUE_FATAL(nheld < HELD_MAX);
		held[nheld++] = call;
		return;
	}
	while (store.add == MC_OK && (one = pwq_account_next(accounts, len,
	    &offset, &one_len)) != NULL) {
		CU_ASSERT_EQUAL(pwq_account_decode(one, one_len, &account), 0);
		table_put(store.loaded, account.name, account.uid, one,
		    one_len);
	}
	mc_call_done(call, store.add, NULL, 0);
}

static void
fake_load_end(void *state, const struct tcapw_position *expected,
    struct mc_call *call)
{
	(void)state;
	store.ends++;
	if (store.loaded == NULL ||
	    !tcapw_loaded(table_position(store.loaded), expected)) {
		if (store.loaded != NULL)
			table_shrink(&store.loaded, SIZE_MAX);
		mc_call_done(call, MC_INVALID, NULL, 0);
		return;
	}
	table_shrink(&store.table, SIZE_MAX);
	store.table = store.loaded;
	store.loaded = NULL;
	*table_position(store.table) = *expected;
	mc_call_done(call, MC_OK, NULL, 0);
}

static const struct tcapw_ops tcapw_ops = {
	.apply = fake_apply, .position = fake_position,
	.load_begin = fake_load_begin, .load_add = fake_load_add,
	.load_end = fake_load_end
};

/* The mirror. */

static void
fake_state(void *state, bool fresh, struct mc_call *call)
{
	struct mirror_state *said = &server.said;

	(void)state;
	if (fresh && server.silent) {
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
		return;
	}
	if (!server.silent) {
		said->connected = true;
		said->heard_ms = mc_time_ms();
		memcpy(said->head.epoch, server.epoch, 16);
		said->head.seq = server.durable;
		said->checkpoint = *table_position(server.table);
		said->checkpoint.digest[0] ^= server.lies;
	}
	mc_call_done(call, MC_OK, said, sizeof(*said));
}

static void
fake_acknowledge(void *state, const struct tcapw_position *at)
{
	(void)state;
	CU_ASSERT_EQUAL(memcmp(at, table_position(store.table), sizeof(*at)),
	    0);
	server.acknowledged++;
}

static const struct mirror_ops mirror_ops = {
	.state = fake_state, .acknowledge = fake_acknowledge
};

static void
fake_obtain(void *state, bool renew, struct mc_call *call)
{
	(void)state;
	server.obtains++;
	if (renew && server.silent)
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
	else
		mc_call_done(call, server.obtain, &server.file,
		    server.obtain == MC_OK ? sizeof(server.file) : 0);
}

static const struct freeze_ops freeze_ops = { .obtain = fake_obtain };

/* The server. */

static void
account_make(uint64_t n, struct tcapw_account *account)
{
	freeze_account(n, account);
	account->seq = n;
	account->flags = 0;
}

void
server_change(const struct tcapw_change *given)
{
	struct tcapw_change change = { .verb = TCAPW_CREATE };
	uint64_t seq = ++server.durable;

	CU_ASSERT_TRUE_FATAL(seq < RECORDS_MAX);
	if (given != NULL)
		change = *given;
	else
		account_make(seq, &change.account);
	memcpy(change.pointer.epoch, server.epoch, 16);
	change.pointer.seq = seq;
	server.records[seq].len = pwq_encode(&change,
	    server.records[seq].bytes);
	change.account.seq = seq;
	table_apply(server.table, &change);
	if (reading != NULL)
		read_answer();
}

void
server_changes(unsigned count)
{
	while (count-- > 0)
		server_change(NULL);
}

void
server_nonsense(void)
{
	uint64_t seq = ++server.durable;

	server.records[seq].len = 3;
	memcpy(server.records[seq].bytes, "???", 3);
	table_position(server.table)->pointer.seq = seq;
	if (reading != NULL)
		read_answer();
}

void
server_epoch(void)
{
	struct mc_call *call = reading;

	server.epoch[0]++;
	server.oldest = server.durable + 1;
	memcpy(table_position(server.table)->pointer.epoch, server.epoch, 16);
	reading = NULL;
	mc_timer_clear(&read_timer);
	if (call != NULL)
		mc_call_done(call, MC_INVALID, NULL, 0);
}

/* Accounts 1 to count at this change of the server's epoch. */
static void
table_fill(struct table *table, uint64_t count, uint64_t seq)
{
	struct tcapw_change change = { .verb = TCAPW_CREATE };

	memcpy(change.pointer.epoch, server.epoch, 16);
	for (uint64_t n = 1; n <= count; n++) {
		account_make(n, &change.account);
		change.pointer.seq = n;
		table_apply(table, &change);
	}
	table_position(table)->pointer.seq = seq;
	memcpy(table_position(table)->pointer.epoch, server.epoch, 16);
}

void
server_freeze(uint64_t count, uint64_t seq)
{
	struct freeze_keys *keys = freeze_test_keys(0x11);
	struct freeze_header header = { .time = 1700000000, .offset = 112 };
	struct tcapw_account account;
	uint8_t bytes[PWQ_MAX];
	char why[FREEZE_WHY];
	struct freeze_writer *writer;

	memcpy(header.position.pointer.epoch, server.epoch, 16);
	header.position.pointer.seq = seq;
	header.position.last_uid = 3 * count;
	snprintf(server.file.path, sizeof(server.file.path), "%s",
	    scratch_path("freeze"));
	writer = freeze_begin(server.file.path, keys, &header, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	for (uint64_t n = 1; n <= count; n++) {
		account_make(n, &account);
		CU_ASSERT_EQUAL(freeze_add(writer, bytes,
		    pwq_account_encode(&account, bytes)), 0);
	}
	CU_ASSERT_EQUAL_FATAL(freeze_end(&writer, &server.file.header, why),
	    0);
	freeze_keys_free(&keys);
	server.obtain = MC_OK;
}

void
server_freeze_now(void)
{
	const struct tcapw_position *at = table_position(server.table);

	server_freeze(at->count, at->pointer.seq);
}

void
store_fill(uint64_t count, uint64_t seq)
{
	table_shrink(&store.table, SIZE_MAX);
	store.table = table_new(RECORDS_MAX);
	table_fill(store.table, count, seq);
}

bool
store_is_level(void)
{
	struct tcapw_position *own = table_position(store.table);
	struct tcapw_position *theirs = table_position(server.table);

	return memcmp(&own->pointer, &theirs->pointer,
	    sizeof(own->pointer)) == 0 && own->count == theirs->count &&
	    memcmp(own->digest, theirs->digest, 16) == 0;
}

void
rig_begin(void)
{
	stage_reset("gateway-1");
	scratch_make();
	freeze_key_file("key", 0x11);
	snprintf(key_path, sizeof(key_path), "%s", scratch_path("key"));
	memset(&server, 0, sizeof(server));
	memset(&store, 0, sizeof(store));
	memset(server.epoch, 0xe0, 16);
	server.oldest = 1;
	server.obtain = MC_NOT_FOUND;
	server.table = table_new(RECORDS_MAX);
	store.table = table_new(RECORDS_MAX);
	conf = (struct conf) {
		.key_files = key_path, .shrink_limit = 80,
		.resyncs_per_hour = 3, .freeze_wait_ms = 120000,
		.compare_ms = 1000
	};
	reading = NULL;
	servpw = mc_zalloc(metacube_module.state_size);
	servpw->tcapw.ops = &tcapw_ops;
	servpw->wmq.ops = &wmq_ops;
	servpw->freeze.ops = &freeze_ops;
	servpw->mirror.ops = &mirror_ops;
}

void
rig_start(void)
{
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(servpw, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(servpw), MC_OK);
	stage_pass(0);
}

void
rig_end(void)
{
	metacube_module.stop(servpw);
	if (reading != NULL)
		read_answer();
	while (nheld > 0)
		mc_call_done(held[--nheld], MC_BUSY, NULL, 0);
	stage_pass(0);
	metacube_module.fini(servpw);
	free(servpw);
	table_shrink(&store.table, SIZE_MAX);
	table_shrink(&server.table, SIZE_MAX);
	if (store.loaded != NULL)
		table_shrink(&store.loaded, SIZE_MAX);
	scratch_remove();
}

void
command(const char *name)
{
	static const char *const no_args[] = { NULL };

	stage_command(name, no_args);
	stage_pass(0);
}

bool
told(enum mc_status status, const char *words)
{
	enum mc_status found;
	const char *text;

	if (!stage_told(&found, &text))
		return false;
	if (found == status && strstr(text, words) != NULL)
		return true;
	fprintf(stderr, "# %d: %s\n", (int)found, text);
	return false;
}
