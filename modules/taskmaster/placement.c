/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include <metacube/host.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A measured load trembles; less of a difference than this decides nothing
 * where users are counted, too. */
#define LOAD_NOISE	100

static void world_refresh(struct world *);

void
placement_init(struct placement *placement, enum policy policy,
    uint32_t overload)
{
	memset(placement, 0, sizeof(*placement));
	placement->policy = policy;
	placement->overload = overload;
}

void
placement_fini(struct placement *placement)
{
	while (placement->worlds != NULL) {
		struct world *world = placement->worlds;

		world_remove(&world);
	}
	table_free(&placement->names);
	table_free(&placement->maps);
	table_free(&placement->copies);
	table_free(&placement->offers);
	table_free(&placement->catalogues);
	free(placement->sorted);
}

void
placement_policy(struct placement *placement, enum policy policy,
    uint32_t overload)
{
	placement->policy = policy;
	placement->overload = overload;
	for (struct world *world = placement->worlds; world != NULL;
	    world = world->next)
		world_refresh(world);
}

/* Ranks: lower is better. */
static bool
world_roomy(const struct world *world)
{
	return world->users + world->seats < world->capacity;
}

uint32_t
world_load_now(const struct world *world)
{
	return world->load + (uint64_t)world->fresh * 1000 / world->capacity;
}

static uint64_t
world_rank(const struct world *world)
{
	uint64_t users = world->users + world->seats;

	switch (world->placement->policy) {
	case LEAST_LOAD:
		return world_load_now(world);
	case COMBINED:
		return users * 1000 / world->capacity +
		    world_load_now(world) / LOAD_NOISE * LOAD_NOISE;
	case LEAST_USERS:
	case MAP_AFFINITY:
		break;
	}
	return users;
}

static void
rank(struct heap *heap, struct heap_node *node, bool roomy, uint64_t key)
{
	if (!roomy)
		heap_remove(heap, node);
	heap_key(heap, node, key);
	if (roomy && node->place == 0)
		heap_add(heap, node);
}

static void
world_refresh(struct world *world)
{
	rank(&world->catalogue->roomy, &world->ranked, world_roomy(world),
	    world_rank(world));
}

static bool
copy_roomy(const struct copy *copy)
{
	return copy->users + copy->seats < copy->capacity;
}

static void
copy_refresh(struct copy *copy)
{
	rank(&copy->map->roomy, &copy->ranked, copy_roomy(copy),
	    copy->users + copy->seats);
	world_refresh(copy->world);
}

struct world *
world_find(const struct placement *placement, const char *name)
{
	struct table_node *node = table_first(&placement->names,
	    table_hash_text(name));

	for (; node != NULL; node = table_next(node)) {
		struct world *world = node->owner;

		if (strcmp(world->name, name) == 0)
			return world;
	}
	return NULL;
}

static void
world_list(struct world *world)
{
	struct placement *placement = world->placement;

	world->prev = placement->worlds_last;
	*(world->prev ? &world->prev->next : &placement->worlds) = world;
	placement->worlds_last = world;
	placement->nworlds++;
	table_add(&placement->names, &world->named,
	    table_hash_text(world->name));
}

static void
world_unlist(struct world *world)
{
	struct placement *placement = world->placement;

	*(world->prev ? &world->prev->next : &placement->worlds) =
	    world->next;
	*(world->next ? &world->next->prev : &placement->worlds_last) =
	    world->prev;
	placement->nworlds--;
	table_remove(&placement->names, &world->named);
}

struct world *
world_add(struct placement *placement, const struct world_terms *terms,
    const char **why_r)
{
	struct catalogue *catalogue;
	struct world *world;

	*why_r = "its capacity is 0";
	if (terms->capacity == 0)
		return NULL;
	catalogue = catalogue_get(placement, terms, why_r);
	if (catalogue == NULL)
		return NULL;
	world = mc_zalloc(sizeof(*world));
	world->placement = placement;
	world->catalogue = catalogue;
	world->capacity = terms->capacity;
	world->load = terms->load;
	snprintf(world->name, sizeof(world->name), "%s", terms->name);
	snprintf(world->endpoint, sizeof(world->endpoint), "%s",
	    terms->endpoint);
	world->named.owner = world->ranked.owner = world;
	world->ranked.tie = ++placement->serial;
	world_list(world);
	world_refresh(world);
	return world;
}

