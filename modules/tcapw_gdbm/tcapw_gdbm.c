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
	bool		 ending;	/* a load; instance's thread */
};

/* One request on its way to the instance's thread, with what its operation
 * needs behind it.  run says whether that was all. */
struct request {
	bool		(*run)(struct store *, struct request *);
	struct tcapw	*tcapw;
	struct mc_call	*call;
};

struct named {			/* lookup, list */
	struct request	request;
	size_t		max;
	char		name[MC_NAME_SIZE];
};

struct change {
	struct request	request;
	struct tcapw_change change;
};

struct addition {
	struct request	request;
	size_t		len;
	uint8_t		accounts[];
};

struct ending {
	struct request	request;
	bool		begun;
	struct tcapw_position expected;
};

static void
answer_position(struct request *request, enum mc_status status)
{
	const struct tcapw_position *position =
	    store_position(request->tcapw->store);

	mc_gauge(request->tcapw->host, "accounts", (int64_t)position->count);
	if (status == MC_OK)
		mc_call_done(request->call, MC_OK, position,
		    sizeof(*position));
	else
		mc_call_done(request->call, status, NULL, 0);
}

static bool
run_lookup(struct store *store, struct request *request)
{
	struct named *named = (struct named *)request;
	struct tcapw_account account;
	enum mc_status status = store_lookup(store, named->name, &account);

	if (status == MC_OK)
		mc_call_done(request->call, MC_OK, &account, sizeof(account));
	else
		mc_call_done(request->call, status, NULL, 0);
	mc_wipe(&account, sizeof(account));
	return true;
}

static bool
run_apply(struct store *store, struct request *request)
{
	struct change *change = (struct change *)request;

	answer_position(request, store_apply(store, &change->change));
	mc_wipe(&change->change, sizeof(change->change));
	return true;
}

static bool
run_position(struct store *store, struct request *request)
{
	(void)store;
	answer_position(request, MC_OK);
	return true;
}

static bool
run_list(struct store *store, struct request *request)
{
	struct named *named = (struct named *)request;
	struct tcapw_account *accounts =
	    mc_zalloc(TCAPW_LIST_MAX * sizeof(*accounts));
	size_t count;
	enum mc_status status = store_list(store, named->name, named->max,
	    accounts, &count);

	mc_call_done(request->call, status, accounts,
	    count * sizeof(*accounts));
	free(accounts);
	return true;
}

static bool
run_load_begin(struct store *store, struct request *request)
{
	enum mc_status status = request->tcapw->ending ? MC_BUSY :
	    store_load_begin(store);

	mc_call_done(request->call, status, NULL, 0);
	return true;
}

static bool
run_load_add(struct store *store, struct request *request)
{
	struct addition *addition = (struct addition *)request;
	enum mc_status status = request->tcapw->ending ? MC_BUSY :
	    store_load_add(store, addition->accounts, addition->len);

	mc_wipe(addition->accounts, addition->len);
	mc_call_done(request->call, status, NULL, 0);
	return true;
}

static void run(void **jobs, size_t count);

/* On the loop: behind what was asked meanwhile. */
static void
run_again(void *arg)
{
	struct request *request = arg;

	mc_work_batch(request->tcapw->host, run, request);
}

static bool
run_load_end(struct store *store, struct request *request)
{
	struct ending *ending = (struct ending *)request;
	struct tcapw *tcapw = request->tcapw;
	enum mc_status status;
	bool done = false;

	if (!ending->begun && tcapw->ending)
		status = MC_BUSY;
	else if (!ending->begun)
		status = store_load_end(store, &ending->expected);
	else
		status = store_load_step(store, &done);
	if (status == MC_OK && !done) {
		tcapw->ending = ending->begun = true;
		mc_later(tcapw->host, run_again, request);
		return false;
	}
	if (ending->begun)
		tcapw->ending = false;
	mc_gauge(tcapw->host, "accounts",
	    (int64_t)store_position(store)->count);
	mc_call_done(request->call, status, NULL, 0);
	return true;
}

/* Instance's thread. */
static void
run(void **jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct request *request = jobs[i];

		if (request->run(request->tcapw->store, request))
			free(request);
	}
}

static void *
request_new(struct tcapw *tcapw, struct mc_call *call, size_t size,
    bool (*run_it)(struct store *, struct request *))
{
	struct request *request = mc_zalloc(size);

	request->run = run_it;
	request->tcapw = tcapw;
	request->call = call;
	return request;
}

/* A longer name than an account can have is that of none. */
static bool
name_take(struct named *named, const char *name)
{
	size_t len = strnlen(name, MC_NAME_SIZE);

	if (len == MC_NAME_SIZE)
		return false;
	memcpy(named->name, name, len + 1);
	return true;
}

static void
lookup(void *state, const char *name, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct named *named =
	    request_new(tcapw, call, sizeof(*named), run_lookup);

	if (name_take(named, name))
		mc_work_batch(tcapw->host, run, named);
	else {
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
		free(named);
	}
}

static void
apply(void *state, const struct tcapw_change *change, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct change *request =
	    request_new(tcapw, call, sizeof(*request), run_apply);

	request->change = *change;
	mc_work_batch(tcapw->host, run, request);
}

static void
position(void *state, struct mc_call *call)
{
	struct tcapw *tcapw = state;

	mc_work_batch(tcapw->host, run,
	    request_new(tcapw, call, sizeof(struct request), run_position));
}

static void
list(void *state, const char *after, size_t max, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct named *named =
	    request_new(tcapw, call, sizeof(*named), run_list);

	named->max = max < TCAPW_LIST_MAX ? max : TCAPW_LIST_MAX;
	if (name_take(named, after))
		mc_work_batch(tcapw->host, run, named);
	else {
		mc_call_done(call, MC_INVALID, NULL, 0);
		free(named);
	}
}

static void
begin_load(void *state, struct mc_call *call)
{
	struct tcapw *tcapw = state;

	mc_work_batch(tcapw->host, run,
	    request_new(tcapw, call, sizeof(struct request), run_load_begin));
}

static void
add_load(void *state, const void *accounts, size_t len, struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct addition *addition;

	if (len > TCAPW_LOAD_MAX) {
		mc_call_done(call, MC_INVALID, NULL, 0);
		return;
	}
	addition = request_new(tcapw, call, sizeof(*addition) + len,
	    run_load_add);
	addition->len = len;
	memcpy(addition->accounts, accounts, len);
	mc_work_batch(tcapw->host, run, addition);
}

static void
end_load(void *state, const struct tcapw_position *expected,
    struct mc_call *call)
{
	struct tcapw *tcapw = state;
	struct ending *ending =
	    request_new(tcapw, call, sizeof(*ending), run_load_end);

	ending->expected = *expected;
	mc_work_batch(tcapw->host, run, ending);
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
	  .help = "The GDBM file; .clean, .unclean, .load and .lock are "
	  "added to its name for the files beside it." },
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
	.load_begin	= begin_load,
	.load_add	= add_load,
	.load_end	= end_load,
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
