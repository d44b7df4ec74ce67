/* SPDX-License-Identifier: MIT */
/*
 * taskmaster - what its files share.
 *
 *	links.c		the links, and the messages to worlds
 *	worlds.c	what worlds and gateways say
 *	register.c	what a world says first
 *	requests.c	place: choose, wait for one LOAD, seal the ticket
 *	players.c	who is where, and who has a seat there
 *	evict.c		who has to go from everywhere
 *	placement.c	the choice itself
 */
#ifndef TASKMASTER_TASKMASTER_H
#define TASKMASTER_TASKMASTER_H

#include "placement.h"

#include <metacube/conn.h>
#include <metacube/control.h>
#include <metacube/host.h>
#include <metacube/taskmaster.h>
#include <metacube/ticket.h>

#include <sys/queue.h>

struct conf {
	struct mc_listen_conf listen;
	int64_t		 policy, overload;
	int64_t		 ticket_ms, seat_slack_ms;
	int64_t		 load_ms, silent_ms, rotation_ms;
	int64_t		 max_waiting;
};

/* evict.c: what worlds that are away have yet to be told. */
struct evictions {
	STAILQ_HEAD(, eviction)	 list;		/* the oldest first */
	STAILQ_HEAD(, absence)	 absences;
	size_t			 count, absent;
};

struct taskmaster {
	struct mc_host	*host;
	const struct conf *conf;
	struct mc_listener *listener;
	struct placement placement;
	struct link	*links;
	struct table	 players;		/* by uid */
	TAILQ_HEAD(players_in_order, player) in_order; /* by number */
	const struct player *listed;		/* the last one; NULL: gone */
	uint64_t	 last_number;
	uint64_t	 doubt;			/* see metacube/taskmaster.h */
	struct player	*seats, *seats_last;	/* the next to expire first */
	struct mc_timer	*seat_timer, *silence_timer;
	struct evictions evictions;
	size_t		 waiting;		/* requests */
	uint64_t	 started_ms, last_epoch;
	uint32_t	 last_cid;
	bool		 stopping;
};

/* links.c: one connection, a world's or a gateway's. */
struct link {
	struct taskmaster *taskmaster;
	struct mc_conn	*conn;
	struct link	*prev, *next;
	struct world	*world;		/* once it has registered */
	struct ticket_key key;
	uint64_t	 heard_ms, keyed_ms;
	struct request	*requests;	/* that it waits for */
	bool		 closing;
};

extern const struct mc_conn_ops link_ops;

void	 link_send(struct link *, uint32_t cid, Metacube__Envelope *);
void	 link_close(struct link *);	/* its world is lost at once */
void	 link_turn_away(struct link *, uint32_t cid, Metacube__Reason,
	    const char *text);
void	 link_turn_away_bad(struct link *, uint32_t cid, const char *text);
void	 link_key(struct link *);	/* a new ticket key for its world */
void	 link_load(struct link *, const struct copy *, uint32_t cid);
void	 link_kick(struct link *, uint64_t uid, const struct copy *,
	    Metacube__Reason);
/* From all of the world; its tickets that expire until then are void. */
void	 link_evict(struct link *, uint64_t uid, Metacube__Reason,
	    uint64_t void_ms);
/* Who must not be there: nobody knows the copy, or the
 * world is full. */
void	 link_send_back(struct link *, uint64_t uid, const char *map,
	    uint64_t epoch);
void	 link_placed(struct link *, uint32_t cid,
	    const struct taskmaster_place *);
void	 link_refused(struct link *, uint32_t cid, enum mc_status);
void	 links_watch(struct taskmaster *);
void	 links_stop(struct taskmaster *);

/* worlds.c: what has come on it */
void	 link_heard(void *owner, const Metacube__Envelope *);

/* register.c */
#define LOAD_MAX	1000000
#define EPOCH_SHIFT	16	/* milliseconds above, a count below */

void	 register_said(struct link *, uint32_t cid,
	    const Metacube__Register *);
/* An epoch belongs to one copy and is not of the future, whatever a world
 * says. */
bool	 epoch_wrong(const struct map *, uint64_t epoch);

/* Who is on a copy, who is expected, and who waits until it is loaded: what
 * copy->owner is. */
