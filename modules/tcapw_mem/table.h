/* SPDX-License-Identifier: MIT */
/*
 * table - accounts in memory, as they are encoded (metacube/pwq.h): about a
 * fifth of the struct, and what the digest is made of.
 *
 * A hash table that is as large as it will ever be from the beginning, so
 * that no change has to wait for its growth.  Listing goes by bucket and, in
 * a bucket, by name: an order that stays as accounts come and go.
 *
 * Loop thread only.
 */
#ifndef TCAPW_MEM_TABLE_H
#define TCAPW_MEM_TABLE_H

#include <metacube/host.h>
#include <metacube/tcapw.h>

struct table;

struct table	*table_new(size_t max_accounts);

/* Frees up to so many accounts; when none is left the table goes too, and
 * *tablep is NULL. */
void		 table_shrink(struct table **tablep, size_t accounts);

struct tcapw_position *table_position(struct table *);

/* An account, encoded and valid.  The last uid follows. */
enum mc_status	 table_find(const struct table *, const char *name,
		    struct tcapw_account *account_r);
bool		 table_has(const struct table *, const char *name);
void		 table_put(struct table *, const char *name, uint64_t uid,
		    const void *encoded, size_t len);
void		 table_delete(struct table *, const char *name);

size_t		 table_list(const struct table *, const char *after,
		    struct tcapw_account *accounts_r, size_t max);

#endif
