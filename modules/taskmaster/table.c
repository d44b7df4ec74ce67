/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

static struct table_node **
bucket(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->size - 1)];
}

static void
grow(struct table *table)
{
	struct table old = *table;

	table->size = old.size > 0 ? 2 * old.size : 16;
	table->buckets = mc_zalloc(table->size * sizeof(*table->buckets));
	for (size_t i = 0; i < old.size; i++)
		for (struct table_node *node = old.buckets[i], *next;
		    node != NULL; node = next) {
			struct table_node **to = bucket(table, node->hash);

			next = node->chain;
			node->chain = *to;
			*to = node;
		}
	free(old.buckets);
}

void
table_free(struct table *table)
{
	free(table->buckets);
	memset(table, 0, sizeof(*table));
}

void
table_add(struct table *table, struct table_node *node, uint64_t hash)
{
	struct table_node **to;

	if (table->count >= table->size)
		grow(table);
	to = bucket(table, hash);
	node->hash = hash;
	node->chain = *to;
	*to = node;
	table->count++;
}

void
table_remove(struct table *table, struct table_node *node)
{
	struct table_node **at = bucket(table, node->hash);

	while (*at != node)
		at = &(*at)->chain;
	*at = node->chain;
	table->count--;
}

static struct table_node *
same_hash(struct table_node *node, uint64_t hash)
{
	while (node != NULL && node->hash != hash)
		node = node->chain;
	return node;
}

struct table_node *
table_first(const struct table *table, uint64_t hash)
{
	return table->size > 0 ? same_hash(*bucket(table, hash), hash) : NULL;
}

struct table_node *
table_next(const struct table_node *node)
{
	return same_hash(node->chain, node->hash);
}

uint64_t
table_hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash ^ hash >> 32;
}

/* The finaliser of SplitMix64. */
uint64_t
table_hash_number(uint64_t number)
{
	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}
