/* SPDX-License-Identifier: MIT */
/*
 * requests.c - from "where can this user go?" to a sealed ticket.
 *
 *	choose -> the copy runs             ticket
 *	       -> the copy is being loaded  wait with the others
 *	       -> no copy                   LOAD to the chosen world, wait
 *	loaded -> a ticket for each who waits
 *	failed -> each who waits is placed once more, not on that world
 *
 * Who waits has its seat already: a burst of users fills no world beyond its
 * capacity, and one LOAD answers all of them.
 */
#include "taskmaster.h"

#include <metacube/text.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds since 1970 and a count below them: a taskmaster that comes
 * back, with a clock that has not gone back, never repeats an epoch. */
uint64_t
epoch_next(struct taskmaster *taskmaster)
{
	uint64_t epoch = mc_time_ms() << EPOCH_SHIFT;

	if (epoch <= taskmaster->last_epoch)
		epoch = taskmaster->last_epoch + 1;
	taskmaster->last_epoch = epoch;
	return epoch;
}

static void
answer(struct mc_call *call, struct link *link, uint32_t cid,
    enum mc_status status, const struct taskmaster_place *found)
{
	if (call != NULL && status == MC_OK)
		mc_call_done(call, status, found, sizeof(*found));
	else if (call != NULL)
		mc_call_done(call, status, NULL, 0);
	else if (status == MC_OK)
		link_placed(link, cid, found);
	else
		link_refused(link, cid, status);
}

static void
ticket_make(struct taskmaster *taskmaster,
    const struct taskmaster_request *request, const struct copy *copy,
    struct taskmaster_place *found, uint8_t id_r[TICKET_ID_SIZE])
{
	const struct link *link = copy->world->owner;
	struct ticket ticket = {
		.uid = request->uid,
		.epoch = copy->epoch,
		.expires_ms = mc_time_ms() + taskmaster->conf->ticket_ms,
		.generation = request->generation,
	};

	mc_random(ticket.id, sizeof(ticket.id));
	memcpy(id_r, ticket.id, sizeof(ticket.id));
	memcpy(ticket.name, request->name, sizeof(ticket.name));
	memcpy(ticket.display, request->display, sizeof(ticket.display));
	memcpy(ticket.map, copy->map->key, sizeof(ticket.map));
	memcpy(ticket.world, copy->world->name, sizeof(ticket.world));
	found->ticket_len = ticket_seal(&ticket, &link->key, found->ticket);
}

/* The seat is counted: gives it to the user, with a ticket. */
static void
seat_give(struct crowd *crowd, const struct taskmaster_request *request,
    struct mc_call *call, struct link *link, uint32_t cid)
{
	struct taskmaster *taskmaster = crowd->taskmaster;
	const struct copy *copy = crowd->copy;
	struct taskmaster_place found = { .epoch = copy->epoch };
	uint8_t id[TICKET_ID_SIZE];

	memcpy(found.world, copy->world->name, sizeof(found.world));
	memcpy(found.map, copy->map->key, sizeof(found.map));
	memcpy(found.endpoint, copy->world->endpoint, sizeof(found.endpoint));
	ticket_make(taskmaster, request, copy, &found, id);
	seat_keep(crowd, request, id, taskmaster->conf->ticket_ms +
	    taskmaster->conf->seat_slack_ms);
	mc_count(taskmaster->host, "placed", 1);
	answer(call, link, cid, MC_OK, &found);
}

/* Waiting for a load. */
static struct request *
request_add(struct crowd *crowd, const struct taskmaster_request *what,
    struct mc_call *call, struct link *link, uint32_t cid)
{
	struct request *request = mc_zalloc(sizeof(*request));

	request->taskmaster = crowd->taskmaster;
	request->what = *what;
	request->number = mc_request();
	request->call = call;
	request->cid = cid;
	request->link = link;
	if (link != NULL) {
		request->link_next = link->requests;
		if (link->requests != NULL)
			link->requests->link_prev = request;
		link->requests = request;
	}
	crowd->taskmaster->waiting++;
	return request;
}

static void
request_wait(struct request *request, struct crowd *crowd)
{
	request->crowd = crowd;
	request->next = NULL;
	request->prev = crowd->waiting_last;
	*(request->prev ? &request->prev->next : &crowd->waiting) = request;
	crowd->waiting_last = request;
}

static void
request_leave(struct request *request)
{
	struct crowd *crowd = request->crowd;

	*(request->prev ? &request->prev->next : &crowd->waiting) =
	    request->next;
	*(request->next ? &request->next->prev : &crowd->waiting_last) =
	    request->prev;
	request->crowd = NULL;
}

static void
request_free(struct request *request)
{
	if (request->link != NULL)
		*(request->link_prev ? &request->link_prev->link_next :
		    &request->link->requests) = request->link_next;
	if (request->link_next != NULL)
		request->link_next->link_prev = request->link_prev;
	request->taskmaster->waiting--;
	free(request);
}

