/* SPDX-License-Identifier: MIT */
/*
 * follow - queue to store (metacube/follow.h).
 *
 *	begin --> where is the store? --> where is the queue? --> read
 *	  ^                                                        | ^
 *	  |  a call failed: after a pause                          v |
 *	  +------------------------------------------------------ apply
 *
 * Several applies are under way at once; the store takes them in the order
 * in which they were asked.  Not logged: what the changes are.
 */
#include <metacube/follow.h>
#include <metacube/pwq.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLIES_MAX	64	/* under way at once */
#define PAUSE_MIN_MS	100
#define PAUSE_MAX_MS	30000
#define WHY_SIZE	256

/* One apply under way. */
struct apply {
	struct pwq_follow	*follow;
	struct mc_call		*call;
	uint64_t		 seq;	/* 0: free */
	struct pwq_applied	 applied;
};

struct pwq_follow {
	struct mc_host			*host;
	const struct mc_ref		*tcapw, *wmq;
	const struct pwq_follow_ops	*ops;
	void				*owner;
	struct mc_call			*call;	/* the one question */
	struct mc_timer			*pause;
	unsigned			 pause_ms;
	bool				 stumbled, was_level;

	struct tcapw_position		 store;	/* as it was at the begin */
	struct wmq_pointer		 asked;	/* last change given to it */
	uint64_t			 goal;	/* where it is level */
	uint8_t				*batch;	/* read, not all applied */
	struct mc_reply			 batch_reply;
	size_t				 offset;
	struct apply			 applies[APPLIES_MAX];
	size_t				 napplies;
};

static void begin(void *owner);
static void go_on(struct pwq_follow *follow);

static void
batch_forget(struct pwq_follow *follow)
{
	if (follow->batch == NULL)
		return;
	mc_wipe(follow->batch, follow->batch_reply.len);
	free(follow->batch);
	follow->batch = NULL;
}

static void
halt(struct pwq_follow *follow)
{
	mc_call_cancel(&follow->call);
	mc_timer_clear(&follow->pause);
	for (size_t i = 0; i < APPLIES_MAX; i++) {
		mc_call_cancel(&follow->applies[i].call);
		follow->applies[i].seq = 0;
	}
	follow->napplies = 0;
	batch_forget(follow);
}

