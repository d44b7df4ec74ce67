/* SPDX-License-Identifier: MIT */
/*
 * metacube/tcapw.h - the account store.  Service "tcapw" 1.1.
 *
 *	1.1	apply answers with the position; a whole database is loaded
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

#define TCAPW_SERVICE		"tcapw", 1, 1
#define TCAPW_PROVIDE(ops) \
	{ TCAPW_SERVICE, 1 ? (ops) : (const struct tcapw_ops *)0 }
#define TCAPW_TIMEOUT_MS	10000
#define TCAPW_VERIFIER_SIZE	192
#define TCAPW_EMAIL_SIZE	256	/* RFC 5321: an address has up to 254 */
#define TCAPW_CODE_HASH		32
#define TCAPW_BY_SIZE		64
#define TCAPW_WHAT_SIZE		24
#define TCAPW_LIST_MAX		256
#define TCAPW_LOAD_MAX		(256 * 1024)	/* bytes of one load_add */
#define TCAPW_LOAD_TIMEOUT_MS	300000		/* a large file is synced */

enum tcapw_flag {
	TCAPW_LOCKED = 1,		/* may not log in */
	TCAPW_EMAIL_VALID = 2,		/* proven by a code that was mailed */
	TCAPW_EMAIL_PRIVATE = 4,	/* not to be shown to others */
	TCAPW_ADMINISTRATOR = 8,
	TCAPW_INACTIVE = 16		/* never activated: may not log in */
};

/* What the code that was mailed is good for. */
enum tcapw_code {
	TCAPW_CODE_NONE = 0,
	TCAPW_CODE_ACTIVATE,
	TCAPW_CODE_EMAIL,		/* new_email becomes email */
	TCAPW_CODE_RESET		/* a new password, without the old */
};

struct tcapw_account {
	uint64_t	uid;		/* never used again, not even after delete */
	uint64_t	seq;		/* of the change that made it what it is */
	uint64_t	created_ms;	/* UTC */
	uint64_t	generation;	/* of sessions: grows with each change
					 * that ends those that are open */
	uint32_t	flags;		/* enum tcapw_flag */
	char		name[MC_NAME_SIZE];	/* folded: the key */
	char		display[MC_NAME_SIZE];	/* as it was written */
	char		verifier[TCAPW_VERIFIER_SIZE]; /* crypt(3) form */
	char		email[TCAPW_EMAIL_SIZE];	/* "": none */
	char		new_email[TCAPW_EMAIL_SIZE];	/* "": none waits */
	enum tcapw_code	code_for;
	uint8_t		code_hash[TCAPW_CODE_HASH];	/* SHA-256 of the code */
	uint64_t	code_expires_ms;		/* UTC */
};

/* RESERVE: no account; its uid is the highest that counts as given. */
enum tcapw_verb {
	TCAPW_CREATE = 1, TCAPW_CHANGE, TCAPW_DELETE, TCAPW_RESERVE
};

struct tcapw_change {
	struct wmq_pointer	pointer;	/* of this change's record */
	enum tcapw_verb		verb;
	struct tcapw_account	account;	/* the whole new state; for
						 * DELETE: uid and name count */
	char			by[TCAPW_BY_SIZE];	/* who asked for it */
	char			what[TCAPW_WHAT_SIZE];	/* in a word, for the
						 * audit log */
	bool			keep_sessions;	/* asked by whoever plays */
	bool			new_verifier;	/* CHANGE: another password (a
						 * stronger hash of it is none) */
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
	 * Stores the account and the pointer as one step, and answers with
	 * the tcapw_position after it.  A change at or below the stored
	 * pointer is MC_OK and changes nothing, so replay is always safe.
	 * MC_INVALID: it is not the next one, or of another epoch; nothing
	 * was changed.  An empty store (seq 0) takes the epoch of its first
	 * change.
	 */
	void (*apply)(void *state, const struct tcapw_change *,
	    struct mc_call *);

	/* Answers with a tcapw_position. */
	void (*position)(void *state, struct mc_call *);

	/* Answers with an array of at most max accounts, in any fixed order,
	 * after the account named after ("": from the first on); none is the
	 * end.  max is at most TCAPW_LIST_MAX.  Verifiers and the hashes of
	 * codes are left empty. */
	void (*list)(void *state, const char *after, size_t max,
	    struct mc_call *);

	/*
	 * A whole database, beside the one that is there and goes on
	 * answering.  begin forgets one that was not ended.  add takes
	 * accounts as they stand in a freeze (freeze.h): each a 2-byte
	 * little-endian length and that many bytes of pwq_account_encode; in
	 * the order of their uids; data is copied.  MC_INVALID, from add or
	 * only from end: malformed, not in order, or a name twice; the load
	 * is forgotten.  MC_BUSY: no room, or the end is still being made.
	 * end: when count, highest uid and digest are as expected, the new
	 * database is made durable and takes the place of the old one, in one
	 * step, with the expected pointer; MC_INVALID: they are not, and the
	 * old one stays.  last_uid may be above the highest uid added.
	 */
	void (*load_begin)(void *state, struct mc_call *);
	void (*load_add)(void *state, const void *accounts, size_t len,
	    struct mc_call *);
	void (*load_end)(void *state, const struct tcapw_position *expected,
	    struct mc_call *);
};

/* What list does not show. */
static inline void
tcapw_conceal(struct tcapw_account *account)
{
	memset(account->verifier, 0, sizeof(account->verifier));
	memset(account->code_hash, 0, sizeof(account->code_hash));
}

/* The rule of load_end: what was added, and what it must be. */
static inline bool
tcapw_loaded(const struct tcapw_position *found,
    const struct tcapw_position *expected)
{
	return found->count == expected->count &&
	    found->last_uid <= expected->last_uid &&
	    memcmp(found->digest, expected->digest,
		sizeof(found->digest)) == 0;
}

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

static inline void
tcapw_load_begin(const struct mc_ref *to, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.load_begin", TCAPW_LOAD_TIMEOUT_MS, true
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->load_begin(to->provider, call);
}

static inline void
tcapw_load_add(const struct mc_ref *to, const void *accounts, size_t len,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.load_add", TCAPW_LOAD_TIMEOUT_MS, true
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->load_add(to->provider, accounts, len, call);
}

static inline void
tcapw_load_end(const struct mc_ref *to, const struct tcapw_position *expected,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"tcapw.load_end", TCAPW_LOAD_TIMEOUT_MS, true
	};
	const struct tcapw_ops *ops = (const struct tcapw_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->load_end(to->provider, expected, call);
}

#endif
