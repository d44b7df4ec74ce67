/* SPDX-License-Identifier: MIT */
/*
 * The table: open addressing with linear probing, at most half full.  An
 * entry that falls to zero is taken out and those behind it move up, so there
 * are no marks for what was deleted.
 */
#include "limit.h"

#include <metacube/host.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE	64	/* a power of two */

struct entry {
	uint64_t	key;	/* 0: free */
	int64_t		count;
};

struct limit {
	pthread_mutex_t	 lock;
	uint64_t	 seed;	/* nobody outside can choose collisions */
	int64_t		 count;
	size_t		 used, size;
	struct entry	*entries;
};

struct limit *
limit_new(void)
{
	struct limit *limit = mc_zalloc(sizeof(*limit));

	pthread_mutex_init(&limit->lock, NULL);
	mc_random(&limit->seed, sizeof(limit->seed));
	limit->size = FIRST_SIZE;
	limit->entries = mc_zalloc(limit->size * sizeof(*limit->entries));
	return limit;
}

void
limit_free(struct limit **limitp)
{
	if (*limitp == NULL)
		return;
	pthread_mutex_destroy(&(*limitp)->lock);
	free((*limitp)->entries);
	free(*limitp);
	*limitp = NULL;
}

/* IPv4 stands in 0:ffff::/32, where no IPv6 network is. */
uint64_t
limit_key(const struct address *address)
{
	struct address plain = *address;
	uint64_t key = 0;

	address_unmap(&plain);
	if (plain.sa.any.sa_family == AF_INET)
		return UINT64_C(0xffff) << 32 |
		    ntohl(plain.sa.in.sin_addr.s_addr);
	if (plain.sa.any.sa_family != AF_INET6)
		return 0;
	for (int i = 0; i < 8; i++)
		key = key << 8 | plain.sa.in6.sin6_addr.s6_addr[i];
	return key != 0 ? key : 1;	/* ::1 and its like */
}

static size_t
home(const struct limit *limit, uint64_t key)
{
	key = (key ^ limit->seed) * UINT64_C(0x9e3779b97f4a7c15);
	key = (key ^ key >> 32) * (limit->seed | 1);
	return (size_t)(key >> 32) & (limit->size - 1);
}

/* The entry of this key, or the free one where it belongs. */
static struct entry *
find(const struct limit *limit, uint64_t key)
{
	size_t at = home(limit, key);

	while (limit->entries[at].key != 0 && limit->entries[at].key != key)
		at = (at + 1) & (limit->size - 1);
	return &limit->entries[at];
}

static void
grow(struct limit *limit)
{
	struct entry *old = limit->entries;
	size_t old_size = limit->size;

	limit->size *= 2;
	limit->entries = mc_zalloc(limit->size * sizeof(*limit->entries));
	for (size_t i = 0; i < old_size; i++)
		if (old[i].key != 0)
			*find(limit, old[i].key) = old[i];
	free(old);
}

static void
take_out(struct limit *limit, struct entry *entry)
{
	size_t mask = limit->size - 1;
	size_t hole = (size_t)(entry - limit->entries);

	for (size_t at = (hole + 1) & mask; limit->entries[at].key != 0;
	    at = (at + 1) & mask) {
		size_t from = home(limit, limit->entries[at].key);

		if (((at - from) & mask) < ((at - hole) & mask))
			continue;	/* the hole lies before its home */
		limit->entries[hole] = limit->entries[at];
		hole = at;
	}
	limit->entries[hole].key = 0;
	limit->used--;
}

static enum limit_verdict
take(struct limit *limit, uint64_t key, int64_t max, int64_t max_per_address)
{
	struct entry *entry;

	if (limit->count >= max)
		return LIMIT_FULL;
	if (key == 0) {
		limit->count++;
		return LIMIT_FINE;
	}
	entry = find(limit, key);
	if (entry->key == 0) {
		entry->key = key;
		entry->count = 0;
		limit->used++;
	} else if (entry->count >= max_per_address) {
		return LIMIT_ADDRESS;
	}
	entry->count++;
	limit->count++;
	if (limit->used > limit->size / 2)
		grow(limit);
	return LIMIT_FINE;
}

enum limit_verdict
limit_take(struct limit *limit, uint64_t key, int64_t max,
    int64_t max_per_address)
{
	enum limit_verdict verdict;

	pthread_mutex_lock(&limit->lock);
	verdict = take(limit, key, max, max_per_address);
	pthread_mutex_unlock(&limit->lock);
	return verdict;
}

void
limit_give(struct limit *limit, uint64_t key)
{
	struct entry *entry;

	pthread_mutex_lock(&limit->lock);
	limit->count--;
	if (key != 0) {
		entry = find(limit, key);
		if (--entry->count == 0)
			take_out(limit, entry);
	}
	pthread_mutex_unlock(&limit->lock);
}

int64_t
limit_count(struct limit *limit)
{
	int64_t count;

	pthread_mutex_lock(&limit->lock);
	count = limit->count;
	pthread_mutex_unlock(&limit->lock);
	return count;
}

size_t
limit_addresses(struct limit *limit)
{
	size_t used;

	pthread_mutex_lock(&limit->lock);
	used = limit->used;
	pthread_mutex_unlock(&limit->lock);
	return used;
}
