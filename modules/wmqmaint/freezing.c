/* SPDX-License-Identifier: MIT */
/*
 * freezing - one freeze, from the question to the store to the new file.
 *
 *	loop				instance's thread
 *	tcapw.position: the goal
 *					the freeze before: begun
 *	wmq.read, again and again	its records are taken
 *	wmqfile.find: what goes on
 *					last pass, verified, in place
 */
#include "wmqmaint.h"

#include <metacube/segment.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct freezing {
	struct wmqmaint		*maint;
	struct merge		 merge;		/* the instance's thread */
	struct tcapw_position	 goal;
	struct freeze_header	 header;	/* of what was made */
	struct wmqfile_extent	 extent;	/* name "": not known */
	uint8_t			*batch;
	size_t			 batch_len;
	bool			 nothing_new;
	int			 result;
};

static void	records_read(struct freezing *);

void
freezing_free(struct wmqmaint *maint)
{
	struct freezing *freezing = maint->freezing;

	if (freezing == NULL)
		return;
	maint->freezing = NULL;
	merge_free(&freezing->merge);
	mc_wipe(freezing->batch, WMQ_BATCH_MAX * 2);
	free(freezing->batch);
	free(freezing);
}

/* Back on the loop: false, the task is over. */
static bool
went_well(struct freezing *freezing)
{
	struct wmqmaint *maint = freezing->maint;

	if (freezing->result == 0 && !atomic_load(&maint->stop))
		return true;
	task_end(maint, MC_UNAVAILABLE, "no freeze: %s",
	    freezing->result != 0 ? freezing->merge.why :
	    "the server stops");
	return false;
}

