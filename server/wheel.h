/* SPDX-License-Identifier: MIT */
/*
 * wheel - very many deadlines, most of which are put off before they come.
 *
 * An entry stands in the slot of some moment up to its deadline.  Putting it
 * off is one store; only when the slot's turn comes is it looked at again and
 * moved on.  Deadlines are met up to WHEEL_TICK_MS late, never early.
 *
 * Pure: time is what the caller says.
 */
#ifndef SERVER_WHEEL_H
#define SERVER_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_TICK_MS	50
#define WHEEL_SLOTS	512	/* 25 s; what is further off goes round */

struct wheel_entry {
	LIST_ENTRY(wheel_entry)	link;
	uint64_t		deadline_ms;
	uint64_t		tick;		/* of its slot; 0: in none */
};

LIST_HEAD(wheel_list, wheel_entry);

struct wheel {
	uint64_t		tick;		/* all before it are done */
	unsigned		count;
	struct wheel_list	slots[WHEEL_SLOTS];
};

typedef void wheel_due_fn(struct wheel_entry *);

void		 wheel_init(struct wheel *, uint64_t now_ms);
void		 wheel_set(struct wheel *, struct wheel_entry *,
		    uint64_t deadline_ms);
void		 wheel_clear(struct wheel *, struct wheel_entry *);

/* Calls due for each entry whose deadline has passed; it is out by then. */
void		 wheel_turn(struct wheel *, uint64_t now_ms, wheel_due_fn *due);

/* Milliseconds until wheel_turn has something to look at; -1: nothing. */
int		 wheel_wait(const struct wheel *, uint64_t now_ms);

#endif
