/* SPDX-License-Identifier: MIT */
/*
 * The folder: its lock, the names in it, and the beginning of a new segment.
 */
#include "folder.h"

#include <metacube/host.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

unsigned
day_of(uint64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return (unsigned)(tm.tm_year + 1900) * 10000 +
	    (unsigned)(tm.tm_mon + 1) * 100 + (unsigned)tm.tm_mday;
}

static int
holder_read(int fd, char *pid, size_t size)
{
	ssize_t got = pread(fd, pid, size - 1, 0);

	pid[got > 0 ? got : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	return pid[0] == '\0' ? -1 : 0;
}

static int
folder_lock(struct queue *queue)
{
	char path[PATH_SIZE], pid[16];
	int len;

	snprintf(path, sizeof(path), "%s/lock", queue->conf.path);
	queue->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (queue->lock == -1) {
		queue_fail(queue, QUEUE_LOST, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	if (flock(queue->lock, LOCK_EX | LOCK_NB) == -1) {
		if (holder_read(queue->lock, pid, sizeof(pid)) == -1)
			strcpy(pid, "?");
		queue_fail(queue, QUEUE_LOST, "%s: the queue is in use by "
		    "another process (%s); only one may write it",
		    queue->conf.path, pid);
		return -1;
	}
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(queue->lock, 0) == -1 ||
	    pwrite(queue->lock, pid, (size_t)len, 0) != len) {
		/* only a help for people: a full disk must not stop us */
	}
	return 0;
}

static int
folder_list(struct queue *queue)
{
	DIR *dir = opendir(queue->conf.path);
	char path[PATH_SIZE];
	struct segment segment;
	struct dirent *entry;

	if (dir == NULL) {
		queue_fail(queue, QUEUE_LOST, "%s: %s", queue->conf.path,
		    strerror(errno));
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (segment_parse(entry->d_name, &segment))
			segment_add(queue, &segment);
		else if (len > 8 &&
		    strcmp(entry->d_name + len - 8, ".wmq.new") == 0) {
			snprintf(path, sizeof(path), "%s/%s",
			    queue->conf.path, entry->d_name);
			queue->io->unlink(path);
		}
	}
	closedir(dir);
	if (queue->count > 0)
		qsort(queue->segments, queue->count, sizeof(segment),
		    segment_compare);
	return 0;
}

static enum queue_result
header_put(struct queue *queue, const struct segment *segment, int fd,
    uint64_t now_ms)
{
	struct segment_header header = {
		.first_seq = segment->first_seq, .created_ms = now_ms
	};
	uint8_t bytes[SEGMENT_HEADER_SIZE];

	memcpy(header.epoch, queue->epoch, sizeof(header.epoch));
	memcpy(header.server, queue->conf.server, sizeof(header.server));
	memcpy(header.previous, queue->hash, sizeof(header.previous));
	segment_header_write(&header, bytes);
	if (file_write(queue, fd, bytes, sizeof(bytes), 0) == -1)
		return errno == ENOSPC || errno == EDQUOT ?
		    QUEUE_FULL : QUEUE_LOST;
	if (file_sync(queue, fd) == -1)
		return QUEUE_LOST;
	memcpy(queue->hash, bytes + SEGMENT_HEADER_SIZE - SEGMENT_HASH_SIZE,
	    SEGMENT_HASH_SIZE);
	return QUEUE_OK;
}

/* Under its final name only once it is whole and durable. */
static enum queue_result
segment_put(struct queue *queue, const struct segment *segment, int fd,
    uint64_t now_ms, const char *from, const char *to)
{
	enum queue_result result;
	uint8_t before[SEGMENT_HASH_SIZE];

	memcpy(before, queue->hash, sizeof(before));
	result = header_put(queue, segment, fd, now_ms);
	if (result == QUEUE_OK && queue->io->rename(from, to) == -1)
		result = QUEUE_FULL;
	if (result == QUEUE_OK &&
	    queue->io->fsync_dir(queue->conf.path) == -1)
		result = QUEUE_LOST;
	if (result == QUEUE_OK)
		return result;
	memcpy(queue->hash, before, sizeof(before));
	return queue_fail(queue, result, "%s: cannot begin: %s", to,
	    strerror(errno));
}

static enum queue_result
segment_make(struct queue *queue, const struct segment *segment,
    uint64_t now_ms, int *fd_r)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	enum queue_result result;

	segment_path(queue, segment, ".new", from, sizeof(from));
	segment_path(queue, segment, "", to, sizeof(to));
	*fd_r = queue->io->open(from, O_RDWR | O_CREAT | O_TRUNC);
	if (*fd_r == -1)
		return queue_fail(queue, QUEUE_FULL, "%s: cannot begin: %s",
		    from, strerror(errno));
	result = segment_put(queue, segment, *fd_r, now_ms, from, to);
	if (result != QUEUE_OK) {
		queue->io->unlink(from);
		queue->io->close(*fd_r);
	}
	return result;
}

static enum queue_result
segment_finish(struct queue *queue)
{
	struct segment *last = segment_last(queue);

	if (queue->io->ftruncate(queue->fd, (off_t)last->end) == -1 ||
	    file_sync(queue, queue->fd) == -1)
		return queue_fail(queue, QUEUE_LOST,
		    "%s: cannot finish the segment of day %u: %s",
		    queue->conf.path, last->day, strerror(errno));
	queue->allocated = last->end;
	return QUEUE_OK;
}

enum queue_result
segment_begin(struct queue *queue, uint64_t now_ms)
{
	struct segment segment = {
		.day = day_of(now_ms), .first_seq = queue->next_seq,
		.end = SEGMENT_HEADER_SIZE
	};
	enum queue_result result = QUEUE_OK;
	int fd;

	if (queue->count > 0) {
		if (segment_last(queue)->day >= segment.day) {
			segment.day = segment_last(queue)->day;
			segment.number = segment_last(queue)->number + 1;
		}
		result = segment_finish(queue);
	}
	if (result == QUEUE_OK)
		result = segment_make(queue, &segment, now_ms, &fd);
	if (result != QUEUE_OK)
		return result;
	if (queue->fd != -1)
		queue->io->close(queue->fd);
	queue->fd = fd;
	queue->allocated = segment.end;
	segment_add(queue, &segment);
	return QUEUE_OK;
}

/* The folder's own entry must outlast a power cut as its files do. */
int
folder_make(struct queue *queue)
{
	char parent[PATH_MAX];

	if (queue->io->mkdir(queue->conf.path) == -1) {
		if (errno == EEXIST)
			return 0;
		queue_fail(queue, QUEUE_LOST, "%s: cannot make the folder: "
		    "%s", queue->conf.path, strerror(errno));
		return -1;
	}
	snprintf(parent, sizeof(parent), "%s", queue->conf.path);
	if (queue->io->fsync_dir(dirname(parent)) == -1) {
		queue_fail(queue, QUEUE_LOST, "%s: cannot sync: %s", parent,
		    strerror(errno));
		return -1;
	}
	return 0;
}

static int
folder_create(struct queue *queue, uint64_t now_ms, struct queue_news *news)
{
	memcpy(queue->epoch, queue->conf.epoch, sizeof(queue->epoch));
	queue->next_seq = 1;
	news->created = true;
	return segment_begin(queue, now_ms) == QUEUE_OK ? 0 : -1;
}

int
folder_find(struct queue *queue)
{
	return folder_lock(queue) == -1 ? -1 : folder_list(queue);
}

int
folder_open(struct queue *queue, uint64_t now_ms, struct queue_news *news)
{
	if (folder_make(queue) == -1 || folder_find(queue) == -1)
		return -1;
	if (queue->count == 0)
		return folder_create(queue, now_ms, news);
	return segments_open(queue, news) == QUEUE_OK ? 0 : -1;
}