static bool
same_position(const struct tcapw_position *a, const struct tcapw_position *b)
{
	return a->count == b->count && a->last_uid == b->last_uid &&
	    memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* Loop. */
static void
completed(void *job)
{
	struct freezing *freezing = job;
	struct wmqmaint *maint = freezing->maint;
	const struct freeze_header *header = &freezing->header;
	unsigned passes = freezing->merge.passes;

	if (freezing->result == 0) {
		maint->differs = false;
		maint->frozen_ms = mc_time_ms();
		latest_set(maint, header);
		mc_count(maint->host, freezing->nothing_new ?
		    "unchanged" : "freezes", 1);
	} else if (freezing->merge.differs)
		maint->differs = true;
	if (!went_well(freezing))
		return;
	if (freezing->nothing_new)
		task_end(maint, MC_OK, "nothing has changed since the freeze "
		    "at change %llu, which is intact",
		    (unsigned long long)header->position.pointer.seq);
	else
		task_end(maint, MC_OK, "%llu accounts frozen at change %llu, "
		    "%llu bytes, in %u pass%s",
		    (unsigned long long)header->position.count,
		    (unsigned long long)header->position.pointer.seq,
		    (unsigned long long)header->size, passes,
		    passes == 1 ? "" : "es");
}

/* Where is the record after the goal, or where will it be? */
struct seek {
	int		fd;
	uint64_t	seq, offset;
};

static int64_t
seek_read(void *arg, uint64_t offset, void *data, size_t len)
{
	const struct seek *seek = arg;

	return pread(seek->fd, data, len, (off_t)offset);
}

static void
seek_passed(void *arg, uint64_t seq, uint64_t offset)
{
	struct seek *seek = arg;

	if (seq == seek->seq)
		seek->offset = offset;
}

/* The header's pointer for those who read queue files by themselves.  A file
 * that is gone or damaged only means that it is not known. */
static void
place_find(const struct freezing *freezing, uint32_t *time_r,
    uint32_t *offset_r)
{
	struct seek seek = { .seq = freezing->goal.pointer.seq + 1 };
	const struct segment_source source = { seek_read, &seek };
	struct segment_scan scan;

	*time_r = *offset_r = 0;
	if (freezing->extent.name[0] == '\0')
		return;
	seek.fd = open(freezing->extent.path, O_RDONLY | O_CLOEXEC);
	if (seek.fd == -1)
		return;
	if (segment_scan(&source, seek_passed, &seek, &scan) <=
	    SEGMENT_TORN) {
		if (seek.offset == 0 && scan.next_seq == seek.seq)
			seek.offset = scan.end;
		if (seek.offset > 0 && seek.offset <= UINT32_MAX) {
			*time_r = (uint32_t)(scan.header.created_ms / 1000);
			*offset_r = (uint32_t)seek.offset;
		}
	}
	close(seek.fd);
}

/* Instance's thread. */
static void
complete(void *job)
{
	struct freezing *freezing = job;
	uint32_t time, offset;

	place_find(freezing, &time, &offset);
	freezing->result = merge_end(&freezing->merge, &freezing->goal, time,
	    offset, &freezing->header);
	mc_later(freezing->maint->host, completed, freezing);
}

static void
found(void *owner, const struct mc_reply *reply)
{
	struct freezing *freezing = owner;
	const struct wmqfile_extent *extent =
	    MC_RESULT(reply, struct wmqfile_extent);

	if (extent != NULL)
		freezing->extent = *extent;
	freezing->maint->stage = "writing the freeze";
	mc_work(freezing->maint->host, complete, freezing);
}

/* Instance's thread. */
static void
check_same(void *job)
{
	struct freezing *freezing = job;
	struct wmqmaint *maint = freezing->maint;
	struct merge *merge = &freezing->merge;

	freezing->nothing_new = true;
	freezing->result = merge_verify(maint->conf->path, maint->keys,
	    &maint->stop, &freezing->header, merge->why);
	if (freezing->result == 0 && !same_position(&freezing->goal,
	    &freezing->header.position)) {
		snprintf(merge->why, FREEZE_WHY, "the store is not what the "
		    "freeze of the same change %llu says",
		    (unsigned long long)freezing->goal.pointer.seq);
		merge->differs = true;
		freezing->result = -1;
	}
	mc_later(maint->host, completed, freezing);
}

/* Loop: what was read so far is in the merge. */
static void
taken(void *job)
{
	struct freezing *freezing = job;
	struct wmqmaint *maint = freezing->maint;

	if (!went_well(freezing))
		return;
	if (freezing->merge.at.seq < freezing->goal.pointer.seq)
		records_read(freezing);
	else
		wmqfile_find(&maint->wmqfile, freezing->goal.pointer.seq,
		    &maint->asked, found, freezing);
}

/* Instance's thread. */
static void
records_take(void *job)
{
	struct freezing *freezing = job;
	const struct mc_reply batch = {
		MC_OK, freezing->batch_len, freezing->batch
	};
	struct wmq_record record;
	size_t offset = 0;
	const void *data;

	while (freezing->result == 0 &&
	    freezing->merge.at.seq < freezing->goal.pointer.seq &&
	    (data = wmq_batch_next(&batch, &offset, &record)) != NULL)
		freezing->result = merge_record(&freezing->merge, &record,
		    data);
	mc_later(freezing->maint->host, taken, freezing);
}

static void
records_came(void *owner, const struct mc_reply *reply)
{
	struct freezing *freezing = owner;
	struct wmqmaint *maint = freezing->maint;
	unsigned long long at = freezing->merge.at.seq;

	if (reply->status == MC_NOT_FOUND)
		task_end(maint, MC_UNAVAILABLE, "no freeze: the queue has no "
		    "record %llu any more, and there is no freeze that covers "
		    "it; put a good one in place", at + 1);
	else if (reply->status != MC_OK)
		task_end(maint, MC_UNAVAILABLE, "no freeze: the queue cannot "
		    "be read after change %llu: %s", at,
		    mc_status_text(reply->status));
	else if (reply->len == 0 || reply->len > WMQ_BATCH_MAX * 2)
		task_end(maint, MC_UNAVAILABLE, "no freeze: the store is at "
		    "change %llu, but the queue ends at %llu",
		    (unsigned long long)freezing->goal.pointer.seq, at);
	else {
		memcpy(freezing->batch, reply->data, reply->len);
		freezing->batch_len = reply->len;
		mc_work(maint->host, records_take, freezing);
	}
}

static void
records_read(struct freezing *freezing)
{
	struct wmqmaint *maint = freezing->maint;

	maint->stage = "reading the queue";
	wmq_read(&maint->wmq, &freezing->merge.at, WMQ_BATCH_MAX, 0,
	    &maint->asked, records_came, freezing);
}

/* Loop: the freeze before is known. */
static void
begun(void *job)
{
	struct freezing *freezing = job;
	struct wmqmaint *maint = freezing->maint;
	struct wmq_pointer *at = &freezing->merge.at;
	const struct wmq_pointer *goal = &freezing->goal.pointer;

	if (!went_well(freezing))
		return;
	if (freezing->merge.from[0] == '\0')
		memcpy(at->epoch, goal->epoch, sizeof(at->epoch));
	if (memcmp(at->epoch, goal->epoch, sizeof(at->epoch)) != 0)
		task_end(maint, MC_DENIED, "no freeze: the last one is of "
		    "another epoch than the store; metacube-wmqmaint "
		    "new-epoch makes both the same, or move it away");
	else if (at->seq > goal->seq)
		task_end(maint, MC_BUSY, "no freeze: the store is only at "
		    "change %llu, and the last freeze at %llu",
		    (unsigned long long)goal->seq,
		    (unsigned long long)at->seq);
	else if (freezing->merge.from[0] != '\0' && at->seq == goal->seq)
		mc_work(maint->host, check_same, freezing);
	else
		taken(freezing);
}

/* Instance's thread. */
static void
begin(void *job)
{
	struct freezing *freezing = job;
	struct wmqmaint *maint = freezing->maint;

	freezing->result = merge_begin(&freezing->merge, maint->conf->path,
	    maint->keys, (size_t)maint->conf->memory, &maint->stop);
	mc_later(maint->host, begun, freezing);
}

static void
positioned(void *owner, const struct mc_reply *reply)
{
	struct freezing *freezing = owner;
	const struct tcapw_position *position =
	    MC_RESULT(reply, struct tcapw_position);

	if (position == NULL) {
		task_end(freezing->maint, MC_UNAVAILABLE, "no freeze: the "
		    "store does not answer: %s",
		    mc_status_text(reply->status));
		return;
	}
	if (position->pointer.seq == 0) {	/* not even of an epoch */
		if (freezing->maint->latest.path[0] == '\0')
			task_end(freezing->maint, MC_OK, "there is nothing to "
			    "freeze yet");
		else
			task_end(freezing->maint, MC_BUSY, "no freeze: the "
			    "store is empty so far");
		return;
	}
	freezing->goal = *position;
	mc_work(freezing->maint->host, begin, freezing);
}

void
freezing_begin(struct wmqmaint *maint)
{
	struct freezing *freezing = mc_zalloc(sizeof(*freezing));

	freezing->maint = maint;
	freezing->batch = mc_zalloc(WMQ_BATCH_MAX * 2);
	maint->freezing = freezing;
	maint->task = TASK_FREEZE;
	maint->stage = "asking the store";
	mc_log(maint->host, MC_DEBUG, "freezing");
	tcapw_position(&maint->tcapw, &maint->asked, positioned, freezing);
}
