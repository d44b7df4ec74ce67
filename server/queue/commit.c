/* SPDX-License-Identifier: MIT */
/*
 * Appending: reserve space, write, make it durable, and only then count it.
 *
 * A failed fdatasync is never tried again: the kernel may have dropped the
 * pages and would call the next one a success.  The same goes for anything
 * that leaves unknown what is in the file; the caller stops the process, and
 * the next start reads what is really there.  Only a full disk is survived:
 * the file goes back to its last good end.
 */
#include "folder.h"

#include <metacube/host.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum queue_result
queue_fail(struct queue *queue, enum queue_result result,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(queue->why, sizeof(queue->why), format, args);
	va_end(args);
	return result;
}

const char *
queue_why(const struct queue *queue)
{
	return queue->why;
}

int
file_sync(struct queue *queue, int fd)
{
	int result;

	do
		result = queue->io->fdatasync(fd);
	while (result == -1 && errno == EINTR);
	return result;
}

int
file_write(struct queue *queue, int fd, const void *data, size_t len,
    uint64_t offset)
{
	const uint8_t *at = data;
	ssize_t done;

	while (len > 0) {
		done = queue->io->pwrite(fd, at, len, (off_t)offset);
		if (done == -1 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return -1;
		at += done;
		len -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

/* Returns less than len only at the end of the file. */
ssize_t
file_read(struct queue *queue, int fd, void *data, size_t len,
    uint64_t offset)
{
	uint8_t *at = data;
	size_t have = 0;
	ssize_t got;

	while (have < len) {
		got = queue->io->pread(fd, at + have, len - have,
		    (off_t)(offset + have));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static bool
is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

/* No space: back to the last good end, durably, so that no part of what was
 * refused can come back after a power cut. */
static enum queue_result
give_back(struct queue *queue, const char *what)
{
	struct segment *last = segment_last(queue);
	int error = errno;
	char path[PATH_SIZE];

	segment_path(queue, last, "", path, sizeof(path));
	if (!is_full(error))
		return queue_fail(queue, QUEUE_LOST, "%s: %s: %s", path, what,
		    strerror(error));
	if (queue->io->ftruncate(queue->fd, (off_t)last->end) == -1 ||
	    file_sync(queue, queue->fd) == -1)
		return queue_fail(queue, QUEUE_LOST,
		    "%s: cannot cut back to %llu bytes: %s", path,
		    (unsigned long long)last->end, strerror(errno));
	queue->allocated = last->end;
	return queue_fail(queue, QUEUE_FULL, "%s: %s: %s", path, what,
	    strerror(error));
}

/* In pieces that end on a block: see tail_judge in segment.c. */
static int
write_zeroes(struct queue *queue, uint64_t from, uint64_t to)
{
	static const uint8_t zeroes[64 * 1024];

	for (uint64_t len; from < to; from += len) {
		len = sizeof(zeroes) - from % sizeof(zeroes);
		if (len > to - from)
			len = to - from;
		if (file_write(queue, queue->fd, zeroes, len, from) == -1)
			return -1;
	}
	return 0;
}

/* Space that was never written would cost each commit a change of the file
 * system's own records, so zeroes go there at once, a whole step in one go.
 * On a file system that cannot preallocate they do all of it. */
static int
allocate(struct queue *queue, uint64_t from, uint64_t to)
{
	int result;

	do
		result = queue->io->fallocate(queue->fd, (off_t)from,
		    (off_t)(to - from));
	while (result == -1 && errno == EINTR);
	if (result == -1 && errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	return write_zeroes(queue, from, to);
}

static uint64_t
round_up(uint64_t size, uint64_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* Makes the file so large that the commit can no longer run out of space: by
 * a whole step, or when the disk is nearly full by just as much as needed. */
static enum queue_result
reserve(struct queue *queue, uint64_t size)
{
	uint64_t wanted = round_up(size, SEGMENT_STEP);
	int result;

	if (queue->allocated >= size)
		return QUEUE_OK;
	result = allocate(queue, queue->allocated, wanted);
	if (result == -1 && is_full(errno)) {
		wanted = round_up(size, SEGMENT_BLOCK);
		result = allocate(queue, queue->allocated, wanted);
	}
	if (result == -1)
		return give_back(queue, "cannot grow");
	queue->allocated = wanted;
	return QUEUE_OK;
}

static size_t
entries_size(const struct queue_entry *entries, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += RECORD_EXTRA + entries[i].len;
	return size;
}

/* After the hash that the file ends with. */
static void
entries_encode(struct queue *queue, const struct queue_entry *entries,
    size_t count, uint64_t now_ms, uint8_t *at)
{
	struct wmq_record head = { .time_ms = now_ms };

	memcpy(head.server, queue->conf.server, sizeof(head.server));
	memcpy(at - SEGMENT_HASH_SIZE, queue->hash, SEGMENT_HASH_SIZE);
	for (size_t i = 0; i < count; i++) {
		head.seq = queue->next_seq + i;
		head.len = entries[i].len;
		memset(head.tag, 0, sizeof(head.tag));
		memcpy(head.tag, entries[i].tag, strnlen(entries[i].tag,
		    sizeof(head.tag) - 1));
		at += segment_record_write(at, &head, (uint32_t)i,
		    entries[i].data);
	}
}

static enum queue_result
commit_bytes(struct queue *queue, const uint8_t *data, size_t size)
{
	uint64_t end = segment_last(queue)->end;
	enum queue_result result = reserve(queue, end + size);

	if (result != QUEUE_OK)
		return result;
	if (file_write(queue, queue->fd, data, size, end) == -1)
		return give_back(queue, "cannot write");
	if (file_sync(queue, queue->fd) == -1)
		return queue_fail(queue, QUEUE_LOST, "%s: fdatasync: %s",
		    queue->conf.path, strerror(errno));
	return QUEUE_OK;
}

static void
commit_count(struct queue *queue, const struct queue_entry *entries,
    size_t count, uint64_t now_ms, const uint8_t *end)
{
	struct segment *last = segment_last(queue);

	for (size_t i = 0; i < count; i++) {
		segment_mark(last, queue->next_seq++, last->end);
		last->end += RECORD_EXTRA + entries[i].len;
	}
	queue->last_ms = now_ms;
	memcpy(queue->hash, end - SEGMENT_HASH_SIZE, SEGMENT_HASH_SIZE);
}

static bool
is_due(struct queue *queue, size_t size, uint64_t now_ms)
{
	const struct segment *last = segment_last(queue);
	unsigned day = day_of(now_ms);

	if (queue->next_seq == last->first_seq ||
	    (day == last->day && last->number == NUMBER_MAX))
		return false;
	return day > last->day || last->end + size > queue->conf.segment_size;
}

enum queue_result
queue_commit(struct queue *queue, const struct queue_entry *entries,
    size_t count, uint64_t now_ms, uint64_t *first_r)
{
	size_t size = entries_size(entries, count);
	uint8_t *buffer = mc_zalloc(SEGMENT_HASH_SIZE + size);
	enum queue_result result = QUEUE_OK;

	if (now_ms < queue->last_ms)	/* the queue never goes back in time */
		now_ms = queue->last_ms;
	*first_r = queue->next_seq;
	if (is_due(queue, size, now_ms))
		result = segment_begin(queue, now_ms);
	if (result == QUEUE_OK) {
		entries_encode(queue, entries, count, now_ms,
		    buffer + SEGMENT_HASH_SIZE);
		result = commit_bytes(queue, buffer + SEGMENT_HASH_SIZE, size);
	}
	if (result == QUEUE_OK)
		commit_count(queue, entries, count, now_ms,
		    buffer + SEGMENT_HASH_SIZE + size);
	mc_wipe(buffer, SEGMENT_HASH_SIZE + size);
	free(buffer);
	return result;
}

void
queue_free(struct queue **queuep)
{
	struct queue *queue = *queuep;

	if (queue->fd != -1)
		queue->io->close(queue->fd);
	reading_end(queue);
	mirror_free(&queue->mirror);
	if (queue->lock != -1)
		close(queue->lock);
	for (size_t i = 0; i < queue->count; i++)
		free(queue->segments[i].marks);
	free(queue->segments);
	free(queue->window);
	free(queue->path);
	free(queue);
	*queuep = NULL;
}

struct queue *
queue_new(const struct queue_conf *conf)
{
	struct queue *queue = mc_zalloc(sizeof(*queue));

	queue->conf = *conf;
	queue->path = mc_zalloc(strlen(conf->path) + 1);
	strcpy(queue->path, conf->path);
	queue->conf.path = queue->path;
	queue->io = conf->io;
	queue->fd = queue->reading = queue->lock = -1;
	queue->next_seq = 1;
	return queue;
}

struct queue *
queue_open(const struct queue_conf *conf, uint64_t now_ms,
    struct queue_news *news_r, char why[QUEUE_WHY])
{
	struct queue *queue = queue_new(conf);

	memset(news_r, 0, sizeof(*news_r));
	if (folder_open(queue, now_ms, news_r) == -1) {
		memcpy(why, queue->why, QUEUE_WHY);
		queue_free(&queue);
	}
	return queue;
}

/* A file without room at its end was closed in order: see segment.h.  When
 * that cannot be done, the next start finds zeroes there, and that is fine. */
void
queue_close(struct queue **queuep)
{
	struct queue *queue = *queuep;

	if (queue == NULL)
		return;
	if (queue->fd != -1 && queue->io->ftruncate(queue->fd,
	    (off_t)segment_last(queue)->end) == 0)
		file_sync(queue, queue->fd);
	queue_free(queuep);
}
