/* SPDX-License-Identifier: MIT */
/*
 * signals - SIGTERM and SIGINT stop, SIGHUP reloads, SIGPIPE is nothing.
 *
 * They are blocked in all threads and read from a descriptor on the loop.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

struct process;
struct signals;

/* Before there are other threads. */
struct signals	*signals_new(struct process *);
void		 signals_free(struct signals **);

#endif
