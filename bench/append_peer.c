/* SPDX-License-Identifier: MIT */
/*
 * append_peer - the physical limits for tools/bench append: write and
 * fdatasync in a loop, so many records at a time, into a file that is
 * prepared for them just as a queue's is: a step at a time, with zeroes.
 *
 *	append_peer FILE RECORDS-PER-SYNC BYTES-PER-RECORD SECONDS [handed]
 *
 * handed: the same in the least that a server can do whose loop must not
 * block.  A second thread hashes the chain and writes; each group goes to it
 * and its end comes back to the loop, which waits in epoll.  There are no
 * calls, no copies, no readers: nothing of the kind can be faster.
 *
 * Prints records a second and microseconds of CPU for one.
 */
#include "meter.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define STEP		(1024 * 1024)
#define HASH_SIZE	32

struct target {
	int		 fd, done;	/* done: eventfd of the loop */
	off_t		 at, grown;
	size_t		 group, record;
	char		*data;
	double		 end_us;
	uint64_t	 written;	/* records */
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;
	bool		 given, over;
};

static double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
file_grow(int fd, off_t from)
{
	static char zeroes[STEP];

	if (fallocate(fd, 0, from, STEP) == -1 ||
	    pwrite(fd, zeroes, STEP, from) != STEP)
		bench_fail("cannot grow the file: %s", strerror(errno));
}

static void
group_append(struct target *target)
{
	size_t size = target->group * target->record;

	for (; target->at + (off_t)size > target->grown;
	    target->grown += STEP)
		file_grow(target->fd, target->grown);
	if (pwrite(target->fd, target->data, size, target->at) !=
	    (ssize_t)size || fdatasync(target->fd) == -1)
		bench_fail("cannot write: %s", strerror(errno));
	target->at += (off_t)size;
	target->written += target->group;
}

static void
loop_bare(struct target *target)
{
	while (meter_now_us() < target->end_us)
		group_append(target);
}

/* Each record ends with the hash over the one before it and itself. */
static void
group_hash(struct target *target)
{
	char *at = target->data;

	for (size_t i = 0; i < target->group; i++, at += target->record)
		if (gnutls_hash_fast(GNUTLS_DIG_SHA256, at, target->record,
		    at + target->record) != 0)
			bench_fail("no SHA-256");
}

static bool
group_take(struct target *target)
{
	bool over;

	pthread_mutex_lock(&target->lock);
	while (!target->given && !target->over)
		pthread_cond_wait(&target->wake, &target->lock);
	target->given = false;
	over = target->over;
	pthread_mutex_unlock(&target->lock);
	return !over;
}

static void *
writer_run(void *arg)
{
	struct target *target = arg;

	while (group_take(target)) {
		group_hash(target);
		group_append(target);
		if (eventfd_write(target->done, 1) == -1)
			bench_fail("eventfd: %s", strerror(errno));
	}
	return NULL;
}

static void
group_give(struct target *target, bool over)
{
	pthread_mutex_lock(&target->lock);
	target->given = true;
	target->over = over;
	pthread_cond_signal(&target->wake);
	pthread_mutex_unlock(&target->lock);
}

static void
loop_handed(struct target *target)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pthread_t writer;
	eventfd_t count;

	target->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epoll == -1 || target->done == -1 || epoll_ctl(epoll,
	    EPOLL_CTL_ADD, target->done, &event) == -1 ||
	    pthread_create(&writer, NULL, writer_run, target) != 0)
		bench_fail("cannot begin: %s", strerror(errno));
	while (meter_now_us() < target->end_us) {
		group_give(target, false);
		if (epoll_wait(epoll, &event, 1, -1) != 1 ||
		    eventfd_read(target->done, &count) == -1)
			bench_fail("cannot wait: %s", strerror(errno));
	}
	group_give(target, true);
	pthread_join(writer, NULL);
	close(target->done);
	close(epoll);
}

int
main(int argc, char **argv)
{
	struct target target = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER
	};
	double began, cpu;
	bool handed = argc == 6 && strcmp(argv[5], "handed") == 0;

	if (argc != 5 && !handed)
		bench_fail("usage: append_peer FILE GROUP BYTES SECONDS "
		    "[handed]");
	target.group = strtoul(argv[2], NULL, 10);
	target.record = strtoul(argv[3], NULL, 10);
	if (target.group == 0 || target.record == 0 ||
	    target.group > STEP / target.record)
		bench_fail("a group of 1 byte to %d", STEP);
	target.data = calloc(1, target.group * target.record + HASH_SIZE);
	target.fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (target.fd == -1 || target.data == NULL)
		bench_fail("%s: %s", argv[1], strerror(errno));
	cpu = cpu_us();
	began = meter_now_us();
	target.end_us = began + atof(argv[4]) * 1e6;
	if (handed)
		loop_handed(&target);
	else
		loop_bare(&target);
	printf("%.0f %.2f\n", (double)target.written /
	    ((meter_now_us() - began) / 1e6),
	    (cpu_us() - cpu) / (double)target.written);
	unlink(argv[1]);
	free(target.data);
	return 0;
}
