/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <metacube/proto/audit.pb-c.h>
#include <metacube/pwq.h>
#include <metacube/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE	1000	/* times 10 ms */

/* Reads one folder, record by record. */
struct cursor {
	struct queue	*queue;
	struct mc_reply	 batch;
	size_t		 offset;
	uint64_t	 after;
	char		*data;
};

static unsigned
violation(const char *what, uint64_t number)
{
	printf("# VIOLATION: audit log: %s (%llu)\n", what,
	    (unsigned long long)number);
	return 1;
}

/* A child that the killed server has just begun may still have its lock. */
static bool
cursor_open(struct cursor *cursor, const char *folder, const char *name,
    uint64_t after)
{
	struct queue_conf conf = {
		.segment_size = 1024 * 1024, .io = &queue_io_real
	};
	char path[512], why[QUEUE_WHY];
	struct queue_news news;
	static const struct timespec pause = { 0, 10000000 };

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	memset(cursor, 0, sizeof(*cursor));
	conf.path = path;
	for (int i = 0; i < PATIENCE && cursor->queue == NULL; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		cursor->queue = queue_open(&conf, 1, &news, why);
	}
	cursor->after = after;
	cursor->data = malloc(WMQ_BATCH_MAX);
	cursor->batch.data = cursor->data;
	if (cursor->queue == NULL)
		printf("# %s\n", why);
	return cursor->queue != NULL;
}

static void
cursor_close(struct cursor *cursor)
{
	if (cursor->queue != NULL)
		queue_close(&cursor->queue);
	free(cursor->data);
}

/* NULL: there is no more. */
static const void *
cursor_next(struct cursor *cursor, struct wmq_record *record)
{
	const void *data = wmq_batch_next(&cursor->batch, &cursor->offset,
	    record);
	struct wmq_position position;

	if (data == NULL) {
		queue_position(cursor->queue, &position);
		if (cursor->after >= position.durable)
			return NULL;
		cursor->offset = 0;
		if (queue_read(cursor->queue, cursor->after, WMQ_BATCH_MAX,
		    cursor->data, WMQ_BATCH_MAX, &cursor->batch.len) !=
		    QUEUE_OK)
			return NULL;
		data = wmq_batch_next(&cursor->batch, &cursor->offset,
		    record);
	}
	if (data != NULL)
		cursor->after = record->seq;
	return data;
}

static bool
is_same(const Metacube__Audit *entry, const void *data, size_t len)
{
	struct tcapw_change change;

	return pwq_decode(data, len, &change) == 0 &&
	    entry->verb == (uint32_t)change.verb &&
	    entry->uid == change.account.uid &&
	    strcmp(entry->what, change.what) == 0 &&
	    strcmp(entry->by, change.by) == 0 && change.what[0] != '\0';
}

static unsigned
entry_compare(struct ledger *ledger, const Metacube__Audit *entry,
    struct cursor *changes)
{
	struct wmq_record record;
	const void *data;

	if (entry->kind == METACUBE__AUDIT__KIND__EPOCH && ledger->change == 0)
		return 0;
	if (entry->kind == METACUBE__AUDIT__KIND__REFUSED)
		return entry->seq == ledger->change ? 0 :
		    violation("a refusal that is misplaced", entry->seq);
	if (entry->kind != METACUBE__AUDIT__KIND__CHANGE)
		return violation("an entry that says of a gap", entry->seq);
	if (entry->seq != ledger->change + 1)
		return violation("missing, or there twice", entry->seq);
	data = cursor_next(changes, &record);
	if (data == NULL || record.seq != entry->seq)
		return violation("of a change that is not there", entry->seq);
	ledger->change++;
	return is_same(entry, data, record.len) ? 0 :
	    violation("another change than in the queue", entry->seq);
}

static unsigned
compare(struct ledger *ledger, struct cursor *entries,
    struct cursor *changes)
{
	struct wmq_record record;
	Metacube__Audit *entry;
	unsigned violations = 0;
	const void *data;

	while (violations == 0 &&
	    (data = cursor_next(entries, &record)) != NULL) {
		entry = metacube__audit__unpack(NULL, record.len, data);
		if (entry == NULL)
			return violation("not an entry", record.seq);
		violations += entry_compare(ledger, entry, changes);
		metacube__audit__free_unpacked(entry, NULL);
		ledger->entry = record.seq;
	}
	return violations;
}

unsigned
ledger_compare(struct ledger *ledger, const char *folder, bool level)
{
	struct cursor entries, changes = { .queue = NULL };
	struct wmq_position position;
	unsigned violations;

	if (cursor_open(&entries, folder, "audit", ledger->entry) &&
	    cursor_open(&changes, folder, "queue", ledger->change)) {
		violations = compare(ledger, &entries, &changes);
		queue_position(changes.queue, &position);
		ledger->last = position.durable;
		if (violations == 0 && level && ledger->change != ledger->last)
			violations = violation("is not level with change",
			    ledger->last);
	} else
		violations = violation("cannot be opened", 0);
	cursor_close(&entries);
	cursor_close(&changes);
	return violations;
}
