/* SPDX-License-Identifier: MIT */
/* Where a user goes: the four policies, capacities, and what they cost. */
#include "cutap.h"
#include "../../modules/taskmaster/placement.h"

#include <metacube/host.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct placement placement;

static struct world *
world_with(const char *name, uint32_t capacity, size_t nmaps, char **maps,
    const uint32_t *capacities)
{
	static const uint32_t none[64];
	struct world_terms terms = {
		.name = name, .endpoint = "127.0.0.1:7750",
		.capacity = capacity, .nmaps = nmaps, .maps = maps,
		.titles = maps, .capacities = capacities ? capacities : none
	};
	const char *why;
	struct world *world = world_add(&placement, &terms, &why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(world);
	return world;
}

static struct world *
world_new(const char *name, uint32_t capacity)
{
	static char first[] = "newbie-island", second[] = "desert";
	static char *maps[] = { first, second };

	return world_with(name, capacity, 2, maps, NULL);
}

static struct map *
island(void)
{
	return map_find(&placement, "newbie-island");
}

static struct copy *
users_on(struct world *world, const char *map, unsigned users)
{
	struct copy *copy = copy_add(world, map_find(&placement, map), 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	while (users-- > 0)
		copy_user_add(copy);
	return copy;
}

/* Who is chosen, "+" when the map is to be loaded there, "-" for nobody. */
static const char *
chosen_but(const struct world *avoid)
{
	static char text[80];
	struct choice choice;

	if (!placement_choose(&placement, island(), avoid, &choice))
		return "-";
	snprintf(text, sizeof(text), "%s%s", choice.world->name,
	    choice.copy == NULL ? "+" : "");
	return text;
}

static const char *
chosen(void)
{
	return chosen_but(NULL);
}

/* The seed's situation, for every policy. */
static void
seed_story(void)
{
	for (int policy = LEAST_USERS; policy <= COMBINED; policy++) {
		struct world *first, *second;
		struct copy *copy;

		placement_init(&placement, policy, 900);
		first = world_new("world-1", 100);
		second = world_new("world-2", 100);
		users_on(first, "desert", 20);
		users_on(second, "desert", 15);
		world_load(first, 200);
		world_load(second, 150);
		CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
		copy = copy_add(second, island(), 2);
		copy_seat_add(copy);
		CU_ASSERT_STRING_EQUAL(chosen(), "world-2");
		copy_seat_taken(copy);
		CU_ASSERT_EQUAL(second->users, 16);
		CU_ASSERT_EQUAL(second->seats, 0);
		CU_ASSERT_STRING_EQUAL(chosen(), "world-2");
		placement_fini(&placement);
	}
}

static void
least_users(void)
{
	struct world *first, *second;
	struct copy *copy;

	placement_init(&placement, LEAST_USERS, 900);
	first = world_new("world-1", 100);
	second = world_new("world-2", 100);
	copy = users_on(first, "newbie-island", 2);
	world_load(second, 999);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	users_on(second, "desert", 3);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	copy_seat_add(copy);
	copy_seat_add(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	copy_seat_remove(copy);
	copy_seat_remove(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	placement_fini(&placement);
}

/* The load of a world counts at once what was placed since its report. */
static void
least_load(void)
{
	struct world *first, *second;
	struct copy *copy;

	placement_init(&placement, LEAST_LOAD, 900);
	first = world_new("world-1", 10);
	second = world_new("world-2", 10);
	world_load(first, 100);
	world_load(second, 350);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1+");
	copy = copy_add(first, island(), 1);
	copy_seat_add(copy);
	copy_seat_add(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	copy_seat_add(copy);
	CU_ASSERT_EQUAL(world_load_now(first), 400);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	for (int i = 0; i < 3; i++)
		copy_seat_taken(copy);
	CU_ASSERT_EQUAL(world_load_now(first), 400);
	world_load(first, 200);
	CU_ASSERT_EQUAL(world_load_now(first), 200);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	placement_fini(&placement);
}

static void
affinity(void)
{
	struct world *first, *second;

	placement_init(&placement, MAP_AFFINITY, 900);
	first = world_new("world-1", 100);
	second = world_new("world-2", 100);
	users_on(first, "newbie-island", 50);
	world_load(first, 5000);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	users_on(second, "newbie-island", 49);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2");
	CU_ASSERT_STRING_EQUAL(chosen_but(second), "world-1");
	placement_fini(&placement);
}

static void
combined(void)
{
	struct world *first, *second, *third;

	placement_init(&placement, COMBINED, 900);
	first = world_new("world-1", 100);
	second = world_new("world-2", 100);
	third = world_new("world-3", 1000);
	users_on(first, "newbie-island", 50);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	world_load(first, 900);
	world_load(second, 100);
	world_load(third, 150);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	users_on(second, "desert", 10);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-3+");
	world_load(second, 100);
	world_load(third, 199);		/* noise */
	CU_ASSERT_STRING_EQUAL(chosen(), "world-3+");
	world_load(second, 2000);
	world_load(third, 2000);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	placement_fini(&placement);
}

static void
capacities(void)
{
	static char key[] = "newbie-island";
	static char *maps[] = { key };
	static const uint32_t two[] = { 2 };
	struct world *first, *second;
	struct copy *copy;

	placement_init(&placement, COMBINED, 900);
	first = world_with("world-1", 10, 1, maps, two);
	second = world_with("world-2", 3, 1, maps, NULL);
	copy = copy_add(first, island(), 1);
	CU_ASSERT_EQUAL(copy->capacity, 2);
	copy_seat_add(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-1");
	copy_seat_add(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	copy = copy_add(second, island(), 2);
	CU_ASSERT_EQUAL(copy->capacity, 3);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_STRING_EQUAL(chosen(), "world-2");
		copy_seat_add(copy);
	}
	CU_ASSERT_STRING_EQUAL(chosen(), "-");
	copy_seat_taken(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "-");
	copy_user_remove(copy);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2");
	copy_remove(&copy);
	CU_ASSERT_EQUAL(second->seats, 0);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	CU_ASSERT_STRING_EQUAL(chosen_but(second), "-");
	placement_fini(&placement);
}

static void
come_and_go(void)
{
	struct world *first, *second;
	size_t at;

	placement_init(&placement, COMBINED, 900);
	first = world_new("world-1", 100);
	CU_ASSERT_PTR_EQUAL(world_find(&placement, "world-1"), first);
	users_on(first, "newbie-island", 5);
	second = world_new("world-2", 100);
	CU_ASSERT_EQUAL(placement.catalogues.count, 1);
	CU_ASSERT_EQUAL(island()->users, 5);
	world_remove(&first);
	CU_ASSERT_PTR_NULL(first);
	CU_ASSERT_PTR_NULL(world_find(&placement, "world-1"));
	CU_ASSERT_EQUAL(island()->users, 0);
	CU_ASSERT_EQUAL(island()->ncopies, 0);
	CU_ASSERT_STRING_EQUAL(chosen(), "world-2+");
	CU_ASSERT_STRING_EQUAL(maps_sorted(&placement, "", &at)[0]->key,
	    "desert");
	CU_ASSERT_EQUAL(at, 0);
	maps_sorted(&placement, "desert", &at);
	CU_ASSERT_EQUAL(at, 1);
	maps_sorted(&placement, "zoo", &at);
	CU_ASSERT_EQUAL(at, 2);
	world_remove(&second);
	CU_ASSERT_PTR_NULL(island());
	CU_ASSERT_EQUAL(placement.maps.count, 0);
	CU_ASSERT_EQUAL(placement.catalogues.count, 0);
	placement_fini(&placement);
}

static void
bad_terms(void)
{
	static char desert[] = "desert", forest[] = "forest";
	static char up[] = "../etc", tab[] = "a title\twith a tab";
	static char *twice[] = { desert, forest, desert };
	static char *wrong[] = { desert, up };
	static char *title[] = { tab };
	static const uint32_t none[3];
	struct world_terms terms = {
		.name = "world-1", .endpoint = "127.0.0.1:7750",
		.capacity = 10, .nmaps = 3, .maps = twice, .titles = twice,
		.capacities = none
	};
	const char *why = NULL;

	placement_init(&placement, COMBINED, 900);
	CU_ASSERT_PTR_NULL(world_add(&placement, &terms, &why));
	CU_ASSERT_STRING_EQUAL(why, "a map is listed twice");
	terms.maps = wrong;
	terms.nmaps = 2;
	CU_ASSERT_PTR_NULL(world_add(&placement, &terms, &why));
	CU_ASSERT_STRING_EQUAL(why, "a map's key is not valid");
	terms.nmaps = 1;
	terms.titles = title;
	CU_ASSERT_PTR_NULL(world_add(&placement, &terms, &why));
	CU_ASSERT_STRING_EQUAL(why, "a map's title is not valid");
	terms.titles = twice;
	terms.capacity = 0;
	CU_ASSERT_PTR_NULL(world_add(&placement, &terms, &why));
	CU_ASSERT_EQUAL(placement.maps.count, 0);
	CU_ASSERT_EQUAL(placement.offers.count, 0);
	placement_fini(&placement);
}

/* Whom the heaps choose is whom a look at everybody would choose. */
static struct world *
look_at_all(const struct map *map)
{
	struct world *best = NULL;

	for (struct world *world = placement.worlds; world != NULL;
	    world = world->next) {
		const struct copy *copy = copy_find(world, map);

		if (world->users + world->seats >= world->capacity ||
		    (copy != NULL &&
		    copy->users + copy->seats >= copy->capacity))
			continue;
		if (best == NULL || world->users + world->seats <
		    best->users + best->seats)
			best = world;
	}
	return best;
}

static void
random_step(struct world **worlds, size_t n)
{
	struct world *world = worlds[random() % n];
	struct map *map = map_find(&placement,
	    random() % 2 ? "newbie-island" : "desert");
	struct copy *copy = copy_find(world, map);

	if (copy == NULL)
		copy = copy_add(world, map, 1);
	switch (random() % 6) {
	case 0:
		copy_remove(&copy);
		break;
	case 1:
		if (copy->users > 0)
			copy_user_remove(copy);
		break;
	case 2:
		if (copy->seats > 0)
			copy_seat_taken(copy);
		break;
	default:
		if (world->users + world->seats < world->capacity &&
		    copy->users + copy->seats < copy->capacity)
			copy_seat_add(copy);
	}
}

static void
against_all(void)
{
	static const uint32_t limits[] = { 8, 0 };
	static char first[] = "newbie-island", second[] = "desert";
	static char *maps[] = { first, second };
	struct world *worlds[40];
	unsigned wrong = 0, none = 0;
	char name[32];

	srandom(1);
	placement_init(&placement, LEAST_USERS, 900);
	for (size_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "world-%zu", i);
		worlds[i] = world_with(name, 5 + i % 7, 2, maps,
		    i % 2 ? limits : NULL);
	}
	for (int i = 0; i < 20000; i++) {
		struct choice choice = { 0 };
		struct world *best;

		random_step(worlds, 40);
		best = look_at_all(island());
		placement_choose(&placement, island(), NULL, &choice);
		none += best == NULL;
		if (best == NULL || choice.world == NULL)
			wrong += best != choice.world;
		else
			wrong += best->users + best->seats !=
			    choice.world->users + choice.world->seats;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(none < 20000);
	placement_fini(&placement);
}

/* 1,000 worlds of 1,000 maps each out of 100,000: the counts stay right, and
 * a million choices take no more of the processor than a test may. */
static void
many(void)
{
	char **maps = mc_zalloc(1000 * sizeof(*maps));
	uint32_t *none = mc_zalloc(1000 * sizeof(*none));
	clock_t began = clock();
	struct choice choice;
	char name[32];

	placement_init(&placement, COMBINED, 900);
	for (size_t i = 0; i < 1000; i++)
		maps[i] = mc_zalloc(32);
	for (size_t w = 0; w < 1000; w++) {
		struct world_terms terms = {
			.name = name, .endpoint = "127.0.0.1:7750",
			.capacity = 2000, .nmaps = 1000, .maps = maps,
			.titles = maps, .capacities = none
		};
		const char *why;

		snprintf(name, sizeof(name), "world-%zu", w);
		for (size_t i = 0; i < 1000; i++)
			snprintf(maps[i], 32, "map-%zu",
			    (w % 100) * 1000 + i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(world_add(&placement, &terms,
		    &why));
	}
	CU_ASSERT_EQUAL(placement.maps.count, 100000);
	CU_ASSERT_EQUAL(placement.catalogues.count, 100);
	for (size_t i = 0; i < 1000000; i++) {
		snprintf(name, sizeof(name), "map-%zu", i * 7919 % 100000);
		CU_ASSERT_TRUE_FATAL(placement_choose(&placement,
		    map_find(&placement, name), NULL, &choice));
		if (choice.copy == NULL)
			choice.copy = copy_add(choice.world,
			    map_find(&placement, name), i);
		copy_seat_add(choice.copy);
		copy_seat_taken(choice.copy);
	}
	for (struct world *world = placement.worlds; world != NULL;
	    world = world->next)
		CU_ASSERT_TRUE(world->users > 0 && world->users <= 2000);
	CU_ASSERT_TRUE(clock() - began < 60 * CLOCKS_PER_SEC);
	placement_fini(&placement);
	for (size_t i = 0; i < 1000; i++)
		free(maps[i]);
	free(maps);
	free(none);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "the seed's story, with every policy", seed_story },
		{ "least-users", least_users },
		{ "least-load", least_load },
		{ "map-affinity", affinity },
		{ "combined", combined },
		{ "capacities of worlds and maps", capacities },
		{ "worlds come and go", come_and_go },
		{ "terms that cannot be", bad_terms },
		{ "the heaps choose as a look at all would", against_all },
		{ "1,000 worlds and 100,000 maps", many },
		{ NULL, NULL }
	};

	return cutap_run("placement", tests);
}
