/* SPDX-License-Identifier: MIT */
/*
 * link - the conversation with the taskmaster.
 *
 *	-> Register			<- Registered | Refused
 *	<- TicketKey
 *	<- Load				-> Loaded | Refused
 *	-> Loaded (an unloaded copy runs again, for a ticket on its way)
 *	-> Unloaded, Arrived, Departed, Report
 *	<- Kick
 *	-> Place, ListMaps		<- Placed, Maps | Refused
 *
 * The world does not depend on it: without a link the maps go on, clients
 * stay, and tickets that are out are honoured.  A new link begins with all
 * that runs here.  What happens between Register and Registered is told
 * after Registered, under the epochs that hold from then on.
 */

#include "world.h"

#include <metacube/taskmaster.h>

#include <stdlib.h>
#include <string.h>

#define PROTOCOL	1

/* What a client has asked the taskmaster. */
struct question {
	struct question	*next;
	struct link	*link;
	struct session	*session;
	struct mc_timer	*timer;
	uint32_t	 cid;		/* on the link */
	uint32_t	 client_cid;
};

/* Who left between Register and Registered. */
struct departure {
	struct departure	*next;
	uint64_t		 uid;
	char			 map[MC_KEY_SIZE];
};

struct link {
	struct world		*world;
	struct mc_link		*dial;
	struct mc_conn		*conn;		/* NULL: down */
	uint64_t		 number;	/* of this connection */
	bool			 registered;
	uint32_t		 last_cid;
	uint32_t		 register_cid;
	struct question		*questions;
	struct departure	*departures;
};

static bool
up(const struct link *link)
{
	return link->conn != NULL && link->registered;
}

static uint32_t
cid_new(struct link *link)
{
	if (++link->last_cid == 0)
		link->last_cid = 1;
	return link->last_cid;
}

/*
 * Register.
 */

/* The lists of the message, as long as it is being sent. */
struct lists {
	char		**map, **title, **running, **display;
	uint32_t	 *map_capacity, *player_map;
	uint64_t	 *epoch, *player;
};

static size_t
copies_running(const struct world *world)
{
	const struct copy *copy;
	size_t count = 0;

	for (copy = world->copies; copy != NULL; copy = copy->next)
		count += copy->state == COPY_RUNNING;
	return count;
}

static void
lists_stock(struct lists *lists, const struct world *world)
{
	lists->map = mc_zalloc(world->stocks * sizeof(*lists->map) + 1);
	lists->title = mc_zalloc(world->stocks * sizeof(*lists->title) + 1);
	lists->map_capacity =
	    mc_zalloc(world->stocks * sizeof(*lists->map_capacity) + 1);
	for (size_t i = 0; i < world->stocks; i++) {
		lists->map[i] = world->stock[i].key;
		lists->title[i] = world->stock[i].title;
		lists->map_capacity[i] = world->stock[i].capacity;
	}
}

static void
lists_players(struct lists *lists, struct copy *copy, size_t *players,
    uint64_t number)
{
	for (size_t i = 0; i < copy->count; i++, (*players)++) {
		struct avatar *avatar = copy->avatars[i];

		avatar->announced = number;
		lists->player[*players] = avatar->uid;
		lists->display[*players] = avatar->display;
		lists->player_map[*players] = (uint32_t)copy->listed - 1;
	}
}

static void
lists_running(struct lists *lists, struct world *world, uint64_t number)
{
	size_t copies = copies_running(world), running = 0, players = 0;

	lists->running = mc_zalloc(copies * sizeof(*lists->running) + 1);
	lists->epoch = mc_zalloc(copies * sizeof(*lists->epoch) + 1);
	lists->player = mc_zalloc(world->users * sizeof(*lists->player) + 1);
	lists->display =
	    mc_zalloc(world->users * sizeof(*lists->display) + 1);
	lists->player_map =
	    mc_zalloc(world->users * sizeof(*lists->player_map) + 1);
	for (struct copy *copy = world->copies; copy != NULL;
	    copy = copy->next) {
		copy->listed = 0;
		if (copy->state != COPY_RUNNING)
			continue;
		lists->running[running] = copy->key;
		lists->epoch[running] = copy->epoch;
		copy->listed = ++running;
		lists_players(lists, copy, &players, number);
	}
}

static void
lists_free(struct lists *lists)
{
	free(lists->map);
	free(lists->title);
	free(lists->map_capacity);
	free(lists->running);
	free(lists->epoch);
	free(lists->player);
	free(lists->display);
	free(lists->player_map);
}

