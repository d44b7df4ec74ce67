/* SPDX-License-Identifier: MIT */
/*
 * check - one password hash, on the pool.
 *
 * The verifier is crypt(3) of the proof in lower-case hexadecimal.  Without
 * an account the same work is done against a verifier that nothing matches.
 * What matches a verifier of a lower cost is hashed once more, with the cost
 * of today: only now is the proof there for it.
 */
#ifndef AUTH_PASSWORD_CHECK_H
#define AUTH_PASSWORD_CHECK_H

#include <metacube/call.h>
#include <metacube/tcapw.h>

#define PROOF_SIZE	32

struct check {
	struct mc_host	*host;
	void		*owner;
	mc_work_fn	*done;		/* on the loop thread, with the check */
	uint8_t		 proof[PROOF_SIZE];
	char		 verifier[TCAPW_VERIFIER_SIZE];
	bool		 known;		/* verifier is an account's */
	int64_t		 cost;		/* of today, 0: nothing is renewed */
	bool		 right;		/* the result */
	char		 renewed[TCAPW_VERIFIER_SIZE];	/* "": was not */
};

/* (pool thread) Wipes the proof. */
void	 check_run(void *check);

/* Was this verifier made with a lower cost than that? */
bool	 check_weaker(const char *verifier, int64_t cost);

/* A verifier of this cost that no proof matches; -1: crypt(3) cannot. */
int	 check_dummy(int64_t cost, char verifier_r[TCAPW_VERIFIER_SIZE]);

#endif
