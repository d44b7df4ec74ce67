/* SPDX-License-Identifier: MIT */
/*
 * people - what a crash test knows of each account: the last state that was
 * acknowledged and, when a change got no answer, the one that it may have
 * instead.  Nothing else is right.
 *
 * They change by requests, as the web front makes them, and by commands of an
 * operator; codes come from the mails that the server has sent.
 */
#ifndef TESTS_CRASH_PEOPLE_H
#define TESTS_CRASH_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state {
	bool		exists, locked, active;
	uint64_t	uid;	/* 0: not known yet, but a new one */
	uint64_t	seq;	/* of its last change; 0: a new one */
	unsigned	password, email, new_email;	/* numbers, 0: none */
};

struct person {
	char		name[32];
	struct state	now, maybe;
	bool		doubtful;	/* now or maybe */
	bool		proven;		/* its password was checked */
	uint64_t	last_seq;	/* when it was last looked at */
	unsigned	passwords, emails;	/* given so far */
};

/* How the server is asked: its two sockets, and the folder of its mails. */
struct lines {
	int		control, account;	/* -1: nobody is there */
	const char	*mailbox;		/* NULL: without mails */
};

bool		lines_open(struct lines *, const char *control,
		    const char *account, const char *mailbox);
void		lines_close(struct lines *);

/* Asks for one random change of this account; the number of violations that
 * the answer shows (0 or 1).  false in alive_r: no answer, the server is
 * gone. */
unsigned	person_change(struct person *, const struct lines *,
		    unsigned *seed, bool *acknowledged_r, bool *alive_r);

/*
 * Compares with what the server says now; afterwards nothing is doubtful.
 * A uid that is new must be above highest; *highest_r grows with what is
 * seen.  Returns the number of violations, each described on standard output.
 * Nothing is known when the server is gone.
 */
unsigned	person_verify(struct person *, const struct lines *,
		    uint64_t highest, uint64_t *highest_r, bool *alive_r);

#endif
