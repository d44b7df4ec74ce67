/* SPDX-License-Identifier: MIT */
/*
 * servpw - the replica, shared by its files.
 *
 *	servpw.c	settings, following, services
 *	resync.c	when and from what the store is loaded anew
 *	thaw.c		from the freeze into the store
 *	compare.c	with what the server says it holds
 *	commands.c	metacubectl replica ...
 *
 * All on the loop thread but the reading of the freeze.
 */
#ifndef SERVPW_H
#define SERVPW_H

#include <metacube/control.h>
#include <metacube/follow.h>
#include <metacube/freeze.h>
#include <metacube/host.h>
#include <metacube/mirror.h>
#include <metacube/replica.h>

#define RING_SIZE	4096	/* positions kept to compare with */
#define RESYNCS_MAX	1000	/* is the limit of resyncs_per_hour */
#define WHY_SIZE	640

struct conf {
	const char	*key_files;
	int64_t		 shrink_limit, resyncs_per_hour;
	int64_t		 freeze_wait_ms, compare_ms;
};

enum phase {
	PHASE_STARTING,		/* the store has not answered yet */
	PHASE_CATCHING_UP,
	PHASE_LEVEL,
	PHASE_FETCHING,		/* what a resync needs */
	PHASE_LOADING,
	PHASE_WAITING,		/* until a resync is tried again */
	PHASE_SHRUNK,		/* likewise: a freeze was too small */
	PHASE_STOPPED
};

/* Why a store is loaded anew. */
enum cause {
	CAUSE_EMPTY, CAUSE_GONE, CAUSE_EPOCH, CAUSE_AHEAD, CAUSE_RECORD,
	CAUSE_DIVERGED, CAUSE_ASKED
};

struct resync {
	bool			 active;	/* since its begin */
	bool			 forced, accept_shrink;
	enum cause		 cause;
	unsigned		 tries;		/* since it was calm */
	uint64_t		 begun_ms[RESYNCS_MAX];	/* a ring */
	size_t			 nbegun;
	struct tcapw_position	 store;		/* before it */
	struct wmq_position	 queue;
	bool			 server_known;	/* head is the server's word */
	struct wmq_pointer	 head;
	bool			 renewed;	/* obtain was asked to renew */
	uint64_t		 asked_ms;	/* first, for this freeze */
	char			 why[WHY_SIZE];	/* it was not done, last */
	struct thaw		*thaw;
	struct mc_query		*query;		/* who asked for it, or NULL */
	struct mc_call		*call;
	struct mc_timer		*timer;
};

struct verify {
	struct mc_query		*query;		/* NULL: nobody asks */
	struct tcapw_position	 wanted;	/* seq 0: not known yet */
	struct mc_call		*call;
	struct mc_timer		*timer;
};

struct servpw {
	struct mc_host		*host;
	const struct conf	*conf;
	struct mc_ref		 tcapw, wmq, freeze, mirror;
	struct pwq_board	*board;
	struct pwq_follow	*follow;
	enum phase		 phase;
	struct tcapw_position	 at;		/* of the store */
	uint64_t		 level_ms;	/* it was: mc_now_ms */
	struct mc_call		*call;		/* start's question */
	struct mc_timer		*again, *acknowledge, *calm;

	struct tcapw_position	*ring;		/* RING_SIZE */
	struct tcapw_position	 checkpoint;	/* still ahead, to compare */
	uint64_t		 equal_seq;	/* compared last, as equal */
	bool			 diverged;
	struct mirror_state	 said;		/* by the mirror, last */
	struct mc_call		*said_call;
	struct mc_timer		*said_timer;

	struct resync		 resync;
	struct verify		 verify;
	uint64_t		 resyncs;	/* completed */
	uint64_t		 error_ms;	/* UTC; 0: none */
	char			 error[WHY_SIZE];
};

/* servpw.c */
void	 follow_begin(struct servpw *);
void	 follow_end(struct servpw *);
void	 store_replaced(struct servpw *, const struct tcapw_position *);

/* Logs, counts and keeps the last error. */
void	 complain(struct servpw *, const char *, ...) MC_PRINTF(2, 3);

/* resync.c */
void	 resync_begin(struct servpw *, enum cause);
void	 resync_ask(struct servpw *, struct mc_query *);
void	 resync_accept_shrink(struct servpw *);
void	 resync_end(struct servpw *);		/* before fini */
size_t	 resyncs_lately(const struct servpw *);	/* within the last hour */

/* By thaw.c: MC_INVALID and what is wrong, or MC_OK to go on. */
enum mc_status resync_judge(struct servpw *, const struct freeze_header *,
	    char why[WHY_SIZE]);
void	 resync_loading(struct servpw *);
void	 resync_loaded(struct servpw *, const struct freeze_header *);
void	 resync_failed(struct servpw *, const char *why);

/* thaw.c: ends with resync_loaded or resync_failed, unless stopped. */
struct thaw *thaw_begin(struct servpw *, const char *path);
void	 thaw_stop(struct thaw **);

/* compare.c */
void	 ring_put(struct servpw *, const struct tcapw_position *);
void	 ring_clear(struct servpw *);
/* 1: as expected, 0: not, -1: not known. */
int	 ring_compare(const struct servpw *, const struct tcapw_position *);
void	 compare_begin(struct servpw *);
void	 compare_reached(struct servpw *);	/* the store has gone on */
void	 position_format(const struct tcapw_position *, char *, size_t);

/* commands.c */
extern const struct mc_command commands[];
void	 verify_reached(struct servpw *);
void	 verify_end(struct servpw *, enum mc_status, const char *);

#endif
