/* SPDX-License-Identifier: MIT */
/* What a map's folder may hold, and what is said about one that is wrong. */

#include "cutap.h"
#include "../../modules/world/map.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FINE \
	"title = \"Test\"; width = 10; height = 20; low = -1; high = 9;\n" \
	"capacity = 5;\n" \
	"spawn = ( { x = 1; y = 2; } );\n"

static char dir[] = "/tmp/metacube-map-XXXXXX";
static char why[MAP_WHY_SIZE];

static void
path_of(char *path, size_t size, const char *file)
{
	snprintf(path, size, "%s/test/%s", dir, file);
}

static void
put(const char *file, const void *data, size_t len)
{
	char path[256];
	FILE *out;

	path_of(path, sizeof(path), file);
	out = fopen(path, "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT_EQUAL(fwrite(data, 1, len, out), len);
	CU_ASSERT_EQUAL(fclose(out), 0);
}

static void
conf(const char *text)
{
	put("map.conf", text, strlen(text));
}

/* A picture whose posts are all value, but the north-west one: 65535. */
static void
picture(unsigned columns, unsigned rows, int depth, int color, uint16_t value)
{
	char path[256];
	png_byte *row = calloc(columns, 8);
	size_t bytes = (size_t)(depth / 8) *
	    (color == PNG_COLOR_TYPE_RGB ? 3 : 1);
	png_structp png;
	png_infop info;
	FILE *out;

	path_of(path, sizeof(path), "terrain.png");
	out = fopen(path, "wb");
	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	info = png_create_info_struct(png);
	png_init_io(png, out);
	png_set_IHDR(png, info, columns, rows, depth, color,
	    PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	    PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (unsigned i = 0; i < rows; i++) {
		for (size_t k = 0; k < columns * bytes; k += 2) {
			row[k] = (png_byte)(value >> 8);
			row[k + 1] = (png_byte)value;
		}
		if (i == 0)
			row[0] = row[1] = 0xff;
		png_write_row(png, row);
	}
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	fclose(out);
	free(row);
}

static void
grey(unsigned columns, unsigned rows, uint16_t value)
{
	picture(columns, rows, 16, PNG_COLOR_TYPE_GRAY, value);
}

/* The folder is refused, and these words say why. */
static void
refused(const char *word, const char *other)
{
	struct map *map = map_read(dir, "test", why);

	CU_ASSERT_PTR_NULL(map);
	map_free(&map);
	if (strstr(why, word) == NULL || strstr(why, other) == NULL)
		printf("# said: %s\n", why);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, word));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, other));
}

static void
shipped(void)
{
	static const char *const keys[] = {
		"newbie-island", "harbour-town", "old-forest"
	};

	for (size_t i = 0; i < 3; i++) {
		struct map *map = map_read(MAPS_DIR, keys[i], why);

		if (map == NULL)
			printf("# %s\n", why);
		CU_ASSERT_PTR_NOT_NULL_FATAL(map);
		CU_ASSERT_EQUAL(map->width, 25600);
		CU_ASSERT_EQUAL(map->terrain.columns, 256);
		CU_ASSERT_TRUE(map->spawns >= 3);
		map_free(&map);
	}
}

