/* SPDX-License-Identifier: MIT */
/*
 * campaign - what all campaigns have in common: their options, and the end of
 * what they print.
 */
#ifndef TESTS_CRASH_CAMPAIGN_H
#define TESTS_CRASH_CAMPAIGN_H

#include <stdbool.h>

#define CAMPAIGN_CONTROLS	5	/* rounds of a control */

struct campaign_options {
	const char	*build;		/* real path of a build's folder */
	unsigned	 rounds, seed;
};

/* --rounds N, --seed N, --build FOLDER; rounds has the default.  Ends the
 * program when they make no sense. */
void	campaign_begin(struct campaign_options *, int argc, char **argv);

/* So many rounds are done: on a terminal, once a second, how many, how fast
 * and how long it still takes. */
void	campaign_progress(const struct campaign_options *, unsigned done,
	    unsigned violations);

/* One line of TAP, numbered. */
void	campaign_result(bool fine, const char *what);

/* The plan, and the line CAMPAIGN.  noticed: in how many of the control's
 * rounds a violation was found. */
void	campaign_end(const struct campaign_options *, const char *name,
	    unsigned violations, unsigned noticed);

/* Nothing can be tried here: says why. */
void	campaign_skip(const char *why);

#endif
