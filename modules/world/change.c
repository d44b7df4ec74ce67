/* SPDX-License-Identifier: MIT */
/*
 * change - what a player asks of the own account while playing: passed on to
 * the account server, and its answer back.
 *
 * Whose account it is says the avatar, never the message, and the old
 * password is asked for again.  The game goes on meanwhile.
 */
#include "world.h"

#include <metacube/account.h>

#include <stdio.h>
#include <string.h>

#define MINUTE_MS	60000.0

static void
answer_send(struct session *session, uint32_t cid,
    const struct account_answer *answer)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__AccountAnswer message;

	mc_account_answer_fill(answer, &message);
	message.seq = 0;	/* where it is in the queue: not for clients */
	message.epoch.len = 0;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER;
	envelope.account_answer = &message;
	session_send(session, cid, &envelope);
}

static void
answer_no(struct session *session, uint32_t cid, int result,
    uint32_t retry_ms, const char *text)
{
	struct account_answer answer = {
		.result = result, .retry_ms = retry_ms
	};

	snprintf(answer.text, sizeof(answer.text), "%s", text);
	mc_count(session->world->host, "changes_refused", 1);
	answer_send(session, cid, &answer);
}

/* Who was to go in the meantime goes now. */
static void
deleted(struct session *session, bool done)
{
	session->deleting = false;
	if (done && session->evicted == 0)
		session->evicted = METACUBE__REASON__ACCOUNT_CHANGED;
	if (session->evicted != 0)
		session_kick(session, session->evicted, done ?
		    "this account is deleted" :
		    "this account has changed: log in again");
}

static void
changed(void *owner, const struct mc_reply *reply)
{
	struct session *session = owner;
	const struct account_answer *answer =
	    MC_RESULT(reply, struct account_answer);
	struct account_answer failed;
	bool done;

	if (answer == NULL) {
		mc_account_answer_failed(reply->status, &failed);
		answer = &failed;
	}
	done = answer->result == METACUBE__ACCOUNT_ANSWER__RESULT__DONE;
	mc_count(session->world->host, done ? "changes" : "changes_refused",
	    1);
	answer_send(session, session->change_cid, answer);
	if (session->deleting)
		deleted(session, done);
}

static void
change_ask(struct session *session, uint32_t cid,
    struct account_request *request)
{
	struct world *world = session->world;
	const struct avatar *avatar = session->avatar;

	memcpy(request->name, avatar->name, sizeof(avatar->name));
	snprintf(request->address, sizeof(request->address), "%s",
	    mc_conn_peer(session->conn)->address);
	snprintf(request->by, sizeof(request->by), "%.24s for %s",
	    world->name, avatar->name);
	request->playing = true;
	session->change_cid = cid;
	session->deleting = request->verb ==
	    METACUBE__ACCOUNT_REQUEST__VERB__DELETE;
	account_request(&world->account, request, &session->change, changed,
	    session);
}

static bool
change_may(struct session *session)
{
	double often = (double)session->world->conf->change_rate;

	return rate_take(&session->avatar->changes, often * 1000 / MINUTE_MS,
	    often, mc_now_ms());
}

void
change_said(struct session *session, uint32_t cid,
    const Metacube__AccountRequest *message)
{
	struct account_request request;

	if (session->world->account.ops == NULL)
		answer_no(session, cid,
		    METACUBE__ACCOUNT_ANSWER__RESULT__NOT_ALLOWED, 0,
		    "accounts cannot be changed through this server");
	else if (!mc_account_verb_playing(message->verb))
		answer_no(session, cid,
		    METACUBE__ACCOUNT_ANSWER__RESULT__NOT_ALLOWED, 0,
		    "this cannot be asked while you are logged in");
	else if (session->change != NULL || !change_may(session))
		answer_no(session, cid,
		    METACUBE__ACCOUNT_ANSWER__RESULT__TRY_LATER,
		    (uint32_t)MINUTE_MS,
		    "too many changes at once; nothing was changed");
	else if (!mc_account_request_read(message, &request))
		answer_no(session, cid,
		    METACUBE__ACCOUNT_ANSWER__RESULT__BAD_REQUEST, 0,
		    "this request is not understood");
	else {
		change_ask(session, cid, &request);
		mc_wipe(&request, sizeof(request));
	}
}

bool
change_defers(struct session *session, unsigned reason)
{
	if (!session->deleting)
		return false;
	session->evicted = reason;
	return true;
}
