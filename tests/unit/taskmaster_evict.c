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

	open_taskmaster();
	conn = world_up("world-1", &key);
	ask(&question, 7, "newbie-island");
	load_do(conn);
	ticket = ticket_of(&question, &key);
	CU_ASSERT_EQUAL(world("world-1")->seats, 1);
	evict_ask(&question, 7, CHANGED);
	CU_ASSERT_EQUAL(world("world-1")->seats, 0);
	CU_ASSERT_TRUE(evict_heard(conn, 7, CHANGED) >= ticket.expires_ms);
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
	{ "a world that was away", world_away },
	{ "worlds that were not met yet", not_met_yet },
	{ NULL, NULL }
};
