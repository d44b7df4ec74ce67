/* SPDX-License-Identifier: MIT */
/*
 * The gateway's conversation, with an auth and a taskmaster that do what the
 * test says: answer, fail, answer with nonsense, or nothing at all.
 */
#include "cutap.h"
#include "stage.h"
#include "../../modules/gateway/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct conf conf;
static struct gateway *gateway;

/* What was asked last of the two services, and not answered yet. */
static struct auth_begin begun;
static struct mc_call *auth_call, *place_call, *maps_call;
static uint64_t stepped, dropped;
static struct taskmaster_request wanted;
static char listed_after[MC_KEY_SIZE];

static void
fake_begin(void *state, struct auth_begin *begin, struct mc_call *call)
{
	(void)state;
	begun = *begin;
	memset(begin->data, 0, sizeof(begin->data));
	auth_call = call;
}

static void
fake_step(void *state, uint64_t exchange, uint8_t *data, size_t len,
    struct mc_call *call)
{
	(void)state;
	(void)data;
	CU_ASSERT_EQUAL(len, 0);
	stepped = exchange;
	auth_call = call;
}

static void
fake_drop(void *state, uint64_t exchange)
{
	(void)state;
	dropped = exchange;
}

static void
fake_place(void *state, const struct taskmaster_request *request,
    struct mc_call *call)
{
	(void)state;
	wanted = *request;
	place_call = call;
}

static void
fake_maps(void *state, const char *after, struct mc_call *call)
{
	(void)state;
	snprintf(listed_after, sizeof(listed_after), "%s", after);
	maps_call = call;
}

static const struct auth_ops auth_ops = {
	.begin = fake_begin, .step = fake_step, .drop = fake_drop
};
static const struct taskmaster_ops taskmaster_ops = {
	.place = fake_place, .maps = fake_maps
};

static void
open_gateway(void)
{
	stage_reset("gateway");
	conf = (struct conf) {
		.listen = { .endpoint = "127.0.0.1:7740" }, .log_rate = 3,
		.question_rate = 6
	};
	gateway = mc_zalloc(metacube_module.state_size);
	gateway->auth.ops = &auth_ops;
	gateway->taskmaster.ops = &taskmaster_ops;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(gateway, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(gateway), MC_OK);
	stepped = dropped = 0;
	auth_call = place_call = maps_call = NULL;
}

/* Nothing is left over: no call, no session. */
static void
answer(struct mc_call **call, enum mc_status status, const void *data,
    size_t len)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(*call);
	mc_call_done(*call, status, data, len);
	*call = NULL;
	stage_pass(0);
}

static void
close_gateway(void)
{
	metacube_module.stop(gateway);
	stage_pass(0);
	if (auth_call != NULL)
		answer(&auth_call, MC_UNAVAILABLE, NULL, 0);
	if (place_call != NULL)
		answer(&place_call, MC_UNAVAILABLE, NULL, 0);
	if (maps_call != NULL)
		answer(&maps_call, MC_UNAVAILABLE, NULL, 0);
	CU_ASSERT_PTR_NULL(gateway->sessions);
	CU_ASSERT_EQUAL(stage_owed(), 0);
	free(gateway);
	stage_reset("");
}

static struct mc_conn *
log_in_as(const char *name, const char *map)
{
	struct mc_conn *conn = stage_connect();
	Metacube__Login login = METACUBE__LOGIN__INIT;
	uint8_t proof[32] = "the proof of Joe";

	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	login.version = 1;
	login.mechanism = (char *)"password";
	login.name = (char *)name;
	login.map = (char *)map;
	login.proof.data = proof;
	login.proof.len = sizeof(proof);
	SEND(conn, LOGIN, login, &login);
	stage_pass(0);
	return conn;
}

static struct mc_conn *
log_in(const char *map)
{
	return log_in_as("Joe", map);
}

