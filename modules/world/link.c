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

#include "link.h"

#include <stdlib.h>
#include <string.h>

bool
link_up(const struct link *link)
{
	return link->conn != NULL && link->registered;
}

uint32_t
link_cid(struct link *link)
{
	if (++link->last_cid == 0)
		link->last_cid = 1;
	return link->last_cid;
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
	body.generation = avatar->generation;
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

	if (link_up(link))
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
	if (!link_up(link))
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

	if (link_up(link) && copy->asked != 0 && copy->asked_on == link->number)
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

	if (!link_up(world->link))
		return;
	body.load = load;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REPORT;
	envelope.report = &body;
	mc_conn_send(world->link->conn, &envelope);
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

static const char *
kick_text(uint32_t reason)
{
	switch (reason) {
	case METACUBE__REASON__LOGGED_IN_ELSEWHERE:
		return "this account has logged in elsewhere";
	case METACUBE__REASON__ACCOUNT_LOCKED:
		return "this account is locked";
	case METACUBE__REASON__ACCOUNT_CHANGED:
		return "this account has changed: log in again";
	default:
		return "this account may not stay here";
	}
}

static void
kick(struct link *link, const Metacube__Kick *body)
{
	struct avatar *avatar = avatar_by_uid(link->world, body->uid);

	if (*body->map == '\0')
		world_evict(link->world, body->uid, body->reason,
		    kick_text(body->reason), body->void_ms);
	else if (avatar != NULL &&
	    strcmp(avatar->copy->key, body->map) == 0 &&
	    avatar->copy->epoch == body->epoch)
		avatar_kick(avatar, body->reason, kick_text(body->reason));
}

static void
refused(struct link *link, const Metacube__Envelope *envelope)
{
	if (question_answered(link, envelope->cid, envelope))
		return;
	if (!link->registered) {
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
		question_placed(link, envelope->cid, envelope->placed);
		return;
	case METACUBE__ENVELOPE__MESSAGE_MAPS:
		question_answered(link, envelope->cid, envelope);
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
	questions_fail(link);
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
