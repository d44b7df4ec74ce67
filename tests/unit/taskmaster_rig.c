/* SPDX-License-Identifier: MIT */
#include "taskmaster_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf conf;
struct taskmaster *taskmaster;
static struct mc_ref service;

void
open_taskmaster(void)
{
	stage_reset("taskmaster");
	conf = (struct conf) {
		.listen = { .endpoint = "127.0.0.1:7745" },
		.policy = COMBINED, .overload = 900,
		.ticket_ms = 20000, .seat_slack_ms = 5000,
		.load_ms = 20000, .silent_ms = 10000,
		.rotation_ms = 3600000, .max_waiting = 100,
	};
	taskmaster = mc_zalloc(metacube_module.state_size);
	service.provider = taskmaster;
	service.ops = metacube_module.provides[0].ops;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(taskmaster, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(taskmaster), MC_OK);
}

void
close_taskmaster(void)
{
	metacube_module.stop(taskmaster);
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_owed(), 0);
	CU_ASSERT_EQUAL(taskmaster->players.count, 0);
	CU_ASSERT_EQUAL(taskmaster->waiting, 0);
	CU_ASSERT_PTR_NULL(taskmaster->links);
	CU_ASSERT_PTR_NULL(taskmaster->placement.worlds);
	metacube_module.fini(taskmaster);
	free(taskmaster);
	stage_reset("");
}

char island[] = "newbie-island";
static char desert[] = "desert", title[] = "A title";

void
terms_fill(struct terms *terms, const char *name)
{
	static char *titles[] = { title, title };
	Metacube__Register *message = &terms->message;

	memset(terms, 0, sizeof(*terms));
	metacube__register__init(message);
	message->version = 1;
	message->name = (char *)name;
	message->endpoint = (char *)"127.0.0.1:7750";
	message->capacity = 100;
	terms->maps[0] = island;
	terms->maps[1] = desert;
	message->n_map = message->n_title = message->n_map_capacity = 2;
	message->map = terms->maps;
	message->title = titles;
	message->map_capacity = terms->capacities;
	message->running = terms->running;
	message->running_epoch = terms->epochs;
	message->player = terms->players;
	message->player_display = terms->displays;
	message->player_map = terms->player_maps;
	message->player_generation = terms->generations;
}

void
terms_run(struct terms *terms, uint64_t epoch, uint64_t uid)
{
	terms->message.n_running = terms->message.n_running_epoch = 1;
	terms->running[0] = island;
	terms->epochs[0] = epoch;
	terms->message.n_player = terms->message.n_player_display =
	    terms->message.n_player_map =
	    terms->message.n_player_generation = 1;
	terms->players[0] = uid;
	terms->generations[0] = GENERATION_OF(uid);
	terms->displays[0] = (char *)"Joe";
}

struct mc_conn *
world_say(struct terms *terms)
{
	struct mc_conn *conn;

	stage_peer(NULL, terms->message.name, "world");
	conn = stage_connect();
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	CU_ASSERT_TRUE(stage_admitted(conn));
	SAY(conn, 3, REGISTER, register_, &terms->message);
	return conn;
}

struct ticket_key
key_heard(struct mc_conn *conn)
{
	const Metacube__Envelope *envelope = HEARD(conn, TICKET_KEY);
	struct ticket_key key = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	key.id = envelope->ticket_key->id;
	CU_ASSERT_EQUAL_FATAL(envelope->ticket_key->secret.len,
	    sizeof(key.secret));
	memcpy(key.secret, envelope->ticket_key->secret.data,
	    sizeof(key.secret));
	return key;
}

struct mc_conn *
world_up(const char *name, struct ticket_key *key_r)
{
	struct terms terms;
	struct mc_conn *conn;
	const Metacube__Envelope *envelope;
	struct ticket_key key;

	terms_fill(&terms, name);
	conn = world_say(&terms);
	envelope = HEARD(conn, REGISTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 3);
	key = key_heard(conn);
	if (key_r != NULL)
		*key_r = key;
	return conn;
}

struct mc_conn *
gateway_up(void)
{
	struct mc_conn *conn;

	stage_peer(NULL, "gateway", "gateway");
	conn = stage_connect();
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	return conn;
}

