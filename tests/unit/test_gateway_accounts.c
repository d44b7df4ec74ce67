/* SPDX-License-Identifier: MIT */
/*
 * The gateway and accounts that change: what its own clients ask for, and what
 * the replica says of others.
 */
#include "cutap.h"
#include "stage.h"
#include "../../modules/gateway/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT(what)	METACUBE__ACCOUNT_ANSWER__RESULT__##what
#define VERB(what)	METACUBE__ACCOUNT_REQUEST__VERB__##what
#define LOCKED		METACUBE__REASON__ACCOUNT_LOCKED
#define CHANGED		METACUBE__REASON__ACCOUNT_CHANGED

static struct conf conf;
static struct gateway *gateway;

/* What was asked last, and not answered yet. */
static struct mc_call *auth_call, *place_call, *evict_call, *change_call,
    *news_call;
static struct account_request change;
static uint64_t evicted, news_after, placed_generation;
static int evicted_for;

static void
fake_begin(void *state, struct auth_begin *begin, struct mc_call *call)
{
	(void)state;
	memset(begin->data, 0, sizeof(begin->data));
	auth_call = call;
}

static void
fake_place(void *state, const struct taskmaster_request *request,
    struct mc_call *call)
{
	(void)state;
	placed_generation = request->generation;
	place_call = call;
}

static void
fake_evict(void *state, uint64_t uid, int reason, struct mc_call *call)
{
	(void)state;
	CU_ASSERT_PTR_NULL(evict_call);		/* one after the other */
	evicted = uid;
	evicted_for = reason;
	evict_call = call;
}

static void
fake_change(void *state, struct account_request *request,
    struct mc_call *call)
{
	(void)state;
	change = *request;
	change_call = call;
}

static void
fake_news(void *state, uint64_t after, unsigned wait_ms,
    struct mc_call *call)
{
	(void)state;
	CU_ASSERT_EQUAL(wait_ms, WMQ_WAIT_MAX_MS);
	news_after = after;
	news_call = call;
}

/* The store: what it answers when it is told to. */
static struct mc_call *lookup_call;
static char looked_up[MC_NAME_SIZE];

static void
fake_lookup(void *state, const char *name, struct mc_call *call)
{
	(void)state;
	CU_ASSERT_PTR_NULL(lookup_call);
	snprintf(looked_up, sizeof(looked_up), "%s", name);
	lookup_call = call;
}

static uint64_t last_uid;

static void
fake_position(void *state, struct mc_call *call)
{
	struct tcapw_position position = { .last_uid = last_uid };

	(void)state;
	mc_call_done(call, MC_OK, &position, sizeof(position));
}

/* Who is on worlds, as the taskmaster says it: two at a time. */
static struct taskmaster_player there[300];
static size_t are_there;
static uint64_t doubt;
static enum mc_status players_status;

static void
fake_players(void *state, uint64_t after, struct mc_call *call)
{
	struct taskmaster_players list = { .doubt = doubt };

	(void)state;
	for (size_t i = 0; i < are_there && list.count < 2; i++)
		if (there[i].number > after)
			list.players[list.count++] = there[i];
	if (players_status == MC_OK)
		mc_call_done(call, MC_OK, &list, sizeof(list));
	else
		mc_call_done(call, players_status, NULL, 0);
}

static void
is_there(uint64_t uid, uint64_t generation, const char *display)
{
	struct taskmaster_player *player = &there[are_there++];

	player->number = 10 * are_there;
	player->uid = uid;
	player->generation = generation;
	snprintf(player->display, sizeof(player->display), "%s", display);
}

static const struct tcapw_ops tcapw_ops = {
	.lookup = fake_lookup, .position = fake_position
};
static const struct auth_ops auth_ops = { .begin = fake_begin };
static const struct taskmaster_ops taskmaster_ops = {
	.place = fake_place, .evict = fake_evict, .players = fake_players
};
static const struct account_ops account_ops = { .request = fake_change };
static const struct replica_ops replica_ops = { .news = fake_news };

static void
answer(struct mc_call **call, enum mc_status status, const void *data,
    size_t len)
{
	struct mc_call *answered = *call;

	CU_ASSERT_PTR_NOT_NULL_FATAL(answered);
	*call = NULL;
	mc_call_done(answered, status, data, len);
	stage_pass(0);
}

