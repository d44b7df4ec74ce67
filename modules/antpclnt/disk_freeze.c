/* SPDX-License-Identifier: MIT */
/*
 * The mirrored freeze: the latest one, and the one in transfer beside it.  What
 * comes takes the place of what is there once it is complete, and a transfer
 * goes on where the process before had come to.
 */
#include "disk_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART	".part"

static void
freeze_path(const struct disk *disk, const char *name, const char *suffix,
    char path[FREEZE_PATH_SIZE])
{
	snprintf(path, FREEZE_PATH_SIZE, "%s/%s%s", disk->path, name, suffix);
}

static enum disk_result
part_fail(struct disk *disk, const char *what)
{
	return disk_fail(disk, errno == ENOSPC || errno == EDQUOT ||
	    errno == EFBIG ? DISK_FULL : DISK_LOST, "%s/%s" PART ": %s: %s",
	    disk->path, disk->part, what, strerror(errno));
}

void
disk_freeze_close(struct disk *disk)
{
	if (disk->part_fd != -1)
		close(disk->part_fd);
	disk->part_fd = -1;
}

static void
part_remove(struct disk *disk, const char *name)
{
	char path[FREEZE_PATH_SIZE];

	freeze_path(disk, name, PART, path);
	unlink(path);
}

/* From its first byte on. */
static void
part_begin(struct disk *disk, const char *name)
{
	disk_freeze_close(disk);
	if (disk->part[0] != '\0')
		part_remove(disk, disk->part);
	memset(disk->part, 0, sizeof(disk->part));
	strcpy(disk->part, name);
	disk->part_have = 0;
}

static enum disk_result
part_open(struct disk *disk)
{
	char path[FREEZE_PATH_SIZE];

	if (disk->part_fd != -1)
		return DISK_OK;
	freeze_path(disk, disk->part, PART, path);
	disk->part_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
	    (disk->part_have == 0 ? O_TRUNC : 0), 0600);
	return disk->part_fd == -1 ? part_fail(disk, "cannot open") : DISK_OK;
}

static void
part_note(struct disk *disk, const uint8_t *data, size_t len)
{
	if (disk->part_have < FREEZE_HEADER_SIZE)
		memcpy(disk->part_header + disk->part_have, data,
		    len < FREEZE_HEADER_SIZE - disk->part_have ? len :
		    FREEZE_HEADER_SIZE - disk->part_have);
	disk->part_have += len;
}

enum disk_result
disk_freeze_write(struct disk *disk, const char *name, uint64_t offset,
    const void *data, size_t len)
{
	const uint8_t *at = data;
	enum disk_result result;
	ssize_t done;

	if (offset == 0)
		part_begin(disk, name);
	if (strcmp(name, disk->part) != 0 || offset != disk->part_have)
		return disk_fail(disk, DISK_LOST, "%s/%s" PART " has %llu "
		    "bytes, but byte %llu was fetched", disk->path, name,
		    (unsigned long long)disk->part_have,
		    (unsigned long long)offset);
	result = part_open(disk);
	while (result == DISK_OK && len > 0) {
		done = pwrite(disk->part_fd, at, len, (off_t)disk->part_have);
		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0)
			return part_fail(disk, "cannot write");
		part_note(disk, at, (size_t)done);
		at += done;
		len -= (size_t)done;
	}
	return result;
}

static int
folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result;

	if (fd == -1)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

static void
freeze_take(struct disk *disk, const char *name,
    const struct freeze_header *header)
{
	char path[FREEZE_PATH_SIZE];

	if (disk->freeze.path[0] != '\0') {
		freeze_path(disk, name, "", path);
		if (strcmp(path, disk->freeze.path) != 0)
			unlink(disk->freeze.path);
	}
	freeze_path(disk, name, "", disk->freeze.path);
	disk->freeze.header = *header;
}

/* A connection that was cut meanwhile may have asked for its end twice. */
static bool
is_ended(const struct disk *disk, const char *name)
{
	char ended[64];

	if (disk->part[0] != '\0' || disk->freeze.header.size == 0)
		return false;
	freeze_name(&disk->freeze.header, ended);
	return strcmp(name, ended) == 0;
}

