/* SPDX-License-Identifier: MIT */
/*
 * The files of another queue: verified record by record before they are
 * written, so that the newest file always ends with a whole record.
 *
 * What has come of a record that is not whole yet is kept in memory only.
 */
#include "folder.h"

#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW_SIZE	(4 * RECORD_MAX)

struct mirror {
	char		 coming[QUEUE_NAME_SIZE];	/* until its header is
							 * here; "": none */
	size_t		 len;		/* bytes that wait for more */
	uint8_t		 data[SEGMENT_HASH_SIZE + WINDOW_SIZE];
					/* the hash before them, then they */
};

void
mirror_free(struct mirror **mirrorp)
{
	free(*mirrorp);
	*mirrorp = NULL;
}

static void
newest_close(struct queue *queue)
{
	if (queue->fd != -1)
		queue->io->close(queue->fd);
	queue->fd = -1;
}

/* Nothing is here any more. */
static void
nothing_left(struct queue *queue)
{
	newest_close(queue);
	memset(queue->epoch, 0, sizeof(queue->epoch));
	memset(queue->hash, 0, sizeof(queue->hash));
	queue->next_seq = 1;
	queue->last_ms = 0;
}

struct queue *
queue_mirror_open(const struct queue_conf *conf, struct queue_news *news_r,
    char why[QUEUE_WHY])
{
	struct queue *queue = queue_new(conf);

	memset(news_r, 0, sizeof(*news_r));
	queue->mirror = mc_zalloc(sizeof(*queue->mirror));
	if (folder_make(queue) == -1 || folder_find(queue) == -1 ||
	    segments_keep(queue, news_r) != QUEUE_OK) {
		memcpy(why, queue->why, QUEUE_WHY);
		queue_free(&queue);
		return NULL;
	}
	if (queue->count == 0)
		nothing_left(queue);
	return queue;
}

void
queue_mirror_place(const struct queue *queue, struct queue_place *place_r)
{
	const struct mirror *mirror = queue->mirror;

	memset(place_r, 0, sizeof(*place_r));
	place_r->offset = mirror->len;
	if (mirror->coming[0] != '\0')
		strcpy(place_r->name, mirror->coming);
	else if (queue->count > 0) {
		segment_name(&queue->segments[queue->count - 1],
		    place_r->name);
		place_r->offset += queue_end(queue);
	}
}

static enum queue_result
place_check(struct queue *queue, const struct queue_place *place)
{
	struct queue_place wanted;

	queue_mirror_place(queue, &wanted);
	if (strcmp(place->name, wanted.name) == 0 &&
	    place->offset == wanted.offset && place->name[0] != '\0')
		return QUEUE_OK;
	return queue_fail(queue, QUEUE_DAMAGED, "%s: bytes of %.31s from "
	    "%llu on came, but those of %s from %llu on are next",
	    queue->conf.path, place->name, (unsigned long long)place->offset,
	    wanted.name, (unsigned long long)wanted.offset);
}

static enum queue_result
write_failed(struct queue *queue, const char *path)
{
	enum queue_result result = errno == ENOSPC || errno == EDQUOT ?
	    QUEUE_FULL : QUEUE_LOST;

	return queue_fail(queue, result, "%s: cannot write: %s", path,
	    strerror(errno));
}

/* Does this header continue what is here? */
static enum queue_result
header_check(struct queue *queue, const uint8_t *bytes,
    struct segment_header *header)
{
	const char *name = queue->mirror->coming;
	const char *fault = segment_header_read(bytes, SEGMENT_HEADER_SIZE,
	    header);

	if (fault == NULL && queue->count > 0) {
		if (memcmp(header->epoch, queue->epoch, 16) != 0)
			fault = "is of another epoch";
		else if (header->first_seq != queue->next_seq ||
		    memcmp(header->previous, queue->hash,
		    SEGMENT_HASH_SIZE) != 0)
			fault = "does not continue the file before it";
	}
	if (fault == NULL)
		return QUEUE_OK;
	return queue_fail(queue, QUEUE_DAMAGED, "%s/%s, as it came, %s",
	    queue->conf.path, name, fault);
}

static enum queue_result
file_create(struct queue *queue, const struct segment *segment,
    const uint8_t *header)
{
	char path[PATH_SIZE];
	enum queue_result result;
	int fd;

	segment_path(queue, segment, "", path, sizeof(path));
	fd = queue->io->open(path, O_RDWR | O_CREAT | O_TRUNC);
	if (fd == -1)
		return write_failed(queue, path);
	if (file_write(queue, fd, header, SEGMENT_HEADER_SIZE, 0) == -1) {
		result = write_failed(queue, path);
		queue->io->close(fd);
		queue->io->unlink(path);
		return result;
	}
	newest_close(queue);
	queue->fd = fd;
	return QUEUE_OK;
}

