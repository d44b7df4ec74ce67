/* SPDX-License-Identifier: MIT */
/*
 * pruning - deletes the queue files that nobody needs any more.
 *
 * Needed is what is after the freeze, which is read to its end each time, as
 * the disk may have lost it since it was made; what the own store does not
 * have yet; and what a registered replica has not acknowledged.  A replica
 * that keeps something from being deleted and has made no progress for
 * replica_grace, be it away or connected, is given up first, loudly; one that
 * comes on is waited for however far behind it is.
 */
#include "wmqmaint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pruning {
	struct wmqmaint		*maint;
	struct freeze_file	 freeze;
	char			 why[FREEZE_WHY];	/* thread's */
	int			 result;
	struct wmq_pointer	 limit;
	char			 held_by[MC_KEY_SIZE];	/* "": by nobody */
	struct replicas_entry	*replicas;
	size_t			 count, next;
};

void
pruning_free(struct wmqmaint *maint)
{
	if (maint->pruning == NULL)
		return;
	free(maint->pruning->replicas);
	free(maint->pruning);
	maint->pruning = NULL;
}

static void
refuse(struct pruning *pruning, const struct mc_reply *reply,
    const char *what)
{
	task_end(pruning->maint, MC_UNAVAILABLE, "nothing pruned: %s: %s",
	    what, mc_status_text(reply->status));
}

static void
pruned(void *owner, const struct mc_reply *reply)
{
	struct pruning *pruning = owner;
	struct wmqmaint *maint = pruning->maint;
	const uint64_t *count = MC_RESULT(reply, uint64_t);

	if (count == NULL) {
		refuse(pruning, reply, "the queue's files");
		return;
	}
	mc_count(maint->host, "pruned_files", (int64_t)*count);
	maint->pruned_ms = mc_time_ms();
	task_end(maint, MC_OK, "%llu queue files pruned, up to change %llu%s%s",
	    (unsigned long long)*count,
	    (unsigned long long)pruning->limit.seq,
	    pruning->held_by[0] != '\0' ? "; the rest waits for replica " :
	    "", pruning->held_by);
}

static void
files_prune(struct pruning *pruning)
{
	struct wmqmaint *maint = pruning->maint;

	maint->stage = "deleting queue files";
	mc_crash_point("wmqmaint.prune");
	wmqfile_prune(&maint->wmqfile, pruning->limit.seq, &maint->asked,
	    pruned, pruning);
}

/* How much of what may be deleted it has. */
static uint64_t
seq_of(const struct pruning *pruning, const struct replicas_entry *replica)
{
	const struct wmq_pointer *has = &replica->acknowledged.pointer;

	return memcmp(has->epoch, pruning->limit.epoch,
	    sizeof(has->epoch)) == 0 ? has->seq : 0;
}

static void
replica_wait(struct pruning *pruning, const struct replicas_entry *replica)
{
	pruning->limit.seq = seq_of(pruning, replica);
	snprintf(pruning->held_by, sizeof(pruning->held_by), "%s",
	    replica->name);
}

static bool
is_overdue(const struct pruning *pruning,
    const struct replicas_entry *replica)
{
	uint64_t now_ms = mc_time_ms();

	return replica->progress_ms < now_ms &&
	    now_ms - replica->progress_ms >
	    (uint64_t)pruning->maint->conf->replica_grace_ms;
}

static void	replicas_weigh(struct pruning *);

static void
given_up(void *owner, const struct mc_reply *reply)
{
	struct pruning *pruning = owner;
	const struct replicas_entry *replica =
	    &pruning->replicas[pruning->next];

	/* Forgotten meanwhile: then it is not waited for either. */
	if (reply->status != MC_OK && reply->status != MC_NOT_FOUND) {
		refuse(pruning, reply, "a replica cannot be given up");
		return;
	}
	mc_count(pruning->maint->host, "given_up", 1);
	mc_log(pruning->maint->host, MC_WARN, "replica %s is given up: "
	    "%s, and without progress for %llu days at change %llu; it will "
	    "have to load a freeze", replica->name,
	    replica->connected ? "connected" : "away",
	    (unsigned long long)(mc_time_ms() - replica->progress_ms) / DAY_MS,
	    (unsigned long long)replica->acknowledged.pointer.seq);
	pruning->next++;
	replicas_weigh(pruning);
}

/* One after the other; who is overdue is given up before anything that it
 * needs is deleted.  Who has it all is not weighed: it holds up nothing. */
