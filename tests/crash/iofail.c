/* SPDX-License-Identifier: MIT */
/*
 * iofail - preloaded into a server, makes one of its calls fail that change
 * files: IOFAIL is "N KIND", the Nth such call, counted from the start.
 *
 *	eio, enospc, eintr	it fails with that
 *	short			a write writes half of it, and says so
 *
 * Only files and folders count, and not the standard descriptors.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name)	((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_uint calls;
static unsigned wanted;
static char kind[16];

static void __attribute__((constructor))
begin(void)
{
	const char *text = getenv("IOFAIL");

	if (text == NULL || sscanf(text, "%u %15s", &wanted, kind) != 2)
		wanted = 0;
}

/* Is it this one's turn?  fd -1: a call without one. */
static bool
turn(int fd)
{
	struct stat st;

	if (wanted == 0 || (fd != -1 && (fd <= STDERR_FILENO ||
	    fstat(fd, &st) == -1 || (!S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode)))))
		return false;
	return ++calls == wanted;
}

static int
error_of(void)
{
	return strcmp(kind, "eio") == 0 ? EIO :
	    strcmp(kind, "enospc") == 0 ? ENOSPC :
	    strcmp(kind, "eintr") == 0 ? EINTR : 0;
}

/* false: the call goes on, with len bytes. */
static bool
write_fails(int fd, size_t *len, ssize_t *result_r)
{
	if (!turn(fd))
		return false;
	*result_r = -1;
	errno = error_of();
	if (errno != 0)
		return true;
	*len = *len > 1 ? *len / 2 : *len;
	return false;
}

/* The calls without bytes know no half. */
static bool
fails(int fd)
{
	if (!turn(fd) || error_of() == 0)
		return false;
	errno = error_of();
	return true;
}

#pragma GCC visibility push(default)

ssize_t
write(int fd, const void *data, size_t len)
{
	ssize_t result;

	return write_fails(fd, &len, &result) ? result :
	    REAL(write)(fd, data, len);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t result;

	return write_fails(fd, &len, &result) ? result :
	    REAL(pwrite)(fd, data, len, offset);
}

int
fdatasync(int fd)
{
	return fails(fd) ? -1 : REAL(fdatasync)(fd);
}

int
fsync(int fd)
{
	return fails(fd) ? -1 : REAL(fsync)(fd);
}

int
ftruncate(int fd, off_t size)
{
	return fails(fd) ? -1 : REAL(ftruncate)(fd, size);
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
	return fails(fd) ? -1 : REAL(fallocate)(fd, mode, offset, len);
}

int
rename(const char *from, const char *to)
{
	return fails(-1) ? -1 : REAL(rename)(from, to);
}
