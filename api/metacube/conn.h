/* SPDX-License-Identifier: MIT */
/*
 * metacube/conn.h - the pump: listeners and connections, with TLS and framing
 * inside.
 *
 * A message is one decoded Envelope (api/proto).  Over-long or malformed
 * input, a handshake that is too slow and an idle peer end the connection
 * before a module sees them.  The sockets belong to the I/O threads; all of
 * this is called, and calls back, on the loop thread.
 *
 * TLS 1.3 only.  The process has one identity (certificate, key, ca in
 * metacubed.conf); a listener for clients may show another certificate.
 * Between servers both sides show one, issued by the same private CA, and
 * its URI names say who that is: "metacube:ROLE/NAME".
 */
#ifndef METACUBE_CONN_H
#define METACUBE_CONN_H

#include <metacube/host.h>
#include <metacube/proto/envelope.pb-c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of one message: before mc_conn_admit; after it; between servers. */
#define MC_FRAME_LOGIN		(4 * 1024)
#define MC_FRAME_CLIENT		(64 * 1024)
#define MC_FRAME_SERVER		(16 * 1024 * 1024)

struct mc_conn;
struct mc_listener;
struct mc_link;
struct mc_shared;		/* one encoded message for many connections */

struct mc_conn_ops {
	/* TLS is up.  Returns the owner the others are called with; NULL
	 * refuses the connection, and nothing more is heard of it. */
	void *(*open)(void *state, struct mc_conn *);
	/* The message is valid until this returns. */
	void  (*message)(void *owner, const Metacube__Envelope *);
	void  (*closed)(void *owner);		/* last call for this owner */
};

/* What an operator may set for a listener. */
struct mc_listen_conf {
	const char	*endpoint;
	const char	*certificate, *key;	/* "": the process's own */
	bool		 proxy_protocol;
	int64_t		 max_connections, max_per_address;
	int64_t		 handshake_ms, login_ms, idle_ms, send_ms;
	int64_t		 queue_max;
};

/* The keys for it, to stand in a module's table; field is the member of conf
 * that is a struct mc_listen_conf.  idle is the fallback of idle_timeout,
 * queue that of queue_max: what is queued within one callback must fit. */
#define MC_LISTEN_KEYS(conf, field, address, idle) \
	MC_LISTEN_KEYS_QUEUE(conf, field, address, idle, "256KiB")
#define MC_LISTEN_KEYS_QUEUE(conf, field, address, idle, queue) \
	{ MC_FIELD_AS("listen", conf, field.endpoint), .type = MC_LISTEN, \
	  .fallback = address, \
	  .help = "Where connections are accepted." }, \
	MC_LISTEN_LIMITS(conf, field, idle, queue)

/* The same without the endpoint, for a module that says more about it. */
#define MC_LISTEN_LIMITS(conf, field, idle, queue) \
	{ MC_FIELD_AS("certificate", conf, field.certificate), \
	  .type = MC_PATH, .fallback = "", \
	  .help = "Certificate chain (PEM) shown to those who connect; " \
	  "empty: that of the process." }, \
	{ MC_FIELD_AS("key", conf, field.key), .type = MC_PATH, \
	  .fallback = "", \
	  .help = "Private key (PEM) of the certificate." }, \
	{ MC_FIELD_AS("proxy_protocol", conf, field.proxy_protocol), \
	  .type = MC_BOOL, .fallback = "false", \
	  .help = "Every connection must begin with a PROXY protocol v2 " \
	  "header, which says where it comes from." }, \
	{ MC_FIELD_AS("max_connections", conf, field.max_connections), \
	  .type = MC_INT, .fallback = "20000", .min = 1, .max = 1000000, \
	  .help = "Connections open at the same time." }, \
	{ MC_FIELD_AS("max_per_address", conf, field.max_per_address), \
	  .type = MC_INT, .fallback = "256", .min = 1, .max = 1000000, \
	  .help = "Connections open at the same time from one IPv4 address " \
	  "or IPv6 /64 network." }, \
	{ MC_FIELD_AS("handshake_timeout", conf, field.handshake_ms), \
	  .type = MC_DURATION, .fallback = "10s", .min = 10, .max = 600000, \
	  .help = "From accepting a connection to the end of its TLS " \
	  "handshake." }, \
	{ MC_FIELD_AS("login_timeout", conf, field.login_ms), \
	  .type = MC_DURATION, .fallback = "30s", .min = 10, .max = 600000, \
	  .help = "From the TLS handshake until the peer has proven who it " \
	  "is." }, \
	{ MC_FIELD_AS("idle_timeout", conf, field.idle_ms), \
	  .type = MC_DURATION, .fallback = idle, .min = 10, .max = 86400000, \
	  .help = "A peer that sends nothing for so long is disconnected." }, \
	{ MC_FIELD_AS("send_timeout", conf, field.send_ms), \
	  .type = MC_DURATION, .fallback = "30s", .min = 10, .max = 600000, \
	  .help = "A peer that takes nothing of what is queued for it for so " \
	  "long is disconnected." }, \
	{ MC_FIELD_AS("queue_max", conf, field.queue_max), \
	  .type = MC_SIZE, .fallback = queue, .min = 4096, \
	  .max = 1073741824, \
	  .help = "Bytes that may wait for one slow peer." }

