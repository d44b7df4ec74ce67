/* SPDX-License-Identifier: MIT */
/*
 * placement - which world server is the best place for one more user?
 *
 * Worlds, the maps they have on disk, and the copies of maps that run.
 * Worlds with the same maps share a catalogue, so a hundred with one store
 * cost what one costs.  Each catalogue has a heap of its worlds
 * that have room, each map a heap of its copies that have room; what is
 * counted moves a node, and a choice looks at the tops.
 *
 * Pure: no clock, no host, no messages.
 */
#ifndef TASKMASTER_PLACEMENT_H
#define TASKMASTER_PLACEMENT_H

#include "heap.h"
#include "table.h"

#include <metacube/name.h>

enum policy {
	LEAST_USERS,		/* the world with the fewest users */
	LEAST_LOAD,		/* the one with the lowest load */
	MAP_AFFINITY,		/* where the map runs; else the fewest users */
	COMBINED		/* where the map runs, unless overloaded; else
				 * the lowest sum of users and load */
};
#define POLICY_CHOICES	"least-users|least-load|map-affinity|combined"

struct catalogue;
struct offer;

struct placement {
	enum policy	 policy;
	uint32_t	 overload;	/* thousandths of load */
	struct world	*worlds, *worlds_last;
	size_t		 nworlds;
	uint64_t	 serial;	/* of worlds and copies, for ties */
	struct table	 names;		/* world by name */
	struct table	 maps;		/* map by key */
	struct table	 copies;	/* copy by map and world */
	struct table	 offers;	/* offer by map and catalogue */
	struct table	 catalogues;
	struct map	**sorted;	/* when !unsorted */
	bool		 unsorted;
};

struct world {
	struct placement *placement;
	struct world	*prev, *next;
	char		 name[MC_KEY_SIZE];
	char		 endpoint[128];
	uint32_t	 capacity;	/* users */
	uint32_t	 load;		/* as reported, thousandths */
	uint32_t	 users, seats;
	uint32_t	 fresh;		/* placed and not in the load yet */
	struct catalogue *catalogue;
	struct copy	*copies;
	size_t		 ncopies;
	struct heap_node ranked;	/* in its catalogue */
	struct world	*skipped;	/* while a choice looks on */
	struct table_node named;
	void		*owner;
};

struct map {
	struct table_node keyed;
	struct offer	**offers;	/* the catalogues it is in */
	size_t		 noffers, offers_size;
	struct heap	 roomy;		/* copies with room */
	struct copy	*copies;
	uint32_t	 ncopies, users;
	char		 key[MC_KEY_SIZE];
	char		 title[MC_KEY_SIZE];
};

struct copy {
	struct world	*world;
	struct map	*map;
	struct copy	*world_prev, *world_next, *map_prev, *map_next;
	uint64_t	 epoch;
	uint32_t	 capacity, users, seats;
	struct heap_node ranked;	/* in its map */
	struct copy	*skipped;
	struct table_node paired;
	void		*owner;
};

/* What a world says of itself; the lists are its own. */
struct world_terms {
	const char	*name, *endpoint;
	uint32_t	 capacity, load;
	size_t		 nmaps;
	char		**maps, **titles;
	const uint32_t	*capacities;	/* 0: as many as the world */
};

struct choice {
	struct world	*world;
	struct copy	*copy;		/* NULL: to be loaded there */
};

void	 placement_init(struct placement *, enum policy, uint32_t overload);
void	 placement_fini(struct placement *);
void	 placement_policy(struct placement *, enum policy, uint32_t overload);

/* NULL: why_r says what is wrong with the terms. */
struct world *world_add(struct placement *, const struct world_terms *,
	    const char **why_r);
void	 world_remove(struct world **);		/* with its copies */
struct world *world_find(const struct placement *, const char *name);
void	 world_load(struct world *, uint32_t load);
uint32_t world_load_now(const struct world *);	/* with what is fresh */

struct map *map_find(const struct placement *, const char *key);

/* All maps by key; first_r is the place of the first one after. */
struct map **maps_sorted(struct placement *, const char *after,
	    size_t *first_r);

/* NULL: this world does not have the map, or runs it already. */
struct copy *copy_add(struct world *, struct map *, uint64_t epoch);
void	 copy_remove(struct copy **);
struct copy *copy_find(const struct world *, const struct map *);

void	 copy_seat_add(struct copy *);
void	 copy_seat_remove(struct copy *);	/* nobody came */
void	 copy_seat_taken(struct copy *);	/* it is a user's now */
void	 copy_user_add(struct copy *);
void	 copy_user_remove(struct copy *);

/* false: all worlds that have the map are full. */
bool	 placement_choose(struct placement *, struct map *,
	    const struct world *avoid, struct choice *choice_r);

#endif
