/* SPDX-License-Identifier: MIT */
/*
 * tls - certificates, keys and what a peer has to show: everything about TLS
 * but the bytes themselves, which conn_tls.c moves.
 *
 * A struct tls is what was read from the files at one time.  Each session
 * holds a reference, so a reload lets the old ones finish.
 */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include <metacube/conn.h>

#include <gnutls/gnutls.h>

#define TLS_WHY_SIZE	256

struct tls;

struct tls_files {
	const char	*certificate, *key;	/* PEM */
	const char	*ca;			/* "": verify nobody */
	const char	*priority;
};

/* NULL: the reason is logged for this host. */
struct tls	*tls_load(struct mc_host *, const struct tls_files *);
struct tls	*tls_ref(struct tls *);		/* (any thread) */
void		 tls_unref(struct tls **);	/* (any thread) */
const char	*tls_name(const struct tls *);	/* in its own certificate */

/* identity.c: the process's own, by identity_load; a reference, or NULL
 * without one. */
struct tls	*identity_ref(void);		/* (any thread) */

enum tls_side {
	TLS_FOR_CLIENTS,	/* we show a certificate, they do not */
	TLS_FOR_SERVERS,	/* both do */
	TLS_TO_SERVER		/* both do, and we have dialled */
};

/*
 * What the verification of a peer leaves behind.  Only during the handshake.
 * alert: what to tell the other side.
 */
struct tls_check {
	enum tls_side		 side;
	const char		*role;		/* TO_SERVER: must have it */
	struct mc_peer		*peer;		/* name and roles go here */
	gnutls_alert_description_t alert;	/* 0: GnuTLS knows better */
	char			 why[TLS_WHY_SIZE];
};

/* The check's place is the session's pointer (gnutls_session_get_ptr). */
gnutls_session_t tls_session(struct tls *, enum tls_side);

/* After a failed handshake or receive: why, in words, and the alert that
 * tells the other side (which may be none). */
void		 tls_explain(gnutls_session_t, int error,
		    struct tls_check *);

/* peer.c: "metacube:ROLE/NAME"; false: it is not of this form.  Adds the role,
 * takes the name. */
bool		 peer_uri(struct mc_peer *, const char *uri, size_t len);

/* All that the certificate says of this form. */
void		 peer_read(struct mc_peer *, gnutls_x509_crt_t);

/* Does the comma-separated list name one of the peer's roles? */
bool		 peer_has_role_of(const struct mc_peer *, const char *roles);

#endif
