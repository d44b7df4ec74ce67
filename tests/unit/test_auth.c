/* SPDX-License-Identifier: MIT */
/*
 * auth_password from begin to answer, with a store whose answers come when
 * the test says so: the queue, the delays, and what they tell a guesser.
 */
#include "cutap.h"
#include "stage.h"
#include "../../modules/auth_password/attempt.h"

#include <crypt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX	64

static struct conf conf;
static struct auth *auth;
static struct mc_ref service;

/* The store: asked, not answered yet. */
static struct { char name[MC_NAME_SIZE]; struct mc_call *call; }
	pending[PENDING_MAX];
static size_t npending, nlookups;
static char verifier[TCAPW_VERIFIER_SIZE];
static bool locked, inactive;

static void
fake_lookup(void *state, const char *name, struct mc_call *call)
{
	(void)state;
	CU_ASSERT_TRUE_FATAL(npending < PENDING_MAX);
	snprintf(pending[npending].name, MC_NAME_SIZE, "%s", name);
	pending[npending++].call = call;
	nlookups++;
}

static const struct tcapw_ops tcapw_ops = { .lookup = fake_lookup };

/* joe and amanda have accounts, and the same password. */
static void
store_answers(void)
{
	struct tcapw_account account = { .uid = 5, .generation = 3 };
	struct mc_call *call = pending[0].call;
	char name[MC_NAME_SIZE];

	CU_ASSERT_TRUE_FATAL(npending > 0);
	memcpy(name, pending[0].name, sizeof(name));
	memmove(pending, pending + 1, --npending * sizeof(pending[0]));
	memcpy(account.name, name, sizeof(name));
	snprintf(account.display, sizeof(account.display), "%s", name);
	memcpy(account.verifier, verifier, sizeof(account.verifier));
	account.flags = locked ? TCAPW_LOCKED :
	    inactive ? TCAPW_INACTIVE : 0;
	if (strcmp(name, "joe") == 0 || strcmp(name, "amanda") == 0)
		mc_call_done(call, MC_OK, &account, sizeof(account));
	else
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	stage_pass(0);
}

static void
verifier_make(void)
{
	struct crypt_data *data = mc_zalloc(sizeof(*data));
	char salt[TCAPW_VERIFIER_SIZE] = "", hex[65] = "";

	for (int i = 0; i < 32; i++)
		strcat(hex, "ab");
	CU_ASSERT_EQUAL_FATAL(check_dummy(1, salt), 0);
	snprintf(verifier, sizeof(verifier), "%s",
	    crypt_r(hex, salt, data));
	CU_ASSERT_EQUAL_FATAL(strncmp(verifier, "$y$", 3), 0);
	free(data);
}

/* The account server: asked, and its answer. */
static struct account_renewal renewal;
static size_t nrenewals;
static enum mc_status renewal_status;

static void
fake_renew(void *state, const struct account_renewal *given,
    struct mc_call *call)
{
	(void)state;
	renewal = *given;
	nrenewals++;
	mc_call_done(call, renewal_status, NULL, 0);
}

static const struct account_ops account_ops = { .renew = fake_renew };

#define RIGHT	0xab
#define WRONG	0x11

/* The linker takes every free of the module here (--wrap): how many blocks
 * still had a proof in them, as bytes or as what is hashed? */
static unsigned freed_proofs;

void	__real_free(void *);
void	__wrap_free(void *);

static bool
has_proof(const char *block, size_t size)
{
	uint8_t proof[16];

	memset(proof, RIGHT, sizeof(proof));
	if (memmem(block, size, proof, sizeof(proof)) != NULL)
		return true;
	memset(proof, WRONG, sizeof(proof));
	return memmem(block, size, proof, sizeof(proof)) != NULL ||
	    memmem(block, size, "abababababababab", 16) != NULL;
}

void
__wrap_free(void *block)
{
	if (block != NULL)
		freed_proofs += has_proof(block, malloc_usable_size(block));
	__real_free(block);
}

