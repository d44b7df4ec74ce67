/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include "process.h"

#include <metacube/host.h>

#include <event2/event.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FLUSH_MAX	8
#define COLLECT_MAX	16	/* answers: the loop goes on with these */

struct loop {
	struct event_base	*base;
	struct mailbox		*box;
	struct event		*mail_event;
	struct mails		 own;	/* posted on the loop thread itself */
	pthread_t		 thread;
	bool			 stopping;
	unsigned		 nflush;
	struct {
		loop_flush_fn	*run;
		void		*arg;
	} flush[FLUSH_MAX];
};

static _Thread_local uint64_t request;
static _Atomic(struct mc_host *) running_host;
static _Atomic(const char *) running_what;
static _Atomic(struct mc_host *) asked_host;	/* by what is running */
static _Atomic(const char *) asked_what;
static unsigned limit_ms = 50;

static void
mail_arrived(evutil_socket_t fd, short events, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)events;
	mailbox_run(loop->box);
}

struct loop *
loop_new(void)
{
	struct loop *loop = mc_zalloc(sizeof(*loop));
	struct event_config *config = event_config_new();

	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		abort();
	loop->box = mailbox_new();
	mails_init(&loop->own);
	loop->thread = pthread_self();
	loop->mail_event = event_new(loop->base, mailbox_fd(loop->box),
	    EV_READ | EV_ET | EV_PERSIST, mail_arrived, loop);
	event_add(loop->mail_event, NULL);
	return loop;
}

void
loop_free(struct loop **loopp)
{
	struct loop *loop = *loopp;

	if (loop == NULL)
		return;
	event_free(loop->mail_event);
	event_base_free(loop->base);
	mailbox_free(&loop->box);
	free(loop);
	*loopp = NULL;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

bool
loop_here(const struct loop *loop)
{
	return pthread_equal(loop->thread, pthread_self());
}

void
loop_check(const struct mc_host *host, const char *function)
{
	if (!loop_here(host->process->loop))
		mc_fatal(NULL, "%s has called %s from a thread of its own",
		    host->name, function);
}

/* What another thread posts while it works on a batch. */
static _Thread_local struct {
	struct loop	*loop;		/* NULL: nothing is collected */
	struct mails	 mails;
	unsigned	 count;
} outbox;

static void
outbox_add(struct mail *mail)
{
	mails_add(&outbox.mails, mail);
	if (++outbox.count < COLLECT_MAX)
		return;
	outbox.count = 0;
	mailbox_post_all(outbox.loop->box, &outbox.mails);
}

void
loop_collect(struct loop *loop)
{
	outbox.loop = loop;
	outbox.count = 0;
	mails_init(&outbox.mails);
}

void
loop_collected(void)
{
	mailbox_post_all(outbox.loop->box, &outbox.mails);
	outbox.loop = NULL;
}

void
loop_post(struct loop *loop, struct mail *mail)
{
	if (loop_here(loop))
		mails_add(&loop->own, mail);
	else if (loop == outbox.loop)
		outbox_add(mail);
	else
		mailbox_post(loop->box, mail);
}

void
loop_post_all(struct loop *loop, struct mails *mails)
{
	mailbox_post_all(loop->box, mails);
}

void
loop_on_flush(struct loop *loop, loop_flush_fn *run, void *arg)
{
	if (loop->nflush == FLUSH_MAX)
		abort();
	loop->flush[loop->nflush].run = run;
	loop->flush[loop->nflush++].arg = arg;
}

/* What these mails post in turn waits for the next round, so that sockets and
 * timers get their turn too. */
static void
run_own(struct loop *loop)
{
	struct mail *mail = loop->own.first, *next;

	mails_init(&loop->own);
	for (; mail != NULL; mail = next) {
		next = mail->next;
		mail->run(mail);
	}
}

void
loop_drain(struct loop *loop)
{
	do {
		run_own(loop);
		mailbox_run(loop->box);
	} while (loop->own.first != NULL);
}

void
loop_run(struct loop *loop)
{
	while (!loop->stopping) {
		run_own(loop);
		for (unsigned i = 0; i < loop->nflush; i++)
			loop->flush[i].run(loop->flush[i].arg);
		event_base_loop(loop->base, EVLOOP_ONCE |
		    (loop->own.first != NULL || loop->stopping ?
		    EVLOOP_NONBLOCK : 0));
	}
	loop->stopping = false;
}

void
loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
running_set(struct mc_host *host, const char *what)
{
	atomic_store_explicit(&running_host, host, memory_order_relaxed);
	atomic_store_explicit(&running_what, what, memory_order_relaxed);
}

void
callback_begin(struct callback *callback, struct mc_host *host,
    const char *what, uint64_t for_request)
{
	callback->host = host;
	callback->what = what;
	callback->outer_request = request;
	callback->outer_host = atomic_load_explicit(&running_host,
	    memory_order_relaxed);
	callback->outer_what = atomic_load_explicit(&running_what,
	    memory_order_relaxed);
	callback->began_us = now_us();
	running_set(host, what);
	callback_asked(NULL, NULL);
	request = for_request;
}

void
callback_asked(struct mc_host *provider, const char *op)
{
	atomic_store_explicit(&asked_host, provider, memory_order_relaxed);
	atomic_store_explicit(&asked_what, op, memory_order_relaxed);
}

/* ", after asking tcapw_gdbm (tcapw.lookup)": a provider is entered by those
 * who ask it, so the time may be its own. */
static const char *
asked_text(char text[128])
{
	const char *what = atomic_load(&asked_what);

	text[0] = '\0';
	if (what != NULL)
		snprintf(text, 128, ", after asking %s (%s)",
		    mc_host_name(atomic_load(&asked_host)), what);
	return text;
}

void
callback_end(struct callback *callback)
{
	uint64_t took_ms = (now_us() - callback->began_us) / 1000;
	char asked[128];

	if (took_ms > limit_ms) {
		mc_count(callback->host, "stalls", 1);
		mc_log(callback->host, MC_WARN,
		    "%s held the loop for %llu ms (limit %u ms)%s",
		    callback->what, (unsigned long long)took_ms, limit_ms,
		    asked_text(asked));
	}
	running_set(callback->outer_host, callback->outer_what);
	request = callback->outer_request;
}

const char *
callback_running(void)
{
	static _Thread_local char text[256];
	const char *what = atomic_load(&running_what);
	char asked[128];

	if (what == NULL)
		return "nothing that was measured";
	snprintf(text, sizeof(text), "%s (%s)%s",
	    mc_host_name(atomic_load(&running_host)), what,
	    asked_text(asked));
	return text;
}

void
callback_limit_set(unsigned ms)
{
	limit_ms = ms;
}

uint64_t
request_current(void)
{
	return request;
}

void
request_set(uint64_t for_request)
{
	request = for_request;
}

uint64_t
mc_request(void)
{
	return request;
}

void
mc_request_set(uint64_t for_request)
{
	request = for_request;
}

uint64_t
request_new(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}