static void
open_with(bool account, bool replica)
{
	struct replica_news latest = { .number = 4 };

	stage_reset("gateway");
	conf = (struct conf) {
		.listen = { .endpoint = "127.0.0.1:7740" }, .log_rate = 3,
		.question_rate = 100, .change_rate = 3
	};
	gateway = mc_zalloc(metacube_module.state_size);
	gateway->auth.ops = &auth_ops;
	gateway->taskmaster.ops = &taskmaster_ops;
	gateway->account.ops = account ? &account_ops : NULL;
	gateway->replica.ops = replica ? &replica_ops : NULL;
	gateway->tcapw.ops = replica ? &tcapw_ops : NULL;
	auth_call = place_call = evict_call = change_call = news_call = NULL;
	lookup_call = NULL;
	doubt = 1;
	players_status = MC_OK;
	last_uid = 100;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(gateway, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(gateway), MC_OK);
	if (!replica)
		return;
	CU_ASSERT_EQUAL(news_after, 0);
	stage_pass(2000);
	CU_ASSERT_PTR_NULL(lookup_call);	/* what comes now is news */
	answer(&news_call, MC_OK, &latest, sizeof(latest));
	CU_ASSERT_EQUAL(news_after, 4);
}

static void
close_gateway(void)
{
	struct mc_call **calls[] = {
		&auth_call, &place_call, &evict_call, &change_call,
		&news_call, &lookup_call
	};

	metacube_module.stop(gateway);
	stage_pass(0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (*calls[i] != NULL)
			answer(calls[i], MC_UNAVAILABLE, NULL, 0);
	CU_ASSERT_PTR_NULL(gateway->sessions);
	CU_ASSERT_EQUAL(stage_owed(), 0);
	free(gateway);
	are_there = 0;
	stage_reset("");
}

static struct mc_conn *
log_in(const char *name)
{
	struct mc_conn *conn = stage_connect();
	Metacube__Login login = METACUBE__LOGIN__INIT;
	uint8_t proof[32] = "a proof";

	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	login.version = 1;
	login.mechanism = (char *)"password";
	login.name = (char *)name;
	login.proof.data = proof;
	login.proof.len = sizeof(proof);
	SEND(conn, LOGIN, login, &login);
	stage_pass(0);
	return conn;
}

static void
granted(uint64_t uid, const char *name, const char *display)
{
	struct auth_result result = {
		.state = AUTH_GRANTED, .uid = uid, .generation = 17
	};

	snprintf(result.name, sizeof(result.name), "%s", name);
	snprintf(result.display, sizeof(result.display), "%s", display);
	answer(&auth_call, MC_OK, &result, sizeof(result));
}

static struct mc_conn *
joe_is_in(void)
{
	struct mc_conn *conn = log_in("Joe");

	granted(5, "joe", "Joe");
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, LOGGED_IN));
	return conn;
}

static void
ask(struct mc_conn *conn, int verb)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[32] = "the old one", new_proof[32] = "the new one";

	request.verb = (Metacube__AccountRequest__Verb)verb;
	request.name = (char *)"amanda";	/* who else? */
	request.address = (char *)"198.51.100.1";
	request.by = (char *)"the administrator";
	request.email = (char *)"joe@example.org";
	request.proof.data = proof;
	request.new_proof.data = new_proof;
	request.proof.len = request.new_proof.len = sizeof(proof);
	SEND(conn, ACCOUNT_REQUEST, account_request, &request);
	stage_pass(0);
}

static void
answered(struct mc_conn *conn, int result)
{
	const Metacube__Envelope *envelope = HEARD(conn, ACCOUNT_ANSWER);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL((int)envelope->account_answer->result, result);
	CU_ASSERT_TRUE(strlen(envelope->account_answer->text) > 3);
	CU_ASSERT_EQUAL(envelope->account_answer->seq, 0);
	CU_ASSERT_EQUAL(envelope->account_answer->epoch.len, 0);
}

static void
account_says(int result)
{
	struct account_answer said = {
		.result = result, .text = "a text", .pointer.seq = 17
	};

	answer(&change_call, MC_OK, &said, sizeof(said));
}

static void
kicked(struct mc_conn *conn, Metacube__Reason reason)
{
	const Metacube__Envelope *envelope = HEARD(conn, KICKED);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason, (uint32_t)reason);
	CU_ASSERT_TRUE(strlen(envelope->kicked->text) > 5);
	CU_ASSERT_TRUE(stage_over(conn));
}

