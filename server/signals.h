/* SPDX-License-Identifier: MIT */
/*
 * signals - SIGTERM and SIGINT stop, SIGHUP reloads, SIGPIPE is nothing.
 *
 * A thread of their own waits for them (they are blocked in all others) and
 * tells the loop.  When that does not end in time, because a module holds
 * it, the thread ends the process and says where it was held.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

#include <stdint.h>

struct process;
struct signals;

/* Before there are other threads. */
struct signals	*signals_new(struct process *);
void		 signals_free(struct signals **);

/* How long a stop may take, as the loop keeps it. */
void		 signals_limit_set(struct signals *, int64_t stop_ms);

#endif
