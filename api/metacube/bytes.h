/* SPDX-License-Identifier: MIT */
/*
 * metacube/bytes.h - numbers as they stand in files: little-endian, at any
 * address.  Any thread.
 */
#ifndef METACUBE_BYTES_H
#define METACUBE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void
mc_put32(uint8_t at[4], uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void
mc_put64(uint8_t at[8], uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static inline uint32_t
mc_get32(const uint8_t at[4])
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t
mc_get64(const uint8_t at[8])
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

#ifdef __cplusplus
}
#endif

#endif
