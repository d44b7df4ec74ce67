/* SPDX-License-Identifier: MIT */
/*
 * The loop thread's half of a connection: what modules call, and what calls
 * them.  Nothing here touches a socket.
 */
#include "conn.h"

#include "listen.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX	128

/* "message login": what a callback is called when it held the loop. */
static char names[NAMES_MAX][40];

void
conn_prepare(void)
{
	const ProtobufCMessageDescriptor *type =
	    &metacube__envelope__descriptor;

	snprintf(names[0], sizeof(names[0]), "unknown message");
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].id < NAMES_MAX)
			snprintf(names[type->fields[i].id], sizeof(names[0]),
			    "message %s", type->fields[i].name);
}

static const char *
message_name(const Metacube__Envelope *envelope)
{
	unsigned which = (unsigned)envelope->message_case;

	return names[which < NAMES_MAX ? which : 0];
}

static void
order_close(struct mc_conn *conn, bool abort)
{
	if (conn->closing)
		return;
	conn->closing = true;
	conn->abort = abort;
	io_order(conn->thread, &conn->close_order);
}

void
conn_abort(struct mc_conn *conn)
{
	order_close(conn, true);
}

/* What the I/O thread reports */

static void *
open_owner(struct mc_conn *conn, void *state)
{
	struct callback callback;
	void *owner;

	conn->request = request_new();
	callback_begin(&callback, conn->host, "connection opened",
	    conn->request);
	owner = conn->stream ? conn->kind.bytes->open(state, conn) :
	    conn->kind.messages->open(state, conn);
	callback_end(&callback);
	return owner;
}

/* NULL: nobody is there to hear of it. */
static void *
open_anywhere(struct mc_conn *conn)
{
	struct mc_listener *listener;

	if (conn->target != NULL) {
		if (conn->dialler == NULL)
			return NULL;
		link_opened(conn->dialler, conn);
		return open_owner(conn, link_state(conn->dialler));
	}
	listener = conn->acceptor->listener;
	if (listener == NULL)
		return NULL;
	conn->kind = listener->kind;
	return open_owner(conn, listener->state);
}

void
conn_opened(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, opened_mail);
	struct pump *pump;

	conn->owner = open_anywhere(conn);
	if (conn->owner == NULL) {
		order_close(conn, conn->request == 0);
		return;
	}
	pump = pump_of(conn->host);
	LIST_INSERT_HEAD(&pump->conns, conn, open_link);
	pump->nconns++;
}

/* The I/O thread sets paused and then looks at undelivered; here it is the
 * other way round, so one of the two always sees that reading can go on. */
void
conn_delivered(struct mc_conn *conn, unsigned weight)
{
	if (atomic_fetch_sub(&conn->undelivered, weight) == weight &&
	    atomic_load(&conn->paused) &&
	    atomic_exchange(&conn->paused, false))
		io_order(conn->thread, &conn->resume_order);
}

void
conn_message(struct mail *mail)
{
	struct message *message = (struct message *)mail;
	struct mc_conn *conn = message->conn;
	unsigned weight = message->weight;
	struct callback callback;

	if (conn->owner != NULL && !conn->closing) {
		callback_begin(&callback, conn->host,
		    message_name(message->envelope), conn->request);
		conn->kind.messages->message(conn->owner, message->envelope);
		callback_end(&callback);
	}
	message_free(&message);
	conn_delivered(conn, weight);
}

void
conn_forget(struct mc_conn *conn)
{
	struct pump *pump = pump_of(conn->host);
	void *owner = conn->owner;
	struct callback callback;

	LIST_REMOVE(conn, open_link);
	pump->nconns--;
	conn->owner = NULL;
	conn->closing = true;
	callback_begin(&callback, conn->host, "connection closed",
	    conn->request);
	if (conn->stream)
		conn->kind.bytes->closed(owner);
	else
		conn->kind.messages->closed(owner);
	callback_end(&callback);
}

void
conn_closed(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, closed_mail);

	if (conn->owner != NULL)
		conn_forget(conn);
	if (conn->dialler != NULL)
		link_closed(conn->dialler, conn);
	io_order(conn->thread, &conn->release_order);
}

