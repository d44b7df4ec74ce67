/* SPDX-License-Identifier: MIT */
/*
 * queue_cut - cuts the last records off a queue, behind its server's back.
 */
#ifndef TESTS_CRASH_QUEUE_CUT_H
#define TESTS_CRASH_QUEUE_CUT_H

#include <stdbool.h>
#include <stdint.h>

/* That record and what is after it, in the last file.  false: it is not there,
 * or cannot be cut. */
bool	queue_cut(const char *folder, uint64_t seq);

#endif
