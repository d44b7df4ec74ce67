/* SPDX-License-Identifier: MIT */
/*
 * What comes in: one recv for a wake-up into the thread's buffer, then TLS
 * (conn_tls.c), frames and messages until it is used up.  The connection keeps
 * nothing but a frame that has arrived in part, or, while the loop thread is
 * behind, what could not be delivered.
 */
#include "conn.h"

#include "listen.h"
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages */

static void
opened(struct mc_conn *conn)
{
	conn->state = CONN_OPEN;
	conn->told_opened = true;
	conn_input_within(conn, conn->target != NULL ? conn->terms->idle_ms :
	    conn->terms->login_ms);
	io_tell(conn->thread, &conn->opened_mail);
}

static void
refuse(struct mc_conn *conn, Metacube__Reason reason, const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;

	refused.reason = reason;
	refused.text = (char *)text;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
	envelope.refused = &refused;
	conn_say(conn, &envelope);
	conn_finish(conn);
}

static void
malformed(struct mc_conn *conn, const char *fault)
{
	conn_note(conn, "malformed", fault);
	refuse(conn, METACUBE__REASON__BAD_REQUEST, fault);
}

static void
pong(struct mc_conn *conn, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Pong empty = METACUBE__PONG__INIT;

	if (mc_conn_queued(conn) >= (size_t)conn->terms->queue_max) {
		conn_fail(conn, "slow_peers", "asks and does not listen");
		return;
	}
	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PONG;
	envelope.pong = &empty;
	conn_say(conn, &envelope);
}

/* true: it was for the pump, or ended the connection. */
static bool
own_message(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	bool proving = conn->state == CONN_PROVING;

	if (proving && envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_REFUSED) {
		conn_fail(conn, NULL, "it refuses us: %s",
		    envelope->refused->text);
		return true;
	}
	if (proving)
		opened(conn);
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_PING:
		pong(conn, envelope->cid);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_PONG:
		return true;
	default:
		return false;
	}
}

static void
take_message(struct mc_conn *conn, const uint8_t *body, size_t len)
{
	const char *fault;
	struct message *message = message_decode(body, len, &fault);

	if (message == NULL) {
		malformed(conn, fault);
		return;
	}
	if (own_message(conn, message->envelope)) {
		message_free(&message);
		return;
	}
	message->conn = conn;
	message->mail.run = conn_message;
	message->weight = 1 + (unsigned)(len / CONN_UNDELIVERED_SIZE);
	atomic_fetch_add(&conn->undelivered, message->weight);
	io_tell(conn->thread, &message->mail);
}

bool
conn_listening(const struct mc_conn *conn)
{
	return (conn->state == CONN_OPEN || conn->state == CONN_PROVING) &&
	    conn->held == NULL;
}

/* The loop thread is behind: keeps what is left of the input and stops
 * reading.  false: it has caught up meanwhile. */
static bool
pause_reading(struct mc_conn *conn, const uint8_t *plain, size_t len)
{
	struct io_thread *thread = conn->thread;
	size_t raw = conn->plain ? 0 : thread->in_len;

	atomic_store(&conn->paused, true);
	if (atomic_load(&conn->undelivered) == 0 &&
	    atomic_exchange(&conn->paused, false))
		return false;
	conn->held = mc_zalloc(sizeof(*conn->held) + len + raw);
	conn->held->plain_len = len;
	conn->held->raw_len = raw;
	if (len != 0)
		memcpy(conn->held->bytes, plain, len);
	memcpy(conn->held->bytes + len, thread->in, raw);
	thread->in_len = 0;
	event_del(&conn->readable);
	conn->input_ms = 0;		/* it is us who are slow */
	conn_deadlines(conn);
	return true;
}

static bool
behind(const struct mc_conn *conn)
{
	return atomic_load_explicit(&conn->undelivered,
	    memory_order_relaxed) >= (conn->admitted ?
	    CONN_UNDELIVERED_MAX : CONN_UNDELIVERED_LOGIN);
}

/* Streams: all that one recv has brought is one piece. */

struct piece *
piece_new(struct mc_conn *conn, size_t size)
{
	struct piece *piece = malloc(sizeof(*piece) + size);

	if (piece == NULL)
		mc_fatal(conn->host, "out of memory for %zu bytes that have "
		    "come", size);
	piece->mail.run = conn_bytes;
	piece->conn = conn;
	piece->len = 0;
	return piece;
}