struct mc_conn *
conn_dial(struct mc_host *host, struct mc_link *dialler,
    const struct conn_kind *kind, const char *role,
    const struct address *address)
{
	static struct conn_terms terms = {
		.handshake_ms = 10000, .login_ms = 30000, .idle_ms = 30000,
		.send_ms = 30000, .queue_max = 4 * MC_FRAME_SERVER
	}, stream_terms = {	/* nobody pings; both may have to wait */
		.handshake_ms = 10000, .login_ms = 90000, .idle_ms = 90000,
		.send_ms = 30000, .queue_max = 4 * MC_FRAME_SERVER
	};
	struct mc_conn *conn;

	conn = conn_new(io_thread_next(host->process->io), host,
	    kind->bytes != NULL ? &stream_terms : &terms);
	conn->target = mc_zalloc(sizeof(*conn->target));
	conn->target->address = *address;
	snprintf(conn->target->role, sizeof(conn->target->role), "%s", role);
	conn->dialler = dialler;
	conn->kind = *kind;
	conn->stream = kind->bytes != NULL;
	conn->plain = kind->plain;
	conn->opened_mail.run = conn_dialled;	/* first it goes there */
	io_order(conn->thread, &conn->opened_mail);
	return conn;
}

/* What modules call */

const struct mc_peer *
mc_conn_peer(const struct mc_conn *conn)
{
	return &conn->peer;
}

void
mc_conn_admit(struct mc_conn *conn)
{
	if (!conn->asked_to_admit)
		io_order(conn->thread, &conn->admit_order);
	conn->asked_to_admit = true;
}

void
mc_conn_close(struct mc_conn *conn)
{
	order_close(conn, false);
}

size_t
mc_conn_queued(const struct mc_conn *conn)
{
	return atomic_load_explicit(&conn->queued, memory_order_relaxed);
}

static size_t
queue_max(const struct mc_conn *conn)
{
	return (size_t)atomic_load_explicit(&conn->terms->queue_max,
	    memory_order_relaxed);
}

void
conn_send_packet(struct mc_conn *conn, struct packet *packet)
{
	atomic_fetch_add_explicit(&conn->queued, packet->len,
	    memory_order_relaxed);
	io_order(conn->thread, &packet->mail);
}

/* A module's mistake, and no peer would take it. */
static bool
too_large(struct mc_conn *conn, size_t len)
{
	if (len - FRAME_HEAD <= MC_FRAME_SERVER)
		return false;
	mc_log(conn->host, MC_ERROR, "a message to %s has %zu bytes, more "
	    "than the limit of %d: disconnected", conn->peer.address, len,
	    MC_FRAME_SERVER);
	conn_abort(conn);
	return true;
}

bool
conn_is_slow(struct mc_conn *conn)
{
	if (mc_conn_queued(conn) < queue_max(conn))
		return false;
	mc_count(conn->host, "slow_peers", 1);
	mc_log(conn->host, MC_DEBUG, "%s takes too little of what is "
	    "sent to it: disconnected", conn->peer.address);
	conn_abort(conn);
	return true;
}

void
mc_conn_send(struct mc_conn *conn, const Metacube__Envelope *envelope)
{
	struct packet *packet;

	if (conn->closing || conn_is_slow(conn))
		return;
	packet = packet_new(conn, envelope);
	if (too_large(conn, packet->len))
		packet_free(packet);
	else
		conn_send_packet(conn, packet);
}

struct mc_shared *
mc_shared_new(const Metacube__Envelope *envelope)
{
	size_t len = frame_size(envelope);
	struct mc_shared *shared = mc_zalloc(sizeof(*shared) + len);

	atomic_init(&shared->refs, 1);
	shared->len = len;
	frame_encode(envelope, shared->bytes, len);
	return shared;
}

void
mc_shared_unref(struct mc_shared **sharedp)
{
	struct mc_shared *shared = *sharedp;

	*sharedp = NULL;
	if (shared == NULL || atomic_fetch_sub(&shared->refs, 1) != 1)
		return;
	mc_wipe(shared->bytes, shared->len);
	free(shared);
}

bool
mc_conn_send_shared(struct mc_conn *conn, struct mc_shared *shared)
{
	size_t queued = mc_conn_queued(conn);
	struct packet *packet;

	if (conn->closing || too_large(conn, shared->len))
		return true;
	if (queued != 0 && queued + shared->len > queue_max(conn))
		return false;
	packet = packet_new(conn, NULL);
	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	packet->shared = shared;
	packet->len = shared->len;
	conn_send_packet(conn, packet);
	return true;
}
