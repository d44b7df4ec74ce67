/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/taskmaster.h.
 *
 * Somewhere there must be a taskmaster to which at least one world server
 * with the map newbie-island has dialled in, or will soon: whoever runs this
 * suite starts them (tests/contract/taskmaster.t).
 */
#include "frame.h"

#include <metacube/taskmaster.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ISLAND		"newbie-island"
#define PARALLEL	40
#define PATIENCE	600		/* tenths of a second */

static void
put_place(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	taskmaster_place(contract_ref(0), args, slot, done, owner);
}

static void
put_maps(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	taskmaster_maps(contract_ref(0), args, slot, done, owner);
}

static struct taskmaster_request
request_for(unsigned uid, const char *map)
{
	struct taskmaster_request request = { .uid = 1000 + uid };

	snprintf(request.name, sizeof(request.name), "user-%u", uid);
	snprintf(request.display, sizeof(request.display), "User-%u", uid);
	snprintf(request.map, sizeof(request.map), "%s", map);
	return request;
}

static enum mc_status
place(unsigned uid, const char *map, struct taskmaster_place *place_r)
{
	struct taskmaster_request request = request_for(uid, map);

	return ask(put_place, &request, place_r, sizeof(*place_r));
}

/* The answer stays in asked until it is freed. */
static size_t
maps(struct asked *asked, const char *after,
    const struct taskmaster_map **maps_r)
{
	ask_start(asked, put_maps, (void *)after);
	ask_wait(asked);
	*maps_r = asked->data;
	if (asked->status != MC_OK ||
	    asked->len % sizeof(struct taskmaster_map) != 0)
		return 0;
	return asked->len / sizeof(struct taskmaster_map);
}

/* -1: it is not in the list. */
static long
copies_of(const char *key)
{
	const struct taskmaster_map *list;
	struct asked asked;
	size_t count = maps(&asked, "", &list);
	long copies = -1;

	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].map, key) == 0)
			copies = list[i].copies;
	ask_free(&asked);
	return copies;
}

static bool
worlds_come(void)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (copies_of(ISLAND) != -1)
			return true;
		usleep(100000);
	}
	return false;
}

static bool
is_place(const struct taskmaster_place *found, const char *map)
{
	const char *colon = strrchr(found->endpoint, ':');

	return strcmp(found->map, map) == 0 && mc_key_valid(found->world) &&
	    found->epoch > 0 && colon != NULL && colon != found->endpoint &&
	    atoi(colon + 1) > 0 && found->ticket_len > 0 &&
	    found->ticket_len <= sizeof(found->ticket);
}

static void
places(void)
{
	struct taskmaster_place first, second, again;

	promise(place(1, ISLAND, &first) == MC_OK,
	    "place: a map that a world has");
	promise(is_place(&first, ISLAND),
	    "the place has world, endpoint, epoch and ticket");
	promise(copies_of(ISLAND) >= 1, "the map is loaded by then");
	promise(place(2, ISLAND, &second) == MC_OK &&
	    is_place(&second, ISLAND), "place: another user");
	promise(strcmp(first.world, second.world) != 0 ||
	    first.epoch == second.epoch,
	    "one copy has one epoch");
	promise(place(1, ISLAND, &again) == MC_OK &&
	    is_place(&again, ISLAND), "place: the same user once more");
	promise(again.ticket_len != first.ticket_len ||
	    memcmp(again.ticket, first.ticket, first.ticket_len) != 0,
	    "with another ticket");
}

static void
refusals(void)
{
	struct taskmaster_place found;

	promise(place(1, "no-world-has-this", &found) == MC_NOT_FOUND,
	    "place: MC_NOT_FOUND for a map that no world has");
	promise(place(1, "", &found) == MC_NOT_FOUND,
	    "and for none at all");
	promise(place(1, "../etc/passwd", &found) == MC_NOT_FOUND,
	    "and for what is no key");
}

static bool
same_ticket(const struct asked *a, const struct asked *b)
{
	const struct taskmaster_place *first = a->data, *second = b->data;

	return first->ticket_len == second->ticket_len &&
	    memcmp(first->ticket, second->ticket, first->ticket_len) == 0;
}

static void
parallel(void)
{
	static struct taskmaster_request requests[PARALLEL];
	static struct asked asked[PARALLEL];
	unsigned fine = 0, same = 0;

	for (unsigned i = 0; i < PARALLEL; i++) {
		requests[i] = request_for(100 + i, ISLAND);
		ask_start(&asked[i], put_place, &requests[i]);
	}
	for (unsigned i = 0; i < PARALLEL; i++) {
		ask_wait(&asked[i]);
		if (asked[i].status != MC_OK ||
		    asked[i].len != sizeof(struct taskmaster_place) ||
		    !is_place(asked[i].data, ISLAND))
			continue;
		for (unsigned j = 0; j < i; j++)
			same += asked[j].status == MC_OK &&
			    same_ticket(&asked[i], &asked[j]);
		fine++;
	}
	promise(fine == PARALLEL, "%u of %u who ask at once get a place",
	    fine, PARALLEL);
	promise(same == 0, "and no two the same ticket");
	for (unsigned i = 0; i < PARALLEL; i++)
		ask_free(&asked[i]);
}

/* Who does not want to know any more does not hear. */
static void
cancelled(void)
{
	struct taskmaster_request request = request_for(300, ISLAND);
	struct taskmaster_place found;
	struct asked asked;

	ask_start(&asked, put_place, &request);
	ask_cancel(&asked);
	ask_wait(&asked);
	ask_free(&asked);
	promise(place(301, ISLAND, &found) == MC_OK,
	    "place: after one that was cancelled");
}

static void
lists(void)
{
	const struct taskmaster_map *list, *rest;
	struct asked asked, more;
	size_t count = maps(&asked, "", &list), left;
	bool sorted = true, valid = true;

	promise(count > 0 && count <= TASKMASTER_MAPS_MAX,
	    "maps: there are %zu", count);
	for (size_t i = 0; i < count; i++) {
		valid = valid && mc_key_valid(list[i].map);
		sorted = sorted && (i == 0 ||
		    strcmp(list[i - 1].map, list[i].map) < 0);
	}
	promise(valid, "each with a valid key");
	promise(sorted, "in the order of their keys");
	if (count > 0) {
		left = maps(&more, list[0].map, &rest);
		promise(count == TASKMASTER_MAPS_MAX || (left == count - 1 &&
		    (left == 0 || strcmp(rest[0].map, list[1].map) == 0)),
		    "maps: after the first come the others");
		ask_free(&more);
	}
	promise(maps(&more, "zzzzzz", &rest) == 0 && more.status == MC_OK,
	    "maps: after the last comes none");
	ask_free(&more);
	ask_free(&asked);
}

static void
run(void)
{
	if (!promise(worlds_come(), "a world with %s is there", ISLAND))
		return;
	places();
	refusals();
	parallel();
	cancelled();
	lists();
}

static const struct contract_phase phases[] = {
	{ "places and maps", run, false },
	{ NULL, NULL, false }
};

const struct contract_suite contract_taskmaster = {
	.service = "taskmaster", .major = 1, .minor = 0,
	.phases = phases,
};
