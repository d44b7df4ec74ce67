/* SPDX-License-Identifier: MIT */
/*
 * Service "wmq" over the mirrored files: read, never append.
 *
 * Records that were here once may have to be fetched again (a damaged file, a
 * power cut).  While that may be so, a pointer beyond the end is not wrong:
 * its reader waits, and the position is not told.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

#define POSITION_WAIT_MS	5000

bool
reader_is_behind(const struct reader *reader, const struct disk_state *here)
{
	return here->filled && memcmp(reader->after.epoch,
	    here->position.epoch, sizeof(reader->after.epoch)) == 0 &&
	    reader->after.seq < here->position.durable;
}

static void
reader_end(struct reader *reader, enum mc_status status)
{
	mc_call_done(reader->call, status, NULL, 0);
	free(reader);
}

/* The instance's thread: one batch of records out of the files. */
static void
reader_fetch(void *job)
{
	struct reader *reader = job;
	struct client *client = reader->client;
	size_t len;
	void *batch = mc_zalloc(WMQ_BATCH_MAX);
	enum mc_status status = disk_read(client->disk, reader->after.seq,
	    reader->max, batch, WMQ_BATCH_MAX, &len);

	mc_call_done(reader->call, status, batch, len);
	if (status == MC_UNAVAILABLE)
		piece_damaged(client);
	mc_wipe(batch, len);
	free(batch);
	free(reader);
}

/* The same, for those who have waited. */
void
readers_answer(struct client *client, struct readers *ready)
{
	struct reader *reader;

	(void)client;
	while ((reader = TAILQ_FIRST(ready)) != NULL) {
		TAILQ_REMOVE(ready, reader, link);
		reader_fetch(reader);
	}
}

static enum mc_status
pointer_check(const struct client *client, const struct wmq_pointer *after)
{
	const struct wmq_position *here = &client->here.position;

	if (!client->here.filled)
		return client->behind ? MC_OK : MC_UNAVAILABLE;
	if (memcmp(after->epoch, here->epoch, sizeof(after->epoch)) != 0 ||
	    (after->seq > here->durable && !client->behind))
		return MC_INVALID;
	if (after->seq + 1 < here->oldest)
		return MC_NOT_FOUND;
	return MC_OK;
}

/* After what is here has changed. */
void
readers_wake(struct client *client)
{
	struct reader *reader, *next;
	enum mc_status status;

	for (reader = TAILQ_FIRST(&client->readers); reader != NULL;
	    reader = next) {
		next = TAILQ_NEXT(reader, link);
		status = client->stopping ? MC_OK :
		    pointer_check(client, &reader->after);
		if (status == MC_OK && !client->stopping &&
		    !reader_is_behind(reader, &client->here))
			continue;
		TAILQ_REMOVE(&client->readers, reader, link);
		if (status == MC_OK && !client->stopping)
			mc_work(client->host, reader_fetch, reader);
		else
			reader_end(reader, status);
	}
	if (client->here.filled && !client->behind)
		waiters_end(&client->positions, MC_OK, &client->here.position,
		    sizeof(client->here.position));
}

/* Those for whom nothing has come in time. */
void
readers_pass(struct client *client)
{
	uint64_t now_ms = mc_now_ms();
	struct reader *reader, *next;

	for (reader = TAILQ_FIRST(&client->readers); reader != NULL;
	    reader = next) {
		next = TAILQ_NEXT(reader, link);
		if (reader->until_ms > now_ms)
			continue;
		TAILQ_REMOVE(&client->readers, reader, link);
		reader_end(reader, MC_OK);
	}
}

static void
append(void *state, const char *tag, const void *data, size_t len,
    struct mc_call *call)
{
	(void)state;
	(void)tag;
	(void)data;
	(void)len;
	mc_call_done(call, MC_DENIED, NULL, 0);
}

static void
read_after(void *state, const struct wmq_pointer *after, size_t max,
    unsigned wait_ms, struct mc_call *call)
{
	struct client *client = state;
	enum mc_status status = pointer_check(client, after);
	struct reader *reader;

	if (status != MC_OK) {
		mc_call_done(call, status, NULL, 0);
		return;
	}
	reader = mc_zalloc(sizeof(*reader));
	reader->client = client;
	reader->call = call;
	reader->after = *after;
	reader->max = max;
	reader->until_ms = mc_now_ms() +
	    (wait_ms < WMQ_WAIT_MAX_MS ? wait_ms : WMQ_WAIT_MAX_MS);
	if (reader_is_behind(reader, &client->here))
		mc_work(client->host, reader_fetch, reader);
	else if (wait_ms == 0 || client->stopping)
		reader_end(reader, MC_OK);
	else {
		TAILQ_INSERT_TAIL(&client->readers, reader, link);
		client_wait(client, wait_ms);
	}
}

static void
position(void *state, struct mc_call *call)
{
	struct client *client = state;

	if (client->here.filled && !client->behind)
		mc_call_done(call, MC_OK, &client->here.position,
		    sizeof(client->here.position));
	else if (client->stopping)
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
	else
		waiter_add(client, &client->positions, call,
		    POSITION_WAIT_MS);
}

const struct wmq_ops reader_ops = {
	.append		= append,
	.read		= read_after,
	.position	= position,
};
