/* SPDX-License-Identifier: MIT */
/*
 * stream_rig - a listener for streams that does what the test says, and the
 * bytes that are sent: a pattern in which every place is different enough.
 */
#ifndef TESTS_STREAM_RIG_H
#define TESTS_STREAM_RIG_H

#include "pump_rig.h"

enum stream_mode {
	STREAM_TAKES,		/* checks the pattern */
	STREAM_ECHOES,		/* and pauses while it has too much to say */
	STREAM_SENDS,		/* total bytes, piece by piece */
	STREAM_GIVES,		/* total bytes at once */
	STREAM_GIVES_AND_CLOSES,
	STREAM_FLOODS		/* never waits */
};

struct stream_seen {
	/* set by the test before somebody comes */
	_Atomic enum stream_mode mode;
	size_t		 total, piece;
	bool		 admit, pause;		/* at once */

	struct mc_conn	*conn;			/* of the last one */
	struct mc_peer	 peer;
	atomic_int	 opened, closed, drained, wrong;
	atomic_size_t	 taken, sent, most_queued;
};

extern struct stream_seen seen;

uint8_t	stream_pattern(size_t at);
void	stream_fill(uint8_t *to, size_t from, size_t len);

/* As rig_listen; forgets what was seen.  NULL: refused. */
struct mc_listener *stream_listen(const char *roles, bool plain);
void	stream_pause(bool);		/* the last one opened */

/* Reads so much of the pattern, from that place on. */
bool	stream_expect(struct client *, size_t from, size_t len);

/* A link to the listener: what it takes is checked and counted. */
struct stream_link {
	struct mc_link	*link;
	struct mc_conn	*conn;
	atomic_int	 opened, closed, wrong;
	atomic_size_t	 taken;
};

extern struct stream_link caller;

bool	stream_dial(const char *endpoint, bool plain);	/* false: refused */
void	stream_hangup(void);
void	stream_send(size_t len);	/* by the link, from the start */

#endif
