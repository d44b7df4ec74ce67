/* SPDX-License-Identifier: MIT */
/*
 * metacube/shown.h - what of a queue's files is shown: the loop's half of
 * whoever provides "wmqfile" (wmqfile.h) from a folder (queue.h).
 *
 * The queue belongs to another thread; the loop keeps a view of it, which is
 * moved on when the loop hears of a commit.  Questions are answered from it
 * alone, so nobody sees what is not durable.
 *
 * Loop thread only.
 */
#ifndef METACUBE_SHOWN_H
#define METACUBE_SHOWN_H

#include <metacube/host.h>
#include <metacube/queue.h>
#include <metacube/wmqfile.h>

#ifdef __cplusplus
extern "C" {
#endif

struct queue_shown;

/* Takes the view, which may be of a queue without files. */
struct queue_shown *queue_shown_new(struct mc_host *, const char *path,
		    struct queue_view *);
/* After queue_shown_stop. */
void		 queue_shown_free(struct queue_shown **);

const struct wmq_position *queue_shown_position(const struct queue_shown *);

/* Files have come or gone: another view, which is taken. */
void		 queue_shown_set(struct queue_shown *, struct queue_view *);
/* The last file has grown. */
void		 queue_shown_grow(struct queue_shown *, uint64_t durable,
		    uint64_t end);

/* As in wmqfile.h. */
void		 queue_shown_extent(struct queue_shown *, const char *name,
		    uint64_t offset, unsigned wait_ms, struct mc_call *);
void		 queue_shown_find(struct queue_shown *, uint64_t seq,
		    struct mc_call *);

/* Answers everybody who waits; from now on nobody does. */
void		 queue_shown_stop(struct queue_shown *);

#ifdef __cplusplus
}
#endif
#endif
