/* SPDX-License-Identifier: MIT */
/*
 * delivery - whose turn it is, the command, and what its end means: sent,
 * again later, or given up.
 */
#include "sender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* One mail in the spool. */
struct item {
	TAILQ_ENTRY(item)	 link;
	struct sender		*sender;
	char			 id[ID_SIZE];
	unsigned		 attempts;
	bool			 runs, timed_out;
	int			 error;		/* it could not be started */
	struct child		 child;
	struct mc_watch		*watch;
	struct mc_timer		*timer;
	char			 why[OUTPUT_MAX + 160];
	bool			 give_up;
};

void
delivery_add(struct sender *sender, const char *id)
{
	struct item *item = mc_zalloc(sizeof(*item));

	item->sender = sender;
	strcpy(item->id, id);
	TAILQ_INSERT_TAIL(&sender->ready, item, link);
	mc_gauge(sender->host, "waiting", (int64_t)++sender->count);
}

static void
item_free(struct item *item)
{
	struct sender *sender = item->sender;

	mc_timer_clear(&item->timer);
	mc_watch_clear(&item->watch);
	mc_gauge(sender->host, "waiting", (int64_t)--sender->count);
	free(item);
}

/* The end of one mail. */

/* Loop. */
static void
item_gone(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;

	TAILQ_REMOVE(&sender->others, item, link);
	item_free(item);
	delivery_turn(sender);
}

/* The instance's thread. */
static void
item_remove(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;
	int result;

	mc_crash_point("mail.sent");
	result = item->give_up ?
	    spool_fail(sender->conf->spool, item->id, item->why) :
	    spool_remove(sender->conf->spool, item->id);
	if (result == -1)
		mc_log(sender->host, MC_ERROR, "mail %s cannot be taken out "
		    "of %s: %s", item->id, sender->conf->spool,
		    strerror(errno));
	mc_later(sender->host, item_gone, item);
}

static void
item_ready(void *owner)
{
	struct item *item = owner;
	struct sender *sender = item->sender;

	TAILQ_REMOVE(&sender->others, item, link);
	TAILQ_INSERT_TAIL(&sender->ready, item, link);
	delivery_turn(sender);
}

static unsigned
pause_of(const struct item *item)
{
	const struct conf *conf = item->sender->conf;
	int64_t ms = conf->retry_base_ms;

	for (unsigned i = 1; i < item->attempts && ms < conf->retry_max_ms;
	    i++)
		ms *= 2;
	return (unsigned)(ms < conf->retry_max_ms ? ms : conf->retry_max_ms);
}

static void
item_later(struct item *item)
{
	struct sender *sender = item->sender;
	unsigned ms = pause_of(item);

	mc_count(sender->host, "retried", 1);
	mc_log(sender->host, MC_WARN, "mail %s was not taken: %s; again in "
	    "%u s", item->id, item->why, ms / 1000);
	mc_timer_set(sender->host, &item->timer, ms, item_ready, item);
}

static void
item_give_up(struct item *item)
{
	struct sender *sender = item->sender;

	item->give_up = true;
	mc_count(sender->host, "failed", 1);
	mc_log(sender->host, MC_ERROR, "mail %s is given up after %u "
	    "attempt%s: %s (see %s/failed)", item->id, item->attempts,
	    item->attempts == 1 ? "" : "s", item->why, sender->conf->spool);
	mc_work(sender->host, item_remove, item);
}

/* What is wrong with the mail itself, no later attempt will mend. */
static bool
is_hopeless(int status)
{
	return WIFEXITED(status) && (WEXITSTATUS(status) == EX_DATAERR ||
	    WEXITSTATUS(status) == EX_NOUSER ||
	    WEXITSTATUS(status) == EX_NOHOST);
}

static void
item_judge(struct item *item, int status)
{
	struct sender *sender = item->sender;
	int64_t age_ms = (int64_t)(mc_time_ms() - id_time(item->id));

	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK) {
		mc_count(sender->host, "sent", 1);
		mc_log(sender->host, MC_NOTE, "mail %s was taken", item->id);
		mc_work(sender->host, item_remove, item);
	} else if (is_hopeless(status) || age_ms >= sender->conf->give_up_ms)
		item_give_up(item);
	else
		item_later(item);
}

static void
why_write(struct item *item, int status, const char *output)
{
	const char *command = item->sender->args[0];
	char what[64];

	if (item->timed_out)
		snprintf(what, sizeof(what), "took too long");
	else if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "was killed by signal %d",
		    WTERMSIG(status));
	else
		snprintf(what, sizeof(what), "ended with %d",
		    WEXITSTATUS(status));
	snprintf(item->why, sizeof(item->why), "%.60s %s%s%s",
	    strrchr(command, '/') != NULL ? strrchr(command, '/') + 1 :
	    command, what, output[0] != '\0' ? ": " : "", output);
}

static void
run_over(struct item *item)
{
	item->runs = false;
	item->attempts++;
	item->sender->running--;
	mc_gauge(item->sender->host, "running", item->sender->running);
}

static void
child_ended(void *owner, int events)
{
	struct item *item = owner;
	struct sender *sender = item->sender;
	char output[OUTPUT_MAX];
	int status;

	(void)events;
	mc_watch_clear(&item->watch);
	mc_timer_clear(&item->timer);
	status = child_end(&item->child, output);
	run_over(item);
	why_write(item, status, output);
	item_judge(item, status);
	delivery_turn(sender);
}

/* Its end is seen like any other. */
static void
child_late(void *owner)
{
	struct item *item = owner;

	item->timed_out = true;
	child_kill(&item->child);
}

/* Loop. */
static void
child_started(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;

	if (item->error != 0) {
		run_over(item);
		snprintf(item->why, sizeof(item->why), "%.100s: %s",
		    sender->args[0], strerror(item->error));
		item_judge(item, EX_OSERR << 8);
		delivery_turn(sender);
		return;
	}
	mc_watch_set(sender->host, &item->watch, item->child.pidfd, MC_READ,
	    child_ended, item);
	mc_timer_set(sender->host, &item->timer,
	    (unsigned)sender->conf->timeout_ms, child_late, item);
}

/* The instance's thread. */
static void
child_run(void *job)
{
	struct item *item = job;
	struct sender *sender = item->sender;
	int message = spool_open(sender->conf->spool, item->id);

	item->timed_out = false;
	item->error = 0;
	if (message == -1 || child_start(&item->child, sender->args,
	    message) == -1)
		item->error = errno;
	if (message != -1)
		close(message);
	mc_later(sender->host, child_started, item);
}

void
delivery_turn(struct sender *sender)
{
	struct item *item;

	while (!sender->stopping &&
	    sender->running < sender->conf->parallel &&
	    (item = TAILQ_FIRST(&sender->ready)) != NULL) {
		TAILQ_REMOVE(&sender->ready, item, link);
		TAILQ_INSERT_TAIL(&sender->others, item, link);
		item->runs = true;
		mc_gauge(sender->host, "running", ++sender->running);
		mc_work(sender->host, child_run, item);
	}
}

static void
items_forget(struct items *items)
{
	struct item *item;

	while ((item = TAILQ_FIRST(items)) != NULL) {
		TAILQ_REMOVE(items, item, link);
		if (item->runs && item->watch != NULL)
			child_leave(&item->child);
		item_free(item);
	}
}

void
delivery_forget(struct sender *sender)
{
	items_forget(&sender->ready);
	items_forget(&sender->others);
}
