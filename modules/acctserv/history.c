/* SPDX-License-Identifier: MIT */
/*
 * history - what the audit log says, of all or of one account.
 *
 * The whole log is read for it, on the instance's thread, a piece at a time so
 * that what is to be written does not wait for the end of that.
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE		16	/* batches */

struct reading {
	struct acctserv		*acctserv;
	history_read_fn		*read;
	void			*owner;
	uint64_t		 uid, after;
	size_t			 room;
	bool			 ended;
	char			 why[QUEUE_WHY];
	struct history		 history;
	struct entry		*ring;
};

static void
visit_batch(const struct mc_reply *batch, uint64_t *after,
    audit_visit_fn *visit, void *arg)
{
	struct wmq_record record;
	Metacube__Audit *message;
	const void *data;
	size_t offset = 0;

	while ((data = wmq_batch_next(batch, &offset, &record)) != NULL) {
		*after = record.seq;
		message = metacube__audit__unpack(NULL, record.len, data);
		if (message == NULL)
			continue;
		visit(arg, &record, message);
		metacube__audit__free_unpacked(message, NULL);
	}
}

/* At most so many batches; *after is where it stands then. */
static enum queue_result
visit_some(struct queue *queue, uint64_t *after, unsigned batches,
    bool *ended_r, audit_visit_fn *visit, void *arg)
{
	enum queue_result result = QUEUE_OK;
	struct wmq_position position;
	struct mc_reply batch = { .status = MC_OK };
	void *data = mc_zalloc(WMQ_BATCH_MAX);

	batch.data = data;
	queue_position(queue, &position);
	if (*after + 1 < position.oldest)
		*after = position.oldest - 1;
	for (; batches > 0 && *after < position.durable &&
	    result == QUEUE_OK; batches--) {
		result = queue_read(queue, *after, WMQ_BATCH_MAX, data,
		    WMQ_BATCH_MAX, &batch.len);
		if (result == QUEUE_OK)
			visit_batch(&batch, after, visit, arg);
	}
	*ended_r = *after >= position.durable || result != QUEUE_OK;
	free(data);
	return result;
}

enum queue_result
audit_each(struct queue *queue, uint64_t after, audit_visit_fn *visit,
    void *arg)
{
	enum queue_result result = QUEUE_OK;
	bool ended = false;

	while (!ended)
		result = visit_some(queue, &after, PIECE, &ended, visit, arg);
	return result;
}

static void
what_write(struct entry *entry, const Metacube__Audit *message)
{
	if (message->kind == METACUBE__AUDIT__KIND__REFUSED)
		snprintf(entry->what, sizeof(entry->what), "%.24s, refused: "
		    "%s", message->what,
		    mc_status_text((enum mc_status)message->status));
	else
		snprintf(entry->what, sizeof(entry->what), "%s",
		    message->what);
}

/* The last ones stand in a ring. */
static void
keep(void *arg, const struct wmq_record *record,
    const Metacube__Audit *message)
{
	struct reading *reading = arg;
	struct entry *entry;

	if (reading->uid != 0 && message->uid != reading->uid)
		return;
	entry = &reading->ring[reading->history.all++ % reading->room];
	memset(entry, 0, sizeof(*entry));
	entry->number = record->seq;
	entry->time_ms = message->time_ms;
	entry->uid = message->uid;
	entry->seq = message->seq;
	entry->flags = message->flags;
	entry->kind = message->kind;
	entry->verb = (int)message->verb;
	what_write(entry, message);
	snprintf(entry->by, sizeof(entry->by), "%s", message->by);
}

/* In their order. */
static void
unroll(struct reading *reading)
{
	struct history *history = &reading->history;
	uint64_t first = history->all > reading->room ?
	    history->all - reading->room : 0;

	history->count = (size_t)(history->all - first);
	history->entries = mc_zalloc((history->count + 1) *
	    sizeof(*history->entries));
	for (size_t i = 0; i < history->count; i++)
		history->entries[i] =
		    reading->ring[(first + i) % reading->room];
}

static void read_some(void *job);

/* Loop. */
static void
read_piece(void *job)
{
	struct reading *reading = job;

	if (!reading->ended) {
		mc_work(reading->acctserv->host, read_some, reading);
		return;
	}
	unroll(reading);
	reading->read(reading->owner, &reading->history);
	free(reading->history.entries);
	free(reading->ring);
	free(reading);
}

/* The instance's thread. */
static void
read_some(void *job)
{
	struct reading *reading = job;
	struct queue *queue = reading->acctserv->audit->queue;

	if (visit_some(queue, &reading->after, PIECE, &reading->ended, keep,
	    reading) != QUEUE_OK) {
		snprintf(reading->why, sizeof(reading->why), "%s",
		    queue_why(queue));
		reading->history.why = reading->why;
		mc_log(reading->acctserv->host, MC_ERROR, "audit log: %s",
		    reading->why);
	}
	mc_later(reading->acctserv->host, read_piece, reading);
}

void
history_read(struct acctserv *acctserv, uint64_t uid, size_t count,
    history_read_fn *read, void *owner)
{
	struct reading *reading = mc_zalloc(sizeof(*reading));

	reading->acctserv = acctserv;
	reading->uid = uid;
	reading->room = count;
	reading->ring = mc_zalloc(count * sizeof(*reading->ring));
	reading->read = read;
	reading->owner = owner;
	mc_work(acctserv->host, read_some, reading);
}
