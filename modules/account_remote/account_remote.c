/* SPDX-License-Identifier: MIT */
/*
 * account_remote - changes of accounts, asked of the account server.
 *
 *	request -> AccountRequest               <- AccountAnswer or Refused
 *	renew   -> AccountRequest (RENEW)       <- the same
 *
 * Without a link nothing is asked: MC_UNAVAILABLE, nothing was changed.  What
 * was asked and not answered may have been done, and nobody but the account
 * server knows: that is said, and nothing is ever asked twice.
 *
 * A change that was made is answered when this process's own replica has it
 * (if it has one), so that whoever asked finds what they have changed.
 */
#include <metacube/account.h>
#include <metacube/conn.h>
#include <metacube/replica.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS		256
#define ANSWER_MS	8000	/* from the question; in ACCOUNT_TIMEOUT_MS */
#define REACHED_MS	9000

struct conf {
	const char	*connect;
	int64_t		 max_pending;
};

struct question {
	struct question	*chain;			/* same bucket */
	struct question	*prev, *next;
	struct remote	*remote;
	uint32_t	 cid;
	bool		 renews;		/* not an account_request */
	uint64_t	 asked_ms;
	struct mc_timer	*timer;
	struct mc_call	*call;			/* to be answered */
	struct mc_call	*reached;		/* the replica is asked */
	struct account_answer answer;
};

struct remote {
	struct mc_host	*host;
	const struct conf *conf;
	struct mc_ref	 replica;		/* optional */
	struct mc_link	*link;
	struct mc_conn	*conn;			/* NULL: not connected */
	struct question	*buckets[BUCKETS];
	struct question	*questions;
	size_t		 pending;
	uint32_t	 cid;
};

/* One connection.  After a reload the old one may end when the new one is
 * there already. */
struct meeting {
	struct remote	*remote;
	struct mc_conn	*conn;
};

/* Questions, by cid. */
static struct question *
question_add(struct remote *remote, struct mc_call *call)
{
	struct question *question = mc_zalloc(sizeof(*question));
	struct question **bucket;

	if (++remote->cid == 0)
		remote->cid = 1;
	question->remote = remote;
	question->cid = remote->cid;
	question->call = call;
	question->asked_ms = mc_now_ms();
	bucket = &remote->buckets[question->cid % BUCKETS];
	question->chain = *bucket;
	*bucket = question;
	question->next = remote->questions;
	if (question->next != NULL)
		question->next->prev = question;
	remote->questions = question;
	mc_gauge(remote->host, "pending", ++remote->pending);
	return question;
}

static struct question *
question_find(struct remote *remote, uint32_t cid)
{
	struct question *question = remote->buckets[cid % BUCKETS];

	while (question != NULL && question->cid != cid)
		question = question->chain;
	return question;
}

static void
question_free(struct question *question)
{
	struct remote *remote = question->remote;
	struct question **at = &remote->buckets[question->cid % BUCKETS];

	while (*at != question)
		at = &(*at)->chain;
	*at = question->chain;
	*(question->prev ? &question->prev->next : &remote->questions) =
	    question->next;
	if (question->next != NULL)
		question->next->prev = question->prev;
	mc_timer_clear(&question->timer);
	mc_call_cancel(&question->reached);
	mc_gauge(remote->host, "pending", --remote->pending);
	mc_wipe(&question->answer, sizeof(question->answer));
	free(question);
}

/* Why not, in a status: the answer is then the caller's. */
static void
question_fail(struct question *question, enum mc_status status)
{
	mc_call_done(question->call, status, NULL, 0);
	question_free(question);
}

