/* SPDX-License-Identifier: MIT */
/*
 * timer - what an instance waits for beside answers and messages.
 */
#ifndef SERVER_TIMER_H
#define SERVER_TIMER_H

struct mc_host;

/* Ends all timers and watches that an instance still has. */
void	timers_close(struct mc_host *);

#endif
