/* SPDX-License-Identifier: MIT */
/*
 * sim - how a body walks over the terrain.
 *
 * A way is cut into strides, so that a long tick does not jump over a narrow
 * ditch or wall.  Each stride is taken whole or not at all.
 */

#include "sim.h"

#include <math.h>

#define STRIDE	20.0		/* centimetres, longest step at once */
#define NEAR	0.01		/* this close is there */

void
sim_place(const struct map *map, struct body *body, double x, double y)
{
	body->x = body->to_x = x;
	body->y = body->to_y = y;
	body->z = terrain_at(&map->terrain, x, y);
	body->walking = false;
}

bool
sim_aim(const struct map *map, struct body *body, double x, double y)
{
	if (!map_has(map, x, y))
		return false;
	body->to_x = x;
	body->to_y = y;
	body->walking = true;
	return true;
}

static void
stop(struct body *body)
{
	body->to_x = body->x;
	body->to_y = body->y;
	body->walking = false;
}

/* One stride along the way; false: the ground does not permit it. */
static bool
stride(const struct map *map, struct body *body, double way, double length)
{
	bool last = length >= way;
	double x = last ? body->to_x :
	    body->x + (body->to_x - body->x) * length / way;
	double y = last ? body->to_y :
	    body->y + (body->to_y - body->y) * length / way;
	double z = terrain_at(&map->terrain, x, y);

	if (!map_has(map, x, y) || z < 0 ||
	    fabs(z - body->z) > length * map->steepest)
		return false;
	body->x = x;
	body->y = y;
	body->z = z;
	return true;
}

bool
sim_walk(const struct map *map, struct body *body, unsigned ms)
{
	double left = map->speed * (double)ms / 1000;
	bool moved = false;

	while (body->walking && left > NEAR) {
		double way = hypot(body->to_x - body->x,
		    body->to_y - body->y);
		double length = fmin(fmin(left, STRIDE), way);

		if (way < NEAR || !stride(map, body, way, length)) {
			stop(body);
			break;
		}
		left -= length;
		moved = true;
	}
	return moved;
}

double
sim_distance(const struct body *a, const struct body *b)
{
	return sqrt((a->x - b->x) * (a->x - b->x) +
	    (a->y - b->y) * (a->y - b->y) + (a->z - b->z) * (a->z - b->z));
}
