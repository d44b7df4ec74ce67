/* SPDX-License-Identifier: MIT */
/*
 * copy - the maps that run here.
 *
 *	LOADING ---> RUNNING ---> UNLOADED ---> gone
 *	   ^                         |
 *	   +------- a ticket --------+
 *
 * A copy runs while somebody is there, and idle_unload longer.  A ticket may
 * be on its way while an empty copy is unloaded; for as long as tickets live
 * the copy is remembered, and such a ticket loads it again.
 */

#include "world.h"

#include <stdlib.h>
#include <string.h>

#define LATE_MAX	5		/* ticks to catch up with */
#define SOON_MS		1000

struct copy *
copy_find(struct world *world, const char *key)
{
	struct copy *copy = world->copies;

	while (copy != NULL && strcmp(copy->key, key) != 0)
		copy = copy->next;
	return copy;
}

size_t
copies_running(const struct world *world)
{
	const struct copy *copy;
	size_t count = 0;

	for (copy = world->copies; copy != NULL; copy = copy->next)
		count += copy->state == COPY_RUNNING;
	return count;
}

static void
unlink_copy(struct copy *copy)
{
	struct copy **at = &copy->world->copies;

	while (*at != copy)
		at = &(*at)->next;
	*at = copy->next;
}

/* Gives back what only a running copy needs. */
static void
strip(struct copy *copy)
{
	mc_timer_clear(&copy->timer);
	mc_timer_clear(&copy->idle);
	map_free(&copy->map);
	frame_free(&copy->frame);
	free(copy->avatars);
	copy->avatars = NULL;
	copy->listed = 0;
}

/* Forgets it; nobody is there any more. */
void
copy_drop(struct copy **copyp)
{
	struct copy *copy = *copyp;

	*copyp = NULL;
	unlink_copy(copy);
	strip(copy);
	free(copy);
}

static void
forgotten(void *owner)
{
	struct copy *copy = owner;

	copy_drop(&copy);
}

static void
unload(void *owner)
{
	struct copy *copy = owner;
	struct world *world = copy->world;

	if (!link_unloaded(copy)) {
		mc_timer_set(world->host, &copy->idle, SOON_MS, unload, copy);
		return;
	}
	mc_log(world->host, MC_NOTE, "%s is empty for %lld s: unloaded",
	    copy->key, (long long)world->conf->idle_unload_ms / 1000);
	mc_count(world->host, "maps_unloaded", 1);
	strip(copy);
	copy->state = COPY_UNLOADED;
	mc_timer_set(world->host, &copy->idle, TICKET_LIFE_MS, forgotten,
	    copy);
}

void
copy_emptied(struct copy *copy)
{
	mc_timer_clear(&copy->timer);
	mc_timer_set(copy->world->host, &copy->idle,
	    (unsigned)copy->world->conf->idle_unload_ms, unload, copy);
}

static void
walk(struct copy *copy)
{
	for (size_t i = 0; i < copy->count; i++) {
		struct avatar *avatar = copy->avatars[i];

		avatar->moved = avatar->body.walking && sim_walk(copy->map,
		    &avatar->body, (unsigned)copy->world->conf->tick_ms);
	}
}

static mc_timer_fn ticked;

/* Ticks keep their distance; after a long delay the lost ones are left out. */
static void
tick_next(struct copy *copy)
{
	unsigned tick_ms = (unsigned)copy->world->conf->tick_ms;
	uint64_t now = mc_now_ms();

	copy->due_ms += tick_ms;
	if (copy->due_ms + LATE_MAX * tick_ms < now) {
		copy->due_ms = now;
		mc_count(copy->world->host, "tick_overruns", 1);
	}
	mc_timer_set(copy->world->host, &copy->timer,
	    copy->due_ms > now ? (unsigned)(copy->due_ms - now) : 0,
	    ticked, copy);
}

