/* SPDX-License-Identifier: MIT */
/*
 * The taskmaster's conversations with worlds and gateways, message by
 * message; connections and time are the test's own.  Here: who gets a place;
 * taskmaster_worlds.c has the worlds.
 */
#include "taskmaster_rig.h"

#include <stdlib.h>
#include <string.h>

static void
story(void)
{
	struct ticket_key key;
	struct mc_conn *conn;
	struct question joe, amanda;
	struct ticket ticket;
	Metacube__Departed departed = METACUBE__DEPARTED__INIT;

	open_taskmaster();
	conn = world_up("world-2", &key);
	ask(&joe, 1, "newbie-island");
	CU_ASSERT_FALSE(joe.answered);
	CU_ASSERT_EQUAL(world("world-2")->seats, 1);
	CU_ASSERT_TRUE(stage_logged("place newbie-island: not loaded "
	    "anywhere; world-2 has 0 users: world-2 is to load it"));
	stage_pass(12);
	load_do(conn);
	CU_ASSERT_TRUE(stage_logged("in 12 ms"));
	CU_ASSERT_TRUE(joe.answered);
	ticket = ticket_of(&joe, &key);
	CU_ASSERT_EQUAL(ticket.uid, 1);
	CU_ASSERT_STRING_EQUAL(ticket.name, "user-1");
	CU_ASSERT_EQUAL(ticket.epoch, joe.place.epoch);
	CU_ASSERT_EQUAL(ticket.expires_ms, mc_time_ms() + 20000);
	CU_ASSERT_STRING_EQUAL(joe.place.endpoint, "127.0.0.1:7750");
	arrive(conn, 1, ticket.epoch, &ticket);
	CU_ASSERT_EQUAL(world("world-2")->seats, 0);
	CU_ASSERT_EQUAL(world("world-2")->users, 1);
	ask(&amanda, 2, "newbie-island");
	CU_ASSERT_TRUE(amanda.answered);
	CU_ASSERT_EQUAL(amanda.place.epoch, joe.place.epoch);
	CU_ASSERT_PTR_NULL(HEARD(conn, LOAD));
	CU_ASSERT_TRUE(stage_logged("user-2: newbie-island already runs on "
	    "world-2, seat there"));
	departed.uid = 1;
	departed.map = island;
	departed.epoch = ticket.epoch;
	SAY(conn, 0, DEPARTED, departed, &departed);
	CU_ASSERT_EQUAL(world("world-2")->users, 0);
	CU_ASSERT_EQUAL(world("world-2")->seats, 1);
	close_taskmaster();
}

/* Seats end with their tickets, when nobody comes. */
static void
seats_expire(void)
{
	Metacube__Report report = METACUBE__REPORT__INIT;
	struct question question;
	struct mc_conn *conn;

	open_taskmaster();
	conn = world_up("world-1", NULL);
	ask(&question, 1, "newbie-island");
	load_do(conn);
	ask(&question, 1, "newbie-island");
	CU_ASSERT_EQUAL(world("world-1")->seats, 1);
	ask(&question, 2, "newbie-island");
	CU_ASSERT_EQUAL(world("world-1")->seats, 2);
	for (int i = 0; i < 24; i++) {
		stage_pass(1000);
		SAY(conn, 0, REPORT, report, &report);
	}
	CU_ASSERT_EQUAL(world("world-1")->seats, 2);
	stage_pass(1001);
	CU_ASSERT_EQUAL(world("world-1")->seats, 0);
	CU_ASSERT_EQUAL(taskmaster->players.count, 0);
	CU_ASSERT_EQUAL(stage_count("seats_expired"), 2);
	close_taskmaster();
}

