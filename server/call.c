/* SPDX-License-Identifier: MIT */
/*
 * call - one question, one answer: the host's side of metacube/call.h.
 *
 *	        mc_call_new            mc_call_done (any thread)
 *	FREE ---------------> OPEN ---------------> ANSWERED --> FREE
 *	                       |    by mail to the loop: done runs
 *	                       |
 *	          too late, or cancelled: nobody waits any more, but the call
 *	          stays OPEN until its provider answers, and counts as owed
 *
 * A call costs no allocation and no timer of its own: calls are used again,
 * and all calls with one time-out expire in the order in which they were
 * made, so each time-out has one list and one timer.
 *
 * A free call is used again only after many others (QUARANTINE), so that a
 * provider's second answer finds a call that is not OPEN, not a stranger's.
 */
#include "calls.h"

#include "op.h"
#include "process.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUARANTINE	1024	/* free calls kept back */
#define SAY_AGAIN_MS	10000

enum { CALL_FREE, CALL_OPEN, CALL_ANSWERED };

struct calls {
	size_t		 owed, awaited;		/* by this instance */
	struct mc_call	*asked;			/* of others */
	bool		 closed;
	/* when that was said last */
	atomic_uint_fast64_t full_ms, doubled_ms;
	struct op_stats	*stats;
};

/* All calls with one time-out, oldest first. */
struct timeouts {
	struct timeouts	 *next;
	struct call_pool *pool;
	unsigned	  ms;
	struct mc_call	 *first, *last;
	struct event	 *timer;
	bool		  armed;
};

struct call_pool {
	struct loop	*loop;
	struct mc_call	*free_first, *free_last;
	size_t		 free_count;
	struct mc_call	*all;
	struct timeouts	*timeouts;
};

struct mc_call {
	struct mail		  mail;		/* the answer on its way */
	atomic_int		  state;
	atomic_bool		  wanted;
	bool			  overdue;	/* answered in its place */

	struct mc_host		 *caller;
	/* NULL: refused.  Atomic, because a second answer may come while the
	 * call is another question already. */
	struct mc_host *_Atomic	  owner;
	struct op_stat *_Atomic	  stat;
	struct mc_call		**slot;
	mc_done_fn		 *done;
	void			 *arg;
	bool			  writes;
	uint64_t		  request, began_us, deadline_us;
	struct mc_reply		  reply;
	void			 *copy;		/* reply.data, ours */

	struct timeouts		 *timeouts;	/* NULL: in no list */
	struct mc_call		 *older, *newer;
	struct mc_call		 *asked_next, **asked_prev;
	struct mc_call		 *free_next, *all_next;
};

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The result may have been a verifier. */
static void
wipe_copy(struct mc_call *call)
{
	if (call->copy == NULL)
		return;
	mc_wipe(call->copy, call->reply.len);
	free(call->copy);
	call->copy = NULL;
	call->reply.data = NULL;
	call->reply.len = 0;
}

struct call_pool *
call_pool_new(struct loop *loop)
{
	struct call_pool *pool = mc_zalloc(sizeof(*pool));

	pool->loop = loop;
	return pool;
}

void
call_pool_free(struct call_pool **poolp)
{
	struct call_pool *pool = *poolp;
	struct timeouts *timeouts;
	struct mc_call *call;

	if (pool == NULL)
		return;
	while ((timeouts = pool->timeouts) != NULL) {
		pool->timeouts = timeouts->next;
		event_free(timeouts->timer);
		free(timeouts);
	}
	while ((call = pool->all) != NULL) {
		pool->all = call->all_next;
		wipe_copy(call);
		free(call);
	}
	free(pool);
	*poolp = NULL;
}

static struct mc_call *
take(struct call_pool *pool)
{
	struct mc_call *call;

	if (pool->free_count <= QUARANTINE) {
		call = mc_zalloc(sizeof(*call));
		call->all_next = pool->all;
		return pool->all = call;
	}
	call = pool->free_first;
	pool->free_first = call->free_next;
	pool->free_count--;
	return call;
}