static void
register_send(struct link *link)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Register body = METACUBE__REGISTER__INIT;
	struct world *world = link->world;
	struct lists lists = { 0 };

	lists_stock(&lists, world);
	lists_running(&lists, world, link->number);
	body.version = PROTOCOL;
	body.name = (char *)world->name;
	body.endpoint = world->endpoint;
	body.capacity = (uint32_t)world->conf->capacity;
	body.load = world_load(world);
	body.n_map = body.n_title = body.n_map_capacity = world->stocks;
	body.map = lists.map;
	body.title = lists.title;
	body.map_capacity = lists.map_capacity;
	body.n_running = body.n_running_epoch = copies_running(world);
	body.running = lists.running;
	body.running_epoch = lists.epoch;
	body.n_player = body.n_player_display = body.n_player_map =
	    world->users;
	body.player = lists.player;
	body.player_display = lists.display;
	body.player_map = lists.player_map;
	link->register_cid = cid_new(link);
	envelope.cid = link->register_cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REGISTER;
	envelope.register_ = &body;
	mc_conn_send(link->conn, &envelope);
	lists_free(&lists);
}

/*
 * What happens here.
 */

static void
arrived_send(struct link *link, struct avatar *avatar)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Arrived body = METACUBE__ARRIVED__INIT;

	body.ticket.data = avatar->ticket;
	body.ticket.len = sizeof(avatar->ticket);
	body.uid = avatar->uid;
	body.display = avatar->display;
	body.map = avatar->copy->key;
	body.epoch = avatar->copy->epoch;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ARRIVED;
	envelope.arrived = &body;
	avatar->announced = link->number;
	mc_conn_send(link->conn, &envelope);
}

static void
departed_send(struct link *link, uint64_t uid, const struct copy *copy)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Departed body = METACUBE__DEPARTED__INIT;

	body.uid = uid;
	body.map = (char *)copy->key;
	body.epoch = copy->epoch;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_DEPARTED;
	envelope.departed = &body;
	mc_conn_send(link->conn, &envelope);
}

static void
loaded_send(struct link *link, const struct copy *copy, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Loaded body = METACUBE__LOADED__INIT;

	body.map = (char *)copy->key;
	body.epoch = copy->epoch;
	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOADED;
	envelope.loaded = &body;
	mc_conn_send(link->conn, &envelope);
}

void
link_arrived(struct avatar *avatar)
{
	struct link *link = avatar->copy->world->link;

	if (up(link))
		arrived_send(link, avatar);
}

void
link_departed(const struct avatar *avatar)
{
	struct link *link = avatar->copy->world->link;
	struct departure *departure;

	if (link->conn == NULL || avatar->announced != link->number)
		return;
	if (link->registered) {
		departed_send(link, avatar->uid, avatar->copy);
		return;
	}
	departure = mc_zalloc(sizeof(*departure));
	departure->uid = avatar->uid;
	memcpy(departure->map, avatar->copy->key, sizeof(departure->map));
	departure->next = link->departures;
	link->departures = departure;
}

void
link_loaded(struct copy *copy)
{
	struct link *link = copy->world->link;
	uint32_t cid = copy->asked_on == link->number ? copy->asked : 0;

	copy->asked = 0;
	if (!up(link))
		return;
	copy->listed = 1;
	loaded_send(link, copy, cid);
}

static void
refused_send(struct link *link, uint32_t cid, unsigned reason,
    const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused body = METACUBE__REFUSED__INIT;

	body.reason = (Metacube__Reason)reason;
	body.text = (char *)text;
	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &body;
	mc_conn_send(link->conn, &envelope);
}

void
link_not_loaded(struct copy *copy, const char *why)
{
	struct link *link = copy->world->link;

	if (up(link) && copy->asked != 0 && copy->asked_on == link->number)
		refused_send(link, copy->asked,
		    METACUBE__REASON__NO_SUCH_MAP, why);
	copy->asked = 0;
}

bool
link_unloaded(const struct copy *copy)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Unloaded body = METACUBE__UNLOADED__INIT;
	struct link *link = copy->world->link;

	if (link->conn == NULL)
		return true;
	if (!link->registered)
		return false;
	body.map = (char *)copy->key;
	body.epoch = copy->epoch;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_UNLOADED;
	envelope.unloaded = &body;
	mc_conn_send(link->conn, &envelope);
	return true;
}

void
link_report(struct world *world, unsigned load)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Report body = METACUBE__REPORT__INIT;

	if (!up(world->link))
		return;
	body.load = load;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REPORT;
	envelope.report = &body;
	mc_conn_send(world->link->conn, &envelope);
}

/*
 * What clients ask.
 */

static void
question_free(struct question *question)
{
	struct question **at = &question->link->questions;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	mc_timer_clear(&question->timer);
	question->session->question = NULL;
	free(question);
}

