/* SPDX-License-Identifier: MIT */
/*
 * queue_cut - cuts the last record off a queue, behind its server's back.
 */
#ifndef TESTS_CRASH_QUEUE_CUT_H
#define TESTS_CRASH_QUEUE_CUT_H

#include <stdbool.h>

/* false: there is none, or it cannot be cut. */
bool	queue_cut(const char *folder);

#endif
