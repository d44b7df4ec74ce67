/* SPDX-License-Identifier: MIT */
/*
 * A new epoch: its first segment is begun beside the old ones, gets its first
 * record, and then the old ones are moved away, oldest first.
 *
 * As long as both are there no queue is opened in the folder; done again,
 * this goes on where it ended.
 */
#include "folder.h"

#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum queue_result
epoch_read(struct queue *queue, size_t i, uint8_t epoch[16])
{
	uint8_t bytes[SEGMENT_HEADER_SIZE];
	struct segment_header header;
	char path[PATH_SIZE];
	const char *fault;
	ssize_t got;
	int fd;

	segment_path(queue, &queue->segments[i], "", path, sizeof(path));
	fd = queue->io->open(path, O_RDONLY);
	got = fd == -1 ? -1 : file_read(queue, fd, bytes, sizeof(bytes), 0);
	if (got == -1)
		queue_fail(queue, QUEUE_LOST, "%s: %s", path,
		    strerror(errno));
	if (fd != -1)
		queue->io->close(fd);
	if (got == -1)
		return QUEUE_LOST;
	fault = segment_header_read(bytes, (size_t)got, &header);
	if (fault != NULL)
		return queue_fail(queue, QUEUE_DAMAGED, "%s %s; restore it "
		    "from a replica or a backup", path, fault);
	memcpy(epoch, header.epoch, 16);
	return QUEUE_OK;
}

/* How many segments are of the epoch of the oldest one? */
static enum queue_result
old_count(struct queue *queue, uint8_t old[16], size_t *count_r)
{
	uint8_t epoch[16];
	enum queue_result result = queue->count > 0 ?
	    epoch_read(queue, 0, old) : queue_fail(queue, QUEUE_FAILED,
	    "%s: there is no queue here", queue->conf.path);

	for (*count_r = 1; result == QUEUE_OK && *count_r < queue->count;
	    ++*count_r) {
		result = epoch_read(queue, *count_r, epoch);
		if (memcmp(epoch, old, sizeof(epoch)) != 0)
			break;
	}
	if (result == QUEUE_OK && *count_r + 1 < queue->count)
		return queue_fail(queue, QUEUE_DAMAGED, "%s: two queues have "
		    "been mixed", queue->conf.path);
	return result;
}

static void
old_path(const struct queue *queue, const uint8_t epoch[16], char *path,
    size_t size)
{
	snprintf(path, size, "%s/old-%02x%02x%02x%02x", queue->conf.path,
	    epoch[0], epoch[1], epoch[2], epoch[3]);
}

static void
old_name(const struct segment *segment, const char *folder, char *path,
    size_t size)
{
	char name[QUEUE_NAME_SIZE];

	segment_name(segment, name);
	snprintf(path, size, "%s/%s", folder, name);
}

/* Nothing that is kept there already is written over. */
static enum queue_result
old_check(struct queue *queue, size_t count, const char *folder)
{
	char path[PATH_SIZE + QUEUE_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		old_name(&queue->segments[i], folder, path, sizeof(path));
		if (access(path, F_OK) == 0)
			return queue_fail(queue, QUEUE_FAILED, "%s is there "
			    "already; move it elsewhere first", path);
	}
	return QUEUE_OK;
}

static enum queue_result
folder_failed(struct queue *queue, const char *path)
{
	return queue_fail(queue, QUEUE_FAILED, "%s: %s", path,
	    strerror(errno));
}

static enum queue_result
old_move(struct queue *queue, const struct segment *old, size_t count,
    const char *folder)
{
	char from[PATH_SIZE], to[PATH_SIZE + QUEUE_NAME_SIZE];

	if (queue->io->mkdir(folder) == -1 && errno != EEXIST)
		return folder_failed(queue, folder);
	if (queue->io->fsync_dir(queue->conf.path) == -1)
		return folder_failed(queue, queue->conf.path);
	for (size_t i = 0; i < count; i++) {
		segment_path(queue, &old[i], "", from, sizeof(from));
		old_name(&old[i], folder, to, sizeof(to));
		if (queue->io->rename(from, to) == -1)
			return folder_failed(queue, from);
	}
	if (queue->io->fsync_dir(folder) == -1 ||
	    queue->io->fsync_dir(queue->conf.path) == -1)
		return folder_failed(queue, folder);
	return QUEUE_OK;
}

/* The old queue is opened as ever, and then gets a segment that does not
 * continue it. */
static enum queue_result
epoch_begin(struct queue *queue, const uint8_t old[16], uint64_t now_ms)
{
	struct queue_news news = { .created = false };
	enum queue_result result;

	if (memcmp(queue->conf.epoch, old, 16) == 0)
		return queue_fail(queue, QUEUE_FAILED, "%s: the new epoch is "
		    "the old one", queue->conf.path);
	result = segments_open(queue, &news);
	if (result != QUEUE_OK)
		return result;
	memcpy(queue->epoch, queue->conf.epoch, sizeof(queue->epoch));
	memset(queue->hash, 0, sizeof(queue->hash));
	return segment_begin(queue,
	    now_ms < queue->last_ms ? queue->last_ms : now_ms);
}

/* Takes the old segments out of the queue; they remain in its folder. */
static struct segment *
old_take(struct queue *queue, size_t count)
{
	struct segment *old = mc_zalloc(count * sizeof(*old));

	memcpy(old, queue->segments, count * sizeof(*old));
	for (size_t i = 0; i < count; i++)
		segment_remove(queue, 0);
	return old;
}

static enum queue_result
epoch_complete(struct queue *queue, uint64_t now_ms,
    const struct queue_entry *first, struct wmq_pointer *at_r)
{
	enum queue_result result = QUEUE_OK;
	uint64_t seq;

	if (queue->next_seq == queue_begun(queue))
		result = queue_commit(queue, first, 1, now_ms, &seq);
	memcpy(at_r->epoch, queue->epoch, sizeof(at_r->epoch));
	at_r->seq = queue_begun(queue);
	return result;
}

static enum queue_result
epoch_change(struct queue *queue, uint64_t now_ms,
    const struct queue_entry *first, struct wmq_pointer *at_r)
{
	struct queue_news news = { .created = false };
	char folder[PATH_SIZE];
	struct segment *old;
	uint8_t epoch[16];
	bool begun;
	size_t count;
	enum queue_result result = old_count(queue, epoch, &count);

	if (result != QUEUE_OK)
		return result;
	begun = count < queue->count;
	old_path(queue, epoch, folder, sizeof(folder));
	result = old_check(queue, count, folder);
	if (result == QUEUE_OK && !begun)
		result = epoch_begin(queue, epoch, now_ms);
	if (result != QUEUE_OK)
		return result;
	old = old_take(queue, count);
	if (begun)	/* its first record may be missing */
		result = segments_open(queue, &news);
	if (result == QUEUE_OK)
		result = epoch_complete(queue, now_ms, first, at_r);
	if (result == QUEUE_OK)
		result = old_move(queue, old, count, folder);
	free(old);
	return result;
}

int
queue_new_epoch(const struct queue_conf *conf, uint64_t now_ms,
    const struct queue_entry *first, struct wmq_pointer *at_r,
    char why[QUEUE_WHY])
{
	struct queue *queue = queue_new(conf);
	enum queue_result result = QUEUE_FAILED;

	if (folder_find(queue) == 0)
		result = epoch_change(queue, now_ms, first, at_r);
	if (result != QUEUE_OK)
		memcpy(why, queue->why, QUEUE_WHY);
	queue_free(&queue);	/* what is prepared at its end may stay */
	return result == QUEUE_OK ? 0 : -1;
}
