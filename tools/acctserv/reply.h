/* SPDX-License-Identifier: MIT */
/*
 * reply - what goes back: status, headers, body.
 */
#ifndef ACCTSERV_REPLY_H
#define ACCTSERV_REPLY_H

#include "html.h"

#include <stdbool.h>

struct gate;

struct reply {
	unsigned	status;
	bool		body_left_out;	/* HEAD: its length counts */
	struct html	head, body;
};

/* The values are this program's own, or checked to be plain. */
void	reply_header(struct reply *, const char *name, const char *value);

/* Those that every page has. */
void	reply_secure(struct reply *, bool https);

/* Without memory: 500, and nothing else.  Clears the reply. */
bool	reply_send(struct reply *, const struct gate *);

#endif
