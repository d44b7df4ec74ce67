/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include "process.h"

#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
	struct process	*process;
	struct event	*event;
	int		 fd;
	sigset_t	 set;
};

static void
arrived(evutil_socket_t fd, short events, void *arg)
{
	struct signals *signals = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			process_reload(signals->process);
		else {
			mc_log(NULL, MC_NOTE, "%s from process %u",
			    strsignal((int)info.ssi_signo), info.ssi_pid);
			process_stop(signals->process);
		}
	}
}

struct signals *
signals_new(struct process *process)
{
	struct signals *signals = mc_zalloc(sizeof(*signals));

	signals->process = process;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals->set);
	sigaddset(&signals->set, SIGTERM);
	sigaddset(&signals->set, SIGINT);
	sigaddset(&signals->set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
	signals->fd = signalfd(-1, &signals->set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd == -1)
		mc_fatal(NULL, "signalfd: %s", strerror(errno));
	signals->event = event_new(loop_base(process->loop), signals->fd,
	    EV_READ | EV_PERSIST, arrived, signals);
	event_add(signals->event, NULL);
	return signals;
}

void
signals_free(struct signals **signalsp)
{
	struct signals *signals = *signalsp;

	if (signals == NULL)
		return;
	event_free(signals->event);
	close(signals->fd);
	free(signals);
	*signalsp = NULL;
}
