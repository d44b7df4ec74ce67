/* SPDX-License-Identifier: MIT */
/*
 * tcapw_mem - accounts in memory: for tests, for a first look, and for
 * replicas that rather fetch everything again than keep files.
 *
 * A hash table that is as large as it will ever be from the beginning, so
 * that no change has to wait for its growth.  Listing goes by bucket and, in
 * a bucket, by name: an order that stays as accounts come and go.
 */
#include <metacube/host.h>
#include <metacube/pwq.h>
#include <metacube/tcapw.h>

#include <stdlib.h>
#include <string.h>

struct conf {
	int64_t	max_accounts;
};

struct entry {
	struct entry		*next;		/* in the bucket, by name */
	struct tcapw_account	 account;
};

struct store {
	struct mc_host		*host;
	const struct conf	*conf;
	struct entry		**buckets;
	size_t			 nbuckets;	/* a power of two */
	uint64_t		 seed;
	struct tcapw_position	 position;
};

/* FNV-1a from a random start: nobody chooses names for one bucket. */
static size_t
bucket_of(const struct store *store, const char *name)
{
	uint64_t hash = store->seed;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	return (size_t)(hash ^ hash >> 32) & (store->nbuckets - 1);
}

/* Where the entry with this name is linked, or would be. */
static struct entry **
entry_link(struct store *store, const char *name)
{
	struct entry **link = &store->buckets[bucket_of(store, name)];

	while (*link != NULL && strcmp((*link)->account.name, name) < 0)
		link = &(*link)->next;
	return link;
}

static bool
is_there(const struct entry *entry, const char *name)
{
	return entry != NULL && strcmp(entry->account.name, name) == 0;
}

static void
lookup(void *state, const char *name, struct mc_call *call)
{
	const struct entry *entry = *entry_link(state, name);

	if (is_there(entry, name))
		mc_call_done(call, MC_OK, &entry->account,
		    sizeof(entry->account));
	else
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static void
digest_change(struct store *store, const struct tcapw_account *account,
    void (*change)(uint8_t *, const void *, size_t))
{
	uint8_t encoded[PWQ_MAX];
	size_t len = pwq_account_encode(account, encoded);

	change(store->position.digest, encoded, len);
	mc_wipe(encoded, len);
}

static void
entry_remove(struct store *store, struct entry **link)
{
	struct entry *entry = *link;

	*link = entry->next;
	digest_change(store, &entry->account, pwq_digest_sub);
	store->position.count--;
	mc_wipe(entry, sizeof(*entry));
	free(entry);
}

static void
entry_insert(struct store *store, struct entry **link,
    const struct tcapw_account *account)
{
	struct entry *entry = mc_zalloc(sizeof(*entry));

	entry->account = *account;
	entry->next = *link;
	*link = entry;
	digest_change(store, account, pwq_digest_add);
	store->position.count++;
}

static enum mc_status
change_store(struct store *store, const struct tcapw_change *change)
{
	struct entry **link = entry_link(store, change->account.name);
	bool there = is_there(*link, change->account.name);

	if (!there && change->verb != TCAPW_DELETE &&
	    store->position.count >= (uint64_t)store->conf->max_accounts)
		return mc_fail(store->host, MC_BUSY,
		    "no room for more than max_accounts = %lld accounts",
		    (long long)store->conf->max_accounts);
	if (there)
		entry_remove(store, link);
	if (change->verb != TCAPW_DELETE)
		entry_insert(store, link, &change->account);
	store->position.pointer = change->pointer;
	if (change->account.uid > store->position.last_uid)
		store->position.last_uid = change->account.uid;
	mc_gauge(store->host, "accounts", (int64_t)store->position.count);
	return MC_OK;
}

static void
apply(void *state, const struct tcapw_change *change, struct mc_call *call)
{
	struct store *store = state;
	enum mc_status status = MC_OK;

	switch (tcapw_order(&store->position, &change->pointer)) {
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
		mc_call_done(call, MC_OK, &store->position,
		    sizeof(store->position));
	else
		mc_call_done(call, status, NULL, 0);
}

static void
position(void *state, struct mc_call *call)
{
	struct store *store = state;

	mc_call_done(call, MC_OK, &store->position, sizeof(store->position));
}

static size_t
chain_list(const struct entry *entry, struct tcapw_account *accounts,
    size_t max)
{
	size_t n = 0;

	for (; entry != NULL && n < max; entry = entry->next, n++) {
		accounts[n] = entry->account;
		mc_wipe(accounts[n].verifier, sizeof(accounts[n].verifier));
	}
	return n;
}

static void
list(void *state, const char *after, size_t max, struct mc_call *call)
{
	struct store *store = state;
	struct tcapw_account *accounts;
	struct entry *entry = store->buckets[0];
	size_t bucket = 0, n;

	if (max > TCAPW_LIST_MAX)
		max = TCAPW_LIST_MAX;
	accounts = mc_zalloc(max * sizeof(*accounts) + 1);
	if (after[0] != '\0') {
		bucket = bucket_of(store, after);
		entry = *entry_link(store, after);
		if (is_there(entry, after))
			entry = entry->next;
	}
	n = chain_list(entry, accounts, max);
	while (n < max && ++bucket < store->nbuckets)
		n += chain_list(store->buckets[bucket], accounts + n, max - n);
	mc_call_done(call, MC_OK, accounts, n * sizeof(*accounts));
	free(accounts);
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct store *store = state;

	store->host = host;
	store->conf = conf;
	store->nbuckets = 1;
	while (store->nbuckets < (size_t)store->conf->max_accounts)
		store->nbuckets *= 2;
	store->buckets = mc_zalloc(store->nbuckets * sizeof(struct entry *));
	mc_random(&store->seed, sizeof(store->seed));
	return MC_OK;
}

static void
fini(void *state)
{
	struct store *store = state;
	struct entry *entry;

	for (size_t i = 0; i < store->nbuckets; i++)
		while ((entry = store->buckets[i]) != NULL) {
			store->buckets[i] = entry->next;
			mc_wipe(entry, sizeof(*entry));
			free(entry);
		}
	free(store->buckets);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, max_accounts), .type = MC_INT,
	  .fallback = "100000", .min = 1, .max = 100000000,
	  .help = "How many accounts the store may hold; each takes about "
	  "330 bytes." },
	{ 0 }
};

static const struct tcapw_ops ops = {
	.lookup		= lookup,
	.apply		= apply,
	.position	= position,
	.list		= list,
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
