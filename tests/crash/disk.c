/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND_SIZE	(4 * DISK_PATH)
#define BENEATH_SIZE	"2G"	/* sparse */
#define DISK_SIZE	"128M"

static bool __attribute__((format(printf, 1, 2)))
run(const char *format, ...)
{
	char command[COMMAND_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command) == 0;
}

static bool
path_make(char path[DISK_PATH], const struct disk *disk, const char *name)
{
	return snprintf(path, DISK_PATH, "%s/%s", disk->base, name) <
	    DISK_PATH && mkdir(path, 0700) == 0;
}

static const char *
beneath_make(const struct disk *disk)
{
	if (!run("truncate -s " BENEATH_SIZE " %s/beneath.img && "
	    "mkfs.xfs -q -m reflink=1 %s/beneath.img >/dev/null 2>&1",
	    disk->base, disk->base))
		return "mkfs.xfs cannot make a file system with clones";
	if (!run("mkdir %s/beneath && mount -o loop %s/beneath.img %s/beneath "
	    "2>/dev/null", disk->base, disk->base, disk->base))
		return "loop devices cannot be mounted";
	return NULL;
}

static const char *
live_make(const struct disk *disk)
{
	if (!run("truncate -s " DISK_SIZE " %s/beneath/disk.img && mkfs.ext4 "
	    "-q -F %s/beneath/disk.img >/dev/null 2>&1", disk->base,
	    disk->base))
		return "mkfs.ext4 cannot make a file system";
	if (!run("mount -o loop %s/beneath/disk.img %s 2>/dev/null",
	    disk->base, disk->live))
		return "loop devices cannot be mounted";
	return NULL;
}

const char *
disk_make(struct disk *disk)
{
	const char *tmp = getenv("TMPDIR"), *fault;

	memset(disk, 0, sizeof(*disk));
	if (geteuid() != 0)
		return "only root can mount file systems";
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return "a name space for mounts cannot be had";
	snprintf(disk->base, sizeof(disk->base), "%s/mc-disk-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(disk->base) == NULL ||
	    !path_make(disk->live, disk, "live") ||
	    !path_make(disk->copy, disk, "copy"))
		return "a folder cannot be made";
	fault = beneath_make(disk);
	return fault != NULL ? fault : live_make(disk);
}

void
disk_remove(struct disk *disk)
{
	if (disk->base[0] == '\0')
		return;
	umount2(disk->copy, MNT_DETACH);
	run("umount %s 2>/dev/null; umount %s/beneath 2>/dev/null",
	    disk->live, disk->base);
	run("rm -rf --one-file-system %s", disk->base);
}

void
disk_sync(const struct disk *disk)
{
	int fd = open(disk->live, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || syncfs(fd) == -1)
		perror(disk->live);
	if (fd != -1)
		close(fd);
}

static bool
file_clone(const struct disk *disk, const char *from, const char *to)
{
	char path[DISK_PATH + 32];
	int source, target, result = -1;

	snprintf(path, sizeof(path), "%s/beneath/%s", disk->base, from);
	source = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/beneath/%s", disk->base, to);
	target = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (source != -1 && target != -1)
		result = ioctl(target, FICLONE, source);
	if (source != -1)
		close(source);
	if (target != -1)
		close(target);
	return result == 0;
}

bool
disk_cut(struct disk *disk)
{
	return file_clone(disk, "disk.img", "cut.img");
}

bool
disk_mount(struct disk *disk)
{
	return run("mount -o loop %s/beneath/cut.img %s", disk->base,
	    disk->copy);
}

bool
disk_unmount(struct disk *disk)
{
	return run("umount %s", disk->copy);
}
