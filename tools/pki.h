/* SPDX-License-Identifier: MIT */
/*
 * pki - the parts of metacubectl pki.  What fails says on standard error why.
 */
#ifndef TOOLS_PKI_H
#define TOOLS_PKI_H

#include <gnutls/x509.h>

#include <stdbool.h>

#define PKI_WORD_MAX	40		/* bytes of a role or a name */
#define PKI_ROLES_MAX	8

struct pki_options {
	bool	ed25519, force;
	long	days;			/* 0: as usual */
};

/* A server's certificate, as it was asked for. */
struct pki_request {
	const char	 *dir, *name;
	char		 *roles[PKI_ROLES_MAX];
	unsigned	  nroles;
	char		**addresses;
	int		  naddresses;
};

struct pki_pair {
	gnutls_x509_privkey_t	key;
	gnutls_x509_crt_t	crt;
};

/* pki.c.  Says so on standard error; always false. */
bool	pki_complain(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

/* What GnuTLS has returned; false: it could not make this. */
bool	pki_works(int error, const char *what);

/* pki_files.c: NAME.key and NAME.pem; the CA's name is "ca". */
bool	pki_absent(const char *dir, const char *name);
bool	pki_save(const char *dir, const char *name, const struct pki_pair *,
	    bool force);
bool	pki_load_ca(const char *dir, struct pki_pair *);

/* pki_certificate.c */
void	pki_pair_init(struct pki_pair *);
void	pki_pair_fini(struct pki_pair *);
bool	pki_make_ca(struct pki_pair *, const struct pki_options *);
bool	pki_make_server(const struct pki_request *, const struct pki_pair *ca,
	    struct pki_pair *, const struct pki_options *);

#endif
