/* SPDX-License-Identifier: MIT */
/*
 * remote_rig - a module on a stage that hands on over one link what it is
 * asked.
 */
#ifndef TESTS_REMOTE_RIG_H
#define TESTS_REMOTE_RIG_H

#include "cutap.h"
#include "stage.h"

extern struct mc_ref service;		/* the one that it provides */

/* Where it connects; three questions may be under way.  Before the start:
 * further settings, and who its first need is met by. */
void	remote_make(const char *connect);
void	remote_set(const char *key, int64_t number);
void	remote_need(const void *ops);
void	remote_start(void);

void	remote_move(const char *connect);	/* by a reload */
void	remote_stop(void);			/* also once more */
void	remote_end(void);			/* nothing is left behind */

#endif
