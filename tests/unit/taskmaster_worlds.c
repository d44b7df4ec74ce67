/* SPDX-License-Identifier: MIT */
/*
 * The taskmaster and its worlds: who may register, what they tell, and whose
 * word counts.
 */
#include "taskmaster_rig.h"

#include <string.h>

static void
register_refused(struct terms *terms, const char *peer, const char *role,
    Metacube__Reason reason)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *conn;

	stage_peer(NULL, peer, role);
	conn = stage_connect();
	SAY(conn, 3, REGISTER, register_, &terms->message);
	envelope = HEARD(conn, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->refused->reason, reason);
	CU_ASSERT_TRUE(strlen(envelope->refused->text) > 5);
	CU_ASSERT_TRUE(stage_over(conn));
	stage_pass(0);
	CU_ASSERT_EQUAL(taskmaster->placement.nworlds, 0);
	CU_ASSERT_EQUAL(taskmaster->placement.maps.count, 0);
}

static void
bad_registers(void)
{
	const Metacube__Reason bad = METACUBE__REASON__BAD_REQUEST;
	struct terms terms;

	open_taskmaster();
	terms_fill(&terms, "world-1");
	register_refused(&terms, "world-2", "world",
	    METACUBE__REASON__NOT_ALLOWED);
	register_refused(&terms, "world-1", "gateway",
	    METACUBE__REASON__NOT_ALLOWED);
	terms.message.version = 2;
	register_refused(&terms, "world-1", "world",
	    METACUBE__REASON__WRONG_VERSION);
	terms_fill(&terms, "World 1");
	register_refused(&terms, "World 1", "world", bad);
	terms_fill(&terms, "world-1");
	terms.message.endpoint = (char *)":7750";
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms.message.capacity = 0;
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms.message.n_title = 1;
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms.maps[1] = terms.maps[0];
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms.maps[1] = (char *)"a/b";
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms_run(&terms, 5, 1);
	terms.player_maps[0] = 1;
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms_run(&terms, 5, 1);
	terms.running[0] = (char *)"atlantis";
	register_refused(&terms, "world-1", "world", bad);
	terms_fill(&terms, "world-1");
	terms_run(&terms, 5, 1);
	terms.message.n_running = terms.message.n_running_epoch = 2;
	terms.running[1] = island;
	register_refused(&terms, "world-1", "world", bad);
	close_taskmaster();
}

static void
wrong_state(void)
{
	Metacube__Report report = METACUBE__REPORT__INIT;
	Metacube__Say say = METACUBE__SAY__INIT;
	struct terms terms;
	struct mc_conn *conn;

	open_taskmaster();
	conn = gateway_up();
	SAY(conn, 0, REPORT, report, &report);
	CU_ASSERT_TRUE(stage_over(conn));
	conn = world_up("world-1", NULL);
	terms_fill(&terms, "world-1");
	SAY(conn, 4, REGISTER, register_, &terms.message);
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_PTR_NULL(world("world-1"));
	conn = world_up("world-1", NULL);
	SAY(conn, 4, SAY, say, &say);
	CU_ASSERT_TRUE(stage_over(conn));
	close_taskmaster();
}

/* The name is taken: by one that lives, and by one that does not answer. */
static void
same_name(void)
{
	struct terms terms;
	struct mc_conn *old, *new;
	const Metacube__Envelope *envelope;

	open_taskmaster();
	old = world_up("world-1", NULL);
	terms_fill(&terms, "world-1");
	new = world_say(&terms);
	envelope = HEARD(new, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->refused->reason,
	    METACUBE__REASON__NOT_ALLOWED);
	CU_ASSERT_FALSE(stage_over(old));
	stage_pass(5000);
	new = world_up("world-1", NULL);
	CU_ASSERT_TRUE(stage_over(old));
	CU_ASSERT_FALSE(stage_over(new));
	CU_ASSERT_EQUAL(taskmaster->placement.nworlds, 1);
	close_taskmaster();
}

