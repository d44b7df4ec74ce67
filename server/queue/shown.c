/* SPDX-License-Identifier: MIT */
#include <metacube/shown.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

struct watcher {
	TAILQ_ENTRY(watcher)	 link;
	struct queue_shown	*shown;
	struct mc_call		*call;
	struct mc_timer		*timer;
	char			 name[QUEUE_NAME_SIZE];
	uint64_t		 offset;
};

struct queue_shown {
	struct mc_host		*host;
	const char		*path;
	struct queue_view	*view;
	TAILQ_HEAD(, watcher)	 watchers;
	bool			 stopping;
};

static struct queue_file *
file_find(const struct queue_shown *shown, const char *name)
{
	struct queue_view *view = shown->view;

	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->files[i].name, name) == 0)
			return &view->files[i];
	return NULL;
}

static bool
is_finished(const struct queue_shown *shown, const struct queue_file *file)
{
	return file < &shown->view->files[shown->view->count - 1];
}

static void
extent_answer(const struct queue_shown *shown, const struct queue_file *file,
    struct mc_call *call)
{
	struct wmqfile_extent extent = {
		.end = file->end, .first_seq = file->first_seq,
		.finished = is_finished(shown, file),
		.position = shown->view->position
	};

	strcpy(extent.name, file->name);
	snprintf(extent.path, sizeof(extent.path), "%s/%s", shown->path,
	    file->name);
	if (extent.finished)
		strcpy(extent.next, file[1].name);
	mc_call_done(call, MC_OK, &extent, sizeof(extent));
}

/* False: there is nothing to be said yet. */
static bool
extent_try(const struct queue_shown *shown, const char *name,
    uint64_t offset, bool waits, struct mc_call *call)
{
	const struct queue_file *file = file_find(shown, name);

	if (file == NULL)
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else if (offset > file->end)
		mc_call_done(call, MC_INVALID, NULL, 0);
	else if (waits && offset == file->end && !is_finished(shown, file))
		return false;
	else
		extent_answer(shown, file, call);
	return true;
}

static void
watcher_end(struct watcher *watcher)
{
	TAILQ_REMOVE(&watcher->shown->watchers, watcher, link);
	mc_timer_clear(&watcher->timer);
	free(watcher);
}

static void
watcher_waited(void *owner)
{
	struct watcher *watcher = owner;

	extent_try(watcher->shown, watcher->name, watcher->offset, false,
	    watcher->call);
	watcher_end(watcher);
}

static void
watchers_wake(struct queue_shown *shown)
{
	struct watcher *watcher, *next;

	for (watcher = TAILQ_FIRST(&shown->watchers); watcher != NULL;
	    watcher = next) {
		next = TAILQ_NEXT(watcher, link);
		if (extent_try(shown, watcher->name, watcher->offset,
		    !shown->stopping, watcher->call))
			watcher_end(watcher);
	}
}

struct queue_shown *
queue_shown_new(struct mc_host *host, const char *path,
    struct queue_view *view)
{
	struct queue_shown *shown = mc_zalloc(sizeof(*shown));

	shown->host = host;
	shown->path = path;
	shown->view = view;
	TAILQ_INIT(&shown->watchers);
	return shown;
}

void
queue_shown_free(struct queue_shown **shownp)
{
	if (*shownp == NULL)
		return;
	free((*shownp)->view);
	free(*shownp);
	*shownp = NULL;
}

const struct wmq_position *
queue_shown_position(const struct queue_shown *shown)
{
	return &shown->view->position;
}

void
queue_shown_set(struct queue_shown *shown, struct queue_view *view)
{
	free(shown->view);
	shown->view = view;
	watchers_wake(shown);
}

void
queue_shown_grow(struct queue_shown *shown, uint64_t durable, uint64_t end)
{
	struct queue_view *view = shown->view;

	view->position.durable = durable;
	view->files[view->count - 1].end = end;
	watchers_wake(shown);
}

void
queue_shown_extent(struct queue_shown *shown, const char *name,
    uint64_t offset, unsigned wait_ms, struct mc_call *call)
{
	struct watcher *watcher;

	if (extent_try(shown, name, offset, wait_ms > 0 && !shown->stopping,
	    call))
		return;
	watcher = mc_zalloc(sizeof(*watcher));
	watcher->shown = shown;
	watcher->call = call;
	watcher->offset = offset;
	strcpy(watcher->name, name);	/* it is one of the view */
	TAILQ_INSERT_TAIL(&shown->watchers, watcher, link);
	mc_timer_set(shown->host, &watcher->timer,
	    wait_ms < WMQ_WAIT_MAX_MS ? wait_ms : WMQ_WAIT_MAX_MS,
	    watcher_waited, watcher);
}

/* The last file that begins at or before the record after seq. */
void
queue_shown_find(struct queue_shown *shown, uint64_t seq,
    struct mc_call *call)
{
	const struct queue_view *view = shown->view;
	size_t i = view->count;

	if (seq > view->position.durable)
		mc_call_done(call, MC_INVALID, NULL, 0);
	else if (view->count == 0 ||
	    (seq > 0 && seq + 1 < view->position.oldest))
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else {
		while (i > 1 && view->files[i - 1].first_seq > seq + 1)
			i--;
		extent_answer(shown, &view->files[seq == 0 ? 0 : i - 1],
		    call);
	}
}

void
queue_shown_stop(struct queue_shown *shown)
{
	shown->stopping = true;
	watchers_wake(shown);
}
