/* SPDX-License-Identifier: MIT */
/*
 * The files of a queue: their names, a view of them, and the end of old ones.
 */
#include "folder.h"

#include <metacube/host.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void
segment_name(const struct segment *segment, char name[QUEUE_NAME_SIZE])
{
	if (segment->number == 0)
		snprintf(name, QUEUE_NAME_SIZE, "%08u.wmq", segment->day);
	else
		snprintf(name, QUEUE_NAME_SIZE, "%08u-%03u.wmq",
		    segment->day, segment->number);
}

void
segment_path(const struct queue *queue, const struct segment *segment,
    const char *suffix, char *path, size_t size)
{
	char name[QUEUE_NAME_SIZE];

	segment_name(segment, name);
	snprintf(path, size, "%s/%s%s", queue->conf.path, name, suffix);
}

/* Exactly the names that segment_name makes. */
bool
segment_parse(const char *name, struct segment *segment)
{
	char again[QUEUE_NAME_SIZE];

	memset(segment, 0, sizeof(*segment));
	if (sscanf(name, "%8u-%3u.wmq", &segment->day, &segment->number) != 2)
		segment->number = 0;
	segment_name(segment, again);
	return strcmp(name, again) == 0;
}

int
segment_compare(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

bool
queue_is_name(const char *name)
{
	struct segment segment;

	return segment_parse(name, &segment);
}

int
queue_compare(const char *name, const char *other)
{
	struct segment a, b;

	segment_parse(name, &a);
	segment_parse(other, &b);
	return segment_compare(&a, &b);
}

/* Marks come in order; those that are too close together are left out. */
void
segment_mark(struct segment *segment, uint64_t seq, uint64_t offset)
{
	size_t n = segment->nmarks;
	struct mark *grown;

	if (n > 0 && offset < segment->marks[n - 1].offset + MARK_BYTES)
		return;
	if ((n & (n - 1)) == 0) {	/* room for the next power of two */
		grown = mc_zalloc((n == 0 ? 1 : 2 * n) * sizeof(*grown));
		if (n > 0)
			memcpy(grown, segment->marks, n * sizeof(*grown));
		free(segment->marks);
		segment->marks = grown;
	}
	segment->marks[n].seq = seq;
	segment->marks[n].offset = offset;
	segment->nmarks++;
}

void
segment_add(struct queue *queue, const struct segment *segment)
{
	size_t size = (queue->count + 1) * sizeof(*segment);
	struct segment *grown = mc_zalloc(size);

	if (queue->count > 0)
		memcpy(grown, queue->segments, size - sizeof(*segment));
	grown[queue->count++] = *segment;
	free(queue->segments);
	queue->segments = grown;
}

void
segment_remove(struct queue *queue, size_t i)
{
	struct segment *at = &queue->segments[i];

	reading_end(queue);
	free(at->marks);
	memmove(at, at + 1, (--queue->count - i) * sizeof(*at));
}

/* Durably, before anything else is. */
enum queue_result
segment_delete(struct queue *queue, size_t i)
{
	char path[PATH_SIZE];

	segment_path(queue, &queue->segments[i], "", path, sizeof(path));
	if (queue->io->unlink(path) == -1 && errno != ENOENT)
		return queue_fail(queue, QUEUE_FAILED, "%s: cannot delete: %s",
		    path, strerror(errno));
	segment_remove(queue, i);
	if (queue->io->fsync_dir(queue->conf.path) == -1)
		return queue_fail(queue, QUEUE_LOST, "%s: cannot sync: %s",
		    queue->conf.path, strerror(errno));
	return QUEUE_OK;
}

enum queue_result
queue_prune(struct queue *queue, uint64_t seq, size_t *count_r)
{
	enum queue_result result = QUEUE_OK;

	*count_r = 0;
	while (result == QUEUE_OK && queue->count > 1 &&
	    queue->segments[1].first_seq - 1 <= seq) {
		result = segment_delete(queue, 0);
		*count_r += result == QUEUE_OK;
	}
	return result;
}

void
queue_position(const struct queue *queue, struct wmq_position *position_r)
{
	memcpy(position_r->epoch, queue->epoch, sizeof(position_r->epoch));
	position_r->oldest = queue->count == 0 ? queue->next_seq :
	    queue->segments[0].first_seq;
	position_r->durable = queue->next_seq - 1;
}

uint64_t
queue_end(const struct queue *queue)
{
	return queue->count == 0 ? 0 : queue->segments[queue->count - 1].end;
}

uint64_t
queue_begun(const struct queue *queue)
{
	return queue->count == 0 ? 0 :
	    queue->segments[queue->count - 1].first_seq;
}

struct queue_view *
queue_view(const struct queue *queue)
{
	struct queue_view *view = mc_zalloc(sizeof(*view) +
	    queue->count * sizeof(view->files[0]));

	queue_position(queue, &view->position);
	view->count = queue->count;
	for (size_t i = 0; i < queue->count; i++) {
		segment_name(&queue->segments[i], view->files[i].name);
		view->files[i].first_seq = queue->segments[i].first_seq;
		view->files[i].end = queue->segments[i].end;
	}
	return view;
}
