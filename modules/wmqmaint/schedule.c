/* SPDX-License-Identifier: MIT */
/*
 * schedule - when the next freeze is due.
 *
 * Reckoned on the steady clock, from how old the last one is: a calendar
 * that jumps moves it by no more than what freeze_at says.  The timer looks
 * every minute.
 */
#include "wmqmaint.h"

#define LOOK_MS		60000
#define RETRY_MIN_MS	60000
#define RETRY_MAX_MS	3600000

static bool
digits(const char *at, int max, int *value_r)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*value_r = 10 * (at[0] - '0') + at[1] - '0';
	return *value_r <= max;
}

/* Milliseconds of the day; -1: none. */
static int64_t
time_parse(const char *text)
{
	int hour, minute;

	if (!digits(text, 23, &hour) || text[2] != ':' ||
	    !digits(text + 3, 59, &minute) || text[5] != '\0')
		return -1;
	return (hour * 60LL + minute) * 60000;
}

const char *
schedule_check(const struct conf *conf)
{
	if (conf->freeze_at[0] == '\0')
		return NULL;
	if (time_parse(conf->freeze_at) == -1)
		return "not a time like \"03:30\"";
	if (conf->freeze_every_ms < DAY_MS)
		return "needs a freeze_every of at least a day";
	return NULL;
}

/* How long from now until it is due, when the last one was then. */
static uint64_t
wait_of(const struct conf *conf, uint64_t now_ms, uint64_t last_ms)
{
	uint64_t every = (uint64_t)conf->freeze_every_ms;
	uint64_t age, wait, time;

	if (last_ms > now_ms)
		last_ms = now_ms;
	age = now_ms - last_ms;
	if (conf->freeze_at[0] == '\0')
		return age >= every ? 0 : every - age;
	every -= DAY_MS / 2;
	wait = age >= every ? 0 : every - age;
	time = (now_ms + wait) % DAY_MS;
	return wait + ((uint64_t)time_parse(conf->freeze_at) + DAY_MS -
	    time) % DAY_MS;
}

static void	look(void *owner);

static void
arm(struct wmqmaint *maint)
{
	uint64_t now_ms = mc_now_ms(), wait = LOOK_MS;

	if (maint->due_ms == UINT64_MAX)
		return;
	if (maint->due_ms < now_ms + wait)
		wait = maint->due_ms > now_ms ? maint->due_ms - now_ms : 1;
	mc_timer_set(maint->host, &maint->tick, (unsigned)wait, look, maint);
}

static void
look(void *owner)
{
	struct wmqmaint *maint = owner;

	if (mc_now_ms() < maint->due_ms || maint->task != TASK_NONE) {
		if (maint->due_ms <= mc_now_ms())
			maint->due_ms = mc_now_ms() + RETRY_MIN_MS;
		arm(maint);
		return;
	}
	maint->scheduled = true;
	maint->due_ms = UINT64_MAX;
	if (maint->mirrored.ops == NULL)
		freezing_begin(maint);
	else if (maint->conf->prune)
		pruning_begin(maint);
	else
		schedule_next(maint, false);
}

static uint64_t
retry_of(const struct conf *conf)
{
	uint64_t every = (uint64_t)conf->freeze_every_ms, wait = every / 24;

	if (wait < RETRY_MIN_MS)
		wait = RETRY_MIN_MS < every ? RETRY_MIN_MS : every;
	return wait > RETRY_MAX_MS ? RETRY_MAX_MS : wait;
}

void
schedule_next(struct wmqmaint *maint, bool failed)
{
	uint64_t now_ms = mc_time_ms(), wait;

	maint->scheduled = false;
	mc_timer_clear(&maint->tick);
	maint->due_ms = UINT64_MAX;
	if (maint->conf->freeze_every_ms == 0)
		return;
	if (failed)
		wait = retry_of(maint->conf);
	else if (maint->mirrored.ops != NULL)
		wait = wait_of(maint->conf, now_ms, maint->pruned_ms);
	else
		wait = wait_of(maint->conf, now_ms, maint->frozen_ms);
	maint->due_ms = mc_now_ms() + wait;
	arm(maint);
}

/* Out of turn. */
void
schedule_soon(struct wmqmaint *maint)
{
	if (maint->scheduled)
		return;
	maint->due_ms = mc_now_ms();
	arm(maint);
}

/* Not at once: the store may have to come level first. */
void
schedule_begin(struct wmqmaint *maint)
{
	uint64_t earliest = mc_now_ms() + (uint64_t)maint->conf->settle_ms;

	schedule_next(maint, false);
	if (maint->due_ms < earliest) {
		maint->due_ms = earliest;
		arm(maint);
	}
}

void
schedule_end(struct wmqmaint *maint)
{
	maint->due_ms = UINT64_MAX;
	mc_timer_clear(&maint->tick);
}