static void
placed(void *owner, const struct mc_reply *reply)
{
	struct question *question = owner;

	question->answered = true;
	question->status = reply->status;
	if (MC_RESULT(reply, struct taskmaster_place) != NULL)
		memcpy(&question->place, reply->data,
		    sizeof(question->place));
}

void
ask(struct question *question, uint64_t uid, const char *map)
{
	struct taskmaster_request request = {
		.uid = uid, .generation = GENERATION_OF(uid)
	};

	memset(question, 0, sizeof(*question));
	snprintf(request.name, sizeof(request.name), "user-%u",
	    (unsigned)uid);
	snprintf(request.display, sizeof(request.display), "User-%u",
	    (unsigned)uid);
	snprintf(request.map, sizeof(request.map), "%s", map);
	taskmaster_place(&service, &request, &question->call, placed,
	    question);
	stage_pass(0);
}

static void
players_told(void *owner, const struct mc_reply *reply)
{
	struct taskmaster_players *list = owner;

	CU_ASSERT_PTR_NOT_NULL_FATAL(MC_RESULT(reply,
	    struct taskmaster_players));
	memcpy(list, reply->data, sizeof(*list));
}

struct taskmaster_players
players_ask(uint64_t after)
{
	struct taskmaster_players list = { 0 };
	struct mc_call *call = NULL;

	taskmaster_players(&service, after, &call, players_told, &list);
	stage_pass(0);
	CU_ASSERT_NOT_EQUAL(list.doubt, 0);
	return list;
}

void
evict_ask(struct question *question, uint64_t uid, Metacube__Reason reason)
{
	memset(question, 0, sizeof(*question));
	taskmaster_evict(&service, uid, (int)reason, &question->call, placed,
	    question);
	stage_pass(0);
}

uint64_t
load_heard(struct mc_conn *conn, uint32_t *cid_r)
{
	const Metacube__Envelope *envelope = HEARD(conn, LOAD);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_STRING_EQUAL(envelope->load->map, "newbie-island");
	*cid_r = envelope->cid;
	return envelope->load->epoch;
}

void
loaded_say(struct mc_conn *conn, uint32_t cid, uint64_t epoch)
{
	Metacube__Loaded loaded = METACUBE__LOADED__INIT;

	loaded.map = island;
	loaded.epoch = epoch;
	SAY(conn, cid, LOADED, loaded, &loaded);
	stage_pass(0);
}

uint64_t
load_do(struct mc_conn *conn)
{
	uint32_t cid;
	uint64_t epoch = load_heard(conn, &cid);

	loaded_say(conn, cid, epoch);
	return epoch;
}

void
load_refuse(struct mc_conn *conn)
{
	Metacube__Refused refused = METACUBE__REFUSED__INIT;
	uint32_t cid;

	load_heard(conn, &cid);
	refused.text = (char *)"terrain.png is damaged";
	SAY(conn, cid, REFUSED, refused, &refused);
	stage_pass(0);
}

void
arrive(struct mc_conn *conn, uint64_t uid, uint64_t epoch,
    const struct ticket *ticket)
{
	Metacube__Arrived arrived = METACUBE__ARRIVED__INIT;

	arrived.uid = uid;
	arrived.display = (char *)"Joe";
	arrived.map = island;
	arrived.epoch = epoch;
	if (ticket != NULL) {
		arrived.ticket.data = (uint8_t *)ticket->id;
		arrived.ticket.len = sizeof(ticket->id);
	}
	SAY(conn, 0, ARRIVED, arrived, &arrived);
}

struct ticket
ticket_of(const struct question *question, const struct ticket_key *key)
{
	struct ticket ticket = { 0 };

	CU_ASSERT_EQUAL_FATAL(question->status, MC_OK);
	CU_ASSERT_EQUAL(ticket_open(question->place.ticket,
	    question->place.ticket_len, key, 1, question->place.world,
	    mc_time_ms(), &ticket), TICKET_FINE);
	return ticket;
}

struct world *
world(const char *name)
{
	return world_find(&taskmaster->placement, name);
}

struct mc_conn *
first_of_two(struct mc_conn *one, struct mc_conn *two)
{
	CU_ASSERT_EQUAL(stage_unheard(one) + stage_unheard(two), 1);
	return stage_unheard(one) > 0 ? one : two;
}
