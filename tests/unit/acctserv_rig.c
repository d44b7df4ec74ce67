/* SPDX-License-Identifier: MIT */
#include "acctserv_rig.h"

#include "scratch.h"

#include <metacube/pwq.h>

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX	256
#define ACCOUNTS_MAX	64
#define READERS_MAX	4

struct rig rig;

static struct tcapw_account accounts[ACCOUNTS_MAX];
static size_t naccounts;
static struct tcapw_position position;
static struct { uint8_t bytes[PWQ_MAX]; size_t len; } records[RECORDS_MAX];
static struct reader {
	struct mc_call	*call;		/* NULL: free */
	struct mc_timer	*timer;
	uint64_t	 after;
} readers[READERS_MAX];
static struct mc_call *silenced[READERS_MAX];	/* appends without an answer */
static size_t nsilenced;
static void *state, *conf;

/* The queue. */

static void
reader_answer(struct reader *reader)
{
	static uint8_t batch[128 * 1024];
	struct mc_call *call = reader->call;
	size_t len = 0;

	for (uint64_t seq = reader->after + 1; seq <= rig.durable; seq++) {
		struct wmq_record record = {
			.seq = seq, .time_ms = mc_time_ms(), .tag = "pwq",
			.len = (uint32_t)records[seq].len
		};

		memcpy(batch + len, &record, sizeof(record));
		memcpy(batch + len + sizeof(record), records[seq].bytes,
		    record.len);
		len += sizeof(record) + record.len;
	}
	reader->call = NULL;
	mc_timer_clear(&reader->timer);
	mc_call_done(call, MC_OK, batch, len);
}

static void
reader_late(void *owner)
{
	reader_answer(owner);
}

static void
readers_wake(void)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (readers[i].call != NULL &&
		    readers[i].after < rig.durable)
			reader_answer(&readers[i]);
}

static void
fake_read(void *provider, const struct wmq_pointer *after, size_t max,
    unsigned wait_ms, struct mc_call *call)
{
	size_t i = 0;

	(void)provider;
	(void)max;
	if (memcmp(after->epoch, rig.epoch, 16) != 0) {
		mc_call_done(call, MC_INVALID, NULL, 0);
		return;
	}
	while (i < READERS_MAX && readers[i].call != NULL)
		i++;
	CU_ASSERT_FATAL(i < READERS_MAX);
	readers[i].call = call;
	readers[i].after = after->seq;
	mc_timer_set(stage_host(), &readers[i].timer, wait_ms, reader_late,
	    &readers[i]);
	readers_wake();
}

static void
fake_queue_position(void *provider, struct mc_call *call)
{
	struct wmq_position at = { .oldest = 1, .durable = rig.durable };

	(void)provider;
	memcpy(at.epoch, rig.epoch, 16);
	mc_call_done(call, MC_OK, &at, sizeof(at));
}

static void
record_add(const void *data, size_t len)
{
	CU_ASSERT_FATAL(rig.durable + 1 < RECORDS_MAX);
	rig.durable++;
	memcpy(records[rig.durable].bytes, data, len);
	records[rig.durable].len = len;
	CU_ASSERT_EQUAL(pwq_decode(data, len, &rig.last), 0);
}

static void
fake_append(void *provider, const char *tag, const void *data, size_t len,
    struct mc_call *call)
{
	struct wmq_pointer pointer;

	(void)provider;
	CU_ASSERT_STRING_EQUAL(tag, "pwq");
	if (rig.append == MC_OK || rig.append_anyway)
		record_add(data, len);
	if (rig.append_silent) {
		CU_ASSERT_TRUE_FATAL(nsilenced < READERS_MAX);
		silenced[nsilenced++] = call;
		readers_wake();
	} else if (rig.append != MC_OK)
		mc_call_done(call, rig.append, NULL, 0);
	else {
		memcpy(pointer.epoch, rig.epoch, 16);
		pointer.seq = rig.durable;
		mc_call_done(call, MC_OK, &pointer, sizeof(pointer));
		readers_wake();
	}
}

static const struct wmq_ops wmq_ops = {
	.append = fake_append, .read = fake_read,
	.position = fake_queue_position
};

/* The store. */

static struct tcapw_account *
account_find(const char *name)
{
	for (size_t i = 0; i < naccounts; i++)
		if (strcmp(accounts[i].name, name) == 0)
			return &accounts[i];
	return NULL;
}

bool
rig_account(const char *name, struct tcapw_account *account_r)
{
	struct tcapw_account *found = account_find(name);

	if (found != NULL && account_r != NULL)
		*account_r = *found;
	return found != NULL;
}

static void
fake_lookup(void *provider, const char *name, struct mc_call *call)
{
	struct tcapw_account *found = account_find(name);

	(void)provider;
	if (rig.lookup != MC_OK || found == NULL)
		mc_call_done(call, rig.lookup != MC_OK ? rig.lookup :
		    MC_NOT_FOUND, NULL, 0);
	else
		mc_call_done(call, MC_OK, found, sizeof(*found));
}