static enum mc_status
renewed_status(int result)
{
	switch (result) {
	case METACUBE__ACCOUNT_ANSWER__RESULT__DONE:
		return MC_OK;
	case METACUBE__ACCOUNT_ANSWER__RESULT__UNKNOWN_NAME:
		return MC_NOT_FOUND;
	case METACUBE__ACCOUNT_ANSWER__RESULT__WRONG_PASSWORD:
	case METACUBE__ACCOUNT_ANSWER__RESULT__NOT_ALLOWED:
		return MC_DENIED;
	case METACUBE__ACCOUNT_ANSWER__RESULT__TRY_LATER:
		return MC_BUSY;
	case METACUBE__ACCOUNT_ANSWER__RESULT__UNCERTAIN:
		return MC_UNCERTAIN;
	default:
		return MC_INVALID;
	}
}

static void
question_end(struct question *question)
{
	const struct account_answer *answer = &question->answer;

	if (question->renews)
		mc_call_done(question->call, renewed_status(answer->result),
		    NULL, 0);
	else
		mc_call_done(question->call, MC_OK, answer, sizeof(*answer));
	question_free(question);
}

static void
question_late(void *owner)
{
	struct question *question = owner;

	mc_count(question->remote->host, "late", 1);
	question_fail(question, MC_UNCERTAIN);
}

/* It is done, whatever the replica says; and that is said. */
static void
behind_end(struct question *question)
{
	mc_count(question->remote->host, "behind", 1);
	snprintf(question->answer.text, sizeof(question->answer.text),
	    "it is done, but this server will know it only a little later");
	question_end(question);
}

static void
behind(void *owner)
{
	behind_end(owner);
}

static void
reached(void *owner, const struct mc_reply *reply)
{
	struct question *question = owner;

	if (reply->status == MC_OK)
		question_end(question);
	else
		behind_end(question);
}

/* The change is made: is it here, too? */
static void
answered(struct question *question)
{
	struct remote *remote = question->remote;
	uint64_t passed = mc_now_ms() - question->asked_ms;

	if (question->answer.result !=
	    METACUBE__ACCOUNT_ANSWER__RESULT__DONE || question->renews ||
	    question->answer.pointer.seq == 0 ||
	    remote->replica.ops == NULL) {
		question_end(question);
		return;
	}
	mc_timer_set(remote->host, &question->timer,
	    passed < REACHED_MS ? (unsigned)(REACHED_MS - passed) : 1,
	    behind, question);
	replica_reached(&remote->replica, &question->answer.pointer,
	    &question->reached, reached, question);
}

/* The service. */
static enum mc_status
askable(const struct remote *remote)
{
	if (remote->conn == NULL)
		return MC_UNAVAILABLE;
	if (remote->pending >= (size_t)remote->conf->max_pending)
		return MC_BUSY;
	return MC_OK;
}

static struct question *
question_ask(struct remote *remote, Metacube__AccountRequest *message,
    struct mc_call *call)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	struct question *question = question_add(remote, call);

	envelope.cid = question->cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = message;
	mc_conn_send(remote->conn, &envelope);
	mc_timer_set(remote->host, &question->timer, ANSWER_MS,
	    question_late, question);
	mc_count(remote->host, "asked", 1);
	return question;
}

static void
by_fill(const struct remote *remote, struct account_request *request)
{
	if (request->by[0] == '\0')
		snprintf(request->by, sizeof(request->by), "%.24s for %.32s",
		    mc_host_identity(remote->host), request->name);
}

static void
request(void *state, struct account_request *asked, struct mc_call *call)
{
	struct remote *remote = state;
	Metacube__AccountRequest message;
	enum mc_status status = askable(remote);

	if (status == MC_OK) {
		by_fill(remote, asked);
		mc_account_request_fill(asked, &message);
		question_ask(remote, &message, call);
	} else
		mc_call_done(call, status, NULL, 0);
	mc_wipe(asked->proof, sizeof(asked->proof));
	mc_wipe(asked->new_proof, sizeof(asked->new_proof));
}

static void
renew(void *state, const struct account_renewal *renewal,
    struct mc_call *call)
{
	struct remote *remote = state;
	Metacube__AccountRequest message = METACUBE__ACCOUNT_REQUEST__INIT;
	enum mc_status status = askable(remote);

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	message.verb = METACUBE__ACCOUNT_REQUEST__VERB__RENEW;
	message.name = (char *)renewal->name;
	message.was = (char *)renewal->was;
	message.verifier = (char *)renewal->verifier;
	message.by = (char *)mc_host_identity(remote->host);
	question_ask(remote, &message, call)->renews = true;
}

