/* SPDX-License-Identifier: MIT */
/* source - the files of a map, as they are read.  Private to map. */
#ifndef WORLD_SOURCE_H
#define WORLD_SOURCE_H

#include "map.h"

#include <metacube/host.h>

#include <limits.h>
#include <sys/types.h>

struct source {
	char	 path[PATH_MAX];	/* of the file that is being read */
	char	*why;			/* MAP_WHY_SIZE bytes */
};

/* Says what is wrong with the file; line 0: with all of it. */
void	 source_fail(struct source *, int line, const char *, ...)
	    MC_PRINTF(3, 4);

/* Goes on to this file.  false: source_fail was called, as below. */
bool	 source_set(struct source *, const char *dir, const char *key,
	    const char *file);

/* Opens it, if it is a regular file of at most so many bytes; or -1. */
int	 source_open(struct source *, off_t max, size_t *len_r);

/* Its whole text, to be freed; or NULL. */
char	*source_text(struct source *);

/* Can libconfig be given this text? */
bool	 source_harmless(struct source *, const char *text);

#endif
