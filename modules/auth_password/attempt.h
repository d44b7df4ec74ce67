/* SPDX-License-Identifier: MIT */
/*
 * attempt - one login attempt: its place in the queue, its hash, its answer.
 *
 *	begin -> QUEUED -> LOOKUP -> HASHING -> DONE
 *
 * At most `workers` attempts are past QUEUED.  Whoever began an attempt that
 * has to wait learns its position and steps; the answer that is there before
 * the next step is kept for it.
 */
#ifndef AUTH_PASSWORD_ATTEMPT_H
#define AUTH_PASSWORD_ATTEMPT_H

#include "check.h"
#include <metacube/penalty.h>

#include <metacube/account.h>
#include <metacube/auth.h>
#include <metacube/host.h>

struct conf {
	int64_t		 workers, queue_max, position_ms, cost;
	int64_t		 ipv6_prefix;
	int64_t		 accounts_max, addresses_max, known_max;
	int64_t		 address_free;
	struct mc_penalty_rule account;
};

struct attempt;

struct attempts {
	struct attempt	*first, *last;
	size_t		 count;
};

struct auth {
	struct mc_host		*host;
	const struct conf	*conf;
	struct mc_penalty_rule	 address;
	struct mc_ref		 tcapw;
	struct mc_ref		 account;	/* optional: verifiers are
						 * renewed where it is */
	struct mc_penalties	*accounts, *addresses;
	struct mc_penalties	*known;		/* have logged in from there */
	struct attempts		 queue;
	struct attempts		 running;	/* LOOKUP and HASHING */
	struct attempt		**exchanges;	/* by the low half of the id */
	size_t			 exchanges_size, exchanges_free;
	uint32_t		 generation;
	struct mc_timer		*tell;
	bool			 starting, stopping;
	char			 dummy[TCAPW_VERIFIER_SIZE];
};

/* Takes begin's content; what is answered now or later is its call. */
void	 attempt_begin(struct auth *, const struct auth_begin *,
	    struct mc_call *);
void	 attempt_step(struct auth *, uint64_t exchange, struct mc_call *);
void	 attempt_drop(struct auth *, uint64_t exchange);

/* renew.c: has the account server store what the check has made. */
void	 verifier_renew(struct auth *, const char *name, const struct check *);

/* The queue is given up; hashes that run are still answered. */
void	 attempts_stop(struct auth *);
void	 attempts_free(struct auth *);

#endif
