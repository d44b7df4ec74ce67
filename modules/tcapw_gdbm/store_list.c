/* SPDX-License-Identifier: MIT */
/*
 * store_list - all accounts by name.
 *
 * GDBM's own order is lost when the account that a listing has come to is
 * deleted.  So a listing begins with all names, sorted, and keeps them until
 * its end; another listing meanwhile may as well go on with these.
 */
#include "store_parts.h"

#include <stdlib.h>
#include <string.h>

static int
name_compare(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void
names_take(struct store *store, const datum *key)
{
	if (key->dsize <= 0 || key->dsize >= MC_NAME_SIZE ||
	    key->dptr[0] == '\0' || store->nnames == store->position.count)
		return;
	memcpy(store->names[store->nnames++], key->dptr, (size_t)key->dsize);
}

static void
names_collect(struct store *store)
{
	datum key, next;

	free(store->names);
	store->names = mc_zalloc(MC_NAME_SIZE * (store->position.count + 1));
	store->nnames = 0;
	for (key = gdbm_firstkey(store->db); key.dptr != NULL; key = next) {
		names_take(store, &key);
		next = gdbm_nextkey(store->db, key);
		free(key.dptr);
	}
	qsort(store->names, store->nnames, MC_NAME_SIZE, name_compare);
}

static size_t
names_after(const struct store *store, const char *after)
{
	size_t low = 0, high = store->nnames;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(store->names[middle], after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
store_list_forget(struct store *store)
{
	free(store->names);
	store->names = NULL;
	store->nnames = 0;
}

enum mc_status
store_list(struct store *store, const char *after, size_t max,
    struct tcapw_account *accounts_r, size_t *count_r)
{
	enum mc_status status;
	size_t n = 0;

	*count_r = 0;
	store_current = store;
	if (store->broken)
		return MC_UNAVAILABLE;
	if (after[0] == '\0' || store->names == NULL)
		names_collect(store);
	for (size_t i = names_after(store, after);
	    i < store->nnames && n < max; i++) {
		status = store_lookup(store, store->names[i], &accounts_r[n]);
		if (status == MC_NOT_FOUND)
			continue;	/* deleted since the listing began */
		if (status != MC_OK)
			return status;
		tcapw_conceal(&accounts_r[n]);
		n++;
	}
	if (n < max)
		store_list_forget(store);
	*count_r = n;
	return MC_OK;
}
