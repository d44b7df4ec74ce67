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

struct pwq_follow_ops {
	/* The store has come to the end of the queue for the first time. */
	void	(*level)(void *owner, const struct tcapw_position *);
	/* The store holds the change with this number, and all before. */
	void	(*applied)(void *owner, uint64_t seq);
	/* This store cannot follow this queue: another epoch, records that
	 * are gone or unknown, a store that is ahead.  Nothing more comes. */
	void	(*lost)(void *owner, const char *why);
};

struct pwq_follow *pwq_follow_new(struct mc_host *, const struct mc_ref *tcapw,
		    const struct mc_ref *wmq, const struct pwq_follow_ops *,
		    void *owner);
void		 pwq_follow_free(struct pwq_follow **);

#ifdef __cplusplus
}
#endif
#endif
