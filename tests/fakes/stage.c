/* SPDX-License-Identifier: MIT */
/* stage - a host for one module under test. */

#include "stage.h"

#include <metacube/call.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTERS_MAX	128
#define LOG_SIZE	(256 * 1024)

struct mc_host {
	char	identity[64];
};

struct mc_timer {
	struct mc_timer	 *next;
	struct mc_timer	**slot;
	uint64_t	  at_ms;
	mc_timer_fn	 *run;
	void		 *owner;
};

struct task {
	struct task	*next;
	mc_work_fn	*run;
	void		*arg;
};

struct sent {
	struct sent	*next;
	size_t		 len;
	uint8_t		*bytes;
};

struct mc_conn {
	struct mc_conn	*next;
	const struct mc_conn_ops *ops;		/* one of these two */
	const struct mc_stream_ops *stream;
	uint8_t		*written;		/* a stream's bytes */
	size_t		 written_len;
	bool		 paused;
	void		*owner;
	struct mc_peer	 peer;
	struct sent	*sent;
	size_t		 queued;
	bool		 full, over, gone, admitted;
};

struct mc_shared {
	unsigned	 refs;
	size_t		 len;
	uint8_t		*bytes;
};

struct mc_listener {
	const struct mc_conn_ops *ops;
	const struct mc_stream_ops *stream;
	void		*state;
	char		 address[128];
};

struct mc_link {
	const struct mc_conn_ops *ops;
	const struct mc_stream_ops *stream;
	void		*state;
};

static struct {
	struct mc_host	 host;
	uint64_t	 now_ms;
	struct mc_timer	*timers;
	struct task	*tasks;
	struct mc_conn	*conns;
	struct mc_listener *listener;
	struct mc_link	*link;
	char		 dialled[256];
	struct mc_peer	 peer;			/* of the next connection */
	struct { const char *name; int64_t value; } counters[COUNTERS_MAX];
	Metacube__Envelope *heard;
	char		 log[LOG_SIZE];
	size_t		 log_len;
	bool		 told;			/* a query was answered */
	enum mc_status	 told_status;
	char		 told_text[1024];
} stage;

static void
conn_free(struct mc_conn *conn)
{
	stage_skip(conn);
	free(conn->written);
	free(conn);
}

static void
conn_closed(struct mc_conn *conn)
{
	if (conn->stream != NULL)
		conn->stream->closed(conn->owner);
	else
		conn->ops->closed(conn->owner);
}

void
stage_reset(const char *identity)
{
	struct mc_conn *conn;

	while ((conn = stage.conns) != NULL) {
		stage.conns = conn->next;
		conn_free(conn);
	}
	if (stage.heard != NULL)
		metacube__envelope__free_unpacked(stage.heard, NULL);
	free(stage.listener);
	free(stage.link);
	memset(&stage, 0, sizeof(stage));
	stage.now_ms = 1000000;
	stage_peer("192.0.2.7", "", "");
	snprintf(stage.host.identity, sizeof(stage.host.identity), "%s",
	    identity);
}

struct mc_host *
stage_host(void)
{
	return &stage.host;
}

/* The host. */

void
mc_log(struct mc_host *host, enum mc_level level, const char *text, ...)
{
	size_t room = sizeof(stage.log) - stage.log_len;
	va_list ap;
	int len;

	(void)host;
	(void)level;
	va_start(ap, text);
	len = vsnprintf(stage.log + stage.log_len, room, text, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len + 2 < room) {
		stage.log_len += (size_t)len;
		stage.log[stage.log_len++] = '\n';
	}
	stage.log[stage.log_len] = '\0';
}

enum mc_status
mc_fail(struct mc_host *host, enum mc_status status, const char *text, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof(line), text, ap);
	va_end(ap);
	mc_log(host, MC_ERROR, "%s", line);
	return status;
}

void
mc_fatal(struct mc_host *host, const char *text, ...)
{
	(void)host;
	fprintf(stderr, "%s\n", text);
	abort();
}

void
mc_crash_point(const char *point)
{
	(void)point;
}

const char *
mc_host_name(const struct mc_host *host)
{
	(void)host;
	return "stage";
}

const char *
mc_host_identity(const struct mc_host *host)
{
	return host->identity;
}

void *
mc_zalloc(size_t size)
{
	void *memory = calloc(1, size == 0 ? 1 : size);

	if (memory == NULL)
		abort();
	return memory;
}

void
mc_wipe(void *memory, size_t len)
{
	if (len > 0)
		explicit_bzero(memory, len);
}

bool
mc_equal_secret(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* Never the same twice, and the same in each run. */
void
mc_random(void *memory, size_t len)
{
	static uint64_t state = 88172645463325252u;
	uint8_t *at = memory;

	while (len-- > 0) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		*at++ = (uint8_t)state;
	}
}