static void
open_auth(void)
{
	stage_reset("gateway");
	freed_proofs = 0;
	npending = nlookups = nrenewals = 0;
	locked = inactive = false;
	renewal_status = MC_OK;
	if (verifier[0] == '\0')
		verifier_make();
	conf = (struct conf) {
		.workers = 1, .queue_max = 4, .position_ms = 1000,
		.cost = 1, .ipv6_prefix = 64, .accounts_max = 64,
		.addresses_max = 64, .known_max = 64, .address_free = 100,
		.account = { .free = 3, .base_ms = 1000, .max_ms = 300000,
		    .forget_ms = 900000 },
	};
	auth = mc_zalloc(metacube_module.state_size);
	auth->tcapw.ops = &tcapw_ops;
	service.provider = auth;
	service.ops = metacube_module.provides[0].ops;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(auth, stage_host(),
	    &conf), MC_OK);
}

static void
close_auth(void)
{
	metacube_module.stop(auth);
	stage_pass(0);
	for (; npending > 0; npending--)
		mc_call_done(pending[npending - 1].call, MC_UNAVAILABLE,
		    NULL, 0);
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_owed(), 0);
	CU_ASSERT_EQUAL(auth->queue.count, 0);
	CU_ASSERT_EQUAL(auth->running.count, 0);
	metacube_module.fini(auth);
	free(auth);
	stage_reset("");
	CU_ASSERT_EQUAL(freed_proofs, 0);
}

/* Somebody who logs in. */
struct client {
	struct mc_call	*call;
	bool		 answered;
	enum mc_status	 status;
	size_t		 len;
	struct auth_result result;
};

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct client *client = owner;

	client->answered = true;
	client->status = reply->status;
	client->len = reply->len;
	memset(&client->result, 0, sizeof(client->result));
	if (MC_RESULT(reply, struct auth_result) != NULL)
		memcpy(&client->result, reply->data,
		    sizeof(client->result));
}

static void
begin(struct client *client, const char *name, const char *address,
    uint8_t byte)
{
	struct auth_begin begin = { .mechanism = "password", .len = 32 };

	memset(client, 0, sizeof(*client));
	snprintf(begin.name, sizeof(begin.name), "%s", name);
	snprintf(begin.address, sizeof(begin.address), "%s", address);
	memset(begin.data, byte, 32);
	auth_begin(&service, &begin, &client->call, answered, client);
	for (size_t i = 0; i < sizeof(begin.data); i++)
		CU_ASSERT_EQUAL(begin.data[i], 0);
	stage_pass(0);
}

#define HERE	"192.0.2.7"
#define THERE	"198.51.100.9"

static void
step(struct client *client)
{
	client->answered = false;
	auth_step(&service, client->result.exchange, NULL, 0, &client->call,
	    answered, client);
	stage_pass(0);
}

/* One attempt from end to end. */
static struct client
attempt(const char *name, const char *address, uint8_t byte)
{
	struct client client;

	begin(&client, name, address, byte);
	if (npending > 0)
		store_answers();
	CU_ASSERT_TRUE(client.answered);
	return client;
}

static void
fail(const char *name, const char *address, unsigned times)
{
	while (times-- > 0)
		CU_ASSERT_EQUAL(attempt(name, address, WRONG).status,
		    MC_DENIED);
}

static uint32_t
retry_ms(const char *name, const char *address, uint8_t byte)
{
	size_t before = nlookups;
	struct client client = attempt(name, address, byte);

	if (client.result.state != AUTH_LATER)
		return 0;
	CU_ASSERT_EQUAL(nlookups, before);	/* nothing was looked at */
	return client.result.retry_ms;
}

