/* SPDX-License-Identifier: MIT */
/*
 * calls - the host's side of metacube/call.h.  Loop thread.
 */
#ifndef SERVER_CALLS_H
#define SERVER_CALLS_H

#include <stdbool.h>
#include <stddef.h>

struct call_pool;
struct calls;
struct loop;
struct mc_host;

struct call_pool *call_pool_new(struct loop *);
void		 call_pool_free(struct call_pool **);

struct calls	*calls_new(void);
void		 calls_free(struct calls **);

/* Questions to this instance that somebody still waits for. */
bool		 calls_awaited(const struct mc_host *);

/* Questions to this instance that it has not answered yet. */
size_t		 calls_owed(const struct mc_host *);

/* Cancels what this instance has asked; from now on it cannot ask. */
void		 calls_close(struct mc_host *);

#endif