void
requests_forget(struct link *link)
{
	while (link->requests != NULL) {
		struct request *request = link->requests;
		struct crowd *crowd = request->crowd;

		request_leave(request);
		copy_seat_remove(crowd->copy);
		request_free(request);
	}
}

static void
load_late(void *owner)
{
	crowd_failed(owner, "it took too long");
}

/* The seed's question: who has less to do? */
static void
log_choice(struct taskmaster *taskmaster, const struct map *map,
    const struct world *chosen)
{
	const struct placement *placement = &taskmaster->placement;
	const char *where = map->ncopies > 0 ? "one copy more" :
	    "not loaded anywhere";
	char worlds[256] = "";
	struct mc_text text = { worlds, sizeof(worlds) };

	if (placement->nworlds > 4) {
		mc_log(taskmaster->host, MC_NOTE, "place %s: %s; of %zu "
		    "worlds %s, with %u users, is to load it", map->key, where,
		    placement->nworlds, chosen->name, chosen->users);
		return;
	}
	for (const struct world *world = placement->worlds; world != NULL;
	    world = world->next)
		mc_text_add(&text, "%s%s has %u%s", world ==
		    placement->worlds ? "" : ", ", world->name, world->users,
		    world == placement->worlds ? " users" : "");
	mc_log(taskmaster->host, MC_NOTE,
	    "place %s: %s; %s: %s is to load it", map->key, where, worlds,
	    chosen->name);
}

static struct crowd *
load_begin(struct taskmaster *taskmaster, struct world *world,
    struct map *map)
{
	struct crowd *crowd;

	log_choice(taskmaster, map, world);
	crowd = crowd_new(taskmaster,
	    copy_add(world, map, epoch_next(taskmaster)));
	crowd->asked_ms = mc_now_ms();
	if (++taskmaster->last_cid == 0)
		taskmaster->last_cid = 1;
	crowd->cid = taskmaster->last_cid;
	mc_timer_set(taskmaster->host, &crowd->timer,
	    taskmaster->conf->load_ms, load_late, crowd);
	mc_count(taskmaster->host, "loads", 1);
	link_load(world->owner, crowd->copy, crowd->cid);
	return crowd;
}

/* A copy with a seat counted on it, or the reason why there is none. */
static enum mc_status
choose(struct taskmaster *taskmaster, const char *key,
    const struct world *avoid, struct crowd **crowd_r)
{
	struct map *map = map_find(&taskmaster->placement, key);
	struct choice choice;

	if (taskmaster->placement.nworlds == 0 || taskmaster->stopping)
		return MC_UNAVAILABLE;
	if (map == NULL)
		return MC_NOT_FOUND;
	if (!placement_choose(&taskmaster->placement, map, avoid, &choice))
		return MC_BUSY;
	if (choice.copy == NULL)
		*crowd_r = load_begin(taskmaster, choice.world, map);
	else
		*crowd_r = choice.copy->owner;
	copy_seat_add((*crowd_r)->copy);
	return MC_OK;
}

void
place(struct taskmaster *taskmaster, const struct taskmaster_request *what,
    struct mc_call *call, struct link *link, uint32_t cid)
{
	struct crowd *crowd = NULL;
	enum mc_status status = MC_BUSY;

	if (taskmaster->waiting < (size_t)taskmaster->conf->max_waiting)
		status = choose(taskmaster, what->map, NULL, &crowd);
	if (status != MC_OK) {
		mc_count(taskmaster->host, "unplaced", 1);
		mc_log(taskmaster->host, MC_DEBUG, "%s: no seat on %s: %s",
		    what->name, what->map, mc_status_text(status));
		answer(call, link, cid, status, NULL);
		return;
	}
	if (!crowd->loaded) {
		request_wait(request_add(crowd, what, call, link, cid),
		    crowd);
		return;
	}
	mc_log(taskmaster->host, MC_NOTE,
	    "%s: %s already runs on %s, seat there", what->name, what->map,
	    crowd->copy->world->name);
	seat_give(crowd, what, call, link, cid);
}

static void
request_end(struct request *request, enum mc_status status)
{
	mc_count(request->taskmaster->host, "unplaced", 1);
	answer(request->call, request->link, request->cid, status, NULL);
	request_free(request);
}

/* Who waits for a load: the seat is free again. */
static void
crowd_evict(struct crowd *crowd, uint64_t uid)
{
	struct request *next;

	for (struct request *request = crowd->waiting; request != NULL;
	    request = next) {
		next = request->next;
		if (request->what.uid != uid)
			continue;
		request_leave(request);
		copy_seat_remove(crowd->copy);
		request_end(request, MC_DENIED);
	}
}

