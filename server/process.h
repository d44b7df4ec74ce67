/* SPDX-License-Identifier: MIT */
/*
 * process - one metacubed: its threads, its settings, its instances.
 *
 * Private to server/.  struct process is the whole; struct mc_host is one
 * instance of a module and what the host keeps for it.
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include "loop.h"

#include <metacube/call.h>
#include <metacube/host.h>
#include <metacube/module.h>

struct calls;			/* call.c: pending calls to one instance */
struct commands;		/* control.c */
struct counters;		/* count.c */
struct io;			/* io.c: the I/O threads */
struct pool;			/* work.c: threads for mc_pool */
struct pump;			/* listen.c: what an instance has open */
struct worker;			/* work.c: an instance's own thread */

/* metacubed.conf; the table of its keys is in process_conf.c. */
struct process_conf {
	const char	*module_dir, *conf_dir;
	const char	*user;
	const char	*control;		/* socket for metacubectl */
	const char	*certificate, *key, *ca;	/* our identity */
	const char	*tls_priority;
	int64_t		 io_threads;		/* 0: one per core */
	int64_t		 pool_threads;		/* 0: one per core */
	int64_t		 pool_queue;		/* jobs that may wait */
	int64_t		 max_calls;		/* pending, per instance */
	int64_t		 stall_ms, stop_ms;
	int64_t		 log_level, log_format;
	const char	*log_file;		/* "": standard error */
	bool		 core_dumps;
};

struct process {
	struct process_conf	 conf;
	struct loop		*loop;
	struct io		*io;
	struct pool		*pool;
	struct commands		*commands;
	struct mc_host		*instances;	/* in start order */
	struct mc_host		*self;		/* the host's own voice */
	bool			 stopping;
};

enum mc_host_stage {
	HOST_RESOLVED, HOST_INITED, HOST_STARTED, HOST_STOPPED, HOST_FINISHED
};

struct mc_host {
	struct process		*process;
	struct mc_host		*next;		/* start order */
	char			 name[64];
	char			*file;		/* its conf.d file */
	const struct mc_module	*module;
	void			*state, *conf;
	enum mc_host_stage	 stage;
	struct calls		*calls;
	struct counters		*counters;
	struct worker		*worker;
	struct pump		*pump;
};

#endif
