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

#include <stdatomic.h>

struct call_pool;		/* call.c: all calls, and their deadlines */
struct calls;			/* call.c: pending calls to one instance */
struct commands;		/* control_parts.h */
struct conf_args;		/* conf.h */
struct conf_set;
struct counters;		/* count.c */
struct io;			/* io.c: the I/O threads */
struct pool;			/* work.c: threads for mc_pool */
struct signals;			/* signals.c */
struct pump;			/* listen.h: what an instance has open */
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
	struct call_pool	*call_pool;
	struct worker		*workers;	/* with jobs to hand over */
	struct commands		*commands;
	struct mc_host		*instances;	/* in start order */
	struct mc_host		*self;		/* the host's own voice */
	const struct conf_args	*args;		/* read again on reload */
	struct process_conf	*taken;		/* what conf is a copy of */
	struct signals		*signals;
	struct mc_timer		*drain;		/* looks again while stopping */
	uint64_t		 stop_by_ms;	/* mc_now_ms, when stopping */
	uint64_t		 started_ms;	/* mc_now_ms */
	bool			 stopping;
	bool			 failed;	/* exit status 1 */
	bool			 unfinished;	/* jobs outlived their time */
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
	uint64_t		 stopped_ms;	/* mc_now_ms */
	struct calls		*calls;
	struct counters		*counters;
	struct worker		*worker;
	struct pump		*pump;
	struct mc_timer		*timers;	/* timer.c */
	struct mc_watch		*watches;
	atomic_uint		 jobs;		/* work.c: not finished yet */
	unsigned		 queries;	/* being answered: control_query.c */
};

/*
 * Runs what the configuration describes until somebody asks to stop, and
 * takes what it keeps from the set.  Returns the exit status of the program.
 */
int		 process_run(const struct conf_args *, struct conf_set **);

/* Loop thread, what signals and metacubectl ask for.  A reload that fails
 * changes nothing, and its reason is logged. */
enum mc_status	 process_reload(struct process *);
void		 process_stop(struct process *);	/* twice: at once */

#endif
