/* SPDX-License-Identifier: MIT */
/*
 * scratch - a folder of its own for a test, gone when the test is.
 *
 * Whatever goes wrong here ends the program: it is no result of the test.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

/* Makes it (mode 0700); returns its absolute path, until scratch_remove. */
const char	*scratch_make(void);
void		 scratch_remove(void);

/* "name" in the folder, as a path that the next eight calls leave alone. */
const char	*scratch_path(const char *name);

void		 scratch_folder(const char *name);
void		 scratch_write(const char *name, const void *, size_t len,
		    mode_t mode);
void		 scratch_text(const char *name, const char *text); /* 0600 */

/* Reads any file; the caller frees. */
char		*scratch_read(const char *path, size_t *len_r);

#endif
