/* SPDX-License-Identifier: MIT */
/*
 * metacube/bytes.h - numbers as they stand in files: little-endian, at any
 * address.  Any thread.
 */
#ifndef METACUBE_BYTES_H
#define METACUBE_BYTES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void
mc_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void
mc_put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static inline void
mc_put64(uint8_t *at, uint64_t value)
{
	mc_put32(at, (uint32_t)value);
	mc_put32(at + 4, (uint32_t)(value >> 32));
}

static inline uint16_t
mc_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t
mc_get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	    (uint32_t)at[3] << 24;
}

static inline uint64_t
mc_get64(const uint8_t *at)
{
	return mc_get32(at) | (uint64_t)mc_get32(at + 4) << 32;
}

#ifdef __cplusplus
}
#endif

#endif