void
conn_take_piece(struct mc_conn *conn, struct piece *piece)
{
	if (piece->len == 0) {
		free(piece);
		return;
	}
	piece->weight = 1 + (unsigned)(piece->len / CONN_STREAM_SIZE);
	atomic_fetch_add(&conn->undelivered, piece->weight);
	io_tell(conn->thread, &piece->mail);
	if (behind(conn))
		pause_reading(conn, NULL, 0);
}

static void
take_plain_piece(struct mc_conn *conn)
{
	struct io_thread *thread = conn->thread;
	struct piece *piece = piece_new(conn, thread->in_len);

	memcpy(piece->bytes, thread->in, thread->in_len);
	piece->len = thread->in_len;
	thread->in_len = 0;
	conn_take_piece(conn, piece);
	if (thread->in_end)
		conn_hung_up(conn);
}

/* Reading goes on, unless somebody else is against it. */
static void
read_on(struct mc_conn *conn)
{
	if (conn->resting || conn->held != NULL)
		return;
	event_add(&conn->readable, NULL);
	conn_input_within(conn, conn->admitted || conn->target != NULL ?
	    conn->terms->idle_ms : conn->terms->login_ms);
}

void
conn_rest(struct mc_conn *conn, bool rest)
{
	if (conn->state != CONN_OPEN || conn->resting == rest)
		return;
	conn->resting = rest;
	if (!rest) {
		read_on(conn);
		return;
	}
	event_del(&conn->readable);
	conn->input_ms = 0;
	conn_deadlines(conn);
}

static void
too_long(struct mc_conn *conn)
{
	char text[80];

	snprintf(text, sizeof(text), "a message is longer than %u bytes",
	    conn->frame_max);
	malformed(conn, text);
}

void
conn_take_frames(struct mc_conn *conn, const uint8_t *in, size_t len)
{
	const uint8_t *body;
	size_t body_len;

	while (conn_listening(conn)) {
		if (behind(conn) && pause_reading(conn, in, len))
			return;
		switch (frame_next(&conn->part, &in, &len, conn->frame_max,
		    &body, &body_len)) {
		case FRAME_MORE:
			return;
		case FRAME_TOO_LONG:
			too_long(conn);
			return;
		case FRAME_READY:
			take_message(conn, body, body_len);
			frame_part_clear(&conn->part);
		}
	}
}

static void
refuse_role(struct mc_conn *conn)
{
	char text[256];

	if (conn->local)
		snprintf(text, sizeof(text),
		    "this socket is for root and its owner alone");
	else
		snprintf(text, sizeof(text), "this needs a certificate for "
		    "%s, and yours is for %s \"%s\"", conn->acceptor->roles,
		    conn->peer.roles[0] != '\0' ? conn->peer.roles :
		    "no role,", conn->peer.name);
	conn_note(conn, "handshake_failed", text);
	if (conn->stream) {
		conn_refuse_alert(conn);
		return;
	}
	conn->state = CONN_OPEN;
	refuse(conn, METACUBE__REASON__NOT_ALLOWED, text);
}

static bool
welcome(const struct mc_conn *conn)
{
	const char *roles = conn->acceptor->roles;

	if (roles == NULL || (conn->plain && !conn->local))
		return true;
	return peer_has_role_of(&conn->peer, roles);
}

void
conn_greeted(struct mc_conn *conn)
{
	if (conn->target != NULL && conn->stream) {
		opened(conn);
	} else if (conn->target != NULL) {
		conn->frame_max = MC_FRAME_SERVER;
		conn->state = CONN_PROVING;
		conn_ping(conn);
	} else if (welcome(conn)) {
		if (conn->acceptor->roles != NULL)
			conn->frame_max = MC_FRAME_SERVER;
		opened(conn);
	} else {
		refuse_role(conn);
	}
}

void
conn_hung_up(struct mc_conn *conn)
{
	if (conn->state == CONN_OPEN && conn->target == NULL)
		conn_drop(conn);
	else if (conn->state != CONN_CLOSED)
		conn_fail(conn, NULL, "the other side closed the connection");
}

/* The PROXY header */

static bool
take_place(struct mc_conn *conn, const struct address *source)
{
	struct acceptor *acceptor = conn->acceptor;
	uint64_t key = limit_key(source);

	address_host(source, conn->peer.address, sizeof(conn->peer.address));
	limit_give(acceptor->limit, conn->limit_key);
	conn->limit_key = key;
	if (limit_take(acceptor->limit, key, acceptor->max_connections,
	    acceptor->max_per_address) == LIMIT_FINE)
		return true;
	limit_take(acceptor->limit, conn->limit_key = 0, INT64_MAX, 0);
	conn_fail(conn, "refused_limit", "too many connections from there");
	return false;
}