static void
answers(void)
{
	struct client client;

	open_auth();
	client = attempt("Joe", HERE, RIGHT);
	CU_ASSERT_EQUAL(client.status, MC_OK);
	CU_ASSERT_EQUAL(client.result.state, AUTH_GRANTED);
	CU_ASSERT_EQUAL(client.result.uid, 5);
	CU_ASSERT_EQUAL(client.result.generation, 3);
	CU_ASSERT_STRING_EQUAL(client.result.name, "joe");
	client = attempt("joe", HERE, WRONG);
	CU_ASSERT_EQUAL(client.status, MC_DENIED);
	CU_ASSERT_EQUAL(client.len, 0);
	client = attempt("nobody", HERE, RIGHT);
	CU_ASSERT_EQUAL(client.status, MC_DENIED);
	CU_ASSERT_EQUAL(client.len, 0);
	client = attempt("not a name", HERE, RIGHT);
	CU_ASSERT_EQUAL(client.status, MC_DENIED);
	CU_ASSERT_EQUAL(nlookups, 3);
	locked = true;
	client = attempt("joe", HERE, WRONG);
	CU_ASSERT_EQUAL(client.status, MC_DENIED);
	client = attempt("joe", HERE, RIGHT);
	CU_ASSERT_EQUAL(client.result.state, AUTH_LOCKED);
	CU_ASSERT_EQUAL(client.result.uid, 5);
	locked = false;
	inactive = true;
	client = attempt("joe", HERE, WRONG);
	CU_ASSERT_EQUAL(client.status, MC_DENIED);
	CU_ASSERT_EQUAL(client.len, 0);
	client = attempt("joe", HERE, RIGHT);
	CU_ASSERT_EQUAL(client.result.state, AUTH_INACTIVE);
	CU_ASSERT_EQUAL(stage_count("inactive"), 1);
	CU_ASSERT_EQUAL(stage_count("granted"), 1);
	CU_ASSERT_EQUAL(stage_count("denied"), 5);
	close_auth();
}

static void
malformed(void)
{
	struct auth_begin begin = { .mechanism = "magic", .len = 32 };
	struct client client = { 0 };

	open_auth();
	auth_begin(&service, &begin, &client.call, answered, &client);
	stage_pass(0);
	CU_ASSERT_EQUAL(client.status, MC_INVALID);
	strcpy(begin.mechanism, "password");
	begin.len = 31;
	auth_begin(&service, &begin, &client.call, answered, &client);
	stage_pass(0);
	CU_ASSERT_EQUAL(client.status, MC_INVALID);
	memset(begin.name, 'a', sizeof(begin.name));
	begin.len = 32;
	auth_begin(&service, &begin, &client.call, answered, &client);
	stage_pass(0);
	CU_ASSERT_EQUAL(client.status, MC_INVALID);
	client.result.exchange = 12345;
	step(&client);
	CU_ASSERT_EQUAL(client.status, MC_NOT_FOUND);
	auth_drop(&service, 12345);
	CU_ASSERT_EQUAL(nlookups, 0);
	close_auth();
}

static void
store_fails(void)
{
	struct client client;
	uint32_t unused = 0;

	open_auth();
	for (int i = 0; i < 10; i++) {
		begin(&client, "joe", HERE, WRONG);
		mc_call_done(pending[--npending].call, MC_UNAVAILABLE, NULL,
		    0);
		stage_pass(0);
		CU_ASSERT_EQUAL(client.status, MC_UNAVAILABLE);
	}
	begin(&client, "joe", HERE, WRONG);
	stage_pass(TCAPW_TIMEOUT_MS);
	CU_ASSERT_EQUAL(client.status, MC_TIMEOUT);
	mc_call_done(pending[--npending].call, MC_TIMEOUT, NULL, 0);
	begin(&client, "joe", HERE, WRONG);
	mc_call_done(pending[--npending].call, MC_OK, "x", 1);
	stage_pass(0);
	CU_ASSERT_EQUAL(client.status, MC_INTERNAL);
	/* none of them was a guess */
	CU_ASSERT_EQUAL(mc_penalty_check(auth->accounts, &conf.account, "joe",
	    mc_now_ms(), &unused), MC_PENALTY_GO);
	CU_ASSERT_EQUAL(mc_penalties_count(auth->accounts), 0);
	close_auth();
}