static void
question_answer(struct question *question, const Metacube__Envelope *answer)
{
	struct session *session = question->session;
	uint32_t cid = question->client_cid;

	question_free(question);
	session_answered(session, cid, answer);
}

static void
question_fail(struct question *question, const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused body = METACUBE__REFUSED__INIT;

	body.reason = METACUBE__REASON__TRY_LATER;
	body.text = (char *)text;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &body;
	question_answer(question, &envelope);
}

static void
question_late(void *owner)
{
	question_fail(owner, "the taskmaster does not answer");
}

static bool
question_ask(struct session *session, uint32_t client_cid,
    Metacube__Envelope *envelope)
{
	struct link *link = session->world->link;
	struct question *question;

	if (!up(link))
		return false;
	question = mc_zalloc(sizeof(*question));
	question->link = link;
	question->session = session;
	question->client_cid = client_cid;
	question->cid = cid_new(link);
	question->next = link->questions;
	link->questions = question;
	session->question = question;
	mc_timer_set(session->world->host, &question->timer,
	    TASKMASTER_TIMEOUT_MS, question_late, question);
	envelope->cid = question->cid;
	mc_conn_send(link->conn, envelope);
	return true;
}

bool
link_place(struct session *session, uint32_t cid, const char *map)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Place body = METACUBE__PLACE__INIT;

	body.uid = session->avatar->uid;
	body.name = session->avatar->name;
	body.display = session->avatar->display;
	body.map = (char *)map;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLACE;
	envelope.place = &body;
	return question_ask(session, cid, &envelope);
}

bool
link_maps(struct session *session, uint32_t cid, const char *after)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__ListMaps body = METACUBE__LIST_MAPS__INIT;

	body.after = (char *)after;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LIST_MAPS;
	envelope.list_maps = &body;
	return question_ask(session, cid, &envelope);
}

void
link_forget(struct session *session)
{
	if (session->question != NULL)
		question_free(session->question);
}

/*
 * What the taskmaster says.
 */

/* All that happened since Register. */
static void
catch_up(struct link *link)
{
	struct departure *departure;
	struct copy *copy;

	while ((departure = link->departures) != NULL) {
		link->departures = departure->next;
		copy = copy_find(link->world, departure->map);
		if (copy != NULL)
			departed_send(link, departure->uid, copy);
		free(departure);
	}
	for (copy = link->world->copies; copy != NULL; copy = copy->next) {
		if (copy->state == COPY_RUNNING && copy->listed == 0) {
			copy->listed = 1;
			loaded_send(link, copy, 0);
		}
		for (size_t i = 0; i < copy->count; i++)
			if (copy->avatars[i]->announced != link->number)
				arrived_send(link, copy->avatars[i]);
	}
}

static void
registered(struct link *link, const Metacube__Registered *body)
{
	struct world *world = link->world;
	struct copy *copy;

	if (link->registered)
		return;
	link->registered = true;
	for (copy = world->copies; copy != NULL; copy = copy->next)
		if (copy->listed != 0 && copy->listed <= body->n_running_epoch)
			copy->epoch = body->running_epoch[copy->listed - 1];
	mc_count(world->host, "registrations", 1);
	mc_log(world->host, MC_NOTE, "registered with the taskmaster at %s: "
	    "%s at %s, %zu maps, %zu running, %zu users",
	    world->conf->taskmaster, world->name, world->endpoint,
	    world->stocks, copies_running(world), world->users);
	catch_up(link);
}

static void
ticket_key(struct link *link, const Metacube__TicketKey *body)
{
	struct ticket_key key = { .id = body->id };

	if (body->secret.len != sizeof(key.secret)) {
		mc_log(link->world->host, MC_ERROR, "the taskmaster has sent "
		    "a ticket key of %zu bytes", body->secret.len);
		return;
	}
	memcpy(key.secret, body->secret.data, sizeof(key.secret));
	tickets_key(link->world->tickets, &key, mc_time_ms());
	mc_wipe(&key, sizeof(key));
}

static void
load(struct link *link, uint32_t cid, const Metacube__Load *body)
{
	struct world *world = link->world;
	struct copy *copy;

	if (!mc_key_valid(body->map)) {
		refused_send(link, cid, METACUBE__REASON__NO_SUCH_MAP,
		    "this cannot be a map's key");
		return;
	}
	copy = copy_find(world, body->map);
	if (copy == NULL)
		copy = copy_load(world, body->map, body->epoch);
	else if (copy->state == COPY_UNLOADED)
		copy_revive(copy);
	copy->epoch = body->epoch;
	copy->asked = cid;
	copy->asked_on = link->number;
	if (copy->state == COPY_RUNNING)
		link_loaded(copy);
}

