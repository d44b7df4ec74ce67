/* SPDX-License-Identifier: MIT */
/*
 * conf_scan - looks through a configuration file before libconfig does.
 *
 * libconfig 1.5 takes integers that do not fit silently for others, ends the
 * process when @include names a directory, stops at the first double setting
 * without naming it, and knows of a byte order mark or an unfinished string
 * only that there is a syntax error.  All of that is found here and reported
 * with its line.  The syntax itself is left to libconfig.
 */
#ifndef SERVER_CONF_SCAN_H
#define SERVER_CONF_SCAN_H

#include "errors.h"

#define CONF_SCAN_DEPTH	16	/* groups inside groups */
#define CONF_SCAN_NAMES	1000	/* settings in one group */

/* false: something was reported, and libconfig must not see the text. */
bool	conf_scan(const char *file, const char *text, size_t len,
	    struct errors *);

#endif
