/* SPDX-License-Identifier: MIT */
#include "queue_rig.h"

#include "cutap.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_SIZE	(2 * (WMQ_DATA_MAX + 64))
#define RECORDS_MAX	16	/* of one commit */

struct rig_fault rig_fault;
struct queue_news rig_news;
char rig_why[QUEUE_WHY];
const char *rig_epoch;

/* Does this one fail?  1: with errno, 2: by being short. */
static int
fails(enum call call)
{
	unsigned n = ++rig_fault.count[call];

	if (call != CALL_OPEN && call != CALL_PREAD)
		rig_fault.changes++;
	if (rig_fault.dies_at > 0 && rig_fault.changes >= rig_fault.dies_at)
		rig_fault.dead = true;
	if (rig_fault.dead && call != CALL_PREAD) {
		errno = EIO;
		return 1;
	}
	if (call != rig_fault.call || rig_fault.nth == 0 || n < rig_fault.nth ||
	    (n > rig_fault.nth && !rig_fault.from_then_on))
		return 0;
	errno = rig_fault.error;
	return rig_fault.error == 0 ? 2 : 1;
}

static int
try_open(const char *path, int flags)
{
	return fails(CALL_OPEN) ? -1 : open(path, flags, 0600);
}

static ssize_t
try_pread(int fd, void *data, size_t len, off_t offset)
{
	int how = fails(CALL_PREAD);

	return how == 1 ? -1 : pread(fd, data, how == 2 ? 1 : len, offset);
}

static ssize_t
try_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	int how = fails(CALL_PWRITE);

	if (how == 1 && rig_fault.error == ENOSPC && !rig_fault.dead && len > 10) {
		if (pwrite(fd, data, len / 2, offset) == -1)
			abort();	/* a part may have got there */
		errno = ENOSPC;
	}
	return how == 1 ? -1 : pwrite(fd, data, how == 2 ? 1 : len, offset);
}

static int
try_fdatasync(int fd)
{
	(void)fd;		/* power cuts are not what is tested here */
	return fails(CALL_FDATASYNC) ? -1 : 0;
}

static int
try_ftruncate(int fd, off_t size)
{
	return fails(CALL_FTRUNCATE) ? -1 : ftruncate(fd, size);
}

static int
try_fallocate(int fd, off_t offset, off_t len)
{
	return fails(CALL_FALLOCATE) ? -1 :
	    ftruncate(fd, offset + len);	/* the same zeroes */
}

static int
try_rename(const char *from, const char *to)
{
	return fails(CALL_RENAME) ? -1 : rename(from, to);
}

static int
try_unlink(const char *path)
{
	return fails(CALL_UNLINK) ? -1 : unlink(path);
}

static int
try_mkdir(const char *path)
{
	return fails(CALL_MKDIR) ? -1 : mkdir(path, 0700);
}

static int
try_fsync_dir(const char *path)
{
	(void)path;
	return fails(CALL_FSYNC_DIR) ? -1 : 0;
}

const struct queue_io rig_io = {
	.open		= try_open,
	.pread		= try_pread,
	.pwrite		= try_pwrite,
	.fdatasync	= try_fdatasync,
	.ftruncate	= try_ftruncate,
	.fallocate	= try_fallocate,
	.rename		= try_rename,
	.unlink		= try_unlink,
	.mkdir		= try_mkdir,
	.fsync_dir	= try_fsync_dir,
	.close		= close,
};

void
rig_fault_set(enum call call, unsigned nth, int error)
{
	memset(&rig_fault, 0, sizeof(rig_fault));
	rig_fault.call = call;
	rig_fault.nth = nth;
	rig_fault.error = error;
}

void
rig_fault_none(void)
{
	rig_fault_set(CALLS, 0, 0);
}


struct queue *
rig_open(const char *name, uint64_t segment_size, uint64_t now_ms)
{
	struct queue_conf conf = {
		.path = scratch_path(name), .segment_size = segment_size,
		.server = "joe", .io = &rig_io
	};

	const char *epoch = rig_epoch == NULL ? "the one epoch" : rig_epoch;

	memcpy(conf.epoch, epoch, strnlen(epoch, sizeof(conf.epoch)));
	return queue_open(&conf, now_ms, &rig_news, rig_why);
}

enum queue_result
rig_commit(struct queue *queue, unsigned first, size_t count, uint64_t now_ms,
    uint64_t *seq_r)
{
	struct queue_entry entries[RECORDS_MAX];
	unsigned numbers[RECORDS_MAX];

	for (size_t i = 0; i < count; i++) {
		numbers[i] = first + (unsigned)i;
		entries[i] = (struct queue_entry){ "tst", &numbers[i],
		    sizeof(numbers[i]) };
	}
	return queue_commit(queue, entries, count, now_ms, seq_r);
}

/* Reads everything after the number; returns how many there were, the
 * numbers inside in out. */
size_t
rig_read(struct queue *queue, uint64_t after, size_t max, unsigned *out,
    enum queue_result *result_r)
{
	struct mc_reply reply = { .status = MC_OK };
	struct wmq_record record;
	void *batch = malloc(BATCH_SIZE);
	const void *data;
	size_t n = 0, before;

	reply.data = batch;
	do {
		size_t offset = 0;

		before = n;
		*result_r = queue_read(queue, after, max, batch, BATCH_SIZE,
		    &reply.len);
		while (*result_r == QUEUE_OK && (data = wmq_batch_next(&reply,
		    &offset, &record)) != NULL) {
			CU_ASSERT_EQUAL(record.seq, after + 1);
			after = record.seq;
			memcpy(&out[n++], data, sizeof(*out));
		}
	} while (*result_r == QUEUE_OK && n > before);
	free(batch);
	return n;
}

void
rig_fresh(void)
{
	rig_fault_none();
	scratch_remove();
	scratch_make();
}

bool
rig_is_there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}
