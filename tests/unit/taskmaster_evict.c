/* SPDX-License-Identifier: MIT */
/*
 * The taskmaster and those who have to go: every world hears of it, also the
 * one that was away, and nothing that was given before is good any more.
 */
#include "taskmaster_rig.h"

#include <string.h>

#define LOCKED	METACUBE__REASON__ACCOUNT_LOCKED
#define CHANGED	METACUBE__REASON__ACCOUNT_CHANGED

/* Told to end all sessions of that user; void_ms of the tickets. */
static uint64_t
evict_heard(struct mc_conn *conn, uint64_t uid, Metacube__Reason reason)
{
	const Metacube__Envelope *envelope = HEARD(conn, KICK);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kick->uid, uid);
	CU_ASSERT_STRING_EQUAL(envelope->kick->map, "");
	CU_ASSERT_EQUAL(envelope->kick->reason, (uint32_t)reason);
	return envelope->kick->void_ms;
}

/* A user on a copy of its own world. */
static uint64_t
settle(struct mc_conn *conn, const struct ticket_key *key, uint64_t uid)
{
	struct question question;
	struct ticket ticket;
	uint64_t epoch;

	ask(&question, uid, "newbie-island");
	epoch = load_do(conn);
	ticket = ticket_of(&question, key);
	arrive(conn, uid, epoch, &ticket);
	return epoch;
}

static void
everywhere(void)
{
	struct question question;
	struct mc_conn *one, *two;
	struct ticket_key key;

	open_taskmaster();
	one = world_up("world-1", &key);
	settle(one, &key, 7);
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	two = world_up("world-2", NULL);
	evict_ask(&question, 7, LOCKED);
	CU_ASSERT_EQUAL(question.status, MC_OK);
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	CU_ASSERT_EQUAL(taskmaster->players.count, 0);
	evict_heard(one, 7, LOCKED);
	evict_heard(two, 7, LOCKED);
	CU_ASSERT_TRUE(stage_logged("the account is locked"));
	evict_ask(&question, 4711, CHANGED);	/* nowhere */
	CU_ASSERT_EQUAL(question.status, MC_OK);
	close_taskmaster();
}

/* The seat is free, and the ticket of no use. */
static void
tickets_void(void)
{
	struct question question;
	struct mc_conn *conn;
	struct ticket_key key;
	struct ticket ticket;
	uint64_t epoch;

	open_taskmaster();
	conn = world_up("world-1", &key);
	ask(&question, 7, "newbie-island");
	epoch = load_do(conn);
	ticket = ticket_of(&question, &key);
	CU_ASSERT_EQUAL(world("world-1")->seats, 1);
	evict_ask(&question, 7, CHANGED);
	CU_ASSERT_EQUAL(world("world-1")->seats, 0);
	CU_ASSERT_TRUE(evict_heard(conn, 7, CHANGED) >= ticket.expires_ms);
	/* A clock has gone back, and the world lets the user in. */
	taskmaster->started_ms = mc_now_ms() - 2 * TICKET_LIFE_MS - 1;
	arrive(conn, 7, epoch, &ticket);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, KICK));
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	ask(&question, 7, "newbie-island");	/* with the new password */
	CU_ASSERT_EQUAL(question.status, MC_OK);
	CU_ASSERT_EQUAL(world("world-1")->seats, 1);
	close_taskmaster();
}

static void
while_it_loads(void)
{
	struct question joe, amanda, question;
	struct mc_conn *conn;
	uint32_t cid;
	uint64_t epoch;

	open_taskmaster();
	conn = world_up("world-1", NULL);
	ask(&joe, 7, "newbie-island");
	ask(&amanda, 8, "newbie-island");
	epoch = load_heard(conn, &cid);
	CU_ASSERT_FALSE(joe.answered);
	evict_ask(&question, 7, LOCKED);
	CU_ASSERT_EQUAL(joe.status, MC_DENIED);
	CU_ASSERT_FALSE(amanda.answered);
	CU_ASSERT_EQUAL(world("world-1")->seats, 1);
	loaded_say(conn, cid, epoch);
	CU_ASSERT_EQUAL(amanda.status, MC_OK);
	close_taskmaster();
}

static Metacube__Envelope__MessageCase
evict_said(struct mc_conn *conn)
{
	Metacube__Evict evict = METACUBE__EVICT__INIT;
	const Metacube__Envelope *envelope;

	evict.uid = 7;
	evict.reason = LOCKED;
	SAY(conn, 12, EVICT, evict, &evict);
	envelope = HEARD(conn, EVICTED);
	if (envelope == NULL)
		return METACUBE__ENVELOPE__MESSAGE__NOT_SET;
	CU_ASSERT_EQUAL(envelope->cid, 12);
	return envelope->message_case;
}

