/* SPDX-License-Identifier: MIT */
/*
 * The taskmaster's conversations with worlds and gateways, message by
 * message; connections and time are the test's own.
 */
#include "cutap.h"
#include "stage.h"
#include "../../modules/taskmaster/taskmaster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARD(conn, KIND) \
	stage_heard(conn, METACUBE__ENVELOPE__MESSAGE_##KIND)
#define SAY(conn, with_cid, KIND, field, body) do { \
	Metacube__Envelope say_ = METACUBE__ENVELOPE__INIT; \
	say_.cid = (with_cid); \
	say_.message_case = METACUBE__ENVELOPE__MESSAGE_##KIND; \
	say_.field = (body); \
	stage_say(conn, &say_); \
} while (0)

static struct conf conf;
static struct taskmaster *taskmaster;
static struct mc_ref service;

static void
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

static void
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

/* A world: what it registers with. */
struct terms {
	Metacube__Register message;
	char	*maps[2], *running[2], *displays[2];
	uint32_t capacities[2], player_maps[2];
	uint64_t epochs[2], players[2];
};

static char island[] = "newbie-island", desert[] = "desert";
static char title[] = "A title";

static void
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
}

/* It ran that map already, with these two on it. */
static void
terms_run(struct terms *terms, uint64_t epoch, uint64_t uid)
{
	terms->message.n_running = terms->message.n_running_epoch = 1;
	terms->running[0] = island;
	terms->epochs[0] = epoch;
	terms->message.n_player = terms->message.n_player_display =
	    terms->message.n_player_map = 1;
	terms->players[0] = uid;
	terms->displays[0] = (char *)"Joe";
}

static struct mc_conn *
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

static struct ticket_key
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

static struct mc_conn *
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

static struct mc_conn *
gateway_up(void)
{
	struct mc_conn *conn;

	stage_peer(NULL, "gateway", "gateway");
	conn = stage_connect();
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	return conn;
}

/* A question of our own: how the module next door asks. */
struct question {
	struct mc_call	*call;
	bool		 answered;
	enum mc_status	 status;
	struct taskmaster_place place;
};

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

static void
ask(struct question *question, uint64_t uid, const char *map)
{
	struct taskmaster_request request = { .uid = uid };

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

/* The next LOAD, answered at once. */
static uint64_t
load_heard(struct mc_conn *conn, uint32_t *cid_r)
{
	const Metacube__Envelope *envelope = HEARD(conn, LOAD);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_STRING_EQUAL(envelope->load->map, "newbie-island");
	*cid_r = envelope->cid;
	return envelope->load->epoch;
}

static void
loaded_say(struct mc_conn *conn, uint32_t cid, uint64_t epoch)
{
	Metacube__Loaded loaded = METACUBE__LOADED__INIT;

	loaded.map = island;
	loaded.epoch = epoch;
	SAY(conn, cid, LOADED, loaded, &loaded);
	stage_pass(0);
}

static uint64_t
load_do(struct mc_conn *conn)
{
	uint32_t cid;
	uint64_t epoch = load_heard(conn, &cid);

	loaded_say(conn, cid, epoch);
	return epoch;
}

static void
load_refuse(struct mc_conn *conn)
{
	Metacube__Refused refused = METACUBE__REFUSED__INIT;
	uint32_t cid;

	load_heard(conn, &cid);
	refused.text = (char *)"terrain.png is damaged";
	SAY(conn, cid, REFUSED, refused, &refused);
	stage_pass(0);
}

static void
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

static struct ticket
ticket_of(const struct question *question, const struct ticket_key *key)
{
	struct ticket ticket = { 0 };

	CU_ASSERT_EQUAL_FATAL(question->status, MC_OK);
	CU_ASSERT_EQUAL(ticket_open(question->place.ticket,
	    question->place.ticket_len, key, 1, question->place.world,
	    mc_time_ms(), &ticket), TICKET_FINE);
	return ticket;
}

static struct world *
world(const char *name)
{
	return world_find(&taskmaster->placement, name);
}

static struct mc_conn *
first_of_two(struct mc_conn *one, struct mc_conn *two)
{
	CU_ASSERT_EQUAL(stage_unheard(one) + stage_unheard(two), 1);
	return stage_unheard(one) > 0 ? one : two;
}

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

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "place, LOAD, ticket, arrived, departed", story },
		{ "seats expire with their tickets", seats_expire },
		{ "a thousand at once, one LOAD", one_load },
		{ "no world, no map, too many", nowhere },
		{ "a load that fails is tried elsewhere", load_fails },
		{ "but only once", load_fails_twice },
		{ "a world is lost while it loads", world_lost_while_loading },
		{ "who asked is gone", asker_gone },
		{ "a gateway asks", by_link },
		{ "registrations that cannot be", bad_registers },
		{ "messages in the wrong state", wrong_state },
		{ "two worlds of one name", same_name },
		{ "a silent world is lost", silence },
		{ "ticket keys are changed", keys_rotate },
		{ "after a restart the worlds tell", relearns },
		{ "epochs only grow", epochs },
		{ "one account, one place: the newest", newest_wins },
		{ "news of a copy that is not", fenced },
		{ "a world asks for its own users alone", own_users },
		{ "a world with more users than room", too_many_users },
		{ NULL, NULL }
	};

	return cutap_run("taskmaster", tests);
}