/* The bytes up to size are in the file: the next ones come to the front. */
static void
waiting_shift(struct mirror *mirror, size_t size)
{
	mirror->len -= size;
	memmove(mirror->data + SEGMENT_HASH_SIZE,
	    mirror->data + SEGMENT_HASH_SIZE + size, mirror->len);
}

static enum queue_result
header_take(struct queue *queue)
{
	struct mirror *mirror = queue->mirror;
	const uint8_t *bytes = mirror->data + SEGMENT_HASH_SIZE;
	struct segment_header header;
	struct segment segment;
	enum queue_result result = header_check(queue, bytes, &header);

	segment_parse(mirror->coming, &segment);
	segment.first_seq = header.first_seq;
	segment.end = SEGMENT_HEADER_SIZE;
	if (result == QUEUE_OK)
		result = file_create(queue, &segment, bytes);
	if (result != QUEUE_OK)
		return result;
	segment_add(queue, &segment);
	memcpy(queue->epoch, header.epoch, sizeof(queue->epoch));
	memcpy(queue->hash, bytes + SEGMENT_HEADER_SIZE - SEGMENT_HASH_SIZE,
	    SEGMENT_HASH_SIZE);
	queue->next_seq = header.first_seq;
	queue->last_ms = header.created_ms;
	mirror->coming[0] = '\0';
	waiting_shift(mirror, SEGMENT_HEADER_SIZE);
	return QUEUE_OK;
}

/* Whole and right records at the front: their bytes, and how many. */
static size_t
records_verify(struct queue *queue, uint64_t *count_r,
    struct wmq_record *last_r)
{
	struct mirror *mirror = queue->mirror;
	const uint8_t *at = mirror->data + SEGMENT_HASH_SIZE;
	struct wmq_record head;
	size_t done = 0, size;

	*count_r = 0;
	memcpy(mirror->data, queue->hash, SEGMENT_HASH_SIZE);
	while ((size = segment_record_read(at + done, mirror->len - done,
	    queue->next_seq + *count_r, &head)) > 0) {
		*last_r = head;
		done += size;
		++*count_r;
	}
	return done;
}

static enum queue_result
records_write(struct queue *queue, size_t size)
{
	const struct segment *last = segment_last(queue);
	char path[PATH_SIZE];
	enum queue_result result;

	if (file_write(queue, queue->fd, queue->mirror->data +
	    SEGMENT_HASH_SIZE, size, last->end) == 0)
		return QUEUE_OK;
	segment_path(queue, last, "", path, sizeof(path));
	result = write_failed(queue, path);
	if (queue->io->ftruncate(queue->fd, (off_t)last->end) == -1)
		result = QUEUE_LOST;
	return result;
}

/* Is what waits the beginning of a record, of which more is to come? */
static enum queue_result
rest_check(struct queue *queue)
{
	const struct mirror *mirror = queue->mirror;
	struct queue_place place;
	size_t size;

	if (segment_record_size(mirror->data + SEGMENT_HASH_SIZE,
	    mirror->len, &size) && size > mirror->len)
		return QUEUE_OK;
	queue_mirror_place(queue, &place);
	return queue_fail(queue, QUEUE_DAMAGED, "%s/%s, as it came, is "
	    "damaged at byte %llu (record %llu)", queue->conf.path,
	    place.name, (unsigned long long)queue_end(queue),
	    (unsigned long long)queue->next_seq);
}

static enum queue_result
records_take(struct queue *queue)
{
	struct segment *last = segment_last(queue);
	struct wmq_record head;
	enum queue_result result;
	uint64_t count;
	size_t size = records_verify(queue, &count, &head);

	if (size > 0) {
		result = records_write(queue, size);
		if (result != QUEUE_OK)
			return result;
		segment_mark(last, queue->next_seq, last->end);
		last->end += size;
		queue->allocated = last->end;
		queue->next_seq += count;
		queue->last_ms = head.time_ms;
		memcpy(queue->hash, queue->mirror->data + size,
		    SEGMENT_HASH_SIZE);
		waiting_shift(queue->mirror, size);
	}
	return rest_check(queue);
}