static void
who_may(void)
{
	const Metacube__Envelope *envelope;
	Metacube__Evict evict = METACUBE__EVICT__INIT;
	struct mc_conn *conn, *other;
	struct ticket_key key;

	open_taskmaster();
	conn = world_up("world-1", &key);
	settle(conn, &key, 7);
	other = world_up("world-2", NULL);
	evict.uid = 7;
	SAY(other, 12, EVICT, evict, &evict);
	envelope = HEARD(other, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 12);
	CU_ASSERT_EQUAL(envelope->refused->reason,
	    METACUBE__REASON__NOT_ALLOWED);
	CU_ASSERT_FALSE(stage_over(other));
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	CU_ASSERT_PTR_NULL(HEARD(conn, KICK));
	CU_ASSERT_EQUAL(evict_said(gateway_up()),
	    METACUBE__ENVELOPE__MESSAGE_EVICTED);
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	stage_peer(NULL, "account", "account");
	CU_ASSERT_EQUAL(evict_said(stage_connect()),
	    METACUBE__ENVELOPE__MESSAGE_EVICTED);
	CU_ASSERT_EQUAL(stage_count("evictions"), 2);
	CU_ASSERT_EQUAL(stage_count("evictions_denied"), 1);
	close_taskmaster();
}

static const Metacube__Envelope *
list_asked(struct mc_conn *conn, uint64_t after)
{
	Metacube__ListPlayers list = METACUBE__LIST_PLAYERS__INIT;

	list.after = after;
	SAY(conn, 13, LIST_PLAYERS, list_players, &list);
	return stage_unheard(conn) > 0 ? HEARD(conn, PLAYERS) : NULL;
}

/* Who is there and who is expected, each with the older login. */
static void
listed(void)
{
	const Metacube__Envelope *envelope;
	struct taskmaster_players list;
	struct question question;
	struct mc_conn *conn;
	struct ticket_key key;

	open_taskmaster();
	conn = world_up("world-1", &key);
	settle(conn, &key, 7);
	ask(&question, 8, "newbie-island");
	CU_ASSERT_EQUAL(ticket_of(&question, &key).generation,
	    GENERATION_OF(8));
	list = players_ask(0);
	CU_ASSERT_EQUAL_FATAL(list.count, 2);
	CU_ASSERT_EQUAL(list.players[0].uid, 7);
	CU_ASSERT_EQUAL(list.players[0].generation, GENERATION_OF(7));
	/* as the gateway has said, not as the world */
	CU_ASSERT_STRING_EQUAL(list.players[0].display, "User-7");
	CU_ASSERT_EQUAL(list.players[1].uid, 8);
	CU_ASSERT_EQUAL(list.players[1].generation, GENERATION_OF(8));
	CU_ASSERT_EQUAL(players_ask(list.players[1].number).count, 0);
	CU_ASSERT_EQUAL(players_ask(UINT64_MAX).count, 0);
	CU_ASSERT_EQUAL(players_ask(UINT64_MAX).doubt, list.doubt);
	player_find(taskmaster, 7)->generation = 3;	/* came long ago, */
	ask(&question, 7, "newbie-island");		/* and once more */
	CU_ASSERT_EQUAL(players_ask(0).players[0].generation, 3);
	envelope = list_asked(gateway_up(), list.players[0].number);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 13);
	CU_ASSERT_EQUAL(envelope->players->doubt, list.doubt);
	CU_ASSERT_EQUAL_FATAL(envelope->players->n_uid, 1);
	CU_ASSERT_EQUAL(envelope->players->uid[0], 8);
	CU_ASSERT_EQUAL(envelope->players->generation[0], GENERATION_OF(8));
	CU_ASSERT_STRING_EQUAL(envelope->players->display[0], "User-8");
	CU_ASSERT_PTR_NULL(list_asked(conn, 0));	/* not a world */
	CU_ASSERT_FALSE(stage_over(conn));
	close_taskmaster();
}

/* From there on with the login that brought them there, whatever the world
 * says. */
static void
goes_on(void)
{
	Metacube__Place place = METACUBE__PLACE__INIT;
	const Metacube__Envelope *envelope;
	struct question question = { .status = MC_OK };
	struct mc_conn *conn;
	struct ticket_key key;

	open_taskmaster();
	conn = world_up("world-1", &key);
	settle(conn, &key, 7);
	place.uid = 7;
	place.name = (char *)"joe";
	place.display = (char *)"Joe";
	place.map = island;
	place.generation = 4711;
	SAY(conn, 14, PLACE, place, &place);
	envelope = HEARD(conn, PLACED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	strcpy(question.place.world, "world-1");
	question.place.ticket_len = envelope->placed->ticket.len;
	memcpy(question.place.ticket, envelope->placed->ticket.data,
	    question.place.ticket_len);
	CU_ASSERT_EQUAL(ticket_of(&question, &key).generation,
	    GENERATION_OF(7));
	close_taskmaster();
}

/* More than fit into one answer, and some of them go meanwhile. */
static void
many(void)
{
	const size_t all = 2 * TASKMASTER_PLAYERS_MAX + 10;
	struct taskmaster_players list;
	struct question question;
	struct mc_conn *conn;
	struct terms terms;
	size_t seen = 0;

	open_taskmaster();
	terms_fill(&terms, "world-1");
	terms.message.capacity = 10000;
	conn = world_say(&terms);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REGISTERED));
	key_heard(conn);
	ask(&question, 1, "newbie-island");
	load_do(conn);
	for (uint64_t uid = 2; uid <= all; uid++)
		ask(&question, uid, "newbie-island");
	for (list = players_ask(0); list.count > 0;
	    list = players_ask(list.players[list.count - 1].number)) {
		for (size_t i = 0; i < list.count; i++)
			CU_ASSERT_EQUAL(list.players[i].uid, ++seen);
		evict_ask(&question, seen, LOCKED);
	}
	CU_ASSERT_EQUAL(seen, all);
	close_taskmaster();
}

