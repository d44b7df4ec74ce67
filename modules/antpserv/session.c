/* SPDX-License-Identifier: MIT */
/*
 * One connection: a request, its answer, the next request.  Whoever says more
 * before the answer has gone is not understood, and disconnected.
 */
#include "antpserv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD_MS	1000	/* nothing new, and nobody who could say when */

/* Answers */

static void
write_head(struct session *session, struct antp_response *response)
{
	char head[ANTP_HEAD_MAX];

	antpserv_fill(session->server, response);
	mc_conn_write(session->conn, head, antp_response_write(response,
	    head));
}

static void
say(struct session *session, enum antp_status status, const char *file,
    uint64_t offset)
{
	struct antp_response response = {
		.status = status, .offset = offset
	};

	snprintf(response.file, sizeof(response.file), "%s", file);
	session->state = SESSION_LISTENING;
	write_head(session, &response);
}

static void
end(struct session *session)
{
	session->state = SESSION_OVER;
	mc_call_cancel(&session->call);
	mc_timer_clear(&session->timer);
	transfer_end(session);
	mc_conn_close(session->conn);
}

void
session_refuse(struct session *session, enum antp_status status,
    const char *format, ...)
{
	struct antp_response response = { .status = status };
	char name[MC_KEY_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(response.text, sizeof(response.text), format, ap);
	va_end(ap);
	session_name(session, name);
	mc_count(session->server->host, "refused", 1);
	mc_log(session->server->host, MC_DEBUG, "%s: %u %s", name, status,
	    response.text);
	write_head(session, &response);
	end(session);
}

static void
say_empty(void *owner)
{
	struct session *session = owner;

	say(session, ANTP_EMPTY, session->request.file,
	    session->request.offset);
}

static unsigned
wait_ms(const struct session *session)
{
	int64_t idle_ms = session->server->conf->listen.idle_ms;
	unsigned ms = session->request.wait_s * 1000;

	return ms <= idle_ms * 2 / 3 ? ms : (unsigned)(idle_ms * 2 / 3);
}

/* EMPTY at once would make those who want to wait ask again and again. */
static void
hold_empty(struct session *session)
{
	unsigned ms = wait_ms(session);

	if (ms == 0)
		say_empty(session);
	else
		mc_timer_set(session->server->host, &session->timer,
		    ms < HOLD_MS ? ms : HOLD_MS, say_empty, session);
}

static void
refuse_status(struct session *session, enum mc_status status)
{
	switch (status) {
	case MC_NOT_FOUND:
		session_refuse(session, ANTP_NO_FILE, "there is no such file");
		return;
	case MC_INVALID:
		session_refuse(session, ANTP_BAD_OFFSET,
		    "the offset is beyond the end of the file");
		return;
	case MC_BUSY:
	case MC_TIMEOUT:
		session_refuse(session, ANTP_TRY_LATER, "try again later");
		return;
	default:
		session_refuse(session, ANTP_SERVER_ERROR,
		    "the queue cannot be read: %s", mc_status_text(status));
	}
}

/* Queue files */

static uint64_t
wanted(const struct session *session, uint64_t end)
{
	uint64_t left = end - session->request.offset;
	uint64_t length = session->request.length;

	return length == 0 || length > left ? left : length;
}

static void
extent_known(void *owner, const struct mc_reply *reply)
{
	const struct wmqfile_extent *extent =
	    MC_RESULT(reply, struct wmqfile_extent);
	struct session *session = owner;
	uint64_t offset = session->request.offset;

	if (extent == NULL) {
		refuse_status(session, reply->status);
		return;
	}
	antpserv_heard(session->server, &extent->position);
	if (extent->end > offset) {
		file_use(session, file_of(session->server, extent->name,
		    extent->path));
		transfer_begin(session, offset, wanted(session, extent->end));
	} else if (extent->finished && extent->next[0] != '\0') {
		say(session, ANTP_NEWFILE, extent->next, 0);
	} else if (extent->finished) {
		hold_empty(session);
	} else {
		say_empty(session);
	}
}

static void
get_queue_file(struct session *session)
{
	wmqfile_extent(&session->server->wmqfile, session->request.file,
	    session->request.offset, wait_ms(session), &session->call,
	    extent_known, session);
}

/* The file to go on with, or to begin with. */
static void
next_found(void *owner, const struct mc_reply *reply)
{
	const struct wmqfile_extent *extent =
	    MC_RESULT(reply, struct wmqfile_extent);
	struct session *session = owner;

	if (extent != NULL) {
		antpserv_heard(session->server, &extent->position);
		say(session, ANTP_NEWFILE, extent->name, 0);
	} else if (reply->status != MC_NOT_FOUND) {
		refuse_status(session, reply->status);
	} else if (session->request.verb == ANTP_FIRST) {
		hold_empty(session);
	} else {
		session_refuse(session, ANTP_TRY_LATER,
		    "the queue does not go on from this freeze any more");
	}
}

static void
find_next(struct session *session, uint64_t seq)
{
	wmqfile_find(&session->server->wmqfile, seq, &session->call,
	    next_found, session);
}

/* Freezes */

static void
freeze_known(void *owner, const struct mc_reply *reply)
{
	const struct freeze_file *file = MC_RESULT(reply, struct freeze_file);
	struct session *session = owner;

	if (file != NULL)
		freeze_look(session, file->path);
	else if (reply->status == MC_NOT_FOUND)
		session_looked(session, NULL);
	else
		refuse_status(session, reply->status);
}

static void
look_for_freeze(struct session *session)
{
	struct antpserv *server = session->server;

	if (server->conf->dbfile[0] != '\0')
		freeze_look(session, server->conf->dbfile);
	else if (server->freeze.ops != NULL)
		freeze_obtain(&server->freeze, false, &session->call,
		    freeze_known, session);
	else
		session_looked(session, NULL);
}

static void
serve_freeze(struct session *session)
{
	const struct file *file = session->file;
	uint64_t offset = session->request.offset;

	if (offset > file->size)
		refuse_status(session, MC_INVALID);
	else if (offset == file->size)
		find_next(session, file->seq);
	else
		transfer_begin(session, offset, wanted(session, file->size));
}

void
session_looked(struct session *session, struct file *file)
{
	bool first = session->request.verb == ANTP_FIRST;

	if (file == NULL && first) {
		find_next(session, 0);
		return;
	}
	if (file == NULL || (!first &&
	    strcmp(file->name, session->request.file) != 0)) {
		file_unref(&file);
		refuse_status(session, MC_NOT_FOUND);
		return;
	}
	file_use(session, file);
	if (first)
		say(session, ANTP_NEWFILE, session->file->name, 0);
	else
		serve_freeze(session);
}

/* Who was served this file goes on with it, also when a newer one has taken
 * its place. */
static void
get_freeze(struct session *session)
{
	if (session->file != NULL &&
	    strcmp(session->file->name, session->request.file) == 0)
		serve_freeze(session);
	else
		look_for_freeze(session);
}

/* Requests */

static void
get(struct session *session)
{
	if (antp_is_queue_file(session->request.file))
		get_queue_file(session);
	else if (antp_is_freeze_file(session->request.file))
		get_freeze(session);
	else
		refuse_status(session, MC_NOT_FOUND);
}

static void
take_request(struct session *session)
{
	mc_count(session->server->host, "requests", 1);
	session->state = SESSION_ASKING;
	if (session->request.applied.pointer.seq != 0 &&
	    !replica_acknowledge(session)) {
		session_refuse(session, ANTP_TRY_LATER,
		    "too many replicas are registered here");
		return;
	}
	switch (session->request.verb) {
	case ANTP_GET:
		get(session);
		break;
	case ANTP_FIRST:
		look_for_freeze(session);
		break;
	case ANTP_CLOSE:
		end(session);
		break;
	}
}

static void
keep_part(struct session *session, const uint8_t *data, size_t len)
{
	size_t room = ANTP_HEAD_MAX - session->part_len;

	if (len > room)
		len = room;
	if (session->part == NULL)
		session->part = mc_zalloc(ANTP_HEAD_MAX);
	memcpy(session->part + session->part_len, data, len);
	session->part_len += len;
}

static void
part_free(struct session *session)
{
	free(session->part);
	session->part = NULL;
	session->part_len = 0;
}

/* -1: it has been refused, 0: more is needed, 1: that was one. */
static int
read_request(struct session *session, const char *text, size_t len,
    size_t *used_r)
{
	const char *why;
	int head = antp_request_read(text, len, &session->request, &why);

	if (head == -1)
		session_refuse(session, ANTP_BAD_REQUEST, "%s", why);
	*used_r = head > 0 ? (size_t)head : 0;
	return head > 0 ? 1 : head;
}

static void
too_early(struct session *session)
{
	if (session->state == SESSION_SENDING) {
		mc_count(session->server->host, "refused", 1);
		end(session);		/* in the midst of a file: no words */
	} else {
		session_refuse(session, ANTP_BAD_REQUEST,
		    "one request at a time");
	}
}

static void
bytes(void *owner, const uint8_t *data, size_t len)
{
	struct session *session = owner;
	size_t old = session->part_len, used;
	int got;

	if (session->state != SESSION_LISTENING) {
		too_early(session);
		return;
	}
	if (old != 0) {
		keep_part(session, data, len);
		got = read_request(session, session->part, session->part_len,
		    &used);
	} else {
		got = read_request(session, (const char *)data, len, &used);
		if (got == 0)
			keep_part(session, data, len);
	}
	if (got != 1)
		return;
	part_free(session);
	if (old + len > used)
		too_early(session);
	else
		take_request(session);
}

/* Life */

void
session_name(const struct session *session, char out[MC_KEY_SIZE])
{
	const struct mc_peer *peer = mc_conn_peer(session->conn);

	if (peer->name[0] != '\0')
		snprintf(out, MC_KEY_SIZE, "%s", peer->name);
	else
		snprintf(out, MC_KEY_SIZE, "plain:%.57s", peer->address);
}

static void *
opened(void *state, struct mc_conn *conn)
{
	struct antpserv *server = state;
	struct session *session;

	if (server->stopping)
		return NULL;
	session = mc_zalloc(sizeof(*session));
	session->server = server;
	session->conn = conn;
	TAILQ_INSERT_TAIL(&server->sessions, session, link);
	mc_conn_admit(conn);
	return session;
}

static void
drained(void *owner)
{
	struct session *session = owner;

	session->flying = false;
	if (session->state == SESSION_SENDING)
		transfer_go_on(session);
}

void
session_sent(struct session *session)
{
	session->state = SESSION_LISTENING;
}

void
session_stop(struct session *session)
{
	if (session->state == SESSION_ASKING)
		say_empty(session);
	if (session->state != SESSION_OVER)
		end(session);
}

static void
closed(void *owner)
{
	struct session *session = owner;

	mc_call_cancel(&session->call);
	mc_timer_clear(&session->timer);
	transfer_end(session);
	replica_left(session);
	part_free(session);
	TAILQ_REMOVE(&session->server->sessions, session, link);
	free(session);
}

const struct mc_stream_ops session_ops = { opened, bytes, drained, closed };
