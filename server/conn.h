/* SPDX-License-Identifier: MIT */
/*
 * conn - one connection, as its I/O thread and the loop thread share it.
 *
 *	CONNECTING -> HANDSHAKE -> PROVING -> OPEN	we have dialled
 *	PROXY -> HANDSHAKE -> OPEN			they have
 *	... -> CLOSING -> LINGERING -> CLOSED
 *
 * Nobody locks.  The socket's side belongs to the I/O thread.  When the
 * connection opens it mails the loop thread, later a mail for each message,
 * and a last one when it is closed; from then on it keeps only the shell.
 * The loop thread answers the last mail with an order to release it, which
 * comes after whatever it had ordered before; then the shell is freed.  A
 * connection that never opened is freed by the I/O thread alone, unless we
 * have dialled: the link is told why.
 *
 * PROVING: in TLS 1.3 the one who dials believes to be through before the
 * other side has looked at its certificate.  So it sends a Ping, and only the
 * first message from the other side opens the connection.
 *
 * A stream carries bytes instead of messages and has no PROVING: its first
 * bytes are its module's.
 *
 * conn.c is the loop thread's half, stream.c what it has for streams alone;
 * conn_io.c begins and ends the other half, conn_in.c is what comes in,
 * conn_out.c what goes out.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include "endpoint.h"
#include "frame.h"
#include "io.h"
#include "wheel.h"

#include <metacube/conn.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdatomic.h>

#define CONN_UNDELIVERED_MAX	64	/* messages, once admitted; */
#define CONN_UNDELIVERED_SIZE	MC_FRAME_CLIENT	/* so long ones count twice */
#define CONN_UNDELIVERED_LOGIN	4	/* before */
#define CONN_STREAM_SIZE	IO_RECORD_MAX	/* of a stream: so many bytes */

struct acceptor;

/* May change while connections live. */
struct conn_terms {
	atomic_int_fast64_t	handshake_ms, login_ms, idle_ms, send_ms;
	atomic_int_fast64_t	queue_max;
};

enum conn_state {
	CONN_CONNECTING, CONN_PROXY, CONN_HANDSHAKE, CONN_PROVING, CONN_OPEN,
	CONN_CLOSING,		/* sends what is queued; reads and forgets */
	CONN_LINGERING,		/* all is sent; waits for the peer's end */
	CONN_CLOSED
};

/* Bytes with a head, encoded once. */
struct mc_shared {
	atomic_uint		 refs;
	size_t			 len;
	uint8_t			 bytes[];
};

/* One message on its way out: its own bytes, shared or given ones. */
struct packet {
	struct mail		 mail;
	struct mc_conn		*conn;
	STAILQ_ENTRY(packet)	 link;
	struct mc_shared	*shared;
	void			*given;
	size_t			 len;
	uint8_t			 bytes[];
};

/* Bytes of a stream on their way to the loop thread. */
struct piece {
	struct mail		 mail;
	struct mc_conn		*conn;
	unsigned		 weight;
	size_t			 len;
	uint8_t			 bytes[];
};

/* What a connection carries: one of the two. */
struct conn_kind {
	const struct mc_conn_ops *messages;
	const struct mc_stream_ops *bytes;
	bool			 plain;		/* a stream without TLS */
};

struct conn_target {
	struct address		 address;
	char			 role[64];
};

/* What could not be delivered yet when reading had to pause. */
struct conn_held {
	size_t			 plain_len, raw_len;
	uint8_t			 bytes[];	/* plain, then raw */
};

struct mc_conn {
	/* constant once others know of it */
	struct io_thread	*thread;
	struct mc_host		*host;
	struct acceptor		*acceptor;	/* where it was accepted; or */
	struct conn_target	*target;	/* whom we have dialled */
	struct conn_terms	*terms;
	struct mc_peer		 peer;
	bool			 trusted;	/* unix: root or our own user */
	bool			 local;		/* unix */
	bool			 plain;		/* unix or else: no TLS */
	bool			 stream;

	/* both */
	atomic_size_t		 queued;	/* bytes not yet sent */
	atomic_uint		 undelivered;	/* messages, by weight */
	atomic_bool		 paused;	/* until the loop caught up */
	atomic_bool		 drained;	/* drained_mail is on its way */

	/* from one to the other, each once at a time */
	struct mail		 opened_mail, closed_mail;
	struct mail		 admit_order, close_order, resume_order;
	struct mail		 release_order, drained_mail;

