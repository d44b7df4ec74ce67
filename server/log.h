/* SPDX-License-Identifier: MIT */
/*
 * log - where the lines of mc_log go.
 *
 *	file		2026-01-02T03:04:05.678Z NOTE  gateway #17 text
 *	terminal	03:04:05.678 NOTE  gateway          #17 text
 *	journal		<5>gateway #17: text
 *	json		{"time":"...","level":"note","instance":"gateway",
 *			"request":17,"text":"..."}
 *
 * Works from the first line of main on: until log_open, to standard error.
 * All of it from any thread, but log_open and log_reopen.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <metacube/host.h>

#include <stdarg.h>

#define LOG_LINE_MAX	2048		/* bytes of one line, cut beyond */

enum log_format { LOG_TEXT, LOG_JSON };

/* file "": standard error.  MC_UNAVAILABLE: it cannot be opened; that is
 * logged, and nothing has changed. */
enum mc_status	 log_open(const char *file, enum log_format, enum mc_level);

/* Opens the file again, after somebody has renamed it. */
enum mc_status	 log_reopen(void);

void		 log_write(struct mc_host *, enum mc_level, const char *,
		    va_list) MC_PRINTF(3, 0);

#endif