void
world_remove(struct world **slot)
{
	struct world *world = *slot;

	while (world->copies != NULL) {
		struct copy *copy = world->copies;

		copy_remove(&copy);
	}
	heap_remove(&world->catalogue->roomy, &world->ranked);
	world_unlist(world);
	catalogue_put(world->placement, &world->catalogue);
	free(world);
	*slot = NULL;
}

void
world_load(struct world *world, uint32_t load)
{
	world->load = load;
	world->fresh = world->seats;
	world_refresh(world);
}

struct map *
map_find(const struct placement *placement, const char *key)
{
	struct table_node *node = table_first(&placement->maps,
	    table_hash_text(key));

	for (; node != NULL; node = table_next(node)) {
		struct map *map = node->owner;

		if (strcmp(map->key, key) == 0)
			return map;
	}
	return NULL;
}

static int
map_order(const void *a, const void *b)
{
	return strcmp((*(struct map *const *)a)->key,
	    (*(struct map *const *)b)->key);
}

static void
maps_sort(struct placement *placement)
{
	const struct table *table = &placement->maps;
	size_t n = 0;

	free(placement->sorted);
	placement->sorted = mc_zalloc((table->count + 1) *
	    sizeof(*placement->sorted));
	for (size_t i = 0; i < table->size; i++)
		for (struct table_node *node = table->buckets[i];
		    node != NULL; node = node->chain)
			placement->sorted[n++] = node->owner;
	qsort(placement->sorted, n, sizeof(*placement->sorted), map_order);
	placement->unsorted = false;
}

