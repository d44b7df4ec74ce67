/* SPDX-License-Identifier: MIT */
/*
 * instance - the life of one module instance.  Loop thread.
 *
 *	RESOLVED --init--> INITED --start--> STARTED --stop--> STOPPED
 *	                      \______________________fini__________/
 *	                                         \--> FINISHED
 */
#ifndef SERVER_INSTANCE_H
#define SERVER_INSTANCE_H

#include "process.h"

struct conf_instance;

/* module NULL: the host itself.  Its stage is then STARTED at once. */
struct mc_host	*instance_new(struct process *, const char *name,
		    const char *file, const struct mc_module *, void *conf);
void		 instance_free(struct mc_host **);

/* Fills in who provides what; the providers exist already. */
void		 instance_resolve(struct mc_host *,
		    const struct conf_instance *);

/* Binds the endpoints in its settings. */
enum mc_status	 instance_bind(struct mc_host *);

/* What fails is logged, with the instance's name. */
enum mc_status	 instance_init(struct mc_host *);
enum mc_status	 instance_start(struct mc_host *);
enum mc_status	 instance_reload(struct mc_host *, struct conf_instance *);
void		 instance_stop(struct mc_host *);

/* Does nobody wait for it, and has it finished its work? */
bool		 instance_idle(struct mc_host *);

/* Ends all that it has open and asked for, then fini.  Without fini when it
 * still has jobs: they use its state. */
void		 instance_finish(struct mc_host *);

#endif
