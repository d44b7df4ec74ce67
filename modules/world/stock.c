/* SPDX-License-Identifier: MIT */
/*
 * stock - which maps are on disk: the folders in maps that have a map.conf.
 *
 * Only map.conf is read; the terrain is looked at when a map is loaded.
 */

#include "stock.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
has_conf(DIR *folder, const char *key)
{
	char path[NAME_MAX + sizeof("/map.conf")];
	struct stat st;

	snprintf(path, sizeof(path), "%s/map.conf", key);
	return fstatat(dirfd(folder), path, &st, 0) == 0;
}

static bool
stock_read(struct mc_host *host, const char *dir, const char *key,
    struct stock *stock)
{
	char why[MAP_WHY_SIZE];
	struct map *map = map_describe(dir, key, why);

	if (map == NULL) {
		mc_log(host, MC_WARN, "map %s is left out: %s", key, why);
		return false;
	}
	memcpy(stock->key, key, strlen(key) + 1);
	memcpy(stock->title, map->title, sizeof(stock->title));
	stock->capacity = map->capacity;
	map_free(&map);
	return true;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct stock *)a)->key,
	    ((const struct stock *)b)->key);
}

/* Twice as much room, whenever it is needed. */
static struct stock *
room_for(struct stock *stock, size_t count)
{
	struct stock *more;

	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return stock;
	more = mc_zalloc((count < 16 ? 16 : 2 * count) * sizeof(*more));
	if (count > 0)
		memcpy(more, stock, count * sizeof(*more));
	free(stock);
	return more;
}

long
stock_scan(struct mc_host *host, const char *dir, struct stock **stock_r)
{
	DIR *folder = opendir(dir);
	struct stock *stock = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (folder == NULL) {
		mc_fail(host, MC_UNAVAILABLE, "maps: %s: %s", dir,
		    strerror(errno));
		return -1;
	}
	while (count < STOCK_MAX && (entry = readdir(folder)) != NULL) {
		if (!mc_key_valid(entry->d_name) ||
		    !has_conf(folder, entry->d_name))
			continue;
		stock = room_for(stock, count);
		count += stock_read(host, dir, entry->d_name, &stock[count]);
	}
	closedir(folder);
	if (count == STOCK_MAX)
		mc_log(host, MC_WARN, "maps: %s: more than %d maps, the rest "
		    "is left out", dir, STOCK_MAX);
	if (count > 0)
		qsort(stock, count, sizeof(*stock), by_key);
	*stock_r = stock;
	return (long)count;
}