uint64_t
mc_now_ms(void)
{
	return stage.now_ms;
}

uint64_t
mc_time_ms(void)
{
	return 1700000000000u + stage.now_ms;
}

void
mc_count(struct mc_host *host, const char *name, int64_t add)
{
	size_t i = 0;

	(void)host;
	while (i < COUNTERS_MAX - 1 && stage.counters[i].name != NULL &&
	    strcmp(stage.counters[i].name, name) != 0)
		i++;
	stage.counters[i].name = name;
	stage.counters[i].value += add;
}

void
mc_gauge(struct mc_host *host, const char *name, int64_t value)
{
	mc_count(host, name, value - stage_count(name));
}

int64_t
stage_count(const char *name)
{
	for (size_t i = 0; i < COUNTERS_MAX; i++)
		if (stage.counters[i].name != NULL &&
		    strcmp(stage.counters[i].name, name) == 0)
			return stage.counters[i].value;
	return 0;
}

bool
stage_logged(const char *words)
{
	return strstr(stage.log, words) != NULL;
}

/* Time and work. */

void
mc_timer_clear(struct mc_timer **slot)
{
	struct mc_timer **at = &stage.timers, *timer = *slot;

	if (timer == NULL)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	*slot = NULL;
	free(timer);
}

void
mc_timer_set(struct mc_host *host, struct mc_timer **slot, unsigned ms,
    mc_timer_fn *run, void *owner)
{
	struct mc_timer *timer = mc_zalloc(sizeof(*timer));
	struct mc_timer **at = &stage.timers;

	(void)host;
	mc_timer_clear(slot);
	timer->slot = slot;
	timer->at_ms = stage.now_ms + ms;
	timer->run = run;
	timer->owner = owner;
	while (*at != NULL && (*at)->at_ms <= timer->at_ms)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
	*slot = timer;
}

static void
task_add(mc_work_fn *run, void *arg)
{
	struct task *task = mc_zalloc(sizeof(*task)), **at = &stage.tasks;

	task->run = run;
	task->arg = arg;
	while (*at != NULL)
		at = &(*at)->next;
	*at = task;
}

void
mc_work(struct mc_host *host, mc_work_fn *run, void *arg)
{
	(void)host;
	task_add(run, arg);
}

/* One by one is a batch, too. */
struct lone {
	mc_batch_fn	*run;
	void		*arg;
};

static void
lone_run(void *arg)
{
	struct lone *lone = arg;

	lone->run(&lone->arg, 1);
	free(lone);
}

void
mc_work_batch(struct mc_host *host, mc_batch_fn *run, void *arg)
{
	struct lone *lone = mc_zalloc(sizeof(*lone));

	lone->run = run;
	lone->arg = arg;
	mc_work(host, lone_run, lone);
}

void
mc_later(struct mc_host *host, mc_work_fn *run, void *arg)
{
	(void)host;
	task_add(run, arg);
}

static void
settle(void)
{
	struct task *task;

	while ((task = stage.tasks) != NULL) {
		stage.tasks = task->next;
		task->run(task->arg);
		free(task);
	}
	for (struct mc_conn *conn = stage.conns; conn != NULL;
	    conn = conn->next)
		if (conn->over && !conn->gone) {
			conn->gone = true;
			conn_closed(conn);
		}
}

void
stage_pass(unsigned ms)
{
	uint64_t until = stage.now_ms + ms;

	settle();
	while (stage.timers != NULL && stage.timers->at_ms <= until) {
		mc_timer_fn *run = stage.timers->run;
		void *owner = stage.timers->owner;

		if (stage.timers->at_ms > stage.now_ms)
			stage.now_ms = stage.timers->at_ms;
		mc_timer_clear(stage.timers->slot);
		run(owner);
		settle();
	}
	stage.now_ms = until;
}

/* Connections. */

struct mc_listener *
mc_listen(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, const struct mc_conn_ops *ops, void *state)
{
	(void)host;
	(void)roles;
	stage.listener = mc_zalloc(sizeof(*stage.listener));
	stage.listener->ops = ops;
	stage.listener->state = state;
	snprintf(stage.listener->address, sizeof(stage.listener->address),
	    "%s", conf->endpoint);
	return stage.listener;
}

void
mc_unlisten(struct mc_listener **listener)
{
	free(*listener);
	*listener = stage.listener = NULL;
}

enum mc_status
mc_relisten(struct mc_listener *listener, const struct mc_listen_conf *conf)
{
	return strcmp(listener->address, conf->endpoint) == 0 ? MC_OK :
	    MC_INVALID;
}

const char *
mc_listener_address(const struct mc_listener *listener)
{
	return listener->address;
}

