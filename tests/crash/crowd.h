/* SPDX-License-Identifier: MIT */
/*
 * crowd - many changes at once, by workers that can be held back at any
 * moment, to compare a server with what it had acknowledged by then.
 */
#ifndef TESTS_CRASH_CROWD_H
#define TESTS_CRASH_CROWD_H

#include "server.h"

struct crowd;

/* Begins at once, without mails: their codes would have to be waited for.  The
 * people of each crowd have names of their own, in which its number stands. */
struct crowd	*crowd_start(const struct server *, unsigned number,
		    unsigned seed);

/* Waits until so many more changes are acknowledged, or the server is gone.
 * When neither comes, that is a violation. */
void		 crowd_wait(struct crowd *, unsigned changes);

/* The same for answers of any kind, where changes may be refused. */
void		 crowd_wait_turns(struct crowd *, unsigned turns);

/* Holds the workers back and keeps what is acknowledged now.  Each may still
 * have one change under way: crowd_settle waits for its answer (or for the
 * server's end), and whether it was made stays open. */
void		 crowd_hold(struct crowd *);
void		 crowd_settle(struct crowd *);
void		 crowd_go_on(struct crowd *);

/* Compares what was kept with what a server says; the number of violations,
 * each described on standard output. */
unsigned	 crowd_compare(struct crowd *, const struct server *);

/* Ends the workers (they also end when the server does) and says how many
 * changes were acknowledged; the violations that their answers showed. */
unsigned	 crowd_end(struct crowd **, unsigned *acknowledged_r);

#endif
