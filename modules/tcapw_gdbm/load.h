/* SPDX-License-Identifier: MIT */
/*
 * load - a whole GDBM file, made at one go.
 *
 * GDBM is slow at accounts in any order once the file is larger than what it
 * has touched lately (it maps the file anew as it grows): 17 us for one in a
 * million.  In the order of its own hash it fills bucket after bucket and
 * needs 2.  So accounts are first collected in a file without a name, with 16
 * bytes for each in memory, and then stored sorted.
 *
 *	accounts.gdbm.load	the new file, until it takes the store's place
 *
 * Made step by step, so that lookups in the store go on in between.
 *
 * One thread at a time.
 */
#ifndef TCAPW_GDBM_LOAD_H
#define TCAPW_GDBM_LOAD_H

#include <metacube/host.h>
#include <metacube/tcapw.h>

#include <gdbm.h>

struct load;

/* path is the store's.  NULL: the reason is logged. */
struct load	*load_new(struct mc_host *, const char *path);
void		 load_free(struct load **);	/* and its files */

/* As tcapw.h says of load_add. */
enum mc_status	 load_add(struct load *, const void *accounts, size_t len);

/* Begins the end: opens the new file with this function.  MC_INVALID: what
 * was added is not what is expected. */
typedef GDBM_FILE load_open_fn(void *store, const char *path);
enum mc_status	 load_build(struct load *, const struct tcapw_position *,
		    load_open_fn *, void *store);

/* A bit of it; done_r: all is stored.  MC_INVALID: a name is there twice. */
enum mc_status	 load_step(struct load *, bool *done_r);

/* The new file, now the caller's; the path it still has. */
GDBM_FILE	 load_take(struct load *);
const char	*load_path(const struct load *);

/* What a killed process may have left behind. */
void		 load_sweep(const char *path);

#endif
