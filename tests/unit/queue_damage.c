/* SPDX-License-Identifier: MIT */
/*
 * What is missing, altered, torn or to be deleted: nothing is read but what
 * was written, and what was durable is never stepped over.
 */
#include "cutap.h"
#include "scratch.h"
#include "queue_rig.h"

#include <metacube/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
prepare_segments(void)
{
	struct queue *queue;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 300, NOON);
	for (unsigned i = 0; i < 9; i++)
		rig_commit(queue, i, 1, NOON, &seq);
	queue_close(&queue);
}

static void
prunes(void)
{
	static char batch[2 * (WMQ_DATA_MAX + 64)];
	struct queue *queue;
	struct wmq_position position;
	unsigned numbers[16];
	enum queue_result result;
	size_t count, len;
	uint64_t seq;

	prepare_segments();		/* 9 records, 2 in a file */
	queue = rig_open("queue", 300, NOON);
	CU_ASSERT_EQUAL(queue_prune(queue, 1, &count), QUEUE_OK);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_EQUAL(rig_read(queue, 0, 4096, numbers, &result), 9);
	CU_ASSERT_EQUAL(queue_read(queue, 4, 1, batch, sizeof(batch), &len),
	    QUEUE_OK);		/* so the third file is open */
	CU_ASSERT_EQUAL(queue_prune(queue, 5, &count), QUEUE_OK);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(rig_read(queue, 8, 4096, numbers, &result), 1);
	CU_ASSERT_EQUAL(result, QUEUE_OK);
	queue_position(queue, &position);
	CU_ASSERT_TRUE(position.oldest == 5 && position.durable == 9);
	CU_ASSERT_EQUAL(rig_read(queue, 3, 4096, numbers, &result), 0);
	CU_ASSERT_EQUAL(result, QUEUE_GONE);
	CU_ASSERT_EQUAL(rig_read(queue, 4, 4096, numbers, &result), 5);
	rig_fault_set(CALL_UNLINK, 2, EACCES);
	CU_ASSERT_EQUAL(queue_prune(queue, 8, &count), QUEUE_FAILED);
	CU_ASSERT_EQUAL(count, 1);
	rig_fault_none();
	CU_ASSERT_EQUAL(queue_prune(queue, 1000, &count), QUEUE_OK);
	CU_ASSERT_EQUAL(rig_commit(queue, 9, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_EQUAL(seq, 10);
	queue_close(&queue);
	queue = rig_open("queue", 300, NOON);
	CU_ASSERT_EQUAL(rig_read(queue, 8, 4096, numbers, &result), 2);
	queue_close(&queue);
}

/* Killed at any call, and asked again. */
static void
prune_killed(void)
{
	enum { CHANGES = 6 };		/* three files: deleted, synced */
	unsigned numbers[16];
	struct wmq_position position;
	enum queue_result result;
	struct queue *queue;
	size_t count;

	for (unsigned n = 1; n <= CHANGES; n++) {
		prepare_segments();
		queue = rig_open("queue", 300, NOON);
		rig_fault_none();
		rig_fault.dies_at = n;
		CU_ASSERT_NOT_EQUAL(queue_prune(queue, 6, &count), QUEUE_OK);
		CU_ASSERT_TRUE(rig_fault.dead);
		queue_close(&queue);
		rig_fault_none();
		queue = rig_open("queue", 300, NOON);
		CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
		queue_position(queue, &position);
		CU_ASSERT_EQUAL(position.oldest, 1 + 2 * (n / 2));
		CU_ASSERT_EQUAL(queue_prune(queue, 6, &count), QUEUE_OK);
		CU_ASSERT_EQUAL(rig_read(queue, 6, 4096, numbers, &result), 3);
		CU_ASSERT_TRUE(numbers[0] == 6 && result == QUEUE_OK);
		queue_close(&queue);
	}
}

static void
refused(const char *reason)
{
	struct queue *queue = rig_open("queue", 300, NOON);

	CU_ASSERT_PTR_NULL(queue);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, reason));
	queue_close(&queue);
}

static void
wrong_segments(void)
{
	prepare_segments();
	CU_ASSERT_EQUAL(unlink(scratch_path("queue/20241004-001.wmq")), 0);
	refused("20241004-002.wmq does not continue");
	prepare_segments();
	CU_ASSERT_EQUAL(rename(scratch_path("queue/20241004-001.wmq"),
	    scratch_path("queue/20241004-009.wmq")), 0);
	refused("does not continue");
	prepare_segments();
	CU_ASSERT_EQUAL(truncate(scratch_path("queue/20241004.wmq"),
	    200), 0);
	refused("20241004-001.wmq does not continue");
	prepare_segments();
	CU_ASSERT_EQUAL(truncate(scratch_path("queue/20241004.wmq"),
	    50), 0);
	refused("20241004.wmq is shorter than the header");
	prepare_segments();
	scratch_text("queue/20241004.wmq", "not a queue file, though it is "
	    "long enough to have a header: "
	    "0123456789012345678901234567890123456789012345678901234567890");
	refused("20241004.wmq is not a queue file");
}

static void
other_files(void)
{
	struct queue *queue;
	unsigned numbers[16];
	enum queue_result result;

	prepare_segments();
	scratch_text("queue/notes.txt", "of somebody");
	scratch_text("queue/2024.wmq", "too short a name");
	scratch_text("queue/20241004-1.wmq", "not as we write it");
	scratch_text("queue/20241005.wmq.new", "was not finished");
	queue = rig_open("queue", 300, NOON);
	CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
	CU_ASSERT_EQUAL(rig_read(queue, 0, 4096, numbers, &result), 9);
	CU_ASSERT_TRUE(rig_is_there("queue/notes.txt"));
	CU_ASSERT_FALSE(rig_is_there("queue/20241005.wmq.new"));
	queue_close(&queue);
}