static void
delays(void)
{
	open_auth();
	fail("joe", HERE, 4);
	CU_ASSERT_EQUAL(retry_ms("joe", HERE, WRONG), 1000);
	CU_ASSERT_EQUAL(retry_ms("joe", THERE, RIGHT), 1000);
	CU_ASSERT_EQUAL(retry_ms("amanda", HERE, RIGHT), 0);
	stage_pass(1000);
	fail("joe", HERE, 1);
	CU_ASSERT_EQUAL(retry_ms("joe", HERE, WRONG), 2000);
	/* a name that nobody has is treated alike */
	fail("nobody", HERE, 4);
	CU_ASSERT_EQUAL(retry_ms("nobody", HERE, WRONG), 1000);
	fail("no name", HERE, 4);
	CU_ASSERT_EQUAL(retry_ms("no name", HERE, WRONG), 1000);
	stage_pass(2000);
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).result.state,
	    AUTH_GRANTED);
	fail("joe", THERE, 3);
	close_auth();
}

/* Who has to come later is told so at once, and takes nobody's place. */
static void
not_queued(void)
{
	struct client others[5], joe;

	open_auth();
	fail("joe", HERE, 4);
	for (int i = 0; i < 4; i++)
		begin(&others[i], "amanda", HERE, RIGHT);
	begin(&joe, "joe", THERE, WRONG);
	CU_ASSERT_TRUE(joe.answered);
	CU_ASSERT_EQUAL(joe.result.state, AUTH_LATER);
	CU_ASSERT_EQUAL(joe.result.retry_ms, 1000);
	begin(&others[4], "amanda", HERE, RIGHT);
	CU_ASSERT_EQUAL(others[4].result.state, AUTH_QUEUED);
	begin(&joe, "joe", THERE, WRONG);
	CU_ASSERT_EQUAL(joe.result.state, AUTH_LATER);	/* not MC_BUSY */
	close_auth();
	for (int i = 0; i < 5; i++)
		CU_ASSERT_TRUE(others[i].answered);
}

static void
by_address(void)
{
	char name[16];

	open_auth();
	conf.address_free = 5;
	metacube_module.reload(auth, &conf);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "guess-%u", i);
		fail(name, "2001:db8::1", 1);
	}
	CU_ASSERT_EQUAL(retry_ms("joe", "2001:db8::ffff:1", RIGHT), 1000);
	CU_ASSERT_EQUAL(retry_ms("joe", "2001:db8:0:1::1", RIGHT), 0);
	/* who gets one right does not get more guesses at others */
	stage_pass(1000);
	CU_ASSERT_EQUAL(attempt("amanda", "2001:db8::1",
	    RIGHT).result.state, AUTH_GRANTED);
	fail("another", "2001:db8::1", 1);
	CU_ASSERT_EQUAL(retry_ms("joe", "2001:db8::1", RIGHT), 2000);
	close_auth();
}

/* Others cannot keep Joe out from where he is known. */
static void
known_address(void)
{
	open_auth();
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).result.state,
	    AUTH_GRANTED);
	fail("joe", THERE, 4);
	CU_ASSERT_EQUAL(retry_ms("joe", THERE, RIGHT), 1000);
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).result.state,
	    AUTH_GRANTED);
	/* nor does his success help them */
	CU_ASSERT_EQUAL(retry_ms("joe", THERE, RIGHT), 1000);
	/* a name that is written like the key of the pair hurts nobody */
	fail("joe\n" HERE, THERE, 4);
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).result.state,
	    AUTH_GRANTED);
	/* and guesses from there are counted too */
	fail("joe", HERE, 4);
	CU_ASSERT_EQUAL(retry_ms("joe", HERE, RIGHT), 1000);
	close_auth();
}

