/* SPDX-License-Identifier: MIT */
/*
 * describe - what a module is and which settings it has, from its
 * descriptor: for people, as a manual page, or as a sample file.
 */
#ifndef SERVER_DESCRIBE_H
#define SERVER_DESCRIBE_H

#include <metacube/module.h>

#include <stdio.h>

enum describe_format { DESCRIBE_TEXT, DESCRIBE_MAN, DESCRIBE_CONF };

/* module NULL: the host itself.  file may be NULL; it is shown as text. */
void	describe_print(FILE *, const struct mc_module *, const char *file,
	    enum describe_format);

/* All modules that are configured, who provides for whom; and as a graph for
 * dot(1). */
struct conf_set;
void	describe_list(FILE *, const struct conf_set *);
void	describe_graph(FILE *, const struct conf_set *);

#endif
