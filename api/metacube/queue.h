/* SPDX-License-Identifier: MIT */
/*
 * metacube/queue.h - a folder of segments: one writer, and reads of what is
 * durable.
 *
 * What every provider of a message queue in files stands on, and the tools
 * that look into one.  Knows nothing of the host.  A queue belongs to one
 * thread at a time; while it is open, the lock file in its folder keeps other
 * processes out.
 *
 *	lock			flock, and the holder's process id
 *	20260130.wmq		first segment begun that day (UTC)
 *	20260130-001.wmq	the next ones
 *	20260131.wmq.new	one being made; removed at the next start
 *	old-1f2e3d4c/		the segments of an epoch that is over
 */
#ifndef METACUBE_QUEUE_H
#define METACUBE_QUEUE_H

#include <metacube/segment.h>

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUEUE_WHY	512
#define QUEUE_NAME_SIZE	32	/* "20260130-001.wmq" */

/*
 * The system calls by which a queue changes its files: one table, so that a
 * test can make any one of them fail.  Each is the call of that name: -1 and
 * errno.
 */
struct queue_io {
	int	(*open)(const char *path, int flags);	/* created: 0600 */
	ssize_t	(*pread)(int fd, void *data, size_t len, off_t offset);
	ssize_t	(*pwrite)(int fd, const void *data, size_t len, off_t offset);
	int	(*fdatasync)(int fd);
	int	(*ftruncate)(int fd, off_t size);
	int	(*fallocate)(int fd, off_t offset, off_t len);
	int	(*rename)(const char *from, const char *to);
	int	(*unlink)(const char *path);
	int	(*mkdir)(const char *path);		/* created: 0700 */
	int	(*fsync_dir)(const char *path);
	int	(*close)(int fd);
};

extern const struct queue_io queue_io_real;

struct queue_conf {
	const char	*path;
	uint64_t	 segment_size;
	char		 server[8];	/* padded with NUL */
	uint8_t		 epoch[16];	/* for a queue that is new */
	const struct queue_io *io;
};

enum queue_result {
	QUEUE_OK = 0,
	QUEUE_FULL,		/* no space; nothing was appended */
	QUEUE_DAMAGED,		/* what should be there cannot be read */
	QUEUE_LOST,		/* the disk's state is unknown: give up */
	QUEUE_GONE,		/* these records were pruned */
	QUEUE_FAILED		/* not done; the queue is what it was */
};

/* A record to be appended. */
struct queue_entry {
	const char	*tag;
	const void	*data;
	uint32_t	 len;
};

/* What opening had to do, to be logged. */
struct queue_news {
	bool		 created;
	uint64_t	 cut_bytes;	/* torn tail, from there on: */
	uint64_t	 cut_at;
	char		 cut_file[QUEUE_NAME_SIZE];
	unsigned	 dropped;	/* a mirror's damaged files and those
					 * after; queue_why says what it was */
};

struct queue;

/* NULL: why says which file, where and what to do. */
struct queue	*queue_open(const struct queue_conf *, uint64_t now_ms,
		    struct queue_news *news_r, char why[QUEUE_WHY]);
void		 queue_close(struct queue **);

void		 queue_position(const struct queue *,
		    struct wmq_position *position_r);

/* Appends all entries as one commit, or none.  They get the numbers from
 * *first_r on and are durable when this returns QUEUE_OK. */
enum queue_result queue_commit(struct queue *,
		    const struct queue_entry *entries, size_t count,
		    uint64_t now_ms, uint64_t *first_r);

/* Whole records with numbers above after, as a batch of metacube/wmq.h, in
 * at most size bytes; as many as fit, at least one if there is one.  size is
 * at least sizeof(struct wmq_record) + WMQ_DATA_MAX.  QUEUE_GONE: the record
 * after this one has been pruned; QUEUE_FAILED: it cannot be read just now. */
enum queue_result queue_read(struct queue *, uint64_t after, size_t max,
		    void *batch, size_t size, size_t *len_r);

/* Deletes finished files whose records all have numbers up to seq, oldest
 * first, each durably before the next; count_r: how many.  Killed anywhere,
 * what is left is a queue, and this may be asked again. */
enum queue_result queue_prune(struct queue *, uint64_t seq, size_t *count_r);

/* What went wrong last; and where, if it was that a file is damaged. */
const char	*queue_why(const struct queue *);