static void
put_back(struct call_pool *pool, struct mc_call *call)
{
	wipe_copy(call);
	atomic_store_explicit(&call->state, CALL_FREE, memory_order_relaxed);
	call->free_next = NULL;
	if (pool->free_count++ == 0)
		pool->free_first = call;
	else
		pool->free_last->free_next = call;
	pool->free_last = call;
}

struct calls *
calls_new(void)
{
	struct calls *calls = mc_zalloc(sizeof(*calls));

	calls->stats = op_stats_new();
	return calls;
}

void
calls_free(struct calls **callsp)
{
	if (*callsp == NULL)
		return;
	op_stats_free(&(*callsp)->stats);
	free(*callsp);
	*callsp = NULL;
}

/* Who waits for it. */

static void
asked_add(struct mc_call *call)
{
	struct mc_call **head = &call->caller->calls->asked;

	call->asked_next = *head;
	call->asked_prev = head;
	if (*head != NULL)
		(*head)->asked_prev = &call->asked_next;
	*head = call;
}

static void
timeouts_remove(struct mc_call *call)
{
	struct timeouts *timeouts = call->timeouts;

	if (timeouts == NULL)
		return;
	if (call->older != NULL)
		call->older->newer = call->newer;
	else
		timeouts->first = call->newer;
	if (call->newer != NULL)
		call->newer->older = call->older;
	else
		timeouts->last = call->older;
	call->timeouts = NULL;
}

/* Nobody waits for it any more. */
static void
forget(struct mc_call *call)
{
	timeouts_remove(call);
	*call->asked_prev = call->asked_next;
	if (call->asked_next != NULL)
		call->asked_next->asked_prev = call->asked_prev;
	if (call->owner != NULL)
		call->owner->calls->awaited--;
	if (call->slot != NULL)
		*call->slot = NULL;
	atomic_store_explicit(&call->wanted, false, memory_order_relaxed);
}

/* The end of a call for the one who asked. */
static void
settle(struct mc_call *call, const struct mc_reply *reply)
{
	struct callback callback;

	forget(call);
	callback_begin(&callback, call->caller,
	    call->stat != NULL ? call->stat->what : "refused call",
	    call->request);
	if (call->owner != NULL)
		atomic_fetch_add_explicit(call->stat->us, (int64_t)
		    (callback.began_us - call->began_us),
		    memory_order_relaxed);
	call->done(call->arg, reply);
	callback_end(&callback);
}

/* Too late. */

static void
overdue(struct mc_call *call)
{
	struct mc_reply reply = {
		.status = call->writes ? MC_UNCERTAIN : MC_TIMEOUT
	};

	if (atomic_load(&call->state) == CALL_ANSWERED) {
		timeouts_remove(call);	/* its mail is on the way */
		return;
	}
	call->overdue = true;
	op_count(call->owner->counters, call->stat->name, "timeouts");
	request_set(call->request);
	mc_log(call->owner, MC_WARN, "%s asked by %s was not answered within "
	    "%u ms", call->stat->name, call->caller->name, call->timeouts->ms);
	request_set(0);
	settle(call, &reply);
}

static void
timeouts_arm(struct timeouts *timeouts, uint64_t now)
{
	uint64_t us = timeouts->first->deadline_us;
	struct timeval tv;

	us = us > now + 1000 ? us - now : 1000;
	tv.tv_sec = (time_t)(us / 1000000);
	tv.tv_usec = (suseconds_t)(us % 1000000);
	event_add(timeouts->timer, &tv);
	timeouts->armed = true;
}

static void
timeouts_fired(evutil_socket_t fd, short events, void *arg)
{
	struct timeouts *timeouts = arg;
	uint64_t now = now_us();

	(void)fd;
	(void)events;
	timeouts->armed = false;
	while (timeouts->first != NULL && timeouts->first->deadline_us <= now)
		overdue(timeouts->first);
	if (timeouts->first != NULL)
		timeouts_arm(timeouts, now);
}

