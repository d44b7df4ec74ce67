/* SPDX-License-Identifier: MIT */
/*
 * work - the threads that do what would hold up the loop: one for each
 * instance that asks for it, and the pool that all share.
 */
#ifndef SERVER_WORK_H
#define SERVER_WORK_H

#include <stdbool.h>
#include <stddef.h>

struct mc_host;
struct pool;
struct process;

/* threads 0: one per core.  At most queue_max jobs wait for a thread. */
struct pool	*pool_new(unsigned threads, size_t queue_max);

/* Both wait until what was queued has been done. */
void		 pool_free(struct pool **);
void		 worker_free(struct mc_host *);

/* For loop_on_flush: hands over to the instance threads what was collected
 * for them.  The argument is the process. */
void		 work_flush(void *process);

/* Jobs of this instance (mc_work, mc_pool, mc_later) that are not done. */
bool		 work_pending(struct mc_host *);

#endif
