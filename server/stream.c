/* SPDX-License-Identifier: MIT */
/*
 * Streams, the loop thread's half: connections that carry bytes instead of
 * messages.  All else about them is conn.c's.
 */
#include "conn.h"

#include "listen.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

/* What the I/O thread reports */

void
conn_bytes(struct mail *mail)
{
	struct piece *piece = (struct piece *)mail;
	struct mc_conn *conn = piece->conn;
	unsigned weight = piece->weight;
	struct callback callback;

	if (conn->owner != NULL && !conn->closing) {
		conn->taken += piece->len;
		callback_begin(&callback, conn->host, "bytes received",
		    conn->request);
		conn->kind.bytes->bytes(conn->owner, piece->bytes, piece->len);
		callback_end(&callback);
	}
	free(piece);
	conn_delivered(conn, weight);
}

/* The I/O thread makes queued less and then looks at drained, here it is the
 * other way round: so none is missed, and written says which one is news. */
void
conn_drained(struct mail *mail)
{
	struct mc_conn *conn = CONN_OF(mail, drained_mail);
	struct callback callback;

	atomic_store(&conn->drained, false);
	if (conn->owner == NULL || conn->closing || !conn->written ||
	    atomic_load(&conn->queued) != 0)
		return;
	conn->written = false;
	callback_begin(&callback, conn->host, "bytes sent", conn->request);
	conn->kind.bytes->drained(conn->owner);
	callback_end(&callback);
}

/* What modules call */

struct mc_listener *
mc_listen_stream(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, bool plain, const struct mc_stream_ops *ops,
    void *state)
{
	struct conn_kind kind = { .bytes = ops, .plain = plain };

	return listen_for(host, conf, roles, &kind, state);
}

struct mc_link *
mc_dial_stream(struct mc_host *host, const char *endpoint, const char *role,
    bool plain, const struct mc_stream_ops *ops, void *state)
{
	struct conn_kind kind = { .bytes = ops, .plain = plain };

	return dial_for(host, endpoint, role, &kind, state);
}

void
mc_conn_give(struct mc_conn *conn, void *block, size_t len)
{
	struct packet *packet;

	if (len == 0 || conn->closing || conn_is_slow(conn)) {
		free(block);
		return;
	}
	packet = packet_new(conn, NULL);
	packet->given = block;
	packet->len = len;
	conn->written = true;
	conn_send_packet(conn, packet);
}

void
mc_conn_write(struct mc_conn *conn, const void *bytes, size_t len)
{
	void *block;

	if (len == 0 || conn->closing)
		return;
	block = malloc(len);
	if (block == NULL)
		mc_fatal(conn->host, "out of memory for %zu bytes to send",
		    len);
	memcpy(block, bytes, len);
	mc_conn_give(conn, block, len);
}

struct pause {
	struct mail	 mail;
	struct mc_conn	*conn;
	bool		 rest;
};

static void
pause_ordered(struct mail *mail)
{
	struct pause *pause = (struct pause *)mail;

	conn_rest(pause->conn, pause->rest);
	free(pause);
}

/* What is ordered comes before the order to release the connection. */
void
mc_conn_pause(struct mc_conn *conn, bool rest)
{
	struct pause *pause;

	if (conn->closing)
		return;
	pause = mc_zalloc(sizeof(*pause));
	pause->mail.run = pause_ordered;
	pause->conn = conn;
	pause->rest = rest;
	io_order(conn->thread, &pause->mail);
}
