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

/* By name; see tcapw.h. */
enum mc_status	 store_list(struct store *, const char *after, size_t max,
		    struct tcapw_account *accounts_r, size_t *count_r);

/*
 * A load, as in tcapw.h.  end only begins the end: step is called until it
 * is done or fails (MC_INVALID: a name is there twice), and meanwhile neither
 * begin nor add.  After a failure the load is forgotten.
 */
enum mc_status	 store_load_begin(struct store *);
enum mc_status	 store_load_add(struct store *, const void *accounts,
		    size_t len);
enum mc_status	 store_load_end(struct store *,
		    const struct tcapw_position *expected);
enum mc_status	 store_load_step(struct store *, bool *done_r);

#endif
