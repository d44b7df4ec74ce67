/* SPDX-License-Identifier: MIT */
/* Delays for those who guess; attempts in flight count. */
#include "cutap.h"
#include <metacube/penalty.h>

#include <stdio.h>
#include <string.h>

static const struct mc_penalty_rule rule = {
	.free = 3, .base_ms = 1000, .max_ms = 300000, .forget_ms = 900000
};

static struct mc_penalties *table;
static uint64_t now;

static void
set_up(size_t max)
{
	table = mc_penalties_new(max, 4711);
	now = 5000;
}

static enum mc_penalty_verdict
check(const char *key, uint32_t *retry_ms)
{
	*retry_ms = 0;
	return mc_penalty_check(table, &rule, key, now, retry_ms);
}

static void
attempt(const char *key, enum mc_penalty_outcome outcome)
{
	mc_penalty_charge(table, &rule, key, now);
	mc_penalty_settle(table, &rule, key, now, outcome);
}

static void
grows(void)
{
	static const uint32_t delays[] = {
		1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000,
		300000, 300000, 300000
	};
	uint32_t retry_ms;

	set_up(16);
	for (int i = 0; i < 3; i++) {
		attempt("joe", MC_PENALTY_FAILED);
		CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_GO);
	}
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		attempt("joe", MC_PENALTY_FAILED);
		CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_LATER);
		CU_ASSERT_EQUAL(retry_ms, delays[i]);
		now += delays[i] - 1;
		CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_LATER);
		CU_ASSERT_EQUAL(retry_ms, 1);
		now++;
		CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_GO);
	}
	CU_ASSERT_EQUAL(check("amanda", &retry_ms), MC_PENALTY_GO);
	mc_penalties_free(&table);
}

static void
forgives(void)
{
	uint32_t retry_ms;

	set_up(16);
	for (int i = 0; i < 4; i++)
		attempt("joe", MC_PENALTY_FAILED);
	now += 1000;
	attempt("joe", MC_PENALTY_VOID);
	attempt("joe", MC_PENALTY_FAILED);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_LATER);
	CU_ASSERT_EQUAL(retry_ms, 2000);
	attempt("joe", MC_PENALTY_PASSED);
	CU_ASSERT_EQUAL(mc_penalties_count(table), 0);
	for (int i = 0; i < 3; i++)
		attempt("joe", MC_PENALTY_FAILED);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_GO);
	now += rule.forget_ms;
	for (int i = 0; i < 3; i++)
		attempt("joe", MC_PENALTY_FAILED);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_GO);
	mc_penalties_free(&table);
}

/* However many guess at once: exactly so many go through as may fail. */
static void
in_flight(void)
{
	uint32_t retry_ms;
	int through = 0;

	set_up(16);
	attempt("joe", MC_PENALTY_FAILED);
	for (int i = 0; i < 100; i++)
		if (check("joe", &retry_ms) == MC_PENALTY_GO) {
			mc_penalty_charge(table, &rule, "joe", now);
			through++;
		} else
			CU_ASSERT_EQUAL(check("joe", &retry_ms),
			    MC_PENALTY_WAIT);
	CU_ASSERT_EQUAL(through, 3);
	mc_penalty_settle(table, &rule, "joe", now, MC_PENALTY_FAILED);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_WAIT);
	mc_penalty_settle(table, &rule, "joe", now, MC_PENALTY_VOID);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_GO);
	mc_penalty_charge(table, &rule, "joe", now);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_WAIT);
	mc_penalty_settle(table, &rule, "joe", now, MC_PENALTY_FAILED);
	mc_penalty_settle(table, &rule, "joe", now, MC_PENALTY_FAILED);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_LATER);
	mc_penalties_free(&table);
}

/* After a delay one at a time. */
static void
one_by_one(void)
{
	uint32_t retry_ms;

	set_up(16);
	for (int i = 0; i < 5; i++)
		attempt("joe", MC_PENALTY_FAILED);
	now += 2000;
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_GO);
	mc_penalty_charge(table, &rule, "joe", now);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_WAIT);
	mc_penalty_settle(table, &rule, "joe", now, MC_PENALTY_FAILED);
	CU_ASSERT_EQUAL(check("joe", &retry_ms), MC_PENALTY_LATER);
	CU_ASSERT_EQUAL(retry_ms, 4000);
	mc_penalties_free(&table);
}

static void
bounded(void)
{
	char key[32];
	uint32_t retry_ms;

	set_up(64);
	mc_penalty_charge(table, &rule, "in flight", now);
	for (int i = 0; i < 4; i++)
		attempt("old", MC_PENALTY_FAILED);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		attempt(key, MC_PENALTY_FAILED);
	}
	CU_ASSERT_EQUAL(mc_penalties_count(table), 64);
	CU_ASSERT_EQUAL(check("old", &retry_ms), MC_PENALTY_GO);
	CU_ASSERT_TRUE(mc_penalty_known(table, "key-9999"));
	CU_ASSERT_FALSE(mc_penalty_known(table, "key-0"));
	CU_ASSERT_TRUE(mc_penalty_known(table, "in flight"));
	mc_penalty_settle(table, &rule, "in flight", now, MC_PENALTY_PASSED);
	CU_ASSERT_EQUAL(mc_penalties_count(table), 63);
	mc_penalties_free(&table);
	CU_ASSERT_PTR_NULL(table);
}

static void
known(void)
{
	set_up(16);
	CU_ASSERT_FALSE(mc_penalty_known(table, "joe\n127.0.0.1"));
	mc_penalty_learn(table, "joe\n127.0.0.1");
	mc_penalty_learn(table, "joe\n127.0.0.1");
	CU_ASSERT_TRUE(mc_penalty_known(table, "joe\n127.0.0.1"));
	CU_ASSERT_FALSE(mc_penalty_known(table, "joe\n127.0.0.2"));
	CU_ASSERT_EQUAL(mc_penalties_count(table), 1);
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		mc_penalty_learn(table, key);
		mc_penalty_learn(table, "amanda");
	}
	CU_ASSERT_TRUE(mc_penalty_known(table, "amanda"));
	CU_ASSERT_FALSE(mc_penalty_known(table, "joe\n127.0.0.1"));
	mc_penalties_free(&table);
}

static void
prefixes(void)
{
	static const struct {
		const char	*address;
		unsigned	 bits;
		const char	*prefix;
	} cases[] = {
		{ "192.0.2.7", 64, "192.0.2.7" },
		{ "::ffff:192.0.2.7", 64, "192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64" },
		{ "2001:db8:1:2:ffff::", 64, "2001:db8:1:2::/64" },
		{ "2001:db8:1:ff34::1", 60, "2001:db8:1:ff30::/60" },
		{ "2001:db8::1", 128, "2001:db8::1/128" },
		{ "2001:db8:ffff::1", 16, "2001::/16" },
		{ "::1", 64, "::/64" },
		{ "unix", 64, "unix" },
	};
	char prefix[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mc_penalty_prefix(cases[i].address, cases[i].bits, prefix);
		CU_ASSERT_STRING_EQUAL(prefix, cases[i].prefix);
	}
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "delays double up to the longest", grows },
		{ "success and time forgive", forgives },
		{ "attempts in flight count exactly", in_flight },
		{ "after a delay one at a time", one_by_one },
		{ "the table stays within its size", bounded },
		{ "what is known, until there is no room", known },
		{ "what counts as one place", prefixes },
		{ NULL, NULL }
	};

	return cutap_run("penalty", tests);
}
