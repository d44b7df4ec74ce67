/* SPDX-License-Identifier: MIT */
/*
 * A power cut takes what was not synced.  So whenever the queue has answered,
 * nothing may be left that a cut could take: every byte written, every size
 * changed and every name given has been synced before.
 */
#include "cutap.h"
#include "scratch.h"

#include <metacube/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOON		(20000 * (uint64_t)86400000 + 43200000)
#define FILES		256	/* no fd is higher */

/* What a power cut could take. */
static struct {
	bool		files[FILES];	/* by fd: not as the disk has it */
	bool		names;		/* those in the folder */
	unsigned	closed, renamed;	/* files, before a sync */
	bool		full;		/* the disk */
} cut;

static int
changed(int fd, int result)
{
	if (result != -1)
		cut.files[fd % FILES] = true;
	return result;
}

/* What another process has left may be in memory only, though readable. */
static int
cut_open(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	cut.names |= (flags & O_CREAT) != 0;
	return (flags & O_ACCMODE) == O_RDONLY ? fd : changed(fd, fd);
}

static ssize_t
cut_pread(int fd, void *data, size_t len, off_t offset)
{
	return pread(fd, data, len, offset);
}

static ssize_t
cut_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (!cut.full)
		return changed(fd, (int)pwrite(fd, data, len, offset));
	if (pwrite(fd, data, len / 2, offset) > 0)
		changed(fd, 0);
	errno = ENOSPC;
	return -1;
}

static int
cut_fdatasync(int fd)
{
	cut.files[fd % FILES] = false;
	return 0;
}

static int
cut_ftruncate(int fd, off_t size)
{
	return changed(fd, ftruncate(fd, size));
}

static int
cut_fallocate(int fd, off_t offset, off_t len)
{
	return changed(fd, ftruncate(fd, offset + len));
}

static unsigned
unsynced(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < FILES; i++)
		count += cut.files[i];
	return count;
}

static int
cut_rename(const char *from, const char *to)
{
	cut.renamed += unsynced();
	cut.names = true;
	return rename(from, to);
}

static int
cut_unlink(const char *path)
{
	int result = unlink(path);

	cut.names |= result == 0;
	return result;
}

static int
cut_mkdir(const char *path)
{
	int result = mkdir(path, 0700);

	cut.names |= result == 0;
	return result;
}

static int
cut_fsync_dir(const char *path)
{
	(void)path;
	cut.names = false;
	return 0;
}

static int
cut_close(int fd)
{
	cut.closed += cut.files[fd % FILES];
	cut.files[fd % FILES] = false;
	return close(fd);
}

static const struct queue_io io = {
	.open		= cut_open,
	.pread		= cut_pread,
	.pwrite		= cut_pwrite,
	.fdatasync	= cut_fdatasync,
	.ftruncate	= cut_ftruncate,
	.fallocate	= cut_fallocate,
	.rename		= cut_rename,
	.unlink		= cut_unlink,
	.mkdir		= cut_mkdir,
	.fsync_dir	= cut_fsync_dir,
	.close		= cut_close,
};

static void
nothing_to_lose(void)
{
	CU_ASSERT_EQUAL(unsynced(), 0);
	CU_ASSERT_FALSE(cut.names);
	CU_ASSERT_EQUAL(cut.closed, 0);
	CU_ASSERT_EQUAL(cut.renamed, 0);
}

static struct queue *
open_queue(uint64_t segment_size)
{
	struct queue_conf conf = {
		.path = scratch_path("durable"), .segment_size = segment_size,
		.server = "joe", .epoch = "the one epoch", .io = &io
	};
	struct queue_news news;
	struct queue *queue;
	char why[QUEUE_WHY];

	memset(&cut, 0, sizeof(cut));
	queue = queue_open(&conf, NOON, &news, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
	nothing_to_lose();
	return queue;
}

static void
commits(struct queue *queue, enum queue_result wanted)
{
	struct queue_entry entry = { "tst", "twenty bytes of data", 20 };
	uint64_t seq;

	CU_ASSERT_EQUAL(queue_commit(queue, &entry, 1, NOON, &seq), wanted);
	nothing_to_lose();
}

static void
acknowledged(void)
{
	struct queue *queue;

	scratch_remove();
	scratch_make();
	queue = open_queue(300);
	for (int i = 0; i < 20; i++)
		commits(queue, QUEUE_OK);
	queue_close(&queue);
	nothing_to_lose();
}

static void
found_again(void)
{
	struct queue *queue;

	acknowledged();
	queue = open_queue(300);
	commits(queue, QUEUE_OK);
	queue_close(&queue);
	nothing_to_lose();
}

static void
refused(void)
{
	struct queue *queue;

	scratch_remove();
	scratch_make();
	queue = open_queue(1 << 20);
	commits(queue, QUEUE_OK);
	cut.full = true;
	commits(queue, QUEUE_FULL);
	cut.full = false;
	commits(queue, QUEUE_OK);
	queue_close(&queue);
}

static void
pruned(void)
{
	struct queue *queue;
	size_t count;

	acknowledged();
	queue = open_queue(300);
	CU_ASSERT_EQUAL(queue_prune(queue, 9, &count), QUEUE_OK);
	CU_ASSERT_TRUE(count > 3);
	nothing_to_lose();
	queue_close(&queue);
}

static void
new_epoch(void)
{
	struct queue_conf conf = {
		.server = "joe", .epoch = "another epoch", .io = &io
	};
	struct queue_entry first = { "tst", "one", 3 };
	struct wmq_pointer at;
	char why[QUEUE_WHY];

	acknowledged();
	conf.path = scratch_path("durable");
	memset(&cut, 0, sizeof(cut));
	CU_ASSERT_EQUAL(queue_new_epoch(&conf, NOON, &first, &at, why), 0);
	nothing_to_lose();
}

/* The files of the queue, as somebody carries them. */
static void
carry(struct queue *mirror, const struct queue_view *view)
{
	struct queue_place place;
	char path[128], *bytes;
	size_t len;

	CU_ASSERT_EQUAL(queue_mirror_anew(mirror, view->files[0].name),
	    QUEUE_OK);
	nothing_to_lose();
	for (size_t i = 0; i < view->count; i++) {
		if (i > 0)
			CU_ASSERT_EQUAL(queue_mirror_begin(mirror,
			    view->files[i].name), QUEUE_OK);
		nothing_to_lose();	/* of those before */
		snprintf(path, sizeof(path), "durable/%s",
		    view->files[i].name);
		bytes = scratch_read(scratch_path(path), &len);
		queue_mirror_place(mirror, &place);
		CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes, len),
		    QUEUE_OK);
		free(bytes);
	}
}

static void
mirrored(void)
{
	struct queue_conf conf = { .io = &io };
	struct queue *queue, *mirror;
	struct queue_view *view;
	struct queue_news news;
	char why[QUEUE_WHY];

	acknowledged();
	queue = open_queue(300);
	view = queue_view(queue);
	queue_close(&queue);
	CU_ASSERT_TRUE(view->count > 3);
	conf.path = scratch_path("mirror");
	mirror = queue_mirror_open(&conf, &news, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mirror);
	carry(mirror, view);
	queue_close(&mirror);
	free(view);
}

const struct cutap_test queue_durable_tests[] = {
	{ "a power cut takes nothing that was acknowledged", acknowledged },
	{ "nor what was found again", found_again },
	{ "nor brings back what was refused", refused },
	{ "nor what was deleted", pruned },
	{ "nor anything of a new epoch", new_epoch },
	{ "nor a finished file of a mirror", mirrored },
	{ NULL, NULL }
};