/*
 * Listens.  roles NULL: for clients, who show no certificate; otherwise a
 * list such as "gateway,world": the peer's certificate must carry one of
 * these roles.  "unix:" endpoints have no TLS: the kernel says who is there.
 * NULL: the reason is logged.  What was accepted lives on after mc_unlisten.
 */
struct mc_listener *mc_listen(struct mc_host *, const struct mc_listen_conf *,
		    const char *roles, const struct mc_conn_ops *, void *state);
void		 mc_unlisten(struct mc_listener **);

/* Takes new settings; limits and timeouts count at once, certificates are
 * read anew.  MC_INVALID: the endpoint differs or a file cannot be used; the
 * reason is logged and nothing has changed. */
enum mc_status	 mc_relisten(struct mc_listener *,
		    const struct mc_listen_conf *);

/* "127.0.0.1:43711": where it really is, also when the port was 0. */
const char	*mc_listener_address(const struct mc_listener *);

/*
 * Keeps one connection to a server of this role: dials again, after a
 * growing pause, when it cannot be made or is lost.  open and closed are
 * called for each connection.  The endpoint is copied.  NULL: it is none, the
 * reason is logged.  mc_hangup dials no more and closes what is open, as
 * mc_conn_close does; NULL is fine.
 */
struct mc_link	*mc_dial(struct mc_host *, const char *endpoint,
		    const char *role, const struct mc_conn_ops *, void *state);
void		 mc_hangup(struct mc_link **);

/* Who is there.  Valid as long as the connection. */
struct mc_peer {
	char	address[64];	/* "192.0.2.7", without port; "unix" */
	char	name[64];	/* from the certificate, "" without one; "unix":
				 * the user's, as the kernel says */
	char	roles[64];	/* "world" or "gateway,world", "" without one */
};
const struct mc_peer *mc_conn_peer(const struct mc_conn *);

/* Is this one of the peer's roles? */
bool		 mc_peer_is(const struct mc_peer *, const char *role);

/* The peer has proven who it is: the login time-out ends, larger messages
 * are accepted, the idle time-out begins. */
void		 mc_conn_admit(struct mc_conn *);

/* Queues a message.  A peer whose queue is full by then is disconnected, and
 * so is one for whom the message is too large for anybody (MC_FRAME_SERVER).
 * After a close it does nothing. */
void		 mc_conn_send(struct mc_conn *, const Metacube__Envelope *);

/* Encode once, send to many: a reference each, no copy.  false: the queue is
 * full and this message was left out; whoever sends may send less. */
struct mc_shared *mc_shared_new(const Metacube__Envelope *);
bool		 mc_conn_send_shared(struct mc_conn *, struct mc_shared *);
void		 mc_shared_unref(struct mc_shared **);

/*
 * Streams: connections that carry bytes instead of messages, for protocols
 * with a grammar of their own (antp.h).  All else is the same: TLS, roles,
 * limits, deadlines; the idle time-out (90 s for those who dial) also begins
 * anew whenever the peer takes something.  A peer whose role is not wanted
 * gets the TLS alert access_denied; who has dialled hears of that after open.
 * A link that is lost after it has brought 64 KiB is dialled again soon.
 * plain: without TLS, for loopback addresses only (others are refused); the
 * peer then has no name and no roles.
 */
struct mc_stream_ops {
	void *(*open)(void *state, struct mc_conn *);
	/* Whatever has come, in pieces of up to some 64 KiB; valid until this
	 * returns. */
	void  (*bytes)(void *owner, const uint8_t *data, size_t len);
	/* All that was written has been taken by the kernel: write on. */
	void  (*drained)(void *owner);
	void  (*closed)(void *owner);		/* last call for this owner */
};
struct mc_listener *mc_listen_stream(struct mc_host *,
		    const struct mc_listen_conf *, const char *roles,
		    bool plain, const struct mc_stream_ops *, void *state);
struct mc_link	*mc_dial_stream(struct mc_host *, const char *endpoint,
		    const char *role, bool plain,
		    const struct mc_stream_ops *, void *state);

/* Queues bytes: copied, or a malloc'ed block that is given away.  A peer
 * whose queue is full by then is disconnected; so whoever sends much writes a
 * part, of any size, and the next when that has drained. */
void		 mc_conn_write(struct mc_conn *, const void *, size_t);
void		 mc_conn_give(struct mc_conn *, void *block, size_t);

/* Nothing is read from the peer, and the idle time-out rests, until this is
 * called with false.  What has been read before (up to 1 MiB) still comes;
 * that the peer has gone is only noticed by who writes to it. */
void		 mc_conn_pause(struct mc_conn *, bool);

/* Bytes queued and not yet taken by the kernel. */
size_t		 mc_conn_queued(const struct mc_conn *);

/* Sends what is queued, then closes.  No message comes after this; closed
 * does, later, from the loop: never inside the call that closes. */
void		 mc_conn_close(struct mc_conn *);

#ifdef __cplusplus
}
#endif
#endif
