/* SPDX-License-Identifier: MIT */
/*
 * world - what the files of this module share.
 *
 *	world.c		descriptor, settings, life, commands
 *	link.c		the conversation with the taskmaster
 *	register.c	its first message
 *	question.c	what clients ask the taskmaster through it
 *	session.c	the conversation with one client
 *	arrive.c	how it begins
 *	change.c	changes of the player's own account
 *	copy.c		running maps: load, tick, unload
 *	avatar.c	who is on them
 *	view.c		who is told what
 *	stock.c map.c source.c terrain.c sim.c tickets.c rate.h
 *			know nothing of the others
 *
 * A world runs copies of maps; on a copy there are avatars; an avatar has a
 * session, or waits for one to come back.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include "map.h"
#include "rate.h"
#include "sim.h"
#include "stock.h"
#include "tickets.h"

#include <metacube/call.h>
#include <metacube/conn.h>
#include <metacube/name.h>

#define CHAINS		4096		/* a power of two */
#define SECRET_SIZE	32		/* of Resume */
#define ENDPOINT_SIZE	128

struct world_conf {
	struct mc_listen_conf	 listen;
	const char		*advertise, *name, *taskmaster, *maps;
	int64_t			 capacity, tick_ms, idle_unload_ms;
	int64_t			 resume_ms, load_base;
	int64_t			 max_messages, max_says;
	int64_t			 change_rate;	/* of one user, a minute */
};

struct world {
	struct mc_host		*host;
	const struct world_conf	*conf;
	char			 name[MC_KEY_SIZE];
	char			 endpoint[ENDPOINT_SIZE];
	struct stock		*stock;		/* by key */
	size_t			 stocks;
	struct mc_ref		 account;	/* optional */
	struct mc_listener	*listener;
	struct link		*link;
	struct tickets		*tickets;
	struct copy		*copies;
	struct session		*sessions;
	struct avatar		*by_uid[CHAINS], *by_session[CHAINS];
	size_t			 users;
	uint32_t		 last_id;	/* of avatars */
	struct mc_timer		*second;
	uint64_t		 busy_us;	/* in ticks, this second */
	uint64_t		 measured_us;
	double			 busy;		/* smoothed share */
	bool			 stopping;
};

enum copy_state {
	COPY_LOADING,
	COPY_RUNNING,
	COPY_UNLOADED		/* kept for tickets that are on their way */
};

struct copy {
	struct world		*world;
	struct copy		*next;
	char			 key[MC_KEY_SIZE];
	uint64_t		 epoch;
	enum copy_state		 state;
	uint32_t		 asked;		/* the Load to answer, or 0 */
	uint64_t		 asked_on;	/* the link it came on */
	size_t			 listed;	/* place in Register + 1 */
	struct map		*map;		/* RUNNING */
	struct avatar		**avatars;
	size_t			 count;
	size_t			 spawned;
	uint32_t		 tick;
	uint64_t		 due_ms;
	uint64_t		 tick_us;	/* smoothed */
	struct mc_timer		*timer;		/* of the tick */
	struct mc_timer		*idle;
	struct frame		*frame;		/* view.c */
};

struct avatar {
	struct copy		*copy;
	size_t			 place;		/* in the copy's avatars */
	struct session		*session;	/* NULL: it may come back */
	struct mc_timer		*lost;
	struct avatar		*next_uid, *next_session;
	uint64_t		 uid, generation, session_id;
	uint8_t			 secret[SECRET_SIZE];
	uint64_t		 announced;	/* on this link: link.c */
	uint8_t			 ticket[TICKET_ID_SIZE];
	uint32_t		 id;
	char			 name[MC_NAME_SIZE], display[MC_NAME_SIZE];
	struct body		 body;
	bool			 moved;
	struct rate		 says, changes;
};

