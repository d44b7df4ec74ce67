/* SPDX-License-Identifier: MIT */
/*
 * print - a record as a line, for people or for programs:
 *
 *	7 2026-01-30T12:00:00.000Z server=web tag=pwq verb=change uid=65 ...
 *	{"seq":"7","time":"2026-01-30T12:00:00.000Z","server":"web",...}
 *
 * In JSON every value is a string, so that none changes its type.
 */
#ifndef TOOLS_WMQDUMP_PRINT_H
#define TOOLS_WMQDUMP_PRINT_H

#include <metacube/segment.h>

struct print_how {
	bool	json;
	bool	personal;	/* e-mail addresses too */
};

void	print_header(const struct print_how *, const char *path,
	    const struct segment_header *);
void	print_record(const struct print_how *, const struct wmq_record *,
	    const void *data);

/* For those that print the records of one tag, between the tag and the end
 * of the line. */
void	print_field(const struct print_how *, const char *name,
	    const char *value);
void	print_number(const struct print_how *, const char *name, uint64_t);

#endif
