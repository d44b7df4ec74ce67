/* SPDX-License-Identifier: MIT */
/*
 * metacube/taskmaster.h - which world server has, or gets, a map?
 * Service "taskmaster" 1.1.  The same interface is provided by the
 * taskmaster itself and by the module that reaches it over the network.
 */
#ifndef METACUBE_TASKMASTER_H
#define METACUBE_TASKMASTER_H

#include <metacube/call.h>
#include <metacube/name.h>

#define TASKMASTER_SERVICE	"taskmaster", 1, 1
#define TASKMASTER_PROVIDE(ops) \
	{ TASKMASTER_SERVICE, 1 ? (ops) : (const struct taskmaster_ops *)0 }
#define TASKMASTER_TIMEOUT_MS	30000	/* a map may have to be loaded first */
#define TASKMASTER_MAPS_MAX	256
#define TASKMASTER_PLAYERS_MAX	256
#define TASKMASTER_TICKET_MAX	512

struct taskmaster_request {
	uint64_t	uid;
	uint64_t	generation;		/* at the login: see tcapw.h */
	char		name[MC_NAME_SIZE];
	char		display[MC_NAME_SIZE];
	char		map[MC_KEY_SIZE];
};

struct taskmaster_place {
	uint64_t	epoch;			/* of the map, there */
	char		world[MC_KEY_SIZE];
	char		map[MC_KEY_SIZE];
	char		endpoint[128];		/* of the world, "host:port" */
	size_t		ticket_len;
	uint8_t		ticket[TASKMASTER_TICKET_MAX];	/* see ticket.h */
};

struct taskmaster_map {
	char		map[MC_KEY_SIZE];
	char		title[MC_KEY_SIZE];
	uint32_t	copies;		/* worlds that run it now */
	uint32_t	users;		/* on all copies */
};

/* Somebody who is on a world, or has a seat there. */
struct taskmaster_player {
	uint64_t	number;		/* in the order of their coming */
	uint64_t	uid;
	uint64_t	generation;	/* at the login; the oldest, if two */
	char		display[MC_NAME_SIZE];
};

struct taskmaster_players {
	uint64_t	doubt;		/* never 0 */
	size_t		count;
	struct taskmaster_player players[TASKMASTER_PLAYERS_MAX];
};

struct taskmaster_ops {
	/*
	 * Answers with a place where the map is loaded and where a seat is
	 * kept until the ticket expires.  MC_NOT_FOUND: no world has such a
	 * map; MC_BUSY: all that have it are full; MC_UNAVAILABLE: no world
	 * is there, or the one that was to load the map could not.
	 */
	void (*place)(void *state, const struct taskmaster_request *,
	    struct mc_call *);

	/* Answers with an array of at most TASKMASTER_MAPS_MAX maps, by key,
	 * after the one named ("": from the first on). */
	void (*maps)(void *state, const char *after, struct mc_call *);

	/* (1.1) Ends this user's sessions on every world, gives away the seat
	 * that is kept for them and voids their tickets; they are told the
	 * reason, a Metacube__Reason.  A world that is away does it when it
	 * comes back.  MC_OK also when they are nowhere; MC_DENIED: whoever
	 * asks may not. */
	void (*evict)(void *state, uint64_t uid, int reason,
	    struct mc_call *);

	/*
	 * (1.1) Answers with a taskmaster_players: those after the one with
	 * this number (0: from the first on), none is the end; UINT64_MAX
	 * asks for the doubt alone.  The doubt is another one than before
	 * when the taskmaster was started again, and when users have come of
	 * whom it cannot know whether they were evicted: whoever knows the
	 * accounts looks at all players again.  MC_DENIED: whoever asks may
	 * not.
	 */
	void (*players)(void *state, uint64_t after, struct mc_call *);
};

static inline void
taskmaster_place(const struct mc_ref *to, const struct taskmaster_request *req,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"taskmaster.place", TASKMASTER_TIMEOUT_MS, false
	};
	const struct taskmaster_ops *ops =
	    (const struct taskmaster_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->place(to->provider, req, call);
}

static inline void
taskmaster_maps(const struct mc_ref *to, const char *after,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"taskmaster.maps", TASKMASTER_TIMEOUT_MS, false
	};
	const struct taskmaster_ops *ops =
	    (const struct taskmaster_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->maps(to->provider, after, call);
}

static inline void
taskmaster_evict(const struct mc_ref *to, uint64_t uid, int reason,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"taskmaster.evict", TASKMASTER_TIMEOUT_MS, true
	};
	const struct taskmaster_ops *ops =
	    (const struct taskmaster_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->evict(to->provider, uid, reason, call);
}

static inline void
taskmaster_players(const struct mc_ref *to, uint64_t after,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"taskmaster.players", TASKMASTER_TIMEOUT_MS, false
	};
	const struct taskmaster_ops *ops =
	    (const struct taskmaster_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->players(to->provider, after, call);
}

#endif
