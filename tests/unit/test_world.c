/* SPDX-License-Identifier: MIT */
/*
 * The world module's conversations, message by message: with clients and with
 * the taskmaster, in good and bad order.  The connections and the time are
 * the test's own (tests/fakes/stage.h).
 */

#include "cutap.h"
#include "stage.h"
#include "../../modules/world/world.h"

#include <metacube/ticket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARD(conn, KIND) \
	stage_heard(conn, METACUBE__ENVELOPE__MESSAGE_##KIND)
#define SAY(conn, KIND, field, body) do { \
	Metacube__Envelope say_ = METACUBE__ENVELOPE__INIT; \
	say_.cid = 9; \
	say_.message_case = METACUBE__ENVELOPE__MESSAGE_##KIND; \
	say_.field = (body); \
	stage_say(conn, &say_); \
} while (0)

static struct world_conf conf;
static struct world *world;
static struct mc_conn *master;
static const struct ticket_key key = { .id = 7, .secret = "secret" };

static void
master_load(const char *map, uint64_t epoch)
{
	Metacube__Load load = METACUBE__LOAD__INIT;

	load.map = (char *)map;
	load.epoch = epoch;
	SAY(master, LOAD, load, &load);
	stage_pass(1);
}

/* The taskmaster is there: registers, gives a key. */
static void
master_up(uint64_t *epochs, size_t count)
{
	Metacube__Registered registered = METACUBE__REGISTERED__INIT;
	Metacube__TicketKey ticket_key = METACUBE__TICKET_KEY__INIT;

	registered.running_epoch = epochs;
	registered.n_running_epoch = count;
	ticket_key.id = key.id;
	ticket_key.secret.data = (uint8_t *)key.secret;
	ticket_key.secret.len = sizeof(key.secret);
	SAY(master, REGISTERED, registered, &registered);
	SAY(master, TICKET_KEY, ticket_key, &ticket_key);
}

