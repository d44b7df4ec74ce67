/* SPDX-License-Identifier: MIT */
/*
 * timer - timers and watched descriptors of modules, on the event library.
 *
 * Each lives in its slot and in its instance's list, so that an instance
 * that ends takes them all along.
 */
#include "timer.h"

#include "process.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdlib.h>

struct mc_timer {
	struct event	  event;
	struct mc_host	 *host;
	struct mc_timer	 *next, **prev;
	struct mc_timer	**slot;
	mc_timer_fn	 *run;
	void		 *owner;
};

struct mc_watch {
	struct event	  event;
	struct mc_host	 *host;
	struct mc_watch	 *next, **prev;
	struct mc_watch	**slot;
	mc_watch_fn	 *run;
	void		 *owner;
};

static void
timer_free(struct mc_timer *timer)
{
	event_del(&timer->event);
	*timer->prev = timer->next;
	if (timer->next != NULL)
		timer->next->prev = timer->prev;
	free(timer);
}

static void
watch_free(struct mc_watch *watch)
{
	event_del(&watch->event);
	*watch->prev = watch->next;
	if (watch->next != NULL)
		watch->next->prev = watch->prev;
	free(watch);
}

static void
fired(evutil_socket_t fd, short events, void *arg)
{
	struct mc_timer *timer = arg;
	struct mc_host *host = timer->host;
	mc_timer_fn *run = timer->run;
	void *owner = timer->owner;
	struct callback callback;

	(void)fd;
	(void)events;
	*timer->slot = NULL;
	timer_free(timer);
	callback_begin(&callback, host, "timer", 0);
	run(owner);
	callback_end(&callback);
}

static struct mc_timer *
timer_new(struct mc_host *host, struct mc_timer **slot)
{
	struct mc_timer *timer = mc_zalloc(sizeof(*timer));

	timer->host = host;
	timer->slot = slot;
	timer->prev = &host->timers;
	timer->next = host->timers;
	if (timer->next != NULL)
		timer->next->prev = &timer->next;
	host->timers = timer;
	event_assign(&timer->event, loop_base(host->process->loop), -1, 0,
	    fired, timer);
	*slot = timer;
	return timer;
}

void
mc_timer_set(struct mc_host *host, struct mc_timer **slot, unsigned ms,
    mc_timer_fn *run, void *owner)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	struct mc_timer *timer = *slot;

	loop_check(host, "mc_timer_set");
	if (timer == NULL)
		timer = timer_new(host, slot);
	timer->run = run;
	timer->owner = owner;
	event_add(&timer->event, &tv);
}

void
mc_timer_clear(struct mc_timer **slot)
{
	if (*slot == NULL)
		return;
	timer_free(*slot);
	*slot = NULL;
}

static void
ready(evutil_socket_t fd, short events, void *arg)
{
	struct mc_watch *watch = arg;
	struct callback callback;
	int set = 0;

	(void)fd;
	if ((events & EV_READ) != 0)
		set |= MC_READ;
	if ((events & EV_WRITE) != 0)
		set |= MC_WRITE;
	callback_begin(&callback, watch->host, "watched descriptor", 0);
	watch->run(watch->owner, set);	/* may clear the watch */
	callback_end(&callback);
}

void
mc_watch_set(struct mc_host *host, struct mc_watch **slot, int fd, int events,
    mc_watch_fn *run, void *owner)
{
	struct mc_watch *watch;
	short set = EV_PERSIST;

	mc_watch_clear(slot);
	watch = mc_zalloc(sizeof(*watch));
	watch->host = host;
	watch->slot = slot;
	watch->run = run;
	watch->owner = owner;
	watch->prev = &host->watches;
	watch->next = host->watches;
	if (watch->next != NULL)
		watch->next->prev = &watch->next;
	host->watches = watch;
	if ((events & MC_READ) != 0)
		set |= EV_READ;
	if ((events & MC_WRITE) != 0)
		set |= EV_WRITE;
	event_assign(&watch->event, loop_base(host->process->loop), fd, set,
	    ready, watch);
	event_add(&watch->event, NULL);
	*slot = watch;
}

void
mc_watch_clear(struct mc_watch **slot)
{
	if (*slot == NULL)
		return;
	watch_free(*slot);
	*slot = NULL;
}

void
timers_close(struct mc_host *host)
{
	while (host->timers != NULL) {
		*host->timers->slot = NULL;
		timer_free(host->timers);
	}
	while (host->watches != NULL) {
		*host->watches->slot = NULL;
		watch_free(host->watches);
	}
}
