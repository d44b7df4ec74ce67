/* SPDX-License-Identifier: MIT */
/*
 * disk - a disk whose power can be cut: ext4 in a file on a file system that
 * can clone files, so that a copy of it at any instant costs milliseconds.
 *
 * A clone holds what the file system had written to its "disk" by then, and
 * nothing of what was still in memory: the model of a disk that keeps all
 * completed writes in order.  Needs root, loop devices, mkfs.ext4 and mkfs.xfs;
 * everything is mounted in a name space of this process's own.
 */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#include <stdbool.h>

#define DISK_PATH	256

struct disk {
	char	base[DISK_PATH];	/* folder of everything below */
	char	live[DISK_PATH];	/* where the disk is mounted */
	char	copy[DISK_PATH];	/* where a clone of it is mounted */
};

/* NULL: fine; else why there can be no such disk here. */
const char	*disk_make(struct disk *);
void		 disk_remove(struct disk *);

/* Everything that was written so far is on the disk. */
void		 disk_sync(const struct disk *);

/* The power is cut: keeps what the disk holds now, in place of what was kept
 * before.  The disk itself goes on. */
bool		 disk_cut(struct disk *);

/* The machine starts again: what was kept is mounted at copy, which takes the
 * file system's own recovery. */
bool		 disk_mount(struct disk *);
bool		 disk_unmount(struct disk *);

#endif
