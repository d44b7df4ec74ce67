/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "clean.h"
#include "load.h"

#include <metacube/bytes.h>
#include <metacube/pwq.h>

#include <errno.h>
#include <gdbm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSITION_KEY	"\0position"
#define POSITION_SIZE	57
#define POSITION_VERSION 1

struct store {
	struct mc_host		*host;
	struct store_conf	 conf;
	GDBM_FILE		 db;
	int			 lock;
	bool			 dirty;		/* has no marker */
	bool			 broken;	/* until the next start */
	struct tcapw_position	 position;
	char			(*names)[MC_NAME_SIZE];	/* sorted; a listing */
	size_t			 nnames;	/* is under way */
	struct load		*load;		/* NULL: none */
	struct tcapw_position	 loaded;	/* what it shall be */
	GDBM_FILE		 loaded_db;	/* all is in it */
	struct clean_marking	*marking;	/* of that */
};

/* GDBM does not tell its fatal function which file it was: the one that this
 * thread works on. */
static _Thread_local struct store *current;

/* GDBM would end the process after this; we do, and say why.  The marker
 * goes, so that the next start does not meet the same file. */
static void
gdbm_gave_up(const char *message)
{
	clean_unmark(current->host, current->conf.path);
	mc_fatal(current->host, "%s: GDBM: %s; it will be built anew from "
	    "the queue at the next start", current->conf.path, message);
}

static datum
position_key(void)
{
	static char key[] = POSITION_KEY;

	return (datum){ key, sizeof(key) - 1 };
}

static datum
name_key(const char *name)
{
	return (datum){ (char *)name, (int)strlen(name) };
}

static void
datum_free(datum *value)
{
	if (value->dptr == NULL)
		return;
	mc_wipe(value->dptr, (size_t)value->dsize);
	free(value->dptr);
	value->dptr = NULL;
}

/* From now on nothing is believed that this file says. */
static enum mc_status
store_broken(struct store *store, const char *what)
{
	mc_log(store->host, MC_ERROR, "%s: %s: %s; accounts are unavailable "
	    "until the next start, which builds the file anew",
	    store->conf.path, what, gdbm_db_strerror(store->db));
	store->broken = true;
	if (!store->dirty)
		clean_unmark(store->host, store->conf.path);
	return MC_UNAVAILABLE;
}

static int
position_read(struct store *store)
{
	datum value = gdbm_fetch(store->db, position_key());
	struct tcapw_position *position = &store->position;
	const uint8_t *at = (uint8_t *)value.dptr;

	if (value.dptr == NULL || value.dsize != POSITION_SIZE ||
	    at[0] != POSITION_VERSION) {
		free(value.dptr);
		return -1;
	}
	memcpy(position->pointer.epoch, at + 1, 16);
	position->pointer.seq = mc_get64(at + 17);
	position->count = mc_get64(at + 25);
	position->last_uid = mc_get64(at + 33);
	memcpy(position->digest, at + 41, 16);
	free(value.dptr);
	return 0;
}

static int
position_write(GDBM_FILE db, const struct tcapw_position *position)
{
	uint8_t at[POSITION_SIZE] = { POSITION_VERSION };

	memcpy(at + 1, position->pointer.epoch, 16);
	mc_put64(at + 17, position->pointer.seq);
	mc_put64(at + 25, position->count);
	mc_put64(at + 33, position->last_uid);
	memcpy(at + 41, position->digest, 16);
	return gdbm_store(db, position_key(),
	    (datum){ (char *)at, sizeof(at) }, GDBM_REPLACE);
}

static void
options_set(const struct store *store, GDBM_FILE db)
{
	size_t cache = (size_t)(store->conf.cache / store->conf.block_size);
	size_t map_max = (size_t)store->conf.map_max;

	gdbm_setopt(db, GDBM_SETCACHESIZE, &cache, sizeof(cache));
	gdbm_setopt(db, GDBM_SETMAXMAPSIZE, &map_max, sizeof(map_max));
}

