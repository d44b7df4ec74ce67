/* SPDX-License-Identifier: MIT */
/*
 * What goes out: messages are put together into records of up to 16 KiB,
 * records into one send.  What GnuTLS produces lies in the thread's buffer
 * while a connection is worked on; only what the kernel does not take moves
 * into one of the connection's own, and as long as there is such a rest
 * nothing more is encrypted.
 */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_HIGH	(64 * 1024)	/* then it is sent */
#define OUT_MIN		(2 * OUT_HIGH)

/* Messages */

struct packet *
packet_new(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	size_t len = envelope != NULL ? frame_size(envelope) : 0;
	struct packet *packet = malloc(sizeof(*packet) + len);

	if (packet == NULL)
		mc_fatal(conn->host, "out of memory for a message of %zu "
		    "bytes", len);
	packet->mail.run = conn_queue;
	packet->conn = conn;
	packet->shared = NULL;
	packet->given = NULL;
	packet->len = len;
	if (envelope != NULL)
		frame_encode(envelope, packet->bytes, len);
	return packet;
}

void
packet_free(struct packet *packet)
{
	if (packet->shared != NULL)
		mc_shared_unref(&packet->shared);
	else if (packet->given != NULL)
		free(packet->given);
	else
		mc_wipe(packet->bytes, packet->len);
	free(packet);
}

static const uint8_t *
packet_bytes(const struct packet *packet)
{
	if (packet->given != NULL)
		return packet->given;
	return packet->shared != NULL ? packet->shared->bytes : packet->bytes;
}

static void
mark_dirty(struct mc_conn *conn)
{
	if (conn->dirty)
		return;
	conn->dirty = true;
	LIST_INSERT_HEAD(&conn->thread->dirty, conn, dirty_link);
}

void
conn_queue(struct mail *mail)
{
	struct packet *packet = (struct packet *)mail;
	struct mc_conn *conn = packet->conn;

	if (conn->state != CONN_OPEN && conn->state != CONN_PROVING) {
		packet_free(packet);
		return;
	}
	STAILQ_INSERT_TAIL(&conn->queue, packet, link);
	mark_dirty(conn);
}

/* The pump's own word. */
void
conn_say(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	struct packet *packet = packet_new(conn, envelope);

	atomic_fetch_add_explicit(&conn->queued, packet->len,
	    memory_order_relaxed);
	conn_queue(&packet->mail);
}

void
conn_finish(struct mc_conn *conn)
{
	if (conn->state >= CONN_CLOSING)
		return;
	if (conn->state < CONN_PROVING) {
		conn_drop(conn);
		return;
	}
	conn->state = CONN_CLOSING;
	conn->input_ms = conn->ping_ms = 0;
	if (conn->output_ms == 0)
		conn->output_ms = mc_now_ms() +
		    (uint64_t)conn->terms->send_ms;
	conn_deadlines(conn);
	mark_dirty(conn);
}

/* On a unix socket these are the messages themselves. */
static void
pending_free(struct mc_conn *conn)
{
	if (conn->plain && conn->pending != NULL)
		mc_wipe(conn->pending, conn->pending_len);
	free(conn->pending);
	conn->pending = NULL;
	conn->pending_len = conn->pending_at = 0;
}

void
conn_out_clear(struct mc_conn *conn)
{
	struct packet *packet;

	while ((packet = STAILQ_FIRST(&conn->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&conn->queue, link);
		packet_free(packet);
	}
	if (conn->dirty)
		LIST_REMOVE(conn, dirty_link);
	conn->dirty = false;
	pending_free(conn);
	conn->thread->out_len = 0;
}

/* Bytes for the kernel */

static void
out_add(struct io_thread *thread, const void *data, size_t len)
{
	size_t size = thread->out_size != 0 ? thread->out_size : OUT_MIN;

	if (thread->out_len + len > thread->out_size) {
		while (size < thread->out_len + len)
			size *= 2;
		thread->out = realloc(thread->out, size);
		if (thread->out == NULL)
			mc_fatal(NULL, "out of memory for %zu bytes to send",
			    size);
		thread->out_size = size;
	}
	memcpy(thread->out + thread->out_len, data, len);
	thread->out_len += len;
}

ssize_t
conn_push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int count)
{
	struct mc_conn *conn = ptr;
	ssize_t len = 0;

	for (int i = 0; i < count; i++) {
		out_add(conn->thread, iov[i].iov_base, iov[i].iov_len);
		len += (ssize_t)iov[i].iov_len;
	}
	return len;
}

