/* SPDX-License-Identifier: MIT */
/*
 * html - text that grows, and the one place where text becomes HTML.
 *
 * Markup is written as format strings of this program; whatever comes from
 * elsewhere goes in through %s, and is escaped there for both content and
 * quoted attributes.  Without memory it is failed, and stays so.
 */
#ifndef ACCTSERV_HTML_H
#define ACCTSERV_HTML_H

#include <stdbool.h>
#include <stddef.h>

struct html {
	char	*data;
	size_t	 len, size;
	bool	 failed;
};

/* Wipes it, too. */
void	html_clear(struct html *);

/* As it is; for what is no HTML. */
void	html_add(struct html *, const char *data, size_t len);

/* In the format only %s and %%. */
void	html_write(struct html *, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
