/* SPDX-License-Identifier: MIT */
/*
 * limit - how many connections there are, all together and from one address.
 *
 * An address is a whole IPv4 address or the /64 network of an IPv6 one.  Any
 * thread may take and give.
 */
#ifndef SERVER_LIMIT_H
#define SERVER_LIMIT_H

#include "endpoint.h"

#include <stdint.h>

struct limit;

enum limit_verdict { LIMIT_FINE, LIMIT_FULL, LIMIT_ADDRESS };

struct limit		*limit_new(void);
void			 limit_free(struct limit **);

/* The number that stands for an address; 0 counts for nobody (unix). */
uint64_t		 limit_key(const struct address *);

/* Takes one place, unless there are so many already. */
enum limit_verdict	 limit_take(struct limit *, uint64_t key, int64_t max,
			    int64_t max_per_address);
void			 limit_give(struct limit *, uint64_t key);

int64_t			 limit_count(struct limit *);
size_t			 limit_addresses(struct limit *);

#endif
