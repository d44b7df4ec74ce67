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

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* A finished segment: its header, and the hash that it ends with. */
static int
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
	if (fault != NULL || fstat(fd, &st) == -1) {
		queue_fail(queue, QUEUE_DAMAGED, "%s %s; restore it from a "
		    "replica or a backup", path, fault);
		return -1;
	}
	segment->first_seq = header->first_seq;
	segment->end = (uint64_t)st.st_size;
	if (file_read(queue, fd, hash, SEGMENT_HASH_SIZE,
	    segment->end - SEGMENT_HASH_SIZE) == SEGMENT_HASH_SIZE)
		return 0;
	queue_fail(queue, QUEUE_DAMAGED, "%s cannot be read at byte %llu",
	    path, (unsigned long long)(segment->end - SEGMENT_HASH_SIZE));
	return -1;
}

static int
segment_open(struct queue *queue, const struct segment *segment, int flags,
    char path[PATH_SIZE])
{
	int fd;

	segment_path(queue, segment, "", path, PATH_SIZE);
	fd = queue->io->open(path, flags);
	if (fd == -1)
		queue_fail(queue, QUEUE_DAMAGED, "%s: %s", path,
		    strerror(errno));
	return fd;
}

/* Does this segment go on where the one before ended? */
static int
chain_check(struct queue *queue, size_t i, const char *path,
    const struct segment_header *header, const uint8_t *hash)
{
	if (i == 0)
		memcpy(queue->epoch, header->epoch, sizeof(queue->epoch));
	else if (memcmp(header->epoch, queue->epoch, 16) != 0) {
		queue_fail(queue, QUEUE_DAMAGED, "%s has another epoch than "
		    "the segments before it; two queues have been mixed",
		    path);
		return -1;
	} else if (memcmp(header->previous, hash, SEGMENT_HASH_SIZE) != 0) {
		queue_fail(queue, QUEUE_DAMAGED, "%s does not continue the "
		    "segment before it: one is missing, was cut short or "
		    "altered; restore it from a replica or a backup", path);
		return -1;
	}
	return 0;
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
static int
damage_report(struct queue *queue, const char *path,
    const struct segment_scan *scan)
{
	if (scan->fault != NULL)
		queue_fail(queue, QUEUE_DAMAGED, "%s %s; restore it from a "
		    "replica or a backup", path, scan->fault);
	else
		queue_fail(queue, QUEUE_DAMAGED, "%s is damaged at byte %llu "
		    "(record %llu), and that was durable: restore the file "
		    "from a replica or a backup, or move the folder away and "
		    "start a new queue; nothing was changed", path,
		    (unsigned long long)scan->end,
		    (unsigned long long)scan->next_seq);
	return -1;
}

static int
tail_cut(struct queue *queue, const char *path,
    const struct segment_scan *scan, struct queue_news *news)
{
	const char *slash = strrchr(path, '/');

	news->cut_at = scan->end;
	news->cut_bytes = scan->size - scan->end;
	snprintf(news->cut_file, sizeof(news->cut_file), "%s", slash + 1);
	if (queue->io->ftruncate(queue->fd, (off_t)scan->end) == -1) {
		queue_fail(queue, QUEUE_LOST, "%s: cannot cut off the torn "
		    "tail: %s", path, strerror(errno));
		return -1;
	}
	queue->allocated = scan->end;
	return 0;
}

/* What is readable may still be only in memory: sync before it counts. */
static int
last_recover(struct queue *queue, const char *path, struct queue_news *news,
    struct segment_scan *scan)
{
	const struct segment_source source = { source_read, queue };
	enum segment_end end = segment_scan(&source, record_passed, queue,
	    scan);

	if (end == SEGMENT_DAMAGED)
		return damage_report(queue, path, scan);
	queue->allocated = scan->size;
	if (end == SEGMENT_TORN && tail_cut(queue, path, scan, news) == -1)
		return -1;
	if (end == SEGMENT_UNREADABLE || file_sync(queue, queue->fd) == -1) {
		queue_fail(queue, QUEUE_LOST, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	segment_last(queue)->first_seq = scan->header.first_seq;
	segment_last(queue)->end = scan->end;
	queue->next_seq = scan->next_seq;
	queue->last_ms = scan->last_ms;
	memcpy(queue->hash, scan->hash, sizeof(queue->hash));
	return 0;
}

static int
last_open(struct queue *queue, const uint8_t *hash, struct queue_news *news)
{
	struct segment_scan scan;
	char path[PATH_SIZE];

	queue->fd = segment_open(queue, segment_last(queue), O_RDWR, path);
	if (queue->fd == -1 ||
	    last_recover(queue, path, news, &scan) == -1)
		return -1;
	return chain_check(queue, queue->count - 1, path, &scan.header, hash);
}

int
segments_open(struct queue *queue, struct queue_news *news)
{
	uint8_t hash[SEGMENT_HASH_SIZE] = { 0 }, next[SEGMENT_HASH_SIZE];
	struct segment_header header;
	char path[PATH_SIZE];
	int fd, result;

	for (size_t i = 0; i + 1 < queue->count; i++) {
		fd = segment_open(queue, &queue->segments[i], O_RDONLY, path);
		if (fd == -1)
			return -1;
		result = segment_check(queue, &queue->segments[i], fd, path,
		    &header, next);
		queue->io->close(fd);
		if (result == -1 ||
		    chain_check(queue, i, path, &header, hash) == -1)
			return -1;
		memcpy(hash, next, sizeof(hash));
	}
	return last_open(queue, hash, news);
}
