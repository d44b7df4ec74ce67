/* SPDX-License-Identifier: MIT */
/*
 * taskmaster_rig - a taskmaster on a stage, worlds that register with it, and
 * those who ask it for a place.
 */
#ifndef TESTS_TASKMASTER_RIG_H
#define TESTS_TASKMASTER_RIG_H

#include "cutap.h"
#include "stage.h"
#include "../../modules/taskmaster/taskmaster.h"

extern struct conf conf;
extern struct taskmaster *taskmaster;
extern char island[];		/* newbie-island, which every world has */

void	open_taskmaster(void);
void	close_taskmaster(void);	/* and nothing is left behind */

/* A world: what it registers with. */
struct terms {
	Metacube__Register message;
	char	*maps[2], *running[2], *displays[2];
	uint32_t capacities[2], player_maps[2];
	uint64_t epochs[2], players[2], generations[2];
};

void	terms_fill(struct terms *, const char *name);

/* It ran that map already, with this one on it. */
void	terms_run(struct terms *, uint64_t epoch, uint64_t uid);
struct mc_conn *world_say(struct terms *);	/* registers */
struct mc_conn *world_up(const char *name, struct ticket_key *key_r);
struct ticket_key key_heard(struct mc_conn *);
struct world *world(const char *name);		/* as the taskmaster has it */
struct mc_conn *gateway_up(void);

/* A question of our own: how the module next door asks. */
struct question {
	struct mc_call	*call;
	bool		 answered;
	enum mc_status	 status;
	struct taskmaster_place place;
};

void	ask(struct question *, uint64_t uid, const char *map);
#define GENERATION_OF(uid)	(100 + (uid))	/* asked for with */
struct taskmaster_players players_ask(uint64_t after);
void	evict_ask(struct question *, uint64_t uid, Metacube__Reason);
struct ticket ticket_of(const struct question *, const struct ticket_key *);

/* The next LOAD; answered at once, refused. */
uint64_t load_heard(struct mc_conn *, uint32_t *cid_r);
void	loaded_say(struct mc_conn *, uint32_t cid, uint64_t epoch);
uint64_t load_do(struct mc_conn *);
void	load_refuse(struct mc_conn *);

/* The one that has something to hear, when only one has. */
struct mc_conn *first_of_two(struct mc_conn *, struct mc_conn *);

/* The world tells that a user has come; ticket may be NULL. */
void	arrive(struct mc_conn *, uint64_t uid, uint64_t epoch,
	    const struct ticket *);

/* The tests of the other files */
extern const struct cutap_test taskmaster_world_tests[];
extern const struct cutap_test taskmaster_evict_tests[];

#endif