static enum mc_status
db_open(struct store *store, int flags)
{
	current = store;
	store->db = gdbm_open(store->conf.path, (int)store->conf.block_size,
	    flags | GDBM_CLOEXEC, 0600, gdbm_gave_up);
	if (store->db == NULL)
		return mc_fail(store->host, MC_UNAVAILABLE, "%s: %s (%s)",
		    store->conf.path, gdbm_strerror(gdbm_errno),
		    strerror(errno));
	options_set(store, store->db);
	return MC_OK;
}

static enum mc_status
store_create(struct store *store)
{
	store->dirty = true;
	if (clean_unmark(store->host, store->conf.path) != MC_OK)
		return MC_UNAVAILABLE;
	return db_open(store, GDBM_NEWDB);
}

static enum mc_status
store_use(struct store *store)
{
	if (db_open(store, GDBM_WRITER) != MC_OK)
		return MC_UNAVAILABLE;
	if (position_read(store) == 0)
		return MC_OK;
	return mc_fail(store->host, MC_UNAVAILABLE, "%s is a GDBM file, but "
	    "not one of accounts", store->conf.path);
}

static enum mc_status
store_begin(struct store *store)
{
	switch (clean_check(store->host, store->conf.path, &store->lock)) {
	case CLEAN_FINE:
		return store_use(store);
	case CLEAN_UNCLEAN:
		if (clean_set_aside(store->host, store->conf.path) != MC_OK)
			return MC_UNAVAILABLE;
		return store_create(store);
	case CLEAN_NONE:
		return store_create(store);
	case CLEAN_REFUSED:
		break;
	}
	return MC_UNAVAILABLE;
}

static void
load_forget(struct store *store)
{
	clean_marking_free(&store->marking);
	if (store->loaded_db != NULL) {
		gdbm_close(store->loaded_db);
		store->loaded_db = NULL;
		load_sweep(store->conf.path);
	}
	load_free(&store->load);
}

static void
store_free(struct store **storep)
{
	struct store *store = *storep;

	load_forget(store);
	if (store->db != NULL)
		gdbm_close(store->db);
	if (store->lock != -1)
		close(store->lock);
	free(store->names);
	free(store);
	*storep = NULL;
}

struct store *
store_open(struct mc_host *host, const struct store_conf *conf)
{
	struct store *store = mc_zalloc(sizeof(*store));

	store->host = host;
	store->conf = *conf;
	store->lock = -1;
	if (store_begin(store) != MC_OK)
		store_free(&store);
	else
		load_sweep(store->conf.path);
	return store;
}

void
store_close(struct store **storep)
{
	struct store *store = *storep;
	bool mark;

	if (store == NULL)
		return;
	current = store;
	mark = store->dirty && !store->broken;
	if (mark && (position_write(store->db, &store->position) != 0 ||
	    gdbm_sync(store->db) != 0)) {
		store_broken(store, "cannot be closed properly");
		mark = false;
	}
	if (gdbm_close(store->db) != 0)
		mark = false;
	store->db = NULL;
	if (mark)
		clean_mark(store->host, store->conf.path);
	store_free(storep);
}

const struct tcapw_position *
store_position(const struct store *store)
{
	return &store->position;
}

static enum mc_status
store_fetch(struct store *store, const char *name, datum *value_r)
{
	value_r->dptr = NULL;
	current = store;
	if (store->broken)
		return MC_UNAVAILABLE;
	*value_r = gdbm_fetch(store->db, name_key(name));
	if (value_r->dptr != NULL)
		return MC_OK;
	if (gdbm_last_errno(store->db) == GDBM_ITEM_NOT_FOUND)
		return MC_NOT_FOUND;
	return store_broken(store, "cannot be read");
}

enum mc_status
store_lookup(struct store *store, const char *name,
    struct tcapw_account *account_r)
{
	datum value;
	enum mc_status status = store_fetch(store, name, &value);

	if (status == MC_OK && (pwq_account_decode(value.dptr,
	    (size_t)value.dsize, account_r) == -1 ||
	    strcmp(account_r->name, name) != 0))
		status = store_broken(store, "holds a damaged account");
	datum_free(&value);
	return status;
}

