/* SPDX-License-Identifier: MIT */
/*
 * taskmaster_remote - the taskmaster's service, over the network.
 *
 *	place -> Place                          <- Placed or Refused
 *	maps  -> ListMaps                       <- Maps or Refused
 *	evict -> Evict                          <- Evicted or Refused
 *	players -> ListPlayers                  <- Players or Refused
 *
 * Questions are told apart by their cid.  While there is no link they fail at
 * once; only before the first one there is a little patience, so that servers
 * may be started in any order.  Nothing is asked twice: whoever asked knows
 * best whether it still wants to know.
 */
#include "taskmaster_remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One connection.  After a reload the old one may end when the new one is
 * there already. */
struct meeting {
	struct remote	*remote;
	struct mc_conn	*conn;
};

static void sweep_later(struct remote *);

/* Questions, by cid and by age. */
static struct question *
question_add(struct remote *remote, enum kind kind, struct mc_call *call)
{
	struct question *question = mc_zalloc(sizeof(*question));
	struct question **bucket;

	if (++remote->cid == 0)
		remote->cid = 1;
	question->kind = kind;
	question->cid = remote->cid;
	question->call = call;
	question->deadline_ms = mc_now_ms() + TASKMASTER_TIMEOUT_MS;
	bucket = &remote->buckets[question->cid % BUCKETS];
	question->chain = *bucket;
	*bucket = question;
	question->older = remote->newest;
	*(remote->newest ? &remote->newest->newer : &remote->oldest) =
	    question;
	remote->newest = question;
	mc_gauge(remote->host, "pending", ++remote->pending);
	sweep_later(remote);
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

void
question_end(struct remote *remote, struct question *question,
    enum mc_status status, const void *result, size_t len)
{
	struct question **at = &remote->buckets[question->cid % BUCKETS];

	while (*at != question)
		at = &(*at)->chain;
	*at = question->chain;
	*(question->older ? &question->older->newer : &remote->oldest) =
	    question->newer;
	*(question->newer ? &question->newer->older : &remote->newest) =
	    question->older;
	mc_gauge(remote->host, "pending", --remote->pending);
	mc_call_done(question->call, status, result, len);
	free(question);
}

/* Before the first connection: the time until which one waits for it. */
static uint64_t
patience_ms(const struct remote *remote)
{
	return remote->met ? 0 :
	    remote->started_ms + remote->conf->connect_wait_ms;
}

/* Too late: the answer that may come is for nobody. */
static void
sweep(void *owner)
{
	struct remote *remote = owner;
	uint64_t now_ms = mc_now_ms();

	while (remote->oldest != NULL &&
	    remote->oldest->deadline_ms <= now_ms)
		question_end(remote, remote->oldest, MC_TIMEOUT, NULL, 0);
	if (remote->conn == NULL && patience_ms(remote) <= now_ms)
		while (remote->oldest != NULL)
			question_end(remote, remote->oldest, MC_UNAVAILABLE,
			    NULL, 0);
	if (remote->oldest != NULL)
		sweep_later(remote);
}

static void
sweep_later(struct remote *remote)
{
	uint64_t now_ms = mc_now_ms(), until = patience_ms(remote);
	unsigned ms = 1000;

	if (remote->sweep != NULL)
		return;
	if (remote->conn == NULL && until > now_ms && until - now_ms < ms)
		ms = until - now_ms;
	mc_timer_set(remote->host, &remote->sweep, ms, sweep, remote);
}

/* Why a question cannot be asked; MC_OK: it can, now or soon. */
static enum mc_status
askable(const struct remote *remote)
{
	if (remote->conn == NULL && patience_ms(remote) <= mc_now_ms())
		return MC_UNAVAILABLE;
	if (remote->pending >= (size_t)remote->conf->max_pending)
		return MC_BUSY;
	return MC_OK;
}

static void
place(void *state, const struct taskmaster_request *request,
    struct mc_call *call)
{
	struct remote *remote = state;
	enum mc_status status = askable(remote);
	struct question *question;

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	question = question_add(remote, PLACE, call);
	question->what.place = *request;
	if (remote->conn != NULL)
		question_send(remote, question);
}

static void
maps(void *state, const char *after, struct mc_call *call)
{
	struct remote *remote = state;
	enum mc_status status = askable(remote);
	struct question *question;

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	question = question_add(remote, MAPS, call);
	snprintf(question->what.after, sizeof(question->what.after), "%s",
	    after);
	if (remote->conn != NULL)
		question_send(remote, question);
}

static void
evict(void *state, uint64_t uid, int reason, struct mc_call *call)
{
	struct remote *remote = state;
	enum mc_status status = askable(remote);
	struct question *question;

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	question = question_add(remote, EVICT, call);
	question->what.evict.uid = uid;
	question->what.evict.reason = reason;
	if (remote->conn != NULL)
		question_send(remote, question);
}

static void
players(void *state, uint64_t after, struct mc_call *call)
{
	struct remote *remote = state;
	enum mc_status status = askable(remote);
	struct question *question;

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	question = question_add(remote, PLAYERS, call);
	question->what.players_after = after;
	if (remote->conn != NULL)
		question_send(remote, question);
}

static const struct taskmaster_ops ops = {
	.place	 = place,
	.maps	 = maps,
	.evict	 = evict,
	.players = players,
};

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	const struct meeting *meeting = owner;
	struct remote *remote = meeting->remote;
	struct question *question = question_find(remote, envelope->cid);

	if (question != NULL)
		question_answered(remote, question, envelope);
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
	remote->met = true;
	mc_conn_admit(conn);
	mc_gauge(remote->host, "connected", 1);
	for (struct question *question = remote->oldest; question != NULL;
	    question = question->newer)
		if (!question->sent)
			question_send(remote, question);
	return meeting;
}

/* What was asked may have been done; a seat that nobody takes expires. */
static void
disconnected(struct remote *remote)
{
	remote->conn = NULL;
	mc_gauge(remote->host, "connected", 0);
	while (remote->oldest != NULL)
		question_end(remote, remote->oldest, MC_UNAVAILABLE, NULL, 0);
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

	remote->started_ms = mc_now_ms();
	remote->link = mc_dial(remote->host, remote->conf->connect,
	    "taskmaster", &link_ops, remote);
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
		    "taskmaster", &link_ops, remote);
	}
	remote->conf = conf;
	return MC_OK;
}

static void
stop(void *state)
{
	struct remote *remote = state;

	mc_hangup(&remote->link);
	mc_timer_clear(&remote->sweep);
	while (remote->oldest != NULL)
		question_end(remote, remote->oldest, MC_UNAVAILABLE, NULL, 0);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, connect), .type = MC_ENDPOINT,
	  .fallback = "127.0.0.1:7745",
	  .help = "Where the taskmaster is." },
	{ MC_FIELD_AS("connect_wait", struct conf, connect_wait_ms),
	  .type = MC_DURATION, .fallback = "2s", .min = 0, .max = 60000,
	  .help = "After the start, questions wait so long for the first "
	  "connection; later they fail at once when there is none." },
	{ MC_FIELD(struct conf, max_pending), .type = MC_INT,
	  .fallback = "10000", .min = 1, .max = 1000000,
	  .help = "Questions that may be open at the same time." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	TASKMASTER_PROVIDE(&ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "taskmaster_remote",
	.version	= "0.1.0",
	.summary	= "Reaches the taskmaster of the network",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct remote),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
};
