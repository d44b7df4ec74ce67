/* SPDX-License-Identifier: MIT */
/*
 * changes - what a stretch of the queue has made of accounts: for each uid
 * that occurs in it, its latest state, within a fixed amount of memory.
 *
 * Pure, one thread at a time.
 */
#ifndef WMQMAINT_CHANGES_H
#define WMQMAINT_CHANGES_H

#include <metacube/tcapw.h>

struct changes;

/* budget: bytes, at least CHANGES_MIN. */
#define CHANGES_MIN	(64 * 1024)
struct changes	*changes_new(size_t budget);
void		 changes_free(struct changes **);	/* wipes */
void		 changes_clear(struct changes *);

/* false: there is no room; merge what there is, clear, and put it again. */
bool		 changes_put(struct changes *, const struct tcapw_change *);

/* By uid; len 0: deleted.  Valid until the next put. */
struct changes_state {
	uint64_t	uid;
	size_t		len;
	const uint8_t	*encoded;
};

size_t		 changes_sort(struct changes *);	/* how many */
struct changes_state changes_at(const struct changes *, size_t n);

#endif
