/* SPDX-License-Identifier: MIT */
/*
 * append_peer - the physical limit for tools/bench append: write and
 * fdatasync in a loop, so many bytes at a time, into a preallocated file.
 *
 *	append_peer FILE RECORDS-PER-SYNC BYTES-PER-RECORD SECONDS
 *
 * Prints records a second.
 */
#include "meter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE	(64 * 1024 * 1024)

static int
file_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || posix_fallocate(fd, 0, FILE_SIZE) != 0 ||
	    fsync(fd) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	return fd;
}

int
main(int argc, char **argv)
{
	double began, seconds;
	size_t group, size;
	uint64_t done = 0;
	off_t at = 0;
	char *data;
	int fd;

	if (argc != 5)
		bench_fail("usage: append_peer FILE GROUP BYTES SECONDS");
	group = strtoul(argv[2], NULL, 10);
	size = group * strtoul(argv[3], NULL, 10);
	seconds = atof(argv[4]);
	if (size == 0 || size > FILE_SIZE)
		bench_fail("a group of 1 byte to %d", FILE_SIZE);
	data = calloc(1, size);
	fd = file_open(argv[1]);
	began = meter_now_us();
	while (meter_now_us() - began < seconds * 1e6) {
		if (at + (off_t)size > FILE_SIZE)
			at = 0;
		if (pwrite(fd, data, size, at) != (ssize_t)size ||
		    fdatasync(fd) != 0)
			bench_fail("%s: %s", argv[1], strerror(errno));
		at += (off_t)size;
		done += group;
	}
	printf("%.0f\n", (double)done / ((meter_now_us() - began) / 1e6));
	unlink(argv[1]);
	return 0;
}