/* Whoever is named, it is the session's account. */
static void
changes(void)
{
	struct mc_conn *conn;

	open_with(true, false);
	conn = joe_is_in();
	ask(conn, VERB(PASSWORD));
	CU_ASSERT_EQUAL(change.verb, VERB(PASSWORD));
	CU_ASSERT_STRING_EQUAL(change.name, "joe");
	CU_ASSERT_STRING_EQUAL(change.address, "192.0.2.7");
	CU_ASSERT_STRING_EQUAL(change.by, "gateway for joe");
	CU_ASSERT_STRING_EQUAL((char *)change.proof, "the old one");
	CU_ASSERT_STRING_EQUAL((char *)change.new_proof, "the new one");
	CU_ASSERT_TRUE(change.playing);
	account_says(RESULT(DONE));
	answered(conn, RESULT(DONE));
	CU_ASSERT_FALSE(stage_over(conn));
	ask(conn, VERB(EMAIL));
	CU_ASSERT_STRING_EQUAL(change.email, "joe@example.org");
	account_says(RESULT(BAD_EMAIL));
	answered(conn, RESULT(BAD_EMAIL));
	CU_ASSERT_EQUAL(stage_count("changes"), 1);
	CU_ASSERT_EQUAL(stage_count("changes_refused"), 1);
	close_gateway();
}

static void
not_asked(void)
{
	static const int verbs[] = {
		VERB(NONE), VERB(CREATE), VERB(ACTIVATE), VERB(CHECK),
		VERB(FORGOTTEN), VERB(RESET), VERB(EXPORT), VERB(RENEW), 4711
	};
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[33] = "too long";
	struct mc_conn *conn;

	open_with(true, false);
	conn = joe_is_in();
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		ask(conn, verbs[i]);
		CU_ASSERT_PTR_NULL(change_call);
		answered(conn, RESULT(NOT_ALLOWED));
	}
	request.verb = VERB(PASSWORD);
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	SEND(conn, ACCOUNT_REQUEST, account_request, &request);
	answered(conn, RESULT(BAD_REQUEST));
	CU_ASSERT_FALSE(stage_over(conn));
	conn = stage_connect();
	ask(conn, VERB(PASSWORD));	/* without having logged in */
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REFUSED));
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_PTR_NULL(change_call);
	close_gateway();
	open_with(false, false);
	conn = joe_is_in();
	ask(conn, VERB(PASSWORD));
	answered(conn, RESULT(NOT_ALLOWED));
	close_gateway();
}

static void
so_often(void)
{
	struct mc_conn *conn;

	open_with(true, false);
	conn = joe_is_in();
	stage_pass(60000 - mc_now_ms() % 60000);
	for (int i = 0; i < 3; i++) {
		ask(conn, VERB(PASSWORD));
		account_says(RESULT(WRONG_PASSWORD));
		answered(conn, RESULT(WRONG_PASSWORD));
	}
	ask(conn, VERB(PASSWORD));
	CU_ASSERT_PTR_NULL(change_call);
	answered(conn, RESULT(TRY_LATER));
	stage_pass(60000);
	ask(conn, VERB(PASSWORD));
	CU_ASSERT_PTR_NOT_NULL(change_call);
	close_gateway();
}

static void
fails(void)
{
	static const struct {
		enum mc_status	status;
		int		result;
	} cases[] = {
		{ MC_UNAVAILABLE, RESULT(TRY_LATER) },
		{ MC_BUSY, RESULT(TRY_LATER) },
		{ MC_UNCERTAIN, RESULT(UNCERTAIN) },
		{ MC_INTERNAL, RESULT(UNCERTAIN) },
		{ MC_OK, RESULT(UNCERTAIN) },	/* without an answer */
	};
	struct mc_conn *conn;

	open_with(true, false);
	conf.change_rate = 100;
	conn = joe_is_in();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(conn, VERB(PASSWORD));
		answer(&change_call, cases[i].status, NULL, 0);
		answered(conn, cases[i].result);
	}
	ask(conn, VERB(PASSWORD));
	stage_pass(ACCOUNT_TIMEOUT_MS);		/* silence */
	answered(conn, RESULT(UNCERTAIN));
	CU_ASSERT_FALSE(stage_over(conn));
	answer(&change_call, MC_OK, NULL, 0);
	ask(conn, VERB(PASSWORD));
	stage_drop(conn);			/* nobody waits any more */
	account_says(RESULT(DONE));
	close_gateway();
}

