/* SPDX-License-Identifier: MIT */
/*
 *	client -> Login { name, proof, map }
 *	       <- Queued { position } ...
 *	       <- Reroute { endpoint, ticket }, and the connection ends
 *	client -> Login { name, proof }
 *	       <- LoggedIn
 *	       -> ListMaps ...                  <- Maps ...
 *	       -> AccountRequest ...            <- AccountAnswer ...
 *	       -> Join { map }
 *	       <- Reroute { endpoint, ticket }, and the connection ends
 *
 * or Refused at any of these places, or Kicked when the account is another one
 * meanwhile.  A session asks one question at a time, of auth, of the
 * taskmaster or of the account server, and holds at most one pending call:
 * closing it at any moment is one cancel (and one drop, while auth lets it
 * wait).
 */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION		1

void
session_send(struct session *session, Metacube__Envelope *envelope)
{
	envelope->cid = session->cid;
	mc_conn_send(session->conn, envelope);
}

static void
session_close(struct session *session)
{
	mc_call_cancel(&session->call);
	if (session->exchange != 0)
		auth_drop(&session->gateway->auth, session->exchange);
	session->exchange = 0;
	session->stage = CLOSING;
	mc_conn_close(session->conn);
}

/* So many lines a second; then one that says how many were left out. */
static bool
log_may(struct gateway *gateway)
{
	uint64_t second = mc_now_ms() / 1000;

	if (second != gateway->log_second) {
		if (gateway->log_left_out > 0)
			mc_log(gateway->host, MC_NOTE,
			    "%" PRId64 " more were refused",
			    gateway->log_left_out);
		gateway->log_second = second;
		gateway->log_lines = gateway->log_left_out = 0;
	}
	if (gateway->log_lines++ < gateway->conf->log_rate)
		return true;
	gateway->log_left_out++;
	return false;
}

void
session_refuse(struct session *session, Metacube__Reason reason,
    const char *text, uint32_t retry_ms)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;

	refused.reason = reason;
	refused.text = (char *)text;
	refused.retry_ms = retry_ms;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &refused;
	mc_count(session->gateway->host, "refused", 1);
	if (log_may(session->gateway))
		mc_log(session->gateway->host, MC_NOTE,
		    "%s from %s: refused: %s",
		    session->name[0] != '\0' ? session->name : "a client",
		    mc_conn_peer(session->conn)->address, text);
	session_send(session, &envelope);
}

static void
turn_away(struct session *session, Metacube__Reason reason,
    const char *text, uint32_t retry_ms)
{
	session_refuse(session, reason, text, retry_ms);
	session_close(session);
}

void
session_turn_away_bad(struct session *session, const char *text)
{
	turn_away(session, METACUBE__REASON__BAD_REQUEST, text, 0);
}

/* 3. The taskmaster has found a place. */
static void
reroute(struct session *session, const struct taskmaster_place *place)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Reroute message = METACUBE__REROUTE__INIT;
	char *endpoints[] = { (char *)place->endpoint };

	message.n_endpoint = 1;
	message.endpoint = endpoints;
	message.world = (char *)place->world;
	message.map = (char *)place->map;
	message.ticket.data = (uint8_t *)place->ticket;
	message.ticket.len = place->ticket_len;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REROUTE;
	envelope.reroute = &message;
	session_send(session, &envelope);
	mc_count(session->gateway->host, "reroutes", 1);
	mc_log(session->gateway->host, MC_NOTE,
	    "%s from %s: rerouted to %s, %s, after %" PRIu64 " ms",
	    session->name, mc_conn_peer(session->conn)->address,
	    place->world, place->map, mc_now_ms() - session->began_ms);
	session_close(session);
}

static void
refuse_place(struct session *session, enum mc_status status)
{
	switch (status) {
	case MC_NOT_FOUND:
		session_refuse(session, METACUBE__REASON__NO_SUCH_MAP,
		    "there is no such map", 0);
		break;
	case MC_BUSY:
		session_refuse(session, METACUBE__REASON__NO_WORLD,
		    "all world servers with this map are full", RETRY_MS);
		break;
	case MC_UNAVAILABLE:
		session_refuse(session, METACUBE__REASON__NO_WORLD,
		    "no world server can take you now", RETRY_MS);
		break;
	case MC_DENIED:
		session_refuse(session, METACUBE__REASON__NOT_ALLOWED,
		    "you may not go there", 0);
		break;
	default:
		session_refuse(session, METACUBE__REASON__TRY_LATER,
		    "no place was found in time", RETRY_MS);
	}
}

