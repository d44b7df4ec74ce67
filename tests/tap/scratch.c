/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static void __attribute__((noreturn))
bail(const char *what, const char *path)
{
	printf("Bail out! %s: %s: %m\n", what, path);
	fflush(stdout);
	_exit(1);
}

const char *
scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/metacube-test-XXXXXX",
	    tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL)
		bail("mkdtemp", folder);
	return folder;
}

static int
remove_one(const char *path, const struct stat *st, int kind,
    struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void
scratch_remove(void)
{
	if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		bail("remove", folder);
}

const char *
scratch_path(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

void
scratch_folder(const char *name)
{
	if (mkdir(scratch_path(name), 0700) == -1)
		bail("mkdir", name);
}

void
scratch_write(const char *name, const void *bytes, size_t len, mode_t mode)
{
	const char *path = scratch_path(name);
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, bytes, len) != (ssize_t)len ||
	    fchmod(fd, mode) == -1 || close(fd) == -1)
		bail("write", path);
}

void
scratch_text(const char *name, const char *text)
{
	scratch_write(name, text, strlen(text), 0600);
}

char *
scratch_read(const char *path, size_t *len_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;

	if (fd == -1 || fstat(fd, &st) == -1)
		bail("open", path);
	bytes = calloc(1, (size_t)st.st_size + 1);
	if (bytes == NULL || read(fd, bytes, (size_t)st.st_size) != st.st_size)
		bail("read", path);
	close(fd);
	*len_r = (size_t)st.st_size;
	return bytes;
}