static void
begin(void)
{
	conf = (struct world_conf) {
		.listen = { .endpoint = "127.0.0.1:7750",
		    .queue_max = 65536 },
		.advertise = "", .name = "", .taskmaster = "127.0.0.1:1",
		.maps = MAPS_DIR, .capacity = 100, .tick_ms = 50,
		.idle_unload_ms = 60000, .resume_ms = 30000,
		.max_messages = 60, .max_says = 3,
	};
	stage_reset("world-1");
	world = mc_zalloc(metacube_module.state_size);
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(world, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(world), MC_OK);
	master = stage_accept();
	CU_ASSERT_PTR_NOT_NULL_FATAL(master);
	CU_ASSERT_PTR_NOT_NULL_FATAL(HEARD(master, REGISTER));
	master_up(NULL, 0);
	master_load("newbie-island", 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(HEARD(master, LOADED));
}

static void
end(void)
{
	metacube_module.stop(world);
	stage_pass(0);
	metacube_module.fini(world);
	free(world);
	stage_reset("");
}

static struct ticket
ticket_of(uint64_t uid, const char *display, const char *map, uint64_t epoch)
{
	struct ticket ticket = {
		.uid = uid, .epoch = epoch,
		.expires_ms = mc_time_ms() + 20000, .world = "world-1",
	};

	mc_random(ticket.id, sizeof(ticket.id));
	snprintf(ticket.display, sizeof(ticket.display), "%s", display);
	CU_ASSERT_PTR_NULL(mc_name_fold(display, ticket.name));
	snprintf(ticket.map, sizeof(ticket.map), "%s", map);
	return ticket;
}

static struct mc_conn *
show(const struct ticket *ticket, const struct ticket_key *with)
{
	struct mc_conn *conn = stage_connect();
	uint8_t sealed[TICKET_SEALED_MAX];
	Metacube__Enter enter = METACUBE__ENTER__INIT;

	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	enter.ticket.data = sealed;
	enter.ticket.len = ticket_seal(ticket, with, sealed);
	SAY(conn, ENTER, enter, &enter);
	return conn;
}

/* Enters; session, avatar and secret are in what is heard. */
static struct mc_conn *
come(uint64_t uid, const char *display)
{
	struct ticket ticket = ticket_of(uid, display, "newbie-island", 5);

	return show(&ticket, &key);
}

static unsigned
refused(struct mc_conn *conn)
{
	const Metacube__Envelope *envelope = HEARD(conn, REFUSED);

	return envelope == NULL ? 0 : (unsigned)envelope->refused->reason;
}

/* Refused for this reason, and the connection ends. */
static void
turned_away(struct mc_conn *conn, unsigned reason)
{
	CU_ASSERT_EQUAL(refused(conn), reason);
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_FALSE(stage_admitted(conn));
	stage_pass(0);
}

static void
registers(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *again;

	begin();
	stage_drop(master);
	CU_ASSERT_TRUE(stage_logged("is lost; 0 users stay"));
	again = stage_accept();
	envelope = HEARD(again, REGISTER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_STRING_EQUAL(envelope->register_->name, "world-1");
	CU_ASSERT_STRING_EQUAL(envelope->register_->endpoint,
	    "127.0.0.1:7750");
	CU_ASSERT_EQUAL(envelope->register_->capacity, 100);
	CU_ASSERT_EQUAL(envelope->register_->n_map, 3);
	CU_ASSERT_STRING_EQUAL(envelope->register_->map[0], "harbour-town");
	CU_ASSERT_STRING_EQUAL(envelope->register_->title[1],
	    "Newbie Island");
	CU_ASSERT_EQUAL(envelope->register_->map_capacity[1], 60);
	CU_ASSERT_EQUAL(envelope->register_->n_running, 1);
	CU_ASSERT_STRING_EQUAL(envelope->register_->running[0],
	    "newbie-island");
	CU_ASSERT_EQUAL(envelope->register_->running_epoch[0], 5);
	end();
}

static void
loads(void)
{
	const Metacube__Envelope *envelope;

	begin();
	CU_ASSERT_TRUE(stage_logged("map newbie-island loaded in "));
	CU_ASSERT_TRUE(stage_logged("(256 x 256, capacity 60)"));
	master_load("newbie-island", 6);	/* it runs already */
	envelope = HEARD(master, LOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(envelope->loaded->epoch, 6);
	CU_ASSERT_EQUAL(stage_count("maps_loaded"), 1);
	master_load("atlantis", 7);
	envelope = HEARD(master, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_PTR_NOT_NULL(strstr(envelope->refused->text, "atlantis"));
	master_load("../newbie-island", 8);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, REFUSED));
	end();
}

static void
meet(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;
	uint32_t joes, amandas;

	begin();
	joe = come(1, "Joe");
	envelope = HEARD(joe, ENTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_TRUE(stage_admitted(joe));
	CU_ASSERT_EQUAL(envelope->entered->n_id, 1);
	CU_ASSERT_EQUAL(envelope->entered->secret.len, SECRET_SIZE);
	CU_ASSERT_STRING_EQUAL(envelope->entered->title, "Newbie Island");
	CU_ASSERT_EQUAL(envelope->entered->speed, 400);
	joes = envelope->entered->avatar;
	envelope = HEARD(master, ARRIVED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->arrived->ticket.len, TICKET_ID_SIZE);
	CU_ASSERT_EQUAL(envelope->arrived->uid, 1);
	CU_ASSERT_EQUAL(envelope->arrived->epoch, 5);

	amanda = come(2, "Amanda");
	envelope = HEARD(amanda, ENTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->entered->n_id, 2);
	CU_ASSERT_EQUAL(envelope->entered->n_display, 2);
	amandas = envelope->entered->avatar;
	CU_ASSERT_NOT_EQUAL(amandas, joes);
	envelope = HEARD(joe, APPEARED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->appeared->id, amandas);
	CU_ASSERT_STRING_EQUAL(envelope->appeared->display, "Amanda");
	CU_ASSERT_EQUAL(stage_unheard(amanda), 0);

	SAY(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	CU_ASSERT_TRUE(stage_over(joe));
	envelope = HEARD(amanda, VANISHED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->vanished->id, joes);
	envelope = HEARD(master, DEPARTED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->departed->uid, 1);
	CU_ASSERT_TRUE(stage_logged("Joe has entered newbie-island"));
	CU_ASSERT_TRUE(stage_logged("Joe has left newbie-island\n"));
	end();
}

static void
move_to(struct mc_conn *conn, int32_t x, int32_t y)
{
	Metacube__Move move = METACUBE__MOVE__INIT;

	move.x = x;
	move.y = y;
	SAY(conn, MOVE, move, &move);
}

static void
walks(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;
	int32_t x, y;
	unsigned updates = 0;

	begin();
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	envelope = HEARD(joe, ENTERED);
	x = envelope->entered->x[0];
	y = envelope->entered->y[0];
	stage_pass(1000);
	CU_ASSERT_PTR_NULL(HEARD(amanda, UPDATE));	/* nobody moves */
	move_to(joe, x, y + 400);
	stage_pass(500);
	while ((envelope = HEARD(amanda, UPDATE)) != NULL) {
		CU_ASSERT_EQUAL(envelope->update->n_id, 1);
		CU_ASSERT_EQUAL(envelope->update->x[0], x);
		CU_ASSERT_TRUE(envelope->update->y[0] <= y +
		    20 * (int32_t)++updates);
	}
	CU_ASSERT_TRUE(updates >= 9 && updates <= 11);
	stage_skip(amanda);
	stage_pass(2000);
	for (updates = 0; (envelope = HEARD(amanda, UPDATE)) != NULL; )
		updates = (unsigned)envelope->update->y[0];
	CU_ASSERT_EQUAL(updates, (unsigned)y + 400);
	move_to(joe, -1, 0);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	move_to(joe, INT32_MIN, INT32_MAX);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	CU_ASSERT_FALSE(stage_over(joe));
	end();
}

static void
say(struct mc_conn *conn, const char *text, unsigned range)
{
	Metacube__Say body = METACUBE__SAY__INIT;

	body.text = (char *)text;
	body.range = (Metacube__Range)range;
	SAY(conn, SAY, say, &body);
}

static void
talks(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;
	char text[502];

	begin();
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	say(joe, "hello", METACUBE__RANGE__NORMAL);
	envelope = HEARD(amanda, SAID);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_STRING_EQUAL(envelope->said->display, "Joe");
	CU_ASSERT_STRING_EQUAL(envelope->said->text, "hello");
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, SAID));
	memset(text, 'a', sizeof(text) - 1);
	text[501] = '\0';
	say(joe, text, METACUBE__RANGE__NORMAL);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	text[500] = '\0';
	say(joe, text, METACUBE__RANGE__NORMAL);
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, SAID));
	say(joe, "\xff\xfe", METACUBE__RANGE__NORMAL);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	say(joe, "", METACUBE__RANGE__NORMAL);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	say(joe, "far", 17);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	CU_ASSERT_PTR_NULL(HEARD(amanda, SAID));
	for (int i = 0; i < 10; i++)
		say(joe, "again and again", METACUBE__RANGE__NORMAL);
	envelope = HEARD(joe, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->refused->reason,
	    METACUBE__REASON__TRY_LATER);
	CU_ASSERT_TRUE(envelope->refused->retry_ms > 0);
	CU_ASSERT_FALSE(stage_over(joe));
	end();
}