static struct timeouts *
timeouts_of(struct call_pool *pool, unsigned ms)
{
	struct timeouts *timeouts = pool->timeouts;

	while (timeouts != NULL && timeouts->ms != ms)
		timeouts = timeouts->next;
	if (timeouts != NULL)
		return timeouts;
	timeouts = mc_zalloc(sizeof(*timeouts));
	timeouts->pool = pool;
	timeouts->ms = ms;
	timeouts->timer = event_new(loop_base(pool->loop), -1, 0,
	    timeouts_fired, timeouts);
	timeouts->next = pool->timeouts;
	return pool->timeouts = timeouts;
}

/* The timer runs for the oldest; when that one is answered in time, it fires
 * for nothing, which is cheaper than setting it with each call. */
static void
timeouts_add(struct call_pool *pool, struct mc_call *call, unsigned ms)
{
	struct timeouts *timeouts = timeouts_of(pool, ms);

	call->deadline_us = call->began_us + (uint64_t)ms * 1000;
	call->timeouts = timeouts;
	call->newer = NULL;
	call->older = timeouts->last;
	if (timeouts->last != NULL)
		timeouts->last->newer = call;
	else
		timeouts->first = call;
	timeouts->last = call;
	if (!timeouts->armed)
		timeouts_arm(timeouts, call->began_us);
}

/* Asking. */

static void
answered(struct mail *mail)
{
	struct mc_call *call = (struct mc_call *)mail;

	if (call->owner != NULL)
		call->owner->calls->owed--;
	if (atomic_load_explicit(&call->wanted, memory_order_relaxed))
		settle(call, &call->reply);
	else if (call->overdue)
		op_count(call->owner->counters, call->stat->name, "late");
	put_back(call->caller->process->call_pool, call);
}

static struct mc_call *
call_fill(const struct mc_ref *to, const struct mc_op *op,
    struct mc_call **slot, mc_done_fn *done, void *arg)
{
	struct mc_call *call = take(to->caller->process->call_pool);

	call->mail.run = answered;
	call->overdue = false;
	call->caller = to->caller;
	call->slot = slot;
	call->done = done;
	call->arg = arg;
	call->writes = op->writes;
	call->request = request_current();
	if (call->request == 0)
		call->request = request_new();
	atomic_store_explicit(&call->wanted, true, memory_order_relaxed);
	asked_add(call);
	if (slot != NULL)
		*slot = call;
	return call;
}

/* The reason against a call, MC_OK: none. */
static enum mc_status
refusal(const struct mc_ref *to)
{
	const struct mc_host *owner = to->owner;

	if (to->ops == NULL || owner == NULL || owner->stage != HOST_STARTED)
		return MC_UNAVAILABLE;
	if (owner->calls->owed >= (size_t)owner->process->conf.max_calls)
		return MC_BUSY;
	return MC_OK;
}

/* Said at most every ten seconds: there will be many. */
static bool
is_to_be_said(atomic_uint_fast64_t *said_ms)
{
	uint_fast64_t last = atomic_load(said_ms);
	uint64_t now = mc_now_ms();	/* read after it: not before it */

	return (last == 0 || now - last >= SAY_AGAIN_MS) &&
	    atomic_compare_exchange_strong(said_ms, &last, now);
}

static void
say_full(struct mc_host *owner)
{
	if (is_to_be_said(&owner->calls->full_ms))
		mc_log(owner, MC_WARN, "owes %zu answers (max_calls): calls "
		    "to it are refused", owner->calls->owed);
}

