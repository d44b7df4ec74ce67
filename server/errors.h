/* SPDX-License-Identifier: MIT */
/*
 * errors - all that is wrong, collected instead of ending at the first.
 */
#ifndef SERVER_ERRORS_H
#define SERVER_ERRORS_H

#include <metacube/host.h>

#include <stdio.h>

#define ERRORS_MAX	1000	/* further ones are only counted */

/* A zeroed one is empty. */
struct errors {
	char	**lines;
	size_t	 count;		/* of lines */
	size_t	 more;		/* beyond ERRORS_MAX */
};

void	errors_add(struct errors *, const char *, ...) MC_PRINTF(2, 3);

/* "file:line: text"; line 0: "file: text"; file NULL: "text". */
void	errors_at(struct errors *, const char *file, unsigned line,
	    const char *, ...) MC_PRINTF(4, 5);

void	errors_print(const struct errors *, FILE *);
void	errors_clear(struct errors *);

/* Of the words, ended by NULL, the one that was probably meant; or NULL. */
const char *word_nearest(const char *written, const char *const *words);

#endif
