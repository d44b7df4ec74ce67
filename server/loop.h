/* SPDX-License-Identifier: MIT */
/*
 * loop - the loop thread: all module code runs here.
 *
 * Other threads reach it by mail.  Whatever it has collected for other
 * threads while it ran is handed over by its flush functions, just before it
 * waits again: one wake-up for a batch.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "mailbox.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct mc_host;

typedef void loop_flush_fn(void *);

struct loop		*loop_new(void);
void			 loop_free(struct loop **);
struct event_base	*loop_base(struct loop *);

/* Runs on the calling thread until loop_stop. */
void			 loop_run(struct loop *);
void			 loop_stop(struct loop *);
bool			 loop_here(const struct loop *); /* this thread? */

/* What only the loop thread may call says so: a module that does it from
 * another one ends the process before it can corrupt it. */
void			 loop_check(const struct mc_host *,
			    const char *function);

/* (any thread) Runs the mail on the loop, never inside the caller. */
void			 loop_post(struct loop *, struct mail *);

/* (another thread) The same for a batch, which is empty afterwards. */
void			 loop_post_all(struct loop *, struct mails *);

/* (another thread) Until loop_collected what this thread posts goes over some
 * at a time: one wake-up for several. */
void			 loop_collect(struct loop *);
void			 loop_collected(void);

/* Runs what has been posted and what that posts in turn, until there is
 * nothing more: for the end, when loop_run has returned. */
void			 loop_drain(struct loop *);

void			 loop_on_flush(struct loop *, loop_flush_fn *, void *);

/*
 * Brackets around every call into a module: while they are open, log lines
 * carry the request id, and calls that are made inherit it; afterwards a
 * callback that took longer than the limit is logged with what it was
 * ("tcapw.lookup answered", "message login", "timer"), and with the service
 * call that it made last: the provider's side of one runs inside of it.
 */
struct callback {
	struct mc_host	*host;
	const char	*what;
	uint64_t	 began_us;
	uint64_t	 outer_request;
	struct mc_host	*outer_host;
	const char	*outer_what;
};

void		 callback_begin(struct callback *, struct mc_host *,
		    const char *what, uint64_t request);
void		 callback_end(struct callback *);
void		 callback_asked(struct mc_host *provider, const char *op);
void		 callback_limit_set(unsigned ms);

/* (any thread) "gateway (message login)": where the loop is now.  The text
 * is valid until the next call. */
const char	*callback_running(void);

/* The request that this thread works for, 0: none; and a new number. */
uint64_t	 request_current(void);
uint64_t	 request_new(void);

/* For threads that work for one request after the other. */
void		 request_set(uint64_t);

#endif