static void
ticked(void *owner)
{
	struct copy *copy = owner;
	uint64_t began = world_clock_us(), took;

	copy->tick++;
	walk(copy);
	view_updated(copy);
	took = world_clock_us() - began;
	copy->tick_us = (copy->tick_us * 15 + took) / 16;
	copy->world->busy_us += took;
	mc_count(copy->world->host, "ticks", 1);
	tick_next(copy);
}

void
copy_occupied(struct copy *copy)
{
	mc_timer_clear(&copy->idle);
	if (copy->timer != NULL)
		return;
	copy->due_ms = mc_now_ms();
	tick_next(copy);
}

/* A map on its way from disk. */
struct job {
	struct world	*world;
	uint64_t	 began_us, took_us;
	char		*dir;
	char		 key[MC_KEY_SIZE];
	char		 why[MAP_WHY_SIZE];
	struct map	*map;
};

static void
job_free(struct job *job)
{
	map_free(&job->map);
	free(job->dir);
	free(job);
}

static void
started(struct copy *copy, struct job *job)
{
	copy->map = job->map;
	job->map = NULL;
	copy->state = COPY_RUNNING;
	copy->avatars = mc_zalloc(copy->map->capacity *
	    sizeof(*copy->avatars));
	copy->frame = frame_new(copy->map->capacity);
	mc_count(copy->world->host, "maps_loaded", 1);
	mc_log(copy->world->host, MC_NOTE,
	    "map %s loaded in %llu ms (%d x %d, capacity %u)", copy->key,
	    (unsigned long long)(job->took_us + 999) / 1000,
	    copy->map->width / 100, copy->map->height / 100,
	    copy->map->capacity);
	copy_emptied(copy);
	link_loaded(copy);
}

static void
not_started(struct copy *copy, struct job *job)
{
	mc_count(copy->world->host, "load_failures", 1);
	mc_log(copy->world->host, MC_ERROR, "map %s cannot be loaded: %s",
	    copy->key, job->why);
	link_not_loaded(copy, job->why);
}

/* Those who came with a ticket while the copy was not there. */
static void
waiters_tell(struct copy *copy, const char *why)
{
	struct session *session, *next;

	for (session = copy->world->sessions; session != NULL;
	    session = next) {
		next = session->next;
		if (session->waits_for == copy)
			arrive_copy_loaded(session, why);
	}
}

static void
loaded(void *arg)
{
	struct job *job = arg;
	struct copy *copy = copy_find(job->world, job->key);

	if (copy != NULL && copy->state == COPY_LOADING) {
		if (job->map != NULL)
			started(copy, job);
		else
			not_started(copy, job);
		waiters_tell(copy, job->map != NULL ||
		    copy->state == COPY_RUNNING ? NULL : job->why);
		if (copy->state == COPY_LOADING)
			copy_drop(&copy);
	}
	job_free(job);
}

static void
load_work(void *arg)			/* instance thread; may block */
{
	struct job *job = arg;

	job->map = map_read(job->dir, job->key, job->why);
	job->took_us = world_clock_us() - job->began_us;
	mc_later(job->world->host, loaded, job);
}

static void
load(struct copy *copy)
{
	struct job *job = mc_zalloc(sizeof(*job));

	copy->state = COPY_LOADING;
	job->world = copy->world;
	job->began_us = world_clock_us();
	job->dir = strdup(copy->world->conf->maps);
	memcpy(job->key, copy->key, sizeof(job->key));
	mc_work(copy->world->host, load_work, job);
}

/* key is valid, and no copy of it is there. */
struct copy *
copy_load(struct world *world, const char *key, uint64_t epoch)
{
	struct copy *copy = mc_zalloc(sizeof(*copy));

	copy->world = world;
	copy->epoch = epoch;
	memcpy(copy->key, key, strlen(key) + 1);
	copy->next = world->copies;
	world->copies = copy;
	load(copy);
	return copy;
}

/* An unloaded one is wanted again. */
void
copy_revive(struct copy *copy)
{
	mc_timer_clear(&copy->idle);
	load(copy);
}
