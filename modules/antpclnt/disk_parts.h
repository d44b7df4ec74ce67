/* SPDX-License-Identifier: MIT */
/*
 * disk_parts - the inside of disk.h, shared by its two files: disk.c has the
 * folder and the queue, disk_freeze.c the freeze.
 */
#ifndef ANTPCLNT_DISK_PARTS_H
#define ANTPCLNT_DISK_PARTS_H

#include "disk.h"

#include <metacube/host.h>

struct disk {
	char			 path[FREEZE_PATH_SIZE / 2];
	struct queue		*queue;		/* NULL: to be opened again */
	struct freeze_file	 freeze;
	char			 part[ANTP_FILE_SIZE];
	int			 part_fd;	/* -1: not open */
	uint64_t		 part_have;
	uint8_t			 part_header[FREEZE_HEADER_SIZE];
	char			 why[DISK_WHY];
};

/* Keeps why for disk_why, and returns the result. */
enum disk_result disk_fail(struct disk *, enum disk_result,
		    const char *format, ...) MC_PRINTF(3, 4);

/* Takes what is here from before; removes what is of no use. */
void		 disk_freeze_look(struct disk *);

/* Closes the file in transfer, if it is open. */
void		 disk_freeze_close(struct disk *);

#endif
