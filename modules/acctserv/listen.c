/* SPDX-License-Identifier: MIT */
/*
 * The two listeners:
 *
 *	listen		TLS, for gateways and worlds
 *	listen_unix	a socket of this machine, for the web front
 *
 *	-> AccountRequest, with a cid		<- AccountAnswer
 *
 * Both may say for which address they ask.  Who they are themselves is not
 * what they say: it is the name in the certificate, or what the kernel says
 * of the other end of the socket, whose mode and group decide who gets there.
 */
#include "change.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUESTIONS_MAX	1024	/* unanswered, of one connection */

struct session {
	struct acctserv	*acctserv;
	struct mc_conn	*conn;
	TAILQ_HEAD(, question) questions;
	size_t		 count;
};

struct question {
	TAILQ_ENTRY(question)	 link;
	struct session		*session;	/* NULL: is gone */
	uint32_t		 cid;
};

struct listeners {
	struct mc_listener	*tls, *local;
};

static void
answer_send(struct mc_conn *conn, uint32_t cid,
    const struct account_answer *answer)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__AccountAnswer message;

	mc_account_answer_fill(answer, &message);
	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER;
	envelope.account_answer = &message;
	mc_conn_send(conn, &envelope);
}

void
question_answered(struct question *question,
    const struct account_answer *answer)
{
	struct session *session = question->session;

	if (session != NULL) {
		TAILQ_REMOVE(&session->questions, question, link);
		session->count--;
		answer_send(session->conn, question->cid, answer);
	}
	free(question);
}

const char *
question_peer(const struct question *question)
{
	const struct mc_peer *peer = mc_conn_peer(question->session->conn);

	return strcmp(peer->address, "unix") == 0 ? "" : peer->name;
}

/* "web (www-data)", or the certificate's name. */
static void
by_say(char by[TCAPW_BY_SIZE], const struct mc_peer *peer)
{
	char said[TCAPW_BY_SIZE];

	memcpy(said, by, sizeof(said));
	if (strcmp(peer->address, "unix") != 0)
		snprintf(by, TCAPW_BY_SIZE, "%.63s", peer->name);
	else
		snprintf(by, TCAPW_BY_SIZE, "%.30s (%.30s)",
		    mc_key_valid(said) ? said : "local", peer->name);
}

static void
message_wipe(const Metacube__AccountRequest *message)
{
	mc_wipe(message->proof.data, message->proof.len);
	mc_wipe(message->new_proof.data, message->new_proof.len);
	mc_wipe(message->code, strlen(message->code));
	mc_wipe(message->was, strlen(message->was));
	mc_wipe(message->verifier, strlen(message->verifier));
}

static struct question *
question_new(struct session *session, uint32_t cid)
{
	struct question *question = mc_zalloc(sizeof(*question));

	question->session = session;
	question->cid = cid;
	TAILQ_INSERT_TAIL(&session->questions, question, link);
	session->count++;
	return question;
}

static void
refuse(struct session *session, uint32_t cid, int result, const char *text)
{
	struct account_answer answer = { .result = result };

	strcpy(answer.text, text);
	answer_send(session->conn, cid, &answer);
}

/* A stronger verifier is the business of servers that check passwords. */
static void
renew(struct session *session, uint32_t cid, const struct mc_peer *peer,
    const Metacube__AccountRequest *message)
{
	struct account_renewal renewal = { .name = "" };

	if (!mc_peer_is(peer, "gateway") ||
	    strlen(message->name) >= sizeof(renewal.name) ||
	    strlen(message->was) >= sizeof(renewal.was) ||
	    strlen(message->verifier) >= sizeof(renewal.verifier)) {
		refuse(session, cid, RESULT(NOT_ALLOWED), "only a gateway "
		    "renews verifiers");
		return;
	}
	strcpy(renewal.name, message->name);
	strcpy(renewal.was, message->was);
	strcpy(renewal.verifier, message->verifier);
	renewal_take(session->acctserv, &renewal, peer->name,
	    question_new(session, cid));
	mc_wipe(&renewal, sizeof(renewal));
}

/* A world speaks for those who play on it, and they have accounts: it asks for
 * no new ones, and for no mails to others. */
static bool
is_allowed(const struct mc_peer *peer, int verb)
{
	return strcmp(peer->address, "unix") == 0 ||
	    mc_peer_is(peer, "gateway") || mc_account_verb_playing(verb);
}

static void
ask(struct session *session, uint32_t cid,
    const Metacube__AccountRequest *message)
{
	const struct mc_peer *peer = mc_conn_peer(session->conn);
	struct account_request request;

	if (!mc_account_request_read(message, &request)) {
		refuse(session, cid, RESULT(BAD_REQUEST), "something in the "
		    "request is too long, or is no text");
		return;
	}
	by_say(request.by, peer);
	if (session->count >= QUESTIONS_MAX)
		refuse(session, cid, RESULT(TRY_LATER), "nothing was "
		    "changed: too many requests at the same time");
	else if (!is_allowed(peer, request.verb))
		refuse(session, cid, RESULT(NOT_ALLOWED), "a world asks only "
		    "what those who play may ask");
	else if (request.verb == VERB(RENEW))
		renew(session, cid, peer, message);
	else
		request_take(session->acctserv, &request,
		    question_new(session, cid));
	mc_wipe(&request, sizeof(request));
}

