/* SPDX-License-Identifier: MIT */
/*
 * metacube/penalty.h - who has to wait before the next guess.
 *
 * A bounded table of keys (account names, address prefixes, pairs of both)
 * with their failures; what was touched longest ago makes room.  Attempts in
 * flight count as if they had failed until they are settled, so guesses made
 * at the same time cannot outrun the count.
 *
 * Knows no clock, no host and no lock: a table belongs to one thread.
 */
#ifndef METACUBE_PENALTY_H
#define METACUBE_PENALTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MC_PENALTY_KEY_SIZE	128	/* with the NUL */

struct mc_penalties;

struct mc_penalty_rule {
	int64_t	free;		/* failures that cost nothing */
	int64_t	base_ms;	/* delay of the next one; then it doubles */
	int64_t	max_ms;
	int64_t	forget_ms;	/* since the last failure */
};

enum mc_penalty_verdict {
	MC_PENALTY_GO,
	MC_PENALTY_WAIT,	/* until an attempt in flight is settled */
	MC_PENALTY_LATER	/* inside a delay */
};

enum mc_penalty_outcome {
	MC_PENALTY_PASSED,	/* the failures are forgotten */
	MC_PENALTY_FAILED,
	MC_PENALTY_VOID		/* no attempt: nothing was checked */
};

struct mc_penalties *mc_penalties_new(size_t max, uint64_t seed);
void	 mc_penalties_free(struct mc_penalties **);
size_t	 mc_penalties_count(const struct mc_penalties *);

/* retry_ms_r is set with MC_PENALTY_LATER and grows only. */
enum mc_penalty_verdict mc_penalty_check(struct mc_penalties *,
	    const struct mc_penalty_rule *, const char *key, uint64_t now_ms,
	    uint32_t *retry_ms_r);

/* Each attempt that goes on is charged once and settled once. */
void	 mc_penalty_charge(struct mc_penalties *,
	    const struct mc_penalty_rule *, const char *key, uint64_t now_ms);
void	 mc_penalty_settle(struct mc_penalties *,
	    const struct mc_penalty_rule *, const char *key, uint64_t now_ms,
	    enum mc_penalty_outcome);

/* Is the key in the table; puts it there. */
bool	 mc_penalty_known(const struct mc_penalties *, const char *key);
void	 mc_penalty_learn(struct mc_penalties *, const char *key);

/* What counts as one place: an IPv4 address, an IPv6 network of so many
 * bits, or the text itself. */
void	 mc_penalty_prefix(const char *address, unsigned ipv6_bits,
	    char prefix_r[64]);

#ifdef __cplusplus
}
#endif
#endif
