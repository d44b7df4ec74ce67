/* SPDX-License-Identifier: MIT */
/* map - reads a map's folder. */

#include "map.h"
#include "source.h"

#include <metacube/host.h>
#include <metacube/name.h>

#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PNG_MAX		(64 * 1024 * 1024)

/* A setting and what it may be; lengths are metres here. */
struct want {
	const char	*name;
	double		 min, max;
	bool		 optional;
};

static bool
number_get(struct source *source, config_setting_t *in,
    const struct want *want, double *value_r)
{
	config_setting_t *setting = config_setting_get_member(in, want->name);
	double value;

	if (setting == NULL) {
		if (!want->optional)
			source_fail(source, config_setting_source_line(in),
			    "'%s' is missing", want->name);
		return want->optional;
	}
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
		value = config_setting_get_int(setting);
		break;
	case CONFIG_TYPE_FLOAT:
		value = config_setting_get_float(setting);
		break;
	default:
		source_fail(source, config_setting_source_line(setting),
		    "'%s' must be a number", want->name);
		return false;
	}
	if (!(value >= want->min && value <= want->max)) {
		source_fail(source, config_setting_source_line(setting),
		    "'%s' is %g, it must be between %g and %g", want->name,
		    value, want->min, want->max);
		return false;
	}
	*value_r = value;
	return true;
}

static bool
length_get(struct source *source, config_setting_t *in,
    const struct want *want, double *length_r)
{
	if (!number_get(source, in, want, length_r))
		return false;
	*length_r = round(*length_r * 100);
	return true;
}

static bool
title_get(struct source *source, config_setting_t *root, struct map *map)
{
	config_setting_t *setting = config_setting_get_member(root, "title");
	const char *title;

	if (setting == NULL) {
		source_fail(source, 0, "'title' is missing");
		return false;
	}
	title = config_setting_get_string(setting);
	if (title == NULL || *title == '\0' ||
	    !mc_text_valid(title, MAP_TITLE_SIZE - 1)) {
		source_fail(source, config_setting_source_line(setting),
		    "'title' must be 1 to %d bytes of text in UTF-8",
		    MAP_TITLE_SIZE - 1);
		return false;
	}
	memcpy(map->title, title, strlen(title) + 1);
	return true;
}

static bool
names_known(struct source *source, config_setting_t *in,
    const char *const *known)
{
	for (int i = 0; i < config_setting_length(in); i++) {
		config_setting_t *setting = config_setting_get_elem(in, i);
		size_t k = 0;

		while (known[k] != NULL &&
		    strcmp(known[k], config_setting_name(setting)) != 0)
			k++;
		if (known[k] == NULL) {
			source_fail(source, config_setting_source_line(setting),
			    "unknown setting '%s'",
			    config_setting_name(setting));
			return false;
		}
	}
	return true;
}

static bool
spawn_get(struct source *source, config_setting_t *in, struct map *map)
{
	static const char *const known[] = { "x", "y", NULL };
	const struct want east = { "x", 0, map->width / 100.0, false };
	const struct want north = { "y", 0, map->height / 100.0, false };
	struct map_point *point = &map->spawn[map->spawns];
	double x, y;

	if (!config_setting_is_group(in)) {
		source_fail(source, config_setting_source_line(in),
		    "'spawn' must be a list of groups { x = 1; y = 2; }");
		return false;
	}
	if (!names_known(source, in, known) ||
	    !length_get(source, in, &east, &x) ||
	    !length_get(source, in, &north, &y))
		return false;
	point->x = (int32_t)x;
	point->y = (int32_t)y;
	map->spawns++;
	return true;
}

static bool
spawns_get(struct source *source, config_setting_t *root, struct map *map)
{
	config_setting_t *list = config_setting_get_member(root, "spawn");
	int count = list == NULL ? 0 : config_setting_length(list);

	if (list == NULL || !config_setting_is_list(list) || count < 1 ||
	    count > MAP_SPAWN_MAX) {
		source_fail(source,
		    list == NULL ? 0 : config_setting_source_line(list),
		    "'spawn' must be a list of 1 to %d points",
		    MAP_SPAWN_MAX);
		return false;
	}
	for (int i = 0; i < count; i++)
		if (!spawn_get(source,
		    config_setting_get_elem(list, (unsigned)i), map))
			return false;
	return true;
}