/* Who was there before this taskmaster was: nobody knows here who was to go
 * meanwhile. */
static void
doubts(void)
{
	struct terms terms;
	struct question question;
	struct mc_conn *conn;
	uint64_t doubt, epoch;

	open_taskmaster();
	doubt = players_ask(UINT64_MAX).doubt;
	terms_fill(&terms, "world-1");
	epoch = mc_time_ms() << 16;
	terms_run(&terms, epoch, 7);
	conn = world_say(&terms);
	CU_ASSERT_NOT_EQUAL(players_ask(UINT64_MAX).doubt, doubt);
	doubt = players_ask(UINT64_MAX).doubt;
	CU_ASSERT_EQUAL(players_ask(0).players[0].generation,
	    GENERATION_OF(7));
	arrive(conn, 8, epoch, NULL);	/* with a ticket from before */
	CU_ASSERT_NOT_EQUAL(players_ask(UINT64_MAX).doubt, doubt);
	doubt = players_ask(UINT64_MAX).doubt;
	CU_ASSERT_EQUAL(players_ask(0).players[1].generation, 0);
	arrive(conn, 8, epoch, NULL);	/* is there */
	ask(&question, 9, "newbie-island");
	world_up("world-2", NULL);	/* nobody is there */
	CU_ASSERT_EQUAL(players_ask(UINT64_MAX).doubt, doubt);
	terms_fill(&terms, "world-3");
	terms_run(&terms, epoch + 1, 10);
	terms.message.n_player_generation = 0;	/* an older world */
	world_say(&terms);
	CU_ASSERT_EQUAL(players_ask(0).count, 4);
	CU_ASSERT_EQUAL(players_ask(0).players[3].generation, 0);
	terms_fill(&terms, "world-4");
	terms_run(&terms, epoch + 2, 11);
	terms.message.n_player_generation = 2;	/* cannot be */
	conn = world_say(&terms);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REFUSED));
	close_taskmaster();
}

static struct mc_conn *
come_back(uint64_t epoch, uint64_t uid)
{
	struct terms terms;
	struct mc_conn *conn;

	terms_fill(&terms, "world-1");
	terms_run(&terms, epoch, uid);
	conn = world_say(&terms);
	CU_ASSERT_PTR_NOT_NULL_FATAL(HEARD(conn, REGISTERED));
	return conn;
}

/* A world that is away keeps its users, until it comes back. */
static void
world_away(void)
{
	struct question question;
	struct mc_conn *conn;
	struct ticket_key key;
	uint64_t epoch;

	open_taskmaster();
	conn = world_up("world-1", &key);
	epoch = settle(conn, &key, 7);
	stage_pass(30);
	stage_drop(conn);
	stage_pass(5000);
	evict_ask(&question, 7, LOCKED);
	CU_ASSERT_EQUAL(question.status, MC_OK);
	stage_pass(5000);
	conn = come_back(epoch, 7);
	evict_heard(conn, 7, LOCKED);
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	/* Who comes afterwards was let in by then. */
	for (int i = 0; i < 5; i++) {
		stage_pass(9000);
		SAY(conn, 0, REPORT, report,
		    &(Metacube__Report)METACUBE__REPORT__INIT);
	}
	stage_drop(conn);
	stage_pass(0);
	conn = come_back(epoch, 7);
	CU_ASSERT_PTR_NULL(HEARD(conn, KICK));
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	close_taskmaster();
}

/* A taskmaster that was started again has not met its worlds yet. */
static void
not_met_yet(void)
{
	struct question question;
	struct mc_conn *conn;

	open_taskmaster();
	evict_ask(&question, 7, CHANGED);
	conn = come_back(mc_time_ms() << 16, 7);
	evict_heard(conn, 7, CHANGED);
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	close_taskmaster();
}

const struct cutap_test taskmaster_evict_tests[] = {
	{ "from every world", everywhere },
	{ "seats are free, tickets void", tickets_void },
	{ "who waits for a map is told no", while_it_loads },
	{ "gateways and account servers may, worlds may not", who_may },
	{ "who is there, and who is expected", listed },
	{ "from world to world with one login", goes_on },
	{ "more than one answer holds", many },
	{ "who came before this taskmaster is in doubt", doubts },
	{ "a world that was away", world_away },
	{ "worlds that were not met yet", not_met_yet },
	{ NULL, NULL }
};