static const struct account_ops ops = {
	.renew		= renew,
	.request	= request,
};

/* The answers.  What cannot be one leaves open what was done. */
static void
refused(struct question *question, const Metacube__Refused *message)
{
	question_fail(question,
	    message->reason == METACUBE__REASON__TRY_LATER ? MC_BUSY :
	    message->reason == METACUBE__REASON__NOT_ALLOWED ? MC_DENIED :
	    message->reason == METACUBE__REASON__BAD_REQUEST ? MC_INVALID :
	    MC_UNAVAILABLE);
}

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	struct remote *remote = ((struct meeting *)owner)->remote;
	struct question *question = question_find(remote, envelope->cid);

	if (question == NULL || question->reached != NULL)
		return;
	if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_REFUSED)
		refused(question, envelope->refused);
	else if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER &&
	    mc_account_answer_read(envelope->account_answer,
	    &question->answer))
		answered(question);
	else {
		mc_log(remote->host, MC_ERROR, "%s has sent an answer that "
		    "cannot be one", remote->conf->connect);
		question_fail(question, MC_UNCERTAIN);
	}
}

/* The link. */
static void *
opened(void *state, struct mc_conn *conn)
{
	struct remote *remote = state;
	struct meeting *meeting = mc_zalloc(sizeof(*meeting));

	meeting->remote = remote;
	meeting->conn = conn;
	remote->conn = conn;
	mc_conn_admit(conn);
	mc_gauge(remote->host, "connected", 1);
	return meeting;
}

/* What was asked and not answered may have been done; what was answered
 * goes on waiting for the replica. */
static void
disconnected(struct remote *remote)
{
	struct question *next;

	remote->conn = NULL;
	mc_gauge(remote->host, "connected", 0);
	for (struct question *question = remote->questions; question != NULL;
	    question = next) {
		next = question->next;
		if (question->reached == NULL)
			question_fail(question, MC_UNCERTAIN);
	}
}

static void
closed(void *owner)
{
	struct meeting *meeting = owner;

	if (meeting->remote->conn == meeting->conn)
		disconnected(meeting->remote);
	free(meeting);
}

static const struct mc_conn_ops link_ops = {
	.open		= opened,
	.message	= message,
	.closed		= closed,
};

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct remote *remote = state;

	remote->host = host;
	remote->conf = conf;
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct remote *remote = state;

	remote->link = mc_dial(remote->host, remote->conf->connect,
	    "account", &link_ops, remote);
	return remote->link != NULL ? MC_OK : MC_UNAVAILABLE;
}

static enum mc_status
reload(void *state, const void *given)
{
	struct remote *remote = state;
	const struct conf *conf = given;

	if (strcmp(conf->connect, remote->conf->connect) != 0) {
		mc_hangup(&remote->link);
		if (remote->conn != NULL)
			disconnected(remote);
		remote->link = mc_dial(remote->host, conf->connect,
		    "account", &link_ops, remote);
	}
	remote->conf = conf;
	return MC_OK;
}

static void
stop(void *state)
{
	struct remote *remote = state;

	mc_hangup(&remote->link);
	while (remote->questions != NULL)
		question_fail(remote->questions, MC_UNCERTAIN);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, connect), .type = MC_ENDPOINT,
	  .fallback = "127.0.0.1:7747",
	  .help = "Where the account server is." },
	{ MC_FIELD(struct conf, max_pending), .type = MC_INT,
	  .fallback = "1000", .min = 1, .max = 100000,
	  .help = "Changes that may be asked for at the same time." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	ACCOUNT_PROVIDE(&ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ REPLICA_SERVICE, offsetof(struct remote, replica), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "account_remote",
	.version	= "0.1.0",
	.summary	= "Changes of accounts, asked of the account server",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct remote),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
};
