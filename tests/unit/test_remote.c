/* SPDX-License-Identifier: MIT */
/*
 * taskmaster_remote: each question gets its answer, or a reason why not,
 * whatever becomes of the link.
 */
#include "remote_rig.h"

#include <metacube/taskmaster.h>

#include <stdio.h>
#include <string.h>

static void
open_remote(void)
{
	remote_make("127.0.0.1:7745");
	remote_set("connect_wait", 2000);
	remote_start();
}

static void
close_remote(void)
{
	remote_stop();
	remote_end();
}

struct question {
	struct mc_call	*call;
	bool		 answered;
	enum mc_status	 status;
	size_t		 len;
	struct taskmaster_place place;
	struct taskmaster_map	map;	/* the first one */
};

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct question *question = owner;

	question->answered = true;
	question->status = reply->status;
	question->len = reply->len;
	if (MC_RESULT(reply, struct taskmaster_place) != NULL)
		memcpy(&question->place, reply->data,
		    sizeof(question->place));
	else if (reply->len >= sizeof(question->map))
		memcpy(&question->map, reply->data, sizeof(question->map));
}

static void
ask(struct question *question, const char *map)
{
	struct taskmaster_request request = {
		.uid = 7, .generation = 3, .name = "joe", .display = "Joe"
	};

	memset(question, 0, sizeof(*question));
	snprintf(request.map, sizeof(request.map), "%s", map);
	taskmaster_place(&service, &request, &question->call, answered,
	    question);
	stage_pass(0);
}

static void
list(struct question *question, const char *after)
{
	memset(question, 0, sizeof(*question));
	taskmaster_maps(&service, after, &question->call, answered,
	    question);
	stage_pass(0);
}

static uint32_t
place_heard(struct mc_conn *conn, const char *map)
{
	const Metacube__Envelope *envelope = HEARD(conn, PLACE);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->place->uid, 7);
	CU_ASSERT_EQUAL(envelope->place->generation, 3);
	CU_ASSERT_STRING_EQUAL(envelope->place->name, "joe");
	CU_ASSERT_STRING_EQUAL(envelope->place->display, "Joe");
	CU_ASSERT_STRING_EQUAL(envelope->place->map, map);
	CU_ASSERT_NOT_EQUAL(envelope->cid, 0);
	return envelope->cid;
}

static void
placed_say(struct mc_conn *conn, uint32_t cid, char *map, size_t ticket_len)
{
	Metacube__Placed placed = METACUBE__PLACED__INIT;
	static uint8_t ticket[TASKMASTER_TICKET_MAX + 1] = "ticket";

	placed.world = (char *)"world-2";
	placed.endpoint = (char *)"127.0.0.1:7751";
	placed.map = map;
	placed.epoch = 99;
	placed.ticket.data = ticket;
	placed.ticket.len = ticket_len;
	SAY(conn, cid, PLACED, placed, &placed);
	stage_pass(0);
}

static void
answers(void)
{
	struct question first, second;
	struct mc_conn *conn;
	uint32_t one, two;

	open_remote();
	conn = stage_accept();
	CU_ASSERT_TRUE(stage_admitted(conn));
	ask(&first, "desert");
	ask(&second, "forest");
	one = place_heard(conn, "desert");
	two = place_heard(conn, "forest");
	CU_ASSERT_NOT_EQUAL(one, two);
	placed_say(conn, two, (char *)"forest", 6);
	CU_ASSERT_FALSE(first.answered);
	CU_ASSERT_EQUAL(second.status, MC_OK);
	CU_ASSERT_STRING_EQUAL(second.place.map, "forest");
	CU_ASSERT_STRING_EQUAL(second.place.world, "world-2");
	CU_ASSERT_STRING_EQUAL(second.place.endpoint, "127.0.0.1:7751");
	CU_ASSERT_EQUAL(second.place.epoch, 99);
	CU_ASSERT_EQUAL(second.place.ticket_len, 6);
	CU_ASSERT_EQUAL(memcmp(second.place.ticket, "ticket", 6), 0);
	placed_say(conn, two, (char *)"forest", 6);	/* once more */
	placed_say(conn, one, (char *)"desert", 6);
	CU_ASSERT_EQUAL(first.status, MC_OK);
	close_remote();
}

