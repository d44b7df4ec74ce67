/* SPDX-License-Identifier: MIT */
/*
 * metacube/call.h - one request to a service and its one answer.
 *
 * Every service call is asynchronous.  The caller names a slot, a done
 * function and an owner; the provider answers once, from any thread.  done
 * runs on the loop thread, never inside the call that asked, and the slot is
 * already NULL by then.  The host counts and times every call, and answers
 * in the provider's place when that is too late.
 */
#ifndef METACUBE_CALL_H
#define METACUBE_CALL_H

#include <metacube/module.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MC_REPLY_MAX	(256 * 1024)	/* bytes of one result */

/* Results are flat records (no pointers inside), valid until done returns. */
struct mc_reply {
	enum mc_status	 status;
	size_t		 len;
	const void	*data;
};

/* NULL unless the reply is MC_OK and carries exactly one such record. */
#define MC_RESULT(reply, type) \
	((reply)->status == MC_OK && (reply)->len == sizeof(type) ? \
	    (const type *)(reply)->data : NULL)

typedef void mc_done_fn(void *owner, const struct mc_reply *);

struct mc_op {
	const char	*name;		/* "tcapw.lookup", for log and counters */
	unsigned	 timeout_ms;
	bool		 writes;	/* too late is MC_UNCERTAIN, not MC_TIMEOUT */
};

/* Caller, loop thread.  NULL: refused (limit, stopping); done will run with
 * the reason.  slot may be NULL when the call will never be cancelled. */
struct mc_call	*mc_call_new(const struct mc_ref *to, const struct mc_op *op,
		    struct mc_call **slot, mc_done_fn *done, void *owner);
void		 mc_call_cancel(struct mc_call **slot);	/* done won't run */

/* Provider, any thread.  Exactly one mc_call_done for each call; the result
 * is copied.  A second answer is logged and ignored. */
void		 mc_call_done(struct mc_call *, enum mc_status,
		    const void *result, size_t len);
bool		 mc_call_wanted(const struct mc_call *); /* still awaited? */

/* Blocking work: runs on this instance's own thread, one job at a time, in
 * order.  Called on the loop thread. */
typedef void mc_work_fn(void *job);
void		 mc_work(struct mc_host *, mc_work_fn *run, void *job);

/* The same, for jobs that are cheaper together (one fdatasync for many
 * appends): run gets all the jobs that stand in a row with the same run.  What
 * it answers may be handed over some at a time, at the latest when it returns. */
#define MC_BATCH_MAX	512
typedef void mc_batch_fn(void **jobs, size_t count);
void		 mc_work_batch(struct mc_host *, mc_batch_fn *run, void *job);

/* CPU-heavy stateless work (password hashing): on the pool shared by all
 * instances.  false: the pool's queue is full, nothing was queued. */
bool		 mc_pool(struct mc_host *, mc_work_fn *run, void *job);
unsigned	 mc_pool_size(const struct mc_host *);	/* threads */

/* (any thread) Runs a function on the loop thread, soon, never inside the
 * caller: how a work or pool job hands over what is not a call's answer. */
void		 mc_later(struct mc_host *, mc_work_fn *run, void *job);

#ifdef __cplusplus
}
#endif
#endif
