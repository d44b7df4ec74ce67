/* SPDX-License-Identifier: MIT */
/*
 * people_parts - what the files of people know of one another: which change
 * is wished for (people_wish.c), and how the server is asked for it
 * (people_ask.c).
 */
#ifndef TESTS_CRASH_PEOPLE_PARTS_H
#define TESTS_CRASH_PEOPLE_PARTS_H

#include "asking.h"
#include "people.h"

#include <metacube/proto/acctserv.pb-c.h>

#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name
#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name

/* One change that is asked for. */
struct wish {
	int		verb;		/* of a request, or */
	const char	*command;
	int		expected;	/* result, if there is an answer */
	struct state	after;		/* when it is DONE */
	unsigned	password;	/* which one is shown */
};

/* Any; where no mail comes, one that needs no code. */
void	wish_choose(struct person *, bool mailed, unsigned *seed,
	    struct wish *wish_r);

/* DONE, or how an account in this state is refused whatever it asks. */
int	wish_refusal(const struct state *);

/* With a code that was mailed, when it needs one.  The result, which is also
 * in the reply. */
int	wish_send(const struct person *, const struct lines *,
	    const struct wish *, struct asking_reply *);

/* What the server says that it is; false: nothing of use. */
bool	state_ask(const struct person *, const struct lines *,
	    struct state *seen_r);

#endif
