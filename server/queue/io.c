/* SPDX-License-Identifier: MIT */
/*
 * The real calls.  After each one that changes a file there is a place where
 * the crash tests may end the process.
 */
#include <metacube/queue.h>

#include <metacube/host.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
crashable(int result, const char *point)
{
	mc_crash_point(point);
	return result;
}

static int
real_open(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600);
}

static ssize_t
real_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t result;

	mc_crash_point("wmq.write");
	result = pwrite(fd, data, len, offset);
	mc_crash_point("wmq.written");
	return result;
}

static int
real_fdatasync(int fd)
{
	return crashable(fdatasync(fd), "wmq.synced");
}

static int
real_ftruncate(int fd, off_t size)
{
	return crashable(ftruncate(fd, size), "wmq.truncated");
}

static int
real_fallocate(int fd, off_t offset, off_t len)
{
	return crashable(fallocate(fd, 0, offset, len), "wmq.allocated");
}

static int
real_rename(const char *from, const char *to)
{
	return crashable(rename(from, to), "wmq.renamed");
}

static int
real_unlink(const char *path)
{
	return crashable(unlink(path), "wmq.unlinked");
}

static int
real_mkdir(const char *path)
{
	return crashable(mkdir(path, 0700), "wmq.made");
}

static int
real_fsync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd == -1)
		return -1;
	result = fsync(fd);
	close(fd);
	return crashable(result, "wmq.dir_synced");
}

const struct queue_io queue_io_real = {
	.open		= real_open,
	.pread		= pread,
	.pwrite		= real_pwrite,
	.fdatasync	= real_fdatasync,
	.ftruncate	= real_ftruncate,
	.fallocate	= real_fallocate,
	.rename		= real_rename,
	.unlink		= real_unlink,
	.mkdir		= real_mkdir,
	.fsync_dir	= real_fsync_dir,
	.close		= close,
};
