/* SPDX-License-Identifier: MIT */
/*
 * The start of a queue that is there already: is it whole, and where does it
 * end?
 *
 * Only the last segment is read whole.  Of the others the headers are, and
 * that each ends with the hash that the next begins with; their records are
 * verified as they are read.
 */
#include "folder.h"

#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define REWRITE_MAX	(2 * 1024 * 1024)	/* more than a commit has */
#define REWRITE_STEP	(64 * 1024)

/* A finished segment: its header, and the hash that it ends with. */
static enum queue_result
segment_check(struct queue *queue, struct segment *segment, int fd,
    const char *path, struct segment_header *header,
    uint8_t hash[SEGMENT_HASH_SIZE])
{
	uint8_t bytes[SEGMENT_HEADER_SIZE];
	const char *fault = "cannot be read";
	struct stat st;
	ssize_t got = file_read(queue, fd, bytes, sizeof(bytes), 0);

	if (got >= 0)
		fault = segment_header_read(bytes, (size_t)got, header);
	if (fault != NULL || fstat(fd, &st) == -1)
		return queue_fail(queue, QUEUE_DAMAGED, "%s %s; restore it "
		    "from a replica or a backup", path, fault);
	segment->first_seq = header->first_seq;
	segment->end = (uint64_t)st.st_size;
	if (file_read(queue, fd, hash, SEGMENT_HASH_SIZE,
	    segment->end - SEGMENT_HASH_SIZE) == SEGMENT_HASH_SIZE)
		return QUEUE_OK;
	return queue_fail(queue, QUEUE_DAMAGED, "%s cannot be read at byte "
	    "%llu", path, (unsigned long long)(segment->end -
	    SEGMENT_HASH_SIZE));
}

static int
segment_open(struct queue *queue, const struct segment *segment, int flags,
    char path[PATH_SIZE])
{
	int fd;

	segment_path(queue, segment, "", path, PATH_SIZE);
	fd = queue->io->open(path, flags);
	if (fd == -1)
		queue_fail(queue, QUEUE_LOST, "%s: %s", path,
		    strerror(errno));
	return fd;
}

/* Does this segment go on where the one before ended? */
static enum queue_result
chain_check(struct queue *queue, size_t i, const char *path,
    const struct segment_header *header, const uint8_t *hash)
{
	if (i == 0)
		memcpy(queue->epoch, header->epoch, sizeof(queue->epoch));
	else if (memcmp(header->epoch, queue->epoch, 16) != 0)
		return queue_fail(queue, QUEUE_DAMAGED, "%s has another "
		    "epoch than the segments before it: a new epoch was begun "
		    "and not completed (then begin it again), or two queues "
		    "have been mixed", path);
	else if (memcmp(header->previous, hash, SEGMENT_HASH_SIZE) != 0)
		return queue_fail(queue, QUEUE_DAMAGED, "%s does not "
		    "continue the segment before it: one is missing, was cut "
		    "short or altered; restore it from a replica or a backup",
		    path);
	return QUEUE_OK;
}

static int64_t
source_read(void *arg, uint64_t offset, void *data, size_t len)
{
	struct queue *queue = arg;

	return file_read(queue, queue->fd, data, len, offset);
}

static void
record_passed(void *arg, uint64_t seq, uint64_t offset)
{
	segment_mark(segment_last(arg), seq, offset);
}

/* Damage is for people to decide about: what is unreadable was acknowledged. */
static enum queue_result
damage_report(struct queue *queue, const char *path,
    const struct segment_scan *scan)
{
	if (scan->fault != NULL)
		return queue_fail(queue, QUEUE_DAMAGED, "%s %s; restore it "
		    "from a replica or a backup", path, scan->fault);
	return queue_fail(queue, QUEUE_DAMAGED, "%s is damaged at byte %llu "
	    "(record %llu), and that was durable: restore the file from a "
	    "replica or a backup, or move the folder away and start a new "
	    "queue; nothing was changed", path, (unsigned long long)scan->end,
	    (unsigned long long)scan->next_seq);
}

static enum queue_result
tail_cut(struct queue *queue, const char *path,
    const struct segment_scan *scan, struct queue_news *news)
{
	const char *slash = strrchr(path, '/');

	news->cut_at = scan->end;
	news->cut_bytes = scan->size - scan->end;
	snprintf(news->cut_file, sizeof(news->cut_file), "%s", slash + 1);
	if (queue->io->ftruncate(queue->fd, (off_t)scan->end) == -1)
		return queue_fail(queue, QUEUE_LOST, "%s: cannot cut off the "
		    "torn tail: %s", path, strerror(errno));
	queue->allocated = scan->end;
	return QUEUE_OK;
}

/* After an fdatasync that failed, the kernel may call clean in memory what the
 * disk does not have, and say so to whoever syncs next.  Written once more, it
 * is not clean. */
static int
tail_rewrite(struct queue *queue, uint64_t end)
{
	uint64_t at = end > REWRITE_MAX ? end - REWRITE_MAX : 0;
	uint8_t *bytes = mc_zalloc(REWRITE_STEP);
	int result = 0;
	ssize_t got;

	for (; result == 0 && at < end; at += (uint64_t)got) {
		got = file_read(queue, queue->fd, bytes,
		    end - at < REWRITE_STEP ? end - at : REWRITE_STEP, at);
		if (got == 0)
			errno = EIO;	/* it was there a moment ago */
		result = got <= 0 ? -1 : file_write(queue, queue->fd, bytes,
		    (size_t)got, at);
	}
	mc_wipe(bytes, REWRITE_STEP);
	free(bytes);
	return result;
}