	/* I/O thread */
	enum conn_state		 state;
	int			 fd;
	struct event		 readable, writable;
	LIST_ENTRY(mc_conn)	 link, dirty_link;
	struct wheel_entry	 deadline;	/* the next of these: */
	uint64_t		 input_ms, output_ms, ping_ms;
	uint64_t		 limit_key;
	gnutls_session_t	 tls;
	struct tls		*context;
	struct frame_part	 part;
	struct conn_held	*held;
	STAILQ_HEAD(, packet)	 queue;
	size_t			 offset;	/* of the queue's first */
	size_t			 in_flight;	/* taken from it, not sent */
	uint8_t			*pending;	/* ... as ciphertext */
	size_t			 pending_len, pending_at;
	uint32_t		 frame_max;
	bool			 admitted, dirty, told_opened, told_closed;
	bool			 said_bye, released;
	bool			 resting;	/* mc_conn_pause */
	char			*why;		/* closed; for a link */

	/* loop thread */
	struct mc_link		*dialler;
	struct conn_kind	 kind;
	void			*owner;		/* NULL: not (any more) open */
	LIST_ENTRY(mc_conn)	 open_link;
	uint64_t		 request;
	bool			 asked_to_admit, closing;
	bool			 abort;		/* with the close order */
	bool			 written;	/* and not yet drained */
	size_t			 taken;		/* bytes of a stream */
};

/* conn.c, loop thread */
void	 conn_prepare(void);			/* once, before the rest */
struct mc_conn *conn_dial(struct mc_host *, struct mc_link *,
	    const struct conn_kind *, const char *role,
	    const struct address *);
void	 conn_abort(struct mc_conn *);		/* closed does not wait */
void	 conn_forget(struct mc_conn *);		/* closed, here and now */
void	 conn_opened(struct mail *);
void	 conn_message(struct mail *);
void	 conn_closed(struct mail *);
void	 conn_delivered(struct mc_conn *, unsigned weight);
void	 conn_send_packet(struct mc_conn *, struct packet *);
bool	 conn_is_slow(struct mc_conn *);	/* then it is aborted */

/* stream.c, loop thread */
void	 conn_bytes(struct mail *);
void	 conn_drained(struct mail *);

/* conn_io.c, I/O thread */
struct mc_conn *conn_new(struct io_thread *, struct mc_host *,
	    struct conn_terms *);
void	 conn_accepted(struct io_thread *, struct acceptor *, int fd,
	    const struct address *);
void	 conn_dialled(struct mail *);
void	 conn_admit(struct mail *);
void	 conn_close(struct mail *);
void	 conn_release(struct mail *);
wheel_due_fn conn_due;
void	 conn_deadlines(struct mc_conn *);	/* one of them has changed */
void	 conn_input_within(struct mc_conn *, int64_t ms);
void	 conn_ping(struct mc_conn *);
void	 conn_note(struct mc_conn *, const char *counter, const char *why);
void	 conn_fail(struct mc_conn *, const char *counter, const char *, ...)
	    MC_PRINTF(3, 4);			/* notes, and drops */
void	 conn_shut(struct mc_conn *);		/* all is sent */
void	 conn_linger(struct mc_conn *);
void	 conn_drop(struct mc_conn *);		/* closes without a word */
void	 conn_drop_of(struct io_thread *, struct mc_host *); /* NULL: all */
void	 conn_free_dead(struct io_thread *);

/* conn_in.c, I/O thread */
void	 conn_readable(evutil_socket_t, short, void *);
void	 conn_resume(struct mail *);
bool	 conn_listening(const struct mc_conn *); /* to messages, now */
void	 conn_greeted(struct mc_conn *);	/* we know who is there */
void	 conn_hung_up(struct mc_conn *);
void	 conn_take_frames(struct mc_conn *, const uint8_t *, size_t);
void	 conn_take_piece(struct mc_conn *, struct piece *);
void	 conn_rest(struct mc_conn *, bool);
struct piece *piece_new(struct mc_conn *, size_t size);

/* conn_tls.c, I/O thread */
void	 conn_shake_hands(struct mc_conn *);
void	 conn_take_records(struct mc_conn *);
void	 conn_refuse_alert(struct mc_conn *);	/* access denied, and the end */

/* conn_out.c, I/O thread */
void	 conn_queue(struct mail *);
void	 conn_say(struct mc_conn *, const Metacube__Envelope *);
void	 conn_flush(struct mc_conn *);
void	 conn_flush_dirty(struct io_thread *);
void	 conn_writable(evutil_socket_t, short, void *);
void	 conn_out_clear(struct mc_conn *);
bool	 conn_send_out(struct mc_conn *);	/* false: not all, or lost */
ssize_t	 conn_push(gnutls_transport_ptr_t, const giovec_t *, int);
void	 conn_finish(struct mc_conn *);		/* send all, then close */
struct packet *packet_new(struct mc_conn *, const Metacube__Envelope *);
void	 packet_free(struct packet *);

#define CONN_OF(mail, member) \
	((struct mc_conn *)(void *)((char *)(mail) - \
	    offsetof(struct mc_conn, member)))

#endif
