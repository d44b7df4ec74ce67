/* SPDX-License-Identifier: MIT */
/*
 * penalty - a chained hash table whose entries also stand in one list,
 * from the one touched last to the one touched longest ago.
 */
#include <metacube/penalty.h>

#include <metacube/host.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry	*chain;
	struct entry	*newer, *older;
	uint64_t	 hash;
	uint64_t	 failed_ms;	/* last failure */
	uint32_t	 failures;
	uint32_t	 in_flight;
	char		 key[];
};

struct mc_penalties {
	struct entry	**buckets;
	struct entry	 *newest, *oldest;
	size_t		  count, max, mask;
	uint64_t	  seed;
};

struct mc_penalties *
mc_penalties_new(size_t max, uint64_t seed)
{
	struct mc_penalties *table = mc_zalloc(sizeof(*table));
	size_t buckets = 16;

	while (buckets < max)
		buckets *= 2;
	table->buckets = mc_zalloc(buckets * sizeof(*table->buckets));
	table->mask = buckets - 1;
	table->max = max;
	table->seed = seed;
	return table;
}

void
mc_penalties_free(struct mc_penalties **slot)
{
	struct mc_penalties *table = *slot;

	if (table == NULL)
		return;
	for (struct entry *entry = table->newest, *next; entry != NULL;
	    entry = next) {
		next = entry->older;
		free(entry);
	}
	free(table->buckets);
	free(table);
	*slot = NULL;
}

size_t
mc_penalties_count(const struct mc_penalties *table)
{
	return table->count;
}

/* FNV-1a from a seed that nobody knows. */
static uint64_t
key_hash(const struct mc_penalties *table, const char *key)
{
	uint64_t hash = table->seed ^ 0xcbf29ce484222325;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
	return hash ^ hash >> 29;
}

static struct entry *
entry_find(const struct mc_penalties *table, const char *key, uint64_t hash)
{
	struct entry *entry = table->buckets[hash & table->mask];

	while (entry != NULL &&
	    (entry->hash != hash || strcmp(entry->key, key) != 0))
		entry = entry->chain;
	return entry;
}

static void
entry_unlist(struct mc_penalties *table, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &table->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &table->oldest) = entry->newer;
}

static void
entry_list(struct mc_penalties *table, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = table->newest;
	*(table->newest ? &table->newest->newer : &table->oldest) = entry;
	table->newest = entry;
}

static void
entry_remove(struct mc_penalties *table, struct entry *entry)
{
	struct entry **at = &table->buckets[entry->hash & table->mask];

	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	entry_unlist(table, entry);
	table->count--;
	free(entry);
}

/* Attempts in flight are few and young: the search is short. */
static void
room_make(struct mc_penalties *table)
{
	struct entry *entry = table->oldest;

	while (entry != NULL && entry->in_flight > 0)
		entry = entry->newer;
	if (entry != NULL)
		entry_remove(table, entry);
}

static struct entry *
entry_get(struct mc_penalties *table, const char *key)
{
	uint64_t hash = key_hash(table, key);
	struct entry *entry = entry_find(table, key, hash);
	size_t size = strlen(key) + 1;

	if (entry != NULL) {
		entry_unlist(table, entry);
		entry_list(table, entry);
		return entry;
	}
	if (table->count >= table->max)
		room_make(table);
	entry = mc_zalloc(sizeof(*entry) + size);
	memcpy(entry->key, key, size);
	entry->hash = hash;
	entry->chain = table->buckets[hash & table->mask];
	table->buckets[hash & table->mask] = entry;
	entry_list(table, entry);
	table->count++;
	return entry;
}

static void
entry_forget(struct entry *entry, const struct mc_penalty_rule *rule,
    uint64_t now_ms)
{
	if (now_ms - entry->failed_ms >= (uint64_t)rule->forget_ms)
		entry->failures = 0;
}

/* From the last failure on. */
static uint64_t
entry_delay(const struct entry *entry, const struct mc_penalty_rule *rule)
{
	uint64_t delay = rule->base_ms;

	if (entry->failures <= rule->free)
		return 0;
	for (uint32_t n = entry->failures - rule->free;
	    n > 1 && delay < (uint64_t)rule->max_ms; n--)
		delay *= 2;
	return delay < (uint64_t)rule->max_ms ? delay :
	    (uint64_t)rule->max_ms;
}

enum mc_penalty_verdict
mc_penalty_check(struct mc_penalties *table, const struct mc_penalty_rule *rule,
    const char *key, uint64_t now_ms, uint32_t *retry_ms_r)
{
	struct entry *entry = entry_find(table, key, key_hash(table, key));
	uint64_t until;

	if (entry == NULL)
		return MC_PENALTY_GO;
	entry_forget(entry, rule, now_ms);
	until = entry->failed_ms + entry_delay(entry, rule);
	if (entry->failures > rule->free && now_ms < until) {
		if (*retry_ms_r < until - now_ms)
			*retry_ms_r = until - now_ms;
		return MC_PENALTY_LATER;
	}
	if (entry->in_flight > 0 &&
	    entry->failures + entry->in_flight > rule->free)
		return MC_PENALTY_WAIT;
	return MC_PENALTY_GO;
}

void
mc_penalty_charge(struct mc_penalties *table,
    const struct mc_penalty_rule *rule, const char *key, uint64_t now_ms)
{
	struct entry *entry = entry_get(table, key);

	entry_forget(entry, rule, now_ms);
	entry->in_flight++;
}

void
mc_penalty_settle(struct mc_penalties *table,
    const struct mc_penalty_rule *rule, const char *key, uint64_t now_ms,
    enum mc_penalty_outcome outcome)
{
	struct entry *entry = entry_get(table, key);

	if (entry->in_flight > 0)
		entry->in_flight--;
	if (outcome == MC_PENALTY_PASSED)
		entry->failures = 0;
	if (outcome == MC_PENALTY_FAILED) {
		entry_forget(entry, rule, now_ms);
		if (entry->failures < UINT32_MAX)
			entry->failures++;
		entry->failed_ms = now_ms;
	}
	if (entry->failures == 0 && entry->in_flight == 0)
		entry_remove(table, entry);
}

bool
mc_penalty_known(const struct mc_penalties *table, const char *key)
{
	return entry_find(table, key, key_hash(table, key)) != NULL;
}

void
mc_penalty_learn(struct mc_penalties *table, const char *key)
{
	entry_get(table, key);
}

static void
ipv6_mask(struct in6_addr *address, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++, bits -= bits < 8 ? bits : 8)
		if (bits < 8)
			address->s6_addr[i] &= 0xff00 >> bits;
}

void
mc_penalty_prefix(const char *address, unsigned ipv6_bits, char prefix_r[64])
{
	struct in6_addr ipv6;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, address, &ipv6) != 1) {
		snprintf(prefix_r, 64, "%s", address);
		return;
	}
	if (IN6_IS_ADDR_V4MAPPED(&ipv6)) {
		inet_ntop(AF_INET, ipv6.s6_addr + 12, prefix_r, 64);
		return;
	}
	ipv6_mask(&ipv6, ipv6_bits);
	inet_ntop(AF_INET6, &ipv6, text, sizeof(text));
	snprintf(prefix_r, 64, "%s/%u", text, ipv6_bits);
}
