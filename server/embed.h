/* SPDX-License-Identifier: MIT */
/*
 * embed - metacubed inside another program, with one instance more than the
 * configuration says: a module that is part of that program.
 *
 * For programs that test modules: everything is real but the driver.
 */
#ifndef SERVER_EMBED_H
#define SERVER_EMBED_H

#include <metacube/module.h>

/*
 * Runs the process that the file describes, until it is stopped (SIGTERM);
 * returns its exit status.  The driver has no settings.  What it needs is
 * provided by the instance of the module named subject where that provides
 * it, else by the first one that does; when it needs a service twice, by
 * another one the second time, if there is one.
 */
int	metacubed_embed(const char *conf, const struct mc_module *driver,
	    const char *subject);

#endif
