/* SPDX-License-Identifier: MIT */
/*
 * append_peer - the physical limit for tools/bench append: write and
 * fdatasync in a loop, so many records at a time, into a file that is
 * prepared for them just as a queue's is: a step at a time, with zeroes.
 *
 *	append_peer FILE RECORDS-PER-SYNC BYTES-PER-RECORD SECONDS
 *
 * Prints records a second and microseconds of CPU for one.
 */
#include "meter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP		(1024 * 1024)

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
file_append(int fd, const char *data, size_t size, off_t at)
{
	if (pwrite(fd, data, size, at) != (ssize_t)size ||
	    fdatasync(fd) == -1)
		bench_fail("cannot write: %s", strerror(errno));
}

int
main(int argc, char **argv)
{
	double began, seconds, cpu;
	off_t at = 0, grown = 0;
	size_t group, size;
	uint64_t done = 0;
	char *data;
	int fd;

	if (argc != 5)
		bench_fail("usage: append_peer FILE GROUP BYTES SECONDS");
	group = strtoul(argv[2], NULL, 10);
	size = group * strtoul(argv[3], NULL, 10);
	seconds = atof(argv[4]);
	if (size == 0 || size > STEP)
		bench_fail("a group of 1 byte to %d", STEP);
	data = calloc(1, size);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || data == NULL)
		bench_fail("%s: %s", argv[1], strerror(errno));
	cpu = cpu_us();
	for (began = meter_now_us(); meter_now_us() - began < seconds * 1e6;
	    done += group) {
		for (; at + (off_t)size > grown; grown += STEP)
			file_grow(fd, grown);
		file_append(fd, data, size, at);
		at += (off_t)size;
	}
	printf("%.0f %.2f\n", (double)done /
	    ((meter_now_us() - began) / 1e6), (cpu_us() - cpu) / (double)done);
	unlink(argv[1]);
	free(data);
	return 0;
}