static void
placed(void *owner, const struct mc_reply *reply)
{
	struct session *session = owner;
	const struct taskmaster_place *place =
	    MC_RESULT(reply, struct taskmaster_place);

	session->stage = KNOWN;
	if (place != NULL &&
	    place->ticket_len <= sizeof(place->ticket)) {
		reroute(session, place);
		return;
	}
	mc_count(session->gateway->host, "unplaced", 1);
	refuse_place(session, place != NULL ? MC_INTERNAL :
	    reply->status == MC_OK ? MC_INTERNAL : reply->status);
}

void
session_place(struct session *session)
{
	struct taskmaster_request request = {
		.uid = session->uid, .generation = session->generation
	};

	memcpy(request.name, session->name, sizeof(request.name));
	memcpy(request.display, session->display, sizeof(request.display));
	memcpy(request.map, session->map, sizeof(request.map));
	session->stage = ASKING;
	taskmaster_place(&session->gateway->taskmaster, &request,
	    &session->call, placed, session);
}

/* 2. It is that user. */
static void
granted(struct session *session, const struct auth_result *result)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__LoggedIn message = METACUBE__LOGGED_IN__INIT;

	if (session->stale) {
		mc_count(session->gateway->host, "logins_stale", 1);
		turn_away(session, METACUBE__REASON__TRY_LATER,
		    "this account has just changed: log in again", RETRY_MS);
		return;
	}
	session->uid = result->uid;
	session->generation = result->generation;
	memcpy(session->name, result->name, sizeof(session->name));
	memcpy(session->display, result->display, sizeof(session->display));
	session->stage = KNOWN;
	mc_count(session->gateway->host, "logins_granted", 1);
	mc_conn_admit(session->conn);
	if (session->map[0] != '\0') {
		session_place(session);
		return;
	}
	mc_log(session->gateway->host, MC_NOTE,
	    "%s from %s: logged in, after %" PRIu64 " ms", session->name,
	    mc_conn_peer(session->conn)->address,
	    mc_now_ms() - session->began_ms);
	message.uid = session->uid;
	message.display = session->display;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGGED_IN;
	envelope.logged_in = &message;
	session_send(session, &envelope);
}

static mc_done_fn verified;

static void
wait_on(struct session *session, const struct auth_result *result)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Queued message = METACUBE__QUEUED__INIT;

	session->exchange = result->exchange;
	message.position = result->position;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_QUEUED;
	envelope.queued = &message;
	session_send(session, &envelope);
	auth_step(&session->gateway->auth, session->exchange, NULL, 0,
	    &session->call, verified, session);
}

static void
turn_away_unverified(struct session *session, enum mc_status status)
{
	struct mc_host *host = session->gateway->host;

	switch (status) {
	case MC_DENIED:
		mc_count(host, "logins_denied", 1);
		turn_away(session, METACUBE__REASON__BAD_CREDENTIALS,
		    "unknown name or wrong password", 0);
		break;
	case MC_INVALID:
		session_turn_away_bad(session, "this login is not understood");
		break;
	case MC_BUSY:
		mc_count(host, "logins_busy", 1);
		turn_away(session, METACUBE__REASON__TRY_LATER,
		    "too many are logging in", RETRY_MS);
		break;
	default:
		mc_count(host, "logins_failed", 1);
		turn_away(session, METACUBE__REASON__TRY_LATER,
		    "logins cannot be checked now", RETRY_MS);
	}
}

static void
verified(void *owner, const struct mc_reply *reply)
{
	struct session *session = owner;
	const struct auth_result *result =
	    MC_RESULT(reply, struct auth_result);
	struct mc_host *host = session->gateway->host;

	if (result == NULL) {
		turn_away_unverified(session, reply->status == MC_OK ?
		    MC_INTERNAL : reply->status);
		return;
	}
	session->exchange = 0;
	switch (result->state) {
	case AUTH_GRANTED:
		granted(session, result);
		return;
	case AUTH_QUEUED:
		wait_on(session, result);
		return;
	case AUTH_LATER:
		mc_count(host, "logins_later", 1);
		turn_away(session, METACUBE__REASON__TRY_LATER,
		    "too many failed attempts", result->retry_ms);
		return;
	case AUTH_LOCKED:
		mc_count(host, "logins_locked", 1);
		turn_away(session, METACUBE__REASON__ACCOUNT_LOCKED,
		    "this account is locked", 0);
		return;
	case AUTH_INACTIVE:
		mc_count(host, "logins_inactive", 1);
		turn_away(session, METACUBE__REASON__ACCOUNT_INACTIVE,
		    "this account is not activated yet", 0);
		return;
	case AUTH_CONTINUE:
		break;
	}
	/* The wire has no message for a further step. */
	session->exchange = result->exchange;
	session_turn_away_bad(session, "this mechanism is not offered here");
}

