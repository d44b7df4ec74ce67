/* SPDX-License-Identifier: MIT */
/*
 * Services "wmqfile" and "freeze" over the mirrored files, so that a replica
 * can serve further replicas, thaw, and prune.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

#define RENEW_WAIT_MS	30000
#define DISTRUST_MS	600000

/* A job for the instance's thread. */
struct job {
	struct client	*client;
	struct mc_call	*call;
	char		 file[WMQFILE_NAME_SIZE];
	uint64_t	 offset;	/* or a record's number */
};

static struct job *
job_new(struct client *client, struct mc_call *call, uint64_t offset)
{
	struct job *job = mc_zalloc(sizeof(*job));

	job->client = client;
	job->call = call;
	job->offset = offset;
	return job;
}

static void
extent_answer(struct mc_call *call, enum mc_status status,
    const struct wmqfile_extent *extent)
{
	mc_call_done(call, status, status == MC_OK ? extent : NULL,
	    status == MC_OK ? sizeof(*extent) : 0);
}

static void
extent_run(void *arg)
{
	struct job *job = arg;
	struct wmqfile_extent extent;

	extent_answer(job->call, disk_extent(job->client->disk, job->file,
	    job->offset, &extent), &extent);
	free(job);
}

static void
find_run(void *arg)
{
	struct job *job = arg;
	struct wmqfile_extent extent;

	extent_answer(job->call, disk_find(job->client->disk, job->offset,
	    &extent), &extent);
	free(job);
}

/* Loop: fewer files are here. */
static void
pruned(void *arg)
{
	struct job *job = arg;

	job->client->here.position.oldest = job->offset;
	free(job);
}

static void
prune_run(void *arg)
{
	struct job *job = arg;
	struct disk_state state;
	uint64_t count;
	enum mc_status status = disk_prune(job->client->disk, job->offset,
	    &count);
	struct mc_call *call = job->call;

	if (status != MC_OK)
		mc_fail(job->client->host, status, "%s",
		    disk_why(job->client->disk));
	disk_state(job->client->disk, &state);
	job->offset = state.position.oldest;
	mc_later(job->client->host, pruned, job);
	mc_call_done(call, status, status == MC_OK ? &count : NULL,
	    status == MC_OK ? sizeof(count) : 0);
}

static void
extent_ask(struct client *client, struct mc_call *call, const char *file,
    uint64_t offset)
{
	struct job *job = job_new(client, call, offset);

	strcpy(job->file, file);
	mc_work(client->host, extent_run, job);
}

/* At the end of the last file there is nothing to say yet. */
static bool
is_at_end(const struct client *client, const char *file, uint64_t offset)
{
	return client->here.filled && !client->stopping &&
	    offset == client->here.end && strcmp(file, client->here.file) == 0;
}

static void
extent(void *state, const char *name, uint64_t offset, unsigned wait_ms,
    struct mc_call *call)
{
	struct client *client = state;
	struct waiter *waiter;

	if (strlen(name) >= WMQFILE_NAME_SIZE)
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else if (wait_ms == 0 || !is_at_end(client, name, offset))
		extent_ask(client, call, name, offset);
	else {
		waiter = waiter_add(client, &client->extents, call,
		    wait_ms < WMQ_WAIT_MAX_MS ? wait_ms : WMQ_WAIT_MAX_MS);
		strcpy(waiter->file, name);
		waiter->offset = offset;
	}
}

static void
find(void *state, uint64_t seq, struct mc_call *call)
{
	struct client *client = state;

	mc_work(client->host, find_run, job_new(client, call, seq));
}

static void
prune(void *state, uint64_t seq, struct mc_call *call)
{
	struct client *client = state;

	mc_work(client->host, prune_run, job_new(client, call, seq));
}

const struct wmqfile_ops file_ops = {
	.extent	= extent,
	.find	= find,
	.prune	= prune,
};

