/* SPDX-License-Identifier: MIT */
/*
 * tcapw_mem - accounts in memory: for tests, for a first look, and for
 * replicas that rather fetch everything again than keep files.
 *
 * A table (table.h) that answers; while another is loaded, a second one that
 * takes its place, and the first goes little by little: freeing a million
 * accounts at once would hold the loop.
 */
#include "table.h"

#include <metacube/pwq.h>

#include <stdlib.h>
#include <string.h>

#define SHRINK_STEP	4096	/* accounts */

struct conf {
	int64_t	max_accounts;
};

/* A table that is not needed any more. */
struct retired {
	struct retired	*next;
	struct table	*table;
};

struct store {
	struct mc_host		*host;
	const struct conf	*conf;
	struct table		*table, *loaded;	/* NULL: no load */
	struct retired		*retired;
};

static void
shrink(void *arg)
{
	struct store *store = arg;
	struct retired *retired = store->retired;

	table_shrink(&retired->table, SHRINK_STEP);
	if (retired->table == NULL) {
		store->retired = retired->next;
		free(retired);
	}
	if (store->retired != NULL)
		mc_later(store->host, shrink, store);
}

static void
retire(struct store *store, struct table **tablep)
{
	struct retired *retired;

	if (*tablep == NULL)
		return;
	retired = mc_zalloc(sizeof(*retired));
	retired->table = *tablep;
	*tablep = NULL;
	if (store->retired == NULL)
		mc_later(store->host, shrink, store);
	retired->next = store->retired;
	store->retired = retired;
}

