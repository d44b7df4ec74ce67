/* SPDX-License-Identifier: MIT */
/*
 * merge - a freeze and what has changed since then become the next freeze.
 *
 * Blocks; needs no host but for its memory and its random numbers.
 */
#ifndef WMQMAINT_MERGE_H
#define WMQMAINT_MERGE_H

#include "changes.h"

#include <metacube/freeze.h>

#include <stdatomic.h>

/*
 * A freeze in the making: records after `at` are taken up to the goal, in
 * as many passes as they need room for.
 */
struct merge {
	const struct freeze_keys	*keys;
	const atomic_bool		*stop;		/* gives up; or NULL */
	const char			*path;		/* of what is made */
	char			 from[FREEZE_PATH_SIZE]; /* "": from nothing */
	char			 part[FREEZE_PATH_SIZE]; /* between passes */
	struct wmq_pointer	 at;
	uint64_t		 last_uid;	/* so far */
	struct changes		*changes;
	unsigned		 passes;
	bool			 differs;	/* not what was expected */
	char			 why[FREEZE_WHY];
};

/* Begins with the freeze at path, or with nothing when there is none; the
 * latter is a pointer 0 whose epoch the caller sets.  All return 0 or -1,
 * and why. */
int	 merge_begin(struct merge *, const char *path,
	    const struct freeze_keys *, size_t budget,
	    const atomic_bool *stop);

/* Takes a record of the queue, which must be the next one. */
int	 merge_record(struct merge *, const struct wmq_record *,
	    const void *data);

/* The last pass: at the goal.  expected, when given, has count, highest uid
 * and digest that must come out.  time and offset: of the header. */
int	 merge_end(struct merge *, const struct tcapw_position *expected,
	    uint32_t time, uint32_t offset, struct freeze_header *header_r);

/* In any case; removes what is no longer needed. */
void	 merge_free(struct merge *);

/* Reads a freeze to its end, to be sure of it. */
int	 merge_verify(const char *path, const struct freeze_keys *,
	    const atomic_bool *stop, struct freeze_header *header_r,
	    char why[FREEZE_WHY]);

/* What a process that was killed has left behind. */
void	 merge_clean(const char *path);

#endif
