/* SPDX-License-Identifier: MIT */
#include "gateway_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf conf;
static struct gateway *gateway;

static struct mc_call *auth_call;
struct mc_call *place_call, *evict_call, *change_call, *news_call,
    *lookup_call;
struct account_request change;
uint64_t evicted, news_after, placed_generation;
int evicted_for;
char looked_up[MC_NAME_SIZE];
uint64_t doubt;
enum mc_status players_status;

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

static struct taskmaster_player there[300];
static size_t are_there;

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

void
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

void
answer(struct mc_call **call, enum mc_status status, const void *data,
    size_t len)
{
	struct mc_call *answered = *call;

	CU_ASSERT_PTR_NOT_NULL_FATAL(answered);
	*call = NULL;
	mc_call_done(answered, status, data, len);
	stage_pass(0);
}

void
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

void
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

struct mc_conn *
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

void
granted(uint64_t uid, const char *name, const char *display)
{
	struct auth_result result = {
		.state = AUTH_GRANTED, .uid = uid, .generation = 17
	};

	snprintf(result.name, sizeof(result.name), "%s", name);
	snprintf(result.display, sizeof(result.display), "%s", display);
	answer(&auth_call, MC_OK, &result, sizeof(result));
}

struct mc_conn *
joe_is_in(void)
{
	struct mc_conn *conn = log_in("Joe");

	granted(5, "joe", "Joe");
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, LOGGED_IN));
	return conn;
}

void
kicked(struct mc_conn *conn, Metacube__Reason reason)
{
	const Metacube__Envelope *envelope = HEARD(conn, KICKED);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason, (uint32_t)reason);
	CU_ASSERT_TRUE(strlen(envelope->kicked->text) > 5);
	CU_ASSERT_TRUE(stage_over(conn));
}

void
told(uint64_t number, enum replica_what what, uint64_t uid, const char *name)
{
	struct replica_news piece = {
		.number = number, .what = what, .uid = uid
	};

	snprintf(piece.name, sizeof(piece.name), "%s", name);
	answer(&news_call, MC_OK, &piece, sizeof(piece));
	CU_ASSERT_EQUAL(news_after, number);
}
