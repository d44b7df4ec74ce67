/* SPDX-License-Identifier: MIT */
/*
 * What metacubectl can ask, and metacube-wmqmaint for a timer of the system.
 */
#include "wmqmaint.h"

#include <metacube/text.h>

#include <stdio.h>
#include <time.h>

/* Who asks for what is being done waits with the others. */
static void
ask_for(struct wmqmaint *maint, struct mc_query *query, enum task task)
{
	struct waiter *waiter;

	if (maint->task != TASK_NONE && maint->task != task) {
		mc_query_done(query, MC_BUSY, "busy: %s", maint->stage);
		return;
	}
	waiter = mc_zalloc(sizeof(*waiter));
	waiter->query = query;
	waiter->next = maint->waiters;
	maint->waiters = waiter;
	if (maint->task == task)
		return;
	if (task == TASK_FREEZE)
		freezing_begin(maint);
	else
		pruning_begin(maint);
}

static void
freeze(void *state, struct mc_query *query)
{
	struct wmqmaint *maint = state;

	if (maint->mirrored.ops != NULL)
		mc_query_done(query, MC_DENIED, "this server only mirrors the "
		    "freeze: it is made where accounts are changed");
	else
		ask_for(maint, query, TASK_FREEZE);
}

static void
prune(void *state, struct mc_query *query)
{
	ask_for(state, query, TASK_PRUNE);
}

static void
line(struct mc_query *query, const char *what, const char *value)
{
	mc_query_row(query);
	mc_query_cell(query, "%s", what);
	mc_query_cell(query, "%s", value);
}

static void
number(struct mc_query *query, const char *what, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	line(query, what, text);
}

static void
when(struct mc_query *query, const char *what, uint64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char text[32] = "never";
	struct tm tm;

	if (time_ms != 0 && gmtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	line(query, what, text);
}

static void
freeze_lines(struct mc_query *query, const struct wmqmaint *maint)
{
	const struct freeze_header *header = &maint->latest.header;
	char name[64], epoch[33], digest[33];

	mc_hex(epoch, header->position.pointer.epoch, 16);
	mc_hex(digest, header->position.digest, 16);
	freeze_name(header, name);
	line(query, "freeze", name);
	line(query, "path", maint->latest.path);
	line(query, "epoch", epoch);
	number(query, "change", header->position.pointer.seq);
	number(query, "accounts", header->position.count);
	number(query, "highest uid", header->position.last_uid);
	line(query, "digest", digest);
	number(query, "bytes", header->size);
}

static void
status(void *state, struct mc_query *query)
{
	const struct wmqmaint *maint = state;

	mc_query_columns(query, "what", "value", NULL);
	if (maint->latest.path[0] == '\0')
		line(query, "freeze", "none");
	else
		freeze_lines(query, maint);
	if (maint->mirrored.ops == NULL)
		when(query, "frozen", maint->frozen_ms);
	when(query, "pruned", maint->pruned_ms);
	when(query, "next", maint->due_ms == UINT64_MAX ? 0 : mc_time_ms() +
	    (maint->due_ms > mc_now_ms() ? maint->due_ms - mc_now_ms() : 0));
	line(query, "now", maint->task == TASK_NONE ? "idle" : maint->stage);
	if (maint->last_text[0] != '\0')
		line(query, maint->last_status == MC_OK ? "last" : "failed",
		    maint->last_text);
	mc_query_done(query, MC_OK, NULL);
}

const struct mc_command maintenance_commands[] = {
	{ "wmqmaint status", "", 0, 0, "Shows the freeze, and what is being "
	  "done.", status },
	{ "wmqmaint freeze", "", 0, 0, "Makes a freeze of all accounts now.",
	  freeze },
	{ "wmqmaint prune", "", 0, 0, "Deletes queue files that nobody needs "
	  "any more.", prune },
	{ 0 }
};
