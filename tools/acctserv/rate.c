/* SPDX-License-Identifier: MIT */
/*
 * rate - see rate.h.  A bucket of a minute's forms that fills steadily,
 * kept as the time at which it will be full.
 */
#include "rate.h"

#include <arpa/inet.h>
#include <string.h>

#define MINUTE_MS	60000

static uint64_t
mix(uint64_t hash, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * UINT64_C(1099511628211);
	hash ^= hash >> 32;
	return hash;
}

static uint64_t
address_hash(const char *address, uint64_t salt)
{
	uint8_t bytes[16];
	uint64_t hash;

	if (inet_pton(AF_INET, address, bytes) == 1)
		hash = mix(salt, bytes, 4);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		hash = mix(salt, bytes, 8);
	else
		hash = mix(salt, (const uint8_t *)address, strlen(address));
	return hash == 0 ? 1 : hash;
}

unsigned
rate_take(struct rate *rate, const char *address, uint64_t salt,
    int64_t now_ms)
{
	uint64_t hash = address_hash(address, salt);
	struct rate_place *place = &rate->places[hash % RATE_PLACES];
	int64_t one_ms, wait_ms;

	if (rate->per_minute == 0)
		return 0;
	one_ms = MINUTE_MS / rate->per_minute;
	if (place->address != hash || place->full_ms < now_ms)
		*place = (struct rate_place) { hash, now_ms };
	wait_ms = place->full_ms + one_ms - now_ms - MINUTE_MS;
	if (wait_ms > 0)
		return (unsigned)((wait_ms + 999) / 1000);
	place->full_ms += one_ms;
	return 0;
}