/* A header that comes in pieces is put together in the frame's place. */
static ssize_t
gather_proxy(struct mc_conn *conn, struct address *source)
{
	struct io_thread *thread = conn->thread;
	struct frame_part *part = &conn->part;
	size_t old = part->len, take = PROXY_MAX - old;
	ssize_t len;

	if (old == 0 && (len = proxy_parse(thread->in, thread->in_len,
	    source)) != 0)
		return len;
	if (part->data == NULL) {
		part->data = mc_zalloc(PROXY_MAX);
		part->size = PROXY_MAX;
	}
	if (take > thread->in_len)
		take = thread->in_len;
	memcpy(part->data + old, thread->in, take);
	part->len += take;
	len = proxy_parse(part->data, part->len, source);
	if (len == 0)
		thread->in_len = 0;
	return len > 0 ? len - (ssize_t)old : len;
}

static bool
take_proxy(struct mc_conn *conn)
{
	struct io_thread *thread = conn->thread;
	struct address source = { 0 };
	ssize_t len = 0;

	if (!thread->in_end)
		len = gather_proxy(conn, &source);
	if (len < 0 || thread->in_end) {
		conn_fail(conn, "malformed", "no PROXY protocol header");
		return false;
	}
	if (len == 0)
		return false;
	thread->in += len;
	thread->in_len -= (size_t)len;
	frame_part_clear(&conn->part);
	conn->state = CONN_HANDSHAKE;
	return source.len == 0 || take_place(conn, &source);
}

/* Bytes */

static void
take_plain(struct mc_conn *conn)
{
	struct io_thread *thread = conn->thread;
	size_t len = thread->in_len;

	conn_take_frames(conn, thread->in, len);
	mc_wipe((void *)thread->in, len);
	thread->in_len = 0;
	if (thread->in_end)
		conn_hung_up(conn);
}

static void
feed(struct mc_conn *conn)
{
	if (conn->state == CONN_PROXY && !take_proxy(conn))
		return;
	if (conn->state == CONN_HANDSHAKE &&
	    (conn->thread->in_len != 0 || conn->thread->in_end))
		conn_shake_hands(conn);
	if (!conn_listening(conn))
		return;
	if (!conn->plain)
		conn_take_records(conn);
	else if (conn->stream)
		take_plain_piece(conn);
	else
		take_plain(conn);
}

static void
feed_and_flush(struct mc_conn *conn)
{
	feed(conn);
	conn->thread->in_len = 0;
	if (conn->state != CONN_CLOSED)
		conn_flush(conn);
}

void
conn_readable(evutil_socket_t fd, short events, void *arg)
{
	struct mc_conn *conn = arg;
	struct io_thread *thread = conn->thread;
	ssize_t n = recv(fd, thread->in_buffer, IO_IN_SIZE, MSG_DONTWAIT);

	(void)events;
	thread->events++;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (conn->state >= CONN_CLOSING) {
		if (n <= 0)
			conn_drop(conn);
		return;
	}
	if (n == -1) {
		conn_fail(conn, NULL, "connection lost: %s", strerror(errno));
		return;
	}
	thread->in = thread->in_buffer;
	thread->in_len = (size_t)n;
	thread->in_end = n == 0;
	if (conn->state == CONN_OPEN &&
	    (conn->admitted || conn->target != NULL))
		conn_input_within(conn, conn->terms->idle_ms);
	feed_and_flush(conn);
}

void
conn_resume(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, resume_order);
	struct io_thread *thread = conn->thread;
	struct conn_held *held = conn->held;

	if (held == NULL || conn->state != CONN_OPEN)
		return;
	conn->held = NULL;
	memcpy(thread->in_buffer, held->bytes + held->plain_len,
	    held->raw_len);
	thread->in = thread->in_buffer;
	thread->in_len = held->raw_len;
	thread->in_end = false;
	read_on(conn);
	if (!conn->stream)
		conn_take_frames(conn, held->bytes, held->plain_len);
	mc_wipe(held->bytes, held->plain_len + held->raw_len);
	free(held);
	if (conn_listening(conn) && !conn->plain && !conn->stream)
		conn_take_records(conn);
	thread->in_len = 0;
	if (conn->state != CONN_CLOSED)
		conn_flush(conn);
}
