/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint - freezes the account database, and prunes the queue.
 *
 * A freeze is made from the freeze before and the queue since then, up to
 * exactly the change at which the store has said what it holds; what comes
 * out must be that.  So each freeze proves that queue and store agree, and
 * the store is never read through.  If they do not agree there is no freeze,
 * and nothing is pruned.
 *
 *	freezing.c	tcapw.position, wmq.read ..., merge, wmqfile.find
 *	pruning.c	freeze verified, tcapw.position, replicas.list,
 *			replicas.give_up ..., wmqfile.prune
 *	thawing.c	tcapw.load_begin, load_add ..., load_end
 *
 * Where another instance provides "freeze", the mirror of it, this one only
 * prunes, and passes on who asks it for the freeze.
 */
#include "wmqmaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
waiters_tell(struct wmqmaint *maint, enum mc_status status, const char *text)
{
	struct waiter *waiter = maint->waiters, *next;

	maint->waiters = NULL;
	for (; waiter != NULL; waiter = next) {
		next = waiter->next;
		mc_query_done(waiter->query, status, "%s", text);
		free(waiter);
	}
}

void
task_end(struct wmqmaint *maint, enum mc_status status, const char *format,
    ...)
{
	enum task task = maint->task;
	bool go_on = maint->scheduled && task == TASK_FREEZE &&
	    status == MC_OK && maint->conf->prune &&
	    maint->latest.path[0] != '\0';
	va_list args;

	va_start(args, format);
	vsnprintf(maint->last_text, sizeof(maint->last_text), format, args);
	va_end(args);
	maint->last_status = status;
	maint->task = TASK_NONE;
	freezing_free(maint);
	pruning_free(maint);
	thawing_free(maint);
	if (status == MC_OK)
		mc_log(maint->host, MC_NOTE, "%s", maint->last_text);
	else if (!atomic_load(&maint->stop)) {
		mc_log(maint->host, status == MC_BUSY ? MC_WARN : MC_ERROR,
		    "%s", maint->last_text);
		mc_count(maint->host, task == TASK_FREEZE ?
		    "failed_freezes" : task == TASK_PRUNE ?
		    "failed_prunes" : "failed_thaws", 1);
	}
	waiters_tell(maint, status, maint->last_text);
	if (atomic_load(&maint->stop))
		return;
	if (maint->thaw_waits != NULL) {
		thawing_begin(maint, maint->thaw_waits);
		maint->thaw_waits = NULL;
	} else if (go_on)
		pruning_begin(maint);
	else if (maint->scheduled || (task == TASK_FREEZE && status == MC_OK))
		schedule_next(maint, status != MC_OK ||
		    maint->latest.path[0] == '\0');
}

void
latest_set(struct wmqmaint *maint, const struct freeze_header *header)
{
	snprintf(maint->latest.path, sizeof(maint->latest.path), "%s",
	    maint->conf->path);
	maint->latest.header = *header;
	mc_gauge(maint->host, "frozen_change",
	    (int64_t)header->position.pointer.seq);
	mc_gauge(maint->host, "frozen_accounts",
	    (int64_t)header->position.count);
	mc_gauge(maint->host, "frozen_bytes", (int64_t)header->size);
	mc_gauge(maint->host, "frozen_at", (int64_t)(maint->frozen_ms / 1000));
}

/* The service. */

struct passed_on {
	struct mc_call	*call;
};

static void
obtained(void *owner, const struct mc_reply *reply)
{
	struct passed_on *passed = owner;

	mc_call_done(passed->call, reply->status, reply->data, reply->len);
	free(passed);
}

static void
obtain(void *state, bool renew, struct mc_call *call)
{
	struct wmqmaint *maint = state;
	struct passed_on *passed;

	if (maint->mirrored.ops != NULL) {
		passed = mc_zalloc(sizeof(*passed));
		passed->call = call;
		freeze_obtain(&maint->mirrored, renew, NULL, obtained, passed);
	} else if (maint->latest.path[0] == '\0')
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else
		mc_call_done(call, MC_OK, &maint->latest,
		    sizeof(maint->latest));
}

static void
thaw(void *state, struct mc_call *call)
{
	struct wmqmaint *maint = state;

	if (maint->mirrored.ops != NULL)
		mc_call_done(call, MC_DENIED, NULL, 0);
	else if (maint->latest.path[0] == '\0')
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else
		thawing_begin(maint, call);
}

/* What is there from before; whether it is good is seen when it is used. */
static enum mc_status
latest_find(struct wmqmaint *maint)
{
	struct freeze_reader *reader;
	struct freeze_header header;
	struct stat st;
	char why[FREEZE_WHY];

	merge_clean(maint->conf->path);
	if (stat(maint->conf->path, &st) == -1)
		return MC_OK;
	reader = freeze_open(maint->conf->path, maint->keys, &header, why);
	if (reader == NULL) {
		mc_log(maint->host, MC_ERROR, "%s; it has to be replaced by "
		    "a good copy, or moved away if the queue still has every "
		    "change", why);
		return MC_OK;
	}
	freeze_close(&reader);
	maint->frozen_ms = (uint64_t)st.st_mtime * 1000;
	latest_set(maint, &header);
	return MC_OK;
}

