/* SPDX-License-Identifier: MIT */
/*
 * ledger - compares the audit log with the queue of changes, while nobody has
 * them open: each change has its entry, once, in order, and the same.
 */
#ifndef TESTS_CRASH_LEDGER_H
#define TESTS_CRASH_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct ledger {
	uint64_t	entry;		/* of the audit log, compared last */
	uint64_t	change;		/* of the queue, likewise */
	uint64_t	last;		/* change of the queue, when compared */
};

/* What came since the last time.  The log may lag behind the queue, unless it
 * has to be level.  Returns the number of violations, described on standard
 * output. */
unsigned	ledger_compare(struct ledger *, const char *folder,
		    bool level);

#endif
