/* SPDX-License-Identifier: MIT */
/*
 * course_parts - what the two files of course.h share: course.c asks,
 * course_answer.c judges the answers.
 */
#ifndef ANTPCLNT_COURSE_PARTS_H
#define ANTPCLNT_COURSE_PARTS_H

#include "course.h"

#define COURSE_PIECE_MIN (64 * 1024)	/* bytes of a freeze, asked for at once */

/* Sets a name, with NULs to its end. */
void	course_name(char name[ANTP_FILE_SIZE], const char *from);

#endif
