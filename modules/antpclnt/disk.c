/* SPDX-License-Identifier: MIT */
/* disk - the folder and the queue in it; disk_freeze.c has the freeze. */
#include "disk_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
disk_why(const struct disk *disk)
{
	return disk->why;
}

enum disk_result
disk_fail(struct disk *disk, enum disk_result result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(disk->why, sizeof(disk->why), format, args);
	va_end(args);
	return result;
}

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
			disk_freeze_look(disk);
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
	disk_freeze_close(disk);
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
