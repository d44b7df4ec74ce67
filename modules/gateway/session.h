/* SPDX-License-Identifier: MIT */
/*
 * session - one client on the gateway, from its first message to its Reroute;
 * and what the files of this module share.
 *
 *	session.c	the conversation
 *	question.c	what a client asks once it is known
 *	change.c	changes of the client's own account
 *	news.c		accounts that have changed: their sessions end
 *	review.c	who is on worlds, when news may have been missed
 */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include <metacube/account.h>
#include <metacube/auth.h>
#include <metacube/conn.h>
#include <metacube/replica.h>
#include <metacube/taskmaster.h>

struct conf {
	struct mc_listen_conf	 listen;
	int64_t			 log_rate;	/* refusals, lines a second */
	int64_t			 question_rate;	/* of one client, a second */
	int64_t			 change_rate;	/* of one client, a minute */
};

#define RETRY_MS	1000	/* when nobody knows better */

struct news;
struct review;

struct gateway {
	struct mc_host		*host;
	const struct conf	*conf;
	struct mc_listener	*listener;
	struct mc_ref		 auth;
	struct mc_ref		 taskmaster;
	struct mc_ref		 account;	/* optional, as are */
	struct mc_ref		 replica;
	struct mc_ref		 tcapw;
	struct news		*news;
	struct review		*review;
	struct session		*sessions;
	uint64_t		 log_second;	/* refusals logged in it */
	int64_t			 log_lines, log_left_out;
};

enum stage {
	NEW,		/* nothing said yet */
	VERIFYING,	/* auth is being asked */
	KNOWN,		/* logged in, free to ask */
	ASKING,		/* the taskmaster or the account server is asked */
	CLOSING
};

struct session {
	struct gateway	*gateway;
	struct mc_conn	*conn;
	struct session	*prev, *next;
	enum stage	 stage;
	struct mc_call	*call;		/* the question being asked */
	uint32_t	 cid;		/* of the client's question */
	uint64_t	 exchange;	/* auth lets us wait */
	uint64_t	 began_ms;
	uint64_t	 uid;		/* once it is known, as is: */
	uint64_t	 generation;
	uint64_t	 second;	/* questions asked in it */
	int64_t		 questions;
	uint64_t	 minute;	/* changes asked for in it */
	int64_t		 changes;
	bool		 stale;		/* changed while auth was asked */
	bool		 deleting;	/* its account, as it has asked */
	Metacube__Reason end;		/* once that is answered; or 0 */
	char		 name[MC_NAME_SIZE];
	char		 display[MC_NAME_SIZE];
	char		 map[MC_KEY_SIZE];	/* "": not said yet */
};

extern const struct mc_conn_ops session_ops;

void	 session_send(struct session *, Metacube__Envelope *);
void	 session_refuse(struct session *, Metacube__Reason, const char *text,
	    uint32_t retry_ms);
/* As a BAD_REQUEST, and closes. */
void	 session_turn_away_bad(struct session *, const char *text);
/* Where it is to go; false: that is no map. */
bool	 session_map(struct session *, const char *map);
void	 session_place(struct session *);	/* asks the taskmaster */
/* Who has logged in has to go. */
void	 session_kick(struct session *, Metacube__Reason);

/* This account is another one now; uid 0: perhaps all of them. */
void	 sessions_cut(struct gateway *, uint64_t uid, const char *name,
	    Metacube__Reason);

/* Tells everybody that the server stops, and closes. */
void	 sessions_stop(struct gateway *);

/* question.c */
void	 question_said(struct session *, const Metacube__Envelope *);

/* change.c */
void	 change_said(struct session *, const Metacube__AccountRequest *);

/* news.c */
void	 news_start(struct gateway *);
void	 news_stop(struct gateway *);
/* From all worlds; the taskmaster is asked until it has answered. */
void	 news_evict(struct gateway *, uint64_t uid, Metacube__Reason);
size_t	 news_waiting(const struct gateway *);	/* for that answer */

/* review.c: of all who are on worlds, or on their way; begins once the news are
 * being followed. */
void	 review_start(struct gateway *);
void	 review_stop(struct gateway *);
/* The store is another one. */
void	 review_again(struct gateway *);

#endif