enum disk_result
disk_freeze_end(struct disk *disk, const char *name)
{
	char from[FREEZE_PATH_SIZE], to[FREEZE_PATH_SIZE];
	struct freeze_header header;
	const char *fault = freeze_header_read(disk->part_header,
	    FREEZE_HEADER_SIZE, &header);
	enum disk_result result;

	if (is_ended(disk, name))
		return DISK_OK;
	if (strcmp(name, disk->part) != 0 || fault != NULL ||
	    header.size != disk->part_have)
		return disk_fail(disk, DISK_LOST, "%s/%s" PART ": %s",
		    disk->path, name, fault != NULL ? fault :
		    "is not complete");
	result = part_open(disk);
	if (result != DISK_OK)
		return result;
	if (fdatasync(disk->part_fd) == -1)
		return part_fail(disk, "cannot sync");
	mc_crash_point("antpclnt.freeze_synced");
	freeze_path(disk, name, PART, from);
	freeze_path(disk, name, "", to);
	if (rename(from, to) == -1 || folder_sync(disk->path) == -1)
		return part_fail(disk, "cannot rename");
	mc_crash_point("antpclnt.freeze_renamed");
	disk_freeze_close(disk);
	disk->part[0] = '\0';
	freeze_take(disk, name, &header);
	return DISK_OK;
}

/* What was left by the process before. */

static bool
header_read(const char *path, uint8_t header[FREEZE_HEADER_SIZE],
    uint64_t *size_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool fine;

	if (fd == -1)
		return false;
	fine = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    pread(fd, header, FREEZE_HEADER_SIZE, 0) == FREEZE_HEADER_SIZE;
	*size_r = fine ? (uint64_t)st.st_size : 0;
	close(fd);
	return fine;
}

/* Is the file what its name says? */
static bool
freeze_check(const uint8_t data[FREEZE_HEADER_SIZE], const char *name,
    struct freeze_header *header)
{
	char real[64];

	if (freeze_header_read(data, FREEZE_HEADER_SIZE, header) != NULL)
		return false;
	freeze_name(header, real);
	return strcmp(real, name) == 0;
}

static bool
is_newer(const struct freeze_header *header, const struct freeze_header *than)
{
	return than->size == 0 ||
	    header->position.pointer.seq > than->position.pointer.seq;
}

/* false: it is of no use. */
static bool
freeze_found(struct disk *disk, const char *path, const char *name)
{
	uint8_t data[FREEZE_HEADER_SIZE];
	struct freeze_header header;
	uint64_t size;

	if (!header_read(path, data, &size) ||
	    !freeze_check(data, name, &header) || header.size != size ||
	    !is_newer(&header, &disk->freeze.header))
		return false;
	freeze_take(disk, name, &header);
	return true;
}

static bool
part_found(struct disk *disk, const char *path, const char *name)
{
	struct freeze_header header;
	uint64_t size;

	if (disk->part[0] != '\0' ||
	    !header_read(path, disk->part_header, &size) ||
	    !freeze_check(disk->part_header, name, &header) ||
	    size > header.size)
		return false;
	strcpy(disk->part, name);
	disk->part_have = size;
	return true;
}

static void
entry_look(struct disk *disk, const char *entry)
{
	char path[FREEZE_PATH_SIZE], name[ANTP_FILE_SIZE];
	size_t len = strlen(entry);
	bool part = len > strlen(PART) &&
	    strcmp(entry + len - strlen(PART), PART) == 0;

	if (part)
		len -= strlen(PART);
	if (len >= sizeof(name))
		return;
	memcpy(name, entry, len);
	name[len] = '\0';
	if (!antp_is_freeze_file(name))
		return;
	freeze_path(disk, entry, "", path);
	if (!(part ? part_found(disk, path, name) :
	    freeze_found(disk, path, name)))
		unlink(path);
}

void
disk_freeze_look(struct disk *disk)
{
	DIR *dir = opendir(disk->path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		entry_look(disk, entry->d_name);
	if (dir != NULL)
		closedir(dir);
}