static void
deletes(void)
{
	struct replica_news piece = {
		.number = 5, .what = REPLICA_DELETED, .uid = 5, .name = "joe"
	};
	struct mc_conn *conn;

	open_with(true, true);
	conn = joe_is_in();
	ask(conn, VERB(DELETE));
	account_says(RESULT(WRONG_PASSWORD));
	answered(conn, RESULT(WRONG_PASSWORD));
	CU_ASSERT_FALSE(stage_over(conn));
	ask(conn, VERB(DELETE));
	account_says(RESULT(DONE));
	answered(conn, RESULT(DONE));
	kicked(conn, CHANGED);
	/* The news comes before the answer: the answer comes first. */
	conn = joe_is_in();
	ask(conn, VERB(DELETE));
	answer(&news_call, MC_OK, &piece, sizeof(piece));
	CU_ASSERT_EQUAL(stage_unheard(conn), 0);
	account_says(RESULT(DONE));
	answered(conn, RESULT(DONE));
	kicked(conn, CHANGED);
	close_gateway();
}

static void
told(uint64_t number, enum replica_what what, uint64_t uid, const char *name)
{
	struct replica_news piece = {
		.number = number, .what = what, .uid = uid
	};

	snprintf(piece.name, sizeof(piece.name), "%s", name);
	answer(&news_call, MC_OK, &piece, sizeof(piece));
	CU_ASSERT_EQUAL(news_after, number);
}

static void
cut(void)
{
	Metacube__Join join = METACUBE__JOIN__INIT;
	struct mc_conn *joe, *again, *amanda;

	open_with(false, true);
	joe = joe_is_in();
	again = joe_is_in();
	join.map = (char *)"desert";
	SEND(again, JOIN, join, &join);
	amanda = log_in("Amanda");
	granted(6, "amanda", "Amanda");
	HEARD(amanda, LOGGED_IN);
	told(5, REPLICA_LOCKED, 5, "joe");
	kicked(joe, LOCKED);
	kicked(again, LOCKED);
	CU_ASSERT_FALSE(stage_over(amanda));
	CU_ASSERT_EQUAL(evicted, 5);
	CU_ASSERT_EQUAL(evicted_for, (int)LOCKED);
	told(6, REPLICA_PASSWORD, 6, "amanda");
	kicked(amanda, CHANGED);
	CU_ASSERT_EQUAL(evicted, 5);		/* not answered yet */
	answer(&evict_call, MC_OK, NULL, 0);
	CU_ASSERT_EQUAL(evicted, 6);
	CU_ASSERT_EQUAL(evicted_for, (int)CHANGED);
	CU_ASSERT_EQUAL(stage_count("kicked"), 3);
	close_gateway();
}

/* The old password was looked up, the change came, then it was found right. */
static void
while_verifying(void)
{
	struct mc_conn *joe, *amanda;

	open_with(false, true);
	joe = log_in("JOE");
	told(5, REPLICA_PASSWORD, 5, "joe");
	granted(5, "joe", "Joe");
	CU_ASSERT_PTR_NULL(HEARD(joe, LOGGED_IN));
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_EQUAL(stage_count("logins_stale"), 1);
	amanda = log_in("amanda");
	told(6, REPLICA_PASSWORD, 5, "joe");
	granted(6, "amanda", "Amanda");
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, LOGGED_IN));
	joe = log_in("joe");
	told(7, REPLICA_ANYTHING, 0, "");
	kicked(amanda, CHANGED);
	granted(5, "joe", "Joe");
	CU_ASSERT_TRUE(stage_over(joe));
	close_gateway();
}

/* In order, and again until it was answered. */
static void
taskmaster_away(void)
{
	open_with(false, true);
	told(5, REPLICA_LOCKED, 5, "joe");
	told(6, REPLICA_DELETED, 6, "amanda");
	CU_ASSERT_EQUAL(stage_count("evictions_waiting"), 2);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(evicted, 5);
		answer(&evict_call, i == 1 ? MC_UNCERTAIN : MC_UNAVAILABLE,
		    NULL, 0);
		CU_ASSERT_PTR_NULL(evict_call);
		stage_pass(1000);
	}
	answer(&evict_call, MC_OK, NULL, 0);
	CU_ASSERT_EQUAL(evicted, 6);
	answer(&evict_call, MC_DENIED, NULL, 0);	/* never will be */
	CU_ASSERT_TRUE(stage_logged("does not let this server"));
	CU_ASSERT_EQUAL(stage_count("evictions_waiting"), 0);
	CU_ASSERT_PTR_NULL(evict_call);
	close_gateway();
}

