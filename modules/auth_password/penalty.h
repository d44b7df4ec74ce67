/* SPDX-License-Identifier: MIT */
/*
 * penalty - who has to wait before the next guess.
 *
 * A bounded table of keys (account names, address prefixes, pairs of both)
 * with their failures; what was touched longest ago makes room.  Attempts in
 * flight count as if they had failed until they are settled, so guesses made
 * at the same time cannot outrun the count.
 *
 * Pure: no clock, no host, no lock.
 */
#ifndef AUTH_PASSWORD_PENALTY_H
#define AUTH_PASSWORD_PENALTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PENALTY_KEY_SIZE	128	/* with the NUL */

struct penalties;

struct penalty_rule {
	int64_t	free;		/* failures that cost nothing */
	int64_t	base_ms;	/* delay after the next one; then it doubles */
	int64_t	max_ms;
	int64_t	forget_ms;	/* since the last failure */
};

enum penalty_verdict {
	PENALTY_GO,
	PENALTY_WAIT,		/* until an attempt in flight is settled */
	PENALTY_LATER		/* inside a delay */
};

enum penalty_outcome {
	PENALTY_PASSED,		/* the failures are forgotten */
	PENALTY_FAILED,
	PENALTY_VOID		/* it was no attempt: nothing was checked */
};

struct penalties *penalties_new(size_t max, uint64_t seed);
void	 penalties_free(struct penalties **);
size_t	 penalties_count(const struct penalties *);

/* retry_ms_r is set with PENALTY_LATER and grows only. */
enum penalty_verdict penalty_check(struct penalties *,
	    const struct penalty_rule *, const char *key, uint64_t now_ms,
	    uint32_t *retry_ms_r);

/* Each attempt that goes on is charged once and settled once. */
void	 penalty_charge(struct penalties *, const struct penalty_rule *,
	    const char *key, uint64_t now_ms);
void	 penalty_settle(struct penalties *, const struct penalty_rule *,
	    const char *key, uint64_t now_ms, enum penalty_outcome);

/* Is the key in the table; puts it there. */
bool	 penalty_known(const struct penalties *, const char *key);
void	 penalty_learn(struct penalties *, const char *key);

/* What counts as one place: an IPv4 address, an IPv6 network of so many
 * bits, or the text itself. */
void	 penalty_prefix(const char *address, unsigned ipv6_bits,
	    char prefix_r[64]);

#endif
