/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <metacube/pwq.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATH_SIZE	4096
#define PARTS		256		/* steps of storing */
#define HASH_BITS	31
#define PART_SHIFT	(HASH_BITS - 8)
#define ITEMS_MIN	4096

/* An account in the collection. */
struct item {
	uint64_t	offset;
	uint32_t	hash, len;
};

struct load {
	struct mc_host		*host;
	char			 path[PATH_SIZE];
	struct tcapw_position	 position;	/* of what was added */
	int			 collection;
	uint64_t		 size;		/* of it */
	struct item		*items;
	size_t			 nitems, room;

	/* From load_build on. */
	GDBM_FILE		 db;
	const uint8_t		*mapped;	/* the collection */
	size_t			 starts[PARTS + 1];	/* of parts in items */
	unsigned		 part;
};

static void
path_make(const char *store, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s.load", store);
}

void
load_sweep(const char *store)
{
	char path[PATH_SIZE];

	path_make(store, path);
	unlink(path);
}

static enum mc_status
fail(const struct load *load)
{
	return mc_fail(load->host, MC_UNAVAILABLE, "%s: %s", load->path,
	    strerror(errno));
}

/* A file without a name: nobody has to remove it. */
static enum mc_status
collection_open(struct load *load)
{
	load->collection = open(load->path, O_RDWR | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);
	if (load->collection == -1 || unlink(load->path) == -1)
		return fail(load);
	return MC_OK;
}

struct load *
load_new(struct mc_host *host, const char *path)
{
	struct load *load = mc_zalloc(sizeof(*load));

	load->host = host;
	path_make(path, load->path);
	if (collection_open(load) != MC_OK)
		load_free(&load);
	return load;
}

void
load_free(struct load **loadp)
{
	struct load *load = *loadp;

	if (load == NULL)
		return;
	if (load->db != NULL) {
		unlink(load->path);
		gdbm_close(load->db);
	}
	if (load->mapped != NULL)
		munmap((void *)load->mapped, load->size);
	if (load->collection != -1)
		close(load->collection);
	free(load->items);
	free(load);
	*loadp = NULL;
}

const char *
load_path(const struct load *load)
{
	return load->path;
}

/* GDBM's own hash: its upper bits choose the bucket.  With another one the
 * file would be the same, only made more slowly. */
static uint32_t
hash_of(const char *name, size_t len)
{
	uint32_t hash = 0x238f13af * (uint32_t)len;

	for (size_t i = 0; i < len; i++)
		hash = (hash + ((uint32_t)(uint8_t)name[i] << i * 5 % 24)) &
		    INT32_MAX;
	return (1103515243 * hash + 12345) & INT32_MAX;
}

static struct item *
item_new(struct load *load)
{
	struct item *more;

	if (load->nitems == load->room) {
		load->room = load->room > 0 ? load->room * 2 : ITEMS_MIN;
		more = reallocarray(load->items, load->room, sizeof(*more));
		if (more == NULL)
			mc_fatal(load->host, "out of memory");
		load->items = more;
	}
	return &load->items[load->nitems++];
}

static enum mc_status
account_check(struct load *load, const void *encoded, size_t len, size_t at)
{
	struct tcapw_account account;
	struct item *item;

	if (pwq_account_decode(encoded, len, &account) == -1 ||
	    account.uid <= load->position.last_uid)
		return MC_INVALID;
	item = item_new(load);
	item->offset = load->size + at;
	item->len = (uint32_t)len;
	item->hash = hash_of(account.name, strlen(account.name));
	load->position.last_uid = account.uid;
	load->position.count++;
	pwq_digest_add(load->position.digest, encoded, len);
	mc_wipe(account.verifier, sizeof(account.verifier));
	return MC_OK;
}

