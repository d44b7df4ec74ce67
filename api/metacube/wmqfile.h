/* SPDX-License-Identifier: MIT */
/*
 * metacube/wmqfile.h - the files of a message queue.  Service "wmqfile" 1.0.
 *
 * For those who carry a queue elsewhere as files, and for those who delete
 * old ones.  Provided by the queue itself (wmq_file) and by a mirror of it
 * (antpclnt), so a replica can serve further replicas.
 */
#ifndef METACUBE_WMQFILE_H
#define METACUBE_WMQFILE_H

#include <metacube/call.h>
#include <metacube/wmq.h>

#define WMQFILE_SERVICE		"wmqfile", 1, 0
#define WMQFILE_PROVIDE(ops) \
	{ WMQFILE_SERVICE, 1 ? (ops) : (const struct wmqfile_ops *)0 }
#define WMQFILE_NAME_SIZE	32	/* "20260130-001.wmq" */
#define WMQFILE_PATH_SIZE	1024
#define WMQFILE_TIMEOUT_MS	60000

/* A file, and how much of it may be shown: bytes up to end are durable and
 * never change; a finished one does not grow any more. */
struct wmqfile_extent {
	char		name[WMQFILE_NAME_SIZE];
	char		path[WMQFILE_PATH_SIZE];
	uint64_t	end;
	bool		finished;
	uint64_t	first_seq;
	char		next[WMQFILE_NAME_SIZE];	/* finished: the one
							 * that goes on, or "" */
	struct wmq_position position;	/* of the whole queue */
};

struct wmqfile_ops {
	/*
	 * Answers with a wmqfile_extent when the named file has more than
	 * offset bytes or is finished, else after wait_ms with what there is.
	 * MC_NOT_FOUND: no such file (any more); MC_INVALID: offset is beyond
	 * its end.
	 */
	void (*extent)(void *state, const char *name, uint64_t offset,
	    unsigned wait_ms, struct mc_call *);

	/* Answers with the wmqfile_extent of the file that holds the record
	 * after seq, or will hold it; 0: the oldest file.  MC_NOT_FOUND: that
	 * record is gone, or there is no file yet; MC_INVALID: seq is beyond
	 * the last record. */
	void (*find)(void *state, uint64_t seq, struct mc_call *);

	/* Deletes finished files whose records all have numbers up to seq,
	 * oldest first; answers with a uint64_t: how many.  Interrupted, it
	 * has deleted the oldest ones, and may be asked again. */
	void (*prune)(void *state, uint64_t seq, struct mc_call *);
};

static inline void
wmqfile_extent(const struct mc_ref *to, const char *name, uint64_t offset,
    unsigned wait_ms, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"wmqfile.extent", WMQ_WAIT_MAX_MS + WMQ_TIMEOUT_MS, false
	};
	const struct wmqfile_ops *ops = (const struct wmqfile_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->extent(to->provider, name, offset, wait_ms, call);
}

static inline void
wmqfile_find(const struct mc_ref *to, uint64_t seq, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"wmqfile.find", WMQFILE_TIMEOUT_MS, false
	};
	const struct wmqfile_ops *ops = (const struct wmqfile_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->find(to->provider, seq, call);
}

static inline void
wmqfile_prune(const struct mc_ref *to, uint64_t seq, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"wmqfile.prune", WMQFILE_TIMEOUT_MS, true
	};
	const struct wmqfile_ops *ops = (const struct wmqfile_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->prune(to->provider, seq, call);
}

#endif
