/* SPDX-License-Identifier: MIT */
/*
 * listen - sockets on which connections are accepted.
 *
 * An acceptor is what the I/O threads and the connections it brought share:
 * it lives until the last of them is gone.  The listener is the module's
 * hold on it.
 */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "conn.h"
#include "flood.h"
#include "limit.h"

struct acceptor_watch;

struct acceptor {
	atomic_uint		 refs;
	struct mc_host		*host;
	char			*roles;		/* NULL: for clients */
	bool			 local, plain, stream;
	int			 fd;
	char			 address[ENDPOINT_TEXT_SIZE];
	struct conn_terms	 terms;
	atomic_int_fast64_t	 max_connections, max_per_address;
	atomic_bool		 proxy_protocol;
	struct limit		*limit;
	struct flood		 flood;
	pthread_mutex_t		 lock;
	struct tls		*tls;		/* NULL: the process's own */
	struct acceptor_watch	*watches;	/* one for each I/O thread */
	struct mc_listener	*listener;	/* loop: NULL: unlistened */
};

/* acceptor.c; new takes roles, fd and tls, set_tls the new one. */
struct acceptor	*acceptor_new(struct mc_host *, const struct mc_listen_conf *,
		    char *roles, const struct conn_kind *, int fd,
		    struct tls *);
void		 acceptor_ref(struct acceptor *);
void		 acceptor_unref(struct acceptor *);
struct tls	*acceptor_tls(struct acceptor *);	/* a reference */
void		 acceptor_set_tls(struct acceptor *, struct tls *);
void		 acceptor_set_terms(struct acceptor *,
		    const struct mc_listen_conf *);

/* The I/O threads accept, or do no more when this returns. */
void		 acceptor_start(struct acceptor *);
void		 acceptor_stop(struct acceptor *);

struct mc_listener {
	LIST_ENTRY(mc_listener)	 link;
	struct acceptor		*acceptor;
	char			*endpoint;
	char			*certificate, *key;
	struct conn_kind	 kind;
	void			*state;
};

/* A socket bound ahead of its listener. */
struct bound {
	LIST_ENTRY(bound)	 link;
	int			 fd;
	char			 endpoint[];
};

/* What an instance has open. */
struct pump {
	LIST_HEAD(, mc_listener) listeners;
	LIST_HEAD(, mc_link)	 links;
	LIST_HEAD(, bound)	 bound;
	struct conn_list	 conns;		/* open_link */
	size_t			 nconns;
};

/* pump.c.  Made when first needed. */
struct pump	*pump_of(struct mc_host *);

/* What pump_bind has bound, or one bound now; -1: the reason is
 * logged. */
int		 pump_take(struct mc_host *, const char *endpoint);

/* bind.c; -1: the reason is logged. */
int		 bind_endpoint(struct mc_host *, const char *endpoint);

/* listen.c; NULL: the reason is logged. */
struct mc_listener *listen_for(struct mc_host *, const struct mc_listen_conf *,
		    const char *roles, const struct conn_kind *, void *state);

/* Reads its certificate again. */
enum mc_status	 listener_reload(struct mc_host *, struct mc_listener *);

/* link.c; NULL: the reason is logged. */
struct mc_link	*dial_for(struct mc_host *, const char *endpoint,
		    const char *role, const struct conn_kind *, void *state);
void		 link_opened(struct mc_link *, struct mc_conn *);
void		 link_closed(struct mc_link *, struct mc_conn *);
void		*link_state(struct mc_link *);
void		 links_close(struct pump *);
void		 links_end(void);	/* no loop to hear of names */

#endif