/* After what is here has changed, or late: then with what there is. */
static void
extents_ask(struct client *client, bool late)
{
	uint64_t now_ms = mc_now_ms();
	struct waiter *waiter, *next;

	for (waiter = TAILQ_FIRST(&client->extents); waiter != NULL;
	    waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		if (late ? waiter->until_ms > now_ms :
		    is_at_end(client, waiter->file, waiter->offset))
			continue;
		TAILQ_REMOVE(&client->extents, waiter, link);
		extent_ask(client, waiter->call, waiter->file,
		    waiter->offset);
		free(waiter);
	}
}

/* The freeze. */

static void
freeze_answer(struct client *client, struct mc_call *call)
{
	const struct freeze_file *freeze = &client->here.freeze;

	if (freeze->header.size != 0)
		mc_call_done(call, MC_OK, freeze, sizeof(*freeze));
	else
		mc_call_done(call, client->course.wanted.name[0] != '\0' ||
		    client->looked == 0 ? MC_BUSY : MC_NOT_FOUND, NULL, 0);
}

static bool
is_vouched(const struct client *client)
{
	return client->vouched_ms != 0 && memcmp(&client->vouched,
	    &client->here.freeze.header, sizeof(client->vouched)) == 0;
}

/* The server has said that this one is its latest. */
static void
freeze_vouch(struct client *client)
{
	if (client->here.freeze.header.size == 0 || is_vouched(client))
		return;
	client->vouched = client->here.freeze.header;
	client->vouched_ms = mc_now_ms();
	client->distrusted = false;
}

/* Who has got that, and soon asks once more, cannot use it: it may be damaged
 * where only the key would tell.  It is fetched again, once. */
static void
freeze_distrust(struct client *client)
{
	if (mc_now_ms() - client->vouched_ms > DISTRUST_MS)
		client->vouched_ms = 0;
	if (!is_vouched(client) || client->distrusted)
		return;
	client->distrusted = true;
	mc_count(client->host, "distrusted", 1);
	mc_log(client->host, MC_WARN, "%s: asked for once more: fetched "
	    "again, in case it is damaged here", client->here.freeze.path);
	memset(&client->course.freeze, 0, sizeof(client->course.freeze));
}

static void
obtain(void *state, bool renew, struct mc_call *call)
{
	struct client *client = state;

	if (!client->conf->mirror_freeze)
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
	else if (!renew)
		freeze_answer(client, call);
	else if (client->line == NULL)
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
	else if (client->course.wanted.name[0] != '\0')
		mc_call_done(call, MC_BUSY, NULL, 0);
	else if (client->renewed_ms != 0 &&
	    mc_now_ms() < client->renewed_ms + RENEWED_MS) {
		freeze_vouch(client);
		freeze_answer(client, call);
	} else {
		freeze_distrust(client);
		client->renewing = client->asked;
		line_look(client);
		waiter_add(client, &client->renewals, call, RENEW_WAIT_MS);
	}
}

const struct freeze_ops freeze_ops = {
	.obtain	= obtain,
};

/* FIRST was answered, or the freeze is complete. */
void
freeze_looked(struct client *client)
{
	struct waiter *waiter;

	if (client->looked <= client->renewing)
		return;
	if (client->course.wanted.name[0] != '\0') {
		waiters_end(&client->renewals, MC_BUSY, NULL, 0);
		return;
	}
	client->renewed_ms = mc_now_ms();
	if (!TAILQ_EMPTY(&client->renewals))
		freeze_vouch(client);
	while ((waiter = TAILQ_FIRST(&client->renewals)) != NULL) {
		TAILQ_REMOVE(&client->renewals, waiter, link);
		freeze_answer(client, waiter->call);
		free(waiter);
	}
}

void
files_wake(struct client *client)
{
	extents_ask(client, false);
}

void
files_pass(struct client *client)
{
	extents_ask(client, true);
}
