/* SPDX-License-Identifier: MIT */
/*
 * client_rig - a user of libmetacube-client who writes down what happens to
 * him, and what a counterpart's scenes are made of.
 */
#ifndef TESTS_CLIENT_RIG_H
#define TESTS_CLIENT_RIG_H

#include "counterpart.h"
#include "cutap.h"

#include <metacube/client.h>

#define PATIENCE_MS	15000

/* The client's side */

/* What has happened, in words: "queued 3; logged_in Joe; " */
struct witness {
	struct metacube_client	*client;
	char			 story[4096];
	enum metacube_error	 error;
	enum metacube_reason	 reason;
	char			 why[512];
};

extern const struct metacube_options usual;

void	begin(struct witness *, const char *gateway,
	    const struct metacube_options *);
void	login(struct witness *, const char *map);
void	login_to_the_end(struct witness *, const char *map);

/* Until the story has come so far. */
void	until(struct witness *, const char *words);

/* A login at this counterpart fails like this, and the sentence names it. */
void	fails(struct counterpart *, enum metacube_error, const char *words,
	    const struct metacube_options *);

/* The server's side */

#define SAY(self, with_cid, MESSAGE, member, ...) do { \
	Metacube__Envelope say_ = METACUBE__ENVELOPE__INIT; \
	say_.cid = with_cid; \
	say_.message_case = METACUBE__ENVELOPE__MESSAGE_##MESSAGE; \
	say_.member = &(__VA_ARGS__); \
	counterpart_say(self, &say_); \
} while (0)

extern uint32_t heard_cid;
extern Metacube__Envelope *heard;

/* The next message is of this kind; it and its cid are kept. */
bool	hear(struct counterpart *, Metacube__Envelope__MessageCase);
void	forget(void);

/* Whatever comes, until the client goes. */
void	hear_the_end(struct counterpart *);
void	silence(struct counterpart *);
void	hang_up(struct counterpart *);

/* The tests of the other files */
extern const struct cutap_test client_failure_tests[], client_world_tests[],
	    client_account_tests[];

#endif
