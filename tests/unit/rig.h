/* SPDX-License-Identifier: MIT */
/*
 * rig - a process that is one instance of a module, loaded and configured as
 * the real host does it, and a test that asks it questions.
 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "process.h"

struct rig {
	struct process	 process;
	struct mc_host	*asker;		/* process.self */
	struct mc_host	*instance;
	struct mc_ref	 to;		/* the service it provides first */
	char		 dir[64];	/* with its configuration */
};

/* settings: what stands in the braces, "behaviour = \"silent\";". */
void	rig_open(struct rig *, const char *module, const char *settings);
void	rig_close(struct rig *);

/* Runs the loop until loop_stop, at most RIG_LIMIT_MS: false then. */
#define RIG_LIMIT_MS	300000
bool	rig_run(struct rig *);

/* Runs it until the condition holds; the same limit. */
typedef bool rig_condition(void *arg);
bool	rig_until(struct rig *, rig_condition *, void *arg);

int64_t	rig_counter(struct mc_host *, const char *name);

#endif
