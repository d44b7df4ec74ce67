/* SPDX-License-Identifier: MIT */
#include "io.h"

#include "conn.h"
#include "listen.h"
#include "process.h"
#include "pump.h"

#include <event2/event.h>

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAILS_MAX	64	/* more than that do not wait for others, */
#define MAILS_WAIT_MS	1	/* nor longer than that */

static void
mail_arrived(evutil_socket_t fd, short events, void *arg)
{
	struct io_thread *thread = arg;

	(void)fd;
	(void)events;
	thread->events++;
	mailbox_run(thread->box);
}

/* The tick only ends the wait: the wheel is turned in every round. */
static void
ticked(evutil_socket_t fd, short events, void *arg)
{
	struct io_thread *thread = arg;

	(void)fd;
	(void)events;
	thread->tick_ms = 0;
}

static void
arm_tick(struct io_thread *thread, uint64_t now_ms)
{
	int wait = wheel_wait(&thread->wheel, now_ms);
	uint64_t at = now_ms + (uint64_t)(wait > 0 ? wait : 0);
	struct timeval tv;

	if (wait == -1 || (thread->tick_ms != 0 && thread->tick_ms <= at))
		return;
	thread->tick_ms = at;
	tv.tv_sec = wait / 1000;
	tv.tv_usec = wait % 1000 * 1000;
	event_add(thread->tick_event, &tv);
}

static void
post_mails(struct io_thread *thread)
{
	if (thread->nmails == 0)
		return;
	thread->nmails = 0;
	loop_post_all(thread->io->process->loop, &thread->mails);
}

void
io_tell(struct io_thread *thread, struct mail *mail)
{
	mails_add(&thread->mails, mail);
	if (++thread->nmails >= MAILS_MAX)
		post_mails(thread);
}

static void
end_round(struct io_thread *thread)
{
	uint64_t now_ms = mc_now_ms();

	wheel_turn(&thread->wheel, now_ms, conn_due);
	conn_flush_dirty(thread);
	conn_free_dead(thread);
	arm_tick(thread, now_ms);
	post_mails(thread);
}

/* Mail waits while there are sockets that want something: the loop thread
 * does not come between, and gets more at once. */
static void
collect_mails(struct io_thread *thread)
{
	uint64_t since_ms = mc_now_ms();
	unsigned events;

	while (thread->nmails != 0 && !thread->stopping) {
		conn_flush_dirty(thread);
		events = thread->events;
		event_base_loop(thread->base, EVLOOP_NONBLOCK);
		if (thread->events == events ||
		    mc_now_ms() - since_ms > MAILS_WAIT_MS)
			return;
	}
}

static void *
thread_run(void *arg)
{
	static const struct sched_param normal;
	struct io_thread *thread = arg;

	/* One that is woken does not come between what another does, such as
	 * the loop thread that has woken it: better where there is a way. */
	pthread_setschedparam(pthread_self(), SCHED_BATCH, &normal);
	while (!thread->stopping) {
		end_round(thread);
		event_base_loop(thread->base, EVLOOP_ONCE);
		collect_mails(thread);
	}
	end_round(thread);
	return NULL;
}

static void
thread_init(struct io_thread *thread, struct io *io)
{
	struct event_config *config = event_config_new();

	thread->io = io;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	thread->base = event_base_new_with_config(config);
	event_config_free(config);
	if (thread->base == NULL)
		mc_fatal(io->process->self, "cannot make an event loop");
	thread->box = mailbox_new();
	mails_init(&thread->mails);
	wheel_init(&thread->wheel, mc_now_ms());
	thread->in_buffer = mc_zalloc(IO_IN_SIZE);
	thread->plain = mc_zalloc(IO_RECORD_MAX);
	thread->mail_event = event_new(thread->base, mailbox_fd(thread->box),
	    EV_READ | EV_ET | EV_PERSIST, mail_arrived, thread);
	event_add(thread->mail_event, NULL);
	thread->tick_event = evtimer_new(thread->base, ticked, thread);
}

static void
thread_fini(struct io_thread *thread)
{
	event_free(thread->mail_event);
	event_free(thread->tick_event);
	event_base_free(thread->base);
	mailbox_free(&thread->box);
	free(thread->in_buffer);
	free(thread->plain);
	free(thread->out);
}

/* Signals are the main thread's. */
static void
thread_start(struct io_thread *thread, unsigned number)
{
	sigset_t all, old;
	char name[16];
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&thread->thread, NULL, thread_run, thread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0)
		mc_fatal(thread->io->process->self,
		    "cannot start an I/O thread");
	snprintf(name, sizeof(name), "io-%u", number);
	pthread_setname_np(thread->thread, name);
}

static void
flush(void *arg)
{
	struct process *process = arg;
	struct io *io = process->io;

	for (unsigned i = 0; io != NULL && i < io->count; i++)
		mailbox_post_all(io->threads[i].box, &io->orders[i]);
}

struct io *
io_start(struct process *process, unsigned count)
{
	struct io *io;

	if (count == 0)
		count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	io = mc_zalloc(sizeof(*io) + count * sizeof(io->threads[0]));
	io->process = process;
	io->count = count;
	io->orders = mc_zalloc(count * sizeof(io->orders[0]));
	conn_prepare();
	for (unsigned i = 0; i < count; i++) {
		mails_init(&io->orders[i]);
		thread_init(&io->threads[i], io);
		thread_start(&io->threads[i], i);
	}
	loop_on_flush(process->loop, flush, process);
	return io;
}

void
io_order(struct io_thread *thread, struct mail *mail)
{
	struct io *io = thread->io;

	mails_add(&io->orders[thread - io->threads], mail);
}

struct io_thread *
io_thread_next(struct io *io)
{
	return &io->threads[io->next++ % io->count];
}

struct call {
	struct mail		 mail;
	struct io_thread	*thread;
	io_call_fn		*run;
	void			*arg;
	sem_t			*done;
};

static void
called(struct mail *mail)
{
	struct call *call = (struct call *)mail;

	call->run(call->thread, call->arg);
	sem_post(call->done);
}

void
io_call_all(struct io *io, io_call_fn *run, void *arg)
{
	struct call *calls = mc_zalloc(io->count * sizeof(*calls));
	sem_t done;

	sem_init(&done, 0, 0);
	for (unsigned i = 0; i < io->count; i++) {
		calls[i] = (struct call){
			{ NULL, called }, &io->threads[i], run, arg, &done
		};
		io_order(&io->threads[i], &calls[i].mail);
		mailbox_post_all(io->threads[i].box, &io->orders[i]);
	}
	for (unsigned i = 0; i < io->count; i++)
		while (sem_wait(&done) == -1)
			continue;
	sem_destroy(&done);
	free(calls);
}

static void
drop_all(struct io_thread *thread, void *arg)
{
	(void)arg;
	conn_drop_of(thread, NULL);
	post_mails(thread);
}

static void
stop(struct io_thread *thread, void *arg)
{
	(void)arg;
	thread->stopping = true;
}

/* The mail that is still under way asks for the last orders: connections
 * are released by them. */
void
io_stop(struct io **iop)
{
	struct io *io = *iop;

	if (io == NULL)
		return;
	links_end();
	io_call_all(io, drop_all, NULL);
	loop_drain(io->process->loop);
	io_call_all(io, stop, NULL);
	for (unsigned i = 0; i < io->count; i++) {
		pthread_join(io->threads[i].thread, NULL);
		thread_fini(&io->threads[i]);
	}
	free(io->orders);
	free(io);
	*iop = NULL;
}