void
requests_evict(struct taskmaster *taskmaster, uint64_t uid)
{
	for (struct world *world = taskmaster->placement.worlds;
	    world != NULL; world = world->next)
		for (struct copy *copy = world->copies; copy != NULL;
		    copy = copy->world_next)
			crowd_evict(copy->owner, uid);
}

/* Once more, elsewhere. */
static void
request_retry(struct request *request, const struct world *avoid)
{
	struct taskmaster *taskmaster = request->taskmaster;
	struct crowd *crowd = NULL;

	mc_request_set(request->number);
	if (request->retried || choose(taskmaster, request->what.map, avoid,
	    &crowd) != MC_OK) {
		request_end(request, MC_UNAVAILABLE);
		return;
	}
	request->retried = true;
	if (!crowd->loaded) {
		request_wait(request, crowd);
		return;
	}
	seat_give(crowd, &request->what, request->call, request->link,
	    request->cid);
	request_free(request);
}

static void
request_seat(struct request *request, struct crowd *crowd)
{
	mc_request_set(request->number);
	if (request->call != NULL && !mc_call_wanted(request->call)) {
		copy_seat_remove(crowd->copy);
		request_end(request, MC_TIMEOUT);
		return;
	}
	mc_log(crowd->taskmaster->host, MC_NOTE, "%s: seat on %s",
	    request->what.name, crowd->copy->world->name);
	seat_give(crowd, &request->what, request->call, request->link,
	    request->cid);
	request_free(request);
}

void
crowd_loaded(struct crowd *crowd)
{
	mc_timer_clear(&crowd->timer);
	crowd->loaded = true;
	mc_log(crowd->taskmaster->host, MC_NOTE,
	    "%s has loaded %s (epoch %" PRIu64 "), in %" PRIu64 " ms",
	    crowd->copy->world->name, crowd->copy->map->key,
	    crowd->copy->epoch, mc_now_ms() - crowd->asked_ms);
	while (crowd->waiting != NULL) {
		struct request *request = crowd->waiting;

		request_leave(request);
		request_seat(request, crowd);
	}
}

/* Takes those who wait out, in their order, with the copy gone. */
static struct request *
crowd_end(struct crowd **slot, struct request *later)
{
	struct request *first = (*slot)->waiting;
	struct request *last = (*slot)->waiting_last;

	for (struct request *request = first; request != NULL;
	    request = request->next)
		request->crowd = NULL;
	crowd_free(slot);
	if (first == NULL)
		return later;
	last->next = later;
	return first;
}

static void
requests_retry(struct request *requests, const struct world *avoid)
{
	for (struct request *request = requests, *next; request != NULL;
	    request = next) {
		next = request->next;
		request_retry(request, avoid);
	}
}

void
crowd_failed(struct crowd *crowd, const char *why)
{
	struct taskmaster *taskmaster = crowd->taskmaster;
	struct world *world = crowd->copy->world;

	mc_count(taskmaster->host, "loads_failed", 1);
	mc_log(taskmaster->host, MC_WARN, "%s could not load %s: %s",
	    world->name, crowd->copy->map->key, why);
	requests_retry(crowd_end(&crowd, NULL), world);
}

void
world_lost(struct taskmaster *taskmaster, struct world *world)
{
	struct request *requests = NULL;
	struct link *link = world->owner;

	mc_count(taskmaster->host, "worlds_lost", 1);
	if (!taskmaster->stopping)
		mc_log(taskmaster->host, MC_WARN,
		    "%s is lost: %zu map%s and %u user%s with it",
		    world->name, world->ncopies,
		    world->ncopies == 1 ? "" : "s", world->users,
		    world->users == 1 ? "" : "s");
	evictions_absent(taskmaster, link);
	while (world->copies != NULL) {
		struct crowd *crowd = world->copies->owner;

		requests = crowd_end(&crowd, requests);
	}
	link->world = NULL;
	world_remove(&world);
	mc_gauge(taskmaster->host, "worlds", taskmaster->placement.nworlds);
	requests_retry(requests, NULL);
}

size_t
maps_list(struct taskmaster *taskmaster, const char *after,
    struct taskmaster_map maps_r[TASKMASTER_MAPS_MAX])
{
	size_t at, n = 0;
	struct map **maps = maps_sorted(&taskmaster->placement, after, &at);

	for (; at < taskmaster->placement.maps.count &&
	    n < TASKMASTER_MAPS_MAX; at++, n++) {
		memset(&maps_r[n], 0, sizeof(maps_r[n]));
		memcpy(maps_r[n].map, maps[at]->key, sizeof(maps_r[n].map));
		memcpy(maps_r[n].title, maps[at]->title,
		    sizeof(maps_r[n].title));
		maps_r[n].copies = maps[at]->ncopies;
		maps_r[n].users = maps[at]->users;
	}
	return n;
}