/* Where they are sent, it is known of which login they are. */
static void
sent(void)
{
	Metacube__Join join = METACUBE__JOIN__INIT;
	struct mc_conn *conn;

	open_with(false, false);
	conn = joe_is_in();
	join.map = (char *)"desert";
	SEND(conn, JOIN, join, &join);
	CU_ASSERT_PTR_NOT_NULL(place_call);
	CU_ASSERT_EQUAL(placed_generation, 17);
	close_gateway();
}

static void
store_says(const char *name, uint64_t uid, uint64_t generation,
    uint32_t flags)
{
	struct tcapw_account account = {
		.uid = uid, .flags = flags, .generation = generation
	};

	CU_ASSERT_STRING_EQUAL(looked_up, name);
	snprintf(account.name, sizeof(account.name), "%s", name);
	answer(&lookup_call, MC_OK, &account, sizeof(account));
}

static void
store_has_not(const char *name)
{
	CU_ASSERT_STRING_EQUAL(looked_up, name);
	answer(&lookup_call, MC_NOT_FOUND, NULL, 0);
}

static void
evicts(uint64_t uid, Metacube__Reason reason)
{
	CU_ASSERT_EQUAL(evicted, uid);
	CU_ASSERT_EQUAL(evicted_for, (int)reason);
	answer(&evict_call, MC_OK, NULL, 0);
}

static void
nobody_goes(void)
{
	CU_ASSERT_PTR_NULL(lookup_call);
	CU_ASSERT_PTR_NULL(evict_call);
}

/* What has happened while no gateway was there is no news to it. */
static void
missed(void)
{
	is_there(5, 1, "Joe");
	is_there(6, 1, "Amanda");
	is_there(7, 2, "Gone");
	is_there(8, 2, "Another");
	is_there(9, 0, "No one!");
	open_with(false, true);
	store_says("joe", 5, 2, TCAPW_LOCKED);
	evicts(5, LOCKED);
	answer(&lookup_call, MC_UNAVAILABLE, NULL, 0);
	nobody_goes();
	stage_pass(1000);
	store_says("amanda", 6, 2, 0);
	evicts(6, CHANGED);
	store_has_not("gone");
	evicts(7, CHANGED);
	store_says("another", 10, 2, 0);
	evicts(8, CHANGED);
	evicts(9, CHANGED);
	nobody_goes();
	CU_ASSERT_EQUAL(stage_count("reviews"), 1);
	CU_ASSERT_EQUAL(stage_count("reviewed_out"), 5);
	stage_pass(10000);			/* once is enough */
	nobody_goes();
	close_gateway();
}

static size_t
nobody_known(void)
{
	size_t looked = 0;

	for (; lookup_call != NULL; looked++)
		answer(&lookup_call, MC_NOT_FOUND, NULL, 0);
	return looked;
}

static void
all_go(void)
{
	while (evict_call != NULL)
		answer(&evict_call, MC_OK, NULL, 0);
}

/* As many evictions as that are enough to wait for: news come after them. */
static void
many_missed(void)
{
	char name[16];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "gone%u", i);
		is_there(1 + i % 90, 2, name);
	}
	open_with(false, true);
	CU_ASSERT_EQUAL(nobody_known(), 257);
	stage_pass(5000);
	CU_ASSERT_PTR_NULL(lookup_call);
	answer(&evict_call, MC_OK, NULL, 0);
	stage_pass(1000);
	CU_ASSERT_EQUAL(nobody_known(), 1);
	all_go();
	stage_pass(1000);
	CU_ASSERT_EQUAL(nobody_known(), 42);
	all_go();
	CU_ASSERT_EQUAL(stage_count("reviewed_out"), 300);
	close_gateway();
}

/* Nothing has happened, or this store does not know of it yet. */
static void
not_missed(void)
{
	is_there(5, 1, "Joe");
	is_there(6, 3, "Amanda");
	is_there(7, 3, "Unlocked");
	is_there(101, 0, "New");
	is_there(102, 0, "Again");
	open_with(false, true);
	store_says("joe", 5, 1, 0);
	store_says("amanda", 6, 2, 0);
	store_says("unlocked", 7, 3, TCAPW_LOCKED);
	store_has_not("new");
	store_says("again", 50, 4, 0);
	nobody_goes();
	close_gateway();
}

