/* SPDX-License-Identifier: MIT */
/*
 * antpserv.h - what the files of this module know of each other.
 *
 *	antpserv.c	settings, life, what stands in Head: and Digest:
 *	session.c	one connection: requests and what is answered
 *	transfer.c	files: opened and read piece by piece
 *	replicas.c	who has acknowledged what: service and commands
 *	registry.c	the same as a text file
 *
 * All runs on the loop thread, but for what a job does with a file: that is
 * the instance's own.
 */
#ifndef ANTPSERV_H
#define ANTPSERV_H

#include <metacube/antp.h>
#include <metacube/conn.h>
#include <metacube/control.h>
#include <metacube/freeze.h>
#include <metacube/replica.h>
#include <metacube/wmqfile.h>

#include <sys/queue.h>
#include <sys/types.h>

struct conf {
	struct mc_listen_conf	 listen;
	const char		*roles, *dbfile, *state_file;
	bool			 plain;
};

/* A file that is served; one of the queue is shared by all who read it.  What
 * has been opened stays open until the last of them is done. */
struct file {
	LIST_ENTRY(file)	 link;
	bool			 listed;	/* others may have it, too */
	unsigned		 refs;
	int			 fd;		/* the jobs'; -1: not yet */
	dev_t			 dev;		/* the jobs': what was opened */
	ino_t			 ino;
	uint64_t		 size, seq;	/* of a freeze */
	char			 name[ANTP_FILE_SIZE];
	char			 path[WMQFILE_PATH_SIZE];
};

/* One replica that has acknowledged something, now or long ago. */
struct replica {
	LIST_ENTRY(replica)	 link;
	struct replicas_entry	 entry;
	struct wmq_pointer	 furthest;	/* that it ever acknowledged */
	unsigned		 sessions;
};

struct registry {
	struct mc_host		*host;
	const char		*path;
	LIST_HEAD(, replica)	 replicas;
	size_t			 count;
	struct mc_timer		*timer;		/* until it is written */
	bool			 changed, writing, failed;
	uint64_t		 written_ms;	/* steady: the last time */
	bool			 ending;	/* timers are too late */
};

TAILQ_HEAD(sessions, session);

struct antpserv {
	struct mc_host		*host;
	const struct conf	*conf;
	struct mc_ref		 wmqfile, wmq, freeze, tcapw;
	struct mc_listener	*listener;
	struct sessions		 sessions;
	LIST_HEAD(, file)	 files;
	struct registry		 registry;
	struct wmq_pointer	 head;		/* the last record */
	uint64_t		 head_ms, oldest;
	struct tcapw_position	 digest;	/* of our own store */
	uint64_t		 digest_ms;	/* when it was asked for */
	struct mc_call		*digest_call;
	bool			 stopping;
};

enum session_state {
	SESSION_LISTENING,	/* to the next request */
	SESSION_ASKING,		/* who knows the answer, or waiting for news */
	SESSION_SENDING,	/* bytes of a file */
	SESSION_OVER		/* closed by us */
};

struct job;

struct session {
	TAILQ_ENTRY(session)	 link;
	struct antpserv		*server;
	struct mc_conn		*conn;
	struct replica		*replica;	/* NULL: acknowledges nothing */
	enum session_state	 state;
	char			*part;		/* of a head, or NULL */
	size_t			 part_len;
	struct antp_request	 request;	/* the one being answered */
	struct mc_call		*call;
	struct mc_timer		*timer;

	/* transfer.c */
	struct file		*file;		/* served last, or NULL */
	struct job		*job;		/* under way, or NULL */
	uint64_t		 offset, left;	/* of it, not yet read */
	uint8_t			*ready;		/* read, not yet given */
	size_t			 ready_len;
	bool			 flying;	/* given, not yet drained */
};

/* antpserv.c */
void	 antpserv_heard(struct antpserv *, const struct wmq_position *);
void	 antpserv_fill(struct antpserv *, struct antp_response *);

/* session.c */
extern const struct mc_stream_ops session_ops;
void	 session_refuse(struct session *, enum antp_status, const char *, ...)
	    MC_PRINTF(3, 4);
void	 session_looked(struct session *, struct file *);
void	 session_sent(struct session *);	/* all is given away */
void	 session_stop(struct session *);

/* "world-1", or "plain:127.0.0.1" for one without a certificate. */
void	 session_name(const struct session *, char out[MC_KEY_SIZE]);

/* transfer.c */
void	 transfer_begin(struct session *, uint64_t offset, uint64_t len);
void	 transfer_go_on(struct session *);
void	 transfer_end(struct session *);	/* forgets everything */
struct file *file_of(struct antpserv *, const char *name, const char *path);
void	 file_use(struct session *, struct file *);
void	 file_unref(struct file **);

/* Opens the freeze at path and reads its header; session_looked is told, with
 * NULL when there is none. */
void	 freeze_look(struct session *, const char *path);

/* replicas.c */
extern const struct replicas_ops replicas_ops;
extern const struct mc_command replicas_commands[];

/* false: too many. */
bool	 replica_acknowledge(struct session *);
void	 replica_left(struct session *);
struct replica *replica_find(struct registry *, const char *name);
struct replica *replica_add(struct registry *, const char *name);

/* registry.c; stale: it is long since it was written. */
bool	 registry_stale(const struct registry *);
enum mc_status registry_load(struct registry *);
void	 registry_changed(struct registry *);
void	 registry_save(struct registry *);	/* now, if there is news */
void	 registry_end(struct registry *);	/* the last time */
void	 registry_free(struct registry *);

#endif
