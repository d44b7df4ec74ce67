/* SPDX-License-Identifier: MIT */
/*
 * commands.c - what metacubectl may ask the taskmaster: tables of what is.
 */
#include "taskmaster.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
worlds(void *state, struct mc_query *query)
{
	struct taskmaster *taskmaster = state;
	const struct placement *placement = &taskmaster->placement;

	mc_query_columns(query, "world", "endpoint", "users", "seats",
	    "capacity", "load", "maps", NULL);
	for (const struct world *world = placement->worlds; world != NULL;
	    world = world->next) {
		mc_query_row(query);
		mc_query_cell(query, "%s", world->name);
		mc_query_cell(query, "%s", world->endpoint);
		mc_query_cell(query, "%u", world->users);
		mc_query_cell(query, "%u", world->seats);
		mc_query_cell(query, "%u", world->capacity);
		mc_query_cell(query, "%u.%u %%", world_load_now(world) / 10,
		    world_load_now(world) % 10);
		mc_query_cell(query, "%zu", world->ncopies);
	}
	mc_query_done(query, MC_OK, "world servers: %zu, maps: %zu",
	    placement->nworlds, placement->maps.count);
}

static void
copies(struct mc_query *query, const struct map *map)
{
	for (const struct copy *copy = map->copies; copy != NULL;
	    copy = copy->map_next) {
		const struct crowd *crowd = copy->owner;

		mc_query_row(query);
		mc_query_cell(query, "%s", map->key);
		mc_query_cell(query, "%s", copy->world->name);
		mc_query_cell(query, "%" PRIu64, copy->epoch);
		mc_query_cell(query, "%u", copy->users);
		mc_query_cell(query, "%s",
		    crowd->loaded ? "running" : "loading");
	}
}

static void
maps(void *state, struct mc_query *query)
{
	struct taskmaster *taskmaster = state;
	size_t count = taskmaster->placement.maps.count, first;
	struct map **sorted = maps_sorted(&taskmaster->placement, "",
	    &first);

	mc_query_columns(query, "map", "world", "epoch", "users", "state",
	    NULL);
	for (size_t i = 0; i < count; i++)
		copies(query, sorted[i]);
	mc_query_done(query, MC_OK, "maps on disk: %zu, copies running: %zu",
	    count, taskmaster->placement.copies.count);
}

static int
player_order(const void *a, const void *b)
{
	const struct player *first = *(struct player *const *)a;
	const struct player *second = *(struct player *const *)b;

	return strcmp(first->display, second->display);
}

/* Those who are there, by name. */
static size_t
players_sort(const struct table *table, struct player **sorted)
{
	size_t n = 0;

	for (size_t i = 0; i < table->size; i++)
		for (struct table_node *node = table->buckets[i];
		    node != NULL; node = node->chain) {
			struct player *player = node->owner;

			if (player->present != NULL)
				sorted[n++] = player;
		}
	qsort(sorted, n, sizeof(*sorted), player_order);
	return n;
}

static void
since(struct mc_query *query, uint64_t ms)
{
	time_t second = ms / 1000;
	struct tm tm;
	char text[32];

	gmtime_r(&second, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	mc_query_cell(query, "%s", text);
}

static void
players(void *state, struct mc_query *query)
{
	struct taskmaster *taskmaster = state;
	struct player **sorted = mc_zalloc((taskmaster->players.count + 1) *
	    sizeof(*sorted));
	size_t n = players_sort(&taskmaster->players, sorted);

	mc_query_columns(query, "player", "world", "map", "since", NULL);
	for (size_t i = 0; i < n; i++) {
		const struct copy *copy = sorted[i]->present->copy;

		mc_query_row(query);
		mc_query_cell(query, "%s", sorted[i]->display);
		mc_query_cell(query, "%s", copy->world->name);
		mc_query_cell(query, "%s", copy->map->key);
		since(query, sorted[i]->since_ms);
	}
	free(sorted);
	mc_query_done(query, MC_OK, "players: %zu", n);
}

const struct mc_command taskmaster_commands[] = {
	{ "worlds", "", 0, 0, "Lists the world servers that are connected.",
	  worlds },
	{ "maps", "", 0, 0, "Lists the maps that run, and where.", maps },
	{ "players", "", 0, 0, "Lists who is on which map.", players },
	{ 0 }
};
