/* SPDX-License-Identifier: MIT */
/*
 * origin - the account server that a replica follows, as far as it can be seen
 * from there: the files of a queue that goes on, freezes, and what a replica
 * is that has all of it.
 */
#ifndef TESTS_CRASH_ORIGIN_H
#define TESTS_CRASH_ORIGIN_H

#include "server.h"

#include <metacube/tcapw.h>

#define ORIGIN_PATH	512
#define ORIGIN_PEOPLE	400

struct origin {
	char		 path[ORIGIN_PATH];	/* of the queue */
	char		 freeze[ORIGIN_PATH], key[ORIGIN_PATH];
	struct tcapw_account people[ORIGIN_PEOPLE];	/* uid 0: not there */
	uint64_t	 next_uid;
	struct tcapw_position position;
};

/* Nothing has happened yet.  Its files are beside those of the replica. */
void	origin_make(struct origin *, const struct server *replica);

/* So many random changes. */
void	origin_go_on(struct origin *, unsigned changes, unsigned *seed);

/* A freeze of what is, in the place of the one before. */
void	origin_freeze(const struct origin *);

#endif