static enum queue_result
waiting_take(struct queue *queue)
{
	struct mirror *mirror = queue->mirror;
	enum queue_result result = QUEUE_OK;

	if (mirror->coming[0] != '\0') {
		if (mirror->len < SEGMENT_HEADER_SIZE)
			return QUEUE_OK;
		result = header_take(queue);
	}
	return result == QUEUE_OK ? records_take(queue) : result;
}

enum queue_result
queue_mirror_put(struct queue *queue, const struct queue_place *place,
    const void *data, size_t len)
{
	struct mirror *mirror = queue->mirror;
	enum queue_result result = place_check(queue, place);
	const uint8_t *from = data;
	size_t some;

	for (; result == QUEUE_OK && len > 0; len -= some, from += some) {
		some = WINDOW_SIZE - mirror->len;
		if (some > len)
			some = len;
		memcpy(mirror->data + SEGMENT_HASH_SIZE + mirror->len, from,
		    some);
		mirror->len += some;
		result = waiting_take(queue);
	}
	if (result != QUEUE_OK)
		mirror->len = 0;
	if (mirror->len == 0)	/* payloads may be secret */
		mc_wipe(mirror->data, sizeof(mirror->data));
	return result;
}

/* Names and bytes of what is here outlast those of the next file. */
static enum queue_result
newest_finish(struct queue *queue)
{
	if (queue->count == 0)
		return QUEUE_OK;
	if (file_sync(queue, queue->fd) == -1 ||
	    queue->io->fsync_dir(queue->conf.path) == -1)
		return queue_fail(queue, QUEUE_LOST, "%s: cannot sync: %s",
		    queue->conf.path, strerror(errno));
	return QUEUE_OK;
}

enum queue_result
queue_mirror_begin(struct queue *queue, const char *name)
{
	struct mirror *mirror = queue->mirror;
	enum queue_result result;
	struct segment segment;

	if (strcmp(name, mirror->coming) == 0 && name[0] != '\0')
		return QUEUE_OK;
	if (!segment_parse(name, &segment))
		return queue_fail(queue, QUEUE_FAILED,
		    "\"%.64s\" is not the name of a queue file", name);
	if (mirror->len > 0)
		return queue_fail(queue, QUEUE_FAILED, "%s follows a file "
		    "that ends within a record", name);
	if (queue->count > 0 &&
	    segment_compare(segment_last(queue), &segment) >= 0)
		return queue_fail(queue, QUEUE_FAILED, "%s is not newer than "
		    "the file that it should follow", name);
	result = newest_finish(queue);
	if (result == QUEUE_OK)
		strcpy(mirror->coming, name);
	return result;
}

enum queue_result
queue_mirror_anew(struct queue *queue, const char *name)
{
	enum queue_result result = QUEUE_OK;

	if (!queue_is_name(name))
		return queue_fail(queue, QUEUE_FAILED,
		    "\"%.64s\" is not the name of a queue file", name);
	queue->mirror->len = 0;
	while (result == QUEUE_OK && queue->count > 0)
		result = segment_delete(queue, 0);
	if (result != QUEUE_OK)
		return result;
	nothing_left(queue);
	strcpy(queue->mirror->coming, name);
	return QUEUE_OK;
}

static size_t
segment_index(const struct queue *queue, const char *name)
{
	struct segment segment;
	size_t i = queue->count;

	if (segment_parse(name, &segment))
		for (i = 0; i < queue->count; i++)
			if (segment_compare(&queue->segments[i],
			    &segment) == 0)
				break;
	return i;
}

enum queue_result
queue_mirror_forget(struct queue *queue, const char *name)
{
	struct queue_news news = { .dropped = 0 };
	size_t i = segment_index(queue, name);
	enum queue_result result = QUEUE_OK;

	if (i == queue->count)
		return queue_fail(queue, QUEUE_FAILED,
		    "there is no file \"%.64s\"", name);
	queue->mirror->len = 0;
	queue->mirror->coming[0] = '\0';
	while (result == QUEUE_OK && queue->count > i)
		result = segment_delete(queue, queue->count - 1);
	newest_close(queue);
	if (result == QUEUE_OK)
		result = segments_keep(queue, &news);
	if (result != QUEUE_OK)
		return queue->fd == -1 ? QUEUE_LOST : result;
	if (queue->count == 0)
		nothing_left(queue);
	if (news.dropped == 0 && news.cut_bytes == 0)
		strcpy(queue->mirror->coming, name);
	return QUEUE_OK;
}
