/* SPDX-License-Identifier: MIT */
/*
 * endpoint - "192.0.2.7:7740", "[::]:7740", "name:7740", "unix:/path".
 *
 * Pure: nothing here asks a name server or opens a socket.
 */
#ifndef SERVER_ENDPOINT_H
#define SERVER_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ENDPOINT_HOST_MAX	255
#define ENDPOINT_TEXT_SIZE	128	/* any address as text, with port */

struct endpoint {
	bool	 local;			/* a unix socket */
	char	 host[ENDPOINT_HOST_MAX + 1];	/* or its path */
	in_port_t port;			/* host byte order */
};

struct address {
	socklen_t	len;
	union {
		struct sockaddr		any;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
		struct sockaddr_un	un;
	} sa;
};

/* NULL: fine; else what is wrong, as a sentence to follow the endpoint. */
const char	*endpoint_parse(const char *text, struct endpoint *endpoint_r);

/* The path in "unix:/path"; NULL: it is none. */
const char	*endpoint_path(const char *text);

/* false: the host is a name, which somebody has to resolve. */
bool		 endpoint_address(const struct endpoint *,
		    struct address *address_r);

/* "192.0.2.7", "2001:db8::1", "unix"; IPv4 in IPv6 as IPv4. */
void		 address_host(const struct address *, char *out, size_t size);

/* "192.0.2.7:7740", "[2001:db8::1]:7740", "unix:/path". */
void		 address_text(const struct address *,
		    char out[ENDPOINT_TEXT_SIZE]);

/* 127.0.0.0/8, ::1. */
bool		 address_is_loopback(const struct address *);

/* From an IPv4 address in the form of an IPv6 one to the plain one. */
void		 address_unmap(struct address *);

#endif
