/* SPDX-License-Identifier: MIT */
/*
 * store_load - another whole file takes the store's place: load.h makes it,
 * clean.h marks it.  Until then the old one answers.
 */
#include "store_parts.h"

#include <errno.h>
#include <string.h>

void
store_load_forget(struct store *store)
{
	clean_marking_free(&store->marking);
	if (store->loaded_db != NULL) {
		gdbm_close(store->loaded_db);
		store->loaded_db = NULL;
		load_sweep(store->conf.path);
	}
	load_free(&store->load);
}

enum mc_status
store_load_begin(struct store *store)
{
	if (store->broken)
		return MC_UNAVAILABLE;
	store_load_forget(store);
	store->load = load_new(store->host, store->conf.path);
	return store->load != NULL ? MC_OK : MC_UNAVAILABLE;
}

enum mc_status
store_load_add(struct store *store, const void *accounts, size_t len)
{
	enum mc_status status;

	if (store->load == NULL)
		return MC_INVALID;
	status = load_add(store->load, accounts, len);
	if (status != MC_OK)
		store_load_forget(store);
	return status;
}

/* The file that is loaded is not one that the next start could meet. */
static void
load_gave_up(const char *message)
{
	mc_fatal(store_current->host, "%s.load: GDBM: %s",
	    store_current->conf.path, message);
}

static GDBM_FILE
load_open(void *arg, const char *path)
{
	struct store *store = arg;
	GDBM_FILE db = gdbm_open(path, (int)store->conf.block_size,
	    GDBM_NEWDB | GDBM_CLOEXEC, 0600, load_gave_up);

	if (db == NULL)
		mc_log(store->host, MC_ERROR, "%s: %s (%s)", path,
		    gdbm_strerror(gdbm_errno), strerror(errno));
	else
		store_options(store, db);
	return db;
}

enum mc_status
store_load_end(struct store *store, const struct tcapw_position *expected)
{
	enum mc_status status;

	store_current = store;
	if (store->load == NULL)
		return MC_INVALID;
	store->loaded = *expected;
	status = load_build(store->load, expected, load_open, store);
	if (status != MC_OK)
		store_load_forget(store);
	return status;
}

/* All accounts are stored: what is left is to say where they stand. */
static enum mc_status
loaded_finish(struct store *store)
{
	GDBM_FILE db = store->loaded_db = load_take(store->load);

	if (store_position_write(db, &store->loaded) != 0 || gdbm_sync(db) != 0)
		return mc_fail(store->host, MC_UNAVAILABLE, "%s: %s",
		    load_path(store->load), gdbm_db_strerror(db));
	mc_crash_point("tcapw_gdbm.loaded");
	store->marking = clean_marking_new(store->host,
	    load_path(store->load));
	return store->marking != NULL ? MC_OK : MC_UNAVAILABLE;
}

/* The marker first: killed between the two, the old store is unclean, which
 * it mostly was before; the new one is not there. */
static enum mc_status
loaded_take_place(struct store *store)
{
	enum mc_status status = clean_marking_end(store->host,
	    store->marking, store->conf.path);

	store->dirty = true;
	if (status == MC_OK)
		status = clean_replace(store->host, load_path(store->load),
		    store->conf.path);
	if (status != MC_OK)
		return status;
	gdbm_close(store->db);
	store->db = store->loaded_db;
	store->loaded_db = NULL;
	store->dirty = false;
	store->position = store->loaded;
	store_list_forget(store);
	store_load_forget(store);
	return MC_OK;
}

static enum mc_status
loaded_step(struct store *store, bool *done_r)
{
	int more = clean_marking_step(store->marking);

	if (more == 1)
		return MC_OK;
	*done_r = true;
	if (more == 0)
		return loaded_take_place(store);
	return mc_fail(store->host, MC_UNAVAILABLE, "%s: %s",
	    load_path(store->load), strerror(errno));
}

enum mc_status
store_load_step(struct store *store, bool *done_r)
{
	enum mc_status status;
	bool stored = false;

	*done_r = false;
	store_current = store;
	if (store->marking != NULL)
		status = loaded_step(store, done_r);
	else {
		status = load_step(store->load, &stored);
		if (status == MC_OK && stored)
			status = loaded_finish(store);
	}
	if (status != MC_OK)
		store_load_forget(store);
	return status;
}