static enum mc_status
collect(struct load *load, const uint8_t *data, size_t len)
{
	ssize_t put;

	for (; len > 0; data += put, len -= (size_t)put) {
		put = write(load->collection, data, len);
		if (put == -1 && errno == EINTR)
			put = 0;
		else if (put == -1)
			return fail(load);
		load->size += (uint64_t)put;
	}
	return MC_OK;
}

enum mc_status
load_add(struct load *load, const void *accounts, size_t len)
{
	size_t offset = 0, one_len;
	const uint8_t *one;

	if (load->db != NULL)
		return MC_BUSY;
	while ((one = pwq_account_next(accounts, len, &offset, &one_len)) !=
	    NULL)
		if (account_check(load, one, one_len, (size_t)(one -
		    (const uint8_t *)accounts)) != MC_OK)
			return MC_INVALID;
	return offset == len ? collect(load, accounts, len) : MC_INVALID;
}

static unsigned
part_of(const struct item *item)
{
	return item->hash >> PART_SHIFT;
}

/* Items by part; in a part they are sorted when its turn has come. */
static void
items_part(struct load *load)
{
	struct item *parted =
	    mc_zalloc((load->nitems + 1) * sizeof(*parted));
	size_t next[PARTS];

	for (size_t i = 0; i < load->nitems; i++)
		load->starts[part_of(&load->items[i]) + 1]++;
	for (unsigned part = 0; part < PARTS; part++) {
		next[part] = load->starts[part];
		load->starts[part + 1] += load->starts[part];
	}
	for (size_t i = 0; i < load->nitems; i++)
		parted[next[part_of(&load->items[i])]++] = load->items[i];
	free(load->items);
	load->items = parted;
}

enum mc_status
load_build(struct load *load, const struct tcapw_position *expected,
    load_open_fn *open_new, void *store)
{
	if (!tcapw_loaded(&load->position, expected))
		return MC_INVALID;
	if (load->size > 0) {
		load->mapped = mmap(NULL, load->size, PROT_READ, MAP_SHARED,
		    load->collection, 0);
		if (load->mapped == MAP_FAILED) {
			load->mapped = NULL;
			return fail(load);
		}
	}
	items_part(load);
	load->db = open_new(store, load->path);
	return load->db != NULL ? MC_OK : MC_UNAVAILABLE;
}

static int
item_compare(const void *left, const void *right)
{
	uint32_t a = ((const struct item *)left)->hash;
	uint32_t b = ((const struct item *)right)->hash;

	return a < b ? -1 : a > b;
}

static enum mc_status
item_store(struct load *load, const struct item *item)
{
	const uint8_t *at = load->mapped + item->offset;
	datum value = { (char *)at, (int)item->len }, key;
	size_t len;
	int result;

	key.dptr = (char *)pwq_account_name(at, item->len, &len);
	if (key.dptr == NULL)
		return mc_fail(load->host, MC_UNAVAILABLE, "%s: what was "
		    "written cannot be read again", load->path);
	key.dsize = (int)len;
	result = gdbm_store(load->db, key, value, GDBM_INSERT);
	if (result == 1)
		return MC_INVALID;
	return result == 0 ? MC_OK : mc_fail(load->host, MC_UNAVAILABLE,
	    "%s: %s", load->path, gdbm_db_strerror(load->db));
}

enum mc_status
load_step(struct load *load, bool *done_r)
{
	const struct item *first = load->items + load->starts[load->part];
	const struct item *end = load->items + load->starts[load->part + 1];
	enum mc_status status = MC_OK;

	qsort((void *)first, (size_t)(end - first), sizeof(*first),
	    item_compare);
	for (; first < end && status == MC_OK; first++)
		status = item_store(load, first);
	/* The disk may begin: the sync at the end has less to wait for. */
	sync_file_range(gdbm_fdesc(load->db), 0, 0, SYNC_FILE_RANGE_WRITE);
	*done_r = ++load->part == PARTS;
	return status;
}

GDBM_FILE
load_take(struct load *load)
{
	GDBM_FILE db = load->db;

	load->db = NULL;
	return db;
}