static void
account_put(const struct tcapw_account *account)
{
	struct tcapw_account *old = account_find(account->name);

	CU_ASSERT_FATAL(old != NULL || naccounts < ACCOUNTS_MAX);
	*(old != NULL ? old : &accounts[naccounts++]) = *account;
}

static void
fake_apply(void *provider, const struct tcapw_change *change,
    struct mc_call *call)
{
	struct tcapw_account *old = account_find(change->account.name);

	(void)provider;
	if (tcapw_order(&position, &change->pointer) == TCAPW_NEXT) {
		position.pointer = change->pointer;
		if (change->account.uid > position.last_uid)
			position.last_uid = change->account.uid;
		if (change->verb == TCAPW_DELETE)
			*old = accounts[--naccounts];
		else if (change->verb != TCAPW_RESERVE)
			account_put(&change->account);
	}
	mc_call_done(call, MC_OK, &position, sizeof(position));
}

static void
fake_position(void *provider, struct mc_call *call)
{
	(void)provider;
	mc_call_done(call, MC_OK, &position, sizeof(position));
}

static void
fake_list(void *provider, const char *after, size_t max, struct mc_call *call)
{
	struct tcapw_account *at = account_find(after);
	size_t first = at != NULL ? (size_t)(at - accounts) + 1 : 0;

	(void)provider;
	(void)max;
	mc_call_done(call, MC_OK, accounts + first,
	    (naccounts - first) * sizeof(accounts[0]));
}

static const struct tcapw_ops tcapw_ops = {
	.lookup = fake_lookup, .apply = fake_apply,
	.position = fake_position, .list = fake_list
};

/* The mail. */

static void
fake_send(void *provider, const struct mail *mail, struct mc_call *call)
{
	(void)provider;
	if (rig.mail == MC_OK) {
		rig.mails++;
		rig.last_mail = *mail;
		rig.durable_at_mail = rig.durable;
	}
	mc_call_done(call, rig.mail, NULL, 0);
}

static const struct mail_ops mail_ops = { .send = fake_send };

const char *
rig_code(void)
{
	static char code[32];
	const char *at = rig.last_mail.text;

	code[0] = '\0';
	while ((at = strstr(at, "\n    ")) != NULL) {
		at += 5;
		if (strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == 26)
			snprintf(code, sizeof(code), "%.26s", at);
	}
	return code;
}

/* The module. */

void
rig_set(const char *name, int64_t number, const char *text)
{
	const struct mc_key *key = metacube_module.keys;

	while (strcmp(key->name, name) != 0)
		key++;
	if (text != NULL)
		memcpy((char *)conf + key->offset, &text, sizeof(text));
	else if (key->size == sizeof(bool))
		*(bool *)((char *)conf + key->offset) = number != 0;
	else
		memcpy((char *)conf + key->offset, &number, sizeof(number));
}

static void
settings_default(void)
{
	static char audit[512];

	snprintf(audit, sizeof(audit), "%s/audit", scratch_make());
	rig_set("listen", 0, "127.0.0.1:7747");
	rig_set("listen_unix", 0, "");
	rig_set("unix_group", 0, "");
	rig_set("max_pending", 100, NULL);
	rig_set("cost", 1, NULL);
	rig_set("site_name", 0, "Cube");
	rig_set("link", 0, "https://example.org/{page}?{name}&{code}");
	rig_set("code_lifetime", 7 * 86400000, NULL);
	rig_set("reset_lifetime", 1800000, NULL);
	rig_set("account_mails", 1000, NULL);
	rig_set("address_mails", 1000, NULL);
	rig_set("mail_interval", 3600000, NULL);
	rig_set("account_free", 3, NULL);
	rig_set("address_free", 1000, NULL);
	rig_set("peer_free", 10, NULL);
	rig_set("delay_base", 1000, NULL);
	rig_set("delay_max", 300000, NULL);
	rig_set("delay_forget", 900000, NULL);
	rig_set("ipv6_prefix", 64, NULL);
	rig_set("penalties", 64, NULL);
	rig_set("reserved", 0, "admin root");
	rig_set("look_alikes", 1, NULL);
	rig_set("audit", 0, audit);
}

static void
verifier_of(const char *password, char verifier[TCAPW_VERIFIER_SIZE])
{
	struct crypt_data *data = mc_zalloc(sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], hex[65];

	for (int i = 0; i < 64; i += 2)
		snprintf(hex + i, 3, "%02x", (unsigned char)password[0]);
	crypt_gensalt_rn("$y$", 1, NULL, 0, setting, sizeof(setting));
	strcpy(verifier, crypt_rn(hex, setting, data, (int)sizeof(*data)));
	free(data);
}

