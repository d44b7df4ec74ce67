/* SPDX-License-Identifier: MIT */
/*
 * From the loop to the disk and back.
 *
 * Whoever waits for records goes along with the bytes: the thread that has
 * verified them answers at once, after it has sent word to the loop, so that
 * nobody is told of a record that the loop does not know.
 *
 * After a failure the rest of what is on its way is for nobody, until the
 * loop has heard of it, hung up, and begun anew from what is on the disk.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

#define RETRY_MIN_MS	1000
#define RETRY_MAX_MS	30000

/* The instance's thread. */

static enum disk_result
piece_put(struct disk *disk, const struct piece *piece)
{
	switch (piece->kind) {
	case PIECE_QUEUE:
		return disk_queue_write(disk, piece->file, piece->offset,
		    piece->data, piece->len, piece->anew);
	case PIECE_FREEZE:
		return disk_freeze_write(disk, piece->file, piece->offset,
		    piece->data, piece->len);
	default:
		return disk_freeze_end(disk, piece->file);
	}
}

static void
pieces_put(struct client *client, struct written *written)
{
	struct piece *piece;

	written->skipped = client->broken;
	for (piece = written->pieces; piece != NULL && !client->broken;
	    piece = piece->next) {
		written->result = piece_put(client->disk, piece);
		if (written->result == DISK_OK)
			continue;
		client->broken = true;
		memcpy(written->why, disk_why(client->disk), DISK_WHY);
	}
	disk_state(client->disk, &written->state);
}

/* Those who can be answered now. */
static void
readers_take(struct written *written, struct readers *ready)
{
	struct reader *reader, *next;

	for (reader = TAILQ_FIRST(&written->readers); reader != NULL;
	    reader = next) {
		next = TAILQ_NEXT(reader, link);
		if (!reader_is_behind(reader, &written->state))
			continue;
		TAILQ_REMOVE(&written->readers, reader, link);
		TAILQ_INSERT_TAIL(ready, reader, link);
	}
}

static void written_take(void *job);

static void
pieces_write(void **jobs, size_t count)
{
	struct piece *first = jobs[0];
	struct client *client = first->client;
	struct written *written = mc_zalloc(sizeof(*written));
	struct readers ready = TAILQ_HEAD_INITIALIZER(ready);

	TAILQ_INIT(&written->readers);
	written->client = client;
	for (size_t i = count; i-- > 0;) {
		struct piece *piece = jobs[i];

		piece->next = written->pieces;
		written->pieces = piece;
	}
	for (struct piece *piece = first; piece != NULL; piece = piece->next)
		TAILQ_CONCAT(&written->readers, &piece->readers, link);
	pieces_put(client, written);
	readers_take(written, &ready);
	mc_later(client->host, written_take, written);
	readers_answer(client, &ready);
}

static void mended(void *job);

static void
mend(void *job)
{
	struct written *written = job;
	struct client *client = written->client;

	client->broken = false;
	written->result = disk_mend(client->disk);
	disk_state(client->disk, &written->state);
	mc_later(client->host, mended, written);
}

/* What was read is not what was once written: it is dropped already. */
void
piece_damaged(struct client *client)
{
	struct written *written = mc_zalloc(sizeof(*written));

	TAILQ_INIT(&written->readers);
	written->client = client;
	written->result = DISK_DAMAGED;
	client->broken = true;
	memcpy(written->why, disk_why(client->disk), DISK_WHY);
	disk_state(client->disk, &written->state);
	mc_later(client->host, written_take, written);
}

/* The loop. */

/* What has arrived is not all written: on from what is. */
static void
course_reset(struct client *client)
{
	const struct disk_state *here = &client->here;
	struct course *course = &client->course;
	struct wmq_pointer last = { .seq = here->position.durable };

	memcpy(last.epoch, here->position.epoch, sizeof(last.epoch));
	if (here->file[0] != '\0' && !course->anew)
		course_queue(course, here->file, here->place, &last);
	course_freeze_drop(course);
	if (here->part[0] != '\0')
		course_partial(course, here->part, here->part_have,
		    here->part_header);
}

