/* SPDX-License-Identifier: MIT */
#include "cutap.h"
#include "limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
key_of(const char *text)
{
	struct endpoint endpoint;
	struct address address;

	CU_ASSERT_PTR_NULL_FATAL(endpoint_parse(text, &endpoint));
	CU_ASSERT_TRUE_FATAL(endpoint_address(&endpoint, &address));
	return limit_key(&address);
}

static void
keys(void)
{
	CU_ASSERT_EQUAL(key_of("192.0.2.1:1"), key_of("192.0.2.1:2"));
	CU_ASSERT_NOT_EQUAL(key_of("192.0.2.1:1"), key_of("192.0.2.2:1"));
	CU_ASSERT_EQUAL(key_of("[::ffff:192.0.2.1]:1"),
	    key_of("192.0.2.1:1"));
	CU_ASSERT_EQUAL(key_of("[2001:db8::1]:1"),
	    key_of("[2001:db8::ffff:1:2]:1"));
	CU_ASSERT_NOT_EQUAL(key_of("[2001:db8:0:1::1]:1"),
	    key_of("[2001:db8::1]:1"));
	CU_ASSERT_NOT_EQUAL(key_of("[::1]:1"), 0);
	CU_ASSERT_EQUAL(key_of("unix:/run/x"), 0);
}

static void
limits(void)
{
	struct limit *limit = limit_new();

	CU_ASSERT_EQUAL(limit_take(limit, 7, 3, 2), LIMIT_FINE);
	CU_ASSERT_EQUAL(limit_take(limit, 7, 3, 2), LIMIT_FINE);
	CU_ASSERT_EQUAL(limit_take(limit, 7, 3, 2), LIMIT_ADDRESS);
	CU_ASSERT_EQUAL(limit_take(limit, 8, 3, 2), LIMIT_FINE);
	CU_ASSERT_EQUAL(limit_take(limit, 9, 3, 2), LIMIT_FULL);
	limit_give(limit, 7);
	CU_ASSERT_EQUAL(limit_take(limit, 9, 3, 2), LIMIT_FINE);
	CU_ASSERT_EQUAL(limit_count(limit), 3);
	CU_ASSERT_EQUAL(limit_addresses(limit), 3);
	limit_free(&limit);
	CU_ASSERT_PTR_NULL(limit);
}

static void
nobody(void)
{
	struct limit *limit = limit_new();

	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(limit_take(limit, 0, 10, 1), LIMIT_FINE);
	CU_ASSERT_EQUAL(limit_take(limit, 0, 10, 1), LIMIT_FULL);
	CU_ASSERT_EQUAL(limit_addresses(limit), 0);
	limit_free(&limit);
}

/* The table against a plain array, through many thousand steps. */
#define MODEL_KEYS	2000

static void
model(void)
{
	struct limit *limit = limit_new();
	int counts[MODEL_KEYS] = { 0 }, total = 0;
	unsigned seed = 1, key;

	for (int step = 0; step < 300000; step++) {
		key = (unsigned)rand_r(&seed) % MODEL_KEYS;
		if (rand_r(&seed) % 2 == 0) {
			CU_ASSERT_EQUAL(limit_take(limit, key + 1, 1000000,
			    3), counts[key] < 3 ? LIMIT_FINE : LIMIT_ADDRESS);
			total += counts[key] < 3;
			counts[key] += counts[key] < 3;
		} else if (counts[key] > 0) {
			limit_give(limit, key + 1);
			counts[key]--;
			total--;
		}
	}
	CU_ASSERT_EQUAL(limit_count(limit), total);
	for (key = 0; key < MODEL_KEYS; key++)
		for (; counts[key] > 0; counts[key]--)
			limit_give(limit, key + 1);
	CU_ASSERT_EQUAL(limit_count(limit), 0);
	CU_ASSERT_EQUAL(limit_addresses(limit), 0);
	limit_free(&limit);
}

static void *
take_and_give(void *limit)
{
	for (uint64_t i = 0; i < 20000; i++) {
		if (limit_take(limit, i % 100 + 1, 1000, 1000) == LIMIT_FINE)
			limit_give(limit, i % 100 + 1);
	}
	return NULL;
}

static void
threads(void)
{
	struct limit *limit = limit_new();
	pthread_t ids[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, take_and_give, limit);
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	CU_ASSERT_EQUAL(limit_count(limit), 0);
	CU_ASSERT_EQUAL(limit_addresses(limit), 0);
	limit_free(&limit);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "what counts as one address", keys },
		{ "both limits", limits },
		{ "unix connections count for no address", nobody },
		{ "the table keeps its counts", model },
		{ "several threads", threads },
		{ NULL, NULL }
	};

	return cutap_run("limit", tests);
}
