/* SPDX-License-Identifier: MIT */
/*
 * audit - the log of who did what: a queue folder of its own, whose chained
 * hashes show every edit.
 *
 *	the queue of changes --> read on --> encode --> commit --> read on
 *
 * Each record of the queue becomes one entry, in order, off the way of any
 * answer; where to go on after a start is said by the last entry.  So no
 * entry is missing and none is there twice, whatever killed the process.
 * Entries name nobody: they have the uid.
 *
 * What operators were refused is between these, at the place where the log
 * is: written only while no change is on its way to the disk.  A process that
 * is killed loses what was refused in the last moment, but never a change.
 *
 * A log that has more than the queue contradicts it: the process ends, at the
 * start before the store is followed, and so before any change is taken.
 *
 * The folder belongs to the instance's thread.
 */
#include "audit.h"

#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEGMENT_SIZE	(16 * 1024 * 1024)
#define PAUSE_MS	100		/* changes gather for one commit */
#define AGAIN_MS	5000
#define DAY_MS		86400000u
#define ENTRY_MAX	256		/* encoded */
#define ENTRIES_MAX	512

/* Entries on their way to the disk. */
struct writing {
	struct acctserv		*acctserv;
	enum queue_result	 result;
	struct wmq_pointer	 next;		/* where to read on */
	uint64_t		 prune_before_ms;
	size_t			 refusals;	/* of the entries */
	size_t			 count;
	struct queue_entry	 entries[ENTRIES_MAX];
	uint8_t			 data[ENTRIES_MAX][ENTRY_MAX];
};

static void read_on(void *owner);

static void
entry_add(struct writing *writing, const Metacube__Audit *message)
{
	struct queue_entry *entry = &writing->entries[writing->count];
	uint8_t *data = writing->data[writing->count++];

	entry->tag = AUDIT_TAG;
	entry->data = data;
	entry->len = (uint32_t)metacube__audit__pack(message, data);
}

static void
message_init(Metacube__Audit *message, struct wmq_pointer *pointer)
{
	metacube__audit__init(message);
	message->epoch.data = pointer->epoch;
	message->epoch.len = sizeof(pointer->epoch);
	message->seq = pointer->seq;
}

/* Whatever it is, it gets its entry: a record that cannot be decoded is one
 * that the follower refuses, too. */
static void
change_add(struct writing *writing, const struct wmq_record *record,
    const void *data)
{
	Metacube__Audit message;
	struct tcapw_change change;

	writing->next.seq = record->seq;
	message_init(&message, &writing->next);
	message.time_ms = record->time_ms;
	if (strncmp(record->tag, PWQ_TAG, sizeof(record->tag)) == 0 &&
	    pwq_decode(data, record->len, &change) == 0) {
		message.verb = change.verb;
		message.uid = change.account.uid;
		message.flags = change.account.flags;
		message.what = change.what;
		message.by = change.by;
		entry_add(writing, &message);
		mc_wipe(&change, sizeof(change));
	} else
		entry_add(writing, &message);
}

static void
mark_add(struct writing *writing, Metacube__Audit__Kind kind)
{
	Metacube__Audit message;

	message_init(&message, &writing->next);
	message.kind = kind;
	message.time_ms = mc_time_ms();
	entry_add(writing, &message);
}

static void
refusal_add(struct writing *writing, struct refusal *refusal)
{
	Metacube__Audit message;

	message_init(&message, &writing->next);
	message.kind = METACUBE__AUDIT__KIND__REFUSED;
	message.time_ms = refusal->time_ms;
	message.uid = refusal->uid;
	message.what = (char *)refusal->what;
	message.by = refusal->by;
	message.status = refusal->status;
	writing->refusals++;
	entry_add(writing, &message);
}

/* Those that were written; others may have come. */
static void
refusals_forget(struct audit *audit, size_t count)
{
	audit->nrefusals -= count;
	memmove(audit->refusals, audit->refusals + count,
	    audit->nrefusals * sizeof(audit->refusals[0]));
}

/* Loop. */
static void
written(void *job)
{
	struct writing *writing = job;
	struct acctserv *acctserv = writing->acctserv;
	struct audit *audit = acctserv->audit;
	bool fine = writing->result == QUEUE_OK;

	if (fine) {
		audit->at = writing->next;
		refusals_forget(audit, writing->refusals);
		mc_count(acctserv->host, "audited", (int64_t)writing->count);
	} else
		mc_count(acctserv->host, "audit_full", 1);
	free(writing);
	mc_timer_set(acctserv->host, &audit->timer, fine ? PAUSE_MS :
	    AGAIN_MS, read_on, acctserv);
}

