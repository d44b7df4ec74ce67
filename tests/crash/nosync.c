/* SPDX-License-Identifier: MIT */
/*
 * nosync - preloaded into a server, makes it believe that everything is on
 * the disk: the control of power_cut.
 */
#include <unistd.h>

#pragma GCC visibility push(default)

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int
fsync(int fd)
{
	(void)fd;
	return 0;
}
