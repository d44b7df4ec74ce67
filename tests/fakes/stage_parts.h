/* SPDX-License-Identifier: MIT */
/*
 * stage_parts - what the files of the stage know of one another; tests see
 * stage.h only.
 */
#ifndef TESTS_STAGE_PARTS_H
#define TESTS_STAGE_PARTS_H

#include <metacube/conn.h>

/* Messages, as they are on the wire. */
struct sent {
	struct sent	*next;
	size_t		 len;
	uint8_t		*bytes;
};

struct mc_conn {
	struct mc_conn	*next;
	const struct mc_conn_ops *ops;		/* one of these two */
	const struct mc_stream_ops *stream;
	uint8_t		*written;		/* a stream's bytes */
	size_t		 written_len;
	bool		 paused;
	void		*owner;
	struct mc_peer	 peer;
	struct sent	*sent;
	size_t		 queued;
	bool		 full, over, gone, admitted;
};

/* Each forgets what it has. */
void	stage_conns_reset(void);
void	stage_queries_reset(void);
void	stage_time_reset(void);
void	stage_wire_reset(void);

/* The module is told of connections that are over. */
void	stage_conns_settle(void);

#endif