static void *
opened(void *state, struct mc_conn *conn)
{
	struct session *session = mc_zalloc(sizeof(*session));

	session->acctserv = state;
	session->conn = conn;
	TAILQ_INIT(&session->questions);
	mc_conn_admit(conn);
	return session;
}

static void
said(void *owner, const Metacube__Envelope *envelope)
{
	struct session *session = owner;

	if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST) {
		ask(session, envelope->cid, envelope->account_request);
		message_wipe(envelope->account_request);
	} else
		mc_conn_close(session->conn);
}

/* What was asked goes on; nobody hears of it. */
static void
closed(void *owner)
{
	struct session *session = owner;
	struct question *question;

	while ((question = TAILQ_FIRST(&session->questions)) != NULL) {
		TAILQ_REMOVE(&session->questions, question, link);
		question->session = NULL;
	}
	free(session);
}

static const struct mc_conn_ops conn_ops = {
	.open		= opened,
	.message	= said,
	.closed		= closed,
};

/* Who may connect to the socket: its mode, and its group. */
static enum mc_status
access_set(struct acctserv *acctserv, const struct conf *conf)
{
	static const mode_t modes[] = { 0600, 0660, 0666 };
	const char *path = conf->listen_unix + strlen("unix:");
	struct group *group = NULL;

	if (conf->unix_group[0] != '\0') {
		group = getgrnam(conf->unix_group);
		if (group == NULL)
			return mc_fail(acctserv->host, MC_INVALID,
			    "unix_group: there is no group %s",
			    conf->unix_group);
	}
	if (group != NULL && chown(path, (uid_t)-1, group->gr_gid) == -1)
		return mc_fail(acctserv->host, MC_INVALID, "cannot give %s "
		    "to the group %s: %s (the server's user must be in it)",
		    path, conf->unix_group, strerror(errno));
	if (chmod(path, modes[conf->unix_access]) == -1)
		return mc_fail(acctserv->host, MC_INVALID, "%s: %s", path,
		    strerror(errno));
	return MC_OK;
}

/* The same limits; TLS has no place there. */
static void
local_conf(const struct conf *conf, struct mc_listen_conf *local)
{
	*local = conf->listen;
	local->endpoint = conf->listen_unix;
	local->certificate = local->key = "";
	local->proxy_protocol = false;
	local->max_per_address = local->max_connections;
}

static enum mc_status
local_start(struct acctserv *acctserv)
{
	struct listeners *listeners = acctserv->listeners;
	const struct conf *conf = acctserv->conf;
	struct mc_listen_conf local;

	if (conf->listen_unix[0] == '\0')
		return MC_OK;
	if (strncmp(conf->listen_unix, "unix:/", 6) != 0)
		return mc_fail(acctserv->host, MC_INVALID, "listen_unix: "
		    "\"unix:/path\" is expected");
	local_conf(conf, &local);
	listeners->local = mc_listen(acctserv->host, &local, NULL, &conn_ops,
	    acctserv);
	return listeners->local == NULL ? MC_UNAVAILABLE :
	    access_set(acctserv, conf);
}

enum mc_status
listeners_start(struct acctserv *acctserv)
{
	const struct mc_listen_conf *conf = &acctserv->conf->listen;
	struct listeners *listeners = mc_zalloc(sizeof(*listeners));

	acctserv->listeners = listeners;
	if (conf->endpoint[0] != '\0') {
		listeners->tls = mc_listen(acctserv->host, conf,
		    "gateway,world", &conn_ops, acctserv);
		if (listeners->tls == NULL)
			return MC_UNAVAILABLE;
	}
	return local_start(acctserv);
}

/* Where they listen changes only with a restart. */
static bool
is_elsewhere(const struct acctserv *acctserv, const struct conf *conf)
{
	const struct conf *old = acctserv->conf;

	return strcmp(conf->listen.endpoint, old->listen.endpoint) != 0 ||
	    strcmp(conf->listen_unix, old->listen_unix) != 0;
}

enum mc_status
listeners_reload(struct acctserv *acctserv, const struct conf *conf)
{
	struct listeners *listeners = acctserv->listeners;
	struct mc_listen_conf local;
	enum mc_status status = MC_OK;

	if (is_elsewhere(acctserv, conf))
		return mc_fail(acctserv->host, MC_INVALID, "listen and "
		    "listen_unix change only with a restart");
	local_conf(conf, &local);
	if (listeners->local != NULL)
		status = access_set(acctserv, conf);
	if (status == MC_OK && listeners->tls != NULL)
		status = mc_relisten(listeners->tls, &conf->listen);
	if (status == MC_OK && listeners->local != NULL)
		status = mc_relisten(listeners->local, &local);
	return status;
}

void
listeners_stop(struct acctserv *acctserv)
{
	struct listeners *listeners = acctserv->listeners;

	if (listeners == NULL)
		return;
	mc_unlisten(&listeners->tls);
	mc_unlisten(&listeners->local);
}

void
listeners_free(struct acctserv *acctserv)
{
	free(acctserv->listeners);
	acctserv->listeners = NULL;
}