/* When a file was begun, from its name; 0: not known. */
static uint64_t
begun_ms(const char *name)
{
	struct tm tm = { 0 };

	if (sscanf(name, "%4d%2d%2d", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday) != 3)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (uint64_t)timegm(&tm) * 1000;
}

/* A file has nothing that is newer than the next one's beginning. */
static void
prune(struct writing *writing, struct queue *queue)
{
	struct queue_view *view;
	uint64_t seq = 0;
	size_t gone = 0;

	if (writing->prune_before_ms == 0)
		return;
	view = queue_view(queue);
	for (size_t i = 1; i < view->count; i++)
		if (begun_ms(view->files[i].name) + DAY_MS <=
		    writing->prune_before_ms)
			seq = view->files[i].first_seq - 1;
	free(view);
	if (seq > 0 && queue_prune(queue, seq, &gone) == QUEUE_OK && gone > 0)
		mc_log(writing->acctserv->host, MC_NOTE, "audit log: %zu "
		    "files were older than audit_keep and are removed", gone);
}

/* The instance's thread. */
static void
write_out(void *job)
{
	struct writing *writing = job;
	struct acctserv *acctserv = writing->acctserv;
	struct queue *queue = acctserv->audit->queue;
	uint64_t first;

	mc_crash_point("audit.write");
	writing->result = queue_commit(queue, writing->entries,
	    writing->count, mc_time_ms(), &first);
	mc_crash_point("audit.written");
	if (writing->result == QUEUE_OK)
		prune(writing, queue);
	else if (writing->result == QUEUE_FULL)
		mc_log(acctserv->host, MC_ERROR, "audit log: %s; written when "
		    "there is space", queue_why(queue));
	else
		mc_fatal(acctserv->host, "audit log: %s", queue_why(queue));
	mc_later(acctserv->host, written, writing);
}

static struct writing *
writing_new(struct acctserv *acctserv)
{
	struct writing *writing = mc_zalloc(sizeof(*writing));
	uint64_t keep_ms = (uint64_t)acctserv->conf->audit_keep_ms;
	uint64_t now_ms = mc_time_ms();

	writing->acctserv = acctserv;
	writing->next = acctserv->audit->at;
	if (keep_ms > 0 && now_ms > keep_ms)
		writing->prune_before_ms = now_ms - keep_ms;
	return writing;
}

static void
writing_start(struct writing *writing)
{
	mc_work(writing->acctserv->host, write_out, writing);
}

/* A record that is durable once is for as long as its epoch lasts. */
static void
contradict(struct acctserv *acctserv, uint64_t durable)
{
	mc_fatal(acctserv->host, "audit log: %s has entries up to change %llu, "
	    "but the queue ends with change %llu of the same epoch: changes "
	    "are missing from the queue; bring them back or, if it was "
	    "restored from a backup, run \"metacube-wmqmaint new-epoch\" "
	    "before the account server is started",
	    acctserv->conf->audit,
	    (unsigned long long)acctserv->audit->at.seq,
	    (unsigned long long)durable);
}

/* The next epoch, or after a gap. */
static void
skip_to(struct acctserv *acctserv, const struct wmq_position *position,
    bool other)
{
	struct writing *writing = writing_new(acctserv);

	memcpy(writing->next.epoch, position->epoch,
	    sizeof(position->epoch));
	writing->next.seq = position->oldest - 1;
	mark_add(writing, other ? METACUBE__AUDIT__KIND__EPOCH :
	    METACUBE__AUDIT__KIND__GAP);
	if (!other)
		mc_log(acctserv->host, MC_ERROR, "audit log: the queue no "
		    "longer has the changes after %llu; going on after %llu",
		    (unsigned long long)acctserv->audit->at.seq,
		    (unsigned long long)writing->next.seq);
	writing_start(writing);
}

static void
got_position(void *owner, const struct mc_reply *reply)
{
	struct acctserv *acctserv = owner;
	struct audit *audit = acctserv->audit;
	const struct wmq_position *position =
	    MC_RESULT(reply, struct wmq_position);
	bool other;

	if (acctserv->stopping)
		return;
	if (position == NULL) {
		mc_timer_set(acctserv->host, &audit->timer, AGAIN_MS, read_on,
		    acctserv);
		return;
	}
	other = memcmp(position->epoch, audit->at.epoch,
	    sizeof(audit->at.epoch)) != 0;
	if (!other && position->durable < audit->at.seq)
		contradict(acctserv, position->durable);
	if (other || position->oldest > audit->at.seq + 1)
		skip_to(acctserv, position, other);
	else
		mc_timer_set(acctserv->host, &audit->timer,
		    audit->placed ? AGAIN_MS : PAUSE_MS, read_on, acctserv);
	if (!audit->placed)
		follow_start(acctserv);
	audit->placed = true;
}

