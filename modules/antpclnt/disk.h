/* SPDX-License-Identifier: MIT */
/*
 * disk - the mirrored files: a folder of queue files (queue.h) and beside them
 *
 *	<epoch>-<seq>.freeze		the latest one, complete
 *	<epoch>-<seq>.freeze.part	one in transfer
 *
 * Queue files are verified as they come, a freeze only by its header and its
 * size: who thaws it has the key.  Blocks; one thread at a time.
 */
#ifndef ANTPCLNT_DISK_H
#define ANTPCLNT_DISK_H

#include <metacube/antp.h>
#include <metacube/freeze.h>
#include <metacube/queue.h>
#include <metacube/wmqfile.h>

#define DISK_WHY	QUEUE_WHY

enum disk_result {
	DISK_OK = 0,
	DISK_FULL,		/* no space now */
	DISK_MISFIT,		/* the bytes do not go on from what is here */
	DISK_DAMAGED,		/* what was here is to be fetched again */
	DISK_LOST		/* it cannot be written */
};

/* What is here, all of it verified. */
struct disk_state {
	bool			filled;		/* there is a queue */
	struct wmq_position	position;
	char			file[ANTP_FILE_SIZE];	/* the last one */
	uint64_t		end;		/* of its last whole record */
	uint64_t		place;		/* of the next byte to fetch */
	struct freeze_file	freeze;		/* header.size 0: none */
	char			part[ANTP_FILE_SIZE];	/* in transfer, or "" */
	uint64_t		part_have;
	uint8_t			part_header[FREEZE_HEADER_SIZE];
};

struct disk;

/* NULL: why.  news_r, "" or what had to be done to the files. */
struct disk	*disk_open(const char *path, char news_r[DISK_WHY],
		    char why[DISK_WHY]);
void		 disk_close(struct disk **);

/* After a DISK_LOST. */
enum disk_result disk_mend(struct disk *);
void		 disk_state(const struct disk *, struct disk_state *state_r);

enum disk_result disk_queue_write(struct disk *, const char *file,
		    uint64_t offset, const void *, size_t, bool anew);
enum disk_result disk_freeze_write(struct disk *, const char *name,
		    uint64_t offset, const void *, size_t);
enum disk_result disk_freeze_end(struct disk *, const char *name);

/* As in wmq.h and wmqfile.h; MC_UNAVAILABLE: see disk_why. */
enum mc_status	 disk_read(struct disk *, uint64_t after, size_t max,
		    void *batch, size_t size, size_t *len_r);
enum mc_status	 disk_extent(struct disk *, const char *name,
		    uint64_t offset, struct wmqfile_extent *extent_r);
enum mc_status	 disk_find(struct disk *, uint64_t seq,
		    struct wmqfile_extent *extent_r);
enum mc_status	 disk_prune(struct disk *, uint64_t seq, uint64_t *count_r);

const char	*disk_why(const struct disk *);

#endif
