/* SPDX-License-Identifier: MIT */
/*
 * terrain - draws the height maps of the maps that are shipped:
 *
 *	maps/terrain newbie-island FILE.png
 *
 * The pictures are in the tree; this is where they come from.  The same
 * program always draws the same ground.
 */

#include <math.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE	256		/* posts, one a metre */
#define STEP	64		/* of 65536 heights: 4 cm, packs well */

static double
hash(int x, int y, uint32_t seed)
{
	uint32_t h = (uint32_t)x * 0x9e3779b1u ^ (uint32_t)y * 0x85ebca77u ^
	    seed * 0xc2b2ae3du;

	h = (h ^ h >> 15) * 0x2c1b3c6du;
	h = (h ^ h >> 12) * 0x297a2d39u;
	return (h ^ h >> 15) / (double)UINT32_MAX;
}

static double
mix(double a, double b, double t)
{
	t = t * t * (3 - 2 * t);
	return a + (b - a) * t;
}

/* Smooth noise between 0 and 1, with hills about size metres apart. */
static double
noise(double x, double y, double size, uint32_t seed)
{
	int left = (int)floor(x / size), low = (int)floor(y / size);
	double east = x / size - left, north = y / size - low;

	return mix(
	    mix(hash(left, low, seed), hash(left + 1, low, seed), east),
	    mix(hash(left, low + 1, seed), hash(left + 1, low + 1, seed),
	    east), north);
}

/* 1 in the middle, 0 from radius metres on. */
static double
bump(double x, double y, double at_x, double at_y, double radius)
{
	double far = hypot(x - at_x, y - at_y) / radius;

	return far >= 1 ? 0 : mix(1, 0, far);
}

/* A round island with a beach, a hill, and a rock with steep sides. */
static double
newbie_island(double x, double y)
{
	double coast = 105 + 14 * noise(x, y, 40, 1);
	double out = coast - hypot(x - 128, y - 128);
	double ground = out < 0 ? fmax(out * 0.25, -7) : fmin(out * 0.12, 3);

	ground += out < 12 ? 0 : noise(x, y, 24, 2) * fmin(out - 12, 20) / 20;
	ground += 18 * bump(x, y, 165, 165, 50);
	if (hypot(x - 80, y - 150) < 9)
		ground += 9;
	return ground;
}

/* Water in the south, a quay, streets that climb to the north. */
static double
harbour_town(double x, double y)
{
	double hill = y < 110 ? 0 : (y - 110) * 0.11 +
	    2 * noise(x, y, 30, 3) * fmin(y - 110, 30) / 30;
	int pier = y > 40 && (fabs(x - 80) < 4 || fabs(x - 170) < 4);

	if (y < 70 && !pier)
		return fmax((y - 75) * 0.5, -7);
	return 1.5 + hill;
}

/* Rolling ground and a pond. */
static double
old_forest(double x, double y)
{
	double ground = 2 + 9 * noise(x, y, 45, 4) + 2 * noise(x, y, 15, 5);

	return ground - 12 * bump(x, y, 70, 90, 32);
}

struct ground {
	const char	*name;
	double		(*at)(double x, double y);
	double		 low, high;	/* as in its map.conf */
};

static const struct ground grounds[] = {
	{ "newbie-island", newbie_island, -8, 32 },
	{ "harbour-town", harbour_town, -8, 32 },
	{ "old-forest", old_forest, -16, 24 },
};

static void
row_draw(const struct ground *ground, int row, png_byte *out)
{
	for (int column = 0; column < SIDE; column++) {
		double height = ground->at(column, SIDE - 1 - row);
		double value = (height - ground->low) /
		    (ground->high - ground->low) * UINT16_MAX;
		unsigned post = (unsigned)fmin(fmax(value, 0), UINT16_MAX) /
		    STEP * STEP;

		*out++ = (png_byte)(post >> 8);
		*out++ = (png_byte)post;
	}
}

static int
draw(const struct ground *ground, FILE *file)
{
	png_byte row[SIDE * 2];
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING,
	    NULL, NULL, NULL);
	png_infop info = png == NULL ? NULL : png_create_info_struct(png);

	if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
		png_destroy_write_struct(&png, &info);
		return EXIT_FAILURE;
	}
	png_init_io(png, file);
	png_set_compression_level(png, 9);
	png_set_IHDR(png, info, SIDE, SIDE, 16, PNG_COLOR_TYPE_GRAY,
	    PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	    PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int i = 0; i < SIDE; i++) {
		row_draw(ground, i, row);
		png_write_row(png, row);
	}
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return EXIT_SUCCESS;
}

static int
draw_into(const struct ground *ground, const char *path)
{
	FILE *file = fopen(path, "wb");
	int result;

	if (file == NULL) {
		perror(path);
		return EXIT_FAILURE;
	}
	result = draw(ground, file);
	if (fclose(file) != 0 || result != EXIT_SUCCESS) {
		fprintf(stderr, "%s: cannot be written\n", path);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 &&
	    i < sizeof(grounds) / sizeof(grounds[0]); i++)
		if (strcmp(argv[1], grounds[i].name) == 0)
			return draw_into(&grounds[i], argv[2]);
	fprintf(stderr, "usage: terrain newbie-island|harbour-town|old-forest"
	    " FILE\n");
	return EXIT_FAILURE;
}
