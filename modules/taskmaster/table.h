/* SPDX-License-Identifier: MIT */
/*
 * table - a hash table that grows; its nodes are members of what is found.
 * Whoever asks compares keys: first and next walk the nodes of one hash.
 */
#ifndef TASKMASTER_TABLE_H
#define TASKMASTER_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
	struct table_node	*chain;
	uint64_t		 hash;
	void			*owner;
};

struct table {
	struct table_node	**buckets;
	size_t			  count, size;	/* size: 0 or a power of two */
};

void	 table_free(struct table *);	/* the nodes are not its own */
void	 table_add(struct table *, struct table_node *, uint64_t hash);
void	 table_remove(struct table *, struct table_node *);
struct table_node *table_first(const struct table *, uint64_t hash);
struct table_node *table_next(const struct table_node *);

uint64_t table_hash_text(const char *);
uint64_t table_hash_number(uint64_t);

#endif