static void
here_set(struct client *client, const struct disk_state *state)
{
	struct course *course = &client->course;

	client->here = *state;
	if (state->filled && !course->anew && client->replacing == 0) {
		memcpy(course->here.epoch, state->position.epoch,
		    sizeof(course->here.epoch));
		course->here.seq = state->position.durable;
	}
	mc_gauge(client->host, "fetched", (int64_t)state->position.durable);
}

static void
mended(void *job)
{
	struct written *written = job;
	struct client *client = written->client;

	here_set(client, &written->state);
	course_reset(client);
	if (written->result != DISK_OK)
		mc_log(client->host, MC_ERROR, "%s",
		    disk_why(client->disk));
	free(written);
	readers_wake(client);
	client_dial(client, client->retry_ms);
}

static void
retry_later(struct client *client)
{
	client->retry_ms = client->retry_ms < RETRY_MIN_MS ? RETRY_MIN_MS :
	    client->retry_ms * 2;
	if (client->retry_ms > RETRY_MAX_MS)
		client->retry_ms = RETRY_MAX_MS;
}

static void
disk_failed(struct client *client, const struct written *written)
{
	struct written *next = mc_zalloc(sizeof(*next));

	client_hang_up(client);
	if (written->result == DISK_MISFIT)
		client_refused(client, written->why);
	else if (written->result == DISK_DAMAGED) {
		mc_count(client->host, "damaged", 1);
		mc_log(client->host, MC_ERROR, "%s; the file is fetched "
		    "again", written->why);
		client->behind = true;
		retry_later(client);
	} else {
		mc_count(client->host, "disk_failures", 1);
		if (!client->full)
			mc_log(client->host, MC_ERROR, "%s; nothing is "
			    "fetched until it can be written", written->why);
		client->full = true;
		retry_later(client);
	}
	mc_timer_clear(&client->retry);
	next->client = client;
	mc_work(client->host, mend, next);
}

static void
freeze_ended(struct client *client, const char *name)
{
	struct course *course = &client->course;

	mc_log(client->host, MC_NOTE, "%s: the freeze is here", name);
	mc_count(client->host, "freezes", 1);
	if (strcmp(course->wanted.name, name) == 0)
		course_freeze_done(course);
}

static void
piece_done(struct client *client, struct piece *piece, bool fine)
{
	client->pending -= piece->len;
	client->replacing -= piece->anew;
	if (fine && piece->kind == PIECE_FREEZE_END)
		freeze_ended(client, piece->file);
	mc_wipe(piece->data, piece->len);
	free(piece);
}

static void
written_take(void *job)
{
	struct written *written = job;
	struct client *client = written->client;
	bool fine = written->result == DISK_OK && !written->skipped;
	struct piece *piece;

	while ((piece = written->pieces) != NULL) {
		written->pieces = piece->next;
		piece_done(client, piece, fine);
	}
	here_set(client, &written->state);
	TAILQ_CONCAT(&client->readers, &written->readers, link);
	if (written->result != DISK_OK)
		disk_failed(client, written);
	else if (fine && client->full) {
		client->full = false;
		mc_log(client->host, MC_NOTE, "it can be written again");
	}
	free(written);
	readers_wake(client);
	files_wake(client);
	freeze_looked(client);
	client_level(client);
	line_go_on(client);
}

void
piece_write(struct client *client, enum piece_kind kind, const char *file,
    uint64_t offset, bool anew, const void *data, size_t len)
{
	struct piece *piece = mc_zalloc(sizeof(*piece) + len);

	piece->client = client;
	piece->kind = kind;
	strcpy(piece->file, file);
	piece->offset = offset;
	piece->anew = anew;
	piece->len = len;
	if (len > 0)
		memcpy(piece->data, data, len);
	TAILQ_INIT(&piece->readers);
	if (kind == PIECE_QUEUE)
		TAILQ_CONCAT(&piece->readers, &client->readers, link);
	client->pending += len;
	client->replacing += anew;
	mc_work_batch(client->host, pieces_write, piece);
}