/* Ends in the owner's hands, who may free the follower. */
static void __attribute__((format(printf, 3, 4)))
lose(struct pwq_follow *follow, enum pwq_lost lost, const char *format, ...)
{
	char why[WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	halt(follow);
	follow->ops->lost(follow->owner, lost, why);
}

/* What is still under way is awaited first: then the store stands still, and
 * its position is worth asking for. */
static void
stumble(struct pwq_follow *follow, const char *what, enum mc_status status)
{
	if (!follow->stumbled)
		mc_log(follow->host, MC_WARN, "%s: %s; trying again in %u ms",
		    what, mc_status_text(status), follow->pause_ms);
	follow->stumbled = true;
	mc_call_cancel(&follow->call);
	batch_forget(follow);
	if (follow->napplies > 0)
		return;
	mc_timer_set(follow->host, &follow->pause, follow->pause_ms, begin,
	    follow);
	follow->pause_ms = follow->pause_ms * 2 < PAUSE_MAX_MS ?
	    follow->pause_ms * 2 : PAUSE_MAX_MS;
}

static void
applied(void *owner, const struct mc_reply *reply)
{
	struct apply *apply = owner;
	struct pwq_follow *follow = apply->follow;
	const struct tcapw_position *position =
	    MC_RESULT(reply, struct tcapw_position);

	apply->seq = 0;
	follow->napplies--;
	if (position == NULL || follow->stumbled) {
		stumble(follow, "applying a change", reply->status);
		return;
	}
	follow->pause_ms = PAUSE_MIN_MS;
	apply->applied.position = *position;
	follow->ops->applied(follow->owner, &apply->applied);
	go_on(follow);
}

static struct apply *
apply_free(struct pwq_follow *follow)
{
	for (size_t i = 0; i < APPLIES_MAX; i++)
		if (follow->applies[i].seq == 0)
			return &follow->applies[i];
	return NULL;
}

static void
summarize(struct pwq_applied *applied, const struct wmq_record *record,
    const struct tcapw_change *change)
{
	memset(applied, 0, sizeof(*applied));
	applied->verb = change->verb;
	applied->uid = change->account.uid;
	applied->flags = change->account.flags;
	applied->time_ms = record->time_ms;
	applied->keep_sessions = change->keep_sessions;
	applied->new_verifier = change->new_verifier;
	strcpy(applied->name, change->account.name);
	strcpy(applied->by, change->by);
	strcpy(applied->what, change->what);
}

static bool
apply_start(struct pwq_follow *follow, const struct wmq_record *record,
    const void *data)
{
	struct apply *apply = apply_free(follow);
	struct tcapw_change change;

	if (strncmp(record->tag, PWQ_TAG, sizeof(record->tag)) != 0 ||
	    record->seq != follow->asked.seq + 1 ||
	    pwq_decode(data, record->len, &change) == -1) {
		lose(follow, PWQ_LOST_RECORD, "record %llu of the queue is "
		    "not an account change that this version understands",
		    (unsigned long long)record->seq);
		return false;
	}
	follow->asked.seq = record->seq;
	change.pointer = follow->asked;
	change.account.seq = record->seq;
	apply->follow = follow;
	apply->seq = record->seq;
	follow->napplies++;
	summarize(&apply->applied, record, &change);
	tcapw_apply(follow->tcapw, &change, &apply->call, applied, apply);
	mc_wipe(&change, sizeof(change));
	return true;
}

static void
batch_take(struct pwq_follow *follow, const struct mc_reply *reply)
{
	follow->pause_ms = PAUSE_MIN_MS;
	if (reply->len == 0)
		return;
	follow->batch = mc_zalloc(reply->len);
	memcpy(follow->batch, reply->data, reply->len);
	follow->batch_reply = *reply;
	follow->batch_reply.data = follow->batch;
	follow->offset = 0;
}

static void
got_records(void *owner, const struct mc_reply *reply)
{
	struct pwq_follow *follow = owner;

	if (reply->status == MC_NOT_FOUND)
		lose(follow, PWQ_LOST_GONE, "the queue no longer holds the "
		    "records after %llu",
		    (unsigned long long)follow->asked.seq);
	else if (reply->status == MC_INVALID)
		lose(follow, PWQ_LOST_EPOCH, "the queue has changed: it does "
		    "not know record %llu, or has another epoch",
		    (unsigned long long)follow->asked.seq);
	else if (reply->status != MC_OK)
		stumble(follow, "reading the queue", reply->status);
	else {
		batch_take(follow, reply);
		go_on(follow);
	}
}

static void
read_on(struct pwq_follow *follow)
{
	batch_forget(follow);
	wmq_read(follow->wmq, &follow->asked, WMQ_BATCH_MAX, WMQ_WAIT_MAX_MS,
	    &follow->call, got_records, follow);
}

static void
got_level(void *owner, const struct mc_reply *reply)
{
	struct pwq_follow *follow = owner;
	const struct tcapw_position *store =
	    MC_RESULT(reply, struct tcapw_position);

	if (store == NULL) {
		stumble(follow, "asking the account store", reply->status);
		return;
	}
	follow->was_level = true;
	follow->ops->level(follow->owner, store);
	read_on(follow);
}

/* Gives the store what was read.  false: lost. */
static bool
batch_apply(struct pwq_follow *follow)
{
	struct wmq_record record;
	const void *data;

	while (follow->batch != NULL && follow->napplies < APPLIES_MAX) {
		data = wmq_batch_next(&follow->batch_reply, &follow->offset,
		    &record);
		if (data == NULL)
			batch_forget(follow);
		else if (!apply_start(follow, &record, data))
			return false;
	}
	return true;
}

static void
go_on(struct pwq_follow *follow)
{
	if (!batch_apply(follow) || follow->batch != NULL ||
	    follow->call != NULL)
		return;
	if (follow->was_level || follow->asked.seq < follow->goal)
		read_on(follow);
	else if (follow->napplies == 0)
		tcapw_position(follow->tcapw, &follow->call, got_level,
		    follow);
}

static bool
is_mismatched(struct pwq_follow *follow, const struct wmq_position *queue)
{
	const struct wmq_pointer *at = &follow->store.pointer;
	unsigned long long seq = at->seq;

	if (at->seq > 0 && memcmp(at->epoch, queue->epoch,
	    sizeof(at->epoch)) != 0)
		lose(follow, PWQ_LOST_EPOCH, "the store belongs to another "
		    "queue (its epoch differs): move the store away to build "
		    "it anew from this queue, or bring back the queue");
	else if (at->seq > queue->durable)
		lose(follow, PWQ_LOST_AHEAD, "the store holds change %llu, but "
		    "the queue ends with %llu: changes are missing from the "
		    "queue; bring them back, or move the store away to go "
		    "back to what the queue holds", seq,
		    (unsigned long long)queue->durable);
	else if (queue->oldest > at->seq + 1)
		lose(follow, PWQ_LOST_GONE, "the store holds changes up to "
		    "%llu, but the queue only begins with %llu: bring back "
		    "the older queue files, or a newer store", seq,
		    (unsigned long long)queue->oldest);
	else
		return false;
	return true;
}

static void
got_queue_position(void *owner, const struct mc_reply *reply)
{
	struct pwq_follow *follow = owner;
	const struct wmq_position *queue =
	    MC_RESULT(reply, struct wmq_position);

	if (queue == NULL) {
		stumble(follow, "asking the queue", reply->status);
		return;
	}
	if (is_mismatched(follow, queue))
		return;
	if (follow->was_level) {	/* its calls may have failed */
		const struct pwq_applied unknown = {
			.position = follow->store
		};

		follow->ops->applied(follow->owner, &unknown);
	}
	memcpy(follow->asked.epoch, queue->epoch, sizeof(queue->epoch));
	follow->asked.seq = follow->store.pointer.seq;
	follow->goal = queue->durable;
	go_on(follow);
}

static void
got_store_position(void *owner, const struct mc_reply *reply)
{
	struct pwq_follow *follow = owner;
	const struct tcapw_position *store =
	    MC_RESULT(reply, struct tcapw_position);

	if (store == NULL) {
		stumble(follow, "asking the account store", reply->status);
		return;
	}
	follow->store = *store;
	wmq_position(follow->wmq, &follow->call, got_queue_position, follow);
}

static void
begin(void *owner)
{
	struct pwq_follow *follow = owner;

	mc_call_cancel(&follow->call);
	follow->stumbled = false;
	tcapw_position(follow->tcapw, &follow->call, got_store_position,
	    follow);
}

struct pwq_follow *
pwq_follow_new(struct mc_host *host, const struct mc_ref *tcapw,
    const struct mc_ref *wmq, const struct pwq_follow_ops *ops, void *owner)
{
	struct pwq_follow *follow = mc_zalloc(sizeof(*follow));

	follow->host = host;
	follow->tcapw = tcapw;
	follow->wmq = wmq;
	follow->ops = ops;
	follow->owner = owner;
	follow->pause_ms = PAUSE_MIN_MS;
	begin(follow);
	return follow;
}

void
pwq_follow_free(struct pwq_follow **followp)
{
	if (*followp == NULL)
		return;
	halt(*followp);
	free(*followp);
	*followp = NULL;
}
