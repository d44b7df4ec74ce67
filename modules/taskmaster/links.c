/* SPDX-License-Identifier: MIT */
/*
 * links.c - the links of those who dial in, and what worlds are told.
 *
 * A link that is lost is a world that is lost, at once; one that says nothing
 * for `silent` is lost too.
 */
#include "taskmaster.h"

#include <inttypes.h>
#include <stdlib.h>

void
link_send(struct link *link, uint32_t cid, Metacube__Envelope *envelope)
{
	envelope->cid = cid;
	mc_conn_send(link->conn, envelope);
}

static void
refused_send(struct link *link, uint32_t cid, Metacube__Reason reason,
    const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused message = METACUBE__REFUSED__INIT;

	message.reason = reason;
	message.text = (char *)text;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &message;
	link_send(link, cid, &envelope);
}

void
link_close(struct link *link)
{
	link->closing = true;
	requests_forget(link);
	if (link->world != NULL)
		world_lost(link->taskmaster, link->world);
	mc_conn_close(link->conn);
}

void
link_turn_away(struct link *link, uint32_t cid, Metacube__Reason reason,
    const char *text)
{
	const struct mc_peer *peer = mc_conn_peer(link->conn);

	mc_log(link->taskmaster->host, MC_WARN, "%s (%s) from %s: %s",
	    peer->name, peer->roles, peer->address, text);
	refused_send(link, cid, reason, text);
	link_close(link);
}

void
link_turn_away_bad(struct link *link, uint32_t cid, const char *text)
{
	link_turn_away(link, cid, METACUBE__REASON__BAD_REQUEST, text);
}

void
link_load(struct link *link, const struct copy *copy, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Load message = METACUBE__LOAD__INIT;

	message.map = copy->map->key;
	message.epoch = copy->epoch;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOAD;
	envelope.load = &message;
	link_send(link, cid, &envelope);
}

static void
kick_send(struct link *link, uint64_t uid, const char *map, uint64_t epoch,
    Metacube__Reason reason, uint64_t void_ms)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Kick message = METACUBE__KICK__INIT;

	message.uid = uid;
	message.map = (char *)map;
	message.epoch = epoch;
	message.reason = reason;
	message.void_ms = void_ms;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_KICK;
	envelope.kick = &message;
	link_send(link, 0, &envelope);
}

void
link_kick(struct link *link, uint64_t uid, const struct copy *copy,
    Metacube__Reason reason)
{
	mc_count(link->taskmaster->host, "kicks", 1);
	kick_send(link, uid, copy->map->key, copy->epoch, reason, 0);
}

void
link_evict(struct link *link, uint64_t uid, Metacube__Reason reason,
    uint64_t void_ms)
{
	kick_send(link, uid, "", 0, reason, void_ms);
}

void
link_placed(struct link *link, uint32_t cid,
    const struct taskmaster_place *found)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Placed message = METACUBE__PLACED__INIT;

	message.world = (char *)found->world;
	message.endpoint = (char *)found->endpoint;
	message.map = (char *)found->map;
	message.epoch = found->epoch;
	message.ticket.data = (uint8_t *)found->ticket;
	message.ticket.len = found->ticket_len;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLACED;
	envelope.placed = &message;
	link_send(link, cid, &envelope);
}

void
link_send_back(struct link *link, uint64_t uid, const char *map,
    uint64_t epoch)
{
	kick_send(link, uid, map, epoch, METACUBE__REASON__NO_WORLD, 0);
}

/* taskmaster_remote turns these into the same statuses again. */
void
link_refused(struct link *link, uint32_t cid, enum mc_status status)
{
	Metacube__Reason reason = METACUBE__REASON__NO_WORLD;

	if (status == MC_NOT_FOUND)
		reason = METACUBE__REASON__NO_SUCH_MAP;
	if (status == MC_BUSY)
		reason = METACUBE__REASON__TRY_LATER;
	if (status == MC_DENIED)
		reason = METACUBE__REASON__NOT_ALLOWED;
	refused_send(link, cid, reason, mc_status_text(status));
}

/* Tickets for this world. */
void
link_key(struct link *link)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__TicketKey message = METACUBE__TICKET_KEY__INIT;

	mc_random(&link->key, sizeof(link->key));
	link->keyed_ms = mc_now_ms();
	message.id = link->key.id;
	message.secret.data = link->key.secret;
	message.secret.len = sizeof(link->key.secret);
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_TICKET_KEY;
	envelope.ticket_key = &message;
	link_send(link, 0, &envelope);
}

static void *
opened(void *state, struct mc_conn *conn)
{
	struct taskmaster *taskmaster = state;
	struct link *link;

	if (taskmaster->stopping)
		return NULL;
	link = mc_zalloc(sizeof(*link));
	link->taskmaster = taskmaster;
	link->conn = conn;
	link->heard_ms = mc_now_ms();
	link->next = taskmaster->links;
	if (link->next != NULL)
		link->next->prev = link;
	taskmaster->links = link;
	mc_conn_admit(conn);	/* its certificate was the proof */
	return link;
}

static void
closed(void *owner)
{
	struct link *link = owner;
	struct taskmaster *taskmaster = link->taskmaster;

	requests_forget(link);
	if (link->world != NULL)
		world_lost(taskmaster, link->world);
	*(link->prev ? &link->prev->next : &taskmaster->links) = link->next;
	if (link->next != NULL)
		link->next->prev = link->prev;
	mc_wipe(link, sizeof(*link));
	free(link);
}

/* Silence, and old keys. */
static void
link_watch(struct link *link, uint64_t now_ms)
{
	const struct conf *conf = link->taskmaster->conf;

	if (link->world == NULL)
		return;
	if (now_ms - link->heard_ms >= (uint64_t)conf->silent_ms) {
		mc_log(link->taskmaster->host, MC_WARN,
		    "%s has said nothing for %" PRIu64 " ms",
		    link->world->name, now_ms - link->heard_ms);
		link_close(link);
	} else if (now_ms - link->keyed_ms >= (uint64_t)conf->rotation_ms)
		link_key(link);
}

static void
watch(void *owner)
{
	struct taskmaster *taskmaster = owner;
	uint64_t now_ms = mc_now_ms();

	for (struct link *link = taskmaster->links; link != NULL;
	    link = link->next)
		link_watch(link, now_ms);
	links_watch(taskmaster);
}

void
links_watch(struct taskmaster *taskmaster)
{
	int64_t ms = taskmaster->conf->silent_ms / 4;

	mc_timer_set(taskmaster->host, &taskmaster->silence_timer,
	    ms < 1000 ? ms : 1000, watch, taskmaster);
}

void
links_stop(struct taskmaster *taskmaster)
{
	mc_timer_clear(&taskmaster->silence_timer);
	for (struct link *link = taskmaster->links; link != NULL;
	    link = link->next)
		if (!link->closing)
			link_close(link);
}

const struct mc_conn_ops link_ops = {
	.open		= opened,
	.message	= link_heard,
	.closed		= closed,
};
