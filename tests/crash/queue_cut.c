/* SPDX-License-Identifier: MIT */
#include "queue_cut.h"

#include <metacube/segment.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int64_t
segment_read(void *arg, uint64_t offset, void *data, size_t len)
{
	return pread(*(int *)arg, data, len, (off_t)offset);
}

struct cut {
	uint64_t	seq, offset;	/* 0: not met */
};

static void
record_passed(void *arg, uint64_t seq, uint64_t offset)
{
	struct cut *cut = arg;

	if (seq == cut->seq)
		cut->offset = offset;
}

static bool
is_later(const char *name, const char *than)
{
	size_t len = strcspn(name, "."), than_len = strcspn(than, ".");
	int order = strncmp(name, than, len < than_len ? len : than_len);

	return order > 0 || (order == 0 && len > than_len);
}

/* Segments are named after their days, in their order. */
static bool
last_segment(const char *folder, char *path, size_t size)
{
	char last[NAME_MAX + 1] = "";
	struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".wmq") != NULL &&
		    is_later(entry->d_name, last))
			snprintf(last, sizeof(last), "%s", entry->d_name);
	if (dir != NULL)
		closedir(dir);
	snprintf(path, size, "%s/%s", folder, last);
	return last[0] != '\0';
}

bool
queue_cut(const char *folder, uint64_t seq)
{
	struct segment_source source = { segment_read, NULL };
	struct segment_scan scan;
	char path[PATH_MAX];
	struct cut cut = { .seq = seq };
	int fd, result = -1;

	if (!last_segment(folder, path, sizeof(path)))
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return false;
	source.arg = &fd;
	segment_scan(&source, record_passed, &cut, &scan);
	if (cut.offset != 0)
		result = ftruncate(fd, (off_t)cut.offset);
	close(fd);
	return result == 0;
}
