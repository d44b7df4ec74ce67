/* SPDX-License-Identifier: MIT */
/*
 * endpoint - "host:port", "[v6 address]:port", or a list of them.
 *
 * Pure functions.
 */
#ifndef CLIENT_ENDPOINT_H
#define CLIENT_ENDPOINT_H

#include <stddef.h>

#define ENDPOINT_HOST	254
#define ENDPOINTS_MAX	8

struct endpoint {
	char	host[ENDPOINT_HOST];
	char	port[6];
	char	label[ENDPOINT_HOST + 8];	/* for people */
};

/* fallback: the port when none is written, or NULL.  -1: malformed. */
int	endpoint_parse(const char *text, const char *fallback,
	    struct endpoint *endpoint_r);

/* With commas between.  The number of them, or -1. */
int	endpoints_parse(const char *text, const char *fallback,
	    struct endpoint endpoints[ENDPOINTS_MAX]);

#endif