struct mc_link *
mc_dial(struct mc_host *host, const char *endpoint, const char *role,
    const struct mc_conn_ops *ops, void *state)
{
	(void)host;
	(void)endpoint;
	(void)role;
	stage.link = mc_zalloc(sizeof(*stage.link));
	stage.link->ops = ops;
	stage.link->state = state;
	return stage.link;
}

struct mc_listener *
mc_listen_stream(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, bool plain, const struct mc_stream_ops *ops,
    void *state)
{
	struct mc_listener *listener = mc_listen(host, conf, roles, NULL,
	    state);

	(void)plain;
	listener->stream = ops;
	return listener;
}

struct mc_link *
mc_dial_stream(struct mc_host *host, const char *endpoint, const char *role,
    bool plain, const struct mc_stream_ops *ops, void *state)
{
	struct mc_link *link = mc_dial(host, endpoint, role, NULL, state);

	(void)plain;
	link->stream = ops;
	snprintf(stage.dialled, sizeof(stage.dialled), "%s", endpoint);
	return link;
}

const char *
stage_dialled(void)
{
	return stage.link == NULL ? "" : stage.dialled;
}

void
mc_hangup(struct mc_link **link)
{
	if (*link == NULL)
		return;
	for (struct mc_conn *conn = stage.conns; conn != NULL;
	    conn = conn->next)
		if (conn->ops == (*link)->ops &&
		    conn->stream == (*link)->stream)
			conn->over = true;
	free(*link);
	*link = stage.link = NULL;
}

static struct mc_conn *
conn_new(const struct mc_conn_ops *ops, const struct mc_stream_ops *stream,
    void *state)
{
	struct mc_conn *conn = mc_zalloc(sizeof(*conn));

	conn->ops = ops;
	conn->stream = stream;
	conn->peer = stage.peer;
	conn->owner = stream != NULL ? stream->open(state, conn) :
	    ops->open(state, conn);
	if (conn->owner == NULL) {
		conn_free(conn);
		return NULL;
	}
	conn->next = stage.conns;
	stage.conns = conn;
	return conn;
}

struct mc_conn *
stage_connect(void)
{
	return stage.listener == NULL ? NULL : conn_new(stage.listener->ops,
	    stage.listener->stream, stage.listener->state);
}

struct mc_conn *
stage_accept(void)
{
	return stage.link == NULL ? NULL : conn_new(stage.link->ops,
	    stage.link->stream, stage.link->state);
}

/* Streams. */

void
mc_conn_write(struct mc_conn *conn, const void *data, size_t len)
{
	uint8_t *grown;

	if (conn->over)
		return;
	grown = mc_zalloc(conn->written_len + len + 1);
	if (conn->written_len > 0)
		memcpy(grown, conn->written, conn->written_len);
	memcpy(grown + conn->written_len, data, len);
	free(conn->written);
	conn->written = grown;
	conn->written_len += len;
}

void
mc_conn_give(struct mc_conn *conn, void *block, size_t len)
{
	mc_conn_write(conn, block, len);
	free(block);
}

void
mc_conn_pause(struct mc_conn *conn, bool paused)
{
	conn->paused = paused;
}

bool
stage_paused(const struct mc_conn *conn)
{
	return conn->paused;
}

void
stage_feed(struct mc_conn *conn, const void *data, size_t len)
{
	if (!conn->over)
		conn->stream->bytes(conn->owner, data, len);
}

void
stage_drain(struct mc_conn *conn)
{
	if (!conn->over)
		conn->stream->drained(conn->owner);
}

const char *
stage_written(const struct mc_conn *conn, size_t *len_r)
{
	if (len_r != NULL)
		*len_r = conn->written_len;
	return conn->written == NULL ? "" : (const char *)conn->written;
}

void
stage_unwrite(struct mc_conn *conn)
{
	free(conn->written);
	conn->written = NULL;
	conn->written_len = 0;
}

void
stage_peer(const char *address, const char *name, const char *roles)
{
	struct mc_peer *peer = &stage.peer;

	if (address != NULL)
		snprintf(peer->address, sizeof(peer->address), "%s", address);
	if (name != NULL)
		snprintf(peer->name, sizeof(peer->name), "%s", name);
	if (roles != NULL)
		snprintf(peer->roles, sizeof(peer->roles), "%s", roles);
}

/* One role at a time is enough here. */
bool
mc_peer_is(const struct mc_peer *peer, const char *role)
{
	return strcmp(peer->roles, role) == 0;
}

const struct mc_peer *
mc_conn_peer(const struct mc_conn *conn)
{
	return &conn->peer;
}

void
mc_conn_admit(struct mc_conn *conn)
{
	conn->admitted = true;
}

bool
stage_admitted(const struct mc_conn *conn)
{
	return conn->admitted;
}

