/* SPDX-License-Identifier: MIT */
/*
 * tcapw_gdbm - accounts in a GDBM file.
 *
 * The store (store.h) belongs to the instance's own thread; here requests
 * are carried over to it, many at a time, and answered from there.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

struct tcapw {
	struct mc_host	*host;
	struct store	*store;
};

/* One request on its way to the instance's thread. */
struct request {
	void		(*run)(struct store *, struct request *);
	struct tcapw	*tcapw;
	struct mc_call	*call;
	size_t		 max;
	char		 name[MC_NAME_SIZE];
	struct tcapw_change change;	/* apply only: see request_new */
};

static void
run_lookup(struct store *store, struct request *request)
{
	struct tcapw_account account;
	enum mc_status status = store_lookup(store, request->name, &account);

	if (status == MC_OK)
		mc_call_done(request->call, MC_OK, &account, sizeof(account));
	else
		mc_call_done(request->call, status, NULL, 0);
	mc_wipe(&account, sizeof(account));
}

static void
run_apply(struct store *store, struct request *request)
{
	enum mc_status status = store_apply(store, &request->change);

	mc_gauge(request->tcapw->host, "accounts",
	    (int64_t)store_position(store)->count);
	if (status == MC_OK)
		mc_call_done(request->call, MC_OK, store_position(store),
		    sizeof(struct tcapw_position));
	else
		mc_call_done(request->call, status, NULL, 0);
	mc_wipe(&request->change, sizeof(request->change));
}

static void
run_position(struct store *store, struct request *request)
{
	mc_call_done(request->call, MC_OK, store_position(store),
	    sizeof(struct tcapw_position));
}

static void
run_list(struct store *store, struct request *request)
{
	struct tcapw_account *accounts =
	    mc_zalloc(TCAPW_LIST_MAX * sizeof(*accounts));
	size_t count;
	enum mc_status status = store_list(store, request->name,
	    request->max, accounts, &count);

	mc_call_done(request->call, status, accounts,
	    count * sizeof(*accounts));
	free(accounts);
}

/* Instance's thread. */
static void
run(void **jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct request *request = jobs[i];

		request->run(request->tcapw->store, request);
		free(request);
	}
}

/* Lookups are many, so they do not carry the room for a change. */
static struct request *
request_new(struct tcapw *tcapw, struct mc_call *call, bool changes,
    void (*run_it)(struct store *, struct request *))
{
	struct request *request = mc_zalloc(changes ? sizeof(*request) :
	    offsetof(struct request, change));

	request->run = run_it;
	request->tcapw = tcapw;
	request->call = call;
	return request;
}

/* A longer name than an account can have is that of none. */
static bool
name_take(struct request *request, const char *name)
{
	size_t len = strnlen(name, MC_NAME_SIZE);

	if (len == MC_NAME_SIZE)
		return false;
	memcpy(request->name, name, len + 1);
	return true;
}

static void
lookup(void *state, const char *name, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct request *request = request_new(tcapw, call, false, run_lookup);

	if (name_take(request, name))
		mc_work_batch(tcapw->host, run, request);
	else {
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
		free(request);
	}
}

static void
apply(void *state, const struct tcapw_change *change, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct request *request = request_new(tcapw, call, true, run_apply);

	request->change = *change;
	mc_work_batch(tcapw->host, run, request);
}

static void
position(void *state, struct mc_call *call)
{
	struct tcapw *tcapw = state;

	mc_work_batch(tcapw->host, run,
	    request_new(tcapw, call, false, run_position));
}

static void
list(void *state, const char *after, size_t max, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct request *request = request_new(tcapw, call, false, run_list);

	request->max = max < TCAPW_LIST_MAX ? max : TCAPW_LIST_MAX;
	if (name_take(request, after))
		mc_work_batch(tcapw->host, run, request);
	else {
		mc_call_done(call, MC_INVALID, NULL, 0);
		free(request);
	}
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct tcapw *tcapw = state;

	tcapw->host = host;
	tcapw->store = store_open(host, conf);
	if (tcapw->store == NULL)
		return MC_UNAVAILABLE;
	mc_gauge(host, "accounts",
	    (int64_t)store_position(tcapw->store)->count);
	return MC_OK;
}

static void
fini(void *state)
{
	struct tcapw *tcapw = state;

	store_close(&tcapw->store);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct store_conf, path), .type = MC_PATH,
	  .fallback = STATE_DIR "/accounts.gdbm",
	  .help = "The GDBM file; .clean, .unclean and .lock are added to "
	  "its name for the files beside it." },
	{ MC_FIELD(struct store_conf, block_size), .type = MC_SIZE,
	  .fallback = "4KiB", .min = 512, .max = 65536,
	  .help = "Block size of a file that is made anew." },
	{ MC_FIELD(struct store_conf, cache), .type = MC_SIZE,
	  .fallback = "16MiB", .min = 65536, .max = 4294967296,
	  .help = "Memory for GDBM's cache of buckets." },
	{ MC_FIELD(struct store_conf, map_max), .type = MC_SIZE,
	  .fallback = "1GiB", .min = 1048576, .max = 68719476736,
	  .help = "At most so much of the file is mapped into memory." },
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
	.name		= "tcapw_gdbm",
	.version	= "0.1.0",
	.summary	= "Account store in a GDBM file",
	.license	= "GPL-3.0-or-later",	/* linked with GDBM */
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct store_conf),
	.state_size	= sizeof(struct tcapw),
	.init		= init,
	.fini		= fini,
};