static void
auth_says(enum auth_state state)
{
	struct auth_result result = {
		.state = state, .position = 4, .retry_ms = 2500,
		.exchange = state == AUTH_QUEUED ||
		    state == AUTH_CONTINUE ? 77 : 0,
		.uid = 5, .name = "joe", .display = "Joe"
	};

	answer(&auth_call, MC_OK, &result, sizeof(result));
}

static void
place_says_yes(void)
{
	struct taskmaster_place place = {
		.epoch = 3, .world = "world-2", .map = "newbie-island",
		.endpoint = "127.0.0.1:7751", .ticket_len = 6,
		.ticket = "ticket"
	};

	answer(&place_call, MC_OK, &place, sizeof(place));
}

/* Refused with words; closed or not. */
static void
refused(struct mc_conn *conn, Metacube__Reason reason, bool over)
{
	const Metacube__Envelope *envelope = HEARD(conn, REFUSED);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->refused->reason, reason);
	CU_ASSERT_TRUE(strlen(envelope->refused->text) > 5);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(stage_over(conn), over);
	CU_ASSERT_EQUAL(stage_unheard(conn), 0);
}

static void
with_map(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *conn;

	open_gateway();
	conn = log_in("newbie-island");
	CU_ASSERT_STRING_EQUAL(begun.mechanism, "password");
	CU_ASSERT_STRING_EQUAL(begun.name, "Joe");
	CU_ASSERT_STRING_EQUAL(begun.address, "192.0.2.7");
	CU_ASSERT_EQUAL(begun.len, 32);
	CU_ASSERT_STRING_EQUAL((char *)begun.data, "the proof of Joe");
	CU_ASSERT_FALSE(stage_admitted(conn));
	auth_says(AUTH_GRANTED);
	CU_ASSERT_TRUE(stage_admitted(conn));
	CU_ASSERT_EQUAL(wanted.uid, 5);
	CU_ASSERT_STRING_EQUAL(wanted.name, "joe");
	CU_ASSERT_STRING_EQUAL(wanted.display, "Joe");
	CU_ASSERT_STRING_EQUAL(wanted.map, "newbie-island");
	place_says_yes();
	envelope = HEARD(conn, REROUTE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL_FATAL(envelope->reroute->n_endpoint, 1);
	CU_ASSERT_STRING_EQUAL(envelope->reroute->endpoint[0],
	    "127.0.0.1:7751");
	CU_ASSERT_STRING_EQUAL(envelope->reroute->world, "world-2");
	CU_ASSERT_EQUAL(envelope->reroute->ticket.len, 6);
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_TRUE(stage_logged("joe from 192.0.2.7: rerouted to "
	    "world-2, newbie-island"));
	CU_ASSERT_FALSE(stage_logged("proof"));
	CU_ASSERT_FALSE(stage_logged("ticket"));
	CU_ASSERT_EQUAL(stage_count("reroutes"), 1);
	close_gateway();
}

static void
without_map(void)
{
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;
	Metacube__Join join = METACUBE__JOIN__INIT;
	struct taskmaster_map *maps =
	    mc_zalloc(TASKMASTER_MAPS_MAX * sizeof(*maps));
	const Metacube__Envelope *envelope;
	struct mc_conn *conn;

	open_gateway();
	conn = log_in("");
	auth_says(AUTH_GRANTED);
	envelope = HEARD(conn, LOGGED_IN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->logged_in->uid, 5);
	CU_ASSERT_STRING_EQUAL(envelope->logged_in->display, "Joe");
	list.after = (char *)"desert";
	SEND(conn, LIST_MAPS, list_maps, &list);
	CU_ASSERT_STRING_EQUAL(listed_after, "desert");
	for (size_t i = 0; i < TASKMASTER_MAPS_MAX; i++)
		snprintf(maps[i].map, sizeof(maps[i].map), "map-%zu", i);
	answer(&maps_call, MC_OK, maps, TASKMASTER_MAPS_MAX * sizeof(*maps));
	envelope = HEARD(conn, MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->maps->n_maps, TASKMASTER_MAPS_MAX);
	CU_ASSERT_STRING_EQUAL(envelope->maps->maps[255]->key, "map-255");
	CU_ASSERT_TRUE(envelope->maps->more);
	SEND(conn, LIST_MAPS, list_maps, &list);
	answer(&maps_call, MC_OK, NULL, 0);
	envelope = HEARD(conn, MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_FALSE(envelope->maps->more);
	SEND(conn, LIST_MAPS, list_maps, &list);
	answer(&maps_call, MC_UNAVAILABLE, NULL, 0);
	refused(conn, METACUBE__REASON__TRY_LATER, false);
	join.map = (char *)"../etc";
	SEND(conn, JOIN, join, &join);
	refused(conn, METACUBE__REASON__NO_SUCH_MAP, false);
	join.map = (char *)"desert";
	SEND(conn, JOIN, join, &join);
	CU_ASSERT_STRING_EQUAL(wanted.map, "desert");
	answer(&place_call, MC_NOT_FOUND, NULL, 0);
	refused(conn, METACUBE__REASON__NO_SUCH_MAP, false);
	SEND(conn, JOIN, join, &join);
	place_says_yes();
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REROUTE));
	CU_ASSERT_TRUE(stage_over(conn));
	free(maps);
	close_gateway();
}

