/* SPDX-License-Identifier: MIT */
/*
 * op - what is counted of each operation of one provider: "tcapw.lookup.calls".
 *
 * Each caller has its own copy of a struct mc_op; what has the same name is
 * counted together.  Loop thread, unless marked.
 */
#ifndef SERVER_OP_H
#define SERVER_OP_H

#include "count.h"

#include <metacube/call.h>

struct op_stat {
	struct op_stat	*next;
	char		*what;		/* "tcapw.lookup answered" */
	char		*name;		/* "tcapw.lookup" */
	count_cell	*calls, *us;
};

struct op_stats;

struct op_stats	*op_stats_new(void);
void		 op_stats_free(struct op_stats **);

/* Lives as long as the stats. */
struct op_stat	*op_stat_of(struct op_stats *, struct counters *,
		    const struct mc_op *);

/* (any thread) One more of what is rare: "tcapw.lookup.timeouts". */
void		 op_count(struct counters *, const char *op, const char *what);

#endif
