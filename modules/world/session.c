/* SPDX-License-Identifier: MIT */
/*
 * session - the conversation with one client.
 *
 *	client -> Enter { ticket }	<- Entered | Refused, end
 *	       -> Resume { session, secret }	<- Entered | Refused, end
 *	then   -> Move, Say, ListMaps, as often as permitted
 *	       -> AccountRequest	<- AccountAnswer
 *	       -> Join { map }		<- Reroute, end | Refused
 *	       -> Leave			end
 *
 * What does not belong to a state ends the session.  At most one question to
 * the taskmaster is open for it, and one to the account server.
 */

#include "world.h"

#include <stdlib.h>

#define TEXT_MAX	500		/* bytes of one Say */
#define BURST_SECONDS	2

void
session_send(struct session *session, uint32_t cid,
    Metacube__Envelope *envelope)
{
	envelope->cid = cid;
	mc_conn_send(session->conn, envelope);
}

/* It waits for somebody to come back, unless nobody may. */
static void
avatar_part(struct session *session)
{
	struct avatar *avatar = session->avatar;

	session->avatar = NULL;
	if (avatar == NULL)
		return;
	avatar->session = NULL;
	if (session->evicted == 0)
		avatar_lose(avatar);
	else
		avatar_leave(&avatar, "this account has changed");
}

/* Sends what is queued and ends; an avatar that is still its own waits for
 * somebody to come back. */
void
session_close(struct session *session)
{
	if (session->closing)
		return;
	session->closing = true;
	link_forget(session);
	mc_call_cancel(&session->change);
	avatar_part(session);
	mc_conn_close(session->conn);
}

static void
say_no(struct session *session, uint32_t cid, unsigned reason,
    const char *text, uint32_t retry_ms)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;

	refused.reason = (Metacube__Reason)reason;
	refused.text = (char *)text;
	refused.retry_ms = retry_ms;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &refused;
	mc_count(session->world->host, "refused", 1);
	session_send(session, cid, &envelope);
}

void
session_refuse(struct session *session, uint32_t cid, unsigned reason,
    const char *text)
{
	say_no(session, cid, reason, text, 0);
}

/* The client does not keep to the protocol: this ends it, avatar and all. */
void
session_expel(struct session *session, uint32_t cid, unsigned reason,
    const char *text)
{
	struct avatar *avatar = session->avatar;

	say_no(session, cid, reason, text, 0);
	if (avatar != NULL)
		avatar_leave(&avatar, text);
	session_close(session);
}

/* Ends the session of an avatar that leaves. */
void
session_kick(struct session *session, unsigned reason, const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Kicked kicked = METACUBE__KICKED__INIT;
	struct avatar *avatar = session->avatar;

	kicked.reason = reason;
	kicked.text = (char *)text;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_KICKED;
	envelope.kicked = &kicked;
	mc_count(session->world->host, "kicked", 1);
	session_send(session, 0, &envelope);
	if (avatar != NULL)
		avatar_leave(&avatar, text);
	session_close(session);
}

/* On the map. */
static void
move(struct session *session, uint32_t cid, const Metacube__Move *move)
{
	struct avatar *avatar = session->avatar;

	if (!sim_aim(avatar->copy->map, &avatar->body, move->x, move->y))
		session_refuse(session, cid, METACUBE__REASON__BAD_REQUEST,
		    "that is not on the map");
}

static void
say(struct session *session, uint32_t cid, const Metacube__Say *say)
{
	struct world *world = session->world;
	double often = (double)world->conf->max_says;

	if (*say->text == '\0' || !mc_text_valid(say->text, TEXT_MAX) ||
	    (unsigned)say->range > METACUBE__RANGE__WHISPER)
		session_refuse(session, cid, METACUBE__REASON__BAD_REQUEST,
		    "this cannot be said: at most 500 bytes of plain text");
	else if (!rate_take(&session->avatar->says, often,
	    often * BURST_SECONDS, mc_now_ms()))
		say_no(session, cid, METACUBE__REASON__TRY_LATER,
		    "not so fast", (uint32_t)(1000 / often) + 1);
	else {
		mc_count(world->host, "says", 1);
		view_said(session->avatar, say->text, (unsigned)say->range);
	}
}

