/* SPDX-License-Identifier: MIT */
/*
 * metacube/text.h - texts that are put together.  Any thread.  (Which texts are
 * allowed: metacube/name.h.)
 */
#ifndef METACUBE_TEXT_H
#define METACUBE_TEXT_H

#include <metacube/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's memory from where the next piece goes.  { out, size } begins
 * a text; unless size is 0, out is a string after each piece. */
struct mc_text {
	char	*at;
	size_t	 room;		/* bytes, the final NUL among them */
};

/* What does not fit is cut off, perhaps within a character: then room is 1. */
void		 mc_text_add(struct mc_text *, const char *format, ...)
		    MC_PRINTF(2, 3);

/* Two digits for each byte, in lower case, and a NUL: 2 * count + 1 bytes. */
void		 mc_hex(char *out, const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
