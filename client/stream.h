/* SPDX-License-Identifier: MIT */
/*
 * stream - one connection to a server: name, TCP, TLS 1.3, frames.
 *
 *	RESOLVING -> CONNECTING -> SHAKING -> OPEN -> BROKEN
 *
 * It knows nothing of what the frames mean, and never dials twice.  On the
 * wire a frame is a 4-byte big-endian length and so many bytes.
 */
#ifndef CLIENT_STREAM_H
#define CLIENT_STREAM_H

#include "endpoint.h"
#include "fault.h"
#include "trust.h"

#include <stdbool.h>
#include <stdint.h>

#define STREAM_FRAME_MAX	(64 * 1024)
#define STREAM_QUEUE_MAX	(256 * 1024)

enum stream_state {
	STREAM_RESOLVING, STREAM_CONNECTING, STREAM_SHAKING, STREAM_OPEN,
	STREAM_BROKEN			/* see stream_fault */
};

/* Strings are copied; trust stays the caller's and must live as long. */
struct stream_target {
	struct endpoint	 endpoint;
	char		 host[ENDPOINT_HOST];	/* in the certificate */
	const char	*role;			/* a literal */
	char		 name[METACUBE_KEY_SIZE];
	unsigned	 connect_ms, handshake_ms;
};

struct stream;

/* NULL: no memory, threads or descriptors. */
struct stream	*stream_new(const struct trust *,
		    const struct stream_target *);
/* Says goodbye when TLS is up, without waiting for an answer. */
void		 stream_free(struct stream **);

int		 stream_fd(const struct stream *);
short		 stream_wants(const struct stream *);
/* When it is to be polled at the latest (clock_ms); UINT64_MAX: no limit. */
uint64_t	 stream_deadline(const struct stream *);

/* Connects, reads, writes: as much as goes now. */
enum stream_state stream_poll(struct stream *);
enum stream_state stream_state(const struct stream *);
const struct fault *stream_fault(const struct stream *);
const char	*stream_label(const struct stream *);

/* The next whole frame, also after BROKEN (what came before it); NULL: none.
 * Taken away, valid until the next call. */
const uint8_t	*stream_frame(struct stream *, size_t *len_r);

/* Room for a frame's payload; stream_commit sends it.  NULL: too much waits
 * already, or there is no memory. */
uint8_t		*stream_reserve(struct stream *, size_t len);
void		 stream_commit(struct stream *, size_t len);
bool		 stream_flushed(const struct stream *);

/* Steady milliseconds. */
uint64_t	 clock_ms(void);

#endif
