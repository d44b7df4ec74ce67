/* SPDX-License-Identifier: MIT */
/*
 * frame - the wire's framing for the benchmarks' own clients: 4 bytes of
 * length, big-endian, then one Envelope.
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <metacube/proto/envelope.pb-c.h>

#include <stdbool.h>

/* The frame's length; ends the program when size is too small. */
size_t	frame_write(const Metacube__Envelope *, uint8_t *out, size_t size);

/* false: not whole yet.  *envelope_r is NULL when it is malformed, else the
 * caller's to free; *used_r is the frame's length. */
bool	frame_read(const uint8_t *data, size_t len,
	    Metacube__Envelope **envelope_r, size_t *used_r);

#endif