static void
too_many_questions(void)
{
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;
	struct mc_conn *conn;

	open_gateway();
	conn = log_in("");
	auth_says(AUTH_GRANTED);
	for (int i = 0; i < 6; i++) {
		SEND(conn, LIST_MAPS, list_maps, &list);
		answer(&maps_call, MC_OK, NULL, 0);
	}
	SEND(conn, LIST_MAPS, list_maps, &list);
	refused(conn, METACUBE__REASON__TRY_LATER, false);
	stage_pass(1000);
	SEND(conn, LIST_MAPS, list_maps, &list);
	answer(&maps_call, MC_OK, NULL, 0);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, MAPS));
	close_gateway();
}

static void
auth_states(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *conn;

	open_gateway();
	conn = log_in("");
	auth_says(AUTH_LATER);
	envelope = HEARD(conn, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->refused->reason,
	    METACUBE__REASON__TRY_LATER);
	CU_ASSERT_EQUAL(envelope->refused->retry_ms, 2500);
	CU_ASSERT_TRUE(stage_over(conn));
	conn = log_in("");
	auth_says(AUTH_LOCKED);
	refused(conn, METACUBE__REASON__ACCOUNT_LOCKED, true);
	CU_ASSERT_FALSE(stage_admitted(conn));
	conn = log_in("");
	auth_says(AUTH_INACTIVE);
	refused(conn, METACUBE__REASON__ACCOUNT_INACTIVE, true);
	CU_ASSERT_FALSE(stage_admitted(conn));
	conn = log_in("");
	auth_says(AUTH_CONTINUE);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	CU_ASSERT_EQUAL(dropped, 77);
	CU_ASSERT_EQUAL(stage_count("logins_granted"), 0);
	close_gateway();
}

static void
auth_fails(void)
{
	static const struct {
		enum mc_status	 status;
		Metacube__Reason reason;
	} cases[] = {
		{ MC_DENIED, METACUBE__REASON__BAD_CREDENTIALS },
		{ MC_INVALID, METACUBE__REASON__BAD_REQUEST },
		{ MC_BUSY, METACUBE__REASON__TRY_LATER },
		{ MC_UNAVAILABLE, METACUBE__REASON__TRY_LATER },
		{ MC_TIMEOUT, METACUBE__REASON__TRY_LATER },
		{ MC_INTERNAL, METACUBE__REASON__TRY_LATER },
		{ MC_NOT_FOUND, METACUBE__REASON__TRY_LATER },
	};
	struct mc_conn *conn;

	open_gateway();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conn = log_in("newbie-island");
		answer(&auth_call, cases[i].status, NULL, 0);
		refused(conn, cases[i].reason, true);
	}
	conn = log_in("newbie-island");
	answer(&auth_call, MC_OK, "nonsense", 8);
	refused(conn, METACUBE__REASON__TRY_LATER, true);
	conn = log_in("newbie-island");
	stage_pass(AUTH_TIMEOUT_MS);	/* silent: the host answers */
	refused(conn, METACUBE__REASON__TRY_LATER, true);
	CU_ASSERT_PTR_NULL(place_call);
	CU_ASSERT_EQUAL(stage_count("logins_denied"), 1);
	close_gateway();
}

