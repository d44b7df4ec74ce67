/* SPDX-License-Identifier: MIT */
/*
 * fastcgi - the requests of one connection after the other; apart from its
 * set-up, so that it can be given connections of any kind.
 */
#ifndef ACCTSERV_FASTCGI_H
#define ACCTSERV_FASTCGI_H

#include "site.h"

#include <fcgiapp.h>

/* Until no further request can be accepted. */
void	fastcgi_loop(struct site *, FCGX_Request *);

#endif