/* Joe walks away: first out of a whisper's range, then of a say's. */
static void
out_of_earshot(void)
{
	struct mc_conn *joe, *amanda;

	begin();
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	move_to(joe, 12400, 10900);
	stage_pass(5000);
	say(joe, "psst", METACUBE__RANGE__WHISPER);
	CU_ASSERT_PTR_NULL(HEARD(amanda, SAID));
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, SAID));
	say(joe, "hello", METACUBE__RANGE__NORMAL);
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, SAID));
	move_to(joe, 12400, 12900);
	stage_pass(10000);
	say(joe, "hello", METACUBE__RANGE__NORMAL);
	CU_ASSERT_PTR_NULL(HEARD(amanda, SAID));
	say(joe, "HELLO", METACUBE__RANGE__SHOUT);
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, SAID));
	end();
}

static void
tickets_bad(void)
{
	struct ticket_key other = key;
	struct ticket ticket;

	begin();
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	CU_ASSERT_FALSE(stage_over(show(&ticket, &key)));
	turned_away(show(&ticket, &key), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_used"), 1);
	ticket = ticket_of(1, "Joe", "newbie-island", 4);
	turned_away(show(&ticket, &key), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_other_epoch"), 1);
	ticket = ticket_of(1, "Joe", "old-forest", 5);
	turned_away(show(&ticket, &key), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_other_epoch"), 2);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	strcpy(ticket.world, "world-2");
	turned_away(show(&ticket, &key), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_other_world"), 1);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	ticket.expires_ms = mc_time_ms() - 1;
	turned_away(show(&ticket, &key), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_expired"), 1);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	other.secret[0] ^= 1;
	turned_away(show(&ticket, &other), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_forged"), 1);
	other.id = 8;
	turned_away(show(&ticket, &other), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_unknown_key"), 1);
	CU_ASSERT_EQUAL(stage_count("entered"), 1);
	end();
}

/* Every message in every state: nothing but what belongs there is done. */
static void
wrong_state(void)
{
	static const int before[] = {
		METACUBE__ENVELOPE__MESSAGE__NOT_SET,
		METACUBE__ENVELOPE__MESSAGE_LOGIN,
		METACUBE__ENVELOPE__MESSAGE_MOVE,
		METACUBE__ENVELOPE__MESSAGE_JOIN,
		METACUBE__ENVELOPE__MESSAGE_REGISTER,
		METACUBE__ENVELOPE__MESSAGE_LOAD,
	};
	Metacube__Login login = METACUBE__LOGIN__INIT;
	Metacube__Move move = METACUBE__MOVE__INIT;
	Metacube__Join join = METACUBE__JOIN__INIT;
	Metacube__Register reg = METACUBE__REGISTER__INIT;
	Metacube__Load load = METACUBE__LOAD__INIT;
	void *bodies[] = { NULL, &login, &move, &join, &reg, &load };
	struct mc_conn *conn;

	begin();
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;

		envelope.message_case =
		    (Metacube__Envelope__MessageCase)before[i];
		envelope.login = bodies[i];
		conn = stage_connect();
		stage_say(conn, &envelope);
		turned_away(conn, METACUBE__REASON__BAD_REQUEST);
	}
	conn = come(1, "Joe");
	SAY(conn, LOGIN, login, &login);
	CU_ASSERT_EQUAL(refused(conn), METACUBE__REASON__BAD_REQUEST);
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_EQUAL(world->users, 0);
	end();
}

static void
too_many_messages(void)
{
	struct mc_conn *joe;
	unsigned sent = 0;

	begin();
	joe = come(1, "Joe");
	while (sent < 1000 && !stage_over(joe)) {
		SAY(joe, PING, ping, &(Metacube__Ping)METACUBE__PING__INIT);
		sent++;
	}
	CU_ASSERT_TRUE(sent > 60 && sent < 200);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	end();
}

static struct mc_conn *
resume(uint64_t session, const uint8_t *secret, size_t len)
{
	struct mc_conn *conn = stage_connect();
	Metacube__Resume body = METACUBE__RESUME__INIT;

	body.session = session;
	body.secret.data = (uint8_t *)secret;
	body.secret.len = len;
	SAY(conn, RESUME, resume, &body);
	return conn;
}

static void
comes_back(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;
	uint8_t secret[SECRET_SIZE];
	uint64_t session;
	uint32_t avatar;

	begin();
	amanda = come(2, "Amanda");
	joe = come(1, "Joe");
	envelope = HEARD(joe, ENTERED);
	session = envelope->entered->session;
	avatar = envelope->entered->avatar;
	memcpy(secret, envelope->entered->secret.data, sizeof(secret));
	stage_skip(amanda);
	stage_drop(joe);
	stage_pass(20000);
	CU_ASSERT_EQUAL(stage_unheard(amanda), 0);
	secret[3] ^= 1;
	turned_away(resume(session, secret, sizeof(secret)),
	    METACUBE__REASON__BAD_TICKET);
	turned_away(resume(session, secret, 3),
	    METACUBE__REASON__BAD_TICKET);
	turned_away(resume(session, NULL, 0),
	    METACUBE__REASON__BAD_TICKET);
	secret[3] ^= 1;
	turned_away(resume(session + 1, secret, sizeof(secret)),
	    METACUBE__REASON__BAD_TICKET);
	joe = resume(session, secret, sizeof(secret));
	envelope = HEARD(joe, ENTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->entered->avatar, avatar);
	CU_ASSERT_EQUAL(envelope->entered->n_id, 2);
	stage_pass(60000);
	CU_ASSERT_EQUAL(stage_unheard(amanda), 0);
	/* once more, while the world still takes the old one for alive */
	joe = resume(session, secret, sizeof(secret));
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, ENTERED));
	stage_pass(60000);
	CU_ASSERT_EQUAL(world->users, 2);
	stage_drop(joe);
	stage_pass(30001);
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, VANISHED));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	turned_away(resume(session, secret, sizeof(secret)),
	    METACUBE__REASON__BAD_TICKET);
	end();
}

static void
newest_wins(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *first, *second;

	begin();
	first = come(1, "Joe");
	stage_skip(master);
	second = come(1, "Joe");
	envelope = HEARD(first, KICKED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__LOGGED_IN_ELSEWHERE);
	CU_ASSERT_TRUE(stage_over(first));
	CU_ASSERT_PTR_NOT_NULL(HEARD(second, ENTERED));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, ARRIVED));
	CU_ASSERT_EQUAL(world->users, 1);
	/* also over one whose connection is lost */
	stage_drop(second);
	CU_ASSERT_PTR_NOT_NULL(HEARD(come(1, "Joe"), ENTERED));
	CU_ASSERT_EQUAL(world->users, 1);
	end();
}

