/* SPDX-License-Identifier: MIT */
/*
 * tickets - the keys that the taskmaster has given to this world, and the
 * tickets that were used already.
 *
 * A key that was replaced stays until what was sealed with it has expired; a
 * used id stays until its ticket has expired, and as long again, should the
 * clock be set back a little.  So does what was voided before it was used.
 * All have limits.
 */
#ifndef WORLD_TICKETS_H
#define WORLD_TICKETS_H

#include <metacube/ticket.h>

struct tickets;

struct tickets		*tickets_new(void);
void			 tickets_free(struct tickets **);

void			 tickets_key(struct tickets *,
			    const struct ticket_key *, uint64_t now_ms);

enum ticket_fault	 tickets_open(struct tickets *, const void *sealed,
			    size_t len, const char *world, uint64_t now_ms,
			    struct ticket *ticket_r);

/* This user's tickets that expire until then (UTC, by the taskmaster's clock)
 * are no good any more.  Beyond the limit the oldest is forgotten: the
 * taskmaster knows it, too.  All are, after twice the life of a ticket by the
 * steady clock: whatever the other clocks have done meanwhile. */
void			 tickets_void(struct tickets *, uint64_t uid,
			    uint64_t until_ms, uint64_t steady_ms);
bool			 tickets_are_void(const struct tickets *,
			    const struct ticket *, uint64_t steady_ms);

enum tickets_use { TICKETS_TAKEN, TICKETS_USED, TICKETS_FULL };

/* Marks it as used: TAKEN, it was not; FULL, too many arrivals to remember
 * one more, nobody can say whether it was. */
enum tickets_use	 tickets_use(struct tickets *, const struct ticket *,
			    uint64_t now_ms);

#endif
