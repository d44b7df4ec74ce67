/* SPDX-License-Identifier: MIT */
/*
 * stage_wire - what goes over a connection: messages, encoded and decoded as
 * on the wire, and the bytes of streams.
 */
#include "stage.h"

#include "stage_parts.h"

#include <stdlib.h>
#include <string.h>

struct mc_shared {
	unsigned	 refs;
	size_t		 len;
	uint8_t		*bytes;
};

static Metacube__Envelope *heard;	/* see stage_heard */

void
stage_wire_reset(void)
{
	if (heard != NULL)
		metacube__envelope__free_unpacked(heard, NULL);
	heard = NULL;
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

/* Messages. */

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
		if (heard != NULL)
			metacube__envelope__free_unpacked(heard, NULL);
		heard = metacube__envelope__unpack(NULL,
		    conn->sent->len, conn->sent->bytes);
		sent_remove(conn);
		if (heard != NULL && heard->message_case == kind)
			return heard;
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

void
stage_queue(struct mc_conn *conn, size_t queued, bool full)
{
	conn->queued = queued;
	conn->full = full;
}