static void
kick(uint64_t uid, const char *map, uint64_t epoch)
{
	Metacube__Kick body = METACUBE__KICK__INIT;

	body.uid = uid;
	body.map = (char *)map;
	body.epoch = epoch;
	body.reason = METACUBE__REASON__ACCOUNT_LOCKED;
	SAY(master, KICK, kick, &body);
}

static void
kicked(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	kick(1, "newbie-island", 4);
	kick(1, "old-forest", 5);
	kick(2, "newbie-island", 5);
	CU_ASSERT_FALSE(stage_over(joe));
	kick(1, "newbie-island", 5);
	envelope = HEARD(joe, KICKED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__ACCOUNT_LOCKED);
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	end();
}

static void
full(void)
{
	begin();
	for (uint64_t uid = 1; uid <= 60; uid++)
		CU_ASSERT_PTR_NOT_NULL(HEARD(come(uid, "Bot"), ENTERED));
	turned_away(come(61, "One"), METACUBE__REASON__NO_WORLD);
	CU_ASSERT_PTR_NOT_NULL(HEARD(come(60, "Bot"), ENTERED));
	CU_ASSERT_EQUAL(world->users, 60);
	end();
}

static void
unloads(void)
{
	const Metacube__Envelope *envelope;
	struct ticket ticket;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	stage_pass(120000);
	SAY(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	stage_pass(59000);
	CU_ASSERT_PTR_NULL(HEARD(master, UNLOADED));
	ticket = ticket_of(2, "Amanda", "newbie-island", 5);
	stage_pass(1001);
	envelope = HEARD(master, UNLOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->unloaded->epoch, 5);
	CU_ASSERT_TRUE(stage_logged(
	    "newbie-island is empty for 60 s: unloaded"));
	CU_ASSERT_PTR_NULL(world->copies->map);
	/* her ticket was on its way: the copy comes back, and says so */
	joe = show(&ticket, &key);
	CU_ASSERT_EQUAL(stage_unheard(joe), 0);
	stage_pass(1);
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, ENTERED));
	envelope = HEARD(master, LOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 0);
	CU_ASSERT_EQUAL(envelope->loaded->epoch, 5);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, ARRIVED));
	SAY(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	stage_pass(60001);
	CU_ASSERT_PTR_NOT_NULL(world->copies);
	stage_pass(30001);
	CU_ASSERT_PTR_NULL(world->copies);
	end();
}

