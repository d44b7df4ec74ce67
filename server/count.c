/* SPDX-License-Identifier: MIT */
/*
 * count - see count.h.
 *
 * A hash table of a fixed size whose chains only grow: whoever reads one sees
 * a counter whole or not at all.
 */
#include "count.h"

#include "process.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS	64		/* a power of two */

struct counter {
	count_cell	 value;
	struct counter	*next;		/* never changed once published */
	char		 name[];
};

struct counters {
	pthread_mutex_t			 lock;	/* to add a name */
	atomic_size_t			 count;
	_Atomic(struct counter *)	 buckets[BUCKETS];
};

struct counters *
counters_new(void)
{
	struct counters *counters = mc_zalloc(sizeof(*counters));

	pthread_mutex_init(&counters->lock, NULL);
	return counters;
}

void
counters_free(struct counters **countersp)
{
	struct counters *counters = *countersp;
	struct counter *counter, *next;

	if (counters == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (counter = atomic_load(&counters->buckets[i]);
		    counter != NULL; counter = next) {
			next = counter->next;
			free(counter);
		}
	pthread_mutex_destroy(&counters->lock);
	free(counters);
	*countersp = NULL;
}

static size_t
bucket_of(const char *name)
{
	uint32_t hash = 2166136261;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619;
	return (hash ^ hash >> 16) & (BUCKETS - 1);
}

static struct counter *
find(struct counters *counters, size_t bucket, const char *name)
{
	struct counter *counter = atomic_load_explicit(
	    &counters->buckets[bucket], memory_order_acquire);

	while (counter != NULL && strcmp(counter->name, name) != 0)
		counter = counter->next;
	return counter;
}

static struct counter *
add(struct counters *counters, size_t bucket, const char *name)
{
	struct counter *counter;
	size_t len = strlen(name);

	pthread_mutex_lock(&counters->lock);
	counter = find(counters, bucket, name);	/* another thread was first */
	if (counter == NULL) {
		counter = mc_zalloc(sizeof(*counter) + len + 1);
		memcpy(counter->name, name, len);
		counter->next = atomic_load(&counters->buckets[bucket]);
		atomic_store_explicit(&counters->buckets[bucket], counter,
		    memory_order_release);
		atomic_fetch_add(&counters->count, 1);
	}
	pthread_mutex_unlock(&counters->lock);
	return counter;
}

count_cell *
counters_cell(struct counters *counters, const char *name)
{
	size_t bucket = bucket_of(name);
	struct counter *counter = find(counters, bucket, name);

	if (counter == NULL)
		counter = add(counters, bucket, name);
	return &counter->value;
}

static int
compare(const void *left, const void *right)
{
	const struct counter *const *l = left, *const *r = right;

	return strcmp((*l)->name, (*r)->name);
}

void
counters_each(struct counters *counters, count_fn *run, void *arg)
{
	size_t max = atomic_load(&counters->count), n = 0;
	struct counter **all = mc_zalloc(max * sizeof(struct counter *));
	struct counter *counter;

	for (size_t i = 0; i < BUCKETS; i++)
		for (counter = atomic_load(&counters->buckets[i]);
		    counter != NULL && n < max; counter = counter->next)
			all[n++] = counter;
	if (n > 1)
		qsort(all, n, sizeof(struct counter *), compare);
	for (size_t i = 0; i < n; i++)
		run(arg, all[i]->name, atomic_load(&all[i]->value));
	free(all);
}

void
mc_count(struct mc_host *host, const char *name, int64_t value)
{
	if (host != NULL)
		atomic_fetch_add_explicit(counters_cell(host->counters, name),
		    value, memory_order_relaxed);
}

void
mc_gauge(struct mc_host *host, const char *name, int64_t value)
{
	if (host != NULL)
		atomic_store_explicit(counters_cell(host->counters, name),
		    value, memory_order_relaxed);
}