static void
got_records(void *owner, const struct mc_reply *reply)
{
	struct acctserv *acctserv = owner;
	struct audit *audit = acctserv->audit;
	struct writing *writing;
	struct wmq_record record;
	const void *data;
	size_t offset = 0;

	if (reply->status == MC_INVALID || reply->status == MC_NOT_FOUND) {
		wmq_position(&acctserv->wmq, &audit->call, got_position,
		    acctserv);
		return;
	}
	if (reply->status != MC_OK || reply->len == 0) {
		mc_timer_set(acctserv->host, &audit->timer,
		    reply->status == MC_OK ? PAUSE_MS : AGAIN_MS, read_on,
		    acctserv);
		return;
	}
	writing = writing_new(acctserv);
	while (writing->count < ENTRIES_MAX && (data = wmq_batch_next(reply,
	    &offset, &record)) != NULL)
		change_add(writing, &record, data);
	writing_start(writing);
}

static void
refusals_write(struct acctserv *acctserv)
{
	struct audit *audit = acctserv->audit;
	struct writing *writing = writing_new(acctserv);

	for (size_t i = 0; i < audit->nrefusals; i++)
		refusal_add(writing, &audit->refusals[i]);
	writing_start(writing);
}

void
audit_refused(struct acctserv *acctserv, const char *what, const char *by,
    uint64_t uid, enum mc_status status)
{
	struct audit *audit = acctserv->audit;
	struct refusal *refusal = &audit->refusals[audit->nrefusals];

	if (audit->nrefusals == REFUSALS_MAX) {
		mc_count(acctserv->host, "audit_lost", 1);
		return;
	}
	audit->nrefusals++;
	refusal->time_ms = mc_time_ms();
	refusal->uid = uid;
	refusal->status = status;
	refusal->what = what;
	snprintf(refusal->by, sizeof(refusal->by), "%s", by);
	if (audit->call != NULL) {	/* it waits for changes */
		mc_call_cancel(&audit->call);
		mc_timer_set(acctserv->host, &audit->timer, PAUSE_MS, read_on,
		    acctserv);
	}
}

static void
read_on(void *owner)
{
	struct acctserv *acctserv = owner;
	struct audit *audit = acctserv->audit;

	if (acctserv->stopping)
		return;
	if (audit->placed && audit->nrefusals > 0)
		refusals_write(acctserv);
	else if (audit->placed)
		wmq_read(&acctserv->wmq, &audit->at, WMQ_BATCH_MAX,
		    WMQ_WAIT_MAX_MS, &audit->call, got_records, acctserv);
	else
		wmq_position(&acctserv->wmq, &audit->call, got_position,
		    acctserv);
}

static void
place_take(void *arg, const struct wmq_record *record,
    const Metacube__Audit *message)
{
	struct wmq_pointer *at = arg;

	(void)record;
	if (message->epoch.len == sizeof(at->epoch))
		memcpy(at->epoch, message->epoch.data, sizeof(at->epoch));
	at->seq = message->seq;
}

/* Where the last entry says that the log is. */
static enum mc_status
resume(struct acctserv *acctserv)
{
	struct audit *audit = acctserv->audit;
	struct wmq_position position;

	queue_position(audit->queue, &position);
	if (position.durable < position.oldest)
		return MC_OK;
	if (audit_each(audit->queue, position.durable - 1, place_take,
	    &audit->at) == QUEUE_OK)
		return MC_OK;
	mc_log(acctserv->host, MC_ERROR, "audit log: %s",
	    queue_why(audit->queue));
	audit_close(acctserv);
	return MC_UNAVAILABLE;
}

enum mc_status
audit_open(struct acctserv *acctserv)
{
	struct queue_conf conf = {
		.path = acctserv->conf->audit, .segment_size = SEGMENT_SIZE,
		.io = &queue_io_real
	};
	struct queue_news news;
	char why[QUEUE_WHY];
	struct audit *audit = mc_zalloc(sizeof(*audit));

	acctserv->audit = audit;
	mc_random(conf.epoch, sizeof(conf.epoch));
	memcpy(conf.server, "audit", 5);
	audit->queue = queue_open(&conf, mc_time_ms(), &news, why);
	if (audit->queue == NULL) {
		audit_close(acctserv);
		return mc_fail(acctserv->host, MC_UNAVAILABLE,
		    "audit log: %s", why);
	}
	return resume(acctserv);
}

void
audit_start(struct acctserv *acctserv)
{
	read_on(acctserv);
}

void
audit_close(struct acctserv *acctserv)
{
	struct audit *audit = acctserv->audit;

	if (audit == NULL)
		return;
	mc_call_cancel(&audit->call);
	mc_timer_clear(&audit->timer);
	if (audit->queue != NULL)
		queue_close(&audit->queue);
	free(audit);
	acctserv->audit = NULL;
}
