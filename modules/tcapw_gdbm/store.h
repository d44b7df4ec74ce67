/* SPDX-License-Identifier: MIT */
/*
 * store - accounts in a GDBM file.
 *
 *	"joe"		an encoded account (metacube/pwq.h)
 *	NUL "position"	version (1), epoch (16), sequence number, count, last
 *			uid (8 each, little-endian), digest (16)
 *
 * The position is written when the store is closed: a file that was not
 * closed is never opened again (clean.h), so it need not be right before.
 * That makes a change and its pointer one step, without a sync per change.
 *
 * One thread at a time.
 */
#ifndef TCAPW_GDBM_STORE_H
#define TCAPW_GDBM_STORE_H

#include <metacube/host.h>
#include <metacube/tcapw.h>

struct store_conf {
	const char	*path;
	int64_t		 block_size, cache, map_max;
};

struct store;

/* NULL: the reason is logged. */
struct store	*store_open(struct mc_host *, const struct store_conf *);
void		 store_close(struct store **);

const struct tcapw_position *store_position(const struct store *);
enum mc_status	 store_lookup(struct store *, const char *name,
		    struct tcapw_account *account_r);
enum mc_status	 store_apply(struct store *, const struct tcapw_change *);

/* By name; verifiers are left empty. */
enum mc_status	 store_list(struct store *, const char *after, size_t max,
		    struct tcapw_account *accounts_r, size_t *count_r);

#endif
