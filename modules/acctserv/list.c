/* SPDX-License-Identifier: MIT */
/*
 * account list: the store gives accounts in its own order, so those that are
 * shown are gathered first, and sorted.  Beyond ROWS_MAX the store is read no
 * further.
 */
#include "acctserv.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX	10000

struct row {
	uint64_t	uid;
	uint32_t	flags;
	char		name[MC_NAME_SIZE], display[MC_NAME_SIZE];
};

struct listing {
	struct acctserv	*acctserv;
	struct mc_query	*query;
	char		 prefix[MC_NAME_SIZE], after[MC_NAME_SIZE];
	struct row	*rows;
	size_t		 count, room;
};

static void
row_add(struct listing *listing, const struct tcapw_account *account)
{
	struct row *row;

	if (strncmp(account->name, listing->prefix,
	    strlen(listing->prefix)) != 0 || listing->count == ROWS_MAX)
		return;
	if (listing->count == listing->room) {
		listing->room = listing->room == 0 ? 64 : 2 * listing->room;
		row = mc_zalloc(listing->room * sizeof(*row));
		if (listing->count > 0)
			memcpy(row, listing->rows,
			    listing->count * sizeof(*row));
		free(listing->rows);
		listing->rows = row;
	}
	row = &listing->rows[listing->count++];
	row->uid = account->uid;
	row->flags = account->flags;
	strcpy(row->name, account->name);
	strcpy(row->display, account->display);
}

static int
row_compare(const void *left, const void *right)
{
	return strcmp(((const struct row *)left)->name,
	    ((const struct row *)right)->name);
}

static void
rows_show(struct listing *listing)
{
	struct mc_query *query = listing->query;

	if (listing->count > 0)
		qsort(listing->rows, listing->count, sizeof(*listing->rows),
		    row_compare);
	mc_query_columns(query, "name", "uid", "state", NULL);
	for (size_t i = 0; i < listing->count; i++) {
		const struct row *row = &listing->rows[i];

		mc_query_row(query);
		mc_query_cell(query, "%s", row->display);
		mc_query_cell(query, "%llu", (unsigned long long)row->uid);
		mc_query_cell(query, "%s", state_text(row->flags));
	}
}

static void
listing_end(struct listing *listing, enum mc_status status)
{
	struct mc_query *query = listing->query;

	rows_show(listing);
	if (status != MC_OK)
		mc_query_done(query, status, "the account store does not "
		    "answer: %s", mc_status_text(status));
	else if (listing->count == ROWS_MAX)
		mc_query_done(query, MC_OK, "only %d are shown: give the "
		    "beginning of a name to see others", ROWS_MAX);
	else
		mc_query_done(query, MC_OK, "%zu account%s", listing->count,
		    listing->count == 1 ? "" : "s");
	free(listing->rows);
	free(listing);
}

static void go_on(struct listing *listing);

static void
listed(void *owner, const struct mc_reply *reply)
{
	struct listing *listing = owner;
	const struct tcapw_account *accounts = reply->data;
	size_t n = reply->len / sizeof(*accounts);

	if (reply->status == MC_OK)
		for (size_t i = 0; i < n; i++)
			row_add(listing, &accounts[i]);
	if (reply->status != MC_OK || n == 0 || listing->count == ROWS_MAX) {
		listing_end(listing, reply->status);
		return;
	}
	strcpy(listing->after, accounts[n - 1].name);
	go_on(listing);
}

static void
go_on(struct listing *listing)
{
	tcapw_list(&listing->acctserv->tcapw, listing->after, TCAPW_LIST_MAX,
	    NULL, listed, listing);
}

static void
prefix_fold(const char *prefix, char folded[MC_NAME_SIZE])
{
	size_t i;

	for (i = 0; prefix[i] != '\0' && i < MC_NAME_SIZE - 1; i++)
		folded[i] = prefix[i] >= 'A' && prefix[i] <= 'Z' ?
		    (char)(prefix[i] - 'A' + 'a') : prefix[i];
	folded[i] = '\0';
}

void
account_list(void *state, struct mc_query *query)
{
	struct acctserv *acctserv = state;
	struct listing *listing;

	if (!is_ready(acctserv, query))
		return;
	listing = mc_zalloc(sizeof(*listing));
	listing->acctserv = acctserv;
	listing->query = query;
	if (mc_query_arg(query, 0) != NULL)
		prefix_fold(mc_query_arg(query, 0), listing->prefix);
	go_on(listing);
}
