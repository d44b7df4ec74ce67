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
#include <metacube/conn.h>
#include <metacube/taskmaster.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS	1024

struct conf {
	const char	*connect;
	int64_t		 connect_wait_ms, max_pending;
};

enum kind { PLACE, MAPS, EVICT, PLAYERS };

struct question {
	struct question	*chain;			/* same bucket */
	struct question	*older, *newer;
	enum kind	 kind;
	uint32_t	 cid;
	bool		 sent;
	uint64_t	 deadline_ms;
	struct mc_call	*call;
	union {
		struct taskmaster_request place;
		char	after[MC_KEY_SIZE];
		struct {
			uint64_t	uid;
			int		reason;
		} evict;
		uint64_t players_after;
	} what;
};

struct remote {
	struct mc_host	*host;
	const struct conf *conf;
	struct mc_link	*link;
	struct mc_conn	*conn;			/* NULL: not connected */
	struct question	*buckets[BUCKETS];
	struct question	*oldest, *newest;
	size_t		 pending;
	uint32_t	 cid;
	uint64_t	 started_ms;
	struct mc_timer	*sweep;
	bool		 met;			/* was connected once */
};

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

static void
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

static void
place_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Place message = METACUBE__PLACE__INIT;

	message.uid = question->what.place.uid;
	message.name = question->what.place.name;
	message.display = question->what.place.display;
	message.map = question->what.place.map;
	message.generation = question->what.place.generation;
	envelope.cid = question->cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLACE;
	envelope.place = &message;
	mc_conn_send(remote->conn, &envelope);
}

static void
maps_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__ListMaps message = METACUBE__LIST_MAPS__INIT;

	message.after = question->what.after;
	envelope.cid = question->cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LIST_MAPS;
	envelope.list_maps = &message;
	mc_conn_send(remote->conn, &envelope);
}

static void
evict_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Evict message = METACUBE__EVICT__INIT;

	message.uid = question->what.evict.uid;
	message.reason = (uint32_t)question->what.evict.reason;
	envelope.cid = question->cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_EVICT;
	envelope.evict = &message;
	mc_conn_send(remote->conn, &envelope);
}

static void
players_send(struct remote *remote, struct question *question)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__ListPlayers message = METACUBE__LIST_PLAYERS__INIT;

	message.after = question->what.players_after;
	envelope.cid = question->cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LIST_PLAYERS;
	envelope.list_players = &message;
	mc_conn_send(remote->conn, &envelope);
}

static void
question_send(struct remote *remote, struct question *question)
{
	static void (*const sends[])(struct remote *, struct question *) = {
		[PLACE] = place_send,
		[MAPS] = maps_send,
		[EVICT] = evict_send,
		[PLAYERS] = players_send,
	};

	question->sent = true;
	sends[question->kind](remote, question);
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

/* The answers.  What does not fit its record is no answer. */
static bool
text_copy(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size;
}

static void
placed(struct remote *remote, struct question *question,
    const Metacube__Placed *message)
{
	struct taskmaster_place found = { .epoch = message->epoch };
	bool fits = text_copy(found.world, sizeof(found.world),
	    message->world) &&
	    text_copy(found.map, sizeof(found.map), message->map) &&
	    text_copy(found.endpoint, sizeof(found.endpoint),
	    message->endpoint) &&
	    message->ticket.len <= sizeof(found.ticket);

	if (!fits) {
		mc_log(remote->host, MC_ERROR, "%s has sent a place that "
		    "cannot be one", remote->conf->connect);
		question_end(remote, question, MC_INTERNAL, NULL, 0);
		return;
	}
	found.ticket_len = message->ticket.len;
	if (found.ticket_len > 0)
		memcpy(found.ticket, message->ticket.data, found.ticket_len);
	question_end(remote, question, MC_OK, &found, sizeof(found));
}

static void
listed(struct remote *remote, struct question *question,
    const Metacube__Maps *message)
{
	struct taskmaster_map maps[TASKMASTER_MAPS_MAX] = { 0 };
	bool fits = message->n_maps <= TASKMASTER_MAPS_MAX;

	for (size_t i = 0; fits && i < message->n_maps; i++) {
		const Metacube__MapEntry *entry = message->maps[i];

		fits = text_copy(maps[i].map, sizeof(maps[i].map),
		    entry->key) &&
		    text_copy(maps[i].title, sizeof(maps[i].title),
		    entry->title);
		maps[i].copies = entry->copies;
		maps[i].users = entry->users;
	}
	if (fits)
		question_end(remote, question, MC_OK, maps,
		    message->n_maps * sizeof(maps[0]));
	else
		question_end(remote, question, MC_INTERNAL, NULL, 0);
}

static void
players_listed(struct remote *remote, struct question *question,
    const Metacube__Players *message)
{
	struct taskmaster_players list = {
		.doubt = message->doubt, .count = message->n_number
	};
	bool fits = list.count <= TASKMASTER_PLAYERS_MAX &&
	    message->n_uid == list.count &&
	    message->n_generation == list.count &&
	    message->n_display == list.count;

	for (size_t i = 0; fits && i < list.count; i++) {
		list.players[i].number = message->number[i];
		list.players[i].uid = message->uid[i];
		list.players[i].generation = message->generation[i];
		fits = text_copy(list.players[i].display,
		    sizeof(list.players[i].display), message->display[i]);
	}
	if (fits)
		question_end(remote, question, MC_OK, &list, sizeof(list));
	else
		question_end(remote, question, MC_INTERNAL, NULL, 0);
}

static void
refused(struct remote *remote, struct question *question,
    const Metacube__Refused *message)
{
	enum mc_status status;

	switch (message->reason) {
	case METACUBE__REASON__NO_SUCH_MAP:
		status = MC_NOT_FOUND;
		break;
	case METACUBE__REASON__TRY_LATER:
		status = MC_BUSY;
		break;
	case METACUBE__REASON__NOT_ALLOWED:
		status = MC_DENIED;
		break;
	case METACUBE__REASON__BAD_REQUEST:
		status = MC_INVALID;
		break;
	default:
		status = MC_UNAVAILABLE;
	}
	question_end(remote, question, status, NULL, 0);
}

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	const struct meeting *meeting = owner;
	struct remote *remote = meeting->remote;
	struct question *question = question_find(remote, envelope->cid);

	if (question == NULL)
		return;
	if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_REFUSED)
		refused(remote, question, envelope->refused);
	else if (question->kind == PLACE &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_PLACED)
		placed(remote, question, envelope->placed);
	else if (question->kind == MAPS &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_MAPS)
		listed(remote, question, envelope->maps);
	else if (question->kind == EVICT &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_EVICTED)
		question_end(remote, question, MC_OK, NULL, 0);
	else if (question->kind == PLAYERS &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_PLAYERS)
		players_listed(remote, question, envelope->players);
	else
		question_end(remote, question, MC_INTERNAL, NULL, 0);
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
