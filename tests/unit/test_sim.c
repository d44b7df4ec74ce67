/* SPDX-License-Identifier: MIT */
/* Movement: nobody is faster than the map permits, or where nobody walks. */

#include "cutap.h"
#include "../../modules/world/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE	101		/* posts: one a metre */

static uint16_t posts[SIDE * SIDE];

/* A flat square of 100 m, 1 m above the sea: 100 is post 200. */
static struct map
flat(unsigned speed)
{
	struct map map = {
		.width = 10000, .height = 10000, .speed = speed,
		.capacity = 1, .steepest = 1,
		.terrain = {
			.columns = SIDE, .rows = SIDE, .posts = posts,
			.width = 10000, .height = 10000,
			.low = -100, .high = -100 + 65535
		}
	};

	for (size_t i = 0; i < SIDE * SIDE; i++)
		posts[i] = 200;
	return map;
}

/* All posts of this column (metres from the west) get this height. */
static void
line(unsigned column, int height)
{
	for (size_t row = 0; row < SIDE; row++)
		posts[row * SIDE + column] = (uint16_t)(height + 100);
}

static double
walked(const struct map *map, struct body *body, unsigned ms)
{
	double x = body->x, y = body->y;

	sim_walk(map, body, ms);
	return hypot(body->x - x, body->y - y);
}

static void
arrives(void)
{
	struct map map = flat(400);
	struct body body;
	int ticks = 0;

	sim_place(&map, &body, 1000, 1000);
	CU_ASSERT_FALSE(sim_walk(&map, &body, 50));
	CU_ASSERT_TRUE(sim_aim(&map, &body, 1000, 1390));
	while (body.walking && ++ticks < 100)
		sim_walk(&map, &body, 50);
	CU_ASSERT_EQUAL(body.x, 1000);
	CU_ASSERT_EQUAL(body.y, 1390);
	CU_ASSERT_DOUBLE_EQUAL(body.z, 100, 1e-9);
	CU_ASSERT_TRUE(ticks == 20 || ticks == 21);
	CU_ASSERT_FALSE(sim_walk(&map, &body, 50));
}

/* Whatever is asked for and however often. */
static void
never_faster(void)
{
	struct map map = flat(400);
	struct body body;
	double sum = 0;

	srand(7);
	line(50, 160);
	line(51, 30);
	sim_place(&map, &body, 2000, 5000);
	for (int i = 0; i < 20000; i++) {
		double step;

		for (int k = rand() % 5; k > 0; k--)
			sim_aim(&map, &body, rand() % 10001,
			    rand() % 10001);
		step = walked(&map, &body, 50);
		CU_ASSERT_TRUE(step <= 20 + 1e-6);
		sum += step;
	}
	CU_ASSERT_TRUE(sum > 100000);
	CU_ASSERT_TRUE(sum <= 20 * 20000 + 1);
}

static void
edges(void)
{
	struct map map = flat(10000);
	struct body body;

	sim_place(&map, &body, 5000, 5000);
	CU_ASSERT_FALSE(sim_aim(&map, &body, -1, 5000));
	CU_ASSERT_FALSE(sim_aim(&map, &body, 5000, 10001));
	CU_ASSERT_FALSE(sim_aim(&map, &body, INT32_MAX, INT32_MIN));
	CU_ASSERT_FALSE(sim_aim(&map, &body, NAN, 0));
	CU_ASSERT_FALSE(body.walking);
	CU_ASSERT_TRUE(sim_aim(&map, &body, 10000, 0));
	for (int i = 0; i < 100; i++)
		sim_walk(&map, &body, 50);
	CU_ASSERT_EQUAL(body.x, 10000);
	CU_ASSERT_EQUAL(body.y, 0);
}

/* From 20 m to 80 m to the east; how far does it get? */
static double
reaches(const struct map *map, unsigned ms)
{
	struct body body;

	sim_place(map, &body, 2000, 5000);
	sim_aim(map, &body, 8000, 5000);
	for (int i = 0; i < 10000 && body.walking; i++)
		sim_walk(map, &body, ms);
	CU_ASSERT_FALSE(body.walking);
	CU_ASSERT_EQUAL(body.y, 5000);
	return body.x;
}

static void
water(void)
{
	struct map map = flat(400);

	CU_ASSERT_EQUAL(reaches(&map, 50), 8000);
	map.steepest = 100;
	line(50, -50);
	CU_ASSERT_TRUE(reaches(&map, 50) < 4990);
	CU_ASSERT_TRUE(reaches(&map, 50) > 4900);
	/* not even in one leap */
	map.speed = 10000;
	CU_ASSERT_TRUE(reaches(&map, 1000) < 4990);
}

static void
walls(void)
{
	struct map map = flat(400);

	line(50, 190);		/* 42 degrees */
	CU_ASSERT_EQUAL(reaches(&map, 50), 8000);
	line(50, 210);		/* 48 degrees */
	CU_ASSERT_TRUE(reaches(&map, 50) <= 4900);
	CU_ASSERT_TRUE(reaches(&map, 50) > 4870);
	map.speed = 10000;
	CU_ASSERT_TRUE(reaches(&map, 1000) <= 4900);
	line(50, -20);		/* a ditch as steep, but wet */
	map.steepest = 1.5;
	CU_ASSERT_TRUE(reaches(&map, 50) < 4999);
}

static void
from_a_wall_back(void)
{
	struct map map = flat(400);
	struct body body;

	line(50, 400);
	sim_place(&map, &body, 4000, 5000);
	sim_aim(&map, &body, 8000, 5000);
	while (body.walking)
		sim_walk(&map, &body, 50);
	CU_ASSERT_TRUE(sim_aim(&map, &body, 4000, 5000));
	while (body.walking)
		sim_walk(&map, &body, 50);
	CU_ASSERT_EQUAL(body.x, 4000);
}

static void
tiny(void)
{
	struct map map = flat(10000);
	struct body body;

	map.width = map.height = 100;
	map.terrain.columns = map.terrain.rows = 1;
	map.terrain.width = map.terrain.height = 100;
	sim_place(&map, &body, 0, 0);
	CU_ASSERT_TRUE(sim_aim(&map, &body, 100, 100));
	for (int i = 0; i < 10; i++)
		sim_walk(&map, &body, 1000);
	CU_ASSERT_EQUAL(body.x, 100);
	CU_ASSERT_EQUAL(body.y, 100);
	CU_ASSERT_TRUE(sim_aim(&map, &body, 100, 100));
	CU_ASSERT_FALSE(sim_walk(&map, &body, 1000));
	CU_ASSERT_FALSE(sim_walk(&map, &body, 0));
}

static void
distance(void)
{
	struct body a = { .x = 0, .y = 0, .z = 0 };
	struct body b = { .x = 3, .y = 4, .z = 12 };

	CU_ASSERT_DOUBLE_EQUAL(sim_distance(&a, &b), 13, 1e-9);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "who walks arrives", arrives },
		{ "nobody is faster than the map permits", never_faster },
		{ "nobody leaves the map", edges },
		{ "nobody walks through water", water },
		{ "nobody walks up a wall", walls },
		{ "who stands before a wall can go back", from_a_wall_back },
		{ "a map of one post", tiny },
		{ "distance", distance },
		{ NULL, NULL }
	};

	return cutap_run("sim", tests);
}
