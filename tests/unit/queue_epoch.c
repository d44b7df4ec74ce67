/* SPDX-License-Identifier: MIT */
/*
 * A new epoch, ended anywhere: the old queue is whole, or the new one is, or
 * it is said that it has to be done again; and nothing of the old is lost.
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

#define OLD		9	/* records */
#define FOLDER		"queue/old-74686520"	/* "the " */

static struct wmq_pointer at;

static int
new_epoch(const char *epoch)
{
	struct queue_conf conf = {
		.path = scratch_path("queue"), .segment_size = 300,
		.server = "joe", .io = &rig_io
	};
	unsigned number = OLD;
	struct queue_entry first = { "tst", &number, sizeof(number) };

	memcpy(conf.epoch, epoch, strnlen(epoch, sizeof(conf.epoch)));
	memset(&at, 0, sizeof(at));
	return queue_new_epoch(&conf, NOON + DAY, &first, &at, rig_why);
}

static void
prepare(void)
{
	struct queue *queue;
	uint64_t seq;

	rig_fresh();
	queue = rig_open("queue", 300, NOON);
	for (unsigned i = 0; i < OLD; i++)
		CU_ASSERT_EQUAL(rig_commit(queue, i, 1, NOON, &seq),
		    QUEUE_OK);
	queue_close(&queue);
}

/* Numbers in the folder: from this one on, so many. */
static void
holds(const char *folder, const char *epoch, unsigned from, size_t count)
{
	struct queue *queue = rig_open(folder, 300, NOON);
	unsigned numbers[32];
	enum queue_result result;
	struct wmq_position position;

	CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
	queue_position(queue, &position);
	CU_ASSERT_EQUAL(strncmp((char *)position.epoch, epoch, 16), 0);
	CU_ASSERT_EQUAL(position.oldest, from + 1);
	CU_ASSERT_EQUAL(rig_read(queue, from, 1 << 16, numbers, &result),
	    count);
	CU_ASSERT_EQUAL(result, QUEUE_OK);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(numbers[i], from + i);
	queue_close(&queue);
}

/* It continues the numbers, and nothing else. */
static void
begins(const char *name)
{
	static const uint8_t none[SEGMENT_HASH_SIZE];
	struct segment_header header;
	size_t len;
	char *data = scratch_read(scratch_path(name), &len);

	CU_ASSERT_PTR_NULL(segment_header_read(data, len, &header));
	CU_ASSERT_EQUAL(memcmp(header.previous, none, sizeof(none)), 0);
	CU_ASSERT_EQUAL(header.first_seq, OLD + 1);
	free(data);
}

static void
completed(void)
{
	begins("queue/20241005.wmq");
	holds("queue", "a new one", OLD, 1);
	holds(FOLDER, "the one epoch", 0, OLD);
	CU_ASSERT_TRUE(rig_is_there("queue/20241005.wmq"));
	CU_ASSERT_FALSE(rig_is_there("queue/20241004.wmq"));
}

static void
undisturbed(void)
{
	prepare();
	CU_ASSERT_EQUAL(new_epoch("a new one"), 0);
	CU_ASSERT_EQUAL(at.seq, OLD + 1);
	CU_ASSERT_EQUAL(strncmp((char *)at.epoch, "a new one", 16), 0);
	completed();
}

/* What is there after it was ended somewhere; then it is done again. */
static void
look_and_repeat(void)
{
	struct queue *queue;
	struct wmq_position position;

	rig_fault_none();
	queue = rig_open("queue", 300, NOON);
	if (queue == NULL) {
		CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, "begin it again"));
		CU_ASSERT_EQUAL(new_epoch("a new one"), 0);
		completed();
		return;
	}
	queue_position(queue, &position);
	queue_close(&queue);
	if (position.oldest == 1) {
		holds("queue", "the one epoch", 0, OLD);
		CU_ASSERT_EQUAL(new_epoch("a new one"), 0);
	}
	completed();
}

static void
ended_anywhere(void)
{
	unsigned changes;

	prepare();
	rig_fault_none();
	CU_ASSERT_EQUAL(new_epoch("a new one"), 0);
	changes = rig_fault.changes;
	CU_ASSERT_TRUE(changes > 10);
	for (unsigned n = 1; n <= changes; n++) {
		prepare();
		rig_fault_none();
		rig_fault.dies_at = n;
		CU_ASSERT_EQUAL(new_epoch("a new one"), -1);
		look_and_repeat();
	}
}

static void
each_call(int error)
{
	for (enum call call = 0; call < CALLS; call++) {
		unsigned count;

		prepare();
		rig_fault_none();
		new_epoch("a new one");
		count = rig_fault.count[call];
		for (unsigned nth = 1; nth <= count; nth++) {
			prepare();
			rig_fault_set(call, nth, error);
			if (new_epoch("a new one") == 0)
				completed();
			look_and_repeat();
		}
	}
}

static void
each_call_fails(void)
{
	each_call(EIO);
	each_call(ENOSPC);
	each_call(EINTR);
	each_call(0);
}

static void
refused(void)
{
	struct queue *queue;
	char *data;
	size_t len;

	rig_fresh();
	CU_ASSERT_EQUAL(new_epoch("a new one"), -1);
	CU_ASSERT_FALSE(rig_is_there("queue"));
	CU_ASSERT_EQUAL(mkdir(scratch_path("queue"), 0700), 0);
	CU_ASSERT_EQUAL(new_epoch("a new one"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, "no queue here"));

	prepare();
	queue = rig_open("queue", 300, NOON);
	CU_ASSERT_EQUAL(new_epoch("a new one"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, "in use"));
	queue_close(&queue);

	CU_ASSERT_EQUAL(new_epoch("the one epoch"), -1);
	CU_ASSERT_EQUAL(mkdir(scratch_path(FOLDER), 0700), 0);
	scratch_text(FOLDER "/20241004-001.wmq", "of an earlier time");
	CU_ASSERT_EQUAL(new_epoch("a new one"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, "is there already"));
	holds("queue", "the one epoch", 0, OLD);

	prepare();
	data = scratch_read(scratch_path("queue/20241004-001.wmq"), &len);
	data[20] ^= 1;
	scratch_write("queue/20241004-001.wmq", data, len, 0600);
	free(data);
	CU_ASSERT_EQUAL(new_epoch("a new one"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, "20241004-001.wmq"));
	CU_ASSERT_FALSE(rig_is_there("queue/20241005.wmq"));
}

const struct cutap_test queue_epoch_tests[] = {
	{ "a new epoch", undisturbed },
	{ "ended anywhere, and done again", ended_anywhere },
	{ "each call fails once", each_call_fails },
	{ "what is refused", refused },
	{ NULL, NULL }
};
