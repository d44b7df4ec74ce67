/* SPDX-License-Identifier: MIT */
/*
 * terrain - the height map of a map, as terrain.png says.
 *
 * Lengths are centimetres.  The posts of the height map are spread evenly
 * over width and height, the first and last ones on the edges; between them
 * the ground is interpolated.  The picture's top is north.
 */
#ifndef WORLD_TERRAIN_H
#define WORLD_TERRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERRAIN_SIDE_MAX	4096	/* posts */

struct terrain {
	unsigned	 columns, rows;
	uint16_t	*posts;		/* row by row, the north first */
	double		 width, height;	/* of the ground it covers */
	double		 low, high;	/* what 0 and 65535 stand for */
};

/* Reads the posts of a 16-bit grey PNG from this descriptor, which is closed
 * then.  false: why says what is wrong with it. */
bool	terrain_read(struct terrain *, int fd, char *why, size_t size);
void	terrain_clear(struct terrain *);

/* Height of the ground above the sea; beyond the edges, that at the edge. */
double	terrain_at(const struct terrain *, double x, double y);

#endif
