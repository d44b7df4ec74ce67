/* SPDX-License-Identifier: MIT */
/*
 * control_parts - the inside of control.h, shared by its files: control.c has
 * the commands, control_query.c the queries, control_socket.c the socket that
 * they come by.
 */
#ifndef SERVER_CONTROL_PARTS_H
#define SERVER_CONTROL_PARTS_H

#include "control.h"

#include <metacube/conn.h>

#define QUERY_OUTPUT_MAX	(8 * 1024 * 1024)	/* bytes in one table */

struct added;

struct commands {
	struct process		*process;
	struct added		*added;		/* in order of adding */
	struct mc_query		*queries;	/* all unanswered */
	struct mc_listener	*listener;
	char			*path;		/* of the socket, when ours */
};

struct session {
	struct commands	*commands;
	struct mc_conn	*conn;
	unsigned	 queries;
};

struct list {
	char	**items;
	size_t	  count, room;
};

struct mc_query {
	struct mc_query	 *next, **prev;
	struct commands	 *commands;
	struct session	 *session;	/* NULL: nobody waits any more */
	struct mc_host	 *host;		/* who answers, NULL: we */
	uint32_t	  cid;
	struct list	  words;
	size_t		  first_arg;
	uint8_t		 *secret;
	size_t		  secret_len;
	struct list	  columns, cells;
	size_t		  size;		/* bytes in cells */
	size_t		  left_out;	/* rows beyond the limit */
	char		  by[64];
	bool		  cut;
};

/* control_query.c: what the peer sent; its secret is wiped where it lies. */
struct mc_query	*query_new(struct session *, uint32_t cid,
		    const Metacube__Command *);
void		 query_free(struct mc_query *);

/* control.c: finds the command and calls it; it may have been answered, and
 * freed, when this returns. */
void		 query_run(struct mc_query *);

#endif
