/* SPDX-License-Identifier: MIT */
/*
 * backend - the account server behind its unix socket.
 *
 * One connection for each question, and no memory of any: a 4-byte big-endian
 * length and an Envelope each way (envelope.proto).  Says on standard error
 * what failed, without names, proofs or codes.
 */
#ifndef ACCTSERV_BACKEND_H
#define ACCTSERV_BACKEND_H

#include <metacube/proto/envelope.pb-c.h>

struct backend {
	const char	*socket;	/* its path */
	unsigned	 wait_s;	/* for an answer, with everything */
};

struct answer {
	Metacube__AccountAnswer__Result	 result;
	unsigned	 retry_s;	/* TRY_LATER; 0: no hint */
	char		*document;	/* EXPORT; or NULL */
};

/*
 * Always answers: TRY_LATER when the question did not get there, UNCERTAIN
 * when it did and nothing came back.
 */
void	backend_ask(const struct backend *, const Metacube__AccountRequest *,
	    struct answer *answer_r);

/* Wipes it, too. */
void	answer_clear(struct answer *);

#endif
