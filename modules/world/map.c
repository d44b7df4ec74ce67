/* SPDX-License-Identifier: MIT */
/*
 * map - reads a map's folder.
 *
 * libconfig 1.5 is kept from what it does badly: an @include of a folder
 * ends the process and numbers beyond 32 bits wrap around, so the text is
 * looked through for both before it is parsed.
 */

#include "map.h"

#include <metacube/host.h>
#include <metacube/name.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_MAX	(64 * 1024)
#define PNG_MAX		(64 * 1024 * 1024)
#define DIGITS_MAX	9
#define PATH_SHOWN	200		/* its end, in an error */

struct source {
	char	 path[PATH_MAX];
	char	*why;
};

static void failed(struct source *, int line, const char *, ...)
    MC_PRINTF(3, 4);

static void
failed(struct source *source, int line, const char *text, ...)
{
	char what[MAP_WHY_SIZE / 2];
	size_t len = strlen(source->path);
	const char *path = source->path + (len > PATH_SHOWN ?
	    len - PATH_SHOWN : 0);
	va_list ap;

	va_start(ap, text);
	vsnprintf(what, sizeof(what), text, ap);
	va_end(ap);
	if (line > 0)
		snprintf(source->why, MAP_WHY_SIZE, "%.*s:%d: %s",
		    PATH_SHOWN, path, line, what);
	else
		snprintf(source->why, MAP_WHY_SIZE, "%.*s: %s", PATH_SHOWN,
		    path, what);
}

static bool
source_set(struct source *source, const char *dir, const char *key,
    const char *file)
{
	int len = snprintf(source->path, sizeof(source->path), "%s/%s/%s",
	    dir, key, file);

	if (len < (int)sizeof(source->path))
		return true;
	snprintf(source->why, MAP_WHY_SIZE, "%s: the path is too long", key);
	return false;
}

/* Opens a regular file that is not longer than max. */
static int
source_open(struct source *source, off_t max, size_t *len_r)
{
	int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		failed(source, 0, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		failed(source, 0, "is not a regular file");
	else if (st.st_size > max)
		failed(source, 0, "is longer than %lld bytes",
		    (long long)max);
	else {
		*len_r = (size_t)st.st_size;
		return fd;
	}
	if (fd != -1)
		close(fd);
	return -1;
}

static char *
source_text(struct source *source)
{
	size_t len, got = 0;
	ssize_t n = 0;
	char *text;
	int fd = source_open(source, CONF_MAX, &len);

	if (fd == -1)
		return NULL;
	text = mc_zalloc(len + 1);
	while (got < len && (n = read(fd, text + got, len - got)) > 0)
		got += (size_t)n;
	if (n == -1)
		failed(source, 0, "%s", strerror(errno));
	else if (strlen(text) != got)
		failed(source, 0, "has a NUL in it");
	close(fd);
	if (n != -1 && strlen(text) == got)
		return text;
	free(text);
	return NULL;
}

/* The end of the string or comment that begins here; NULL: none does. */
static const char *
quiet_end(const char *at)
{
	const char *end;

	if (*at == '"') {
		for (end = at + 1; *end != '\0' && *end != '"'; end++)
			if (*end == '\\' && end[1] != '\0')
				end++;
		return *end == '\0' ? end : end + 1;
	}
	if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		return at + strcspn(at, "\n");
	if (at[0] == '/' && at[1] == '*') {
		end = strstr(at + 2, "*/");
		return end == NULL ? at + strlen(at) : end + 2;
	}
	return NULL;
}

static int
line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static bool
text_harmless(struct source *source, const char *text)
{
	const char *at = text, *end;

	for (; *at != '\0'; at = end) {
		end = quiet_end(at);
		if (end != NULL)
			continue;
		if (*at == '@') {
			failed(source, line_of(text, at),
			    "@include is not possible here");
			return false;
		}
		for (end = at; isalnum((unsigned char)*end) || *end == '_';)
			end++;
		if (isdigit((unsigned char)*at) && end - at > DIGITS_MAX) {
			failed(source, line_of(text, at),
			    "a number has more than %d digits", DIGITS_MAX);
			return false;
		}
		if (end == at)
			end++;
	}
	return true;
}

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
			failed(source, config_setting_source_line(in),
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
		failed(source, config_setting_source_line(setting),
		    "'%s' must be a number", want->name);
		return false;
	}
	if (!(value >= want->min && value <= want->max)) {
		failed(source, config_setting_source_line(setting),
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
		failed(source, 0, "'title' is missing");
		return false;
	}
	title = config_setting_get_string(setting);
	if (title == NULL || *title == '\0' ||
	    !mc_text_valid(title, MAP_TITLE_SIZE - 1)) {
		failed(source, config_setting_source_line(setting),
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
			failed(source, config_setting_source_line(setting),
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
		failed(source, config_setting_source_line(in),
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
		failed(source,
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
		failed(source, 0, "'low' must be below 'high'");
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
	if (!text_harmless(source, text))
		;
	else if (config_read_string(&config, text) != CONFIG_TRUE)
		failed(source, config_error_line(&config), "%s",
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
	failed(source, 0, "%s", what);
	return false;
}

static bool
spawns_dry(struct source *source, const struct map *map)
{
	for (size_t i = 0; i < map->spawns; i++) {
		const struct map_point *at = &map->spawn[i];

		if (terrain_at(&map->terrain, at->x, at->y) < 0) {
			failed(source, 0, "spawn point %zu (%g, %g) is under "
			    "water", i + 1, at->x / 100.0, at->y / 100.0);
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
