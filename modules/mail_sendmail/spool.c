/* SPDX-License-Identifier: MIT */
/*
 * The spool: a folder with a file for each mail that waits.
 *
 *	ID.new		being written; removed at the next start
 *	ID.mail		a whole message, synced
 *	failed/ID	the header of one that was given up, and why; for a
 *			while, since there is an address in it
 *
 * A mail's text may have a code in it, so it is gone from here as soon as the
 * mail system has it, or when it is given up.
 */
#include "mail_sendmail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE	4096

static const char *
path_of(char path[PATH_SIZE], const char *folder, const char *id,
    const char *ending)
{
	snprintf(path, PATH_SIZE, "%s/%s%s", folder, id, ending);
	return path;
}

uint64_t
id_time(const char *id)
{
	char *end;
	unsigned long long time_ms = strtoull(id, &end, 10);

	return *id >= '0' && *id <= '9' && *end == '-' &&
	    strspn(end + 1, "0123456789abcdef") == 16 && end[17] == '\0' ?
	    time_ms : 0;
}

static int
folder_make(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

int
spool_prepare(const char *path)
{
	char failed[PATH_SIZE];

	return folder_make(path) == 0 &&
	    folder_make(path_of(failed, path, "failed", "")) == 0 ? 0 : -1;
}

/* "ID.mail": the id without its ending; false: another file. */
static bool
id_of(const char *name, const char *ending, char id[ID_SIZE])
{
	size_t len = strlen(name), end = strlen(ending);

	if (len <= end || len - end >= ID_SIZE ||
	    strcmp(name + len - end, ending) != 0)
		return false;
	memcpy(id, name, len - end);
	id[len - end] = '\0';
	return id_time(id) != 0;
}

int
spool_list(const char *path, spool_found_fn *found, void *arg)
{
	struct dirent *entry;
	char id[ID_SIZE];
	DIR *dir = opendir(path);

	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		if (id_of(entry->d_name, ".new", id))
			spool_drop(path, id);
		else if (id_of(entry->d_name, ".mail", id))
			found(arg, id);
	closedir(dir);
	return 0;
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return -1;
	}
	return 0;
}

/* A new file, synced; -1: there is none. */
static int
file_write(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = 0;

	if (fd == -1)
		return -1;
	if (write_all(fd, data, len) == -1 || fsync(fd) == -1)
		error = errno;
	if (close(fd) == -1 && error == 0)
		error = errno;
	if (error == 0)
		return 0;
	unlink(path);
	errno = error;
	return -1;
}

int
spool_write(const char *path, const char *id, const void *message, size_t len)
{
	char new[PATH_SIZE];

	return file_write(path_of(new, path, id, ".new"), message, len);
}

int
spool_publish(const char *path, const char *id)
{
	char new[PATH_SIZE], mail[PATH_SIZE];

	return rename(path_of(new, path, id, ".new"),
	    path_of(mail, path, id, ".mail"));
}

int
spool_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result, error;

	if (fd == -1)
		return -1;
	result = fsync(fd);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

void
spool_drop(const char *path, const char *id)
{
	char file[PATH_SIZE];

	unlink(path_of(file, path, id, ".new"));
	unlink(path_of(file, path, id, ".mail"));
}

int
spool_open(const char *path, const char *id)
{
	char file[PATH_SIZE];

	return open(path_of(file, path, id, ".mail"), O_RDONLY | O_CLOEXEC);
}

int
spool_remove(const char *path, const char *id)
{
	char file[PATH_SIZE];

	return unlink(path_of(file, path, id, ".mail"));
}

/* The header only: the text may have a code that is still good. */
int
spool_fail(const char *path, const char *id, const char *why)
{
	char text[4096] = "", failed[PATH_SIZE], *end;
	int fd = spool_open(path, id), result;
	ssize_t len = fd == -1 ? -1 : read(fd, text, 2048);

	if (fd != -1)
		close(fd);
	if (len == -1)
		return -1;
	text[len] = '\0';
	end = strstr(text, "\n\n");
	if (end == NULL)
		end = text;
	snprintf(end, sizeof(text) - (size_t)(end - text),
	    "\n\nGiven up: %s\n", why);
	snprintf(failed, sizeof(failed), "%s/failed/%s", path, id);
	result = file_write(failed, text, strlen(text));
	mc_wipe(text, sizeof(text));
	if (result == -1 && errno != EEXIST)
		return -1;
	return spool_remove(path, id);
}

static bool
is_older(int folder, const char *id, uint64_t before_ms)
{
	struct stat st;

	return id_time(id) != 0 &&
	    fstatat(folder, id, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (uint64_t)st.st_mtime * 1000 < before_ms;
}

int
spool_prune(const char *path, uint64_t before_ms, size_t *gone_r)
{
	char failed[PATH_SIZE];
	struct dirent *entry;
	int error = 0;
	DIR *dir = opendir(path_of(failed, path, "failed", ""));

	*gone_r = 0;
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (!is_older(dirfd(dir), entry->d_name, before_ms))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			++*gone_r;
		else
			error = errno;
	}
	closedir(dir);
	errno = error;
	return error == 0 ? 0 : -1;
}
