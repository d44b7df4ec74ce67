/* SPDX-License-Identifier: MIT */
/*
 * heap - the least of many, in logarithmic time: a binary heap whose nodes
 * know where they stand, so that each can be moved or taken out.
 */
#ifndef TASKMASTER_HEAP_H
#define TASKMASTER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t	key;
	uint64_t	tie;		/* the lower one comes first */
	size_t		place;		/* 1 is the top; 0: in no heap */
	void		*owner;
};

struct heap {
	struct heap_node	**nodes;	/* from 1 on */
	size_t			  count, size;
};

void	 heap_free(struct heap *);
void	 heap_add(struct heap *, struct heap_node *);
void	 heap_remove(struct heap *, struct heap_node *); /* if it is in */
void	 heap_key(struct heap *, struct heap_node *, uint64_t key);
struct heap_node *heap_top(const struct heap *);	/* NULL: empty */

#endif