static void
replicas_weigh(struct pruning *pruning)
{
	struct wmqmaint *maint = pruning->maint;
	const struct replicas_entry *replica;

	for (; pruning->next < pruning->count; pruning->next++) {
		replica = &pruning->replicas[pruning->next];
		if (replica->resync ||
		    seq_of(pruning, replica) >= pruning->limit.seq)
			continue;
		if (is_overdue(pruning, replica)) {
			replicas_give_up(&maint->replicas, replica->name,
			    &maint->asked, given_up, pruning);
			return;
		}
		replica_wait(pruning, replica);
	}
	files_prune(pruning);
}

static void
replicas_listed(void *owner, const struct mc_reply *reply)
{
	struct pruning *pruning = owner;

	if (reply->status != MC_OK ||
	    reply->len % sizeof(struct replicas_entry) != 0) {
		refuse(pruning, reply, "the list of replicas");
		return;
	}
	pruning->count = reply->len / sizeof(struct replicas_entry);
	pruning->replicas = mc_zalloc(reply->len);
	if (reply->len > 0)
		memcpy(pruning->replicas, reply->data, reply->len);
	replicas_weigh(pruning);
}

static void
positioned(void *owner, const struct mc_reply *reply)
{
	struct pruning *pruning = owner;
	struct wmqmaint *maint = pruning->maint;
	const struct tcapw_position *store =
	    MC_RESULT(reply, struct tcapw_position);
	const struct wmq_pointer *covered =
	    &pruning->freeze.header.position.pointer;

	if (store == NULL) {
		refuse(pruning, reply, "the store does not answer");
		return;
	}
	if (store->pointer.seq == 0) {
		task_end(maint, MC_BUSY, "nothing pruned: the store is empty "
		    "so far");
		return;
	}
	if (memcmp(store->pointer.epoch, covered->epoch,
	    sizeof(covered->epoch)) != 0) {
		task_end(maint, MC_DENIED, "nothing pruned: the freeze is of "
		    "another epoch than the store");
		return;
	}
	pruning->limit = *covered;
	if (store->pointer.seq < covered->seq) {
		pruning->limit.seq = store->pointer.seq;
		strcpy(pruning->held_by, "(the store of this server)");
	}
	if (maint->replicas.ops == NULL)
		files_prune(pruning);
	else
		replicas_list(&maint->replicas, &maint->asked,
		    replicas_listed, pruning);
}

static void
store_ask(struct pruning *pruning)
{
	struct wmqmaint *maint = pruning->maint;

	maint->stage = "asking how far everybody is";
	tcapw_position(&maint->tcapw, &maint->asked, positioned, pruning);
}

/* Loop. */
static void
verified(void *job)
{
	struct pruning *pruning = job;
	struct wmqmaint *maint = pruning->maint;

	if (pruning->result != 0 || atomic_load(&maint->stop)) {
		task_end(maint, MC_UNAVAILABLE, "nothing pruned: %s",
		    pruning->result != 0 ? pruning->why : "the server stops");
		return;
	}
	maint->latest = pruning->freeze;
	store_ask(pruning);
}

/* Instance's thread. */
static void
verify(void *job)
{
	struct pruning *pruning = job;
	struct wmqmaint *maint = pruning->maint;

	pruning->result = merge_verify(pruning->freeze.path, maint->keys,
	    &maint->stop, &pruning->freeze.header, pruning->why);
	mc_later(maint->host, verified, pruning);
}

static void
freeze_verify(struct pruning *pruning)
{
	pruning->maint->stage = "verifying the freeze";
	mc_work(pruning->maint->host, verify, pruning);
}

static void
mirror_answered(void *owner, const struct mc_reply *reply)
{
	struct pruning *pruning = owner;
	const struct freeze_file *file = MC_RESULT(reply, struct freeze_file);

	if (file == NULL) {
		refuse(pruning, reply, "the mirrored freeze");
		return;
	}
	pruning->freeze = *file;
	freeze_verify(pruning);
}

void
pruning_begin(struct wmqmaint *maint)
{
	struct pruning *pruning = mc_zalloc(sizeof(*pruning));

	pruning->maint = maint;
	maint->pruning = pruning;
	maint->task = TASK_PRUNE;
	maint->stage = "looking for the freeze";
	if (maint->mirrored.ops != NULL)
		freeze_obtain(&maint->mirrored, false, &maint->asked,
		    mirror_answered, pruning);
	else if (maint->differs)
		task_end(maint, MC_DENIED, "nothing pruned: the store was not "
		    "what the queue says");
	else if (maint->latest.path[0] == '\0')
		task_end(maint, MC_NOT_FOUND, "nothing pruned: there is no "
		    "freeze yet");
	else {
		pruning->freeze = maint->latest;
		freeze_verify(pruning);
	}
}