static void
lookup(void *state, const char *name, struct mc_call *call)
{
	struct store *store = state;
	struct tcapw_account account;

	if (table_find(store->table, name, &account) == MC_OK) {
		mc_call_done(call, MC_OK, &account, sizeof(account));
		mc_wipe(&account, sizeof(account));
	} else
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static enum mc_status
full(const struct store *store)
{
	return mc_fail(store->host, MC_BUSY,
	    "no room for more than max_accounts = %lld accounts",
	    (long long)store->conf->max_accounts);
}

static bool
is_full(const struct store *store, struct table *table)
{
	return table_position(table)->count >=
	    (uint64_t)store->conf->max_accounts;
}

static void
account_put(struct table *table, const struct tcapw_account *account)
{
	uint8_t encoded[PWQ_MAX];
	size_t len = pwq_account_encode(account, encoded);

	table_put(table, account->name, account->uid, encoded, len);
	mc_wipe(encoded, len);
}

static enum mc_status
change_store(struct store *store, const struct tcapw_change *change)
{
	const struct tcapw_account *account = &change->account;
	struct tcapw_position *position = table_position(store->table);

	switch (change->verb) {
	case TCAPW_CREATE:
	case TCAPW_CHANGE:
		if (is_full(store, store->table) &&
		    !table_has(store->table, account->name))
			return full(store);
		account_put(store->table, account);
		break;
	case TCAPW_DELETE:
		table_delete(store->table, account->name);
		break;
	case TCAPW_RESERVE:
		break;
	}
	position->pointer = change->pointer;
	if (account->uid > position->last_uid)
		position->last_uid = account->uid;
	mc_gauge(store->host, "accounts", (int64_t)position->count);
	return MC_OK;
}

static void
apply(void *state, const struct tcapw_change *change, struct mc_call *call)
{
	struct store *store = state;
	const struct tcapw_position *position = table_position(store->table);
	enum mc_status status = MC_OK;

	switch (tcapw_order(position, &change->pointer)) {
	case TCAPW_NEXT:
		status = change_store(store, change);
		break;
	case TCAPW_OLD:
		break;
	case TCAPW_MISPLACED:
		status = MC_INVALID;
		break;
	}
	if (status == MC_OK)
		mc_call_done(call, MC_OK, position, sizeof(*position));
	else
		mc_call_done(call, status, NULL, 0);
}

static void
position(void *state, struct mc_call *call)
{
	struct store *store = state;

	mc_call_done(call, MC_OK, table_position(store->table),
	    sizeof(struct tcapw_position));
}

static void
list(void *state, const char *after, size_t max, struct mc_call *call)
{
	struct store *store = state;
	struct tcapw_account *accounts;
	size_t n;

	if (max > TCAPW_LIST_MAX)
		max = TCAPW_LIST_MAX;
	accounts = mc_zalloc(max * sizeof(*accounts) + 1);
	n = table_list(store->table, after, accounts, max);
	mc_call_done(call, MC_OK, accounts, n * sizeof(*accounts));
	free(accounts);
}

static void
load_begin(void *state, struct mc_call *call)
{
	struct store *store = state;

	retire(store, &store->loaded);
	store->loaded = table_new((size_t)store->conf->max_accounts);
	mc_call_done(call, MC_OK, NULL, 0);
}

static enum mc_status
account_load(struct store *store, const void *encoded, size_t len)
{
	struct table *table = store->loaded;
	struct tcapw_account account;

	if (is_full(store, table))
		return full(store);
	if (pwq_account_decode(encoded, len, &account) == -1 ||
	    account.uid <= table_position(table)->last_uid ||
	    table_has(table, account.name))
		return MC_INVALID;
	table_put(table, account.name, account.uid, encoded, len);
	mc_wipe(account.verifier, sizeof(account.verifier));
	return MC_OK;
}

static void
load_add(void *state, const void *accounts, size_t len, struct mc_call *call)
{
	struct store *store = state;
	enum mc_status status = store->loaded != NULL ? MC_OK : MC_INVALID;
	size_t offset = 0, one_len;
	const void *one;

	while (status == MC_OK && (one = pwq_account_next(accounts, len,
	    &offset, &one_len)) != NULL)
		status = account_load(store, one, one_len);
	if (status == MC_OK && offset != len)
		status = MC_INVALID;
	if (status != MC_OK)
		retire(store, &store->loaded);
	mc_call_done(call, status, NULL, 0);
}

static void
load_end(void *state, const struct tcapw_position *expected,
    struct mc_call *call)
{
	struct store *store = state;

	if (store->loaded == NULL || !tcapw_loaded(
	    table_position(store->loaded), expected)) {
		retire(store, &store->loaded);
		mc_call_done(call, MC_INVALID, NULL, 0);
		return;
	}
	*table_position(store->loaded) = *expected;
	retire(store, &store->table);
	store->table = store->loaded;
	store->loaded = NULL;
	mc_gauge(store->host, "accounts", (int64_t)expected->count);
	mc_call_done(call, MC_OK, NULL, 0);
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct store *store = state;

	store->host = host;
	store->conf = conf;
	store->table = table_new((size_t)store->conf->max_accounts);
	return MC_OK;
}

static void
fini(void *state)
{
	struct store *store = state;
	struct retired *retired;

	while ((retired = store->retired) != NULL) {
		store->retired = retired->next;
		table_shrink(&retired->table, SIZE_MAX);
		free(retired);
	}
	if (store->loaded != NULL)
		table_shrink(&store->loaded, SIZE_MAX);
	table_shrink(&store->table, SIZE_MAX);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, max_accounts), .type = MC_INT,
	  .fallback = "1000000", .min = 1, .max = 100000000,
	  .help = "How many accounts the store may hold; each takes about "
	  "200 bytes, and room for all is set aside at 8 bytes." },
	{ 0 }
};

static const struct tcapw_ops ops = {
	.lookup		= lookup,
	.apply		= apply,
	.position	= position,
	.list		= list,
	.load_begin	= load_begin,
	.load_add	= load_add,
	.load_end	= load_end,
};

static const struct mc_provide provides[] = {
	TCAPW_PROVIDE(&ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "tcapw_mem",
	.version	= "0.1.0",
	.summary	= "Account store in memory",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct store),
	.init		= init,
	.fini		= fini,
};
