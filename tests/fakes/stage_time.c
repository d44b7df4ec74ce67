/* SPDX-License-Identifier: MIT */
/*
 * stage_time - time that stands still until the test lets it pass, and the
 * work that is done then.
 */
#include "stage.h"

#include "stage_parts.h"

#include <metacube/call.h>

#include <stdlib.h>

struct mc_timer {
	struct mc_timer	 *next;
	struct mc_timer	**slot;
	uint64_t	  at_ms;
	mc_timer_fn	 *run;
	void		 *owner;
};

struct task {
	struct task	*next;
	mc_work_fn	*run;
	void		*arg;
};

static uint64_t now_ms;
static struct mc_timer *timers;
static struct task *tasks;

void
stage_time_reset(void)
{
	now_ms = 1000000;
	timers = NULL;
	tasks = NULL;
}

uint64_t
mc_now_ms(void)
{
	return now_ms;
}

uint64_t
mc_time_ms(void)
{
	return 1700000000000u + now_ms;
}

void
mc_timer_clear(struct mc_timer **slot)
{
	struct mc_timer **at = &timers, *timer = *slot;

	if (timer == NULL)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	*slot = NULL;
	free(timer);
}

void
mc_timer_set(struct mc_host *host, struct mc_timer **slot, unsigned ms,
    mc_timer_fn *run, void *owner)
{
	struct mc_timer *timer = mc_zalloc(sizeof(*timer));
	struct mc_timer **at = &timers;

	(void)host;
	mc_timer_clear(slot);
	timer->slot = slot;
	timer->at_ms = now_ms + ms;
	timer->run = run;
	timer->owner = owner;
	while (*at != NULL && (*at)->at_ms <= timer->at_ms)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
	*slot = timer;
}

static void
task_add(mc_work_fn *run, void *arg)
{
	struct task *task = mc_zalloc(sizeof(*task)), **at = &tasks;

	task->run = run;
	task->arg = arg;
	while (*at != NULL)
		at = &(*at)->next;
	*at = task;
}

void
mc_work(struct mc_host *host, mc_work_fn *run, void *arg)
{
	(void)host;
	task_add(run, arg);
}

/* One by one is a batch, too. */
struct lone {
	mc_batch_fn	*run;
	void		*arg;
};

static void
lone_run(void *arg)
{
	struct lone *lone = arg;

	lone->run(&lone->arg, 1);
	free(lone);
}

void
mc_work_batch(struct mc_host *host, mc_batch_fn *run, void *arg)
{
	struct lone *lone = mc_zalloc(sizeof(*lone));

	lone->run = run;
	lone->arg = arg;
	mc_work(host, lone_run, lone);
}

void
mc_later(struct mc_host *host, mc_work_fn *run, void *arg)
{
	(void)host;
	task_add(run, arg);
}

static void
settle(void)
{
	struct task *task;

	while ((task = tasks) != NULL) {
		tasks = task->next;
		task->run(task->arg);
		free(task);
	}
	stage_conns_settle();
}

void
stage_pass(unsigned ms)
{
	uint64_t until = now_ms + ms;

	settle();
	while (timers != NULL && timers->at_ms <= until) {
		mc_timer_fn *run = timers->run;
		void *owner = timers->owner;

		if (timers->at_ms > now_ms)
			now_ms = timers->at_ms;
		mc_timer_clear(timers->slot);
		run(owner);
		settle();
	}
	now_ms = until;
}
