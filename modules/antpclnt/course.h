/* SPDX-License-Identifier: MIT */
/*
 * course - what to ask a server of queue files next, and what its answer
 * means.
 *
 *	FIRST --> freeze ---------------> header --> pieces --> complete
 *	  |         \                       |           ^
 *	  |          \ its end: NEWFILE     v           | in turn
 *	  +--> queue file --> GET ... --> EMPTY: level, GET with Wait
 *	          ^            |
 *	          +-- NEWFILE -+
 *
 * Nothing a server says is believed: names, order, offsets and lengths are
 * judged before a byte is taken.  What the bytes are worth is judged where
 * they are written (disk.h).
 *
 * Pure: no socket, no file, no clock.
 */
#ifndef ANTPCLNT_COURSE_H
#define ANTPCLNT_COURSE_H

#include <metacube/antp.h>
#include <metacube/freeze.h>

#define COURSE_WHY	256
#define COURSE_EAGER_S	1	/* a wait, when there is more to say soon */

struct course_conf {
	bool		mirror_freeze;
	unsigned	servers;	/* that may be asked instead */
	unsigned	wait_s;		/* of a long poll */
};

/* A file that is being fetched or was. */
struct course_file {
	char		name[ANTP_FILE_SIZE];	/* "": none */
	uint64_t	have;			/* bytes received */
	uint64_t	size;			/* freeze: 0: not known */
};

/* What follows the head of an answer, or is to be done. */
enum course_kind {
	COURSE_NOTHING,		/* no bytes: ask what course_next says */
	COURSE_QUEUE,		/* length bytes of the queue file */
	COURSE_FREEZE,		/* likewise, of the freeze */
	COURSE_HEADER,		/* its header: then course_header */
	COURSE_FAULT,		/* no server says such things: hang up */
	COURSE_REFUSED,		/* it does not go on from what is here */
	COURSE_FAILED		/* it cannot answer now */
};

struct course_step {
	enum course_kind kind;
	char		 file[ANTP_FILE_SIZE];
	uint64_t	 offset, length;
	bool		 anew;	/* QUEUE: replaces all that is here */
	char		 why[COURSE_WHY];
};

struct course {
	struct course_conf	conf;
	struct course_file	queue;		/* the last one */
	struct wmq_pointer	here;		/* last record here */
	bool			level;		/* the server had no more */
	bool			anew;		/* the next bytes replace all */
	unsigned		refused;	/* by servers in turn */

	struct course_file	freeze;		/* complete */
	struct course_file	wanted;		/* in transfer */
	struct course_file	entry;		/* FIRST's freeze, whose end
						 * names the queue file */
	uint8_t			header[FREEZE_HEADER_SIZE];	/* of wanted */
	bool			header_known;	/* header holds one */
	bool			header_fresh;	/* asked in this connection */
	uint64_t		piece;		/* bytes to ask for at once */
	bool			turn;		/* the freeze's */

	bool			look;		/* FIRST is due */
	bool			looked;		/* and was answered */
	bool			changed;	/* since it last waited */
	bool			eager;		/* more to acknowledge soon */
	struct antp_request	asked;
	bool			waiting;	/* for its answer */
	uint64_t		asked_ms;
	unsigned		hold_ms;	/* before the next request */
	unsigned		idle;		/* answers without bytes */
	uint64_t		idle_ms;	/* since then */
};

void	course_init(struct course *, const struct course_conf *);

/* What is on the disk: course_init's course goes on from there. */
void	course_queue(struct course *, const char *file, uint64_t end,
	    const struct wmq_pointer *here);
void	course_freeze(struct course *, const char *name, uint64_t size);
void	course_partial(struct course *, const char *name, uint64_t have,
	    const uint8_t header[FREEZE_HEADER_SIZE]);

/* A new connection. */
void	course_begin(struct course *);

/* The next request; false: one is waiting for its answer. */
bool	course_next(struct course *, uint64_t now_ms,
	    struct antp_request *request_r);

/* course_answer.c: the head of an answer. */
void	course_answer(struct course *, uint64_t now_ms,
	    const struct antp_response *, struct course_step *step_r);

/* So many bytes of QUEUE or FREEZE have come. */
void	course_bytes(struct course *, enum course_kind, uint64_t len);

/* The bytes of COURSE_HEADER.  COURSE_FREEZE: they are the first bytes of
 * the file; NOTHING; FAULT. */
void	course_header(struct course *, const uint8_t data[FREEZE_HEADER_SIZE],
	    struct course_step *step_r);

/* This server does not go on from what is here (what it sent does not fit):
 * another one is to be asked, or when there is none, true: from FIRST. */
bool	course_refuse(struct course *);

/* The wanted freeze is complete on the disk; it cannot be had. */
void	course_freeze_done(struct course *);
void	course_freeze_drop(struct course *);

#endif
