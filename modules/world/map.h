/* SPDX-License-Identifier: MIT */
/*
 * map - a map as it lies on disk: the folder maps/KEY.
 *
 *	map.conf	title = "Newbie Island";
 *			width = 256;  height = 256;	(west-east, south-north)
 *			low = -8;  high = 32;		(black and white)
 *			speed = 4.0;			(a second)
 *			steepest = 45;			(degrees)
 *			capacity = 60;
 *			spawn = ( { x = 120; y = 90; }, ... );
 *	terrain.png	16-bit grey height map
 *
 * All lengths in map.conf are metres; in memory they are centimetres, as on
 * the wire.  The sea is at height 0.  Everything has a limit, and an error
 * names file, line and setting.
 *
 * Any thread: nothing is kept beside the map itself.
 */
#ifndef WORLD_MAP_H
#define WORLD_MAP_H

#include "terrain.h"

#define MAP_CAPACITY_MAX	1000	/* Entered fits in one message */
#define MAP_SPAWN_MAX		64
#define MAP_TITLE_SIZE		64
#define MAP_WHY_SIZE		512

struct map_point {
	int32_t	x, y;
};

struct map {
	char			 title[MAP_TITLE_SIZE];
	int32_t			 width, height;
	unsigned		 capacity;
	unsigned		 speed;		/* centimetres a second */
	double			 steepest;	/* rise over run */
	size_t			 spawns;
	struct map_point	 spawn[MAP_SPAWN_MAX];
	struct terrain		 terrain;
};

/* Reads map.conf alone (terrain stays empty), or the whole map.  NULL: why
 * says what is wrong with it. */
struct map	*map_describe(const char *dir, const char *key,
		    char why[MAP_WHY_SIZE]);
struct map	*map_read(const char *dir, const char *key,
		    char why[MAP_WHY_SIZE]);
void		 map_free(struct map **);

bool		 map_has(const struct map *, double x, double y);

#endif
