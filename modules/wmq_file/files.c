/* SPDX-License-Identifier: MIT */
/*
 * Service "wmqfile": the loop's view of the files (shown.h), and the end of
 * old ones.
 */
#include "wmq_file.h"

#include <metacube/host.h>

#include <stdlib.h>

struct prune {
	struct wmq	*wmq;
	struct mc_call	*call;
	uint64_t	 seq;
	enum mc_status	 status;
	uint64_t	 count;
	struct queue_view *view;	/* after it */
};

static void
extent(void *state, const char *name, uint64_t offset, unsigned wait_ms,
    struct mc_call *call)
{
	struct wmq *wmq = state;

	queue_shown_extent(wmq->shown, name, offset, wait_ms, call);
}

static void
find(void *state, uint64_t seq, struct mc_call *call)
{
	struct wmq *wmq = state;

	queue_shown_find(wmq->shown, seq, call);
}

/* Loop: these files are gone. */
static void
pruned(void *job)
{
	struct prune *prune = job;
	struct wmq *wmq = prune->wmq;

	if (prune->count > 0)
		mc_log(wmq->host, MC_NOTE, "%s: deleted %llu files, with all "
		    "records up to %llu", wmq->conf->path,
		    (unsigned long long)prune->count,
		    (unsigned long long)prune->view->position.oldest - 1);
	mc_count(wmq->host, "pruned", (int64_t)prune->count);
	queue_shown_set(wmq->shown, prune->view);
	if (prune->status == MC_OK)
		mc_call_done(prune->call, MC_OK, &prune->count,
		    sizeof(prune->count));
	else
		mc_call_done(prune->call, prune->status, NULL, 0);
	free(prune);
}

/* Instance's thread. */
static void
prune_files(void *job)
{
	struct prune *prune = job;
	struct wmq *wmq = prune->wmq;
	enum queue_result result;
	size_t count;

	result = queue_prune(wmq->queue, prune->seq, &count);
	if (result == QUEUE_LOST)
		mc_fatal(wmq->host, "%s", queue_why(wmq->queue));
	if (result != QUEUE_OK)
		prune->status = mc_fail(wmq->host, MC_UNAVAILABLE, "%s",
		    queue_why(wmq->queue));
	prune->count = count;
	prune->view = queue_view(wmq->queue);
	mc_later(wmq->host, pruned, prune);
}

static void
prune(void *state, uint64_t seq, struct mc_call *call)
{
	struct wmq *wmq = state;
	struct prune *job = mc_zalloc(sizeof(*job));

	job->wmq = wmq;
	job->call = call;
	job->seq = seq;
	job->status = MC_OK;
	mc_work(wmq->host, prune_files, job);
}

const struct wmqfile_ops files_ops = {
	.extent		= extent,
	.find		= find,
	.prune		= prune,
};
