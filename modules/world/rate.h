/* SPDX-License-Identifier: MIT */
/*
 * rate - how often something may be done: a bucket that leaks at rate a
 * second, and holds burst.  All zero: an empty one.
 */
#ifndef WORLD_RATE_H
#define WORLD_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	double		level;
	uint64_t	at_ms;
};

/* false: too often, this one does not count. */
static inline bool
rate_take(struct rate *bucket, double rate, double burst, uint64_t now_ms)
{
	double leaked = (double)(now_ms - bucket->at_ms) * rate / 1000;

	bucket->level = leaked < bucket->level ? bucket->level - leaked : 0;
	bucket->at_ms = now_ms;
	if (bucket->level + 1 > burst)
		return false;
	bucket->level++;
	return true;
}

#endif
