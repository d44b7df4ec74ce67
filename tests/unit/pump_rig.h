/* SPDX-License-Identifier: MIT */
/*
 * pump_rig - a process with I/O threads and certificates, a listener that
 * does what it is told, and clients that do what they must not.
 *
 * The loop runs on the main thread; a test is a script on a thread of its
 * own, which may block, and asks the loop to do things for it.
 */
#ifndef TESTS_PUMP_RIG_H
#define TESTS_PUMP_RIG_H

#include "cutap.h"
#include "process.h"
#include "pump.h"

#include <metacube/conn.h>

#include <gnutls/gnutls.h>

#include <stdatomic.h>

#define RIG_PATIENCE_MS	120000

/* What the listener has seen. */
struct seen {
	atomic_int	opened, messages, closed, resync;
	atomic_int	out_of_order;
	struct mc_peer	peer;		/* of the last one opened */
};

struct pump_rig {
	struct process	process;
	struct mc_host	*host;		/* process.self */
	struct mc_listen_conf conf;
	struct seen	seen;
};

extern struct pump_rig rig;

/* Runs the script with a fresh process. */
void	rig_play(void (*script)(void));

/* The test run_NAME that plays NAME_script. */
#define SCRIPT(name) \
	static void \
	run_##name(void) \
	{ \
		rig_play(name##_script); \
	}

/* The rest is called by the script. */

/* Runs it on the loop thread and waits for it. */
void	on_loop(void (*run)(void *), void *arg);

/* Makes it true within the patience, or the test fails.  What is counted may
 * be more by the time that somebody looks. */
bool	eventually(bool (*holds)(void *), void *arg);
bool	eventually_is(atomic_int *value, int at_least);
int64_t	counter(const char *name);
bool	eventually_counts(const char *name, int64_t at_least);

/* rig_listen listens with rig.conf (roles as for mc_listen), rig_relisten takes
 * what has changed in it since. */
struct mc_listener *rig_listen(const char *roles);
void	rig_relisten(struct mc_listener *);
void	rig_unlisten(struct mc_listener **);
const char *rig_address(struct mc_listener *);

/* Certificates by pki: "ca", "server", "world", ...; DIR/NAME.suffix. */
const char *rig_file(const char *name, const char *suffix);
void	rig_issue(const char *dir, const char *roles, const char *name);
void	rig_expire(const char *name);	/* signs it anew, for yesterday */

struct client {
	int			 fd;
	gnutls_session_t	 tls;
	gnutls_certificate_credentials_t credentials;
	int			 error;		/* the handshake's */
	gnutls_alert_description_t alert;	/* received */
	uint32_t		 serial_hash;	/* of the server's certificate */
};

/* certificate: of rig_file, or NULL.  error is 0 when TLS is up. */
void	client_open(struct client *, const char *address,
	    const char *certificate, const char *priority);
int	client_connect(const char *address);	/* the socket alone */
void	client_adopt(struct client *, int fd, const char *certificate,
	    const char *priority);
void	client_plain(struct client *, const char *address); /* unix */
void	client_close(struct client *);
bool	client_write(struct client *, const void *, size_t);
bool	client_read(struct client *, uint8_t *, size_t);	/* all of it */
void	client_send(struct client *, const Metacube__Envelope *);

/* NULL: the other side has closed; alert tells how.  The caller frees with
 * metacube__envelope__free_unpacked. */
Metacube__Envelope *client_receive(struct client *);
bool	client_ended(struct client *);	/* nothing but the end comes */

/* The next message is Said with this text, any for NULL; is Refused for this
 * reason, with a text that has this part. */
bool	client_said(struct client *, const char *text);
bool	client_refused(struct client *, Metacube__Reason, const char *part);

/* Says and is answered with the same text. */
bool	client_echo(struct client *, const char *text);
void	client_say(struct client *, const char *text, uint32_t cid);
void	client_login(struct client *, const char *name);

/* The tests of the other file */
extern const struct cutap_test pump_server_tests[];

#endif
