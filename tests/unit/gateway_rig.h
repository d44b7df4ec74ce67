/* SPDX-License-Identifier: MIT */
/*
 * gateway_rig - a gateway on a stage, between an auth, a taskmaster, a store,
 * a replica and an account server that answer when the test says so.
 */
#ifndef TESTS_GATEWAY_RIG_H
#define TESTS_GATEWAY_RIG_H

#include "cutap.h"
#include "stage.h"
#include "../../modules/gateway/session.h"

#define LOCKED		METACUBE__REASON__ACCOUNT_LOCKED
#define CHANGED		METACUBE__REASON__ACCOUNT_CHANGED

extern struct conf conf;

/* What was asked last, and not answered yet; with what it was asked. */
extern struct mc_call *place_call, *evict_call, *change_call, *news_call,
    *lookup_call;
extern struct account_request change;
extern uint64_t evicted, news_after, placed_generation;
extern int evicted_for;
extern char looked_up[MC_NAME_SIZE];

void	open_with(bool account, bool replica);	/* the services it has */
void	close_gateway(void);		/* and nothing is left behind */
void	answer(struct mc_call **, enum mc_status, const void *data,
	    size_t len);

/* Who is on worlds, as the taskmaster says it: two at a time. */
extern uint64_t doubt;
extern enum mc_status players_status;
void	is_there(uint64_t uid, uint64_t generation, const char *display);

/* Clients */
struct mc_conn *log_in(const char *name);
void	granted(uint64_t uid, const char *name, const char *display);
struct mc_conn *joe_is_in(void);
void	kicked(struct mc_conn *, Metacube__Reason);

/* The replica: a change has come. */
void	told(uint64_t number, enum replica_what, uint64_t uid,
	    const char *name);

#endif
