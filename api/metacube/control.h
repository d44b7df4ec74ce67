/* SPDX-License-Identifier: MIT */
/*
 * metacube/control.h - commands that a module adds to metacubectl.
 *
 * A command is asked over the control socket by somebody whom the kernel
 * names as root or the server's own user.  Its output is a table, a closing
 * sentence, or both; metacubectl prints it for people or as JSON.
 *
 * Loop thread only.
 */
#ifndef METACUBE_CONTROL_H
#define METACUBE_CONTROL_H

#include <metacube/host.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mc_query;		/* one command being answered */

struct mc_command {
	const char	*name;		/* "worlds", "account create" */
	const char	*args;		/* "NAME", for the help */
	unsigned	 min_args, max_args;
	const char	*help;		/* one sentence */
	/* Must end, now or later, with one mc_query_done. */
	void		(*run)(void *state, struct mc_query *);
};

/* The list ends with a zero entry and stays valid until fini.  A name that
 * another instance has already added is refused and logged. */
void		 mc_commands(struct mc_host *, const struct mc_command *,
		    void *state);

/* Arguments, without the command's own words; NULL beyond the last. */
const char	*mc_query_arg(const struct mc_query *, unsigned n);

/* Who is asking, as the kernel says: the name of a user of this machine. */
const char	*mc_query_by(const struct mc_query *);

/* A secret sent beside the arguments (a password's hash), len 0 without one.
 * It is wiped when the query is done. */
const uint8_t	*mc_query_secret(const struct mc_query *, size_t *len);

/* The table: the headings (ended by NULL), then row by row, cell by cell. */
void		 mc_query_columns(struct mc_query *, const char *first, ...)
		    __attribute__((sentinel));
void		 mc_query_row(struct mc_query *);
void		 mc_query_cell(struct mc_query *, const char *, ...)
		    MC_PRINTF(2, 3);

/* The end; the text may be NULL when the table or the status says enough. */
void		 mc_query_done(struct mc_query *, enum mc_status,
		    const char *, ...) MC_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
