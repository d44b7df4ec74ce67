/* SPDX-License-Identifier: MIT */
/*
 * link - one connection that a benchmark holds: a client's, or a server's to
 * the taskmaster, which shows a certificate that the benchmark has issued
 * under the network's CA.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <metacube/proto/envelope.pb-c.h>

#include <gnutls/gnutls.h>

#include <stdbool.h>
#include <stdint.h>

#define LINK_BUFFER	(256 * 1024)

struct link {
	int			 fd;
	gnutls_session_t	 tls;
	gnutls_certificate_credentials_t creds;
	size_t			 len;
	uint8_t			*data;		/* LINK_BUFFER bytes */
};

/* dir holds ca.pem and ca.key; role NULL: a client, without certificate. */
void	link_open(struct link *, uint16_t port, const char *dir,
	    const char *role, const char *name);
void	link_close(struct link *);

/* What was received so far and its buffer are given back: the link is idle. */
void	link_rest(struct link *);

/* Blocking. */
void	link_send(struct link *, const void *frames, size_t len);
void	link_send_envelope(struct link *, const Metacube__Envelope *);

/* The next message, to be freed by the caller; NULL after timeout_ms. */
Metacube__Envelope *link_receive(struct link *, int timeout_ms);

#endif