static void
waiting(void)
{
	struct client clients[6];

	open_auth();
	for (int i = 0; i < 6; i++)
		begin(&clients[i], i % 2 ? "joe" : "amanda", HERE, RIGHT);
	CU_ASSERT_FALSE(clients[0].answered);
	for (int i = 1; i < 5; i++) {
		CU_ASSERT_TRUE(clients[i].answered);
		CU_ASSERT_EQUAL(clients[i].result.state, AUTH_QUEUED);
		CU_ASSERT_EQUAL(clients[i].result.position, (uint32_t)i);
	}
	CU_ASSERT_EQUAL(clients[5].status, MC_BUSY);
	CU_ASSERT_EQUAL(nlookups, 1);
	for (int i = 1; i < 4; i++)
		step(&clients[i]);
	store_answers();
	CU_ASSERT_EQUAL(clients[0].result.state, AUTH_GRANTED);
	CU_ASSERT_FALSE(clients[1].answered);
	CU_ASSERT_FALSE(clients[2].answered);
	stage_pass(1000);
	CU_ASSERT_FALSE(clients[1].answered);	/* it is being looked at */
	CU_ASSERT_EQUAL(clients[2].result.state, AUTH_QUEUED);
	CU_ASSERT_EQUAL(clients[2].result.position, 1);
	CU_ASSERT_EQUAL(clients[3].result.position, 2);
	step(&clients[2]);
	auth_drop(&service, clients[3].result.exchange);
	store_answers();
	CU_ASSERT_EQUAL(clients[1].result.state, AUTH_GRANTED);
	store_answers();
	CU_ASSERT_EQUAL(clients[2].result.state, AUTH_GRANTED);
	/* the fourth did not step: its answer is kept */
	store_answers();
	CU_ASSERT_EQUAL(clients[4].result.state, AUTH_QUEUED);
	step(&clients[4]);
	CU_ASSERT_EQUAL(clients[4].result.state, AUTH_GRANTED);
	CU_ASSERT_EQUAL(stage_count("queued"), 0);
	CU_ASSERT_EQUAL(stage_count("granted"), 4);
	close_auth();
}

/* Nothing new: said again, before the host thinks that we are silent. */
static void
no_news(void)
{
	struct client first, second;

	open_auth();
	begin(&first, "joe", HERE, RIGHT);
	begin(&second, "amanda", HERE, RIGHT);
	step(&second);
	stage_pass(9000);
	CU_ASSERT_FALSE(second.answered);
	stage_pass(1000);
	CU_ASSERT_EQUAL(second.result.state, AUTH_QUEUED);
	CU_ASSERT_EQUAL(second.result.position, 1);
	close_auth();
}

static void
forgotten(void)
{
	struct client first, second;

	open_auth();
	begin(&first, "joe", HERE, RIGHT);
	begin(&second, "amanda", HERE, RIGHT);
	CU_ASSERT_EQUAL(auth->queue.count, 1);
	stage_pass(60000);	/* its answer was kept, for a while */
	CU_ASSERT_EQUAL(auth->queue.count, 0);
	step(&second);
	CU_ASSERT_EQUAL(second.status, MC_NOT_FOUND);
	close_auth();
}

/* Guesses at the same time: the ones that may go on do, the rest waits for
 * their results and is then told to come later. */
static void
parallel(void)
{
	struct client clients[8];
	unsigned denied = 0, later = 0;

	open_auth();
	conf.workers = 8;
	conf.queue_max = 8;
	for (int i = 0; i < 8; i++)
		begin(&clients[i], "joe", HERE, WRONG);
	CU_ASSERT_EQUAL(npending, 4);
	for (int i = 4; i < 8; i++)
		step(&clients[i]);
	while (npending > 0)
		store_answers();
	for (int i = 0; i < 8; i++) {
		CU_ASSERT_TRUE(clients[i].answered);
		denied += clients[i].status == MC_DENIED;
		later += clients[i].result.state == AUTH_LATER;
	}
	CU_ASSERT_EQUAL(denied, 4);
	CU_ASSERT_EQUAL(later, 4);
	CU_ASSERT_EQUAL(nlookups, 4);
	close_auth();
}

