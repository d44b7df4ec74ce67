/* SPDX-License-Identifier: MIT */
/*
 * session - one client on the gateway, from its first message to its Reroute.
 */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include <metacube/auth.h>
#include <metacube/conn.h>
#include <metacube/taskmaster.h>

struct conf {
	struct mc_listen_conf	 listen;
	int64_t			 log_rate;	/* refusals, lines a second */
	int64_t			 question_rate;	/* of one client, a second */
};

struct session;

struct gateway {
	struct mc_host		*host;
	const struct conf	*conf;
	struct mc_listener	*listener;
	struct mc_ref		 auth;
	struct mc_ref		 taskmaster;
	struct session		*sessions;
	uint64_t		 log_second;	/* refusals logged in it */
	int64_t			 log_lines, log_left_out;
};

extern const struct mc_conn_ops session_ops;

/* Tells everybody that the server stops, and closes. */
void	 sessions_stop(struct gateway *);

#endif
