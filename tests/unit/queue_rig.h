/* SPDX-License-Identifier: MIT */
/*
 * queue_rig - a queue on a table of calls of which any one can fail.
 */
#ifndef TESTS_QUEUE_RIG_H
#define TESTS_QUEUE_RIG_H

#include <metacube/queue.h>

#include <errno.h>

#define DAY		86400000u
#define NOON		(20000 * (uint64_t)DAY + DAY / 2)	/* 20241004 */

enum call {
	CALL_OPEN, CALL_PREAD, CALL_PWRITE, CALL_FDATASYNC, CALL_FTRUNCATE,
	CALL_FALLOCATE, CALL_RENAME, CALL_UNLINK, CALL_MKDIR, CALL_FSYNC_DIR,
	CALLS
};

struct rig_fault {
	unsigned	count[CALLS];
	enum call	call;
	unsigned	nth;		/* 0: none fails */
	int		error;		/* 0: a short count instead */
	bool		from_then_on;	/* all of that kind */
	bool		dead;		/* the process has died */
	unsigned	dies_at;	/* the nth of all calls that change
					 * anything; 0: none */
	unsigned	changes;	/* such calls so far */
};

extern const struct queue_io rig_io;
extern struct rig_fault rig_fault;
extern struct queue_news rig_news;
extern char rig_why[QUEUE_WHY];
extern const char *rig_epoch;		/* for a new queue; NULL: the usual */

void	rig_fault_set(enum call, unsigned nth, int error);
void	rig_fault_none(void);
void	rig_fresh(void);		/* an empty scratch folder */

/* NULL: rig_why. */
struct queue *rig_open(const char *name, uint64_t segment_size,
	    uint64_t now_ms);
/* count records, each holding a number: first, first + 1... */
enum queue_result rig_commit(struct queue *, unsigned first, size_t count,
	    uint64_t now_ms, uint64_t *seq_r);
/* Reads everything after the number; returns how many there were, the numbers
 * inside in out. */
size_t	rig_read(struct queue *, uint64_t after, size_t max, unsigned *out,
	    enum queue_result *result_r);
bool	rig_is_there(const char *name);

#endif