/* A thousand come at once: one LOAD, and no seat beyond the capacity. */
static void
one_load(void)
{
	struct question *crowd = mc_zalloc(1000 * sizeof(*crowd));
	struct mc_conn *conn;
	unsigned seated = 0, full = 0;

	open_taskmaster();
	conf.max_waiting = 1000;
	conn = world_up("world-1", NULL);
	for (unsigned i = 0; i < 1000; i++)
		ask(&crowd[i], i + 1, "newbie-island");
	load_do(conn);
	CU_ASSERT_PTR_NULL(HEARD(conn, LOAD));
	for (unsigned i = 0; i < 1000; i++) {
		CU_ASSERT_TRUE(crowd[i].answered);
		seated += crowd[i].status == MC_OK;
		full += crowd[i].status == MC_BUSY;
	}
	CU_ASSERT_EQUAL(seated, 100);
	CU_ASSERT_EQUAL(full, 900);
	CU_ASSERT_EQUAL(stage_count("loads"), 1);
	CU_ASSERT_EQUAL(world("world-1")->seats, 100);
	free(crowd);
	close_taskmaster();
}

static void
nowhere(void)
{
	struct question question;

	open_taskmaster();
	ask(&question, 1, "newbie-island");
	CU_ASSERT_EQUAL(question.status, MC_UNAVAILABLE);
	world_up("world-1", NULL);
	ask(&question, 1, "atlantis");
	CU_ASSERT_EQUAL(question.status, MC_NOT_FOUND);
	conf.max_waiting = 0;
	ask(&question, 1, "newbie-island");
	CU_ASSERT_EQUAL(question.status, MC_BUSY);
	close_taskmaster();
}

static void
load_fails(void)
{
	struct mc_conn *one, *two, *conn;
	struct question joe, amanda;

	open_taskmaster();
	one = world_up("world-1", NULL);
	two = world_up("world-2", NULL);
	ask(&joe, 1, "newbie-island");
	ask(&amanda, 2, "newbie-island");
	conn = first_of_two(one, two);
	load_refuse(conn);
	CU_ASSERT_TRUE(stage_logged("could not load newbie-island: "
	    "terrain.png is damaged"));
	CU_ASSERT_FALSE(joe.answered);
	conn = conn == one ? two : one;
	load_do(conn);
	CU_ASSERT_EQUAL(joe.status, MC_OK);
	CU_ASSERT_EQUAL(amanda.status, MC_OK);
	CU_ASSERT_EQUAL(world("world-1")->seats + world("world-2")->seats,
	    2);
	close_taskmaster();
}

/* Once elsewhere, not for ever. */
static void
load_fails_twice(void)
{
	Metacube__Report report = METACUBE__REPORT__INIT;
	struct mc_conn *one, *two, *conn;
	struct question joe;
	uint32_t cid;
	uint64_t epoch;

	open_taskmaster();
	one = world_up("world-1", NULL);
	two = world_up("world-2", NULL);
	ask(&joe, 1, "newbie-island");
	conn = first_of_two(one, two);
	epoch = load_heard(conn, &cid);
	for (int i = 0; i < 20; i++) {
		stage_pass(1000);
		SAY(one, 0, REPORT, report, &report);
		SAY(two, 0, REPORT, report, &report);
	}
	CU_ASSERT_TRUE(stage_logged("it took too long"));
	CU_ASSERT_FALSE(joe.answered);
	load_refuse(conn == one ? two : one);
	CU_ASSERT_EQUAL(joe.status, MC_UNAVAILABLE);
	CU_ASSERT_EQUAL(taskmaster->placement.copies.count, 0);
	/* the first one has finished after all: it is used */
	loaded_say(conn, cid, epoch);
	CU_ASSERT_EQUAL(taskmaster->placement.copies.count, 1);
	ask(&joe, 1, "newbie-island");
	CU_ASSERT_EQUAL(joe.status, MC_OK);
	CU_ASSERT_EQUAL(joe.place.epoch, epoch);
	close_taskmaster();
}

static void
world_lost_while_loading(void)
{
	struct mc_conn *one, *two, *conn;
	struct question joe, amanda;

	open_taskmaster();
	one = world_up("world-1", NULL);
	two = world_up("world-2", NULL);
	ask(&joe, 1, "newbie-island");
	ask(&amanda, 2, "newbie-island");
	conn = first_of_two(one, two);
	stage_drop(conn);
	CU_ASSERT_TRUE(stage_logged("is lost: 1 map and 0 users with it"));
	CU_ASSERT_EQUAL(taskmaster->placement.nworlds, 1);
	conn = conn == one ? two : one;
	load_do(conn);
	CU_ASSERT_EQUAL(joe.status, MC_OK);
	CU_ASSERT_EQUAL(amanda.status, MC_OK);
	stage_drop(conn);
	CU_ASSERT_EQUAL(taskmaster->players.count, 0);
	ask(&joe, 1, "newbie-island");
	CU_ASSERT_EQUAL(joe.status, MC_UNAVAILABLE);
	close_taskmaster();
}

