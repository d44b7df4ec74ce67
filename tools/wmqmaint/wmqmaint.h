/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint.h - the parts of metacube-wmqmaint that need no server.
 */
#ifndef TOOLS_WMQMAINT_H
#define TOOLS_WMQMAINT_H

struct wmqmaint_files {
	const char	*queue;		/* folder */
	const char	*freeze;
	const char	*keys;		/* as key_files of the module */
};

/* All say on standard error what failed, and return the exit status. */
int	wmqmaint_keygen(const char *path);
int	wmqmaint_verify(const char *path, const char *keys);
int	wmqmaint_new_epoch(const struct wmqmaint_files *);

/* "metacube-wmqmaint: ..."; returns CTL_REFUSED. */
int	wmqmaint_fail(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