static void
whole(void)
{
	struct map *map;

	conf("title = \"T\"; width = 10.5; height = 20; low = -1; high = 9;"
	    "capacity = 5; speed = 2.5; steepest = 45;\n"
	    "spawn = ( { x = 1; y = 2.25; }, { x = 10.5; y = 20; } );");
	grey(3, 5, 0x8000);
	map = map_read(dir, "test", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(map);
	CU_ASSERT_STRING_EQUAL(map->title, "T");
	CU_ASSERT_EQUAL(map->width, 1050);
	CU_ASSERT_EQUAL(map->height, 2000);
	CU_ASSERT_EQUAL(map->speed, 250);
	CU_ASSERT_EQUAL(map->capacity, 5);
	CU_ASSERT_DOUBLE_EQUAL(map->steepest, 1, 1e-9);
	CU_ASSERT_EQUAL(map->spawns, 2);
	CU_ASSERT_EQUAL(map->spawn[0].y, 225);
	map_free(&map);
}

static void
settings_wrong(void)
{
	static const struct {
		const char *text, *word, *other;
	} cases[] = {
		{ "title = \"T\"; width = 10;\nheight = \"x\";",
		  "map.conf:2:", "'height' must be a number" },
		{ "title = \"T\"; width = 10; height = 0;",
		  "'height' is 0", "between 1 and 10000" },
		{ "title = \"T\"; height = 10;", "map.conf", "'width'" },
		{ "title = \"T\";\nwidht = 10;", "map.conf:2:", "'widht'" },
		{ "title = 5;", "map.conf:1:", "'title'" },
		{ "title = \"a\001b\";", "map.conf:1:", "'title'" },
		{ "width = 5;", "map.conf", "'title' is missing" },
		{ "title = \"T\"; width = 4294967306;", "map.conf:1:",
		  "more than 9 digits" },
		{ "title = \"T\"; width = 0x10000000A;", "map.conf:1:",
		  "more than 9 digits" },
		{ "\n@include \"/tmp\"\n", "map.conf:2:", "@include" },
		{ "title = \"@include 12345678901\"; # 12345678901 @\n"
		  "/* 1234567890123 @include \"/\" */ widht = 1;",
		  "map.conf:2:", "'widht'" },
		{ "title = ", "map.conf:1:", "syntax error" },
		{ "title = \"T\"; title = \"T\";", "map.conf:1:",
		  "duplicate" },
		{ "", "map.conf", "missing" },
		{ "title = \"T\"; width = 1; height = 1; low = 5; high = 5;"
		  "capacity = 1;", "map.conf", "'low'" },
		{ "title = \"T\"; width = 1; height = 1; low = 5; high = 6;"
		  "capacity = 1001;", "'capacity' is 1001", "1000" },
		{ "title = \"T\"; width = 1; height = 1; low = 5; high = 6;"
		  "capacity = 1;\nspawn = ( );", "map.conf:2:", "'spawn'" },
		{ "title = \"T\"; width = 1; height = 1; low = 5; high = 6;"
		  "capacity = 1;\nspawn = ( { x = 1; y = 1.5; } );",
		  "map.conf:2:", "'y' is 1.5" },
		{ "title = \"T\"; width = 1; height = 1; low = 5; high = 6;"
		  "capacity = 1;\nspawn = ( 5 );", "map.conf:2:", "groups" },
		{ "title = \"T\"; width = 1; height = 1; low = 5; high = 6;"
		  "capacity = 1;\nspawn = ( { x = 1; y = 1; z = 1; } );",
		  "map.conf:2:", "'z'" },
	};

	grey(2, 2, 0x8000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf(cases[i].text);
		refused(cases[i].word, cases[i].other);
	}
}

static void
files_wrong(void)
{
	static char big[70000];
	char path[256];

	grey(2, 2, 0x8000);
	put("map.conf", FINE "\0", sizeof(FINE));
	refused("map.conf", "NUL");
	memset(big, '\n', sizeof(big));
	put("map.conf", big, sizeof(big));
	refused("map.conf", "longer than");
	path_of(path, sizeof(path), "map.conf");
	unlink(path);
	refused("map.conf", "No such file");
	mkdir(path, 0700);
	refused("map.conf", "not a regular file");
	rmdir(path);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	refused("map.conf", "not a regular file");
	unlink(path);
	CU_ASSERT_PTR_NULL(map_read(dir, "../test", why));
	CU_ASSERT_PTR_NULL(map_read(dir, "", why));
}

static void
pictures_wrong(void)
{
	char path[256];

	conf(FINE);
	picture(4, 4, 8, PNG_COLOR_TYPE_GRAY, 0);
	refused("terrain.png", "has 8 bits");
	picture(4, 4, 16, PNG_COLOR_TYPE_RGB, 0);
	refused("terrain.png", "not grey");
	grey(4097, 1, 0);
	refused("terrain.png", "4097 x 1");
	grey(1, 4097, 0);
	refused("terrain.png", "1 x 4097");
	put("terrain.png", "hello, I am no picture", 22);
	refused("terrain.png", "PNG");
	put("terrain.png", "", 0);
	refused("terrain.png", "");
	path_of(path, sizeof(path), "terrain.png");
	unlink(path);
	refused("terrain.png", "No such file");
	grey(4, 4, 0);
	refused("spawn point 1", "under water");
}

/* Cut off at each byte, and with each byte changed: refused or read, never
 * worse. */
static void
pictures_damaged(void)
{
	unsigned char data[4096], copy[4096];
	char path[256];
	size_t len;
	FILE *in;

	conf(FINE);
	grey(7, 9, 0x8000);
	path_of(path, sizeof(path), "terrain.png");
	in = fopen(path, "rb");
	len = fread(data, 1, sizeof(data), in);
	fclose(in);
	for (size_t i = 0; i < len - 12; i++) {
		put("terrain.png", data, i);
		refused("terrain.png", "");
	}
	for (size_t i = 0; i < len; i++) {
		struct map *map;

		memcpy(copy, data, len);
		copy[i] ^= (unsigned char)(1 + i % 255);
		put("terrain.png", copy, len);
		map = map_read(dir, "test", why);
		if (map != NULL)
			CU_ASSERT_TRUE(map->terrain.columns <= 4096);
		map_free(&map);
	}
}

static void
tiny(void)
{
	static const unsigned sides[][2] = { {1, 1}, {1, 2}, {2, 1}, {3, 1} };

	conf("title = \"T\"; width = 1; height = 1; low = 0; high = 65.535;"
	    "capacity = 1; spawn = ( { x = 0; y = 0; } );");
	for (size_t i = 0; i < 4; i++) {
		struct map *map;

		grey(sides[i][0], sides[i][1], 1000);
		map = map_read(dir, "test", why);
		CU_ASSERT_PTR_NOT_NULL_FATAL(map);
		for (double x = -100; x <= 300; x += 25)
			for (double y = -100; y <= 300; y += 25) {
				double z = terrain_at(&map->terrain, x, y);

				CU_ASSERT_TRUE(z >= 99 && z <= 6554);
			}
		map_free(&map);
	}
}

static void
north_is_up(void)
{
	struct map *map;

	conf("title = \"T\"; width = 1; height = 1; low = 0; high = 65.535;"
	    "capacity = 1; spawn = ( { x = 0; y = 0; } );");
	grey(2, 2, 0);
	map = map_read(dir, "test", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(map);
	CU_ASSERT_DOUBLE_EQUAL(terrain_at(&map->terrain, 0, 100), 6554, 1);
	CU_ASSERT_DOUBLE_EQUAL(terrain_at(&map->terrain, 0, 0), 0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(terrain_at(&map->terrain, 100, 100), 0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(terrain_at(&map->terrain, 0, 50), 3277, 1);
	CU_ASSERT_DOUBLE_EQUAL(terrain_at(&map->terrain, 50, 50), 1638.5, 1);
	map_free(&map);
}

static void
tidy(void)
{
	static const char *const files[] = { "map.conf", "terrain.png" };
	char path[256];

	for (size_t i = 0; i < 2; i++) {
		path_of(path, sizeof(path), files[i]);
		unlink(path);
	}
	path_of(path, sizeof(path), "");
	rmdir(path);
	rmdir(dir);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "the maps that are shipped can be read", shipped },
		{ "all settings", whole },
		{ "wrong settings are named with their line", settings_wrong },
		{ "wrong files", files_wrong },
		{ "wrong pictures", pictures_wrong },
		{ "damaged pictures", pictures_damaged },
		{ "tiny maps", tiny },
		{ "the picture's top is north", north_is_up },
		{ NULL, NULL }
	};
	char path[256];
	int status;

	if (mkdtemp(dir) == NULL)
		return 99;
	path_of(path, sizeof(path), "");
	mkdir(path, 0700);
	status = cutap_run("map", tests);
	tidy();
	return status;
}