/* The taskmaster has forgotten whom it was to evict, and says so. */
static void
in_doubt(void)
{
	open_with(false, true);
	is_there(5, 1, "Joe");
	stage_pass(5000);
	nobody_goes();				/* seats are given all day */
	doubt = 2;
	players_status = MC_UNAVAILABLE;
	stage_pass(5000);
	nobody_goes();
	players_status = MC_OK;
	stage_pass(1000);
	doubt = 3;				/* while joe is looked up */
	store_says("joe", 5, 1, 0);
	stage_pass(1000);
	players_status = MC_UNAVAILABLE;	/* then it is gone */
	store_says("joe", 5, 1, 0);
	players_status = MC_OK;
	stage_pass(1000);			/* so all of it once more */
	store_says("joe", 5, 2, 0);
	evicts(5, CHANGED);
	stage_pass(5000);
	nobody_goes();
	close_gateway();
}

/* A minute, and nothing new. */
static void
minute_passes(void)
{
	for (int i = 0; i < 2; i++) {
		stage_pass(31000);
		answer(&news_call, MC_OK, NULL, 0);
	}
}

/* At once as always; and when it had the time to come to where it was,
 * everything counts: there may be less in it than there was. */
static void
store_replaced(void)
{
	struct mc_call *dropped;

	open_with(false, true);
	is_there(5, 1, "Joe");
	is_there(6, 3, "Amanda");
	is_there(7, 3, "Locked");
	is_there(101, 0, "New");
	told(5, REPLICA_ANYTHING, 0, "");
	store_says("joe", 5, 2, 0);
	evicts(5, CHANGED);
	store_says("amanda", 6, 2, 0);
	dropped = lookup_call;
	lookup_call = NULL;
	told(6, REPLICA_ANYTHING, 0, "");	/* so from the first on */
	answer(&dropped, MC_OK, NULL, 0);
	for (int i = 0; i < 2; i++) {
		store_says("joe", 5, 1, 0);
		store_says("amanda", 6, i == 0 ? 2 : 3, 0);
		store_says("locked", 7, 3, TCAPW_LOCKED);
		if (i == 1)
			evicts(7, LOCKED);
		store_has_not("new");
		if (i == 1)
			evicts(101, CHANGED);
		nobody_goes();
		minute_passes();
	}
	nobody_goes();
	close_gateway();
}

/* A backup is older than the password of who is there. */
static void
store_restored(void)
{
	open_with(false, true);
	is_there(5, 2, "Joe");
	told(5, REPLICA_ANYTHING, 0, "");
	store_says("joe", 5, 1, 0);
	nobody_goes();
	minute_passes();
	store_says("joe", 5, 1, 0);
	evicts(5, CHANGED);
	close_gateway();
}

static void
replica_fails(void)
{
	open_with(false, true);
	answer(&news_call, MC_OK, NULL, 0);		/* no news */
	CU_ASSERT_EQUAL(news_after, 4);
	answer(&news_call, MC_UNAVAILABLE, NULL, 0);
	CU_ASSERT_PTR_NULL(news_call);
	stage_pass(1000);
	CU_ASSERT_PTR_NOT_NULL(news_call);
	CU_ASSERT_EQUAL(news_after, 4);
	close_gateway();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "changes of the own account", changes },
		{ "what is not asked there", not_asked },
		{ "so often in a minute", so_often },
		{ "the account server fails, or is silent", fails },
		{ "who deletes the account goes", deletes },
		{ "locked and changed accounts", cut },
		{ "while the password is being checked", while_verifying },
		{ "the taskmaster is away", taskmaster_away },
		{ "of which login they are, where they are sent", sent },
		{ "changes while no gateway was there", missed },
		{ "many who have gone, some at a time", many_missed },
		{ "who came with a later login stays", not_missed },
		{ "a taskmaster that may have forgotten", in_doubt },
		{ "the whole store was replaced", store_replaced },
		{ "by one that is older", store_restored },
		{ "the replica has no news, or fails", replica_fails },
		{ NULL, NULL }
	};

	return cutap_run("gateway_accounts", tests);
}
