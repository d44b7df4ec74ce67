/* SPDX-License-Identifier: MIT */
/*
 * The world module's conversations, message by message, in good and bad
 * order.  The connections and the time are the test's own
 * (tests/fakes/stage.h).  Here: clients; world_master.c has the taskmaster.
 */
#include "world_rig.h"

#include <string.h>

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

	SEND(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
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
	SEND(conn, SAY, say, &body);
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
	SEND(conn, LOGIN, login, &login);
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
		SEND(joe, MOVE, move, &(Metacube__Move)METACUBE__MOVE__INIT);
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
	SEND(conn, RESUME, resume, &body);
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

static const struct cutap_test world_tests[] = {
	{ "two meet", meet },
	{ "who walks is seen", walks },
	{ "who talks is heard", talks },
	{ "only so far", out_of_earshot },
	{ "bad tickets", tickets_bad },
	{ "messages in the wrong state", wrong_state },
	{ "too many messages", too_many_messages },
	{ "comes back after a drop", comes_back },
	{ "the newest session wins", newest_wins },
	{ "a slow client", slow_client },
	{ NULL, NULL }
};

int
main(void)
{
	static const struct cutap_suite suites[] = {
		{ "world", world_tests },
		{ "taskmaster", world_master_tests },
		{ "account", world_change_tests },
		{ NULL, NULL }
	};

	return cutap_run_all(suites);
}