/* Another account's attempts pass those who have to wait for a result. */
static void
no_jam(void)
{
	struct client joe[5], amanda;

	open_auth();
	conf.workers = 5;
	conf.queue_max = 8;
	for (int i = 0; i < 5; i++)
		begin(&joe[i], "joe", THERE, WRONG);
	CU_ASSERT_EQUAL(npending, 4);
	begin(&amanda, "amanda", HERE, RIGHT);
	CU_ASSERT_EQUAL(npending, 5);
	while (npending > 0)
		store_answers();
	CU_ASSERT_EQUAL(amanda.result.state, AUTH_GRANTED);
	close_auth();
}

static void
client_gone(void)
{
	struct client first, second, third;

	open_auth();
	begin(&first, "joe", HERE, RIGHT);
	mc_call_cancel(&first.call);
	begin(&second, "joe", HERE, RIGHT);
	step(&second);
	store_answers();	/* nobody waits for it: no hash */
	CU_ASSERT_FALSE(first.answered);
	CU_ASSERT_EQUAL(stage_count("granted"), 0);
	begin(&third, "amanda", HERE, RIGHT);
	mc_call_cancel(&second.call);
	auth_drop(&service, second.result.exchange);
	step(&second);		/* though it is being looked at */
	CU_ASSERT_EQUAL(second.status, MC_NOT_FOUND);
	store_answers();
	CU_ASSERT_EQUAL(stage_count("granted"), 0);
	step(&third);
	store_answers();
	CU_ASSERT_EQUAL(third.result.state, AUTH_GRANTED);
	close_auth();
}

static void
stopping(void)
{
	struct client first, second, third;

	open_auth();
	begin(&first, "joe", HERE, RIGHT);
	begin(&second, "joe", HERE, RIGHT);
	begin(&third, "joe", HERE, RIGHT);
	step(&second);
	metacube_module.stop(auth);
	stage_pass(0);
	CU_ASSERT_EQUAL(first.status, MC_UNAVAILABLE);
	CU_ASSERT_EQUAL(second.status, MC_UNAVAILABLE);
	close_auth();
}

static void
settings(void)
{
	struct conf other;

	open_auth();
	other = conf;
	other.account.max_ms = 10;
	CU_ASSERT_EQUAL(metacube_module.reload(auth, &other), MC_INVALID);
	other = conf;
	other.known_max = 65;
	CU_ASSERT_EQUAL(metacube_module.reload(auth, &other), MC_INVALID);
	other = conf;
	other.account.free = 0;
	CU_ASSERT_EQUAL(metacube_module.reload(auth, &other), MC_OK);
	fail("joe", HERE, 1);
	CU_ASSERT_EQUAL(retry_ms("joe", HERE, RIGHT), 1000);
	CU_ASSERT_EQUAL(metacube_module.reload(auth, &conf), MC_OK);
	close_auth();
}

static void
costs(void)
{
	char verifiers[12][TCAPW_VERIFIER_SIZE];

	for (int64_t i = 1; i <= 11; i++)
		CU_ASSERT_EQUAL_FATAL(check_dummy(i, verifiers[i]), 0);
	for (int64_t i = 1; i <= 11; i++)
		for (int64_t cost = 0; cost <= 11; cost++)
			CU_ASSERT_EQUAL(check_weaker(verifiers[i], cost),
			    i < cost);
	CU_ASSERT_FALSE(check_weaker("", 11));
	CU_ASSERT_FALSE(check_weaker("$y$", 11));
	CU_ASSERT_FALSE(check_weaker("$6$salt$hash", 11));
}

static void
check_done(void *job)
{
	(void)job;
}

