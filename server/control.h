/* SPDX-License-Identifier: MIT */
/*
 * control - the socket for metacubectl, and the host's side of
 * metacube/control.h.  Loop thread.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include <metacube/control.h>

struct commands;
struct process;

/* The list of commands, with the host's own. */
struct commands	*commands_new(struct process *);
void		 commands_free(struct commands **);

/* Makes the socket's directory (while we are root) and removes a socket that
 * a dead process has left.  A living one is an error. */
enum mc_status	 control_prepare(struct process *);
enum mc_status	 control_start(struct process *);
void		 control_stop(struct process *);

/* This instance ends: its commands are gone, and queries that it has not
 * answered are answered in its place. */
void		 control_forget(struct mc_host *);

/* The host's own commands: control_builtin.c. */
extern const struct mc_command control_builtins[];

/* All commands, instance by instance. */
typedef void command_fn(void *arg, const struct mc_host *,
		    const struct mc_command *);
void		 commands_each(struct commands *, command_fn *, void *arg);

#endif
