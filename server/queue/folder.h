/* SPDX-License-Identifier: MIT */
/*
 * folder - a queue's parts, shared by its files: folder.c finds and begins
 * segments, files.c names, shows and prunes them, recover.c opens them,
 * commit.c appends, read.c reads, mirror.c takes another queue's, epoch.c
 * puts them away.
 */
#ifndef METACUBE_QUEUE_FOLDER_H
#define METACUBE_QUEUE_FOLDER_H

#include <metacube/queue.h>

#define MARK_BYTES	(64 * 1024)	/* between two marks, at least */
#define NUMBER_MAX	999		/* segments begun on one day, less one */
#define PATH_SIZE	4096

/* Where a record is, so that a read need not begin at the first one. */
struct mark {
	uint64_t	seq, offset;
};

struct segment {
	unsigned	 day, number;	/* 20260130, and the n-th after it */
	uint64_t	 first_seq;
	uint64_t	 end;		/* offset after the last record */
	struct mark	*marks;
	size_t		 nmarks;
};

struct queue {
	struct queue_conf	 conf;
	const struct queue_io	*io;
	char			*path;		/* conf.path */
	int			 lock;
	uint8_t			 epoch[16];
	struct segment		*segments;	/* by age; the last is open */
	size_t			 count;

	/* the last segment */
	int			 fd;
	uint64_t		 allocated;	/* size of the file */
	uint64_t		 next_seq, last_ms;
	uint8_t			 hash[SEGMENT_HASH_SIZE];

	/* read.c */
	int			 reading;	/* descriptor, -1: none */
	size_t			 reading_segment;
	struct mark		 cursor;	/* where the last read ended */
	size_t			 cursor_segment;
	uint8_t			*window;

	struct queue_place	 fault;		/* of the last DAMAGED */
	struct mirror		*mirror;	/* NULL: an ordinary queue */

	char			 why[QUEUE_WHY];
};

static inline struct segment *
segment_last(struct queue *queue)
{
	return &queue->segments[queue->count - 1];
}

/* files.c */
void	segment_name(const struct segment *, char name[QUEUE_NAME_SIZE]);
bool	segment_parse(const char *name, struct segment *);
int	segment_compare(const void *, const void *);
void	segment_add(struct queue *, const struct segment *);
void	segment_remove(struct queue *, size_t);
enum queue_result segment_delete(struct queue *, size_t);

/* folder.c */
void	segment_path(const struct queue *, const struct segment *,
	    const char *suffix, char *path, size_t size);
void	segment_mark(struct segment *, uint64_t seq, uint64_t offset);
enum queue_result segment_begin(struct queue *, uint64_t now_ms);
int	folder_make(struct queue *);
int	folder_find(struct queue *);	/* locks it, lists what is there */
int	folder_open(struct queue *, uint64_t now_ms, struct queue_news *);
unsigned day_of(uint64_t time_ms);

/* recover.c */
enum queue_result segments_open(struct queue *, struct queue_news *);
enum queue_result segments_keep(struct queue *, struct queue_news *);

/* mirror.c */
void	mirror_free(struct mirror **);

/* read.c */
void	reading_end(struct queue *);

/* commit.c */
struct queue *queue_new(const struct queue_conf *);
void	queue_free(struct queue **);
enum queue_result queue_fail(struct queue *, enum queue_result,
	    const char *, ...) __attribute__((format(printf, 3, 4)));
int	file_sync(struct queue *, int fd);
int	file_write(struct queue *, int fd, const void *data, size_t len,
	    uint64_t offset);
ssize_t	file_read(struct queue *, int fd, void *data, size_t len,
	    uint64_t offset);

#endif