struct session {
	struct world		*world;
	struct session		*next, **link;
	struct mc_conn		*conn;
	struct avatar		*avatar;	/* NULL: not entered (yet) */
	struct copy		*waits_for;	/* until it has loaded */
	struct ticket		*ticket;	/* held while it waits */
	uint32_t		 cid;		/* of the Enter that waits */
	struct question		*question;	/* asked for it: link.c */
	struct mc_call		*change;	/* of its account */
	uint32_t		 change_cid;
	bool			 deleting;	/* as the change asks */
	unsigned		 evicted;	/* when that is answered */
	bool			 behind;	/* missed updates */
	bool			 closing;
	struct rate		 messages;
};

/* world.c */
unsigned	 world_load(const struct world *);
uint64_t	 world_clock_us(void);		/* steady */

/* link.c */
struct link	*link_new(struct world *);
enum mc_status	 link_dial(struct link *);
void		 link_hangup(struct link *);
void		 link_free(struct link **);
void		 link_report(struct world *, unsigned load);
void		 link_loaded(struct copy *);
void		 link_not_loaded(struct copy *, const char *why);
/* false: not now, the taskmaster is just learning what runs here. */
bool		 link_unloaded(const struct copy *);
void		 link_arrived(struct avatar *);
void		 link_departed(const struct avatar *);

/* The answer comes as session_answered; false: no taskmaster is there. */
bool		 link_place(struct session *, uint32_t cid, const char *map);
bool		 link_maps(struct session *, uint32_t cid, const char *after);
void		 link_forget(struct session *);

/* session.c */
extern const struct mc_conn_ops session_ops;
void		 session_refuse(struct session *, uint32_t cid, unsigned reason,
		    const char *text);
/* The client does not keep to the protocol: ends it, avatar and all. */
void		 session_expel(struct session *, uint32_t cid, unsigned reason,
		    const char *text);
void		 session_kick(struct session *, unsigned reason,
		    const char *text);
void		 session_send(struct session *, uint32_t cid,
		    Metacube__Envelope *);
void		 session_close(struct session *);
void		 session_answered(struct session *, uint32_t cid,
		    const Metacube__Envelope *);

/* change.c */
void		 change_said(struct session *, uint32_t cid,
		    const Metacube__AccountRequest *);
/* Who has asked for the account's end is told first how that went: then the
 * session ends, for this reason. */
bool		 change_defers(struct session *, unsigned reason);

/* arrive.c */
void		 arrive_enter(struct session *, uint32_t cid,
		    const Metacube__Enter *);
void		 arrive_resume(struct session *, uint32_t cid,
		    const Metacube__Resume *);
/* Out, wherever on this world; tickets that expire until then are void. */
void		 world_evict(struct world *, uint64_t uid, unsigned reason,
		    const char *text, uint64_t void_ms);
void		 arrive_copy_loaded(struct session *, const char *why);

/* copy.c */
struct copy	*copy_find(struct world *, const char *key);
size_t		 copies_running(const struct world *);
struct copy	*copy_load(struct world *, const char *key, uint64_t epoch);
void		 copy_revive(struct copy *);
void		 copy_occupied(struct copy *);
void		 copy_emptied(struct copy *);
void		 copy_drop(struct copy **);

/* avatar.c */
struct avatar	*avatar_new(struct copy *, const struct ticket *,
		    struct session *);
void		 avatar_leave(struct avatar **, const char *why);
void		 avatar_free(struct avatar **);
void		 avatar_lose(struct avatar *);
/* With its session, if it has one; what its secret was good for is over. */
void		 avatar_kick(struct avatar *, unsigned reason,
		    const char *text);
struct avatar	*avatar_by_uid(struct world *, uint64_t uid);
struct avatar	*avatar_by_session(struct world *, uint64_t session,
		    const void *secret, size_t len);

/* view.c: who is told what.  Everybody on a copy sees everybody. */
struct frame	*frame_new(unsigned capacity);
void		 frame_free(struct frame **);
void		 view_entered(struct avatar *, uint32_t cid);
void		 view_appeared(const struct avatar *);
void		 view_vanished(const struct avatar *);
void		 view_said(const struct avatar *, const char *text,
		    unsigned range);
void		 view_updated(struct copy *);

#endif