/* While the copy that a ticket is for is being loaded again. */
static void
waits_and_goes(void)
{
	struct ticket ticket;
	struct mc_conn *joe;

	begin();
	stage_pass(59999);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	stage_pass(2);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, UNLOADED));
	joe = show(&ticket, &key);
	stage_drop(joe);
	stage_pass(1);
	CU_ASSERT_EQUAL(world->users, 0);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, LOADED));
	end();
	begin();
	stage_pass(59999);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	stage_pass(2);
	joe = show(&ticket, &key);
	move_to(joe, 0, 0);
	turned_away(joe, METACUBE__REASON__BAD_REQUEST);
	CU_ASSERT_EQUAL(world->users, 0);
	end();
}

/* Without a taskmaster all goes on; a new one learns what there is. */
static void
link_lost(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;
	uint64_t epoch = 77;

	begin();
	joe = come(1, "Joe");
	stage_drop(master);
	amanda = come(2, "Amanda");
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, APPEARED));
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, ENTERED));
	SAY(amanda, JOIN, join, &(Metacube__Join)METACUBE__JOIN__INIT);
	CU_ASSERT_EQUAL(refused(amanda), METACUBE__REASON__NO_SUCH_MAP);
	SAY(amanda, LIST_MAPS, list_maps,
	    &(Metacube__ListMaps)METACUBE__LIST_MAPS__INIT);
	CU_ASSERT_EQUAL(refused(amanda), METACUBE__REASON__TRY_LATER);
	CU_ASSERT_FALSE(stage_over(amanda));

	master = stage_accept();
	envelope = HEARD(master, REGISTER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->register_->n_player, 2);
	CU_ASSERT_EQUAL(envelope->register_->n_player_map, 2);
	CU_ASSERT_EQUAL(envelope->register_->player_map[0], 0);
	/* before it has answered, one goes and one comes */
	SAY(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	come(3, "Third");
	CU_ASSERT_EQUAL(stage_unheard(master), 0);
	master_up(&epoch, 1);
	envelope = HEARD(master, DEPARTED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->departed->uid, 1);
	CU_ASSERT_EQUAL(envelope->departed->epoch, 77);
	envelope = HEARD(master, ARRIVED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->arrived->uid, 3);
	CU_ASSERT_EQUAL(envelope->arrived->epoch, 77);
	CU_ASSERT_EQUAL(stage_unheard(master), 0);
	turned_away(come(4, "Late"), METACUBE__REASON__BAD_TICKET);
	end();
}

