/* SPDX-License-Identifier: MIT */
#include "stream_rig.h"

#include <stdlib.h>
#include <string.h>

#define ECHO_MAX	(128 * 1024)

struct stream_seen seen;
struct stream_link caller;

uint8_t
stream_pattern(size_t at)
{
	return (uint8_t)((at * 2654435761u) >> 13);
}

void
stream_fill(uint8_t *to, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = stream_pattern(from + i);
}

static bool
is_pattern(const uint8_t *bytes, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != stream_pattern(from + i))
			return false;
	return true;
}

bool
stream_expect(struct client *client, size_t from, size_t len)
{
	uint8_t bytes[10000];
	size_t some;

	for (; len != 0; from += some, len -= some) {
		some = len < sizeof(bytes) ? len : sizeof(bytes);
		if (!client_read(client, bytes, some) ||
		    !is_pattern(bytes, from, some))
			return false;
	}
	return true;
}

/* The listener */

static void
give(size_t from, size_t len)
{
	uint8_t *block = mc_zalloc(len);

	stream_fill(block, from, len);
	mc_conn_give(seen.conn, block, len);
	if (mc_conn_queued(seen.conn) > seen.most_queued)
		seen.most_queued = mc_conn_queued(seen.conn);
}

static void
send_piece(void)
{
	size_t len = seen.total - seen.sent;

	if (len > seen.piece)
		len = seen.piece;
	if (len == 0)
		return;
	give(seen.sent, len);
	seen.sent += len;
}

static void
begin(void)
{
	switch (atomic_load(&seen.mode)) {
	case STREAM_SENDS:
		send_piece();
		break;
	case STREAM_GIVES:
		give(0, seen.total);
		break;
	case STREAM_GIVES_AND_CLOSES:
		give(0, seen.total);
		mc_conn_close(seen.conn);
		break;
	case STREAM_FLOODS:
		for (size_t at = 0; at < seen.total; at += seen.piece)
			give(at, seen.piece);
		break;
	default:
		break;
	}
}

static void *
opened(void *state, struct mc_conn *conn)
{
	(void)state;
	seen.conn = conn;
	seen.peer = *mc_conn_peer(conn);
	if (seen.admit)
		mc_conn_admit(conn);
	if (seen.pause)
		mc_conn_pause(conn, true);
	seen.opened++;
	begin();
	return &seen;
}

static void
bytes(void *owner, const uint8_t *data, size_t len)
{
	(void)owner;
	if (!is_pattern(data, seen.taken, len))
		seen.wrong++;
	seen.taken += len;
	if (seen.mode != STREAM_ECHOES)
		return;
	mc_conn_write(seen.conn, data, len);
	if (mc_conn_queued(seen.conn) >= ECHO_MAX)
		mc_conn_pause(seen.conn, true);
}

static void
drained(void *owner)
{
	(void)owner;
	seen.drained++;
	if (seen.mode == STREAM_SENDS)
		send_piece();
	if (seen.mode == STREAM_ECHOES)
		mc_conn_pause(seen.conn, false);
}

static void
closed(void *owner)
{
	(void)owner;
	seen.conn = NULL;
	seen.closed++;
}

struct listening {
	const char		*roles;
	bool			 plain;
	struct mc_listener	*listener;
};

static void
do_listen(void *arg)
{
	static const struct mc_stream_ops ops = {
		opened, bytes, drained, closed
	};
	struct listening *listening = arg;

	listening->listener = mc_listen_stream(rig.host, &rig.conf,
	    listening->roles, listening->plain, &ops, NULL);
}

struct mc_listener *
stream_listen(const char *roles, bool plain)
{
	struct listening listening = { roles, plain, NULL };

	memset(&seen, 0, sizeof(seen));
	seen.admit = true;
	on_loop(do_listen, &listening);
	return listening.listener;
}

static void
do_pause(void *arg)
{
	mc_conn_pause(seen.conn, *(bool *)arg);
}

void
stream_pause(bool rest)
{
	on_loop(do_pause, &rest);
}

/* The link */

static void *
link_opened(void *state, struct mc_conn *conn)
{
	caller.conn = conn;
	caller.taken = 0;
	caller.opened++;
	return state;
}

static void
link_bytes(void *owner, const uint8_t *data, size_t len)
{
	(void)owner;
	if (!is_pattern(data, caller.taken, len))
		caller.wrong++;
	caller.taken += len;
}

static void
link_drained(void *owner)
{
	(void)owner;
}

static void
link_closed(void *owner)
{
	(void)owner;
	caller.conn = NULL;
	caller.closed++;
}

struct dialling {
	const char	*endpoint;
	bool		 plain;
};

static void
do_dial(void *arg)
{
	static const struct mc_stream_ops ops = {
		link_opened, link_bytes, link_drained, link_closed
	};
	struct dialling *dialling = arg;

	caller.link = mc_dial_stream(rig.host, dialling->endpoint,
	    "taskmaster", dialling->plain, &ops, &caller);
}

bool
stream_dial(const char *endpoint, bool plain)
{
	struct dialling dialling = { endpoint, plain };

	memset(&caller, 0, sizeof(caller));
	on_loop(do_dial, &dialling);
	return caller.link != NULL;
}

static void
do_hangup(void *arg)
{
	(void)arg;
	mc_hangup(&caller.link);
}

void
stream_hangup(void)
{
	on_loop(do_hangup, NULL);
}

static void
do_send(void *arg)
{
	size_t len = *(size_t *)arg;
	uint8_t *block = mc_zalloc(len);

	stream_fill(block, 0, len);
	mc_conn_write(caller.conn, block, len);
	free(block);
}

void
stream_send(size_t len)
{
	on_loop(do_send, &len);
}