static void
leave(struct session *session)
{
	struct avatar *avatar = session->avatar;

	avatar_leave(&avatar, NULL);
	session_close(session);
}

/* Somewhere else: the taskmaster knows. */
static void
join(struct session *session, uint32_t cid, const Metacube__Join *join)
{
	if (!mc_key_valid(join->map))
		session_refuse(session, cid, METACUBE__REASON__NO_SUCH_MAP,
		    "there is no such map");
	else if (session->question != NULL)
		session_refuse(session, cid, METACUBE__REASON__TRY_LATER,
		    "one question at a time");
	else if (!link_place(session, cid, join->map))
		session_refuse(session, cid, METACUBE__REASON__TRY_LATER,
		    "the taskmaster cannot be reached");
}

static void
list_maps(struct session *session, uint32_t cid,
    const Metacube__ListMaps *list)
{
	if (*list->after != '\0' && !mc_key_valid(list->after))
		session_refuse(session, cid, METACUBE__REASON__BAD_REQUEST,
		    "after cannot be a map's key");
	else if (session->question != NULL)
		session_refuse(session, cid, METACUBE__REASON__TRY_LATER,
		    "one question at a time");
	else if (!link_maps(session, cid, list->after))
		session_refuse(session, cid, METACUBE__REASON__TRY_LATER,
		    "the taskmaster cannot be reached");
}

/* What the taskmaster says is passed on; with a place the client goes. */
void
session_answered(struct session *session, uint32_t cid,
    const Metacube__Envelope *answer)
{
	Metacube__Envelope envelope = *answer;
	struct avatar *avatar = session->avatar;

	envelope.base.n_unknown_fields = 0;
	session_send(session, cid, &envelope);
	if (answer->message_case != METACUBE__ENVELOPE__MESSAGE_REROUTE)
		return;
	if (avatar != NULL)
		avatar_leave(&avatar, NULL);
	session_close(session);
}

static void
entered_message(struct session *session, const Metacube__Envelope *envelope)
{
	uint32_t cid = envelope->cid;

	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_MOVE:
		move(session, cid, envelope->move);
		return;
	case METACUBE__ENVELOPE__MESSAGE_SAY:
		say(session, cid, envelope->say);
		return;
	case METACUBE__ENVELOPE__MESSAGE_LEAVE:
		leave(session);
		return;
	case METACUBE__ENVELOPE__MESSAGE_JOIN:
		join(session, cid, envelope->join);
		return;
	case METACUBE__ENVELOPE__MESSAGE_LIST_MAPS:
		list_maps(session, cid, envelope->list_maps);
		return;
	case METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST:
		change_said(session, cid, envelope->account_request);
		return;
	default:
		session_expel(session, cid, METACUBE__REASON__BAD_REQUEST,
		    "this message does not belong here");
	}
}

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	struct session *session = owner;
	double often = (double)session->world->conf->max_messages;

	if (session->closing)
		return;
	if (!rate_take(&session->messages, often, often * BURST_SECONDS,
	    mc_now_ms()))
		session_expel(session, envelope->cid,
		    METACUBE__REASON__TRY_LATER, "too many messages");
	else if (session->avatar != NULL)
		entered_message(session, envelope);
	else if (session->waits_for == NULL &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_ENTER)
		arrive_enter(session, envelope->cid, envelope->enter);
	else if (session->waits_for == NULL &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_RESUME)
		arrive_resume(session, envelope->cid, envelope->resume);
	else
		session_expel(session, envelope->cid,
		    METACUBE__REASON__BAD_REQUEST,
		    "a ticket is expected first");
}

static void *
open_session(void *state, struct mc_conn *conn)
{
	struct world *world = state;
	struct session *session;

	if (world->stopping)
		return NULL;
	session = mc_zalloc(sizeof(*session));
	session->world = world;
	session->conn = conn;
	session->link = &world->sessions;
	session->next = world->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	world->sessions = session;
	return session;
}

static void
closed(void *owner)
{
	struct session *session = owner;

	link_forget(session);
	mc_call_cancel(&session->change);
	avatar_part(session);
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	free(session->ticket);
	free(session);
}

const struct mc_conn_ops session_ops = {
	.open	 = open_session,
	.message = message,
	.closed	 = closed,
};
