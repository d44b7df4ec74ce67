/* SPDX-License-Identifier: MIT */
/*
 * link - what the files share that talk with the taskmaster: link.c,
 * register.c and question.c.
 */
#ifndef WORLD_LINK_H
#define WORLD_LINK_H

#include "world.h"

/* What a client has asked the taskmaster. */
struct question {
	struct question	*next;
	struct link	*link;
	struct session	*session;
	struct mc_timer	*timer;
	uint32_t	 cid;		/* on the link */
	uint32_t	 client_cid;
};

/* Who left between Register and Registered. */
struct departure {
	struct departure	*next;
	uint64_t		 uid;
	char			 map[MC_KEY_SIZE];
};

struct link {
	struct world		*world;
	struct mc_link		*dial;
	struct mc_conn		*conn;		/* NULL: down */
	uint64_t		 number;	/* of this connection */
	bool			 registered;
	uint32_t		 last_cid;
	uint32_t		 register_cid;
	struct question		*questions;
	struct departure	*departures;
};

/* link.c */
bool		 link_up(const struct link *);	/* and registered */
uint32_t	 link_cid(struct link *);	/* a new one */

/* register.c: sends all that this world has and runs. */
void		 register_send(struct link *);

/* question.c */
void		 question_placed(struct link *, uint32_t cid,
		    const Metacube__Placed *);
bool		 question_answered(struct link *, uint32_t cid,
		    const Metacube__Envelope *);	/* was it asked? */
void		 questions_fail(struct link *);

#endif