struct crowd {
	struct taskmaster *taskmaster;
	struct copy	*copy;
	struct player	*present, *expected;
	struct request	*waiting, *waiting_last;
	struct mc_timer	*timer;		/* the load takes too long */
	uint64_t	 asked_ms;
	uint32_t	 cid;		/* of the Load */
	bool		 loaded;
};

/* players.c */
struct player {
	struct taskmaster *taskmaster;
	struct table_node by_uid;
	TAILQ_ENTRY(player) in_order;
	uint64_t	 number, uid, since_ms;
	uint64_t	 generation, seat_generation;
	char		 display[MC_NAME_SIZE];
	struct crowd	*present;	/* is there */
	struct player	*present_prev, *present_next;
	struct crowd	*expected;	/* has a seat there */
	struct player	*expected_prev, *expected_next;
	struct player	*seat_prev, *seat_next;
	uint64_t	 expires_ms;	/* the seat */
	uint8_t		 ticket[TICKET_ID_SIZE];
};

struct crowd *crowd_new(struct taskmaster *, struct copy *);
void	 crowd_free(struct crowd **);	/* with its copy; nobody waits */

/* The seat is counted already; it is this user's until it expires. */
void	 seat_keep(struct crowd *, const struct taskmaster_request *,
	    const uint8_t ticket[TICKET_ID_SIZE], int64_t life_ms);

/* The newest place of a user counts: who is elsewhere is kicked there.
 * generation is what the world says; it counts when nobody here knows. */
void	 player_arrived(struct crowd *, uint64_t uid, const char *display,
	    uint64_t generation, const uint8_t *ticket, size_t ticket_len);
/* Came back with their world, known nowhere else. */
void	 player_returned(struct crowd *, uint64_t uid, const char *display,
	    uint64_t generation);
void	 player_departed(struct crowd *, uint64_t uid);
struct player *player_find(const struct taskmaster *, uint64_t uid);
/* Nowhere any more, and no seat; what worlds have to be told is told. */
void	 player_evict(struct taskmaster *, uint64_t uid);
/* The same, if that is where they are. */
void	 player_gone_from(struct taskmaster *, uint64_t uid,
	    const struct world *);
void	 players_list(struct taskmaster *, uint64_t after,
	    struct taskmaster_players *);
/* Some may have to go, and nobody here knows. */
void	 players_doubt(struct taskmaster *);
void	 players_init(struct taskmaster *);
void	 players_free(struct taskmaster *);

/* requests.c */
struct request {
	struct taskmaster *taskmaster;
	struct request	*prev, *next;		/* in its crowd */
	struct request	*link_prev, *link_next;
	struct crowd	*crowd;
	struct mc_call	*call;			/* who asks: this one, */
	struct link	*link;			/* or this one, with cid */
	uint32_t	 cid;
	bool		 retried;
	uint64_t	 number;		/* mc_request */
	struct taskmaster_request what;
};

/* Exactly one answer, to call or link. */
void	 place(struct taskmaster *, const struct taskmaster_request *,
	    struct mc_call *, struct link *, uint32_t cid);
void	 requests_forget(struct link *);	/* nobody is there to answer */
void	 requests_evict(struct taskmaster *, uint64_t uid);

void	 crowd_loaded(struct crowd *);
void	 crowd_failed(struct crowd *, const char *why);
uint64_t epoch_next(struct taskmaster *);

/* All copies of the world, its users and seats, and the world. */
void	 world_lost(struct taskmaster *, struct world *);

/* The maps after this one: at most TASKMASTER_MAPS_MAX. */
size_t	 maps_list(struct taskmaster *, const char *after,
	    struct taskmaster_map maps_r[TASKMASTER_MAPS_MAX]);

/* evict.c */
void	 evictions_init(struct evictions *);
void	 evictions_free(struct evictions *);
void	 evict(struct taskmaster *, uint64_t uid, Metacube__Reason,
	    const char *by);
/* Its world goes; its world has registered, and is told what it missed. */
void	 evictions_absent(struct taskmaster *, const struct link *);
void	 evictions_tell(struct taskmaster *, struct link *);

/* Was this user there when that world went? */
bool	 evictions_missed(const struct taskmaster *, const char *world,
	    uint64_t uid);

/* commands.c */
extern const struct mc_command taskmaster_commands[];

#endif
