/* SPDX-License-Identifier: MIT */
/*
 * stage_calls - service calls on a stage: answers come with the next
 * stage_pass, the host's own answer when nobody else has given one in time.
 * The pool runs there too.
 */
#include "stage.h"

#include <metacube/call.h>

#include <stdlib.h>
#include <string.h>

struct mc_call {
	struct mc_call	**slot;
	mc_done_fn	 *done;
	void		 *owner;
	struct mc_timer	 *timer;
	bool		  writes, given_up, answered;
	enum mc_status	  status;
	size_t		  len;
	void		 *data;
};

static size_t owed;

size_t
stage_owed(void)
{
	return owed;
}

/* To whoever asked, once. */
static void
call_tell(struct mc_call *call, enum mc_status status)
{
	struct mc_reply reply = { status, call->len, call->data };

	mc_timer_clear(&call->timer);
	if (call->given_up)
		return;
	call->given_up = true;
	if (call->slot != NULL)
		*call->slot = NULL;
	call->done(call->owner, &reply);
}

static void
call_late(void *owner)
{
	struct mc_call *call = owner;

	call_tell(call, call->writes ? MC_UNCERTAIN : MC_TIMEOUT);
}

struct mc_call *
mc_call_new(const struct mc_ref *to, const struct mc_op *op,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct mc_call *call = mc_zalloc(sizeof(*call));

	(void)to;
	call->slot = slot;
	call->done = done;
	call->owner = owner;
	call->writes = op->writes;
	if (slot != NULL)
		*slot = call;
	mc_timer_set(stage_host(), &call->timer, op->timeout_ms, call_late,
	    call);
	owed++;
	return call;
}

void
mc_call_cancel(struct mc_call **slot)
{
	struct mc_call *call = *slot;

	if (call == NULL)
		return;
	mc_timer_clear(&call->timer);
	call->given_up = true;
	*slot = NULL;
}

static void
call_deliver(void *job)
{
	struct mc_call *call = job;

	call_tell(call, call->status);
	owed--;
	free(call->data);
	free(call);
}

void
mc_call_done(struct mc_call *call, enum mc_status status, const void *result,
    size_t len)
{
	if (call->answered)
		abort();
	call->answered = true;
	call->status = status;
	call->len = len;
	call->data = mc_zalloc(len);
	if (len > 0)
		memcpy(call->data, result, len);
	mc_later(stage_host(), call_deliver, call);
}

bool
mc_call_wanted(const struct mc_call *call)
{
	return !call->given_up;
}

bool
mc_pool(struct mc_host *host, mc_work_fn *run, void *job)
{
	mc_later(host, run, job);
	return true;
}

unsigned
mc_pool_size(const struct mc_host *host)
{
	(void)host;
	return 1;
}

const char *
mc_status_text(enum mc_status status)
{
	return status == MC_OK ? "ok" : "not ok";
}

uint64_t
mc_request(void)
{
	return 0;
}

void
mc_request_set(uint64_t request)
{
	(void)request;
}
