/* SPDX-License-Identifier: MIT */
/*
 * plain - the accounts of the benchmarks: u0, u1, ..., with verifiers that say
 * what the proof is, so that a login costs no password hash and what is
 * measured is all the rest.  As long as real ones; never outside a benchmark.
 */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <metacube/tcapw.h>

#include <stdio.h>
#include <string.h>

#define PLAIN_PROOF	32

/* The verifier and the proof of an account's nth password. */
static inline void
plain_verifier(char verifier[TCAPW_VERIFIER_SIZE], unsigned account,
    unsigned nth)
{
	snprintf(verifier, TCAPW_VERIFIER_SIZE, "$bench$%032u$%032u", account,
	    nth);
}

static inline void
plain_proof(uint8_t proof[PLAIN_PROOF], unsigned account, unsigned nth)
{
	memset(proof, 0, PLAIN_PROOF);
	memcpy(proof, &account, sizeof(account));
	memcpy(proof + 16, &nth, sizeof(nth));
}

static inline void
plain_verifier_of(char verifier[TCAPW_VERIFIER_SIZE],
    const uint8_t proof[PLAIN_PROOF])
{
	unsigned account, nth;

	memcpy(&account, proof, sizeof(account));
	memcpy(&nth, proof + 16, sizeof(nth));
	plain_verifier(verifier, account, nth);
}

#endif
