/* SPDX-License-Identifier: MIT */
/*
 * count - the counters of one instance.
 *
 * A counter is made when it is first named and lives as long as the
 * instance.  Adding takes no lock; only a new name does.
 */
#ifndef SERVER_COUNT_H
#define SERVER_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

typedef atomic_int_fast64_t count_cell;
typedef void count_fn(void *arg, const char *name, int64_t value);

struct counters;

struct counters	*counters_new(void);
void		 counters_free(struct counters **);

/* (any thread) The counter of this name, to add to it without a search. */
count_cell	*counters_cell(struct counters *, const char *name);

/* (any thread) All of them, sorted by name. */
void		 counters_each(struct counters *, count_fn *, void *arg);

#endif
