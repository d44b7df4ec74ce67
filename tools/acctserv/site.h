/* SPDX-License-Identifier: MIT */
/*
 * site - the account pages: one request in, one reply out.
 *
 *	main.c		settings; which of the two gates
 *	cgi.c		plain CGI: one request of this process
 *	fastcgi.c	FastCGI: one after the other, with libfcgi
 *	site.c		from the request to the page that is meant
 *	page.c		one page: its form read, checked, asked, answered
 *	field.c		the fields of all forms, and what may stand in them
 *	paint.c		pages as HTML
 *	reply.c		status, headers, body
 *	form.c html.c token.c rate.c text.c backend.c
 *			know nothing of these
 */
#ifndef ACCTSERV_SITE_H
#define ACCTSERV_SITE_H

#include "backend.h"
#include "rate.h"
#include "token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct site {
	const char		*title;		/* of the network */
	bool			 plain_http;	/* is allowed: for tests */
	struct token_key	 key;
	struct rate		 rate;
	uint64_t		 salt;		/* for the limit */
	/* The account server; always answers. */
	void			(*ask)(void *owner,
				    const Metacube__AccountRequest *,
				    struct answer *answer_r);
	void			*owner;
};

/* Where a request comes from and the reply goes. */
struct gate {
	/* Bytes of the body: how many, 0 at its end, -1 on failure.  Leaves
	 * no copy of them behind. */
	ssize_t	(*read)(void *owner, char *data, size_t size);
	bool	(*write)(void *owner, const char *data, size_t len);
	void	*owner;
};

/* envp: what CGI/1.1 (RFC 3875) says of the request.  false: the reply could
 * not be delivered. */
bool	site_serve(struct site *, char **envp, const struct gate *);

/* cgi.c, fastcgi.c: exit status. */
int	cgi_serve(struct site *);
bool	fastcgi_is_meant(void);
int	fastcgi_serve(struct site *);

#endif