static void
silence(void)
{
	Metacube__Report report = METACUBE__REPORT__INIT;
	struct mc_conn *conn;

	open_taskmaster();
	conn = world_up("world-1", NULL);
	for (int i = 0; i < 30; i++) {
		stage_pass(1000);
		SAY(conn, 0, REPORT, report, &report);
	}
	CU_ASSERT_PTR_NOT_NULL(world("world-1"));
	stage_pass(11000);
	CU_ASSERT_PTR_NULL(world("world-1"));
	CU_ASSERT_TRUE(stage_over(conn));
	close_taskmaster();
}

static void
keys_rotate(void)
{
	Metacube__Report report = METACUBE__REPORT__INIT;
	struct ticket_key first, second;
	struct question joe;
	struct mc_conn *conn;

	open_taskmaster();
	conf.rotation_ms = 5000;
	conn = world_up("world-1", &first);
	ask(&joe, 1, "newbie-island");
	load_do(conn);
	ticket_of(&joe, &first);
	for (int i = 0; i < 6; i++) {
		stage_pass(1000);
		SAY(conn, 0, REPORT, report, &report);
	}
	second = key_heard(conn);
	CU_ASSERT_NOT_EQUAL(first.id, second.id);
	CU_ASSERT_NOT_EQUAL(memcmp(first.secret, second.secret,
	    sizeof(first.secret)), 0);
	ask(&joe, 1, "newbie-island");
	ticket_of(&joe, &second);
	close_taskmaster();
}

/* A restarted taskmaster: what the worlds tell is what is. */
static void
relearns(void)
{
	const Metacube__Envelope *envelope;
	struct terms terms;
	struct mc_conn *one, *two;
	struct question amanda;
	uint64_t running = mc_time_ms() << 16, other;

	open_taskmaster();
	terms_fill(&terms, "world-1");
	terms_run(&terms, running, 1);
	one = world_say(&terms);
	envelope = HEARD(one, REGISTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL_FATAL(envelope->registered->n_running_epoch, 1);
	CU_ASSERT_EQUAL(envelope->registered->running_epoch[0], running);
	key_heard(one);
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	ask(&amanda, 2, "newbie-island");
	CU_ASSERT_EQUAL(amanda.status, MC_OK);
	CU_ASSERT_EQUAL(amanda.place.epoch, running);
	/* another copy with the same epoch gets one of its own, and the
	 * same user cannot be there too */
	terms_fill(&terms, "world-2");
	terms_run(&terms, running, 1);
	two = world_say(&terms);
	envelope = HEARD(two, REGISTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	other = envelope->registered->running_epoch[0];
	CU_ASSERT_TRUE(other > running);
	envelope = HEARD(two, KICK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kick->uid, 1);
	CU_ASSERT_EQUAL(envelope->kick->epoch, other);
	CU_ASSERT_EQUAL(world("world-2")->users, 0);
	CU_ASSERT_PTR_NULL(HEARD(one, KICK));
	close_taskmaster();
}

static void
epochs(void)
{
	struct terms terms;
	struct mc_conn *conn;
	uint64_t last = 0, epoch;
	uint64_t ahead = (mc_time_ms() + 3600000) << 16;

	open_taskmaster();
	for (int i = 0; i < 1000; i++) {
		epoch = epoch_next(taskmaster);
		CU_ASSERT_TRUE(epoch > last);
		last = epoch;
	}
	CU_ASSERT_TRUE(last >= mc_time_ms() << 16);
	terms_fill(&terms, "world-1");
	terms_run(&terms, ahead, 1);
	conn = world_say(&terms);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REGISTERED));
	CU_ASSERT_TRUE(epoch_next(taskmaster) > ahead);
	close_taskmaster();
}