static void
taskmaster_fails(void)
{
	static const struct {
		enum mc_status	 status;
		Metacube__Reason reason;
	} cases[] = {
		{ MC_NOT_FOUND, METACUBE__REASON__NO_SUCH_MAP },
		{ MC_BUSY, METACUBE__REASON__NO_WORLD },
		{ MC_UNAVAILABLE, METACUBE__REASON__NO_WORLD },
		{ MC_DENIED, METACUBE__REASON__NOT_ALLOWED },
		{ MC_TIMEOUT, METACUBE__REASON__TRY_LATER },
		{ MC_INTERNAL, METACUBE__REASON__TRY_LATER },
	};
	struct taskmaster_place place = {
		.ticket_len = TASKMASTER_TICKET_MAX + 1
	};
	struct mc_conn *conn;

	open_gateway();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conn = log_in("newbie-island");
		auth_says(AUTH_GRANTED);
		answer(&place_call, cases[i].status, NULL, 0);
		refused(conn, cases[i].reason, false);
		stage_drop(conn);
	}
	conn = log_in("newbie-island");
	auth_says(AUTH_GRANTED);
	answer(&place_call, MC_OK, &place, sizeof(place));
	refused(conn, METACUBE__REASON__TRY_LATER, false);
	conn = log_in("newbie-island");
	auth_says(AUTH_GRANTED);
	stage_pass(TASKMASTER_TIMEOUT_MS);
	refused(conn, METACUBE__REASON__TRY_LATER, false);
	close_gateway();
}

static void
queued(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *conn;

	open_gateway();
	conn = log_in("");
	auth_says(AUTH_QUEUED);
	envelope = HEARD(conn, QUEUED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->queued->position, 4);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(stepped, 77);
	stepped = 0;
	auth_says(AUTH_QUEUED);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, QUEUED));
	CU_ASSERT_EQUAL(stepped, 77);
	auth_says(AUTH_GRANTED);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, LOGGED_IN));
	CU_ASSERT_EQUAL(dropped, 0);
	conn = log_in("");
	auth_says(AUTH_QUEUED);
	stage_drop(conn);
	CU_ASSERT_EQUAL(dropped, 77);
	answer(&auth_call, MC_TIMEOUT, NULL, 0);
	dropped = 0;
	conn = log_in("");
	auth_says(AUTH_QUEUED);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, QUEUED));
	answer(&auth_call, MC_TIMEOUT, NULL, 0);
	refused(conn, METACUBE__REASON__TRY_LATER, true);
	CU_ASSERT_EQUAL(dropped, 77);
	close_gateway();
}

/* The client goes at each moment: nobody is told afterwards. */
static void
client_gone(void)
{
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;
	struct mc_conn *conn;

	open_gateway();
	stage_drop(stage_connect());
	stage_drop(log_in(""));
	auth_says(AUTH_GRANTED);
	CU_ASSERT_PTR_NULL(place_call);
	conn = log_in("newbie-island");
	auth_says(AUTH_GRANTED);
	stage_drop(conn);
	place_says_yes();
	CU_ASSERT_EQUAL(stage_count("reroutes"), 0);
	conn = log_in("");
	auth_says(AUTH_GRANTED);
	SEND(conn, LIST_MAPS, list_maps, &list);
	stage_drop(conn);
	answer(&maps_call, MC_OK, NULL, 0);
	close_gateway();
}