struct map **
maps_sorted(struct placement *placement, const char *after, size_t *first_r)
{
	size_t low = 0, high = placement->maps.count;

	if (placement->unsorted || placement->sorted == NULL)
		maps_sort(placement);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(placement->sorted[middle]->key, after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first_r = low;
	return placement->sorted;
}

struct copy *
copy_find(const struct world *world, const struct map *map)
{
	struct table_node *node = table_first(&world->placement->copies,
	    pair_hash(map, world));

	for (; node != NULL; node = table_next(node)) {
		struct copy *copy = node->owner;

		if (copy->map == map && copy->world == world)
			return copy;
	}
	return NULL;
}

static void
copy_list(struct copy *copy)
{
	struct world *world = copy->world;
	struct map *map = copy->map;

	copy->world_next = world->copies;
	if (world->copies != NULL)
		world->copies->world_prev = copy;
	world->copies = copy;
	world->ncopies++;
	copy->map_next = map->copies;
	if (map->copies != NULL)
		map->copies->map_prev = copy;
	map->copies = copy;
	map->ncopies++;
	table_add(&world->placement->copies, &copy->paired,
	    pair_hash(map, world));
}

static void
copy_unlist(struct copy *copy)
{
	struct world *world = copy->world;
	struct map *map = copy->map;

	*(copy->world_prev ? &copy->world_prev->world_next :
	    &world->copies) = copy->world_next;
	if (copy->world_next != NULL)
		copy->world_next->world_prev = copy->world_prev;
	world->ncopies--;
	*(copy->map_prev ? &copy->map_prev->map_next : &map->copies) =
	    copy->map_next;
	if (copy->map_next != NULL)
		copy->map_next->map_prev = copy->map_prev;
	map->ncopies--;
	table_remove(&world->placement->copies, &copy->paired);
}

struct copy *
copy_add(struct world *world, struct map *map, uint64_t epoch)
{
	struct offer *offer = offer_find(world->placement, map,
	    world->catalogue);
	struct copy *copy;

	if (offer == NULL || copy_find(world, map) != NULL)
		return NULL;
	copy = mc_zalloc(sizeof(*copy));
	copy->world = world;
	copy->map = map;
	copy->epoch = epoch;
	copy->capacity = offer->capacity > 0 ? offer->capacity :
	    world->capacity;
	copy->ranked.owner = copy->paired.owner = copy;
	copy->ranked.tie = ++world->placement->serial;
	copy_list(copy);
	copy_refresh(copy);
	return copy;
}

void
copy_remove(struct copy **slot)
{
	struct copy *copy = *slot;
	struct world *world = copy->world;

	heap_remove(&copy->map->roomy, &copy->ranked);
	copy->map->users -= copy->users;
	world->users -= copy->users;
	world->seats -= copy->seats;
	world->fresh -= copy->seats < world->fresh ? copy->seats :
	    world->fresh;
	copy_unlist(copy);
	world_refresh(world);
	free(copy);
	*slot = NULL;
}

void
copy_seat_add(struct copy *copy)
{
	copy->seats++;
	copy->world->seats++;
	copy->world->fresh++;
	copy_refresh(copy);
}

void
copy_seat_remove(struct copy *copy)
{
	copy->seats--;
	copy->world->seats--;
	if (copy->world->fresh > 0)
		copy->world->fresh--;
	copy_refresh(copy);
}

void
copy_seat_taken(struct copy *copy)
{
	copy->seats--;
	copy->world->seats--;
	copy_user_add(copy);
}

void
copy_user_add(struct copy *copy)
{
	copy->users++;
	copy->world->users++;
	copy->map->users++;
	copy_refresh(copy);
}

void
copy_user_remove(struct copy *copy)
{
	copy->users--;
	copy->world->users--;
	copy->map->users--;
	copy_refresh(copy);
}

/* What a choice may take. */
struct search {
	struct map		*map;
	const struct world	*avoid;
	uint32_t		 load_below;	/* UINT32_MAX: whatever */
	bool			 fresh;		/* only where it doesn't run */
};

static bool
world_fits(const struct world *world, const struct search *search)
{
	const struct copy *copy;

	if (world == search->avoid || !world_roomy(world) ||
	    world_load_now(world) >= search->load_below)
		return false;
	copy = copy_find(world, search->map);
	return copy == NULL || (!search->fresh && copy_roomy(copy));
}

/* The best of a catalogue: those above it that do not fit are set aside for
 * the time of the search. */
static struct world *
catalogue_best(struct catalogue *catalogue, const struct search *search)
{
	struct world *skipped = NULL, *best = NULL;
	struct heap_node *node;

	while ((node = heap_top(&catalogue->roomy)) != NULL) {
		best = node->owner;
		if (world_fits(best, search))
			break;
		heap_remove(&catalogue->roomy, node);
		best->skipped = skipped;
		skipped = best;
		best = NULL;
	}
	for (; skipped != NULL; skipped = skipped->skipped)
		heap_add(&catalogue->roomy, &skipped->ranked);
	return best;
}

static bool
world_better(const struct world *a, const struct world *b)
{
	if (b == NULL || a->ranked.key != b->ranked.key)
		return b == NULL || a->ranked.key < b->ranked.key;
	return a->ranked.tie < b->ranked.tie;
}

static bool
choose_world(const struct search *search, struct choice *choice)
{
	struct world *best = NULL;

	for (size_t i = 0; i < search->map->noffers; i++) {
		struct world *world = catalogue_best(
		    search->map->offers[i]->catalogue, search);

		if (world != NULL && world_better(world, best))
			best = world;
	}
	if (best == NULL)
		return false;
	choice->world = best;
	choice->copy = copy_find(best, search->map);
	return true;
}

static bool
copy_fits(const struct copy *copy, const struct search *search)
{
	return copy->world != search->avoid && world_roomy(copy->world) &&
	    world_load_now(copy->world) < search->load_below;
}

static bool
choose_copy(const struct search *search, struct choice *choice)
{
	struct heap *heap = &search->map->roomy;
	struct copy *skipped = NULL, *best = NULL;
	struct heap_node *node;

	while ((node = heap_top(heap)) != NULL) {
		best = node->owner;
		if (copy_fits(best, search))
			break;
		heap_remove(heap, node);
		best->skipped = skipped;
		skipped = best;
		best = NULL;
	}
	for (; skipped != NULL; skipped = skipped->skipped)
		heap_add(heap, &skipped->ranked);
	if (best == NULL)
		return false;
	choice->world = best->world;
	choice->copy = best;
	return true;
}

bool
placement_choose(struct placement *placement, struct map *map,
    const struct world *avoid, struct choice *choice_r)
{
	struct search search = {
		.map = map, .avoid = avoid, .load_below = UINT32_MAX
	};

	if (placement->policy == LEAST_USERS ||
	    placement->policy == LEAST_LOAD)
		return choose_world(&search, choice_r);
	search.fresh = true;
	if (placement->policy == COMBINED) {
		search.load_below = placement->overload;
		if (choose_copy(&search, choice_r) ||
		    choose_world(&search, choice_r))
			return true;
		search.load_below = UINT32_MAX;
	}
	return choose_copy(&search, choice_r) ||
	    choose_world(&search, choice_r);
}
