/* SPDX-License-Identifier: MIT */
/*
 * thaw - a freeze into the store: the instance's thread reads and decrypts a
 * chunk, the loop gives it to the store, which copies it; meanwhile the next
 * one is read.  What was loaded counts only when all of it was authenticated
 * and the store has come to the same digest.
 */
#include "servpw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDS_MAX	4	/* under way at once */

struct thaw;

struct add {
	struct thaw	*thaw;
	struct mc_call	*call;
	bool		 used;
};

struct thaw {
	struct servpw		*servpw;	/* NULL: stopped */
	struct mc_host		*host;
	struct mc_call		*call;
	struct add		 adds[ADDS_MAX];
	unsigned		 nadds;
	bool			 begun, ended;	/* load; all was read */
	bool			 busy;		/* the thread has it */

	/* The thread's, while it is busy. */
	char			 path[FREEZE_PATH_SIZE];
	char			 key_files[4097];
	struct freeze_reader	*reader;
	struct freeze_header	 header;
	int			 result;
	const void		*accounts;
	size_t			 len;
	char			 why[FREEZE_WHY];
};

static void
thaw_free(struct thaw *thaw)
{
	freeze_close(&thaw->reader);
	free(thaw);
}

static void
forgotten(void *owner, const struct mc_reply *reply)
{
	(void)owner;
	(void)reply;
}

/* What was begun in the store: no position fits this one. */
static void
load_forget(struct servpw *servpw)
{
	static const struct tcapw_position never = { .count = UINT64_MAX };

	tcapw_load_end(&servpw->tcapw, &never, NULL, forgotten, NULL);
}

void
thaw_stop(struct thaw **thawp)
{
	struct thaw *thaw = *thawp;

	*thawp = NULL;
	if (thaw == NULL)
		return;
	mc_call_cancel(&thaw->call);
	for (unsigned i = 0; i < ADDS_MAX; i++)
		mc_call_cancel(&thaw->adds[i].call);
	thaw->servpw = NULL;
	if (!thaw->busy)
		thaw_free(thaw);
}

static void
give_up(struct thaw *thaw, const char *why)
{
	struct servpw *servpw = thaw->servpw;
	char copy[WHY_SIZE];

	snprintf(copy, sizeof(copy), "%s", why);
	if (thaw->begun)
		load_forget(servpw);
	thaw_stop(&servpw->resync.thaw);
	resync_failed(servpw, copy);
}

static void
store_failed(struct thaw *thaw, const char *what, enum mc_status status)
{
	char why[WHY_SIZE];

	snprintf(why, sizeof(why), "%.400s: %s the account store: %s",
	    thaw->path, what, mc_status_text(status));
	give_up(thaw, why);
}

/* The instance's thread. */

static void was_read(void *arg);
static void was_opened(void *arg);

static void
read_run(void *arg)
{
	struct thaw *thaw = arg;

	thaw->result = freeze_next(thaw->reader, &thaw->accounts, &thaw->len,
	    thaw->why);
	mc_later(thaw->host, was_read, thaw);
}

static void
open_run(void *arg)
{
	struct thaw *thaw = arg;
	struct freeze_keys *keys =
	    freeze_keys_load(thaw->key_files, thaw->why);

	if (keys != NULL)
		thaw->reader = freeze_open(thaw->path, keys, &thaw->header,
		    thaw->why);
	freeze_keys_free(&keys);
	if (thaw->reader != NULL)
		freeze_undigested(thaw->reader);	/* load_end does it */
	thaw->result = thaw->reader != NULL ? 0 : -1;
	mc_later(thaw->host, was_opened, thaw);
}

static void
work(struct thaw *thaw, mc_work_fn *run)
{
	thaw->busy = true;
	mc_work(thaw->host, run, thaw);
}

/* Back from there.  false: it is over. */
static bool
is_wanted(struct thaw *thaw)
{
	thaw->busy = false;
	if (thaw->servpw == NULL)
		thaw_free(thaw);
	else if (thaw->result == -1)
		give_up(thaw, thaw->why);
	else
		return true;
	return false;
}

/* The store. */

static void
load_ended(void *owner, const struct mc_reply *reply)
{
	struct thaw *thaw = owner;
	struct servpw *servpw = thaw->servpw;
	struct freeze_header header = thaw->header;

	thaw->begun = false;
	if (reply->status != MC_OK) {
		store_failed(thaw, "loading", reply->status);
		return;
	}
	thaw_stop(&servpw->resync.thaw);
	resync_loaded(servpw, &header);
}

static void
go_on(struct thaw *thaw)
{
	if (!thaw->ended && !thaw->busy && thaw->nadds < ADDS_MAX)
		work(thaw, read_run);
	else if (thaw->ended && thaw->nadds == 0)
		tcapw_load_end(&thaw->servpw->tcapw, &thaw->header.position,
		    &thaw->call, load_ended, thaw);
}

static void
added(void *owner, const struct mc_reply *reply)
{
	struct add *add = owner;

	add->used = false;
	add->thaw->nadds--;
	if (reply->status == MC_OK)
		go_on(add->thaw);
	else
		store_failed(add->thaw, "adding to", reply->status);
}

static struct add *
add_free(struct thaw *thaw)
{
	struct add *add = thaw->adds;

	while (add->used)
		add++;
	return add;
}

static void
was_read(void *arg)
{
	struct thaw *thaw = arg;
	struct add *add;

	if (!is_wanted(thaw))
		return;
	if (thaw->len == 0)
		thaw->ended = true;
	else {
		add = add_free(thaw);
		add->thaw = thaw;
		add->used = true;
		thaw->nadds++;
		tcapw_load_add(&thaw->servpw->tcapw, thaw->accounts,
		    thaw->len, &add->call, added, add);
	}
	go_on(thaw);
}

static void
load_begun(void *owner, const struct mc_reply *reply)
{
	struct thaw *thaw = owner;

	if (reply->status != MC_OK) {
		store_failed(thaw, "loading", reply->status);
		return;
	}
	thaw->begun = true;
	go_on(thaw);
}

/* The header that is open now: the file may be another one by now. */
static void
was_opened(void *arg)
{
	struct thaw *thaw = arg;
	struct servpw *servpw = thaw->servpw;
	char why[WHY_SIZE];

	if (!is_wanted(thaw))
		return;
	if (resync_judge(servpw, &thaw->header, why) != MC_OK) {
		give_up(thaw, why);
		return;
	}
	resync_loading(servpw);
	tcapw_load_begin(&servpw->tcapw, &thaw->call, load_begun, thaw);
}

struct thaw *
thaw_begin(struct servpw *servpw, const char *path)
{
	struct thaw *thaw = mc_zalloc(sizeof(*thaw));

	thaw->servpw = servpw;
	thaw->host = servpw->host;
	snprintf(thaw->path, sizeof(thaw->path), "%s", path);
	snprintf(thaw->key_files, sizeof(thaw->key_files), "%s",
	    servpw->conf->key_files);
	work(thaw, open_run);
	return thaw;
}
