/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include "process.h"

#include <event2/event.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS	3000	/* beyond stop_limit, and after a second signal */
#define SAME_MS		250	/* timeout(1) sends each signal twice */

struct signals {
	struct process		*process;
	struct event		*event;
	int			 fd;		/* wakes the loop */
	atomic_uint		 stops, reloads;	/* not yet told */
	atomic_int_fast64_t	 stop_ms;
	sigset_t		 set;
	pthread_t		 thread;
	uint64_t		 asked_ms, deadline_ms;	/* 0: not yet */
};

/* Loop thread. */
static void
told(evutil_socket_t fd, short events, void *arg)
{
	struct signals *signals = arg;
	eventfd_t ignored;

	(void)events;
	eventfd_read(fd, &ignored);
	if (atomic_exchange(&signals->reloads, 0) != 0)
		process_reload(signals->process);
	for (unsigned n = atomic_exchange(&signals->stops, 0); n > 0; n--)
		process_stop(signals->process);
}

static void
stop_asked(struct signals *signals, const siginfo_t *info)
{
	uint64_t limit = GRACE_MS, now = mc_now_ms();
	const char *name = strsignal(info->si_signo);

	if (signals->asked_ms != 0 && now - signals->asked_ms < SAME_MS)
		return;
	if (info->si_pid == 0)			/* the terminal */
		mc_log(NULL, MC_NOTE, "%s", name);
	else if (info->si_pid != getpid())	/* not metacubectl stop */
		mc_log(NULL, MC_NOTE, "%s from process %ld", name,
		    (long)info->si_pid);
	if (signals->deadline_ms == 0)
		limit += (uint64_t)atomic_load(&signals->stop_ms);
	signals->asked_ms = now;
	signals->deadline_ms = now + limit;
	atomic_fetch_add(&signals->stops, 1);
}

/* The signal's number, or -1 when the time is over. */
static int
wait_signal(const struct signals *signals, siginfo_t *info)
{
	uint64_t now = mc_now_ms(), left = 0;
	struct timespec ts;

	if (signals->deadline_ms == 0)
		return sigwaitinfo(&signals->set, info);
	if (signals->deadline_ms > now)
		left = signals->deadline_ms - now;
	ts.tv_sec = (time_t)(left / 1000);
	ts.tv_nsec = (long)(left % 1000) * 1000000;
	return sigtimedwait(&signals->set, info, &ts);
}

static void *
signals_main(void *arg)
{
	struct signals *signals = arg;
	siginfo_t info;
	int number, state;

	pthread_setname_np(pthread_self(), "signals");
	for (;;) {
		number = wait_signal(signals, &info);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		if (number == -1 && errno == EAGAIN)
			mc_fatal(NULL, "has not stopped in time: the loop is "
			    "held by %s", callback_running());
		if (number == SIGHUP)
			atomic_store(&signals->reloads, 1);
		else if (number > 0)
			stop_asked(signals, &info);
		if (number > 0)
			eventfd_write(signals->fd, 1);
		pthread_setcancelstate(state, NULL);
	}
	return NULL;
}

struct signals *
signals_new(struct process *process)
{
	struct signals *signals = mc_zalloc(sizeof(*signals));

	signals->process = process;
	signals_limit_set(signals, process->conf.stop_ms);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals->set);
	sigaddset(&signals->set, SIGTERM);
	sigaddset(&signals->set, SIGINT);
	sigaddset(&signals->set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
	signals->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (signals->fd == -1)
		mc_fatal(NULL, "eventfd: %s", strerror(errno));
	signals->event = event_new(loop_base(process->loop), signals->fd,
	    EV_READ | EV_PERSIST, told, signals);
	event_add(signals->event, NULL);
	if (pthread_create(&signals->thread, NULL, signals_main,
	    signals) != 0)
		mc_fatal(NULL, "cannot start a thread");
	return signals;
}

void
signals_free(struct signals **signalsp)
{
	struct signals *signals = *signalsp;

	if (signals == NULL)
		return;
	pthread_cancel(signals->thread);	/* only while it waits */
	pthread_join(signals->thread, NULL);
	event_free(signals->event);
	close(signals->fd);
	free(signals);
	*signalsp = NULL;
}

void
signals_limit_set(struct signals *signals, int64_t stop_ms)
{
	atomic_store(&signals->stop_ms, stop_ms);
}
