/* SPDX-License-Identifier: MIT */
/* disk - see disk.h. */

#include "disk.h"

#include <metacube/host.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART	".part"

struct disk {
	char			 path[FREEZE_PATH_SIZE / 2];
	struct queue		*queue;		/* NULL: to be opened again */
	struct freeze_file	 freeze;
	char			 part[ANTP_FILE_SIZE];
	int			 part_fd;	/* -1: not open */
	uint64_t		 part_have;
	uint8_t			 part_header[FREEZE_HEADER_SIZE];
	char			 why[DISK_WHY];
};

const char *
disk_why(const struct disk *disk)
{
	return disk->why;
}

static enum disk_result __attribute__((format(printf, 3, 4)))
disk_fail(struct disk *disk, enum disk_result result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(disk->why, sizeof(disk->why), format, args);
	va_end(args);
	return result;
}

/* The freeze. */

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

static void
part_close(struct disk *disk)
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
	part_close(disk);
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
	part_close(disk);
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

static void
folder_look(struct disk *disk)
{
	DIR *dir = opendir(disk->path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		entry_look(disk, entry->d_name);
	if (dir != NULL)
		closedir(dir);
}

/* The queue. */

static enum disk_result
queue_failed(struct disk *disk, enum queue_result result)
{
	if (result == QUEUE_OK)
		return DISK_OK;
	disk_fail(disk, DISK_OK, "%s", queue_why(disk->queue));
	if (result == QUEUE_FULL)
		return DISK_FULL;
	if (result == QUEUE_DAMAGED || result == QUEUE_FAILED)
		return DISK_MISFIT;
	queue_close(&disk->queue);
	return DISK_LOST;
}

static void
news_write(const struct disk *disk, const struct queue_news *news,
    char news_r[DISK_WHY])
{
	news_r[0] = '\0';
	if (news->dropped > 0)
		snprintf(news_r, DISK_WHY, "%u damaged file%s dropped, to be "
		    "fetched again: %.256s", news->dropped,
		    news->dropped == 1 ? " was" : "s were",
		    queue_why(disk->queue));
	else if (news->cut_bytes > 0)
		snprintf(news_r, DISK_WHY, "%s: what is not whole from byte "
		    "%llu on was dropped, to be fetched again",
		    news->cut_file, (unsigned long long)news->cut_at);
}

static bool
queue_reopen(struct disk *disk, char news_r[DISK_WHY])
{
	struct queue_conf conf = {
		.path = disk->path, .io = &queue_io_real
	};
	struct queue_news news;

	disk->queue = queue_mirror_open(&conf, &news, disk->why);
	if (disk->queue != NULL)
		news_write(disk, &news, news_r);
	return disk->queue != NULL;
}

struct disk *
disk_open(const char *path, char news_r[DISK_WHY], char why[DISK_WHY])
{
	struct disk *disk = mc_zalloc(sizeof(*disk));

	disk->part_fd = -1;
	if (strlen(path) >= sizeof(disk->path))
		disk_fail(disk, DISK_LOST, "%s: the path is too long", path);
	else {
		strcpy(disk->path, path);
		if (queue_reopen(disk, news_r)) {
			folder_look(disk);
			return disk;
		}
	}
	memcpy(why, disk->why, DISK_WHY);
	free(disk);
	return NULL;
}

void
disk_close(struct disk **diskp)
{
	struct disk *disk = *diskp;

	*diskp = NULL;
	if (disk == NULL)
		return;
	part_close(disk);
	queue_close(&disk->queue);
	free(disk);
}

enum disk_result
disk_mend(struct disk *disk)
{
	char news[DISK_WHY];

	return disk->queue != NULL || queue_reopen(disk, news) ?
	    DISK_OK : DISK_LOST;
}

void
disk_state(const struct disk *disk, struct disk_state *state_r)
{
	struct queue_place place = { .name = "" };

	memset(state_r, 0, sizeof(*state_r));
	if (disk->queue != NULL)
		queue_mirror_place(disk->queue, &place);
	if (place.name[0] != '\0') {
		queue_position(disk->queue, &state_r->position);
		strcpy(state_r->file, place.name);
		state_r->place = place.offset;
		state_r->end = queue_end(disk->queue);
		state_r->filled = state_r->end > 0;
	}
	state_r->freeze = disk->freeze;
	strcpy(state_r->part, disk->part);
	state_r->part_have = disk->part_have;
	memcpy(state_r->part_header, disk->part_header, FREEZE_HEADER_SIZE);
}

static enum disk_result
file_enter(struct disk *disk, const char *file, bool anew,
    struct queue_place *place)
{
	enum queue_result result = QUEUE_OK;

	queue_mirror_place(disk->queue, place);
	if (anew || place->name[0] == '\0')
		result = queue_mirror_anew(disk->queue, file);
	else if (strcmp(file, place->name) != 0)
		result = queue_mirror_begin(disk->queue, file);
	queue_mirror_place(disk->queue, place);
	return queue_failed(disk, result);
}

enum disk_result
disk_queue_write(struct disk *disk, const char *file, uint64_t offset,
    const void *data, size_t len, bool anew)
{
	struct queue_place place;
	enum disk_result result;

	if (disk->queue == NULL)
		return DISK_LOST;
	result = file_enter(disk, file, anew, &place);
	if (result != DISK_OK)
		return result;
	if (offset != place.offset || strcmp(file, place.name) != 0)
		return disk_fail(disk, DISK_MISFIT, "%s: byte %llu was "
		    "fetched, where byte %llu of %s is wanted", file,
		    (unsigned long long)offset,
		    (unsigned long long)place.offset, place.name);
	return queue_failed(disk, queue_mirror_put(disk->queue, &place, data,
	    len));
}

/* The file with this record. */
static void
damaged_forget(struct disk *disk, uint64_t seq)
{
	struct queue_view *view = queue_view(disk->queue);
	size_t i = view->count;

	while (i > 1 && view->files[i - 1].first_seq > seq)
		i--;
	if (i > 0)
		queue_mirror_forget(disk->queue, view->files[i - 1].name);
	free(view);
}

enum mc_status
disk_read(struct disk *disk, uint64_t after, size_t max, void *batch,
    size_t size, size_t *len_r)
{
	enum queue_result result;

	*len_r = 0;
	if (disk->queue == NULL)
		return MC_UNAVAILABLE;
	result = queue_read(disk->queue, after, max, batch, size, len_r);
	if (result == QUEUE_OK)
		return MC_OK;
	if (result == QUEUE_GONE)
		return MC_NOT_FOUND;
	disk_fail(disk, DISK_OK, "%s", queue_why(disk->queue));
	if (result == QUEUE_DAMAGED)
		damaged_forget(disk, after + 1);
	return MC_UNAVAILABLE;
}

static void
extent_set(const struct disk *disk, const struct queue_view *view, size_t i,
    struct wmqfile_extent *extent)
{
	const struct queue_file *file = &view->files[i];

	memset(extent, 0, sizeof(*extent));
	snprintf(extent->name, sizeof(extent->name), "%s", file->name);
	snprintf(extent->path, sizeof(extent->path), "%s/%s", disk->path,
	    file->name);
	extent->end = file->end;
	extent->finished = i + 1 < view->count;
	extent->first_seq = file->first_seq;
	if (extent->finished)
		snprintf(extent->next, sizeof(extent->next), "%s",
		    view->files[i + 1].name);
	extent->position = view->position;
}

enum mc_status
disk_extent(struct disk *disk, const char *name, uint64_t offset,
    struct wmqfile_extent *extent_r)
{
	struct queue_view *view;
	size_t i = 0;
	enum mc_status status = MC_NOT_FOUND;

	if (disk->queue == NULL)
		return MC_UNAVAILABLE;
	view = queue_view(disk->queue);
	while (i < view->count && strcmp(view->files[i].name, name) != 0)
		i++;
	if (i < view->count && view->files[i].end > 0) {
		extent_set(disk, view, i, extent_r);
		status = offset <= extent_r->end ? MC_OK : MC_INVALID;
	}
	free(view);
	return status;
}

/* The file that holds the record after seq, or will hold it; 0: the oldest. */
static enum mc_status
view_find(const struct queue_view *view, uint64_t seq, size_t *i_r)
{
	size_t i = view->count;

	while (i > 0 && view->files[i - 1].end == 0)
		i--;			/* begun, but not here yet */
	if (i == 0)
		return MC_NOT_FOUND;
	if (seq > view->position.durable)
		return MC_INVALID;
	*i_r = 0;
	if (seq == 0)
		return MC_OK;
	while (i > 1 && view->files[i - 1].first_seq > seq + 1)
		i--;
	*i_r = i - 1;
	return view->files[i - 1].first_seq <= seq + 1 ? MC_OK :
	    MC_NOT_FOUND;
}

enum mc_status
disk_find(struct disk *disk, uint64_t seq, struct wmqfile_extent *extent_r)
{
	struct queue_view *view;
	enum mc_status status;
	size_t i;

	if (disk->queue == NULL)
		return MC_UNAVAILABLE;
	view = queue_view(disk->queue);
	status = view_find(view, seq, &i);
	if (status == MC_OK)
		extent_set(disk, view, i, extent_r);
	free(view);
	return status;
}

enum mc_status
disk_prune(struct disk *disk, uint64_t seq, uint64_t *count_r)
{
	size_t count = 0;
	enum queue_result result;

	*count_r = 0;
	if (disk->queue == NULL)
		return MC_UNAVAILABLE;
	result = queue_prune(disk->queue, seq, &count);
	*count_r = count;
	return queue_failed(disk, result) == DISK_OK ? MC_OK : MC_UNAVAILABLE;
}