/* Whatever the proof fits: where there is no account, it is wrong. */
static void
nobodys(void)
{
	struct check check = { .done = check_done, .known = true };

	open_auth();
	check.host = stage_host();
	memcpy(check.verifier, verifier, sizeof(check.verifier));
	memset(check.proof, RIGHT, sizeof(check.proof));
	check_run(&check);
	CU_ASSERT_TRUE(check.right);
	CU_ASSERT_EQUAL(check.proof[0], 0);
	check.known = false;
	memset(check.proof, RIGHT, sizeof(check.proof));
	check_run(&check);
	CU_ASSERT_FALSE(check.right);
	stage_pass(0);
	close_auth();
}

/* The same proof fits the new one, which is of the new cost. */
static void
check_renewal(void)
{
	char old[TCAPW_VERIFIER_SIZE];

	memcpy(old, verifier, sizeof(old));
	CU_ASSERT_EQUAL(nrenewals, 1);
	CU_ASSERT_STRING_EQUAL(renewal.name, "joe");
	CU_ASSERT_STRING_EQUAL(renewal.was, verifier);
	CU_ASSERT_FALSE(check_weaker(renewal.verifier, 2));
	CU_ASSERT_TRUE(check_weaker(renewal.verifier, 3));
	memcpy(verifier, renewal.verifier, sizeof(verifier));
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).status, MC_OK);
	CU_ASSERT_EQUAL(nrenewals, 1);
	CU_ASSERT_EQUAL(attempt("joe", HERE, WRONG).status, MC_DENIED);
	memcpy(verifier, old, sizeof(verifier));
}

static void
grown_cost(void)
{
	open_auth();
	conf.cost = 2;
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).status, MC_OK);
	CU_ASSERT_EQUAL(nrenewals, 0);	/* no account server here */
	auth->account.ops = &account_ops;
	CU_ASSERT_EQUAL(attempt("joe", HERE, WRONG).status, MC_DENIED);
	CU_ASSERT_EQUAL(attempt("nobody", HERE, RIGHT).status, MC_DENIED);
	CU_ASSERT_EQUAL(nrenewals, 0);
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).status, MC_OK);
	CU_ASSERT_EQUAL(stage_count("renewed"), 1);
	check_renewal();
	conf.cost = 1;
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).status, MC_OK);
	CU_ASSERT_EQUAL(nrenewals, 1);
	close_auth();
}

/* The login does not depend on it. */
static void
renewal_fails(void)
{
	open_auth();
	conf.cost = 2;
	auth->account.ops = &account_ops;
	renewal_status = MC_UNAVAILABLE;
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).status, MC_OK);
	CU_ASSERT_TRUE(stage_logged("was not renewed"));
	renewal_status = MC_DENIED;
	CU_ASSERT_EQUAL(attempt("joe", HERE, RIGHT).status, MC_OK);
	CU_ASSERT_EQUAL(nrenewals, 2);
	CU_ASSERT_EQUAL(stage_count("renewed"), 0);
	close_auth();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "granted, denied, locked, inactive", answers },
		{ "what cannot be a login", malformed },
		{ "a store that fails is no failed guess", store_fails },
		{ "delays for an account, known or not", delays },
		{ "who has to come later is told at once", not_queued },
		{ "delays for an address", by_address },
		{ "no delay where the account is known", known_address },
		{ "the queue and its positions", waiting },
		{ "a queue that does not move says so", no_news },
		{ "who does not step is forgotten", forgotten },
		{ "guesses at the same time are counted", parallel },
		{ "and jam nobody else", no_jam },
		{ "the client goes at any moment", client_gone },
		{ "the server stops", stopping },
		{ "settings taken or refused whole", settings },
		{ "which cost is lower", costs },
		{ "a proof without an account is wrong", nobodys },
		{ "a verifier of a lower cost is renewed", grown_cost },
		{ "or not, and the login is good", renewal_fails },
		{ NULL, NULL }
	};

	return cutap_run("auth", tests);
}
