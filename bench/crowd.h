/* SPDX-License-Identifier: MIT */
/*
 * crowd - many TLS clients on one thread, each of which connects, shakes
 * hands, asks once, reads the answer to its end, closes, and begins again.
 * The same code asks MetaCube and its peer, so its own cost cancels out.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crowd_ask {
	const char	*address;	/* "127.0.0.1" */
	uint16_t	 port;
	unsigned	 clients;	/* at the same time */

	/* What client number n sends; the bytes stay valid. */
	const void	*(*request)(unsigned n, size_t *len);
	/* Looks at what has come so far: 0 go on reading, 1 that is the whole
	 * answer, -1 it is a wrong one. */
	int		 (*answered)(const uint8_t *data, size_t len);
};

struct crowd_score {
	uint64_t	 done, failed;
	double		 seconds;
};

void	crowd_run(const struct crowd_ask *, double seconds,
	    struct crowd_score *score_r);

#endif
