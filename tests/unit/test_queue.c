/* SPDX-License-Identifier: MIT */
/*
 * The queue's files: what was acknowledged is there, whichever system call
 * fails, and nothing is there that was refused.
 */
#include "cutap.h"
#include "queue_rig.h"
#include "scratch.h"

#include <metacube/queue.h>

#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMITS		6	/* of the script */
#define EACH		2	/* records in each of them */

/*
 * A life of a queue with a bit of everything: created, three commits (with a
 * new segment), closed, opened again, the other three, read, its first file
 * deleted, closed.  Ends where a process would: when it cannot open or has
 * lost track.
 */
struct outcome {
	enum queue_result	commits[COMMITS];
	bool			opened, read, prunes;
	size_t			pruned;		/* files, at least */
};

static bool
script_commits(struct queue *queue, unsigned from, struct outcome *outcome)
{
	uint64_t seq;

	for (unsigned i = from; i < from + COMMITS / 2; i++) {
		outcome->commits[i] = rig_commit(queue, EACH * i, EACH,
		    NOON + i, &seq);
		if (outcome->commits[i] == QUEUE_LOST)
			return false;
	}
	return true;
}

static void
script(struct outcome *outcome)
{
	unsigned numbers[EACH * COMMITS];
	enum queue_result result;
	struct queue *queue;

	memset(outcome, 0, sizeof(*outcome));
	for (unsigned i = 0; i < COMMITS; i++)
		outcome->commits[i] = QUEUE_FULL;	/* not even tried */
	for (unsigned half = 0; half < 2; half++) {
		queue = rig_open("queue", 300, NOON);
		if (queue == NULL)
			return;
		if (!script_commits(queue, half * COMMITS / 2, outcome)) {
			rig_fault.dead = true;
			queue_close(&queue);
			return;
		}
		if (half == 1) {
			outcome->read = rig_read(queue, 0, 200, numbers,
			    &result) > 0 && result == QUEUE_OK;
			outcome->prunes = true;
			queue_prune(queue, EACH, &outcome->pruned);
		}
		queue_close(&queue);
	}
	outcome->opened = true;
}

/* How many records are not there any more?  Only those that were to go. */
static uint64_t
deleted_of(struct queue *queue, const struct outcome *outcome)
{
	struct wmq_position position;

	queue_position(queue, &position);
	CU_ASSERT_TRUE(position.oldest == 1 || (outcome->prunes &&
	    position.oldest == 1 + EACH));
	CU_ASSERT_TRUE(outcome->pruned == 0 || position.oldest > 1);
	return position.oldest - 1;
}

/* What a commit's answer promises: OK is there, FULL is not, LOST may be. */
static void
outcome_check(const struct outcome *outcome)
{
	unsigned numbers[EACH * COMMITS], next = 0;
	enum queue_result result;
	struct queue *queue;
	uint64_t deleted;
	size_t n;

	rig_fault_none();
	queue = rig_open("queue", 300, NOON);
	CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
	deleted = deleted_of(queue, outcome);
	n = rig_read(queue, deleted, 4096, numbers, &result);
	CU_ASSERT_EQUAL(result, QUEUE_OK);
	for (unsigned i = 0; i < COMMITS; i++) {
		bool there = next < n && numbers[next] == EACH * i;

		if (!there && deleted > 0 &&
		    outcome->commits[i] == QUEUE_OK) {
			deleted -= EACH;
			continue;
		}
		if (outcome->commits[i] != QUEUE_LOST)
			CU_ASSERT_EQUAL(there,
			    outcome->commits[i] == QUEUE_OK);
		for (unsigned j = 0; there && j < EACH; j++)
			CU_ASSERT_TRUE(next < n &&
			    numbers[next++] == EACH * i + j);
	}
	CU_ASSERT_EQUAL(next, n);
	queue_close(&queue);
}

/* The tests. */

static void
untroubled(void)
{
	struct outcome outcome;

	rig_fresh();
	rig_fault_none();
	script(&outcome);
	CU_ASSERT_TRUE(outcome.opened && outcome.read);
	for (unsigned i = 0; i < COMMITS; i++)
		CU_ASSERT_EQUAL(outcome.commits[i], QUEUE_OK);
	for (unsigned i = 0; i < CALLS; i++)
		CU_ASSERT_TRUE(rig_fault.count[i] > 0);
	outcome_check(&outcome);
}

