/* SPDX-License-Identifier: MIT */
/*
 * io - the system calls by which a queue changes its files.
 *
 * All of them stand in one table, so that a test can make any one of them
 * fail.  Each is the call of that name: -1 and errno.
 */
#ifndef WMQ_FILE_IO_H
#define WMQ_FILE_IO_H

#include <sys/types.h>

struct wmq_io {
	int	(*open)(const char *path, int flags);	/* created: 0600 */
	ssize_t	(*pread)(int fd, void *data, size_t len, off_t offset);
	ssize_t	(*pwrite)(int fd, const void *data, size_t len, off_t offset);
	int	(*fdatasync)(int fd);
	int	(*ftruncate)(int fd, off_t size);
	int	(*fallocate)(int fd, off_t offset, off_t len);
	int	(*rename)(const char *from, const char *to);
	int	(*unlink)(const char *path);
	int	(*fsync_dir)(const char *path);
	int	(*close)(int fd);
};

extern const struct wmq_io wmq_io_real;

#endif