static void
maps(void)
{
	Metacube__Maps maps = METACUBE__MAPS__INIT;
	Metacube__MapEntry entry = METACUBE__MAP_ENTRY__INIT;
	Metacube__MapEntry *entries[TASKMASTER_MAPS_MAX + 1];
	const Metacube__Envelope *envelope;
	struct question question;
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	list(&question, "desert");
	envelope = HEARD(conn, LIST_MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_STRING_EQUAL(envelope->list_maps->after, "desert");
	entry.key = (char *)"newbie-island";
	entry.title = (char *)"Newbie Island";
	entry.copies = 2;
	entry.users = 70;
	for (size_t i = 0; i <= TASKMASTER_MAPS_MAX; i++)
		entries[i] = &entry;
	maps.maps = entries;
	maps.n_maps = 2;
	SAY(conn, envelope->cid, MAPS, maps, &maps);
	stage_pass(0);
	CU_ASSERT_EQUAL(question.status, MC_OK);
	CU_ASSERT_EQUAL(question.len, 2 * sizeof(struct taskmaster_map));
	CU_ASSERT_STRING_EQUAL(question.map.map, "newbie-island");
	CU_ASSERT_STRING_EQUAL(question.map.title, "Newbie Island");
	CU_ASSERT_EQUAL(question.map.copies, 2);
	CU_ASSERT_EQUAL(question.map.users, 70);
	list(&question, "");
	envelope = HEARD(conn, LIST_MAPS);
	maps.n_maps = TASKMASTER_MAPS_MAX + 1;
	SAY(conn, envelope->cid, MAPS, maps, &maps);
	stage_pass(0);
	CU_ASSERT_EQUAL(question.status, MC_INTERNAL);
	close_remote();
}

static void
refusals(void)
{
	static const struct {
		Metacube__Reason reason;
		enum mc_status	 status;
	} cases[] = {
		{ METACUBE__REASON__NO_SUCH_MAP, MC_NOT_FOUND },
		{ METACUBE__REASON__TRY_LATER, MC_BUSY },
		{ METACUBE__REASON__NOT_ALLOWED, MC_DENIED },
		{ METACUBE__REASON__BAD_REQUEST, MC_INVALID },
		{ METACUBE__REASON__NO_WORLD, MC_UNAVAILABLE },
		{ METACUBE__REASON__UNSPECIFIED, MC_UNAVAILABLE },
	};
	Metacube__Refused refused = METACUBE__REFUSED__INIT;
	struct question question;
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(&question, "desert");
		refused.reason = cases[i].reason;
		SAY(conn, place_heard(conn, "desert"), REFUSED, refused,
		    &refused);
		stage_pass(0);
		CU_ASSERT_EQUAL(question.status, cases[i].status);
	}
	close_remote();
}

static void
nonsense(void)
{
	Metacube__Maps maps = METACUBE__MAPS__INIT;
	char longer[MC_KEY_SIZE + 1];
	struct question question;
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ask(&question, "desert");
	placed_say(conn, place_heard(conn, "desert"), longer, 6);
	CU_ASSERT_EQUAL(question.status, MC_INTERNAL);
	ask(&question, "desert");
	placed_say(conn, place_heard(conn, "desert"), (char *)"desert",
	    TASKMASTER_TICKET_MAX + 1);
	CU_ASSERT_EQUAL(question.status, MC_INTERNAL);
	ask(&question, "desert");
	SAY(conn, place_heard(conn, "desert"), MAPS, maps, &maps);
	stage_pass(0);
	CU_ASSERT_EQUAL(question.status, MC_INTERNAL);
	placed_say(conn, 4711, (char *)"desert", 6);
	close_remote();
}

