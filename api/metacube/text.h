/* SPDX-License-Identifier: MIT */
/*
 * metacube/text.h - a text that is put together piece by piece.  Any thread.
 */
#ifndef METACUBE_TEXT_H
#define METACUBE_TEXT_H

#include <metacube/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's memory from where the next piece goes.  { out, size } begins
 * a text; out is a string after each piece. */
struct mc_text {
	char	*at;
	size_t	 room;		/* bytes, the final NUL among them */
};

/* What does not fit is cut off; room is 1 then. */
void		 mc_print(struct mc_text *, const char *format, ...)
		    MC_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
