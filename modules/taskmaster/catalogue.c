/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include <metacube/host.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t
pair_hash(const void *a, const void *b)
{
	return table_hash_number(table_hash_number((uintptr_t)a) ^
	    (uintptr_t)b);
}

struct offer *
offer_find(const struct placement *placement, const struct map *map,
    const struct catalogue *catalogue)
{
	struct table_node *node = table_first(&placement->offers,
	    pair_hash(map, catalogue));

	for (; node != NULL; node = table_next(node)) {
		struct offer *offer = node->owner;

		if (offer->map == map && offer->catalogue == catalogue)
			return offer;
	}
	return NULL;
}

static struct map *
map_get(struct placement *placement, const char *key)
{
	struct map *map = map_find(placement, key);

	if (map != NULL)
		return map;
	map = mc_zalloc(sizeof(*map));
	snprintf(map->key, sizeof(map->key), "%s", key);
	map->keyed.owner = map;
	table_add(&placement->maps, &map->keyed, table_hash_text(key));
	placement->unsorted = true;
	return map;
}

static void
map_put(struct placement *placement, struct map *map)
{
	if (map->noffers > 0)
		return;
	table_remove(&placement->maps, &map->keyed);
	placement->unsorted = true;
	heap_free(&map->roomy);
	free(map->offers);
	free(map);
}

static void
offer_list(struct offer *offer)
{
	struct map *map = offer->map;

	if (map->noffers == map->offers_size) {
		size_t size = map->offers_size > 0 ? 2 * map->offers_size : 1;
		struct offer **offers = mc_zalloc(size * sizeof(*offers));

		if (map->noffers > 0)
			memcpy(offers, map->offers,
			    map->noffers * sizeof(*offers));
		free(map->offers);
		map->offers = offers;
		map->offers_size = size;
	}
	offer->at = map->noffers;
	map->offers[map->noffers++] = offer;
}

static void
offer_unlist(struct offer *offer)
{
	struct map *map = offer->map;
	struct offer *last = map->offers[--map->noffers];

	map->offers[offer->at] = last;
	last->at = offer->at;
	if (map->noffers > 0 && offer->at == 0)
		memcpy(map->title, map->offers[0]->title, sizeof(map->title));
}

static bool
offer_fill(struct placement *placement, struct catalogue *catalogue,
    const struct world_terms *terms, size_t i)
{
	struct offer *offer = &catalogue->offers[i];
	struct map *map = map_get(placement, terms->maps[i]);

	if (offer_find(placement, map, catalogue) != NULL)
		return false;
	offer->catalogue = catalogue;
	offer->map = map;
	offer->capacity = terms->capacities[i];
	offer->paired.owner = offer;
	snprintf(offer->title, sizeof(offer->title), "%s", terms->titles[i]);
	offer_list(offer);
	if (offer->at == 0)
		memcpy(map->title, offer->title, sizeof(map->title));
	table_add(&placement->offers, &offer->paired,
	    pair_hash(map, catalogue));
	return true;
}

static void
catalogue_free(struct placement *placement, struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->noffers; i++) {
		struct offer *offer = &catalogue->offers[i];

		table_remove(&placement->offers, &offer->paired);
		offer_unlist(offer);
		map_put(placement, offer->map);
	}
	heap_free(&catalogue->roomy);
	free(catalogue);
}

static const char *
terms_fault(const struct world_terms *terms)
{
	for (size_t i = 0; i < terms->nmaps; i++) {
		if (!mc_key_valid(terms->maps[i]))
			return "a map's key is not valid";
		if (!mc_text_valid(terms->titles[i], MC_KEY_SIZE - 1))
			return "a map's title is not valid";
	}
	return NULL;
}

static uint64_t
terms_hash(const struct world_terms *terms)
{
	uint64_t hash = terms->nmaps;

	for (size_t i = 0; i < terms->nmaps; i++)
		hash = table_hash_number(hash +
		    table_hash_text(terms->maps[i]) +
		    3 * table_hash_text(terms->titles[i]) +
		    terms->capacities[i]);
	return hash;
}

static bool
catalogue_is(const struct catalogue *catalogue,
    const struct world_terms *terms)
{
	if (catalogue->noffers != terms->nmaps)
		return false;
	for (size_t i = 0; i < terms->nmaps; i++) {
		const struct offer *offer = &catalogue->offers[i];

		if (strcmp(offer->map->key, terms->maps[i]) != 0 ||
		    strcmp(offer->title, terms->titles[i]) != 0 ||
		    offer->capacity != terms->capacities[i])
			return false;
	}
	return true;
}

static struct catalogue *
catalogue_find(const struct placement *placement,
    const struct world_terms *terms, uint64_t hash)
{
	struct table_node *node = table_first(&placement->catalogues, hash);

	while (node != NULL && !catalogue_is(node->owner, terms))
		node = table_next(node);
	return node != NULL ? node->owner : NULL;
}

static struct catalogue *
catalogue_new(struct placement *placement, const struct world_terms *terms,
    const char **why_r)
{
	struct catalogue *catalogue = mc_zalloc(sizeof(*catalogue) +
	    terms->nmaps * sizeof(catalogue->offers[0]));

	for (size_t i = 0; i < terms->nmaps; i++) {
		if (offer_fill(placement, catalogue, terms, i)) {
			catalogue->noffers++;
			continue;
		}
		*why_r = "a map is listed twice";
		catalogue_free(placement, catalogue);
		return NULL;
	}
	return catalogue;
}

struct catalogue *
catalogue_get(struct placement *placement, const struct world_terms *terms,
    const char **why_r)
{
	uint64_t hash = terms_hash(terms);
	struct catalogue *catalogue;

	*why_r = terms_fault(terms);
	if (*why_r != NULL)
		return NULL;
	catalogue = catalogue_find(placement, terms, hash);
	if (catalogue == NULL) {
		catalogue = catalogue_new(placement, terms, why_r);
		if (catalogue == NULL)
			return NULL;
		catalogue->hashed.owner = catalogue;
		table_add(&placement->catalogues, &catalogue->hashed, hash);
	}
	catalogue->worlds++;
	return catalogue;
}

void
catalogue_put(struct placement *placement, struct catalogue **slot)
{
	struct catalogue *catalogue = *slot;

	*slot = NULL;
	if (--catalogue->worlds > 0)
		return;
	table_remove(&placement->catalogues, &catalogue->hashed);
	catalogue_free(placement, catalogue);
}