static const char *const known_settings[] = {
	"title", "width", "height", "low", "high", "speed", "steepest",
	"capacity", "spawn", NULL
};

static bool
settings_get(struct source *source, config_setting_t *root, struct map *map)
{
	static const struct want width = { "width", 1, 10000, false };
	static const struct want height = { "height", 1, 10000, false };
	static const struct want low = { "low", -1000, 10000, false };
	static const struct want high = { "high", -1000, 10000, false };
	static const struct want speed = { "speed", 0.1, 100, true };
	static const struct want steepest = { "steepest", 1, 89, true };
	static const struct want capacity =
	    { "capacity", 1, MAP_CAPACITY_MAX, false };
	struct terrain *terrain = &map->terrain;
	double walk = 400, degrees = 45, seats;

	if (!names_known(source, root, known_settings) ||
	    !title_get(source, root, map) ||
	    !length_get(source, root, &width, &terrain->width) ||
	    !length_get(source, root, &height, &terrain->height) ||
	    !length_get(source, root, &low, &terrain->low) ||
	    !length_get(source, root, &high, &terrain->high) ||
	    !number_get(source, root, &capacity, &seats) ||
	    !number_get(source, root, &steepest, &degrees))
		return false;
	if (config_setting_get_member(root, "speed") != NULL &&
	    !length_get(source, root, &speed, &walk))
		return false;
	if (terrain->low >= terrain->high) {
		source_fail(source, 0, "'low' must be below 'high'");
		return false;
	}
	map->width = (int32_t)terrain->width;
	map->height = (int32_t)terrain->height;
	map->capacity = (unsigned)seats;
	map->speed = (unsigned)walk;
	map->steepest = tan(degrees / 180 * M_PI);
	return spawns_get(source, root, map);
}

static bool
conf_read(struct source *source, struct map *map)
{
	char *text = source_text(source);
	config_t config;
	bool fine = false;

	if (text == NULL)
		return false;
	config_init(&config);
	if (!source_harmless(source, text))
		;
	else if (config_read_string(&config, text) != CONFIG_TRUE)
		source_fail(source, config_error_line(&config), "%s",
		    config_error_text(&config));
	else
		fine = settings_get(source, config_root_setting(&config),
		    map);
	config_destroy(&config);
	free(text);
	return fine;
}

struct map *
map_describe(const char *dir, const char *key, char why[MAP_WHY_SIZE])
{
	struct source source = { .why = why };
	struct map *map;

	if (!mc_key_valid(key)) {
		snprintf(why, MAP_WHY_SIZE, "this cannot be a map's key");
		return NULL;
	}
	if (!source_set(&source, dir, key, "map.conf"))
		return NULL;
	map = mc_zalloc(sizeof(*map));
	if (!conf_read(&source, map))
		map_free(&map);
	return map;
}

static bool
terrain_get(struct source *source, struct map *map)
{
	char what[MAP_WHY_SIZE / 4] = "";
	size_t len;
	int fd = source_open(source, PNG_MAX, &len);

	if (fd == -1)
		return false;
	if (terrain_read(&map->terrain, fd, what, sizeof(what)))
		return true;
	source_fail(source, 0, "%s", what);
	return false;
}

static bool
spawns_dry(struct source *source, const struct map *map)
{
	for (size_t i = 0; i < map->spawns; i++) {
		const struct map_point *at = &map->spawn[i];

		if (terrain_at(&map->terrain, at->x, at->y) < 0) {
			source_fail(source, 0, "spawn point %zu (%g, %g) is "
			    "under water", i + 1, at->x / 100.0,
			    at->y / 100.0);
			return false;
		}
	}
	return true;
}

struct map *
map_read(const char *dir, const char *key, char why[MAP_WHY_SIZE])
{
	struct source source = { .why = why };
	struct map *map = map_describe(dir, key, why);

	if (map == NULL)
		return NULL;
	if (!source_set(&source, dir, key, "terrain.png") ||
	    !terrain_get(&source, map) ||
	    !source_set(&source, dir, key, "map.conf") ||
	    !spawns_dry(&source, map))
		map_free(&map);
	return map;
}

void
map_free(struct map **mapp)
{
	if (*mapp == NULL)
		return;
	terrain_clear(&(*mapp)->terrain);
	free(*mapp);
	*mapp = NULL;
}

bool
map_has(const struct map *map, double x, double y)
{
	return x >= 0 && x <= map->width && y >= 0 && y <= map->height;
}
