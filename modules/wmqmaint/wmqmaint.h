/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint.h - the parts of wmqmaint.
 *
 * One task at a time: freezing and pruning are asked for by the schedule or by
 * a command, and whoever asks for the one that runs waits for its end, too;
 * thawing is asked for through the service, and comes next.
 */
#ifndef WMQMAINT_H
#define WMQMAINT_H

#include "merge.h"

#include <metacube/control.h>
#include <metacube/replica.h>
#include <metacube/wmqfile.h>

#define TEXT_SIZE	(FREEZE_WHY + 256)
#define DAY_MS		86400000

struct conf {
	const char	*path;
	const char	*key_files;
	int64_t		 freeze_every_ms;	/* 0: only when asked */
	const char	*freeze_at;		/* "HH:MM" UTC, or "" */
	bool		 prune;
	int64_t		 settle_ms;
	int64_t		 replica_grace_ms;
	int64_t		 memory;
};

enum task { TASK_NONE, TASK_FREEZE, TASK_PRUNE, TASK_THAW };

struct waiter {
	struct waiter	*next;
	struct mc_query	*query;
};

struct wmqmaint {
	struct mc_host		*host;
	const struct conf	*conf;
	struct freeze_keys	*keys;
	struct mc_ref		 tcapw, wmq, wmqfile;
	struct mc_ref		 replicas;	/* absent: nobody is waited for */
	struct mc_ref		 mirrored;	/* there: only prune */
	atomic_bool		 stop;

	enum task		 task;
	const char		*stage;		/* of the task: for people */
	bool			 scheduled;	/* go on with pruning */
	struct waiter		*waiters;
	struct freezing		*freezing;
	struct pruning		*pruning;
	struct thawing		*thawing;
	struct mc_call		*thaw_waits;	/* for the task's end */
	struct mc_call		*asked;

	struct freeze_file	 latest;	/* path "": there is none */
	bool			 differs;	/* store and queue do */
	char			 last_text[TEXT_SIZE];	/* of the last task */
	enum mc_status		 last_status;

	struct mc_timer		*tick;
	uint64_t		 due_ms;	/* steady; UINT64_MAX: never */
	uint64_t		 frozen_ms, pruned_ms;	/* UTC; 0: never */
};

/* wmqmaint.c: the task is over, and says how it went. */
void	 task_end(struct wmqmaint *, enum mc_status, const char *, ...)
	    MC_PRINTF(3, 4);
void	 latest_set(struct wmqmaint *, const struct freeze_header *);

/* freezing.c, pruning.c, thawing.c: begin their task; free what it holds. */
void	 freezing_begin(struct wmqmaint *);
void	 freezing_free(struct wmqmaint *);
void	 pruning_begin(struct wmqmaint *);
void	 pruning_free(struct wmqmaint *);
void	 thawing_begin(struct wmqmaint *, struct mc_call *);
void	 thawing_stop(struct wmqmaint *);
void	 thawing_free(struct wmqmaint *);

/* schedule.c; NULL: fine, else what is wrong with freeze_at. */
const char *schedule_check(const struct conf *);
void	 schedule_begin(struct wmqmaint *);
void	 schedule_soon(struct wmqmaint *);
void	 schedule_next(struct wmqmaint *, bool failed);
void	 schedule_end(struct wmqmaint *);

/* commands.c */
extern const struct mc_command maintenance_commands[];

#endif