/* Servers may be started in any order; later there is no patience. */
static void
no_link(void)
{
	struct question first, second;
	struct mc_conn *conn;

	open_remote();
	ask(&first, "desert");
	CU_ASSERT_FALSE(first.answered);
	stage_pass(1500);
	conn = stage_accept();
	placed_say(conn, place_heard(conn, "desert"), (char *)"desert", 6);
	CU_ASSERT_EQUAL(first.status, MC_OK);
	ask(&first, "desert");
	list(&second, "");
	stage_drop(conn);
	stage_pass(0);
	CU_ASSERT_EQUAL(first.status, MC_UNAVAILABLE);
	CU_ASSERT_EQUAL(second.status, MC_UNAVAILABLE);
	ask(&first, "desert");
	CU_ASSERT_EQUAL(first.status, MC_UNAVAILABLE);
	conn = stage_accept();
	CU_ASSERT_PTR_NULL(HEARD(conn, PLACE));	/* not asked twice */
	ask(&first, "desert");
	placed_say(conn, place_heard(conn, "desert"), (char *)"desert", 6);
	CU_ASSERT_EQUAL(first.status, MC_OK);
	close_remote();
}

static void
never_a_link(void)
{
	struct question question;

	open_remote();
	ask(&question, "desert");
	stage_pass(1999);
	CU_ASSERT_FALSE(question.answered);
	stage_pass(1);
	CU_ASSERT_EQUAL(question.status, MC_UNAVAILABLE);
	ask(&question, "desert");
	CU_ASSERT_EQUAL(question.status, MC_UNAVAILABLE);
	close_remote();
}

static void
limits(void)
{
	struct question questions[4];
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	for (int i = 0; i < 4; i++)
		ask(&questions[i], "desert");
	CU_ASSERT_EQUAL(questions[3].status, MC_BUSY);
	CU_ASSERT_EQUAL(stage_count("pending"), 3);
	stage_pass(TASKMASTER_TIMEOUT_MS + 1000);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(questions[i].status, MC_TIMEOUT);
	CU_ASSERT_EQUAL(stage_count("pending"), 0);
	CU_ASSERT_FALSE(stage_over(conn));
	close_remote();
}

static void
evict(struct question *question, uint64_t uid)
{
	memset(question, 0, sizeof(*question));
	taskmaster_evict(&service, uid, METACUBE__REASON__ACCOUNT_LOCKED,
	    &question->call, answered, question);
	stage_pass(0);
}

static uint32_t
evict_heard(struct mc_conn *conn, uint64_t uid)
{
	const Metacube__Envelope *envelope = HEARD(conn, EVICT);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->evict->uid, uid);
	CU_ASSERT_EQUAL(envelope->evict->reason,
	    METACUBE__REASON__ACCOUNT_LOCKED);
	return envelope->cid;
}

static void
evicts(void)
{
	Metacube__Evicted evicted = METACUBE__EVICTED__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;
	struct question question;
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	evict(&question, 7);
	SAY(conn, evict_heard(conn, 7), EVICTED, evicted, &evicted);
	stage_pass(0);
	CU_ASSERT_EQUAL(question.status, MC_OK);
	evict(&question, 8);
	refused.reason = METACUBE__REASON__NOT_ALLOWED;
	SAY(conn, evict_heard(conn, 8), REFUSED, refused, &refused);
	stage_pass(0);
	CU_ASSERT_EQUAL(question.status, MC_DENIED);
	evict(&question, 9);
	placed_say(conn, evict_heard(conn, 9), (char *)"desert", 6);
	CU_ASSERT_EQUAL(question.status, MC_INTERNAL);
	evict(&question, 10);
	stage_drop(conn);
	stage_pass(0);
	CU_ASSERT_EQUAL(question.status, MC_UNAVAILABLE);
	close_remote();
}

static struct taskmaster_players list_told;
static enum mc_status list_status;

static void
players_told(void *owner, const struct mc_reply *reply)
{
	(void)owner;
	memset(&list_told, 0, sizeof(list_told));
	list_status = reply->status;
	if (MC_RESULT(reply, struct taskmaster_players) != NULL)
		list_told = *(const struct taskmaster_players *)reply->data;
}