static void
refuse(struct mc_call *call, const struct mc_ref *to, const struct mc_op *op,
    enum mc_status status)
{
	atomic_store_explicit(&call->owner, NULL, memory_order_relaxed);
	atomic_store_explicit(&call->stat, NULL, memory_order_relaxed);
	call->timeouts = NULL;
	call->reply.status = status;
	if (to->owner != NULL)
		op_count(to->owner->counters, op->name, "refused");
	if (status == MC_BUSY)
		say_full(to->owner);
	atomic_store(&call->state, CALL_ANSWERED);
	loop_post(call->caller->process->loop, &call->mail);
}

struct mc_call *
mc_call_new(const struct mc_ref *to, const struct mc_op *op,
    struct mc_call **slot, mc_done_fn *done, void *arg)
{
	enum mc_status status = refusal(to);
	struct mc_host *owner = to->owner;
	struct op_stat *stat;
	struct mc_call *call;

	loop_check(to->caller, op->name);
	if (slot != NULL)
		*slot = NULL;
	if (to->caller->calls->closed)
		return NULL;	/* its done could run after its fini */
	call = call_fill(to, op, slot, done, arg);
	if (status != MC_OK) {
		refuse(call, to, op, status);
		return NULL;
	}
	stat = op_stat_of(owner->calls->stats, owner->counters, op);
	atomic_store_explicit(&call->owner, owner, memory_order_relaxed);
	atomic_store_explicit(&call->stat, stat, memory_order_relaxed);
	owner->calls->owed++;
	owner->calls->awaited++;
	atomic_fetch_add_explicit(stat->calls, 1, memory_order_relaxed);
	call->began_us = now_us();
	timeouts_add(call->caller->process->call_pool, call, op->timeout_ms);
	atomic_store_explicit(&call->state, CALL_OPEN, memory_order_release);
	callback_asked(owner, op->name);
	return call;
}

void
mc_call_cancel(struct mc_call **slot)
{
	if (*slot != NULL)
		forget(*slot);
}

/* Answering. */

static void
copy_result(struct mc_call *call, const void *result, size_t len)
{
	if (len > MC_REPLY_MAX) {
		mc_log(call->owner, MC_ERROR, "the answer to %s has %zu "
		    "bytes (at most %d are allowed)", call->stat->name, len,
		    MC_REPLY_MAX);
		call->reply.status = MC_INTERNAL;
		return;
	}
	call->copy = malloc(len);
	if (call->copy == NULL)
		mc_fatal(call->owner, "out of memory");
	memcpy(call->copy, result, len);
	call->reply.data = call->copy;
	call->reply.len = len;
}

static void
answered_twice(struct mc_call *call)
{
	struct mc_host *owner = call->owner;
	const struct op_stat *stat = call->stat;

	if (owner == NULL || stat == NULL)
		return;
	op_count(owner->counters, stat->name, "doubled");
	if (is_to_be_said(&owner->calls->doubled_ms))
		mc_log(owner, MC_ERROR, "%s was answered a second time; the "
		    "second answer is ignored (counted in %s.doubled)",
		    stat->name, stat->name);
}

void
mc_call_done(struct mc_call *call, enum mc_status status, const void *result,
    size_t len)
{
	int open = CALL_OPEN;

	if (!atomic_compare_exchange_strong(&call->state, &open,
	    CALL_ANSWERED)) {
		answered_twice(call);
		return;
	}
	call->reply.status = status;
	if (len != 0 &&
	    atomic_load_explicit(&call->wanted, memory_order_relaxed))
		copy_result(call, result, len);
	loop_post(call->owner->process->loop, &call->mail);
}

bool
mc_call_wanted(const struct mc_call *call)
{
	return atomic_load_explicit(&call->wanted, memory_order_relaxed);
}

bool
calls_awaited(const struct mc_host *host)
{
	return host->calls->awaited != 0;
}

size_t
calls_owed(const struct mc_host *host)
{
	return host->calls->owed;
}

void
calls_close(struct mc_host *host)
{
	host->calls->closed = true;
	while (host->calls->asked != NULL)
		forget(host->calls->asked);
}
