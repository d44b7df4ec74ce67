/* SPDX-License-Identifier: MIT */
/*
 * terminal - lines from a person, and lines to one, at the same time.
 *
 * At a terminal, with libedit, a line can be edited while others appear above
 * it; otherwise lines are read as they come, and so without a prompt when
 * they come from a file or a pipe.
 */
#ifndef NETSHELL_TERMINAL_H
#define NETSHELL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_SIZE	1024

enum terminal_input { TERMINAL_NOTHING, TERMINAL_LINE, TERMINAL_END };

struct terminal;

/* words: what TAB completes, NULL-terminated.  reads false: no prompt, only
 * output. */
struct terminal	*terminal_open(const char *const *words, bool reads);
/* Gives the terminal back as it was. */
void		 terminal_close(struct terminal **);

/* Is there a person, with a prompt? */
bool		 terminal_interactive(const struct terminal *);

/* A line of output, above what is being typed. */
void		 terminal_print(struct terminal *, const char *line);

/* Readable: call terminal_read until it says TERMINAL_NOTHING.  After a line
 * there is no prompt, and the terminal is as it usually is, until
 * terminal_ready. */
int		 terminal_fd(const struct terminal *);
enum terminal_input terminal_read(struct terminal *, char line[LINE_SIZE]);
void		 terminal_ready(struct terminal *);

/* Into the history, which lasts. */
void		 terminal_remember(struct terminal *, const char *line);

#endif