static void
out_of_order(void)
{
	Metacube__Login login = METACUBE__LOGIN__INIT;
	Metacube__Join join = METACUBE__JOIN__INIT;
	Metacube__Place place = METACUBE__PLACE__INIT;
	Metacube__Envelope empty = METACUBE__ENVELOPE__INIT;
	struct mc_conn *conn;

	open_gateway();
	conn = stage_connect();
	SEND(conn, JOIN, join, &join);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	conn = stage_connect();
	SEND(conn, PLACE, place, &place);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	conn = stage_connect();
	empty.cid = 9;
	stage_say(conn, &empty);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	conn = log_in("");
	SEND(conn, LOGIN, login, &login);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	auth_says(AUTH_GRANTED);
	CU_ASSERT_EQUAL(stage_unheard(conn), 0);
	conn = log_in("newbie-island");
	auth_says(AUTH_GRANTED);
	SEND(conn, JOIN, join, &join);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	place_says_yes();
	CU_ASSERT_EQUAL(stage_count("reroutes"), 0);
	close_gateway();
}

static void
bad_logins(void)
{
	static uint8_t proof[AUTH_DATA_MAX + 1];
	Metacube__Login login = METACUBE__LOGIN__INIT;
	char name[200];
	struct mc_conn *conn;

	open_gateway();
	conn = stage_connect();
	login.version = 2;
	SEND(conn, LOGIN, login, &login);
	refused(conn, METACUBE__REASON__WRONG_VERSION, true);
	conn = stage_connect();
	login.version = 1;
	login.proof.data = proof;
	login.proof.len = sizeof(proof);
	SEND(conn, LOGIN, login, &login);
	refused(conn, METACUBE__REASON__BAD_REQUEST, true);
	conn = log_in("../../etc");
	refused(conn, METACUBE__REASON__NO_SUCH_MAP, true);
	CU_ASSERT_PTR_NULL(auth_call);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	conn = log_in_as(name, "");
	CU_ASSERT_EQUAL(strlen(begun.name), 63);
	answer(&auth_call, MC_DENIED, NULL, 0);
	refused(conn, METACUBE__REASON__BAD_CREDENTIALS, true);
	CU_ASSERT_FALSE(stage_logged("aaaa"));
	close_gateway();
}

static void
stopping(void)
{
	struct mc_conn *fresh, *asking, *known;

	open_gateway();
	known = log_in("");
	auth_says(AUTH_GRANTED);
	CU_ASSERT_PTR_NOT_NULL(HEARD(known, LOGGED_IN));
	asking = log_in("");
	fresh = stage_connect();
	metacube_module.stop(gateway);
	refused(known, METACUBE__REASON__SERVER_STOPPING, true);
	refused(asking, METACUBE__REASON__SERVER_STOPPING, true);
	CU_ASSERT_PTR_NOT_NULL(HEARD(fresh, REFUSED));
	close_gateway();
}

static void
log_is_bounded(void)
{
	open_gateway();
	for (int i = 0; i < 10; i++) {
		log_in("");
		answer(&auth_call, MC_DENIED, NULL, 0);
	}
	CU_ASSERT_FALSE(stage_logged("more were refused"));
	stage_pass(1000);
	log_in("");
	answer(&auth_call, MC_DENIED, NULL, 0);
	CU_ASSERT_TRUE(stage_logged("7 more were refused"));
	CU_ASSERT_EQUAL(stage_count("refused"), 11);
	close_gateway();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "Login with a map, Reroute", with_map },
		{ "Login, ListMaps, Join, Reroute", without_map },
		{ "more questions in a second than allowed",
		  too_many_questions },
		{ "later, locked, a mechanism of steps", auth_states },
		{ "auth fails, or is silent", auth_fails },
		{ "the taskmaster fails, or is silent", taskmaster_fails },
		{ "the queue, and leaving it", queued },
		{ "the client goes at any moment", client_gone },
		{ "messages in the wrong state", out_of_order },
		{ "logins that cannot be", bad_logins },
		{ "the server stops", stopping },
		{ "refusals do not fill the log", log_is_bounded },
		{ NULL, NULL }
	};

	return cutap_run("gateway", tests);
}
