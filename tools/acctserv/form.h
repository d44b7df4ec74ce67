/* SPDX-License-Identifier: MIT */
/*
 * form - application/x-www-form-urlencoded, as browsers send it.
 *
 * Decodes in place: names and values point into the text that was parsed, and
 * wiping that text wipes them all.  Strict: what no browser sends is a fault
 * of the whole form, and never a value that is nearly right.
 *
 * Pure functions.
 */
#ifndef ACCTSERV_FORM_H
#define ACCTSERV_FORM_H

#include <stddef.h>

#define FORM_PAIRS	32
#define FORM_NAME	32	/* bytes of a name, at most */
#define FORM_VALUE	2048	/* bytes of a value, at most */

enum form_fault {
	FORM_FINE = 0,
	FORM_BROKEN,	/* a % without two digits, a NUL, no UTF-8 */
	FORM_REPEATED,	/* a name comes twice */
	FORM_TOO_MUCH	/* too many pairs, or one that is too long */
};

struct form_pair {
	char	*name, *value;
};

struct form {
	struct form_pair	pairs[FORM_PAIRS];
	size_t			count;
};

/* text has room for a NUL behind len.  With a fault the form is empty. */
enum form_fault	 form_parse(char *text, size_t len, struct form *form_r);

/* NULL: there is no such name. */
char		*form_value(const struct form *, const char *name);

#endif
