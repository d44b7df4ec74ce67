/* SPDX-License-Identifier: MIT */
/*
 * antpclnt_rig - antpclnt on a stage, over real files, and a server of queue
 * files that the test holds in its hands: a real queue, a file that looks like
 * a freeze, and answers in pieces of any size.
 */
#ifndef TESTS_ANTPCLNT_RIG_H
#define TESTS_ANTPCLNT_RIG_H

#include "stage.h"

#include <metacube/antp.h>
#include <metacube/freeze.h>
#include <metacube/mirror.h>
#include <metacube/queue.h>
#include <metacube/wmqfile.h>

struct rig {
	struct queue	*queue;			/* the server's */
	struct mc_conn	*conn;			/* NULL: not connected */
	char		 freeze[64];		/* "": the server has none */
	uint8_t		*freeze_data;
	size_t		 freeze_size;
	size_t		 chunk;			/* bytes fed at once */
	uint64_t	 cut_after;		/* bytes, then the connection
						 * is lost; 0: never */
	uint64_t	 fed;
	bool		 no_head;		/* answers say nothing of it */
	uint64_t	 flip;			/* this byte of a queue file
						 * is wrong; 0: none */
	char		 folder[32];
	unsigned	 requests, firsts, waits, held_ms;
	struct antp_request last, held;		/* held.verb 0: none */
};

extern struct rig rig;

/* Where servers are looked for. */
#define RIG_SERVER	"antp://127.0.0.1:7746/"
#define RIG_SERVERS	RIG_SERVER ", antp://127.0.0.1:7747/"

void	rig_begin(void);		/* with a server of epoch 1 */

/* The server begins with a new, empty queue of this epoch, the mirror with
 * whatever lies in its folder. */
void	rig_server(uint8_t epoch);
void	rig_server_gone(void);
void	rig_append(unsigned records);
void	rig_freeze(uint64_t seq, size_t size);	/* from the queue's epoch */

void	rig_open(const char *server);
void	rig_set(const char *key, int64_t number);	/* for the next open */
void	rig_close(void);
void	rig_done(void);				/* and forget all */
void	rig_mirror_remove(void);		/* its files, when closed */

/* Connects; answers what is asked until the mirror waits for news, or the
 * connection is gone. */
void	rig_connect(void);
void	rig_serve(void);
void	rig_serve_one(void);			/* request */
void	rig_fetch(const char *server);	/* opens, connects, serves */
void	rig_pass(unsigned ms);			/* time, also its own */

/* Answers the request that is there in the test's own words. */
void	rig_answer(const char *head, const void *data, size_t len);

uint64_t rig_fetched(void);		/* as "wmq" has it; 0: it has none */
bool	rig_same_queue(void);		/* every byte is as the server's */
bool	rig_same_freeze(void);

struct rig_reply {
	struct mc_call	*call;
	bool		 answered;
	enum mc_status	 status;
	size_t		 len;
	uint8_t		 data[WMQ_BATCH_MAX];
};

void	rig_read(struct rig_reply *, uint8_t epoch, uint64_t after,
	    unsigned wait_ms);
void	rig_position(struct rig_reply *);
void	rig_obtain(struct rig_reply *, bool renew);
void	rig_state(struct rig_reply *, bool fresh);
void	rig_extent(struct rig_reply *, const char *name, uint64_t offset,
	    unsigned wait_ms);
void	rig_find(struct rig_reply *, uint64_t seq);
void	rig_prune(struct rig_reply *, uint64_t seq);
void	rig_append_to(struct rig_reply *);
void	rig_acknowledge(uint64_t seq);
void	rig_forget(struct rig_reply *);
uint64_t rig_last_seq(const struct rig_reply *);	/* of the batch */

/* The tests of the other files */
extern const struct cutap_test antpclnt_course_tests[];
extern const struct cutap_test antpclnt_disk_tests[];
extern const struct cutap_test antpclnt_fetch_tests[];
extern const struct cutap_test antpclnt_server_tests[];

#endif