static unsigned
calls_of(enum call call)
{
	struct outcome outcome;

	rig_fresh();
	rig_fault_none();
	script(&outcome);
	return rig_fault.count[call];
}

static void
each_fails(int error, bool from_then_on)
{
	struct outcome outcome;

	for (enum call call = 0; call < CALLS; call++) {
		unsigned count = calls_of(call);

		for (unsigned nth = 1; nth <= count; nth++) {
			rig_fresh();
			rig_fault_set(call, nth, error);
			rig_fault.from_then_on = from_then_on;
			script(&outcome);
			outcome_check(&outcome);
		}
	}
}

static void
each_fails_eio(void)
{
	each_fails(EIO, false);
}

static void
each_fails_enospc(void)
{
	each_fails(ENOSPC, false);
	each_fails(ENOSPC, true);
}

/* Nobody even notices these. */
static void
each_is_harmless(int error, enum call only)
{
	struct outcome outcome;
	unsigned count = calls_of(only);

	for (unsigned nth = 1; nth <= count; nth++) {
		rig_fresh();
		rig_fault_set(only, nth, error);
		script(&outcome);
		CU_ASSERT_TRUE(outcome.opened && outcome.read);
		for (unsigned i = 0; i < COMMITS; i++)
			CU_ASSERT_EQUAL(outcome.commits[i], QUEUE_OK);
		outcome_check(&outcome);
	}
}

static void
interrupted_or_short(void)
{
	each_is_harmless(EINTR, CALL_PREAD);
	each_is_harmless(EINTR, CALL_PWRITE);
	each_is_harmless(EINTR, CALL_FDATASYNC);
	each_is_harmless(EINTR, CALL_FALLOCATE);
	each_is_harmless(0, CALL_PREAD);
	each_is_harmless(0, CALL_PWRITE);
	each_is_harmless(EOPNOTSUPP, CALL_FALLOCATE);
}

static void
sync_error(void)
{
	struct queue *queue;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	CU_ASSERT_EQUAL(rig_commit(queue, 0, 1, NOON, &seq), QUEUE_OK);
	rig_fault_set(CALL_FDATASYNC, 1, EIO);
	CU_ASSERT_EQUAL(rig_commit(queue, 1, 1, NOON, &seq), QUEUE_LOST);
	CU_ASSERT_EQUAL(rig_fault.count[CALL_FDATASYNC], 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(queue_why(queue), "fdatasync"));
	queue_close(&queue);
}

/* What is in memory after it is not believed: the next start writes the last
 * commit again before it syncs. */