/* A copy that has loaded while the link was down is announced. */
static void
loaded_while_down(void)
{
	const Metacube__Envelope *envelope;
	Metacube__Load load = METACUBE__LOAD__INIT;

	begin();
	load.map = (char *)"old-forest";
	load.epoch = 6;
	SAY(master, LOAD, load, &load);
	stage_drop(master);
	master = stage_accept();
	stage_pass(1);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, REGISTER));
	CU_ASSERT_EQUAL(stage_unheard(master), 0);
	master_up((uint64_t[]) { 5 }, 1);
	envelope = HEARD(master, LOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 0);
	CU_ASSERT_STRING_EQUAL(envelope->loaded->map, "old-forest");
	CU_ASSERT_EQUAL(envelope->loaded->epoch, 6);
	end();
}

static void
travels(void)
{
	const Metacube__Envelope *envelope;
	Metacube__Join join = METACUBE__JOIN__INIT;
	Metacube__Placed placed = METACUBE__PLACED__INIT;
	Metacube__Envelope answer = METACUBE__ENVELOPE__INIT;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	join.map = (char *)"../old-forest";
	SAY(joe, JOIN, join, &join);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__NO_SUCH_MAP);
	CU_ASSERT_PTR_NULL(HEARD(master, PLACE));
	join.map = (char *)"old-forest";
	SAY(joe, JOIN, join, &join);
	envelope = HEARD(master, PLACE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->place->uid, 1);
	CU_ASSERT_STRING_EQUAL(envelope->place->name, "joe");
	CU_ASSERT_STRING_EQUAL(envelope->place->map, "old-forest");
	answer.cid = envelope->cid;
	SAY(joe, JOIN, join, &join);	/* one at a time */
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	placed.world = (char *)"world-2";
	placed.endpoint = (char *)"192.0.2.2:7750";
	placed.map = (char *)"old-forest";
	placed.ticket.data = (uint8_t *)"ticket";
	placed.ticket.len = 6;
	answer.message_case = METACUBE__ENVELOPE__MESSAGE_PLACED;
	answer.placed = &placed;
	stage_say(master, &answer);
	envelope = HEARD(joe, REROUTE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(envelope->reroute->n_endpoint, 1);
	CU_ASSERT_STRING_EQUAL(envelope->reroute->endpoint[0],
	    "192.0.2.2:7750");
	CU_ASSERT_EQUAL(envelope->reroute->ticket.len, 6);
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	stage_say(master, &answer);	/* an answer nobody waits for */
	end();
}

