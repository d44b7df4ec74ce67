/* SPDX-License-Identifier: MIT */
/*
 * metacube/queue.h - a folder of segments: one writer, and reads of what is
 * durable.
 *
 * What every provider of a message queue in files stands on, and the tools
 * that look into one.  Knows nothing of the host.  A queue belongs to one thread at a time; while
 * it is open, the lock file in its folder keeps other processes out.
 *
 *	lock			flock, and the holder's process id
 *	20260130.wmq		first segment begun that day (UTC)
 *	20260130-001.wmq	the next ones
 *	20260131.wmq.new	one being made; removed at the next start
 */
#ifndef METACUBE_QUEUE_H
#define METACUBE_QUEUE_H

#include <metacube/segment.h>

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUEUE_WHY	512

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
	QUEUE_LOST		/* the disk's state is unknown: give up */
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
	char		 cut_file[32];
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
 * at least sizeof(struct wmq_record) + WMQ_DATA_MAX. */
enum queue_result queue_read(struct queue *, uint64_t after, size_t max,
		    void *batch, size_t size, size_t *len_r);

/* What went wrong last. */
const char	*queue_why(const struct queue *);

#ifdef __cplusplus
}
#endif
#endif