static void
kick(struct link *link, const Metacube__Kick *body)
{
	struct avatar *avatar = avatar_by_uid(link->world, body->uid);
	bool elsewhere =
	    body->reason == METACUBE__REASON__LOGGED_IN_ELSEWHERE;

	if (avatar == NULL || strcmp(avatar->copy->key, body->map) != 0 ||
	    avatar->copy->epoch != body->epoch)
		return;
	if (avatar->session != NULL)
		session_kick(avatar->session, body->reason, elsewhere ?
		    "this account has logged in elsewhere" :
		    "this account may not stay here");
	else
		avatar_leave(&avatar, " (was disconnected)");
}

static struct question *
question_find(struct link *link, uint32_t cid)
{
	struct question *question = link->questions;

	while (question != NULL && question->cid != cid)
		question = question->next;
	return question;
}

static void
placed(struct question *question, const Metacube__Placed *body)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Reroute reroute = METACUBE__REROUTE__INIT;
	char *endpoint = body->endpoint;

	reroute.n_endpoint = 1;
	reroute.endpoint = &endpoint;
	reroute.world = body->world;
	reroute.map = body->map;
	reroute.ticket = body->ticket;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REROUTE;
	envelope.reroute = &reroute;
	question_answer(question, &envelope);
}

static void
refused(struct link *link, const Metacube__Envelope *envelope)
{
	struct question *question = question_find(link, envelope->cid);

	if (question != NULL)
		question_answer(question, envelope);
	else if (!link->registered) {
		mc_log(link->world->host, MC_ERROR, "the taskmaster at %s "
		    "refuses this world: %s",
		    link->world->conf->taskmaster, envelope->refused->text);
		mc_conn_close(link->conn);
	}
}

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	struct link *link = owner;
	struct question *question;

	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_REGISTERED:
		registered(link, envelope->registered);
		return;
	case METACUBE__ENVELOPE__MESSAGE_TICKET_KEY:
		ticket_key(link, envelope->ticket_key);
		return;
	case METACUBE__ENVELOPE__MESSAGE_LOAD:
		load(link, envelope->cid, envelope->load);
		return;
	case METACUBE__ENVELOPE__MESSAGE_KICK:
		kick(link, envelope->kick);
		return;
	case METACUBE__ENVELOPE__MESSAGE_REFUSED:
		refused(link, envelope);
		return;
	case METACUBE__ENVELOPE__MESSAGE_PLACED:
		question = question_find(link, envelope->cid);
		if (question != NULL)
			placed(question, envelope->placed);
		return;
	case METACUBE__ENVELOPE__MESSAGE_MAPS:
		question = question_find(link, envelope->cid);
		if (question != NULL)
			question_answer(question, envelope);
		return;
	default:
		mc_log(link->world->host, MC_DEBUG, "message %d of the "
		    "taskmaster is not understood",
		    (int)envelope->message_case);
	}
}

static void *
opened(void *state, struct mc_conn *conn)
{
	struct link *link = state;

	link->conn = conn;
	link->number++;
	link->registered = false;
	mc_conn_admit(conn);
	register_send(link);
	return link;
}

static void
departures_drop(struct link *link)
{
	struct departure *departure;

	while ((departure = link->departures) != NULL) {
		link->departures = departure->next;
		free(departure);
	}
}

static void
closed(void *owner)
{
	struct link *link = owner;

	link->conn = NULL;
	link->registered = false;
	departures_drop(link);
	while (link->questions != NULL)
		question_fail(link->questions,
		    "the taskmaster cannot be reached");
	if (!link->world->stopping)
		mc_log(link->world->host, MC_WARN, "the link to the "
		    "taskmaster at %s is lost; %zu users stay",
		    link->world->conf->taskmaster, link->world->users);
}

static const struct mc_conn_ops ops = {
	.open	 = opened,
	.message = message,
	.closed	 = closed,
};

struct link *
link_new(struct world *world)
{
	struct link *link = mc_zalloc(sizeof(*link));

	link->world = world;
	return link;
}

enum mc_status
link_dial(struct link *link)
{
	link->dial = mc_dial(link->world->host, link->world->conf->taskmaster,
	    "taskmaster", &ops, link);
	return link->dial == NULL ? MC_UNAVAILABLE : MC_OK;
}

void
link_hangup(struct link *link)
{
	mc_hangup(&link->dial);
}

void
link_free(struct link **linkp)
{
	departures_drop(*linkp);
	free(*linkp);
	*linkp = NULL;
}
