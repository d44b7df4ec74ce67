/* SPDX-License-Identifier: MIT */
/*
 * conversation - one client: where it is, and what it waits for.
 *
 * Private to client/.  client.c opens, waits and closes; dial.c dials, and
 * again; talk.c says things and hear.c knows what the answers mean; account.c
 * asks for changes of the account.
 */
#ifndef CLIENT_CONVERSATION_H
#define CLIENT_CONVERSATION_H

#include "endpoint.h"
#include "fault.h"
#include "seen.h"
#include "stream.h"
#include "trust.h"

#include <metacube/client.h>
#include <metacube/name.h>
#include <metacube/proto/envelope.pb-c.h>

#define TICKET_MAX	1024
#define SECRET_MAX	64
#define TEXT_MAX	1024

/* What is said first on a connection. */
enum hello { HELLO_LOGIN, HELLO_ENTER, HELLO_RESUME };

/* Where a connection goes: the endpoints are tried in order. */
struct route {
	struct endpoint	 endpoints[ENDPOINTS_MAX];
	int		 count, next;
	enum hello	 hello;
	const char	*role;
	char		 world[METACUBE_KEY_SIZE];	/* "" for a gateway */
	char		 map[METACUBE_KEY_SIZE];
};

struct metacube_client {
	struct metacube_options	 options;
	struct metacube_events	 events;
	struct trust		 trust;
	struct fault		 fault;		/* the last one */

	enum metacube_state	 state;
	struct route		 route;
	struct stream		*stream;	/* NULL: none */
	bool			 greeted;	/* hello has been said on it */
	bool			 entered;	/* the session exists */

	char			 name[MC_NAME_SIZE];
	uint8_t			 proof[METACUBE_PROOF_SIZE];
	size_t			 ticket_len;
	uint8_t			 ticket[TICKET_MAX];
	uint64_t		 session;
	size_t			 secret_len;
	uint8_t			 secret[SECRET_MAX];

	uint32_t		 cid;		/* the last one */
	uint32_t		 asked;		/* not answered; or 0 */
	uint64_t		 answer_by;	/* UINT64_MAX: no hurry */
	uint64_t		 sent_ms, heard_ms;
	bool			 pinged;	/* since heard_ms */
	uint64_t		 redial_at;	/* DROPPED without a stream */
	uint64_t		 resume_until;
	unsigned		 attempts;	/* to come back */

	struct metacube_place	 place;
	struct seen		 seen;
};

#define ENVELOPE(MESSAGE, member, value) { \
	PROTOBUF_C_MESSAGE_INIT(&metacube__envelope__descriptor), \
	.message_case = METACUBE__ENVELOPE__MESSAGE_##MESSAGE, \
	.member = value }

#define TELL(client, event, ...) do { \
	if ((client)->events.event != NULL) \
		(client)->events.event((client)->events.owner, \
		    ##__VA_ARGS__); \
} while (0)

/* client.c */
void	client_idle(struct metacube_client *);

/* dial.c: how a conversation goes on. */

/* To the route's next endpoint; -1: client's fault says why it cannot. */
int	client_dial(struct metacube_client *);

/* The same, for a session; when it cannot, again later or never. */
void	client_redial(struct metacube_client *);

/* Closes the connection and forgets what was asked on it. */
void	client_hang_up(struct metacube_client *);

/* What has happened; each tells the user of the library, who may close. */
void	client_left(struct metacube_client *);
void	client_rerouted(struct metacube_client *, const struct route *);
void	client_entered(struct metacube_client *);
void	client_lost(struct metacube_client *, const struct fault *);
void	client_failed(struct metacube_client *, enum metacube_error);

/* talk.c: what the client says. */
void	talk_hello(struct metacube_client *);
int	talk_send(struct metacube_client *, Metacube__Envelope *);
int	talk_ask(struct metacube_client *, enum metacube_request,
	    Metacube__Envelope *);
void	talk_ping(struct metacube_client *);
bool	talk_was_asked(const struct metacube_client *, enum metacube_request);
enum metacube_request talk_request(uint32_t cid);

/* hear.c: one message of the server's. */
void	hear_frame(struct metacube_client *, const uint8_t *, size_t);

/* account.c: tells whoever waits for a change that its answer will not come.
 * true: that has closed the client. */
bool	account_unanswered(struct metacube_client *);

#endif