/* Each bit of a finished segment: noticed when it is opened or read. */
static void
each_bit_of_a_segment(void)
{
	unsigned numbers[16];
	enum queue_result result;
	struct queue *queue;
	size_t len;
	char *data;

	prepare_segments();
	data = scratch_read(scratch_path("queue/20241004-001.wmq"), &len);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		data[bit / 8] ^= (char)(1 << bit % 8);
		scratch_write("queue/20241004-001.wmq", data, len, 0600);
		data[bit / 8] ^= (char)(1 << bit % 8);
		queue = rig_open("queue", 300, NOON);
		if (queue == NULL)
			continue;
		rig_read(queue, 0, 4096, numbers, &result);
		CU_ASSERT_EQUAL(result, QUEUE_DAMAGED);
		CU_ASSERT_PTR_NOT_NULL(strstr(queue_why(queue),
		    "20241004-001.wmq is damaged at byte"));
		queue_close(&queue);
	}
	free(data);
}

/* Damage to what was durable: refused, and the file is left as it is. */
static void
damage_refused(void)
{
	struct queue *queue;
	uint64_t seq;
	char *before, *after;
	size_t len, after_len;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	for (unsigned i = 0; i < 5; i++)
		rig_commit(queue, i, 1, NOON, &seq);
	rig_fault.dead = true;	/* never closed */
	queue_close(&queue);
	rig_fault_none();
	before = scratch_read(scratch_path("queue/20241004.wmq"), &len);
	before[200] ^= 1;
	scratch_write("queue/20241004.wmq", before, len, 0600);
	refused("20241004.wmq is damaged at byte 176 (record 2)");
	after = scratch_read(scratch_path("queue/20241004.wmq"), &after_len);
	CU_ASSERT_EQUAL(after_len, len);
	CU_ASSERT_EQUAL(memcmp(after, before, len), 0);
	free(before);
	free(after);
}

static void
torn_tail(void)
{
	struct stat st;
	struct queue *queue;
	uint64_t seq;
	unsigned numbers[8];
	enum queue_result result;
	char *data;
	size_t len;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	for (unsigned i = 0; i < 3; i++)
		rig_commit(queue, i, 1, NOON, &seq);
	rig_fault.dead = true;
	queue_close(&queue);
	rig_fault_none();
	data = scratch_read(scratch_path("queue/20241004.wmq"), &len);
	memset(data + SEGMENT_HEADER_SIZE + 3 * 64 - 20, 0, 20);
	scratch_write("queue/20241004.wmq", data, len, 0600);
	free(data);
	queue = rig_open("queue", 1 << 20, NOON);
	CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
	CU_ASSERT_EQUAL(rig_news.cut_at, SEGMENT_HEADER_SIZE + 2 * 64);
	CU_ASSERT_STRING_EQUAL(rig_news.cut_file, "20241004.wmq");
	CU_ASSERT_EQUAL(stat(scratch_path("queue/20241004.wmq"), &st), 0);
	CU_ASSERT_EQUAL(st.st_size, SEGMENT_HEADER_SIZE + 2 * 64);
	CU_ASSERT_EQUAL(rig_commit(queue, 7, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_EQUAL(seq, 3);
	CU_ASSERT_EQUAL(rig_read(queue, 0, 4096, numbers, &result), 3);
	CU_ASSERT_TRUE(numbers[1] == 1 && numbers[2] == 7);
	queue_close(&queue);
}

/* Each bit of all files of a queue that was closed: it is not opened, or says
 * when it is read that it is damaged.  Nothing but what was written is read. */
static void
each_bit(void)
{
	struct queue *queue;
	struct queue_view *view;
	unsigned numbers[16];
	enum queue_result result;
	char path[64], *data;
	size_t len, n;

	prepare_segments();
	queue = rig_open("queue", 300, NOON);
	view = queue_view(queue);
	queue_close(&queue);
	for (size_t bit = 0, file = 0; file < view->count; bit++) {
		snprintf(path, sizeof(path), "queue/%s",
		    view->files[file].name);
		data = scratch_read(scratch_path(path), &len);
		if (bit / 8 < len) {
			data[bit / 8] ^= (char)(1 << bit % 8);
			scratch_write(path, data, len, 0600);
			queue = rig_open("queue", 300, NOON);
			n = queue == NULL ? 0 : rig_read(queue, 0, 4096,
			    numbers, &result);
			CU_ASSERT_TRUE(queue == NULL ||
			    result == QUEUE_DAMAGED);
			for (size_t i = 0; i < n; i++)
				CU_ASSERT_EQUAL(numbers[i], i);
			queue_close(&queue);
			data[bit / 8] ^= (char)(1 << bit % 8);
			scratch_write(path, data, len, 0600);
		} else {
			file++;
			bit = SIZE_MAX;
		}
		free(data);
	}
	free(view);
}

const struct cutap_test queue_damage_tests[] = {
	{ "old files are deleted, oldest first", prunes },
	{ "also when that is ended anywhere", prune_killed },
	{ "missing, swapped, cut and foreign files", wrong_segments },
	{ "other files are left alone", other_files },
	{ "no bit of a finished file changes unseen",
	    each_bit_of_a_segment },
	{ "nor any bit of any file", each_bit },
	{ "damage is refused, and left as it is", damage_refused },
	{ "a torn tail is cut off", torn_tail },
	{ NULL, NULL }
};
