/* SPDX-License-Identifier: MIT */
/*
 * flood - lines that outsiders can cause: so many in a second, the others
 * only counted.
 */
#ifndef SERVER_FLOOD_H
#define SERVER_FLOOD_H

#include <metacube/host.h>

#include <pthread.h>
#include <stdarg.h>

#define FLOOD_LINES	5	/* in a second */

struct flood {
	pthread_mutex_t	 lock;
	uint64_t	 second;
	unsigned	 lines, held;
};

void	 flood_init(struct flood *);
void	 flood_fini(struct flood *);

/* (any thread) Logs the line, or counts it as one of "and 17 more". */
void	 flood_log(struct flood *, struct mc_host *, enum mc_level,
	    const char *, ...) MC_PRINTF(4, 5);
void	 flood_vlog(struct flood *, struct mc_host *, enum mc_level,
	    const char *, va_list) MC_PRINTF(4, 0);

#endif
