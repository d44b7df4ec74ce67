/* SPDX-License-Identifier: MIT */
/*
 * trust - whom a client believes, and why it does not.
 */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include "fault.h"

#include <gnutls/gnutls.h>

struct trust {
	gnutls_certificate_credentials_t	 credentials;
	gnutls_priority_t			 priority;
	char					*ca_file; /* or NULL */
};

/* Who is expected at the other end. */
struct trust_peer {
	const char	*label;		/* "gateway.example:7740" */
	const char	*host;		/* name or address in the certificate */
	const char	*role;		/* "gateway" or "world" */
	const char	*name;		/* of the world; "": any */
};

int	trust_init(struct trust *, const char *ca_file, struct fault *);
void	trust_fini(struct trust *);

/* The certificate that the peer has shown.  0, or -1 with the fault. */
int	trust_check(const struct trust *, gnutls_session_t,
	    const struct trust_peer *, struct fault *);

#endif
