/* SPDX-License-Identifier: MIT */
/*
 * metacube/mirror.h - where a replica stands to what it mirrors.  Service
 * "mirror" 1.0.
 *
 * Provided by the mirror (antpclnt) beside the mirrored queue (wmq.h,
 * wmqfile.h) and freeze (freeze.h).
 */
#ifndef METACUBE_MIRROR_H
#define METACUBE_MIRROR_H

#include <metacube/call.h>
#include <metacube/tcapw.h>

#define MIRROR_SERVICE		"mirror", 1, 0
#define MIRROR_PROVIDE(ops) \
	{ MIRROR_SERVICE, 1 ? (ops) : (const struct mirror_ops *)0 }
#define MIRROR_TIMEOUT_MS	30000

struct mirror_state {
	bool			 connected;
	char			 server[128];	/* "antp://host:port/" */
	uint64_t		 heard_ms;	/* UTC, last answer; 0: never */
	struct wmq_pointer	 head;		/* the server's last record */
	uint64_t		 fetched;	/* last record mirrored here */
	/* What the server's own store holds, as it last said: to compare
	 * with the replica's at the same pointer.  seq 0: not said. */
	struct tcapw_position	 checkpoint;

	bool			 level;		/* all is here that it has */
	bool			 halted;	/* started anew too often */
	uint64_t		 received;	/* bytes, since the start */
	char			 freeze[64];	/* in transfer, or "" */
	uint64_t		 freeze_have, freeze_size;
};

struct mirror_ops {
	/* Answers with a mirror_state; fresh: after the server was asked for
	 * its checkpoint once more (MC_UNAVAILABLE: it cannot be reached). */
	void (*state)(void *state, bool fresh, struct mc_call *);

	/* The replica's store has come this far: passed on to the server,
	 * which keeps what is not yet acknowledged.  No answer. */
	void (*acknowledge)(void *state, const struct tcapw_position *);
};

static inline void
mirror_state(const struct mc_ref *to, bool fresh, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"mirror.state", MIRROR_TIMEOUT_MS, false
	};
	const struct mirror_ops *ops = (const struct mirror_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->state(to->provider, fresh, call);
}

static inline void
mirror_acknowledge(const struct mc_ref *to, const struct tcapw_position *at)
{
	((const struct mirror_ops *)to->ops)->acknowledge(to->provider, at);
}

#endif
