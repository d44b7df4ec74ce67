/* SPDX-License-Identifier: MIT */
/*
 * taskmaster_remote - what its files share: taskmaster_remote.c has the link,
 * and who waits for what; wire.c has the messages.
 */
#ifndef TASKMASTER_REMOTE_H
#define TASKMASTER_REMOTE_H

#include <metacube/conn.h>
#include <metacube/taskmaster.h>

#define BUCKETS	1024

struct conf {
	const char	*connect;
	int64_t		 connect_wait_ms, max_pending;
};

enum kind { PLACE, MAPS, EVICT, PLAYERS };

struct question {
	struct question	*chain;			/* same bucket */
	struct question	*older, *newer;
	enum kind	 kind;
	uint32_t	 cid;
	bool		 sent;
	uint64_t	 deadline_ms;
	struct mc_call	*call;
	union {
		struct taskmaster_request place;
		char	after[MC_KEY_SIZE];
		struct {
			uint64_t	uid;
			int		reason;
		} evict;
		uint64_t players_after;
	} what;
};

struct remote {
	struct mc_host	*host;
	const struct conf *conf;
	struct mc_link	*link;
	struct mc_conn	*conn;			/* NULL: not connected */
	struct question	*buckets[BUCKETS];
	struct question	*oldest, *newest;
	size_t		 pending;
	uint32_t	 cid;
	uint64_t	 started_ms;
	struct mc_timer	*sweep;
	bool		 met;			/* was connected once */
};

/* Answers its call, and frees it. */
void	 question_end(struct remote *, struct question *, enum mc_status,
	    const void *result, size_t len);

/* wire.c: answered ends it. */
void	 question_send(struct remote *, struct question *);
void	 question_answered(struct remote *, struct question *,
	    const Metacube__Envelope *);

#endif