/* The second login of an account: the newest wins, when it has arrived. */
static void
newest_wins(void)
{
	const Metacube__Envelope *envelope;
	struct ticket_key key;
	struct mc_conn *one, *two;
	struct question joe;
	struct ticket ticket;
	uint64_t first, second;

	open_taskmaster();
	conf.policy = LEAST_USERS;
	placement_policy(&taskmaster->placement, LEAST_USERS, 900);
	one = world_up("world-1", NULL);
	ask(&joe, 1, "newbie-island");
	first = load_do(one);
	arrive(one, 1, first, NULL);
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	two = world_up("world-2", &key);
	ask(&joe, 1, "newbie-island");
	second = load_do(two);
	CU_ASSERT_PTR_NULL(HEARD(one, KICK));
	ticket = ticket_of(&joe, &key);
	arrive(two, 1, second, &ticket);
	envelope = HEARD(one, KICK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kick->uid, 1);
	CU_ASSERT_EQUAL(envelope->kick->epoch, first);
	CU_ASSERT_EQUAL(envelope->kick->reason,
	    METACUBE__REASON__LOGGED_IN_ELSEWHERE);
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	CU_ASSERT_EQUAL(world("world-2")->users, 1);
	arrive(two, 1, second, NULL);	/* resumed: no second one */
	CU_ASSERT_EQUAL(world("world-2")->users, 1);
	CU_ASSERT_PTR_NULL(HEARD(two, KICK));
	close_taskmaster();
}

/* A world that says of a user without a seat that they have come: it cannot
 * take them from where they are, nor out of nowhere. */
static void
strays(void)
{
	struct mc_conn *one, *two;
	struct question joe, amanda;
	struct ticket_key key;
	struct ticket ticket;
	uint64_t first, second;

	open_taskmaster();
	conf.policy = LEAST_USERS;
	placement_policy(&taskmaster->placement, LEAST_USERS, 900);
	one = world_up("world-1", &key);
	ask(&joe, 1, "newbie-island");
	first = load_do(one);
	ticket = ticket_of(&joe, &key);
	arrive(one, 1, first, &ticket);
	two = world_up("world-2", NULL);
	ask(&amanda, 2, "newbie-island");
	second = load_do(two);
	arrive(two, 1, second, NULL);
	CU_ASSERT_PTR_NOT_NULL(HEARD(two, KICK));
	CU_ASSERT_PTR_NULL(HEARD(one, KICK));
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	CU_ASSERT_EQUAL(world("world-2")->users, 0);
	arrive(two, 3, second, NULL);	/* from before a restart, perhaps */
	CU_ASSERT_EQUAL(world("world-2")->users, 1);
	taskmaster->started_ms = mc_now_ms() - 2 * TICKET_LIFE_MS - 1;
	arrive(two, 4, second, NULL);
	CU_ASSERT_PTR_NOT_NULL(HEARD(two, KICK));
	CU_ASSERT_EQUAL(world("world-2")->users, 1);
	CU_ASSERT_EQUAL(stage_count("strays"), 2);
	close_taskmaster();
}

/* A link that broke, however late: who was on the world plays on.  It cannot
 * make a user its own by breaking it. */
static void
comes_back(void)
{
	const Metacube__Envelope *kick;
	struct terms terms;
	struct mc_conn *conn;

	open_taskmaster();
	terms_fill(&terms, "world-1");
	terms_run(&terms, 5, 7);
	conn = world_say(&terms);
	taskmaster->started_ms = mc_now_ms() - 2 * TICKET_LIFE_MS - 1;
	stage_drop(conn);
	terms.message.n_player = terms.message.n_player_display =
	    terms.message.n_player_map =
	    terms.message.n_player_generation = 2;
	terms.players[1] = 8;
	terms.displays[1] = (char *)"Amanda";
	conn = world_say(&terms);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REGISTERED));
	kick = HEARD(conn, KICK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(kick);
	CU_ASSERT_EQUAL(kick->kick->uid, 8);
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	CU_ASSERT_EQUAL(player_find(taskmaster, 7)->generation,
	    GENERATION_OF(7));
	CU_ASSERT_EQUAL(stage_count("strays"), 0);
	close_taskmaster();
}

