/* SPDX-License-Identifier: MIT */
/* terrain - reads terrain.png and answers how high the ground is. */

#include "terrain.h"

#include <metacube/host.h>

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_MAX	(1024 * 1024)	/* bytes of an ancillary chunk */

struct reader {
	FILE		*file;
	png_structp	 png;
	png_infop	 info;
	png_bytep	*rows;
	struct terrain	*terrain;
	char		*why;
	size_t		 size;
};

static void
png_failed(png_structp png, png_const_charp text)
{
	struct reader *reader = png_get_error_ptr(png);

	snprintf(reader->why, reader->size, "%s", text);
	png_longjmp(png, 1);
}

static void
png_warned(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static bool
shape_fits(struct reader *reader)
{
	unsigned depth = png_get_bit_depth(reader->png, reader->info);
	unsigned color = png_get_color_type(reader->png, reader->info);
	unsigned columns = png_get_image_width(reader->png, reader->info);
	unsigned rows = png_get_image_height(reader->png, reader->info);

	if (depth != 16 || color != PNG_COLOR_TYPE_GRAY)
		snprintf(reader->why, reader->size, "has %u bits%s, it must "
		    "be 16-bit grey", depth,
		    color == PNG_COLOR_TYPE_GRAY ? "" : " and is not grey");
	else if (columns > TERRAIN_SIDE_MAX || rows > TERRAIN_SIDE_MAX)
		snprintf(reader->why, reader->size, "is %u x %u, at most "
		    "%u x %u is allowed", columns, rows, TERRAIN_SIDE_MAX,
		    TERRAIN_SIDE_MAX);
	else {
		reader->terrain->columns = columns;
		reader->terrain->rows = rows;
		return true;
	}
	return false;
}

static void
rows_new(struct reader *reader)
{
	struct terrain *terrain = reader->terrain;

	terrain->posts = mc_zalloc(sizeof(*terrain->posts) *
	    terrain->columns * terrain->rows);
	reader->rows = mc_zalloc(sizeof(*reader->rows) * terrain->rows);
	for (size_t i = 0; i < terrain->rows; i++)
		reader->rows[i] =
		    (png_bytep)(terrain->posts + i * terrain->columns);
}

/* No locals: libpng's errors come back to the setjmp. */
static bool
decode(struct reader *reader)
{
	if (setjmp(png_jmpbuf(reader->png)) != 0)
		return false;
	png_init_io(reader->png, reader->file);
	png_set_user_limits(reader->png, 0x7fffffff, 0x7fffffff);
	png_set_chunk_malloc_max(reader->png, CHUNK_MAX);
	png_read_info(reader->png, reader->info);
	if (!shape_fits(reader))
		return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	png_set_swap(reader->png);
#endif
	png_set_interlace_handling(reader->png);
	png_read_update_info(reader->png, reader->info);
	rows_new(reader);
	png_read_image(reader->png, reader->rows);
	png_read_end(reader->png, NULL);
	return true;
}

bool
terrain_read(struct terrain *terrain, int fd, char *why, size_t size)
{
	struct reader reader = {
		.terrain = terrain, .why = why, .size = size
	};
	bool fine = false;

	reader.file = fdopen(fd, "rb");
	if (reader.file == NULL) {
		snprintf(why, size, "%s", strerror(errno));
		close(fd);
		return false;
	}
	reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader,
	    png_failed, png_warned);
	if (reader.png != NULL)
		reader.info = png_create_info_struct(reader.png);
	if (reader.info != NULL)
		fine = decode(&reader);
	else
		snprintf(why, size, "libpng has no memory");
	png_destroy_read_struct(&reader.png, &reader.info, NULL);
	free(reader.rows);
	fclose(reader.file);
	if (!fine)
		terrain_clear(terrain);
	return fine;
}

void
terrain_clear(struct terrain *terrain)
{
	free(terrain->posts);
	terrain->posts = NULL;
	terrain->columns = terrain->rows = 0;
}

/* Where on the axis of posts: the post before, and how far beyond it. */
static unsigned
post_before(double at, double length, unsigned posts, double *beyond_r)
{
	double where = at / length * (posts - 1);
	unsigned post;

	*beyond_r = 0;
	if (posts < 2 || !(where > 0))
		return 0;
	if (where >= posts - 1) {
		*beyond_r = 1;
		return posts - 2;
	}
	post = (unsigned)where;
	*beyond_r = where - post;
	return post;
}

static double
row_at(const struct terrain *terrain, unsigned row, unsigned column,
    double beyond)
{
	const uint16_t *post =
	    terrain->posts + (size_t)row * terrain->columns + column;

	return beyond > 0 ? post[0] + (post[1] - post[0]) * beyond : post[0];
}

double
terrain_at(const struct terrain *terrain, double x, double y)
{
	double east, south, value;
	unsigned column = post_before(x, terrain->width, terrain->columns,
	    &east);
	unsigned row = post_before(terrain->height - y, terrain->height,
	    terrain->rows, &south);

	value = row_at(terrain, row, column, east);
	if (south > 0)
		value += (row_at(terrain, row + 1, column, east) - value) *
		    south;
	return terrain->low +
	    value / UINT16_MAX * (terrain->high - terrain->low);
}
