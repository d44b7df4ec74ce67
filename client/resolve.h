/* SPDX-License-Identifier: MIT */
/*
 * resolve - finds the addresses of a host without blocking.
 *
 * getaddrinfo knows everything that this system knows about names, and it
 * blocks: it runs on a thread of its own, which says through a pipe that it
 * is done.  A question that nobody waits for any more is answered into the
 * void.  Addresses written as numbers need no thread.
 */
#ifndef CLIENT_RESOLVE_H
#define CLIENT_RESOLVE_H

#include <stdbool.h>

struct addrinfo;
struct resolve;

/* NULL: out of memory, threads or descriptors. */
struct resolve	*resolve_new(const char *host, const char *port);
void		 resolve_free(struct resolve **);

/* Readable when the answer is there; -1: it is there already. */
int		 resolve_fd(const struct resolve *);

/* false: not yet.  error_r: 0 with the addresses (the caller's, freeaddrinfo),
 * or an EAI_ number. */
bool		 resolve_done(struct resolve *, int *error_r,
		    struct addrinfo **addresses_r);

#endif