/* The question, as it is heard. */
static uint32_t
players_ask(struct mc_conn *conn)
{
	static struct mc_call *call;
	const Metacube__Envelope *envelope;

	taskmaster_players(&service, 17, &call, players_told, NULL);
	stage_pass(0);
	envelope = HEARD(conn, LIST_PLAYERS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->list_players->after, 17);
	return envelope->cid;
}

static void
players(void)
{
	Metacube__Players players = METACUBE__PLAYERS__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;
	uint64_t numbers[TASKMASTER_PLAYERS_MAX + 1] = { 18, 20 };
	char *displays[TASKMASTER_PLAYERS_MAX + 1];
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	for (size_t i = 0; i <= TASKMASTER_PLAYERS_MAX; i++)
		displays[i] = (char *)"Joe";
	players.doubt = 5;
	players.number = players.uid = players.generation = numbers;
	players.display = displays;
	players.n_number = players.n_uid = players.n_generation =
	    players.n_display = 2;
	SAY(conn, players_ask(conn), PLAYERS, players, &players);
	stage_pass(0);
	CU_ASSERT_EQUAL(list_status, MC_OK);
	CU_ASSERT_EQUAL(list_told.doubt, 5);
	CU_ASSERT_EQUAL(list_told.count, 2);
	CU_ASSERT_EQUAL(list_told.players[1].number, 20);
	CU_ASSERT_EQUAL(list_told.players[1].uid, 20);
	CU_ASSERT_EQUAL(list_told.players[1].generation, 20);
	CU_ASSERT_STRING_EQUAL(list_told.players[1].display, "Joe");
	players.n_uid = 1;			/* cannot be */
	SAY(conn, players_ask(conn), PLAYERS, players, &players);
	stage_pass(0);
	CU_ASSERT_EQUAL(list_status, MC_INTERNAL);
	players.n_number = players.n_uid = players.n_generation =
	    players.n_display = TASKMASTER_PLAYERS_MAX + 1;
	SAY(conn, players_ask(conn), PLAYERS, players, &players);
	stage_pass(0);
	CU_ASSERT_EQUAL(list_status, MC_INTERNAL);
	refused.reason = METACUBE__REASON__NOT_ALLOWED;
	SAY(conn, players_ask(conn), REFUSED, refused, &refused);
	stage_pass(0);
	CU_ASSERT_EQUAL(list_status, MC_DENIED);
	players_ask(conn);
	stage_drop(conn);
	stage_pass(0);
	CU_ASSERT_EQUAL(list_status, MC_UNAVAILABLE);
	close_remote();
}

static void
asker_gone(void)
{
	struct question question;
	struct mc_conn *conn;

	open_remote();
	conn = stage_accept();
	ask(&question, "desert");
	mc_call_cancel(&question.call);
	placed_say(conn, place_heard(conn, "desert"), (char *)"desert", 6);
	CU_ASSERT_FALSE(question.answered);
	ask(&question, "desert");
	remote_stop();
	CU_ASSERT_EQUAL(question.status, MC_UNAVAILABLE);
	close_remote();
}

/* The old connection may end when there is a new one already. */
static void
moves(void)
{
	struct question before, after;
	struct mc_conn *conn;

	open_remote();
	stage_accept();
	ask(&before, "desert");
	remote_move("127.0.0.1:7746");
	conn = stage_accept();
	stage_pass(0);
	CU_ASSERT_EQUAL(before.status, MC_UNAVAILABLE);
	CU_ASSERT_EQUAL(stage_count("connected"), 1);
	ask(&after, "desert");
	placed_say(conn, place_heard(conn, "desert"), (char *)"desert", 6);
	CU_ASSERT_EQUAL(after.status, MC_OK);
	close_remote();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "each question gets its own answer", answers },
		{ "the list of maps", maps },
		{ "each refusal has its status", refusals },
		{ "a user who has to go", evicts },
		{ "who is on worlds", players },
		{ "answers that cannot be", nonsense },
		{ "without a link", no_link },
		{ "never a link", never_a_link },
		{ "so many questions, so long", limits },
		{ "nobody waits any more", asker_gone },
		{ "the taskmaster moves", moves },
		{ NULL, NULL }
	};

	return cutap_run("remote", tests);
}
