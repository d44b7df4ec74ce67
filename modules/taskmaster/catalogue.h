/* SPDX-License-Identifier: MIT */
/*
 * catalogue - the maps that a world has on disk, shared by all worlds that
 * have the same ones.  Private to placement.
 */
#ifndef TASKMASTER_CATALOGUE_H
#define TASKMASTER_CATALOGUE_H

#include "placement.h"

struct offer {
	struct catalogue *catalogue;
	struct map	*map;
	size_t		 at;		/* in map->offers */
	uint32_t	 capacity;	/* 0: as many as the world */
	struct table_node paired;
	char		 title[MC_KEY_SIZE];
};

struct catalogue {
	struct table_node hashed;
	size_t		 worlds;	/* that use it */
	size_t		 noffers;
	struct heap	 roomy;		/* of them, those with room */
	struct offer	 offers[];
};

/* Of the world's terms; one more world uses it.  NULL: why_r. */
struct catalogue *catalogue_get(struct placement *,
	    const struct world_terms *, const char **why_r);
void	 catalogue_put(struct placement *, struct catalogue **);

struct offer *offer_find(const struct placement *, const struct map *,
	    const struct catalogue *);

uint64_t pair_hash(const void *, const void *);

#endif
