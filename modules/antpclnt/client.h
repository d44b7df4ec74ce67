/* SPDX-License-Identifier: MIT */
/*
 * client - a mirror's parts, shared by its files.
 *
 *	line.c		one connection: heads, bytes, deadlines
 *	course.c	what to ask next
 *	course_answer.c	what an answer means
 *	pieces.c	from the loop to the disk and back
 *	disk.c		the folder and the queue; the instance's thread
 *	disk_freeze.c	the freeze in it; likewise
 *	readers.c	service "wmq"
 *	files.c		services "wmqfile" and "freeze"
 *	state.c		service "mirror", and the command
 *	servers.c	which one to dial, and when
 *	antpclnt.c	settings, and those who wait
 *
 * All but disk.c and disk_freeze.c is the loop's; what the thread is given (struct
 * piece) is its own until it gives that back.
 */
#ifndef ANTPCLNT_CLIENT_H
#define ANTPCLNT_CLIENT_H

#include <metacube/conn.h>
#include <metacube/control.h>
#include <metacube/mirror.h>
#include <metacube/wmqfile.h>

#include "course.h"
#include "disk.h"

#include <sys/queue.h>

#define SERVERS_MAX	8
#define ANEWS_MAX	1000	/* is the limit of anew_max */
#define RENEWED_MS	5000	/* so long the server's last word counts */

struct conf {
	const char	*path, *server, *role;
	bool		 plain, mirror_freeze;
	int64_t		 wait_ms, answer_ms, freeze_ms, fallback_ms;
	int64_t		 anew_max;
};

TAILQ_HEAD(readers, reader);

/* Somebody who reads the queue. */
struct reader {
	TAILQ_ENTRY(reader)	 link;
	struct client		*client;
	struct mc_call		*call;
	struct wmq_pointer	 after;
	size_t			 max;
	uint64_t		 until_ms;	/* mc_now_ms */
};

/* Bytes on their way to the disk. */
enum piece_kind { PIECE_QUEUE, PIECE_FREEZE, PIECE_FREEZE_END };

struct piece {
	struct client	*client;
	enum piece_kind	 kind;
	char		 file[ANTP_FILE_SIZE];
	uint64_t	 offset;
	bool		 anew;
	struct readers	 readers;	/* who may be answered then */
	struct piece	*next;		/* written together */
	size_t		 len;
	uint8_t		 data[];
};

/* What became of a row of them. */
struct written {
	struct client	*client;
	struct piece	*pieces;
	struct readers	 readers;	/* who could not be answered */
	enum disk_result result;
	bool		 skipped;	/* after a failure: not written */
	char		 why[DISK_WHY];
	struct disk_state state;
};

/* A call that waits for something. */
struct waiter {
	TAILQ_ENTRY(waiter)	 link;
	struct client		*client;
	struct mc_call		*call;
	uint64_t		 until_ms;
	char			 file[WMQFILE_NAME_SIZE];	/* extent */
	uint64_t		 offset;
};
TAILQ_HEAD(waiters, waiter);

struct line;

struct client {
	struct mc_host		*host;
	const struct conf	*conf;
	struct disk		*disk;		/* the instance's thread */
	bool			 broken;	/* likewise: pieces are for
						 * nobody until it is mended */
	struct course		 course;
	struct disk_state	 here;		/* what is on it, as verified */

	struct antp_url		 servers[SERVERS_MAX];
	unsigned		 nservers, server;	/* in use */
	struct mc_link		*link;
	struct line		*line;		/* NULL: not connected */
	uint64_t		 dialled_ms;	/* or lost */
	struct mc_timer		*retry;		/* then dial again */
	unsigned		 retry_ms;
	uint64_t		 anews[ANEWS_MAX];	/* mc_now_ms */
	unsigned		 nanews;
	bool			 halted;	/* too many of them */
	bool			 full;		/* the disk: it was logged */

	uint64_t		 heard_ms;	/* UTC, last answer */
	struct wmq_pointer	 head;
	struct tcapw_position	 checkpoint;
	struct tcapw_position	 applied;	/* by the replica */
	uint64_t		 received;	/* bytes, since the start */
	bool			 level;		/* all is here */
	bool			 behind;	/* more may have been here */

	/* Requests have numbers, over all connections. */
	uint64_t		 asked;		/* the last one that was sent */
	uint64_t		 looked;	/* FIRST that was answered */
	uint64_t		 renewing, freshening;	/* later: awaited */
	uint64_t		 renewed_ms;	/* mc_now_ms; 0: not yet */
	uint64_t		 looked_ms;	/* likewise */

	struct freeze_header	 vouched;	/* answered to who renewed */
	uint64_t		 vouched_ms;	/* mc_now_ms; 0: none */
	bool			 distrusted;	/* that was fetched again */

	size_t			 pending;	/* bytes given to the thread */
	unsigned		 replacing;	/* pieces with anew */
	struct readers		 readers;	/* at the end */
	struct waiters		 positions, extents, renewals, fresh;
	struct mc_timer		*waits;		/* first deadline */
	uint64_t		 waits_ms;
	struct mc_timer		*tick;
	bool			 stopping;
};

/* servers.c */
enum mc_status servers_read(struct client *, const struct conf *);
void	client_dial(struct client *, unsigned ms);
void	client_hang_up(struct client *);
void	client_refused(struct client *, const char *why);
void	client_level(struct client *);
void	client_tick(void *client);

/* antpclnt.c */
void	client_wait(struct client *, unsigned ms);

/* line.c */
extern const struct mc_stream_ops line_ops;
void	line_drop(struct client *);
void	line_go_on(struct client *);
void	line_look(struct client *);
void	line_check(struct client *, uint64_t now_ms);

/* pieces.c */
void	piece_write(struct client *, enum piece_kind, const char *file,
	    uint64_t offset, bool anew, const void *, size_t);
void	piece_damaged(struct client *);		/* the instance's thread */

/* readers.c */
extern const struct wmq_ops reader_ops;
void	readers_wake(struct client *);
bool	reader_is_behind(const struct reader *, const struct disk_state *);
void	readers_answer(struct client *, struct readers *);
void	readers_pass(struct client *);

/* files.c */
extern const struct wmqfile_ops file_ops;
extern const struct freeze_ops freeze_ops;
void	files_wake(struct client *);
void	files_pass(struct client *);
void	freeze_looked(struct client *);

/* state.c */
extern const struct mirror_ops state_ops;
extern const struct mc_command state_commands[];
void	state_looked(struct client *);
void	state_lost(struct client *);

/* Calls that wait, in the order of asking. */
struct waiter *waiter_add(struct client *, struct waiters *, struct mc_call *,
	    unsigned wait_ms);
void	waiters_end(struct waiters *, enum mc_status, const void *result,
	    size_t len);

#endif
