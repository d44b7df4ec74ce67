/* SPDX-License-Identifier: MIT */
/* Counters: any thread, no name lost, nothing counted twice. */

#include "cutap.h"

#include "count.h"
#include "process.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS	4
#define ROUNDS	20000
#define NAMES	300

static struct mc_host host;

static void
test_count(void)
{
	host.counters = counters_new();
	mc_count(&host, "logins", 1);
	mc_count(&host, "logins", 2);
	mc_gauge(&host, "players", 35);
	mc_gauge(&host, "players", 20);
	CU_ASSERT_EQUAL(*counters_cell(host.counters, "logins"), 3);
	CU_ASSERT_EQUAL(*counters_cell(host.counters, "players"), 20);
	CU_ASSERT_EQUAL(*counters_cell(host.counters, "other"), 0);
	mc_count(NULL, "logins", 1);	/* nobody's */
	counters_free(&host.counters);
	CU_ASSERT_PTR_NULL(host.counters);
}

struct seen {
	char	names[512];
	int64_t	sum;
};

static void
see(void *arg, const char *name, int64_t value)
{
	struct seen *seen = arg;

	snprintf(seen->names + strlen(seen->names),
	    sizeof(seen->names) - strlen(seen->names), "%s ", name);
	seen->sum += value;
}

static void
test_each(void)
{
	struct seen seen = { .sum = 0 };

	host.counters = counters_new();
	counters_each(host.counters, see, &seen);
	CU_ASSERT_STRING_EQUAL(seen.names, "");
	mc_count(&host, "c", 1);
	mc_count(&host, "a", 10);
	mc_count(&host, "b", 100);
	counters_each(host.counters, see, &seen);
	CU_ASSERT_STRING_EQUAL(seen.names, "a b c ");
	CU_ASSERT_EQUAL(seen.sum, 111);
	counters_free(&host.counters);
}

/* Each thread begins with another name, so that all make new ones. */
static void *
count_much(void *arg)
{
	unsigned first = *(unsigned *)arg;
	char name[16];

	for (unsigned i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "name%u", (first + i) % NAMES);
		mc_count(&host, name, 1);
	}
	return NULL;
}

static void
add_up(void *arg, const char *name, int64_t value)
{
	(void)name;
	*(int64_t *)arg += value;
}

static void
test_threads(void)
{
	pthread_t threads[THREADS];
	unsigned first[THREADS];
	int64_t sum = 0;

	host.counters = counters_new();
	for (unsigned i = 0; i < THREADS; i++) {
		first[i] = i * NAMES / THREADS;
		pthread_create(&threads[i], NULL, count_much, &first[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	counters_each(host.counters, add_up, &sum);
	CU_ASSERT_EQUAL(sum, THREADS * ROUNDS);
	counters_free(&host.counters);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "counters grow, gauges are set", test_count },
		{ "all are listed, by name", test_each },
		{ "threads lose nothing", test_threads },
		{ NULL, NULL }
	};

	return cutap_run("count", tests);
}
