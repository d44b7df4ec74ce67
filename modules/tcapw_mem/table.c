/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <metacube/pwq.h>

#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry	*next;		/* in the bucket, by name */
	uint16_t	 len, name_at;
	uint8_t		 name_len;
	uint8_t		 encoded[];
};

struct table {
	struct entry		**buckets;
	size_t			 nbuckets;	/* a power of two */
	size_t			 first;		/* that may not be empty */
	uint64_t		 seed;
	struct tcapw_position	 position;
};

struct table *
table_new(size_t max_accounts)
{
	struct table *table = mc_zalloc(sizeof(*table));

	table->nbuckets = 1;
	while (table->nbuckets < max_accounts)
		table->nbuckets *= 2;
	table->buckets = mc_zalloc(table->nbuckets * sizeof(struct entry *));
	mc_random(&table->seed, sizeof(table->seed));
	return table;
}

static void
entry_free(struct entry *entry)
{
	mc_wipe(entry->encoded, entry->len);
	free(entry);
}

void
table_shrink(struct table **tablep, size_t accounts)
{
	struct table *table = *tablep;
	struct entry *entry;

	while (table->first < table->nbuckets && accounts > 0) {
		entry = table->buckets[table->first];
		if (entry == NULL) {
			table->first++;
			continue;
		}
		table->buckets[table->first] = entry->next;
		entry_free(entry);
		accounts--;
	}
	if (table->first < table->nbuckets)
		return;
	free(table->buckets);
	free(table);
	*tablep = NULL;
}

struct tcapw_position *
table_position(struct table *table)
{
	return &table->position;
}

/* FNV-1a from a random start: nobody chooses names for one bucket. */
static size_t
bucket_of(const struct table *table, const char *name)
{
	uint64_t hash = table->seed;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	return (size_t)(hash ^ hash >> 32) & (table->nbuckets - 1);
}

/* As strcmp would. */
static int
entry_compare(const struct entry *entry, const char *name, size_t len)
{
	size_t shared = entry->name_len < len ? entry->name_len : len;
	int order = memcmp(entry->encoded + entry->name_at, name, shared);

	return order != 0 ? order : (int)entry->name_len - (int)len;
}

/* Where the entry with this name is linked, or would be. */
static struct entry **
entry_link(const struct table *table, const char *name, bool *there_r)
{
	struct entry **link = &table->buckets[bucket_of(table, name)];
	size_t len = strlen(name);
	int order = 1;

	while (*link != NULL &&
	    (order = entry_compare(*link, name, len)) < 0)
		link = &(*link)->next;
	*there_r = *link != NULL && order == 0;
	return link;
}

/* What is in the table was decoded before. */
static void
entry_decode(const struct entry *entry, struct tcapw_account *account_r)
{
	if (pwq_account_decode(entry->encoded, entry->len, account_r) == -1)
		abort();
}

bool
table_has(const struct table *table, const char *name)
{
	bool there;

	entry_link(table, name, &there);
	return there;
}

enum mc_status
table_find(const struct table *table, const char *name,
    struct tcapw_account *account_r)
{
	bool there;
	const struct entry *entry = *entry_link(table, name, &there);

	if (!there)
		return MC_NOT_FOUND;
	entry_decode(entry, account_r);
	return MC_OK;
}

static struct entry *
entry_new(const void *encoded, size_t len)
{
	struct entry *entry = mc_zalloc(sizeof(*entry) + len);
	size_t name_len;
	const char *name;

	memcpy(entry->encoded, encoded, len);
	name = pwq_account_name(entry->encoded, len, &name_len);
	if (name == NULL)
		abort();
	entry->len = (uint16_t)len;
	entry->name_at = (uint16_t)(name - (const char *)entry->encoded);
	entry->name_len = (uint8_t)name_len;
	return entry;
}

static void
entry_remove(struct table *table, struct entry **link)
{
	struct entry *entry = *link;

	*link = entry->next;
	pwq_digest_sub(table->position.digest, entry->encoded, entry->len);
	table->position.count--;
	entry_free(entry);
}

void
table_put(struct table *table, const char *name, uint64_t uid,
    const void *encoded, size_t len)
{
	struct entry *entry = entry_new(encoded, len);
	bool there;
	struct entry **link = entry_link(table, name, &there);

	if (there)
		entry_remove(table, link);
	entry->next = *link;
	*link = entry;
	pwq_digest_add(table->position.digest, encoded, len);
	table->position.count++;
	if (uid > table->position.last_uid)
		table->position.last_uid = uid;
}

void
table_delete(struct table *table, const char *name)
{
	bool there;
	struct entry **link = entry_link(table, name, &there);

	if (there)
		entry_remove(table, link);
}

static size_t
chain_list(const struct entry *entry, struct tcapw_account *accounts,
    size_t max)
{
	size_t n = 0;

	for (; entry != NULL && n < max; entry = entry->next, n++) {
		entry_decode(entry, &accounts[n]);
		tcapw_conceal(&accounts[n]);
	}
	return n;
}

size_t
table_list(const struct table *table, const char *after,
    struct tcapw_account *accounts, size_t max)
{
	const struct entry *entry = table->buckets[0];
	size_t bucket = 0, n;
	bool there;

	if (after[0] != '\0') {
		bucket = bucket_of(table, after);
		entry = *entry_link(table, after, &there);
		if (there)
			entry = entry->next;
	}
	n = chain_list(entry, accounts, max);
	while (n < max && ++bucket < table->nbuckets)
		n += chain_list(table->buckets[bucket], accounts + n,
		    max - n);
	return n;
}
