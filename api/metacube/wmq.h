/* SPDX-License-Identifier: MIT */
/*
 * metacube/wmq.h - the message queue.  Service "wmq" 1.0.
 *
 * A queue of durable records that are read from a pointer on.  What append
 * has answered is on disk; readers see nothing else.  A queue has one epoch
 * for as long as its sequence numbers tell one story; a restored backup
 * starts another.
 */
#ifndef METACUBE_WMQ_H
#define METACUBE_WMQ_H

#include <metacube/call.h>

#include <string.h>

#define WMQ_SERVICE		"wmq", 1, 0
#define WMQ_PROVIDE(ops) \
	{ WMQ_SERVICE, 1 ? (ops) : (const struct wmq_ops *)0 }
#define WMQ_TIMEOUT_MS		10000
#define WMQ_WAIT_MAX_MS		60000
#define WMQ_DATA_MAX		(64 * 1024)	/* bytes of one record */
#define WMQ_BATCH_MAX		(128 * 1024)	/* bytes of one answer */

/* A place in the queue: after the record with this number; 0: the start. */
struct wmq_pointer {
	uint8_t		epoch[16];
	uint64_t	seq;
};

struct wmq_position {
	uint8_t		epoch[16];
	uint64_t	oldest;		/* first record still there */
	uint64_t	durable;	/* last record; oldest - 1 when empty */
};

/* A record as read; data follows its head in the batch. */
struct wmq_record {
	uint64_t	seq;
	uint64_t	time_ms;	/* UTC, when it was appended */
	char		server[8];	/* tag of who wrote, padded with NUL */
	char		tag[4];		/* what it is: "pwq" */
	uint32_t	len;
};

struct wmq_ops {
	/* Answers with its wmq_pointer when the record is durable.  tag has at
	 * most 3 letters; data is copied.  MC_BUSY: the disk is full, nothing
	 * was written. */
	void (*append)(void *state, const char *tag, const void *data,
	    size_t len, struct mc_call *);

	/*
	 * Answers with a batch of whole records after the pointer: at least
	 * one if there is one, at most about max bytes; none (len 0) when
	 * wait_ms have passed without one.  MC_NOT_FOUND: the records right
	 * after the pointer are gone; MC_INVALID: another epoch, or a pointer
	 * beyond the end; MC_UNAVAILABLE: they are there, but unreadable.
	 */
	void (*read)(void *state, const struct wmq_pointer *after,
	    size_t max, unsigned wait_ms, struct mc_call *);

	/* Answers with a wmq_position. */
	void (*position)(void *state, struct mc_call *);
};

/* Walks a batch: NULL at its end.  offset begins with 0. */
static inline const void *
wmq_batch_next(const struct mc_reply *reply, size_t *offset,
    struct wmq_record *record)
{
	const char *at = (const char *)reply->data + *offset;

	if (reply->status != MC_OK ||
	    reply->len - *offset < sizeof(*record))
		return NULL;
	memcpy(record, at, sizeof(*record));
	if (reply->len - *offset - sizeof(*record) < record->len)
		return NULL;
	*offset += sizeof(*record) + record->len;
	return at + sizeof(*record);
}

static inline void
wmq_append(const struct mc_ref *to, const char *tag, const void *data,
    size_t len, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"wmq.append", WMQ_TIMEOUT_MS, true
	};
	const struct wmq_ops *ops = (const struct wmq_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->append(to->provider, tag, data, len, call);
}

static inline void
wmq_read(const struct mc_ref *to, const struct wmq_pointer *after,
    size_t max, unsigned wait_ms, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	static const struct mc_op op = {
		"wmq.read", WMQ_WAIT_MAX_MS + WMQ_TIMEOUT_MS, false
	};
	const struct wmq_ops *ops = (const struct wmq_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->read(to->provider, after, max, wait_ms, call);
}

static inline void
wmq_position(const struct mc_ref *to, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"wmq.position", WMQ_TIMEOUT_MS, false
	};
	const struct wmq_ops *ops = (const struct wmq_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->position(to->provider, call);
}

#endif