static enum mc_status
account_replace(struct store *store, const struct tcapw_account *account,
    const datum *old)
{
	uint8_t encoded[PWQ_MAX];
	size_t len = pwq_account_encode(account, encoded);
	datum value = { (char *)encoded, (int)len };
	int result = gdbm_store(store->db, name_key(account->name), value,
	    GDBM_REPLACE);

	if (result == 0) {
		pwq_digest_add(store->position.digest, encoded, len);
		store->position.count += old->dptr == NULL;
	}
	mc_wipe(encoded, len);
	return result == 0 ? MC_OK :
	    store_broken(store, "cannot be written");
}

static enum mc_status
account_delete(struct store *store, const char *name, const datum *old)
{
	if (old->dptr == NULL)
		return MC_OK;
	if (gdbm_delete(store->db, name_key(name)) != 0)
		return store_broken(store, "cannot be written");
	store->position.count--;
	return MC_OK;
}

static enum mc_status
change_write(struct store *store, const struct tcapw_change *change)
{
	const char *name = change->account.name;
	datum old;
	enum mc_status status;

	if (change->verb == TCAPW_RESERVE)
		return MC_OK;
	status = store_fetch(store, name, &old);
	if (status != MC_OK && status != MC_NOT_FOUND)
		return status;
	if (change->verb == TCAPW_DELETE)
		status = account_delete(store, name, &old);
	else
		status = account_replace(store, &change->account, &old);
	if (status == MC_OK && old.dptr != NULL)
		pwq_digest_sub(store->position.digest, old.dptr,
		    (size_t)old.dsize);
	datum_free(&old);
	return status;
}

static enum mc_status
change_apply(struct store *store, const struct tcapw_change *change)
{
	struct tcapw_position *position = &store->position;
	enum mc_status status = MC_OK;

	if (!store->dirty)
		status = clean_unmark(store->host, store->conf.path);
	if (status != MC_OK)
		return status;
	store->dirty = true;
	status = change_write(store, change);
	if (status != MC_OK)
		return status;
	mc_crash_point("tcapw_gdbm.stored");
	position->pointer = change->pointer;
	if (change->account.uid > position->last_uid)
		position->last_uid = change->account.uid;
	return MC_OK;
}

enum mc_status
store_apply(struct store *store, const struct tcapw_change *change)
{
	if (store->broken)
		return MC_UNAVAILABLE;
	switch (tcapw_order(&store->position, &change->pointer)) {
	case TCAPW_NEXT:
		return change_apply(store, change);
	case TCAPW_OLD:
		return MC_OK;
	case TCAPW_MISPLACED:
		break;
	}
	return MC_INVALID;
}

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

/* GDBM's own order is lost when the account that a listing has come to is
 * deleted.  So a listing begins with all names, sorted, and keeps them until
 * its end; another listing meanwhile may as well go on with these. */
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

static void
names_forget(struct store *store)
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
	current = store;
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
		names_forget(store);
	*count_r = n;
	return MC_OK;
}

enum mc_status
store_load_begin(struct store *store)
{
	if (store->broken)
		return MC_UNAVAILABLE;
	load_forget(store);
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
		load_forget(store);
	return status;
}

/* The file that is loaded is not one that the next start could meet. */
static void
load_gave_up(const char *message)
{
	mc_fatal(current->host, "%s.load: GDBM: %s", current->conf.path,
	    message);
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
		options_set(store, db);
	return db;
}

enum mc_status
store_load_end(struct store *store, const struct tcapw_position *expected)
{
	enum mc_status status;

	current = store;
	if (store->load == NULL)
		return MC_INVALID;
	store->loaded = *expected;
	status = load_build(store->load, expected, load_open, store);
	if (status != MC_OK)
		load_forget(store);
	return status;
}

/* All accounts are stored: what is left is to say where they stand. */
static enum mc_status
loaded_finish(struct store *store)
{
	GDBM_FILE db = store->loaded_db = load_take(store->load);

	if (position_write(db, &store->loaded) != 0 || gdbm_sync(db) != 0)
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
	names_forget(store);
	load_forget(store);
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
	current = store;
	if (store->marking != NULL)
		status = loaded_step(store, done_r);
	else {
		status = load_step(store->load, &stored);
		if (status == MC_OK && stored)
			status = loaded_finish(store);
	}
	if (status != MC_OK)
		load_forget(store);
	return status;
}
