/* SPDX-License-Identifier: MIT */
/*
 * world_rig - a world on a stage, its taskmaster, and clients with tickets.
 */
#ifndef TESTS_WORLD_RIG_H
#define TESTS_WORLD_RIG_H

#include "cutap.h"
#include "stage.h"
#include "../../modules/world/world.h"

#include <metacube/account.h>
#include <metacube/ticket.h>

extern struct world_conf conf;
extern struct world *world;
extern struct mc_conn *master;		/* the taskmaster's end of the link */
extern const struct ticket_key key;

/* A world that is registered and has newbie-island loaded, as epoch 5. */
void	begin(void);
void	begin_with(const struct account_ops *);
void	end(void);

/* The taskmaster is there: registers, gives a key. */
void	master_up(uint64_t *epochs, size_t count);
void	master_load(const char *map, uint64_t epoch);

struct ticket ticket_of(uint64_t uid, const char *display, const char *map,
	    uint64_t epoch);
struct mc_conn *show(const struct ticket *, const struct ticket_key *);

/* Enters; session, avatar and secret are in what is heard. */
struct mc_conn *come(uint64_t uid, const char *display);
void	move_to(struct mc_conn *, int32_t x, int32_t y);

/* The reason of the refusal; 0: there is none. */
unsigned refused(struct mc_conn *);

/* Refused for this reason, and the connection ends. */
void	turned_away(struct mc_conn *, unsigned reason);

/* The tests of the other files */
extern const struct cutap_test world_master_tests[], world_change_tests[];

#endif