/* A copy that is not in the table any more: its news change nothing. */
static void
fenced(void)
{
	Metacube__Unloaded unloaded = METACUBE__UNLOADED__INIT;
	const Metacube__Envelope *envelope;
	struct mc_conn *conn;
	struct question joe;
	uint64_t epoch;

	open_taskmaster();
	conn = world_up("world-1", NULL);
	ask(&joe, 1, "newbie-island");
	epoch = load_do(conn);
	arrive(conn, 1, epoch - 1, NULL);
	envelope = HEARD(conn, KICK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kick->epoch, epoch - 1);
	CU_ASSERT_EQUAL(world("world-1")->users, 0);
	unloaded.map = island;
	unloaded.epoch = epoch - 1;
	SAY(conn, 0, UNLOADED, unloaded, &unloaded);
	CU_ASSERT_EQUAL(taskmaster->placement.copies.count, 1);
	unloaded.epoch = epoch;
	SAY(conn, 0, UNLOADED, unloaded, &unloaded);
	CU_ASSERT_EQUAL(taskmaster->placement.copies.count, 0);
	CU_ASSERT_EQUAL(world("world-1")->seats, 0);
	ask(&joe, 1, "newbie-island");
	CU_ASSERT_FALSE(joe.answered);
	CU_ASSERT_TRUE(load_do(conn) > epoch);
	CU_ASSERT_EQUAL(joe.status, MC_OK);
	close_taskmaster();
}

static void
world_places(struct mc_conn *conn, uint64_t uid)
{
	Metacube__Place place = METACUBE__PLACE__INIT;

	place.uid = uid;
	place.name = (char *)"joe";
	place.display = (char *)"Joe";
	place.map = island;
	SAY(conn, 8, PLACE, place, &place);
	stage_pass(0);
}

static void
places_refused(struct mc_conn *conn, uint64_t uid)
{
	const Metacube__Envelope *envelope;

	world_places(conn, uid);
	envelope = HEARD(conn, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 8);
	CU_ASSERT_EQUAL(envelope->refused->reason,
	    METACUBE__REASON__NOT_ALLOWED);
	CU_ASSERT_FALSE(stage_over(conn));
}

/* No world gets a ticket for somebody who is not there. */
static void
own_users(void)
{
	struct mc_conn *here, *there;
	struct terms terms;

	open_taskmaster();
	terms_fill(&terms, "world-1");
	terms_run(&terms, 5, 7);
	here = world_say(&terms);
	there = world_up("world-2", NULL);
	stage_peer(NULL, "world-3", "world");
	places_refused(stage_connect(), 7);
	places_refused(there, 7);
	places_refused(here, 8);
	world_places(here, 7);
	CU_ASSERT_PTR_NOT_NULL(HEARD(here, PLACED));
	CU_ASSERT_EQUAL(stage_count("places_denied"), 3);
	close_taskmaster();
}

/* It cannot fill our memory with users that it has no room for. */
static void
too_many_users(void)
{
	struct mc_conn *conn;
	struct terms terms;

	open_taskmaster();
	terms_fill(&terms, "world-1");
	terms_run(&terms, 5, 7);
	terms.message.capacity = 1;
	conn = world_say(&terms);
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	arrive(conn, 7, 5, NULL);
	CU_ASSERT_PTR_NULL(HEARD(conn, KICK));
	arrive(conn, 8, 5, NULL);
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, KICK));
	CU_ASSERT_EQUAL(world("world-1")->users, 1);
	terms_fill(&terms, "world-2");
	terms_run(&terms, 6, 9);
	terms.message.capacity = 1;
	terms.message.n_player = terms.message.n_player_display =
	    terms.message.n_player_map = 2;
	terms.players[1] = 10;
	terms.displays[1] = (char *)"Amanda";
	CU_ASSERT_TRUE(stage_over(world_say(&terms)));
	close_taskmaster();
}

const struct cutap_test taskmaster_world_tests[] = {
	{ "registrations that cannot be", bad_registers },
	{ "messages in the wrong state", wrong_state },
	{ "two worlds of one name", same_name },
	{ "a silent world is lost", silence },
	{ "ticket keys are changed", keys_rotate },
	{ "after a restart the worlds tell", relearns },
	{ "epochs only grow", epochs },
	{ "one account, one place: the newest", newest_wins },
	{ "a user whom a world claims", strays },
	{ "a world comes back with its users", comes_back },
	{ "news of a copy that is not", fenced },
	{ "a world asks for its own users alone", own_users },
	{ "a world with more users than room", too_many_users },
	{ NULL, NULL }
};