static void
ref_set(const char *service, const void *ops)
{
	const struct mc_need *need = metacube_module.needs;
	struct mc_ref *ref;

	for (; strcmp(need->service, service) != 0; need++)
		continue;
	ref = (struct mc_ref *)((char *)state + need->offset);
	ref->ops = ops;
}

static void
module_start(void)
{
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(state, stage_host(),
	    conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(state), MC_OK);
	stage_pass(0);
}

void
rig_open(bool mails, const char *const names[])
{
	stage_reset("account");
	memset(&rig, 0, sizeof(rig));
	memset(&position, 0, sizeof(position));
	memset(readers, 0, sizeof(readers));
	memset(rig.epoch, 7, sizeof(rig.epoch));
	naccounts = 0;
	for (; names != NULL && *names != NULL; names++) {
		struct tcapw_account *account = &accounts[naccounts];

		memset(account, 0, sizeof(*account));
		account->uid = ++naccounts;
		strcpy(account->name, *names);
		strcpy(account->display, *names);
		snprintf(account->email, sizeof(account->email),
		    "%s@example.com", *names);
		account->flags = TCAPW_EMAIL_VALID;
		verifier_of("p", account->verifier);
	}
	position.last_uid = naccounts;
	conf = mc_zalloc(metacube_module.conf_size);
	state = mc_zalloc(metacube_module.state_size);
	settings_default();
	ref_set("tcapw", &tcapw_ops);
	ref_set("wmq", &wmq_ops);
	ref_set("mail", mails ? &mail_ops : NULL);
	rig.account.provider = state;
	rig.account.ops = metacube_module.provides[0].ops;
	module_start();
}

/* Whoever still waits, also when nobody listens any more. */
static void
calls_end(void)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (readers[i].call != NULL)
			reader_answer(&readers[i]);
	while (nsilenced > 0)
		mc_call_done(silenced[--nsilenced], MC_UNAVAILABLE, NULL, 0);
	stage_pass(0);
}

void
rig_stop(void)
{
	metacube_module.stop(state);
	for (size_t i = 0; i < READERS_MAX; i++)
		if (readers[i].call != NULL)
			reader_answer(&readers[i]);
	stage_pass(0);
	metacube_module.fini(state);
	calls_end();
}

/* Its services stay the same. */
void
rig_start(uint64_t durable)
{
	struct mc_ref refs[8];
	size_t n = 0;

	rig.durable = position.pointer.seq = durable;
	for (const struct mc_need *need = metacube_module.needs;
	    need->service != NULL; need++)
		refs[n++] = *(struct mc_ref *)((char *)state + need->offset);
	memset(state, 0, metacube_module.state_size);
	while (n-- > 0)
		*(struct mc_ref *)((char *)state +
		    metacube_module.needs[n].offset) = refs[n];
	module_start();
}

void
rig_close(void)
{
	rig_stop();
	free(state);
	free(conf);
	scratch_remove();
	stage_reset("");
}

void
rig_reserve(uint64_t uid)
{
	struct tcapw_change change = { .verb = TCAPW_RESERVE };
	uint8_t bytes[PWQ_MAX];

	change.account.uid = uid;
	record_add(bytes, pwq_encode(&change, bytes));
	readers_wake();
	stage_pass(0);
}

/* Asking. */

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct rig_call *call = owner;
	const struct account_answer *answer =
	    MC_RESULT(reply, struct account_answer);

	call->status = reply->status;
	if (answer != NULL)
		call->answer = *answer;
}

void
rig_begin(struct rig_call *call, int verb, const char *name,
    const char *password, const char *new_password, const char *email,
    const char *code)
{
	struct account_request request = { .verb = verb };

	memset(call, 0, sizeof(*call));
	snprintf(request.name, sizeof(request.name), "%s", name);
	strcpy(request.by, "test");
	request.has_proof = password != NULL;
	request.has_new_proof = new_password != NULL;
	if (password != NULL)
		memset(request.proof, password[0], sizeof(request.proof));
	if (new_password != NULL)
		memset(request.new_proof, new_password[0],
		    sizeof(request.new_proof));
	if (email != NULL)
		snprintf(request.email, sizeof(request.email), "%s", email);
	if (code != NULL)
		snprintf(request.code, sizeof(request.code), "%s", code);
	account_request(&rig.account, &request, &call->call, answered, call);
	for (size_t i = 0; i < sizeof(request.proof); i++)
		CU_ASSERT_FATAL(request.proof[i] == 0 &&
		    request.new_proof[i] == 0);
}

const struct account_answer *
rig_ask(int verb, const char *name, const char *password,
    const char *new_password, const char *email, const char *code)
{
	static struct rig_call call;

	rig_begin(&call, verb, name, password, new_password, email, code);
	stage_pass(0);
	CU_ASSERT_EQUAL(call.status, MC_OK);
	return &call.answer;
}
