/* SPDX-License-Identifier: MIT */
/*
 * metacube/replica.h - the replica of this server, and the replicas of this
 * account server.  Services "replica" 1.0 and "replicas" 1.0.
 *
 * "replica" is provided by servpw, and by acctserv for its own store, both
 * over a board (below); "replicas" by whoever serves them (antpserv).
 */
#ifndef METACUBE_REPLICA_H
#define METACUBE_REPLICA_H

#include <metacube/call.h>
#include <metacube/follow.h>
#include <metacube/tcapw.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REPLICA_SERVICE		"replica", 1, 0
#define REPLICA_PROVIDE(ops) \
	{ REPLICA_SERVICE, 1 ? (ops) : (const struct replica_ops *)0 }
#define REPLICAS_SERVICE	"replicas", 1, 0
#define REPLICAS_PROVIDE(ops) \
	{ REPLICAS_SERVICE, 1 ? (ops) : (const struct replicas_ops *)0 }
#define REPLICA_TIMEOUT_MS	10000
#define REPLICA_NEWS_MAX	256
#define REPLICAS_MAX		1024

/* Something that concerns open sessions. */
enum replica_what {
	REPLICA_PASSWORD = 1,	/* another password: the old one is void */
	REPLICA_LOCKED,
	REPLICA_DELETED,
	REPLICA_ANYTHING	/* the whole store was replaced: look again */
};

struct replica_news {
	uint64_t		number;	/* of this piece of news, from 2 on */
	enum replica_what	what;
	uint64_t		uid;
	char			name[MC_NAME_SIZE];
};

struct replica_ops {
	/* Answers when the store holds the change, or with MC_TIMEOUT (by the
	 * host); MC_INVALID: of another epoch. */
	void (*reached)(void *state, const struct wmq_pointer *,
	    struct mc_call *);

	/* Answers with an array of up to REPLICA_NEWS_MAX news after the one
	 * with this number, with none after wait_ms.  0: answers at once, with
	 * one piece of news that has nothing but the latest number, 1 as long
	 * as there was none.  Whoever asks too late gets one
	 * REPLICA_ANYTHING, with the latest number. */
	void (*news)(void *state, uint64_t after, unsigned wait_ms,
	    struct mc_call *);
};

/* One replica of this server. */
struct replicas_entry {
	char			name[MC_KEY_SIZE];	/* in its certificate */
	bool			connected;
	bool			resync;		/* given up: must load anew */
	uint64_t		seen_ms;	/* UTC, last request */
	uint64_t		progress_ms;	/* UTC, when it last came further, or
						 * was level with the queue */
	struct tcapw_position	acknowledged;
};

struct replicas_ops {
	/* Answers with an array of all that are registered: every replica
	 * that was ever here and was not forgotten.  Who makes no progress
	 * keeps what it needs from being deleted; for how long is for who
	 * deletes to say, connected or not. */
	void (*list)(void *state, struct mc_call *);

	/* No longer waited for, until it makes progress and the queue still
	 * has what it needs: it will have to load a freeze.  MC_NOT_FOUND */
	void (*give_up)(void *state, const char *name, struct mc_call *);
};

static inline void
replica_reached(const struct mc_ref *to, const struct wmq_pointer *pointer,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"replica.reached", REPLICA_TIMEOUT_MS, false
	};
	const struct replica_ops *ops = (const struct replica_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->reached(to->provider, pointer, call);
}

static inline void
replica_news(const struct mc_ref *to, uint64_t after, unsigned wait_ms,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"replica.news", WMQ_WAIT_MAX_MS + REPLICA_TIMEOUT_MS, false
	};
	const struct replica_ops *ops = (const struct replica_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->news(to->provider, after, wait_ms, call);
}

static inline void
replicas_list(const struct mc_ref *to, struct mc_call **slot,
    mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"replicas.list", REPLICA_TIMEOUT_MS, false
	};
	const struct replicas_ops *ops = (const struct replicas_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->list(to->provider, call);
}

static inline void
replicas_give_up(const struct mc_ref *to, const char *name,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"replicas.give_up", REPLICA_TIMEOUT_MS, true
	};
	const struct replicas_ops *ops = (const struct replicas_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->give_up(to->provider, name, call);
}

/*
 * The board: what every provider of "replica" does (servpw, acctserv) - it
 * keeps the latest news and those who wait.  The provider says what its store
 * has come to; reached and news answer for it.  A change is news when it
 * locks, deletes, or sets another password, unless it was asked for with
 * keep_sessions.
 *
 * Loop thread only.
 */
struct pwq_board;

struct pwq_board *pwq_board_new(struct mc_host *);

/* Before fini: whoever waits, and who asks from now on, is told that it is
 * unavailable; in fini: freed. */
void		 pwq_board_close(struct pwq_board *);
void		 pwq_board_free(struct pwq_board **);

/* The store is there now.  applied as the follower says it; replaced: by a
 * whole other database; found: as it was found. */
void		 pwq_board_applied(struct pwq_board *,
		    const struct pwq_applied *);
void		 pwq_board_replaced(struct pwq_board *,
		    const struct wmq_pointer *);
void		 pwq_board_found(struct pwq_board *,
		    const struct wmq_pointer *);

void		 pwq_board_reached(struct pwq_board *,
		    const struct wmq_pointer *, struct mc_call *);
void		 pwq_board_news(struct pwq_board *, uint64_t after,
		    unsigned wait_ms, struct mc_call *);

#ifdef __cplusplus
}
#endif
#endif
