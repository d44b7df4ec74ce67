/* SPDX-License-Identifier: MIT */
/*
 * metacube/follow.h - keeps an account store level with the message queue.
 *
 * From the store's pointer on, every record is read, decoded and applied, in
 * order, for as long as the follower lives.  The account server runs it over
 * its own queue, a replica over the copy that it mirrors: it is the only code
 * that writes a store.  Errors that pass are tried again after a growing
 * pause, always beginning with where the store really is.
 *
 * Loop thread only.
 */
#ifndef METACUBE_FOLLOW_H
#define METACUBE_FOLLOW_H

#include <metacube/host.h>
#include <metacube/tcapw.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pwq_follow;

/* What the store has taken: the position after it and, unless it is not
 * known which changes brought it there (verb 0), the change. */
struct pwq_applied {
	struct tcapw_position	position;
	enum tcapw_verb		verb;
	uint64_t		uid, time_ms;	/* UTC, when it was made */
	uint32_t		flags;		/* enum tcapw_flag */
	bool			new_verifier;	/* CHANGE: another password */
	bool			keep_sessions;
	char			name[MC_NAME_SIZE];
	char			by[TCAPW_BY_SIZE];
	char			what[TCAPW_WHAT_SIZE];
};

/* Why a store cannot follow a queue. */
enum pwq_lost {
	PWQ_LOST_GONE = 1,	/* the records after the store's pointer */
	PWQ_LOST_EPOCH,		/* another epoch: a restored backup? */
	PWQ_LOST_AHEAD,		/* the store is ahead of the queue */
	PWQ_LOST_RECORD		/* a record that this version does not know */
};

struct pwq_follow_ops {
	/* The store has come to the end of the queue for the first time. */
	void	(*level)(void *owner, const struct tcapw_position *);
	/* The store holds this change, and all before. */
	void	(*applied)(void *owner, const struct pwq_applied *);
	/* This store cannot follow this queue.  Nothing more comes. */
	void	(*lost)(void *owner, enum pwq_lost, const char *why);
};

struct pwq_follow *pwq_follow_new(struct mc_host *, const struct mc_ref *tcapw,
		    const struct mc_ref *wmq, const struct pwq_follow_ops *,
		    void *owner);
void		 pwq_follow_free(struct pwq_follow **);

#ifdef __cplusplus
}
#endif
#endif
