/* SPDX-License-Identifier: MIT */
/*
 * Reading: from a number on, over the ends of segments, every record
 * verified.  A reader that goes on where the last read ended, as they mostly
 * do, is there at once; another begins at the next mark before its place.
 */
#include "folder.h"

#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define WINDOW_SIZE	(4 * RECORD_MAX)

/* One read: its place in the file, and where the batch has got to. */
struct reading {
	size_t		 segment;
	uint64_t	 seq, offset;	/* of the next record */
	uint64_t	 after;
	uint8_t		*batch;
	size_t		 max, len;
	size_t		 used;		/* bytes of the window, to be wiped */
	bool		 full;
};

void
reading_end(struct queue *queue)
{
	if (queue->reading != -1)
		queue->io->close(queue->reading);
	queue->reading = -1;
	memset(&queue->cursor, 0, sizeof(queue->cursor));
}

static void
fault_set(struct queue *queue, size_t segment, uint64_t offset)
{
	segment_name(&queue->segments[segment], queue->fault.name);
	queue->fault.offset = offset;
}

void
queue_fault(const struct queue *queue, struct queue_place *place_r)
{
	*place_r = queue->fault;
}

/* A file that is not there is damage; one that cannot be opened now (too many
 * are open) is not. */
static enum queue_result
reading_open(struct queue *queue, size_t i)
{
	char path[PATH_SIZE];

	if (queue->reading != -1 && queue->reading_segment == i)
		return QUEUE_OK;
	if (queue->reading != -1)
		queue->io->close(queue->reading);
	segment_path(queue, &queue->segments[i], "", path, sizeof(path));
	queue->reading = queue->io->open(path, O_RDONLY);
	queue->reading_segment = i;
	if (queue->reading != -1)
		return QUEUE_OK;
	fault_set(queue, i, 0);
	return queue_fail(queue, errno == ENOENT ? QUEUE_DAMAGED :
	    QUEUE_FAILED, "%s: %s", path, strerror(errno));
}

static size_t
segment_find(const struct queue *queue, uint64_t seq)
{
	size_t low = 0, high = queue->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (queue->segments[middle].first_seq <= seq)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The last mark at or before seq. */
static struct mark
mark_find(const struct segment *segment, uint64_t seq)
{
	struct mark found = { segment->first_seq, SEGMENT_HEADER_SIZE };
	size_t low = 0, high = segment->nmarks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (segment->marks[middle].seq <= seq) {
			found = segment->marks[middle];
			low = middle + 1;
		} else
			high = middle;
	}
	return found;
}

static void
reading_place(const struct queue *queue, struct reading *reading)
{
	struct mark mark;

	reading->segment = segment_find(queue, reading->after + 1);
	mark = mark_find(&queue->segments[reading->segment],
	    reading->after + 1);
	if (queue->cursor_segment == reading->segment &&
	    queue->cursor.seq <= reading->after + 1 &&
	    queue->cursor.seq > mark.seq)
		mark = queue->cursor;
	reading->seq = mark.seq;
	reading->offset = mark.offset;
}

/* Puts the record into the batch; false: it does not fit any more. */
static bool
record_take(struct reading *reading, const struct wmq_record *head,
    const uint8_t *data)
{
	size_t size = sizeof(*head) + head->len;

	if (head->seq <= reading->after)
		return true;
	if (reading->len > 0 && reading->len + size > reading->max)
		return false;
	memcpy(reading->batch + reading->len, head, sizeof(*head));
	memcpy(reading->batch + reading->len + sizeof(*head), data,
	    head->len);
	reading->len += size;
	return true;
}

/* Takes the records in the window, which begins with the hash before the
 * next one.  Returns how many bytes of the window they were. */
static size_t
window_take(struct queue *queue, struct reading *reading, size_t len)
{
	struct segment *segment = &queue->segments[reading->segment];
	const uint8_t *window = queue->window;
	size_t done = SEGMENT_HASH_SIZE, size;
	struct wmq_record head;

	while (reading->seq < queue->next_seq) {
		size = segment_record_read(window + done, len - done,
		    reading->seq, &head);
		if (size == 0)
			break;
		if (!record_take(reading, &head,
		    window + done + RECORD_HEAD_SIZE)) {
			reading->full = true;
			break;
		}
		if (segment->nmarks == 0 || reading->seq >
		    segment->marks[segment->nmarks - 1].seq)
			segment_mark(segment, reading->seq, reading->offset);
		reading->seq++;
		reading->offset += size;
		done += size;
	}
	return done - SEGMENT_HASH_SIZE;
}

static enum queue_result
reading_fault(struct queue *queue, const struct reading *reading)
{
	char path[PATH_SIZE];

	fault_set(queue, reading->segment, reading->offset);
	segment_path(queue, &queue->segments[reading->segment], "", path,
	    sizeof(path));
	return queue_fail(queue, QUEUE_DAMAGED, "%s is damaged at byte %llu "
	    "(record %llu); restore it from a replica or a backup", path,
	    (unsigned long long)reading->offset,
	    (unsigned long long)reading->seq);
}

/* One window of the segment. */
static enum queue_result
segment_read(struct queue *queue, struct reading *reading)
{
	uint64_t from = reading->offset - SEGMENT_HASH_SIZE;
	uint64_t rest = queue->segments[reading->segment].end - from;
	size_t wanted = rest < WINDOW_SIZE ? (size_t)rest : WINDOW_SIZE;
	enum queue_result result = reading_open(queue, reading->segment);
	ssize_t got;

	if (result != QUEUE_OK)
		return result;
	got = file_read(queue, queue->reading, queue->window, wanted, from);
	if (got > (ssize_t)reading->used)
		reading->used = (size_t)got;
	if (got < SEGMENT_HASH_SIZE ||
	    (window_take(queue, reading, (size_t)got) == 0 && !reading->full))
		return reading_fault(queue, reading);
	return QUEUE_OK;
}

enum queue_result
queue_read(struct queue *queue, uint64_t after, size_t max, void *batch,
    size_t size, size_t *len_r)
{
	struct reading reading = {
		.after = after, .batch = batch, .max = max < size ? max : size
	};
	enum queue_result result = QUEUE_OK;

	*len_r = 0;
	if (queue->count == 0)
		return QUEUE_OK;
	if (after + 1 < queue->segments[0].first_seq)
		return queue_fail(queue, QUEUE_GONE, "%s: record %llu has "
		    "been deleted", queue->conf.path,
		    (unsigned long long)after + 1);
	if (queue->window == NULL)
		queue->window = mc_zalloc(WINDOW_SIZE);
	reading_place(queue, &reading);
	while (result == QUEUE_OK && !reading.full &&
	    reading.seq < queue->next_seq) {
		if (reading.offset >= queue->segments[reading.segment].end &&
		    reading.segment + 1 < queue->count) {
			reading.segment++;
			reading.offset = SEGMENT_HEADER_SIZE;
		}
		result = segment_read(queue, &reading);
	}
	mc_wipe(queue->window, reading.used);
	queue->cursor_segment = reading.segment;
	queue->cursor.seq = reading.seq;
	queue->cursor.offset = reading.offset;
	*len_r = reading.len;
	return result == QUEUE_OK || reading.len > 0 ? QUEUE_OK : result;
}