static void
questions_end(void)
{
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;
	Metacube__Maps maps = METACUBE__MAPS__INIT;
	Metacube__Envelope answer = METACUBE__ENVELOPE__INIT;
	const Metacube__Envelope *envelope;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	list.after = (char *)"\xff\n";
	SAY(joe, LIST_MAPS, list_maps, &list);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	list.after = (char *)"harbour-town";
	SAY(joe, LIST_MAPS, list_maps, &list);
	envelope = HEARD(master, LIST_MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	answer.cid = envelope->cid;
	answer.message_case = METACUBE__ENVELOPE__MESSAGE_MAPS;
	answer.maps = &maps;
	stage_say(master, &answer);
	envelope = HEARD(joe, MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	SAY(joe, LIST_MAPS, list_maps, &list);
	stage_pass(30001);		/* no answer */
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	SAY(joe, LIST_MAPS, list_maps, &list);
	stage_drop(master);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	master = stage_accept();
	master_up((uint64_t[]) { 5 }, 1);
	SAY(joe, LIST_MAPS, list_maps, &list);
	envelope = HEARD(master, LIST_MAPS);
	answer.cid = envelope->cid;
	stage_drop(joe);		/* who asked is gone */
	stage_say(master, &answer);
	end();
}

static void
slow_client(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;

	begin();
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	stage_skip(amanda);
	stage_queue(amanda, 40000, false);	/* beyond half of 64 KiB */
	move_to(joe, 12400, 10900);
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_unheard(amanda), 0);
	CU_ASSERT_TRUE(stage_count("updates_skipped") >= 19);
	come(3, "Third");			/* that she must not miss */
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, APPEARED));
	stage_queue(amanda, 20000, false);
	stage_pass(500);
	CU_ASSERT_EQUAL(stage_unheard(amanda), 0);
	stage_queue(amanda, 0, false);
	stage_pass(60);
	envelope = HEARD(amanda, UPDATE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->update->n_id, 3);
	CU_ASSERT_EQUAL(stage_count("resynchronised"), 1);
	stage_pass(100);
	envelope = HEARD(amanda, UPDATE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->update->n_id, 1);
	/* and when nothing at all fits any more */
	stage_queue(amanda, 65536, true);
	come(4, "Fourth");
	CU_ASSERT_TRUE(stage_over(amanda));
	stage_pass(1);
	CU_ASSERT_EQUAL(world->users, 4);	/* she may come back */
	CU_ASSERT_EQUAL(stage_count("too_slow"), 1);
	end();
}

