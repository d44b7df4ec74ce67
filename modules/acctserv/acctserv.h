/* SPDX-License-Identifier: MIT */
/*
 * acctserv - its parts: acctserv.c lives and follows the queue, change.c
 * takes one change from command to answer, verifier.c hashes, show.c only
 * reads.
 */
#ifndef ACCTSERV_H
#define ACCTSERV_H

#include <metacube/account.h>
#include <metacube/control.h>
#include <metacube/follow.h>
#include <metacube/tcapw.h>

#include <sys/queue.h>

#define PROOF_SIZE	32

struct conf {
	int64_t	cost;
};

TAILQ_HEAD(changes, change);

struct acctserv {
	struct mc_ref		 tcapw, wmq;
	struct mc_host		*host;
	const struct conf	*conf;
	struct pwq_follow	*follow;
	bool			 level;		/* the queue was replayed */
	uint64_t		 last_uid;	/* the highest ever given */
	uint64_t		 applied;	/* last change in the store */
	struct changes		 changes;	/* all, oldest first */
};

/* change.c: commands and calls that change an account. */
void	change_create(void *state, struct mc_query *);
void	change_password(void *state, struct mc_query *);
void	change_lock(void *state, struct mc_query *);
void	change_unlock(void *state, struct mc_query *);
void	change_delete(void *state, struct mc_query *);
void	change_renew(void *state, const struct account_renewal *,
	    struct mc_call *);
void	changes_applied(struct acctserv *, uint64_t seq);
void	changes_forget(struct acctserv *);

/* What is wrong with the name, as a whole sentence; NULL: nothing. */
const char *name_fault(const char *name, char folded[MC_NAME_SIZE],
	    char *text, size_t size);

/* Answers the query and returns false while the queue is being replayed. */
bool	is_level(struct acctserv *, struct mc_query *);

/* verifier.c: makes the verifier of a proof in the pool; done runs on the
 * loop with "" if that cannot be done, and exactly once unless false is
 * returned (too many at once).  The proof is copied. */
typedef void verifier_made_fn(void *owner, const char *verifier);
bool	verifier_make(struct mc_host *, const uint8_t proof[PROOF_SIZE],
	    int64_t cost, verifier_made_fn *, void *owner);

/* show.c */
void	account_show(void *state, struct mc_query *);
void	account_list(void *state, struct mc_query *);

#endif
