/* SPDX-License-Identifier: MIT */
/*
 * metacube/tcapw.h - the account store.  Service "tcapw" 1.0.
 *
 * One store per machine, written by nobody but the follower (follow.h),
 * which applies changes in the order of the queue; so a replica is simply a
 * store that is behind.
 */
#ifndef METACUBE_TCAPW_H
#define METACUBE_TCAPW_H

#include <metacube/call.h>
#include <metacube/name.h>
#include <metacube/wmq.h>

#define TCAPW_SERVICE		"tcapw", 1, 0
#define TCAPW_PROVIDE(ops) \
	{ TCAPW_SERVICE, 1 ? (ops) : (const struct tcapw_ops *)0 }
#define TCAPW_TIMEOUT_MS	10000
#define TCAPW_VERIFIER_SIZE	192
#define TCAPW_LIST_MAX		256

enum tcapw_flag {
	TCAPW_LOCKED = 1	/* may not log in */
};

struct tcapw_account {
	uint64_t	uid;		/* never used again, not even after delete */
	uint64_t	seq;		/* of the change that made it what it is */
	uint64_t	created_ms;	/* UTC */
	uint32_t	flags;		/* enum tcapw_flag */
	char		name[MC_NAME_SIZE];	/* folded: the key */
	char		display[MC_NAME_SIZE];	/* as it was written */
	char		verifier[TCAPW_VERIFIER_SIZE]; /* crypt(3) form */
};

enum tcapw_verb { TCAPW_CREATE = 1, TCAPW_CHANGE, TCAPW_DELETE };

struct tcapw_change {
	struct wmq_pointer	pointer;	/* of this change's record */
	enum tcapw_verb		verb;
	struct tcapw_account	account;	/* the whole new state; for
						 * DELETE: uid and name count */
};

/* What the store holds, and up to where: two stores with the same pointer
 * are equal when count and digest are. */
struct tcapw_position {
	struct wmq_pointer	pointer;	/* last change applied */
	uint64_t		count;		/* accounts */
	uint64_t		last_uid;	/* highest ever seen */
	uint8_t			digest[16];	/* see pwq.h */
};

struct tcapw_ops {
	/* Answers with the account, or MC_NOT_FOUND.  name is folded. */
	void (*lookup)(void *state, const char *name, struct mc_call *);

	/*
	 * Stores the account and the pointer as one step.  A change at or
	 * below the stored pointer is MC_OK and changes nothing, so replay is
	 * always safe.  MC_INVALID: it is not the next one, or of another
	 * epoch; nothing was changed.  An empty store (seq 0) takes the epoch
	 * of its first change.
	 */
	void (*apply)(void *state, const struct tcapw_change *,
	    struct mc_call *);

	/* Answers with a tcapw_position. */
	void (*position)(void *state, struct mc_call *);

	/* Answers with an array of at most max accounts, in any fixed order,
	 * after the account named after ("": from the first on); none is the
	 * end.  max is at most TCAPW_LIST_MAX.  Verifiers are left empty. */
	void (*list)(void *state, const char *after, size_t max,
	    struct mc_call *);
};

/* The rule of apply, for those who provide it. */
enum tcapw_order { TCAPW_NEXT, TCAPW_OLD, TCAPW_MISPLACED };

static inline enum tcapw_order
tcapw_order(const struct tcapw_position *at, const struct wmq_pointer *change)
{
	if (at->pointer.seq > 0 && memcmp(at->pointer.epoch, change->epoch,
	    sizeof(change->epoch)) != 0)
		return TCAPW_MISPLACED;
	if (change->seq <= at->pointer.seq)
		return TCAPW_OLD;
	return change->seq == at->pointer.seq + 1 ?
	    TCAPW_NEXT : TCAPW_MISPLACED;
}

static inline void
tcapw_lookup(const struct mc_ref *to, const char *name,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.lookup", TCAPW_TIMEOUT_MS, false
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->lookup(to->provider, name, call);
}

static inline void
tcapw_apply(const struct mc_ref *to, const struct tcapw_change *change,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.apply", TCAPW_TIMEOUT_MS, true
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->apply(to->provider, change, call);
}

static inline void
tcapw_position(const struct mc_ref *to, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.position", TCAPW_TIMEOUT_MS, false
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->position(to->provider, call);
}

static inline void
tcapw_list(const struct mc_ref *to, const char *after, size_t max,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.list", TCAPW_TIMEOUT_MS, false
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->list(to->provider, after, max, call);
}

#endif