bool
session_map(struct session *session, const char *map)
{
	if (!mc_key_valid(map))
		return false;
	snprintf(session->map, sizeof(session->map), "%s", map);
	return true;
}

/* 1. Who the client says it is. */
static void
login_ask(struct session *session, const Metacube__Login *login)
{
	struct auth_begin begin = { .len = login->proof.len };

	snprintf(begin.mechanism, sizeof(begin.mechanism), "%s",
	    login->mechanism);
	/* Too long stays too long. */
	snprintf(begin.name, sizeof(begin.name), "%s", login->name);
	snprintf(begin.address, sizeof(begin.address), "%s",
	    mc_conn_peer(session->conn)->address);
	if (begin.len > 0)
		memcpy(begin.data, login->proof.data, begin.len);
	session->stage = VERIFYING;
	auth_begin(&session->gateway->auth, &begin, &session->call,
	    verified, session);
	mc_wipe(&begin, sizeof(begin));
}

static void
login_said(struct session *session, const Metacube__Login *login)
{
	session->began_ms = mc_now_ms();
	if (mc_name_fold(login->name, session->name) != NULL)
		session->name[0] = '\0';
	if (login->version != VERSION)
		turn_away(session, METACUBE__REASON__WRONG_VERSION,
		    "this server speaks version 1", 0);
	else if (login->proof.len > AUTH_DATA_MAX)
		session_turn_away_bad(session, "the proof is too long");
	else if (login->map[0] != '\0' && !session_map(session, login->map))
		turn_away(session, METACUBE__REASON__NO_SUCH_MAP,
		    "this cannot be the name of a map", 0);
	else
		login_ask(session, login);
}

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	struct session *session = owner;

	if (session->stage == CLOSING)
		return;
	session->cid = envelope->cid;
	if (session->stage == NEW &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_LOGIN)
		login_said(session, envelope->login);
	else if (session->stage == KNOWN)
		question_said(session, envelope);
	else
		session_turn_away_bad(session, "this was not expected now");
}

static void *
opened(void *state, struct mc_conn *conn)
{
	struct gateway *gateway = state;
	struct session *session = mc_zalloc(sizeof(*session));

	session->gateway = gateway;
	session->conn = conn;
	session->next = gateway->sessions;
	if (session->next != NULL)
		session->next->prev = session;
	gateway->sessions = session;
	mc_count(gateway->host, "sessions", 1);
	return session;
}

static void
closed(void *owner)
{
	struct session *session = owner;

	mc_call_cancel(&session->call);
	if (session->exchange != 0)
		auth_drop(&session->gateway->auth, session->exchange);
	*(session->prev ? &session->prev->next :
	    &session->gateway->sessions) = session->next;
	if (session->next != NULL)
		session->next->prev = session->prev;
	free(session);
}

void
session_kick(struct session *session, Metacube__Reason reason)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Kicked message = METACUBE__KICKED__INIT;

	message.reason = reason;
	message.text = (char *)(reason == METACUBE__REASON__ACCOUNT_LOCKED ?
	    "this account is locked" :
	    "this account has changed: log in again");
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_KICKED;
	envelope.kicked = &message;
	session->cid = 0;
	mc_count(session->gateway->host, "kicked", 1);
	mc_log(session->gateway->host, MC_NOTE, "%s from %s: the session "
	    "ends: %s", session->name, mc_conn_peer(session->conn)->address,
	    message.text);
	session_send(session, &envelope);
	session_close(session);
}

/* Who has asked for the account's end is told first how that went. */
static void
session_cut(struct session *session, Metacube__Reason reason)
{
	if (session->stage == VERIFYING)
		session->stale = true;
	else if (session->deleting)
		session->end = reason;
	else if (session->stage == KNOWN || session->stage == ASKING)
		session_kick(session, reason);
}

void
sessions_cut(struct gateway *gateway, uint64_t uid, const char *name,
    Metacube__Reason reason)
{
	for (struct session *session = gateway->sessions; session != NULL;
	    session = session->next)
		if (uid == 0 || session->uid == uid ||
		    (session->stage == VERIFYING &&
		    strcmp(session->name, name) == 0))
			session_cut(session, reason);
}

void
sessions_stop(struct gateway *gateway)
{
	for (struct session *session = gateway->sessions; session != NULL;
	    session = session->next)
		if (session->stage != CLOSING)
			turn_away(session, METACUBE__REASON__SERVER_STOPPING,
			    "the server is stopping", RETRY_MS);
}

const struct mc_conn_ops session_ops = {
	.open		= opened,
	.message	= message,
	.closed		= closed,
};
