/* SPDX-License-Identifier: MIT */
/*
 * metacube/name.h - what may be the name of an account, a server or a map.
 *
 * An account's name is 2 to 31 of the letters a-z, the digits and . _ - that
 * begins and ends with a letter or digit.  Capitals are folded, so Joe and
 * joe are one account; every other character is refused, so no two names can
 * look alike by writing them in another alphabet or width.
 * A map's key and a server's name are 1 to 63 of a-z, 0-9 and -, beginning
 * and ending with a letter or digit: always safe as a file name.
 *
 * Pure functions, any thread.
 */
#ifndef METACUBE_NAME_H
#define METACUBE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MC_NAME_SIZE	32	/* with the NUL */
#define MC_KEY_SIZE	64

/* Folds name into folded.  NULL: fine; else what is wrong, as a sentence to
 * follow "the name". */
const char	*mc_name_fold(const char *name, char folded[MC_NAME_SIZE]);

/* Names that look alike have the same skeleton: 0 and o; 1, i and l; 5 and s;
 * rn and m; vv and w; and . _ - do not count.  folded comes from
 * mc_name_fold. */
void		 mc_name_skeleton(const char *folded,
		    char skeleton[MC_NAME_SIZE]);

/* May this be a map's key or a server's name? */
bool		 mc_key_valid(const char *key);

/* Well-formed UTF-8 without control characters, at most max bytes. */
bool		 mc_text_valid(const char *text, size_t max);

#ifdef __cplusplus
}
#endif
#endif
