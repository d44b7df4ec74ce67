/* SPDX-License-Identifier: MIT */
/*
 * proxy - the PROXY protocol, version 2: who is behind a load balancer.
 *
 *	0	12 bytes: 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a
 *	12	version (2) << 4 | command: 0 LOCAL, 1 PROXY
 *	13	family << 4 | transport: 11 TCP over IPv4, 21 TCP over IPv6
 *	14	length of the rest, big-endian
 *	16	source and destination address, source and destination port;
 *		further records, which are skipped
 *
 * Pure.  Version 1 (a line of text) is not accepted.
 */
#ifndef SERVER_PROXY_H
#define SERVER_PROXY_H

#include "endpoint.h"

#include <stdint.h>
#include <sys/types.h>

#define PROXY_MAX	1024	/* bytes of a header, all in all */

/*
 * Returns the length of the header, 0 when more must be read to know, or -1
 * when this is none.  LOCAL (the balancer's own check) leaves the address as
 * it is.
 */
ssize_t		 proxy_parse(const uint8_t *data, size_t len,
		    struct address *source);

#endif
