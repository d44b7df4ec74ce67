/* SPDX-License-Identifier: MIT */
/*
 * thawing - the freeze into the store of this server, when its owner has
 * found that the queue does not go back so far any more, or is of another
 * epoch.  Each chunk is read on the instance's thread and copied by the store;
 * count and digest are the store's to compare.
 */
#include "wmqmaint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thawing {
	struct wmqmaint		*maint;
	struct mc_call		*call;
	struct freeze_reader	*reader;	/* the instance's thread */
	struct freeze_header	 header;
	const void		*accounts;
	size_t			 len;
	int			 result;
	char			 why[FREEZE_WHY];
};

void
thawing_free(struct wmqmaint *maint)
{
	if (maint->thawing == NULL)
		return;
	freeze_close(&maint->thawing->reader);
	free(maint->thawing);
	maint->thawing = NULL;
}

static void
end(struct thawing *thawing, enum mc_status status, const char *why)
{
	struct wmqmaint *maint = thawing->maint;
	struct freeze_header header = thawing->header;
	char copy[FREEZE_WHY];

	snprintf(copy, sizeof(copy), "%s", why);
	mc_call_done(thawing->call, status, &header,
	    status == MC_OK ? sizeof(header) : 0);
	if (status == MC_OK)
		task_end(maint, status, "the store was made anew from the "
		    "freeze: %llu accounts at change %llu",
		    (unsigned long long)header.position.count,
		    (unsigned long long)header.position.pointer.seq);
	else
		task_end(maint, status, "the store was not made from the "
		    "freeze: %s", copy);
}

static void	next_read(struct thawing *);

static void
load_answered(struct thawing *thawing, const struct mc_reply *reply)
{
	if (reply->status != MC_OK)
		end(thawing, reply->status, "the store refuses what is in it");
	else
		next_read(thawing);
}

static void
added(void *owner, const struct mc_reply *reply)
{
	load_answered(owner, reply);
}

static void
loaded(void *owner, const struct mc_reply *reply)
{
	struct thawing *thawing = owner;

	if (reply->status == MC_OK)
		end(thawing, MC_OK, "");
	else
		end(thawing, reply->status, "the store has come to something "
		    "else than the freeze says");
}

/* Loop: a chunk is there. */
static void
was_read(void *job)
{
	struct thawing *thawing = job;
	struct wmqmaint *maint = thawing->maint;

	if (thawing->result != 0 || atomic_load(&maint->stop))
		end(thawing, MC_UNAVAILABLE, thawing->result != 0 ?
		    thawing->why : "the server stops");
	else if (thawing->len > 0)
		tcapw_load_add(&maint->tcapw, thawing->accounts, thawing->len,
		    &maint->asked, added, thawing);
	else
		tcapw_load_end(&maint->tcapw, &thawing->header.position,
		    &maint->asked, loaded, thawing);
}

/* Instance's thread. */
static void
read_chunk(void *job)
{
	struct thawing *thawing = job;

	thawing->result = freeze_next(thawing->reader, &thawing->accounts,
	    &thawing->len, thawing->why);
	mc_later(thawing->maint->host, was_read, thawing);
}

static void
next_read(struct thawing *thawing)
{
	mc_work(thawing->maint->host, read_chunk, thawing);
}

/* Loop. */
static void
opened(void *job)
{
	struct thawing *thawing = job;
	struct wmqmaint *maint = thawing->maint;

	if (thawing->reader == NULL || atomic_load(&maint->stop))
		end(thawing, MC_UNAVAILABLE, thawing->reader == NULL ?
		    thawing->why : "the server stops");
	else
		tcapw_load_begin(&maint->tcapw, &maint->asked, added, thawing);
}

/* Instance's thread. */
static void
open_freeze(void *job)
{
	struct thawing *thawing = job;
	struct wmqmaint *maint = thawing->maint;

	thawing->reader = freeze_open(maint->conf->path, maint->keys,
	    &thawing->header, thawing->why);
	if (thawing->reader != NULL)
		freeze_undigested(thawing->reader);
	mc_later(maint->host, opened, thawing);
}

void
thawing_begin(struct wmqmaint *maint, struct mc_call *call)
{
	struct thawing *thawing;

	if (maint->task != TASK_NONE && maint->thaw_waits == NULL) {
		maint->thaw_waits = call;
		return;
	}
	if (maint->task != TASK_NONE) {
		mc_call_done(call, MC_BUSY, NULL, 0);
		return;
	}
	thawing = mc_zalloc(sizeof(*thawing));
	thawing->maint = maint;
	thawing->call = call;
	maint->thawing = thawing;
	maint->task = TASK_THAW;
	maint->stage = "loading the freeze into the store";
	mc_log(maint->host, MC_WARN, "the store is made anew from the freeze");
	mc_work(maint->host, open_freeze, thawing);
}

/* The answers that are owed. */
void
thawing_stop(struct wmqmaint *maint)
{
	if (maint->thaw_waits != NULL)
		mc_call_done(maint->thaw_waits, MC_UNAVAILABLE, NULL, 0);
	maint->thaw_waits = NULL;
	if (maint->thawing == NULL || maint->asked == NULL)
		return;		/* or a job will come back and end it */
	mc_call_cancel(&maint->asked);
	end(maint->thawing, MC_UNAVAILABLE, "the server stops");
}