struct queue_place {
	char		 name[QUEUE_NAME_SIZE];	/* of a file; "": none */
	uint64_t	 offset;
};

void		 queue_fault(const struct queue *,
		    struct queue_place *place_r);

/* Its files by age, and where it stands: a copy, for another thread to keep.
 * All but the last are finished.  Freed by free(). */
struct queue_file {
	char		 name[QUEUE_NAME_SIZE];
	uint64_t	 first_seq;
	uint64_t	 end;		/* offset after the last record */
};

struct queue_view {
	struct wmq_position position;
	size_t		 count;
	struct queue_file files[];
};

struct queue_view *queue_view(const struct queue *);
/* Of the last file: its end, and the number of its first record, which no
 * file before had (0 without one). */
uint64_t	 queue_end(const struct queue *);
uint64_t	 queue_begun(const struct queue *);

/* Is this the name of a queue file?  And is the first one older (below 0),
 * the same, or newer?  (Not the order of the alphabet.) */
bool		 queue_is_name(const char *name);
int		 queue_compare(const char *name, const char *other);

/*
 * A mirror: a folder that is filled, from outside, with the bytes of another
 * queue's files.  It is a queue in all but appending: position, read, view
 * and prune work on it.
 *
 *	queue_mirror_open	what is whole and hangs together is kept
 *	queue_mirror_place	which file to fetch next, from which byte on
 *	queue_mirror_put	bytes of that place, in pieces of any size
 *	queue_mirror_begin	the file is finished, this one follows it
 *	queue_mirror_anew	everything is dropped, this one is the first
 *	queue_mirror_forget	a file is damaged: drop it, fetch it again
 *
 * A record is written, and shown to readers, once all of it has come and its
 * checksum and the chain of hashes are right; a file, once its header is, and
 * continues the file before (epoch, number, hash).  What is wrong is never
 * written and never shown.
 *
 * A power cut may take what came last, as it can be fetched again: a file is
 * only synced when it is finished.  So a mirror can come back with a position
 * before the one it had, and so it does after queue_mirror_forget; an unclean
 * end is found and cut off when it is opened.
 */

/* Of the conf, path and io count.  NULL: why says what is in the way; damage
 * is not: the file and those after it are deleted, and news_r tells. */
struct queue	*queue_mirror_open(const struct queue_conf *,
		    struct queue_news *news_r, char why[QUEUE_WHY]);

/* No name: nothing is here, and none was begun. */
void		 queue_mirror_place(const struct queue *,
		    struct queue_place *place_r);

/* Takes bytes that came for this place, which must be the one that
 * queue_mirror_place says.  After any failure all bytes but those of whole
 * records are forgotten: ask for the place again.
 * QUEUE_DAMAGED: these bytes are wrong, or belong elsewhere.
 * QUEUE_FULL: no space.  QUEUE_LOST: close the mirror and open it again. */
enum queue_result queue_mirror_put(struct queue *, const struct queue_place *,
		    const void *data, size_t len);

/* QUEUE_FAILED: not a name, not a newer one, or the file before lacks its
 * end (then fetch that first). */
enum queue_result queue_mirror_begin(struct queue *, const char *name);

/* Deletes all files.  QUEUE_FAILED: not a name, or one cannot be deleted. */
enum queue_result queue_mirror_anew(struct queue *, const char *name);

/* Deletes this file and all newer ones, newest first; the place is then its
 * beginning.  QUEUE_FAILED: no such file, or it cannot be deleted. */
enum queue_result queue_mirror_forget(struct queue *, const char *name);

/*
 * Begins a new epoch in a folder that nobody has open: numbers go on, but all
 * that comes is another story (a backup was restored).  conf names the new
 * epoch, its first record is given; the segments so far are moved into
 * old-<first 8 hex digits of their epoch>/.  at_r: the place of that record.
 * Killed anywhere, a queue_open finds either the old epoch, whole, or the
 * new one, whole, or says that this has to be done again; done again, it
 * completes what was begun.  0; -1: why, and nothing has begun, or likewise.
 */
int		 queue_new_epoch(const struct queue_conf *, uint64_t now_ms,
		    const struct queue_entry *first, struct wmq_pointer *at_r,
		    char why[QUEUE_WHY]);

#ifdef __cplusplus
}
#endif
#endif