static void
sent_add(struct mc_conn *conn, const uint8_t *bytes, size_t len)
{
	struct sent *sent = mc_zalloc(sizeof(*sent)), **at = &conn->sent;

	sent->len = len;
	sent->bytes = mc_zalloc(len);
	memcpy(sent->bytes, bytes, len);
	while (*at != NULL)
		at = &(*at)->next;
	*at = sent;
}

struct mc_shared *
mc_shared_new(const Metacube__Envelope *envelope)
{
	struct mc_shared *shared = mc_zalloc(sizeof(*shared));

	shared->refs = 1;
	shared->len = metacube__envelope__get_packed_size(envelope);
	shared->bytes = mc_zalloc(shared->len);
	metacube__envelope__pack(envelope, shared->bytes);
	return shared;
}

bool
mc_conn_send_shared(struct mc_conn *conn, struct mc_shared *shared)
{
	if (conn->full)
		return false;
	if (!conn->over)
		sent_add(conn, shared->bytes, shared->len);
	return true;
}

void
mc_shared_unref(struct mc_shared **shared)
{
	free((*shared)->bytes);
	free(*shared);
	*shared = NULL;
}

void
mc_conn_send(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	struct mc_shared *shared = mc_shared_new(envelope);

	if (!mc_conn_send_shared(conn, shared))
		conn->over = true;
	mc_shared_unref(&shared);
}

size_t
mc_conn_queued(const struct mc_conn *conn)
{
	return conn->queued;
}

void
mc_conn_close(struct mc_conn *conn)
{
	conn->over = true;
}

void
stage_say(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	struct mc_shared *shared = mc_shared_new(envelope);
	Metacube__Envelope *copy = metacube__envelope__unpack(NULL,
	    shared->len, shared->bytes);

	if (copy != NULL && !conn->over)
		conn->ops->message(conn->owner, copy);
	metacube__envelope__free_unpacked(copy, NULL);
	mc_shared_unref(&shared);
}

void
stage_drop(struct mc_conn *conn)
{
	if (conn->gone)
		return;
	conn->over = conn->gone = true;
	conn_closed(conn);
}

static void
sent_remove(struct mc_conn *conn)
{
	struct sent *sent = conn->sent;

	conn->sent = sent->next;
	free(sent->bytes);
	free(sent);
}

const Metacube__Envelope *
stage_heard(struct mc_conn *conn, Metacube__Envelope__MessageCase kind)
{
	while (conn->sent != NULL) {
		if (stage.heard != NULL)
			metacube__envelope__free_unpacked(stage.heard, NULL);
		stage.heard = metacube__envelope__unpack(NULL,
		    conn->sent->len, conn->sent->bytes);
		sent_remove(conn);
		if (stage.heard != NULL && stage.heard->message_case == kind)
			return stage.heard;
	}
	return NULL;
}

size_t
stage_unheard(const struct mc_conn *conn)
{
	size_t count = 0;

	for (struct sent *sent = conn->sent; sent != NULL; sent = sent->next)
		count++;
	return count;
}

void
stage_skip(struct mc_conn *conn)
{
	while (conn->sent != NULL)
		sent_remove(conn);
}

bool
stage_over(const struct mc_conn *conn)
{
	return conn->over;
}

void
stage_queue(struct mc_conn *conn, size_t queued, bool full)
{
	conn->queued = queued;
	conn->full = full;
}

/* Commands are asked by whoever calls their functions. */

void
mc_commands(struct mc_host *host, const struct mc_command *commands,
    void *state)
{
	(void)host;
	(void)commands;
	(void)state;
}

const char *
mc_query_arg(const struct mc_query *query, unsigned n)
{
	(void)query;
	(void)n;
	return NULL;
}

const uint8_t *
mc_query_secret(const struct mc_query *query, size_t *len)
{
	(void)query;
	*len = 0;
	return NULL;
}

const char *
mc_query_by(const struct mc_query *query)
{
	(void)query;
	return "tester";
}

void
mc_query_columns(struct mc_query *query, const char *first, ...)
{
	(void)query;
	(void)first;
}

void
mc_query_row(struct mc_query *query)
{
	(void)query;
}

void
mc_query_cell(struct mc_query *query, const char *text, ...)
{
	(void)query;
	(void)text;
}

bool
stage_told(enum mc_status *status_r, const char **text_r)
{
	bool told = stage.told;

	stage.told = false;
	*status_r = stage.told_status;
	*text_r = stage.told_text;
	return told;
}

void
mc_query_done(struct mc_query *query, enum mc_status status,
    const char *text, ...)
{
	(void)query;
	va_list args;

	stage.told = true;
	stage.told_status = status;
	stage.told_text[0] = '\0';
	if (text == NULL)
		return;
	va_start(args, text);
	vsnprintf(stage.told_text, sizeof(stage.told_text), text, args);
	va_end(args);
}
