/* SPDX-License-Identifier: MIT */
/*
 * conf - the whole configuration: read, checked, ordered.
 *
 * metacubed.conf holds the host's own settings, each file in conf.d one
 * instance.  What comes out of here is complete: every module is loaded,
 * every setting parsed, every need has its provider.  Nothing of it runs yet.
 */
#ifndef SERVER_CONF_H
#define SERVER_CONF_H

#include "errors.h"
#include "process.h"

#define CONF_SELF	"metacubed"	/* the host's own name in --set */

/* What the command line says about the configuration. */
struct conf_args {
	const char	 *file;		/* NULL: the default, if it exists */
	const char	**sets;		/* "instance.key=value" */
	size_t		  nsets;
};

struct conf_instance {
	struct conf_instance	 *next;		/* start order */
	char			  name[64];
	char			 *file;		/* "/etc/.../gateway.conf" */
	const struct mc_module	 *module;
	void			 *conf;		/* parsed settings; whoever
						 * keeps it sets this NULL */
	struct conf_instance	**providers;	/* one for each of the needs;
						 * NULL: optional, absent */
	const void		**ops;		/* of that provider's service */

	/* Private to conf.c: as written, before it is checked. */
	struct conf_instance	 *listed;	/* by file */
	char			 *directory, *module_name;
	unsigned		  module_line;
	bool			  enabled;
	struct graph_use	 *uses;
	struct setting		 *use_settings, *settings;
};

struct conf_set {
	char			*file;		/* "": no metacubed.conf */
	struct process_conf	*host;		/* may be taken, like conf */
	struct conf_instance	*first;		/* start order */
	struct conf_instance	*listed;	/* by file, also those that
						 * are not enabled */
	size_t			 count;		/* of enabled ones */
	char			*directory;	/* private, as the next two */
	char			*cwd;
	bool			 broken;	/* file cannot be read */
};

/*
 * Reads everything.  NULL: the errors say why, all of them.  At start it must
 * be called before there are threads, for it forks to try modules; see
 * loader_seal.
 */
struct conf_set	*conf_read(const struct conf_args *, struct errors *);

/* The same, and what could be read of it also when something is wrong: for
 * --list and --graph, never to be run. */
struct conf_set	*conf_read_all(const struct conf_args *, struct errors *);

void		 conf_free(struct conf_set **);

/* Only metacubed.conf (and --set), as far as it is right: never NULL. */
struct conf_set	*conf_read_host(const struct conf_args *, struct errors *);

/* Frees (and wipes) settings that were taken from a conf_instance, or the
 * host's: module NULL. */
void		 conf_settings_free(const struct mc_module *, void **conf);

/* Do both say the same?  For modules without reload. */
bool		 conf_settings_equal(const struct mc_module *, const void *,
		    const void *);

#endif
