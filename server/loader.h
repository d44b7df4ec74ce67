/* SPDX-License-Identifier: MIT */
/*
 * loader - from a file name to a module that can be trusted to be one.
 *
 *	open, no symbolic link	-> one open file from here on
 *	owner, mode, kind	-> nobody else could have written it
 *	ELF, note		-> the ABI, before anything of it runs
 *	a child tries it	-> damage kills the child only
 *	dlopen, descriptor	-> ours
 *
 * Modules stay for the life of the process, and so does their descriptor of
 * the file: the dynamic linker knows them by /proc/PID/fd/N, so that number
 * must never mean another file.
 */
#ifndef SERVER_LOADER_H
#define SERVER_LOADER_H

#include "errors.h"

#include <metacube/module.h>

#define LOADER_PROBE_MS	10000	/* the usual patience */

/*
 * The module of this name from that directory; the one already loaded when
 * there is one.  NULL: said why, for the place in a configuration that asked
 * (at may be NULL).
 */
const struct mc_module	*loader_load(const char *directory, const char *name,
			    const char *at, unsigned line, struct errors *);

/* From now on only what is loaded is found: there are threads, and a fork
 * could not try a module any more. */
void			 loader_seal(void);

/* How long a module may take to load before it counts as damaged. */
void			 loader_patience_set(unsigned ms);

/* The names of all modules in the directory, sorted, ended by NULL; empty
 * when it cannot be read.  To be freed in one piece. */
char			**loader_names(const char *directory);

/* The file that this module came from. */
const char		*loader_file(const struct mc_module *);

#endif