/* A mirror's records can be fetched again: whatever follows the last good
 * one is a tail. */
static enum segment_end
mirror_judge(int fd, enum segment_end end, struct segment_scan *scan)
{
	struct stat st;

	if (end == SEGMENT_UNREADABLE || scan->fault != NULL ||
	    fstat(fd, &st) == -1)
		return end;
	scan->size = (uint64_t)st.st_size;
	return scan->size > scan->end ? SEGMENT_TORN : SEGMENT_CLEAN;
}

/* What is readable may still be only in memory: sync before it counts. */
static enum queue_result
last_recover(struct queue *queue, const char *path, struct queue_news *news,
    struct segment_scan *scan)
{
	const struct segment_source source = { source_read, queue };
	enum segment_end end = segment_scan(&source, record_passed, queue,
	    scan);
	enum queue_result result = QUEUE_OK;

	if (queue->mirror != NULL)
		end = mirror_judge(queue->fd, end, scan);
	if (end == SEGMENT_DAMAGED)
		return damage_report(queue, path, scan);
	if (end == SEGMENT_UNREADABLE)
		return queue_fail(queue, queue->mirror == NULL ? QUEUE_LOST :
		    QUEUE_DAMAGED, "%s: %s", path, strerror(errno));
	queue->allocated = scan->size;
	if (end == SEGMENT_TORN)
		result = tail_cut(queue, path, scan, news);
	if (result != QUEUE_OK)
		return result;
	if (tail_rewrite(queue, scan->end) == -1 ||
	    file_sync(queue, queue->fd) == -1)
		return queue_fail(queue, QUEUE_LOST, "%s: %s", path,
		    strerror(errno));
	segment_last(queue)->first_seq = scan->header.first_seq;
	segment_last(queue)->end = scan->end;
	queue->next_seq = scan->next_seq;
	queue->last_ms = scan->last_ms;
	memcpy(queue->hash, scan->hash, sizeof(queue->hash));
	return QUEUE_OK;
}

static enum queue_result
last_open(struct queue *queue, const uint8_t *hash, struct queue_news *news)
{
	enum queue_result result;
	struct segment_scan scan;
	char path[PATH_SIZE];

	queue->fd = segment_open(queue, segment_last(queue), O_RDWR, path);
	if (queue->fd == -1)
		return QUEUE_LOST;
	result = last_recover(queue, path, news, &scan);
	if (result == QUEUE_OK)
		result = chain_check(queue, queue->count - 1, path,
		    &scan.header, hash);
	return result;
}

/* Checks one after the other; *good_r says how many are, and hash is the one
 * that the last of these ends with. */
static enum queue_result
segments_check(struct queue *queue, size_t count, size_t *good_r,
    uint8_t hash[SEGMENT_HASH_SIZE])
{
	enum queue_result result = QUEUE_OK;
	uint8_t next[SEGMENT_HASH_SIZE];
	struct segment_header header;
	char path[PATH_SIZE];
	int fd;

	for (*good_r = 0; *good_r < count; ++*good_r) {
		fd = segment_open(queue, &queue->segments[*good_r], O_RDONLY,
		    path);
		if (fd == -1)
			return QUEUE_LOST;
		result = segment_check(queue, &queue->segments[*good_r], fd,
		    path, &header, next);
		queue->io->close(fd);
		if (result == QUEUE_OK)
			result = chain_check(queue, *good_r, path, &header,
			    hash);
		if (result != QUEUE_OK)
			break;
		memcpy(hash, next, sizeof(next));
	}
	return result;
}

static enum queue_result
segments_try(struct queue *queue, struct queue_news *news, size_t *good_r)
{
	uint8_t hash[SEGMENT_HASH_SIZE] = { 0 };
	enum queue_result result = segments_check(queue, queue->count - 1,
	    good_r, hash);

	if (result == QUEUE_OK)
		result = last_open(queue, hash, news);
	return result;
}

enum queue_result
segments_open(struct queue *queue, struct queue_news *news)
{
	size_t good;

	return segments_try(queue, news, &good);
}

/* A mirror's: what is damaged is deleted, with all that follows it. */
enum queue_result
segments_keep(struct queue *queue, struct queue_news *news)
{
	enum queue_result result = QUEUE_OK;
	char why[QUEUE_WHY];
	size_t good;

	while (queue->count > 0 && (result = segments_try(queue, news,
	    &good)) == QUEUE_DAMAGED) {
		if (queue->fd != -1)
			queue->io->close(queue->fd);
		queue->fd = -1;
		memcpy(why, queue->why, sizeof(why));
		for (result = QUEUE_OK; result == QUEUE_OK &&
		    queue->count > good; news->dropped++)
			result = segment_delete(queue, queue->count - 1);
		if (result != QUEUE_OK)
			break;
		memcpy(queue->why, why, sizeof(why));
	}
	return result;
}