static enum mc_status
conf_take(struct wmqmaint *maint, const struct conf *conf)
{
	const char *fault = schedule_check(conf);
	struct freeze_keys *keys;
	char why[FREEZE_WHY];

	if (fault != NULL)
		return mc_fail(maint->host, MC_INVALID, "freeze_at: %s",
		    fault);
	keys = freeze_keys_load(conf->key_files, why);
	if (keys == NULL)
		return mc_fail(maint->host, MC_INVALID, "key_files: %s", why);
	freeze_keys_free(&maint->keys);
	maint->keys = keys;
	maint->conf = conf;
	return MC_OK;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct wmqmaint *maint = state;
	enum mc_status status;

	maint->host = host;
	status = conf_take(maint, conf);
	if (status == MC_OK && maint->mirrored.ops == NULL)
		status = latest_find(maint);
	if (status == MC_OK)
		mc_commands(host, maintenance_commands, maint);
	return status;
}

static enum mc_status
start(void *state)
{
	schedule_begin(state);
	return MC_OK;
}

/* A task that runs has its keys in its hands. */
static enum mc_status
reload(void *state, const void *given)
{
	struct wmqmaint *maint = state;
	const struct conf *conf = given;
	enum mc_status status;

	if (strcmp(conf->path, maint->conf->path) != 0)
		return mc_fail(maint->host, MC_INVALID, "path changes only "
		    "with a restart");
	if (maint->task != TASK_NONE)
		return mc_fail(maint->host, MC_BUSY, "%s; reload when that "
		    "is done", maint->stage);
	status = conf_take(maint, conf);
	if (status == MC_OK)
		schedule_next(maint, false);
	return status;
}

static void
stop(void *state)
{
	struct wmqmaint *maint = state;

	atomic_store(&maint->stop, true);
	schedule_end(maint);
	thawing_stop(maint);
	mc_call_cancel(&maint->asked);
	waiters_tell(maint, MC_UNAVAILABLE, "the server stops");
}

static void
fini(void *state)
{
	struct wmqmaint *maint = state;

	freezing_free(maint);
	pruning_free(maint);
	thawing_free(maint);
	freeze_keys_free(&maint->keys);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, path), .type = MC_PATH,
	  .fallback = STATE_DIR "/accounts.freeze",
	  .help = "The freeze; beside it, while the next one is made, the "
	  "same name with .new and .part." },
	{ MC_FIELD(struct conf, key_files), .type = MC_STRING,
	  .fallback = STATE_DIR "/freeze.key", .min = 1, .max = 4096,
	  .help = "Files with the keys of freezes, separated by commas: first "
	  "the one for new freezes, then those that old ones may still need; "
	  "\"credential:NAME\" is a credential of systemd." },
	{ MC_FIELD_AS("freeze_every", struct conf, freeze_every_ms),
	  .type = MC_DURATION, .fallback = "1d", .min = 0,
	  .max = 365LL * DAY_MS,
	  .help = "How often a freeze is made; 0: only when it is asked for." },
	{ MC_FIELD(struct conf, freeze_at), .type = MC_STRING,
	  .fallback = "", .min = 0, .max = 5,
	  .help = "When, as \"HH:MM\" in UTC: the first such time after "
	  "freeze_every, less half a day, has passed; empty: as soon as it "
	  "has passed." },
	{ MC_FIELD(struct conf, prune), .type = MC_BOOL, .fallback = "true",
	  .help = "Whether queue files are deleted after each freeze, as far "
	  "as it covers them and all replicas have them." },
	{ MC_FIELD_AS("settle", struct conf, settle_ms), .type = MC_DURATION,
	  .fallback = "1m", .min = 0, .max = DAY_MS,
	  .help = "After a start nothing is due for so long." },
	{ MC_FIELD_AS("replica_grace", struct conf, replica_grace_ms),
	  .type = MC_DURATION, .fallback = "30d", .min = 1000,
	  .max = 3650LL * DAY_MS,
	  .help = "A replica that makes no progress for so long, connected or "
	  "not, is no longer waited for; it will have to load a freeze." },
	{ MC_FIELD(struct conf, memory), .type = MC_SIZE,
	  .fallback = "16MiB", .min = CHANGES_MIN, .max = 1073741824,
	  .help = "For changed accounts while a freeze is made; with more of "
	  "them it is made in several passes." },
	{ 0 }
};

static void
soon(void *state)
{
	schedule_soon(state);
}

static const struct freeze_ops ops = {
	.obtain	= obtain,
	.thaw	= thaw,
	.soon	= soon,
};

static const struct mc_provide provides[] = {
	FREEZE_PROVIDE(&ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct wmqmaint, tcapw), false },
	{ WMQ_SERVICE, offsetof(struct wmqmaint, wmq), false },
	{ WMQFILE_SERVICE, offsetof(struct wmqmaint, wmqfile), false },
	{ REPLICAS_SERVICE, offsetof(struct wmqmaint, replicas), true },
	{ FREEZE_SERVICE, offsetof(struct wmqmaint, mirrored), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "wmqmaint",
	.version	= "0.1.0",
	.summary	= "Freezes the account database and prunes the queue",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct wmqmaint),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