/* -1: the connection is lost, and gone. */
static ssize_t
send_some(struct mc_conn *conn, const uint8_t *data, size_t len)
{
	ssize_t n = send(conn->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		return 0;
	if (conn->state >= CONN_CLOSING)
		conn_drop(conn);
	else
		conn_fail(conn, NULL, "connection lost: %s", strerror(errno));
	return -1;
}

static void
keep_rest(struct mc_conn *conn, const uint8_t *data, size_t len)
{
	size_t old = conn->pending_len - conn->pending_at;
	uint8_t *rest = mc_zalloc(old + len);

	if (old != 0)
		memcpy(rest, conn->pending + conn->pending_at, old);
	memcpy(rest + old, data, len);
	pending_free(conn);
	conn->pending = rest;
	conn->pending_len = old + len;
}

static void
wait_writable(struct mc_conn *conn, bool progress)
{
	if (progress || conn->output_ms == 0)
		conn->output_ms = mc_now_ms() +
		    (uint64_t)conn->terms->send_ms;
	conn_deadlines(conn);
	event_add(&conn->writable, NULL);
}

/* First queued, then drained; the loop thread looks the other way round. */
static void
tell_drained(struct mc_conn *conn)
{
	if (conn->stream && STAILQ_EMPTY(&conn->queue) &&
	    conn->state == CONN_OPEN &&
	    !atomic_exchange(&conn->drained, true))
		io_tell(conn->thread, &conn->drained_mail);
}

/* To be written to is no idleness either: a stream answers a short question
 * with much. */
static void
output_moved(struct mc_conn *conn)
{
	if (conn->stream && conn->state == CONN_OPEN && conn->input_ms != 0 &&
	    (conn->admitted || conn->target != NULL))
		conn_input_within(conn, conn->terms->idle_ms);
}

static void
all_sent(struct mc_conn *conn)
{
	if (conn->in_flight != 0) {
		atomic_fetch_sub(&conn->queued, conn->in_flight);
		conn->in_flight = 0;
		tell_drained(conn);
	}
	if (conn->output_ms != 0 && conn->state != CONN_CLOSING) {
		conn->output_ms = 0;
		conn_deadlines(conn);
	}
}

bool
conn_send_out(struct mc_conn *conn)
{
	struct io_thread *thread = conn->thread;
	size_t len = thread->out_len;
	ssize_t n = 0;

	thread->out_len = 0;
	if (conn->pending != NULL) {
		if (len != 0)
			keep_rest(conn, thread->out, len);
		return false;
	}
	if (len != 0)
		n = send_some(conn, thread->out, len);
	if (n == -1)
		return false;
	if (n > 0)
		output_moved(conn);
	if ((size_t)n < len) {
		keep_rest(conn, thread->out + n, len - (size_t)n);
		wait_writable(conn, n > 0);
	} else {
		all_sent(conn);
	}
	if (conn->plain)
		mc_wipe(thread->out, len);
	return (size_t)n == len;
}

void
conn_writable(evutil_socket_t fd, short events, void *arg)
{
	struct mc_conn *conn = arg;
	ssize_t n;

	(void)fd;
	(void)events;
	n = send_some(conn, conn->pending + conn->pending_at,
	    conn->pending_len - conn->pending_at);
	if (n == -1)
		return;
	conn->pending_at += (size_t)n;
	if (n > 0)
		output_moved(conn);
	if (conn->pending_at < conn->pending_len) {
		wait_writable(conn, n > 0);
		return;
	}
	pending_free(conn);
	conn_flush(conn);
}

/* From messages to bytes */

static void
put_record(struct mc_conn *conn, const uint8_t *data, size_t len)
{
	ssize_t n;

	conn->in_flight += len;
	if (conn->tls == NULL) {
		out_add(conn->thread, data, len);
		return;
	}
	for (; len != 0; data += n, len -= (size_t)n) {
		n = gnutls_record_send(conn->tls, data, len);
		if (n > 0)	/* less: the peer has asked for small records */
			continue;
		conn_fail(conn, "tls_errors", "cannot encrypt: %s",
		    gnutls_strerror((int)n));
		return;
	}
}

static void
advance(struct mc_conn *conn, size_t len)
{
	struct packet *packet = STAILQ_FIRST(&conn->queue);

	conn->offset += len;
	if (conn->offset < packet->len)
		return;
	conn->offset = 0;
	STAILQ_REMOVE_HEAD(&conn->queue, link);
	packet_free(packet);
}

static size_t
first_left(const struct mc_conn *conn)
{
	size_t left = STAILQ_FIRST(&conn->queue)->len - conn->offset;

	return left < IO_RECORD_MAX ? left : IO_RECORD_MAX;
}

/* Several messages are copied together; a single or a large one is not. */
static void
put_next(struct mc_conn *conn)
{
	struct packet *packet = STAILQ_FIRST(&conn->queue);
	uint8_t *plain = conn->thread->plain;
	size_t len = first_left(conn), used = 0;

	if (len == IO_RECORD_MAX || STAILQ_NEXT(packet, link) == NULL) {
		put_record(conn, packet_bytes(packet) + conn->offset, len);
		if (conn->state != CONN_CLOSED)
			advance(conn, len);
		return;
	}
	while (used < IO_RECORD_MAX && !STAILQ_EMPTY(&conn->queue)) {
		packet = STAILQ_FIRST(&conn->queue);
		len = first_left(conn);
		if (len > IO_RECORD_MAX - used)
			len = IO_RECORD_MAX - used;
		memcpy(plain + used, packet_bytes(packet) + conn->offset, len);
		used += len;
		advance(conn, len);
	}
	put_record(conn, plain, used);
	mc_wipe(plain, used);
}

static void
fill(struct mc_conn *conn)
{
	while (!STAILQ_EMPTY(&conn->queue) &&
	    conn->thread->out_len < OUT_HIGH) {
		put_next(conn);
		if (conn->state == CONN_CLOSED)
			return;
	}
	if (STAILQ_EMPTY(&conn->queue) && conn->state == CONN_CLOSING &&
	    conn->tls != NULL && !conn->said_bye) {
		conn->said_bye = true;
		gnutls_bye(conn->tls, GNUTLS_SHUT_WR);
	}
}

static bool
may_send(const struct mc_conn *conn)
{
	return conn->state >= CONN_PROVING && conn->state <= CONN_CLOSING;
}

void
conn_flush(struct mc_conn *conn)
{
	do {
		if (may_send(conn) && conn->pending == NULL)
			fill(conn);
		if (conn->state == CONN_CLOSED || !conn_send_out(conn))
			return;
	} while (may_send(conn) && !STAILQ_EMPTY(&conn->queue));
	if (conn->state == CONN_CLOSING)
		conn_shut(conn);
}

void
conn_flush_dirty(struct io_thread *thread)
{
	struct mc_conn *conn;

	while ((conn = LIST_FIRST(&thread->dirty)) != NULL) {
		LIST_REMOVE(conn, dirty_link);
		conn->dirty = false;
		conn_flush(conn);
	}
}
