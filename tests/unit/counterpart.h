/* SPDX-License-Identifier: MIT */
/*
 * counterpart - the server that a client under test talks to: a thread that
 * accepts one connection after the other on 127.0.0.1 and says to each what
 * the test wants it to say.
 */
#ifndef TESTS_COUNTERPART_H
#define TESTS_COUNTERPART_H

#include <metacube/proto/envelope.pb-c.h>

#include <gnutls/gnutls.h>

#include <pthread.h>
#include <stdbool.h>

#define COUNTERPART_SCENES	8

enum certificate {
	CERT_GOOD,		/* for 127.0.0.1 and localhost, without role */
	CERT_ROLES,		/* gateway/gate and world/world-1 */
	CERT_WORLD_2,		/* world/world-2 only */
	CERT_OTHER_CA,
	CERT_OTHER_CA_SAME_NAME,
	CERT_SELF_SIGNED,
	CERT_EXPIRED,
	CERT_NOT_YET,
	CERT_OTHER_HOST,
	CERT_FOR_CLIENTS,
	CERT_COUNT
};

struct counterpart;
typedef void scene_fn(struct counterpart *);

struct counterpart {
	enum certificate	 certificate;
	const char		*priority;	/* NULL: TLS 1.3 */
	scene_fn		*scenes[COUNTERPART_SCENES];	/* one each */
	bool			 plain;		/* no TLS at all */

	char			 endpoint[32];
	int			 listener, fd;
	gnutls_session_t	 session;
	pthread_t		 thread;
	bool			 ok;		/* all scenes were played */
};

/* Keys, certificates, and files for them in a folder of their own. */
void		 counterpart_world_begin(void);
void		 counterpart_world_end(void);
const char	*counterpart_ca(void);		/* file */

void		 counterpart_start(struct counterpart *);
/* Waits for the end of the last scene that was begun. */
void		 counterpart_stop(struct counterpart *);

/* In a scene.  hear: the next message, NULL at the end of the connection;
 * to be freed.  All of them are silent when the client has gone. */
Metacube__Envelope *counterpart_hear(struct counterpart *);
void		 counterpart_say(struct counterpart *, Metacube__Envelope *);
void		 counterpart_send(struct counterpart *, const void *, size_t);

#endif