static void
sync_error_then_start(void)
{
	struct queue *queue;
	uint64_t seq;

	rig_fresh();
	queue = rig_open("queue", 1 << 20, NOON);
	CU_ASSERT_EQUAL(rig_commit(queue, 0, 1, NOON, &seq), QUEUE_OK);
	rig_fault_set(CALL_FDATASYNC, 1, EIO);
	CU_ASSERT_EQUAL(rig_commit(queue, 1, 1, NOON, &seq), QUEUE_LOST);
	rig_fault.dead = true;
	queue_close(&queue);
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	CU_ASSERT_EQUAL(rig_fault.count[CALL_PWRITE], 1);
	CU_ASSERT_EQUAL(rig_fault.count[CALL_FDATASYNC], 1);
	CU_ASSERT_EQUAL(rig_commit(queue, 2, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_EQUAL(seq, 3);
	queue_close(&queue);
	rig_fault_set(CALL_PWRITE, 1, EIO);
	CU_ASSERT_PTR_NULL(rig_open("queue", 1 << 20, NOON));
	rig_fault_none();
}

/* Over days, and starts, both ways: names and times only go on. */
static void
clock_jumps(void)
{
	static const int day[] = { 0, 1, -1, 0, 2, 1, 2, -1, 3 };
	static char batch[8192];
	struct mc_reply reply = { .status = MC_OK, .data = batch };
	struct wmq_record record;
	struct queue_view *view;
	struct queue *queue;
	uint64_t seq, before = 0;
	size_t offset = 0;

	rig_fresh();
	for (unsigned i = 0; i < 9; i++) {
		queue = rig_open("queue", 300, NOON +
		    (uint64_t)((day[i] + 1) * (int64_t)DAY));
		for (unsigned j = 0; j < 3; j++)
			CU_ASSERT_EQUAL(rig_commit(queue, 3 * i + j, 1, NOON +
			    (uint64_t)((day[(i + j) % 9] + 1) *
			    (int64_t)DAY) + i, &seq), QUEUE_OK);
		CU_ASSERT_EQUAL(seq, 3 * (i + 1));
		queue_close(&queue);
	}
	queue = rig_open("queue", 300, NOON);
	CU_ASSERT_EQUAL(queue_read(queue, 0, sizeof(batch), batch,
	    sizeof(batch), &reply.len), QUEUE_OK);
	for (seq = 0; wmq_batch_next(&reply, &offset, &record) != NULL;
	    seq++) {
		CU_ASSERT_TRUE(record.time_ms >= before);
		before = record.time_ms;
	}
	CU_ASSERT_EQUAL(seq, 27);
	view = queue_view(queue);
	for (size_t i = 1; i < view->count; i++)
		CU_ASSERT_TRUE(queue_compare(view->files[i - 1].name,
		    view->files[i].name) < 0 &&
		    view->files[i - 1].first_seq < view->files[i].first_seq);
	free(view);
	queue_close(&queue);
}

static void
full_disk(void)
{
	unsigned numbers[8];
	enum queue_result result;
	struct queue *queue;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	rig_fault_set(CALL_FALLOCATE, 1, ENOSPC);
	rig_fault.from_then_on = true;
	CU_ASSERT_EQUAL(rig_commit(queue, 0, 1, NOON, &seq), QUEUE_FULL);
	CU_ASSERT_EQUAL(rig_commit(queue, 1, 1, NOON, &seq), QUEUE_FULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(queue_why(queue), strerror(ENOSPC)));
	rig_fault_none();
	CU_ASSERT_EQUAL(rig_commit(queue, 2, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_EQUAL(seq, 1);
	rig_fault_set(CALL_PWRITE, 1, ENOSPC);
	CU_ASSERT_EQUAL(rig_commit(queue, 3, 1, NOON, &seq), QUEUE_FULL);
	CU_ASSERT_EQUAL(rig_commit(queue, 4, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_EQUAL(seq, 2);
	CU_ASSERT_EQUAL(rig_read(queue, 0, 4096, numbers, &result), 2);
	CU_ASSERT_TRUE(numbers[0] == 2 && numbers[1] == 4);
	queue_close(&queue);
}

/* Less than a whole step is left, but enough. */
static void
nearly_full_disk(void)
{
	struct queue *queue;
	struct stat st;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	rig_fault_set(CALL_FALLOCATE, 1, ENOSPC);	/* only the first try */
	CU_ASSERT_EQUAL(rig_commit(queue, 0, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_EQUAL(stat(scratch_path("queue/20241004.wmq"), &st), 0);
	CU_ASSERT_EQUAL(st.st_size, SEGMENT_BLOCK);
	queue_close(&queue);
}

static void
one_writer(void)
{
	struct queue *first, *second;
	char pid[16];

	rig_fresh();
	rig_fault_none();
	first = rig_open("queue", 1 << 20, NOON);
	second = rig_open("queue", 1 << 20, NOON);
	CU_ASSERT_PTR_NULL(second);
	snprintf(pid, sizeof(pid), "(%d)", (int)getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_why, pid));
	queue_close(&first);
	second = rig_open("queue", 1 << 20, NOON);
	CU_ASSERT_PTR_NOT_NULL(second);
	queue_close(&second);
}

static void
days(void)
{
	static const int day[] = { 0, 0, 1, 1, 3, 2, 0, 3, 4 };
	struct queue *queue;
	unsigned numbers[16];
	enum queue_result result;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 1 << 20, NOON);
	for (unsigned i = 0; i < 9; i++)
		CU_ASSERT_EQUAL(rig_commit(queue, i, 1, NOON +
		    (uint64_t)day[i] * DAY, &seq), QUEUE_OK);
	CU_ASSERT_TRUE(rig_is_there("queue/20241004.wmq") &&
	    rig_is_there("queue/20241005.wmq") &&
	    !rig_is_there("queue/20241006.wmq") &&
	    rig_is_there("queue/20241007.wmq") &&
	    rig_is_there("queue/20241008.wmq") &&
	    !rig_is_there("queue/20241004-001.wmq"));
	for (unsigned after = 0; after <= 9; after++) {
		CU_ASSERT_EQUAL(rig_read(queue, after, 1, numbers, &result),
		    9 - after);
		CU_ASSERT_TRUE(after == 9 || numbers[0] == after);
	}
	queue_close(&queue);
}

/* Many segments in one day, opened a day too early. */
static void
sizes(void)
{
	struct queue *queue;
	unsigned numbers[64];
	enum queue_result result;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 300, NOON);
	for (unsigned i = 0; i < 40; i++)
		CU_ASSERT_EQUAL(rig_commit(queue, i, 1, NOON, &seq), QUEUE_OK);
	CU_ASSERT_TRUE(rig_is_there("queue/20241004-001.wmq") &&
	    rig_is_there("queue/20241004-012.wmq"));
	queue_close(&queue);
	queue = rig_open("queue", 300, NOON - DAY);
	for (unsigned i = 40; i < 50; i++)
		CU_ASSERT_EQUAL(rig_commit(queue, i, 1, NOON - DAY, &seq),
		    QUEUE_OK);
	CU_ASSERT_FALSE(rig_is_there("queue/20241003.wmq"));
	CU_ASSERT_EQUAL(rig_read(queue, 0, 4096, numbers, &result), 50);
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(numbers[i], i);
	queue_close(&queue);
}

/* Records over several windows and marks, read from anywhere. */
static void
anywhere(void)
{
	enum { MANY = 300, SIZE = 3000 };
	static uint8_t data[SIZE];
	struct queue_entry entry = { "tst", data, SIZE };
	struct queue *queue;
	unsigned numbers[MANY];
	enum queue_result result;
	uint64_t seq;

	rig_fresh();
	rig_fault_none();
	queue = rig_open("queue", 400000, NOON);
	for (unsigned i = 0; i < MANY; i++) {
		memcpy(data, &i, sizeof(i));
		CU_ASSERT_EQUAL(queue_commit(queue, &entry, 1, NOON, &seq),
		    QUEUE_OK);
	}
	queue_close(&queue);
	queue = rig_open("queue", 400000, NOON);
	for (unsigned i = 0; i < 200; i++) {
		unsigned after = i * 7919 % (MANY + 1);
		size_t n = rig_read(queue, after, i % 2 ? 1 : 1 << 17,
		    numbers, &result);

		CU_ASSERT_EQUAL(n, MANY - after);
		CU_ASSERT_TRUE(n == 0 || (numbers[0] == after &&
		    numbers[n - 1] == MANY - 1));
	}
	queue_close(&queue);
}

extern const struct cutap_test queue_damage_tests[];
extern const struct cutap_test queue_durable_tests[];
extern const struct cutap_test queue_epoch_tests[];
extern const struct cutap_test queue_mirror_tests[];

static const struct cutap_test queue_tests[] = {
	{ "a life without trouble", untroubled },
	{ "each call fails once with EIO", each_fails_eio },
	{ "each call finds the disk full", each_fails_enospc },
	{ "interruptions and short counts are harmless",
	    interrupted_or_short },
	{ "a failed fdatasync is not tried again", sync_error },
	{ "and the start after it does not believe the memory",
	    sync_error_then_start },
	{ "a full disk refuses, and goes on later", full_disk },
	{ "a nearly full disk is used to the end", nearly_full_disk },
	{ "one writer at a time", one_writer },
	{ "a file for each day, and no way back", days },
	{ "the clock jumps by days, also over a start", clock_jumps },
	{ "files of one day", sizes },
	{ "reading from anywhere", anywhere },
	{ NULL, NULL }
};

int
main(void)
{
	static const struct cutap_suite suites[] = {
		{ "queue", queue_tests },
		{ "damage", queue_damage_tests },
		{ "durable", queue_durable_tests },
		{ "epoch", queue_epoch_tests },
		{ "mirror", queue_mirror_tests },
		{ NULL, NULL }
	};
	int status;

	scratch_make();
	status = cutap_run_all(suites);
	scratch_remove();
	return status;
}