static void
stops(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;

	begin();
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	stage_drop(amanda);
	metacube_module.stop(world);
	envelope = HEARD(joe, KICKED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__SERVER_STOPPING);
	CU_ASSERT_PTR_NULL(stage_connect());
	stage_pass(0);
	metacube_module.fini(world);
	free(world);
	stage_reset("");
}

static enum mc_status
started(const char *listen, const char *advertise, const char *name)
{
	enum mc_status status;

	stage_reset("world-1");
	conf.listen.endpoint = listen;
	conf.advertise = advertise;
	conf.name = name;
	conf.maps = MAPS_DIR;
	conf.capacity = 1;
	world = mc_zalloc(metacube_module.state_size);
	status = metacube_module.init(world, stage_host(), &conf);
	if (status == MC_OK)
		status = metacube_module.start(world);
	if (status == MC_OK)
		metacube_module.stop(world);
	stage_pass(0);
	metacube_module.fini(world);
	return status;
}

static void
settings(void)
{
	CU_ASSERT_EQUAL(started("[::]:7750", "", ""), MC_INVALID);
	CU_ASSERT_TRUE(stage_logged("advertise: "));
	free(world);
	CU_ASSERT_EQUAL(started("0.0.0.0:7750", "", ""), MC_INVALID);
	free(world);
	CU_ASSERT_EQUAL(started("[::]:7750", "w.example.org:0", ""), MC_OK);
	CU_ASSERT_STRING_EQUAL(world->endpoint, "w.example.org:7750");
	free(world);
	CU_ASSERT_EQUAL(started("[::]:7750", "[2001:db8::1]:80", ""), MC_OK);
	CU_ASSERT_STRING_EQUAL(world->endpoint, "[2001:db8::1]:80");
	free(world);
	CU_ASSERT_EQUAL(started("127.0.0.1:7750", "", "world-2"),
	    MC_INVALID);
	CU_ASSERT_TRUE(stage_logged("is not the name in the certificate"));
	free(world);
	stage_reset("");
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "registers, and again", registers },
		{ "loads maps", loads },
		{ "two meet", meet },
		{ "who walks is seen", walks },
		{ "who talks is heard", talks },
		{ "only so far", out_of_earshot },
		{ "bad tickets", tickets_bad },
		{ "messages in the wrong state", wrong_state },
		{ "too many messages", too_many_messages },
		{ "comes back after a drop", comes_back },
		{ "the newest session wins", newest_wins },
		{ "kicked by the taskmaster", kicked },
		{ "a full map", full },
		{ "an empty map is unloaded, and a late ticket good", unloads },
		{ "waits for a map, and goes", waits_and_goes },
		{ "the link is lost, and comes back", link_lost },
		{ "a load outlives the link", loaded_while_down },
		{ "travels", travels },
		{ "questions end", questions_end },
		{ "a slow client", slow_client },
		{ "stops", stops },
		{ "advertise and name", settings },
		{ NULL, NULL }
	};

	return cutap_run("world", tests);
}
