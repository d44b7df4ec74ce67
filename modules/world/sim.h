/* SPDX-License-Identifier: MIT */
/*
 * sim - how a body walks over the terrain.
 *
 * A client only says where it wants to be; each step of the way is taken
 * here, so nobody is faster than the map's speed, goes through water or up a
 * wall.  Pure: one body, one map, no time of its own.
 */
#ifndef WORLD_SIM_H
#define WORLD_SIM_H

#include "map.h"

struct body {
	double	x, y, z;		/* centimetres */
	double	to_x, to_y;		/* where it wants to be */
	bool	walking;
};

/* Puts it there, standing. */
void	sim_place(const struct map *, struct body *, double x, double y);

/* false: the target is not on the map, nothing has changed. */
bool	sim_aim(const struct map *, struct body *, double x, double y);

/* Walks for so long; true: it is somewhere else now. */
bool	sim_walk(const struct map *, struct body *, unsigned ms);

double	sim_distance(const struct body *, const struct body *);

#endif