static void
asker_gone(void)
{
	struct mc_conn *conn, *gateway;
	struct question joe;
	Metacube__Place place = METACUBE__PLACE__INIT;

	open_taskmaster();
	conn = world_up("world-1", NULL);
	gateway = gateway_up();
	ask(&joe, 1, "newbie-island");
	place.uid = 2;
	place.name = (char *)"amanda";
	place.display = (char *)"Amanda";
	place.map = island;
	SAY(gateway, 8, PLACE, place, &place);
	CU_ASSERT_EQUAL(world("world-1")->seats, 2);
	mc_call_cancel(&joe.call);
	stage_drop(gateway);
	CU_ASSERT_EQUAL(world("world-1")->seats, 1);
	load_do(conn);
	CU_ASSERT_FALSE(joe.answered);
	CU_ASSERT_EQUAL(world("world-1")->seats, 0);
	close_taskmaster();
}

/* Over the link, as a gateway asks. */
static void
by_link(void)
{
	struct mc_conn *conn, *gateway;
	const Metacube__Envelope *envelope;
	Metacube__Place place = METACUBE__PLACE__INIT;
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;

	open_taskmaster();
	conn = world_up("world-1", NULL);
	gateway = gateway_up();
	place.uid = 2;
	place.name = (char *)"amanda";
	place.display = (char *)"Amanda";
	place.map = island;
	SAY(gateway, 8, PLACE, place, &place);
	load_do(conn);
	envelope = HEARD(gateway, PLACED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 8);
	CU_ASSERT_STRING_EQUAL(envelope->placed->world, "world-1");
	CU_ASSERT_TRUE(envelope->placed->ticket.len > 100);
	place.map = (char *)"atlantis";
	SAY(gateway, 9, PLACE, place, &place);
	envelope = HEARD(gateway, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(envelope->refused->reason,
	    METACUBE__REASON__NO_SUCH_MAP);
	SAY(gateway, 10, LIST_MAPS, list_maps, &list);
	envelope = HEARD(gateway, MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL_FATAL(envelope->maps->n_maps, 2);
	CU_ASSERT_FALSE(envelope->maps->more);
	CU_ASSERT_STRING_EQUAL(envelope->maps->maps[0]->key, "desert");
	CU_ASSERT_EQUAL(envelope->maps->maps[0]->copies, 0);
	CU_ASSERT_STRING_EQUAL(envelope->maps->maps[1]->key,
	    "newbie-island");
	CU_ASSERT_EQUAL(envelope->maps->maps[1]->copies, 1);
	CU_ASSERT_STRING_EQUAL(envelope->maps->maps[1]->title, "A title");
	place.name = (char *)"Amanda";
	SAY(gateway, 12, PLACE, place, &place);
	CU_ASSERT_TRUE(stage_over(gateway));
	close_taskmaster();
}

static const struct cutap_test taskmaster_tests[] = {
	{ "place, LOAD, ticket, arrived, departed", story },
	{ "seats expire with their tickets", seats_expire },
	{ "a thousand at once, one LOAD", one_load },
	{ "no world, no map, too many", nowhere },
	{ "a load that fails is tried elsewhere", load_fails },
	{ "but only once", load_fails_twice },
	{ "a world is lost while it loads", world_lost_while_loading },
	{ "who asked is gone", asker_gone },
	{ "a gateway asks", by_link },
	{ NULL, NULL }
};

int
main(void)
{
	static const struct cutap_suite suites[] = {
		{ "taskmaster", taskmaster_tests },
		{ "worlds", taskmaster_world_tests },
		{ "evict", taskmaster_evict_tests },
		{ NULL, NULL }
	};

	return cutap_run_all(suites);
}
