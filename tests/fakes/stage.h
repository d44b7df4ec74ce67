/* SPDX-License-Identifier: MIT */
/*
 * stage - a host for one module under test: its time stands still until the
 * test lets it pass, and its connections end in the test's hands.
 *
 * What the module sends is encoded and decoded as on the wire.  One module
 * at a time, one thread.
 */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include <metacube/conn.h>
#include <metacube/control.h>

/* Forgets everything; identity is the name in the certificate. */
void	 stage_reset(const char *identity);
struct mc_host *stage_host(void);

/* Milliseconds pass: timers fire in their order, work and what it hands over
 * run, connections that were closed are gone. */
void	 stage_pass(unsigned ms);

/* A client of the listener; the far end of what was dialled.  NULL: the
 * module does not want it. */
struct mc_conn *stage_connect(void);
struct mc_conn *stage_accept(void);

/* Who the next connections are from; NULL leaves it as it is. */
void	 stage_peer(const char *address, const char *name, const char *roles);

/* The peer says this, which the module sees at once; the connection is lost. */
void	 stage_say(struct mc_conn *, const Metacube__Envelope *);
void	 stage_drop(struct mc_conn *);

/* The next message of this kind that the module has sent; those before it
 * are skipped.  NULL: there is none.  Valid until the next call. */
const Metacube__Envelope *stage_heard(struct mc_conn *,
	    Metacube__Envelope__MessageCase);
size_t	 stage_unheard(const struct mc_conn *);	/* how many are left */
void	 stage_skip(struct mc_conn *);		/* those */
bool	 stage_over(const struct mc_conn *);	/* closed by the module */
bool	 stage_admitted(const struct mc_conn *);

/* Both in short: SAY(conn, 7, LOGIN, login, &login); SEND where any cid will
 * do. */
#define HEARD(conn, KIND) \
	stage_heard(conn, METACUBE__ENVELOPE__MESSAGE_##KIND)
#define SAY(conn, with_cid, KIND, field, ...) do { \
	Metacube__Envelope say_ = METACUBE__ENVELOPE__INIT; \
	say_.cid = (with_cid); \
	say_.message_case = METACUBE__ENVELOPE__MESSAGE_##KIND; \
	say_.field = (__VA_ARGS__); \
	stage_say(conn, &say_); \
} while (0)
#define SEND(conn, KIND, ...)	SAY(conn, 9, KIND, __VA_ARGS__)

/* Streams.  The peer sends these bytes; has taken all that was written.  What
 * the module has written since stage_unwrite, with a NUL; and whether it wants
 * to read.  Where it dials: "" nowhere. */
void	 stage_feed(struct mc_conn *, const void *, size_t len);
void	 stage_drain(struct mc_conn *);
const char *stage_written(const struct mc_conn *, size_t *len_r);
void	 stage_unwrite(struct mc_conn *);
bool	 stage_paused(const struct mc_conn *);
const char *stage_dialled(void);

/* The peer is slow: so many bytes are queued, and a limit beyond which
 * nothing more is. */
void	 stage_queue(struct mc_conn *, size_t queued, bool full);

/* stage_calls.c: calls that their providers have not answered yet. */
size_t	 stage_owed(void);

/* Asks the module's command; args end with NULL. */
void	 stage_command(const char *name, const char *const args[]);

/* The last query that the module has answered since this was asked. */
bool	 stage_told(enum mc_status *status_r, const char **text_r);

/* A counter of the module; the last line it has logged with these words. */
int64_t	 stage_count(const char *name);
bool	 stage_logged(const char *words);

#endif
