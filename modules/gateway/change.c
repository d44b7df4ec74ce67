/* SPDX-License-Identifier: MIT */
/*
 * change - what a client who has logged in asks of its own account: passed on
 * to the account server, and its answer back.
 *
 * Whose account it is says the session, never the message.  The old password
 * is asked for again (its proof is in the request): somebody else at the
 * keyboard must not take the account over.
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS	60000

static void
answer_send(struct session *session, const struct account_answer *answer)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__AccountAnswer message;

	mc_account_answer_fill(answer, &message);
	message.seq = 0;	/* where it is in the queue: not for clients */
	message.epoch.len = 0;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER;
	envelope.account_answer = &message;
	session_send(session, &envelope);
}

static void
answer_no(struct session *session, int result, uint32_t retry_ms,
    const char *text)
{
	struct account_answer answer = {
		.result = result, .retry_ms = retry_ms
	};

	snprintf(answer.text, sizeof(answer.text), "%s", text);
	mc_count(session->gateway->host, "changes_refused", 1);
	answer_send(session, &answer);
}

/* Whose account is gone has no session. */
static void
changed(void *owner, const struct mc_reply *reply)
{
	struct session *session = owner;
	const struct account_answer *answer =
	    MC_RESULT(reply, struct account_answer);
	struct account_answer failed;

	session->stage = KNOWN;
	if (answer == NULL) {
		mc_account_answer_failed(reply->status, &failed);
		answer = &failed;
	}
	mc_count(session->gateway->host, answer->result ==
	    METACUBE__ACCOUNT_ANSWER__RESULT__DONE ? "changes" :
	    "changes_refused", 1);
	answer_send(session, answer);
	if (session->deleting && answer->result ==
	    METACUBE__ACCOUNT_ANSWER__RESULT__DONE)
		session->end = METACUBE__REASON__ACCOUNT_CHANGED;
	session->deleting = false;
	if (session->end != METACUBE__REASON__UNSPECIFIED)
		session_kick(session, session->end);
}

static bool
change_may(struct session *session)
{
	uint64_t minute = mc_now_ms() / MINUTE_MS;

	if (minute != session->minute)
		session->changes = 0;
	session->minute = minute;
	return session->changes++ < session->gateway->conf->change_rate;
}

static void
change_ask(struct session *session, struct account_request *request)
{
	struct gateway *gateway = session->gateway;

	memcpy(request->name, session->name, sizeof(session->name));
	snprintf(request->address, sizeof(request->address), "%s",
	    mc_conn_peer(session->conn)->address);
	snprintf(request->by, sizeof(request->by), "%.24s for %s",
	    mc_host_identity(gateway->host), session->name);
	request->playing = true;
	session->stage = ASKING;
	session->deleting = request->verb ==
	    METACUBE__ACCOUNT_REQUEST__VERB__DELETE;
	account_request(&gateway->account, request, &session->call, changed,
	    session);
}

void
change_said(struct session *session, const Metacube__AccountRequest *message)
{
	struct account_request request;

	if (session->gateway->account.ops == NULL)
		answer_no(session,
		    METACUBE__ACCOUNT_ANSWER__RESULT__NOT_ALLOWED, 0,
		    "accounts cannot be changed through this server");
	else if (!mc_account_verb_playing(message->verb))
		answer_no(session,
		    METACUBE__ACCOUNT_ANSWER__RESULT__NOT_ALLOWED, 0,
		    "this cannot be asked while you are logged in");
	else if (!change_may(session))
		answer_no(session,
		    METACUBE__ACCOUNT_ANSWER__RESULT__TRY_LATER, MINUTE_MS,
		    "too many changes in a minute; nothing was changed");
	else if (!mc_account_request_read(message, &request))
		answer_no(session,
		    METACUBE__ACCOUNT_ANSWER__RESULT__BAD_REQUEST, 0,
		    "this request is not understood");
	else {
		change_ask(session, &request);
		mc_wipe(&request, sizeof(request));
	}
}
