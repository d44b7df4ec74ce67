/* SPDX-License-Identifier: MIT */
/* store - the file, and one account in it; store_list.c has the listing,
 * store_load.c another whole file in its place. */
#include "store_parts.h"

#include <metacube/bytes.h>
#include <metacube/pwq.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSITION_KEY	"\0position"
#define POSITION_SIZE	57
#define POSITION_VERSION 1

_Thread_local struct store *store_current;

/* GDBM would end the process after this; we do, and say why.  The marker
 * goes, so that the next start does not meet the same file. */
static void
gdbm_gave_up(const char *message)
{
	clean_unmark(store_current->host, store_current->conf.path);
	mc_fatal(store_current->host, "%s: GDBM: %s; it will be built anew "
	    "from the queue at the next start", store_current->conf.path,
	    message);
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

int
store_position_write(GDBM_FILE db, const struct tcapw_position *position)
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

void
store_options(const struct store *store, GDBM_FILE db)
{
	size_t cache = (size_t)(store->conf.cache / store->conf.block_size);
	size_t map_max = (size_t)store->conf.map_max;

	gdbm_setopt(db, GDBM_SETCACHESIZE, &cache, sizeof(cache));
	gdbm_setopt(db, GDBM_SETMAXMAPSIZE, &map_max, sizeof(map_max));
}

static enum mc_status
db_open(struct store *store, int flags)
{
	store_current = store;
	store->db = gdbm_open(store->conf.path, (int)store->conf.block_size,
	    flags | GDBM_CLOEXEC, 0600, gdbm_gave_up);
	if (store->db == NULL)
		return mc_fail(store->host, MC_UNAVAILABLE, "%s: %s (%s)",
		    store->conf.path, gdbm_strerror(gdbm_errno),
		    strerror(errno));
	store_options(store, store->db);
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
store_free(struct store **storep)
{
	struct store *store = *storep;

	store_load_forget(store);
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
	store_current = store;
	mark = store->dirty && !store->broken;
	if (mark && (store_position_write(store->db, &store->position) != 0 ||
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
	store_current = store;
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
