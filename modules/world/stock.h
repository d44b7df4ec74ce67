/* SPDX-License-Identifier: MIT */
/* stock - which maps are on disk. */
#ifndef WORLD_STOCK_H
#define WORLD_STOCK_H

#include "map.h"

#include <metacube/host.h>
#include <metacube/name.h>

/* With as many users as a world may have, Register stays below the limit of
 * a message. */
#define STOCK_MAX	50000

struct stock {
	char		key[MC_KEY_SIZE];
	char		title[MAP_TITLE_SIZE];
	unsigned	capacity;
};

/* All maps in this folder, by key.  One that cannot be used is logged and
 * left out; -1: the folder itself cannot be read, which is logged too. */
long	stock_scan(struct mc_host *, const char *dir,
	    struct stock **stock_r);

#endif
