/* SPDX-License-Identifier: MIT */
/*
 * fault - what went wrong: its kind, and a sentence that names the server.
 */
#ifndef CLIENT_FAULT_H
#define CLIENT_FAULT_H

#include <metacube/client.h>

#define FAULT_MAX	512

struct fault {
	enum metacube_error	kind;
	char			text[FAULT_MAX];
};

/* Returns the kind, so that `return fault_set(...)` is the error path. */
enum metacube_error fault_set(struct fault *, enum metacube_error,
		    const char *format, ...)
		    __attribute__((format(printf, 3, 4)));

#endif
