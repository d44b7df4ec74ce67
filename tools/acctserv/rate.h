/* SPDX-License-Identifier: MIT */
/*
 * rate - how many forms one address may send.
 *
 * Counts in this process only, so a plain CGI has no limit of its own; the
 * account server and the web server have theirs.  An IPv6 address counts as
 * its /64.  The table has a fixed size; where two addresses meet, the older
 * one is forgotten.
 */
#ifndef ACCTSERV_RATE_H
#define ACCTSERV_RATE_H

#include <stdint.h>

#define RATE_PLACES	1024

struct rate_place {
	uint64_t	address;	/* a hash of it; 0: nobody's */
	int64_t		full_ms;	/* when it has all its forms again */
};

struct rate {
	unsigned		per_minute;	/* 0: without limit */
	struct rate_place	places[RATE_PLACES];
};

/* Seconds to wait; 0: go on.  salt keeps others from choosing who meets. */
unsigned	rate_take(struct rate *, const char *address, uint64_t salt,
		    int64_t now_ms);

#endif
