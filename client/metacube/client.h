/* SPDX-License-Identifier: MIT */
/*
 * metacube/client.h - a MetaCube network as a client sees it.
 *
 * A client logs in at a gateway, is sent to the world server that runs the
 * map it wants, and is there: it moves, talks, and is told who else does.
 * Following REROUTE and coming back after a dropped connection happen inside.
 *
 * Nothing here blocks, except metacube_client_run_for.  A program with a loop
 * of its own waits until the descriptor is ready or the time is over, and
 * calls metacube_client_poll:
 *
 *	struct pollfd p = { metacube_client_fd(c), metacube_client_wants(c) };
 *	poll(&p, 1, metacube_client_timeout_ms(c));
 *	metacube_client_poll(c);
 *
 * Events are told only from inside metacube_client_poll.  A callback may call
 * everything but metacube_client_free, _poll and _run_for.  What it is handed
 * is valid until it returns.
 *
 * A client belongs to one thread at a time; different clients are independent.
 * Texts are UTF-8, and those that come from a server contain no control
 * characters.  Lengths are centimetres: x to the east, y to the north, z up.
 */
#ifndef METACUBE_CLIENT_H
#define METACUBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#define METACUBE_PROOF_SIZE	32
#define METACUBE_NAME_SIZE	32	/* of a display name, with the NUL */
#define METACUBE_KEY_SIZE	64	/* of a map's key, a world's name */
#define METACUBE_SAY_MAX	500	/* bytes of what is said at once */
#define METACUBE_EMAIL_MAX	254
#define METACUBE_CODE_MAX	63

/* What can go wrong.  Each has a sentence beside it that names the server. */
enum metacube_error {
	METACUBE_OK = 0,
	METACUBE_E_NAME,		/* not a permitted account name */
	METACUBE_E_PASSWORD,		/* empty, or not usable as one */
	METACUBE_E_MAP,			/* not a map's key */
	METACUBE_E_TEXT,		/* too long, or not plain UTF-8 */
	METACUBE_E_ENDPOINT,		/* not HOST:PORT */
	METACUBE_E_STATE,		/* not now: log in first, enter first */
	METACUBE_E_BUSY,		/* one question at a time; try later */
	METACUBE_E_MEMORY,
	METACUBE_E_CA,			/* the CA file cannot be used */
	METACUBE_E_RESOLVE,		/* no such host */
	METACUBE_E_CONNECT,		/* not reachable */
	METACUBE_E_TIMEOUT,		/* no answer in time */
	METACUBE_E_CLOSED,		/* the server closed the connection */
	METACUBE_E_NO_TLS,		/* the server does not speak TLS */
	METACUBE_E_TLS_VERSION,		/* the server has no TLS 1.3 */
	METACUBE_E_TLS,			/* any other failure of TLS */
	METACUBE_E_CERT_UNTRUSTED,	/* not issued by the CA */
	METACUBE_E_CERT_SELF_SIGNED,
	METACUBE_E_CERT_EXPIRED,
	METACUBE_E_CERT_NOT_YET,	/* valid only later */
	METACUBE_E_CERT_NAME,		/* made out for another host */
	METACUBE_E_CERT_ROLE,		/* of another server or world */
	METACUBE_E_CERT_BAD,		/* unfit in another way */
	METACUBE_E_PROTOCOL,		/* the server sent nonsense */
	METACUBE_E_WORLD,		/* not the world that was promised */
	METACUBE_E_RESUME,		/* the session is lost */
	METACUBE_E_PASSWORD_SHORT,	/* for a new one */
	METACUBE_E_PASSWORD_NAME	/* the new one is the name */
};

/* Why a server refused or ended something (login.proto's Reason). */
enum metacube_reason {
	METACUBE_R_UNSPECIFIED = 0,
	METACUBE_R_BAD_REQUEST,
	METACUBE_R_BAD_CREDENTIALS,
	METACUBE_R_ACCOUNT_LOCKED,
	METACUBE_R_TRY_LATER,
	METACUBE_R_NO_SUCH_MAP,
	METACUBE_R_NO_WORLD,
	METACUBE_R_BAD_TICKET,
	METACUBE_R_WRONG_VERSION,
	METACUBE_R_NOT_ALLOWED,
	METACUBE_R_SERVER_STOPPING,
	METACUBE_R_LOGGED_IN_ELSEWHERE,
	METACUBE_R_ACCOUNT_CHANGED,	/* deleted, or another password */
	METACUBE_R_ACCOUNT_INACTIVE
};

/* How a change of the account went (acctserv.proto's Result). */
enum metacube_change {
	METACUBE_C_DONE = 1,
	METACUBE_C_UNKNOWN_NAME,
	METACUBE_C_WRONG_PASSWORD,
	METACUBE_C_NAME_TAKEN,
	METACUBE_C_NOT_ACTIVATED,
	METACUBE_C_ALREADY_ACTIVATED,
	METACUBE_C_BAD_NAME,
	METACUBE_C_BAD_EMAIL,
	METACUBE_C_BAD_CODE,		/* wrong, used, or too old */
	METACUBE_C_BAD_REQUEST,
	METACUBE_C_LOCKED,
	METACUBE_C_TRY_LATER,		/* nothing was changed */
	METACUBE_C_UNCERTAIN,		/* it may have been done */
	METACUBE_C_NOT_ALLOWED
};

/* What was asked when a refusal comes. */
enum metacube_request {
	METACUBE_NOTHING = 0,		/* the server said it unasked */
	METACUBE_LOGIN,
	METACUBE_LIST_MAPS,
	METACUBE_JOIN,
	METACUBE_ENTER,
	METACUBE_MOVE,
	METACUBE_SAY,
	METACUBE_ACCOUNT
};

enum metacube_range {
	METACUBE_NORMAL = 0,		/* 20 m */
	METACUBE_SHOUT,			/* 100 m */
	METACUBE_WHISPER		/* 5 m */
};

enum metacube_state {
	METACUBE_IDLE,			/* nothing is under way */
	METACUBE_LOGGING_IN,
	METACUBE_LOGGED_IN,		/* at the gateway: list maps, join */
	METACUBE_REROUTED,		/* on the way into a world */
	METACUBE_IN_WORLD,
	METACUBE_DROPPED,		/* trying to come back into it */
	METACUBE_LEAVING
};

struct metacube_options {
	/* "host:port", or several with commas, tried in order; the port is
	 * 7740 by default. */
	const char	*gateway;
	/* PEM; NULL: what the system trusts. */
	const char	*ca_file;
	/* What the gateway's certificate must be made out for; NULL: the host
	 * of its endpoint, a name or an IP address. */
	const char	*server_name;

	/* Milliseconds; 0: the default. */
	unsigned	 connect_ms;	/* for one address: 10 s */
	unsigned	 handshake_ms;	/* 10 s */
	unsigned	 answer_ms;	/* for one answer: 40 s */
	unsigned	 keepalive_ms;	/* Ping after this silence: 20 s */
	unsigned	 resume_ms;	/* to try to come back: 60 s */
};

struct metacube_map {
	const char	*key, *title;
	unsigned	 copies;	/* worlds that run it now */
	unsigned	 users;		/* on all of them */
};

struct metacube_avatar {
	uint32_t	 id;
	int32_t		 x, y, z;
	char		 display[METACUBE_NAME_SIZE];
};

struct metacube_place {
	char		 world[METACUBE_KEY_SIZE];
	char		 map[METACUBE_KEY_SIZE];
	char		 title[METACUBE_KEY_SIZE];
	uint32_t	 self;		/* id of the own avatar */
	unsigned	 width, height;	/* of the map */
	unsigned	 tick_ms;	/* between updates, at most */
	unsigned	 speed;		/* centimetres a second */
};

/* NULL: not interested. */
struct metacube_events {
	void	*owner;			/* first argument of all of them */

	/* Login waits; so many are ahead, this one included. */
	void	(*queued)(void *owner, unsigned position);
	/* Logged in without a map: metacube_client_join comes next. */
	void	(*logged_in)(void *owner, const char *display);
	/* A page of the list; more: another one follows. */
	void	(*maps)(void *owner, const struct metacube_map *, size_t count,
		    bool more);
	/* On the way to this world; endpoint is the first that is tried. */
	void	(*rerouted)(void *owner, const char *world,
		    const char *endpoint, const char *map);
	void	(*entered)(void *owner, const struct metacube_place *);
	void	(*appeared)(void *owner, const struct metacube_avatar *);
	void	(*vanished)(void *owner, const struct metacube_avatar *);
	void	(*moved)(void *owner, const struct metacube_avatar *);
	void	(*said)(void *owner, uint32_t id, const char *display,
		    const char *text, enum metacube_range);
	/* The world has ended the session: idle. */
	void	(*kicked)(void *owner, enum metacube_reason, const char *text);
	/* Not done; retry_ms 0: no hint.  A refused login or entry: idle;
	 * otherwise everything is as it was before the request. */
	void	(*refused)(void *owner, enum metacube_request,
		    enum metacube_reason, const char *text, unsigned retry_ms);
	/* The connection to the world is lost; the next attempt to come back
	 * is in retry_ms.  Told again when that one has failed. */
	void	(*dropped)(void *owner, enum metacube_error, const char *why,
		    unsigned retry_ms);
	/* Back again: who is seen may have changed meanwhile. */
	void	(*resumed)(void *owner, const struct metacube_place *);
	/* After metacube_client_leave: idle. */
	void	(*left)(void *owner);
	/* Cannot go on: idle. */
	void	(*failed)(void *owner, enum metacube_error, const char *why);
	/* The answer to a change of the account.  After one that has deleted
	 * it, kicked follows. */
	void	(*changed)(void *owner, enum metacube_change,
		    const char *text, unsigned retry_ms);
};

struct metacube_client;

/* Both structures are copied, with the strings.  NULL: no memory. */
struct metacube_client *metacube_client_new(const struct metacube_options *,
		    const struct metacube_events *);

/* Closes at once; a session in a world is kept there for a while, as after
 * a dropped connection.  *client is NULL then. */
void		 metacube_client_free(struct metacube_client **client);

/*
 * Changes meanwhile: ask each time before waiting.  fd may be -1 (only time
 * has to pass), wants is a set of POLLIN and POLLOUT, timeout_ms is as for
 * poll(2), -1: no limit.
 */
int		 metacube_client_fd(const struct metacube_client *);
short		 metacube_client_wants(const struct metacube_client *);
int		 metacube_client_timeout_ms(const struct metacube_client *);

/* Does what can be done now.  false: idle. */
bool		 metacube_client_poll(struct metacube_client *);

/* Waits and polls for so long, or until idle.  false: idle. */
bool		 metacube_client_run_for(struct metacube_client *, unsigned ms);

enum metacube_state metacube_client_state(const struct metacube_client *);

/* The sentence that belongs to the last error. */
const char	*metacube_client_why(const struct metacube_client *);

/*
 * The requests.  METACUBE_OK: it is under way, and an event will tell how it
 * went; otherwise nothing was done, and metacube_client_why says why not.
 *
 * Logs in, and goes on to the map; NULL: logged_in follows.  The password is
 * turned into its proof and not kept; the caller wipes its own copy.
 */
enum metacube_error metacube_client_login(struct metacube_client *,
		    const char *name, const char *password, const char *map);
enum metacube_error metacube_client_login_proof(struct metacube_client *,
		    const char *name,
		    const uint8_t proof[METACUBE_PROOF_SIZE], const char *map);

/* The maps that there are, by key, after this one (NULL: from the first on).
 * Logged in or in a world, as is join, which changes from map to map. */
enum metacube_error metacube_client_list_maps(struct metacube_client *,
		    const char *after);
enum metacube_error metacube_client_join(struct metacube_client *,
		    const char *map);

/* In a world.  The server walks the avatar to this point at its own speed, as
 * far as the terrain permits. */
enum metacube_error metacube_client_move(struct metacube_client *,
		    int32_t x, int32_t y);
enum metacube_error metacube_client_say(struct metacube_client *,
		    const char *text, enum metacube_range);

/*
 * Changes of the own account, logged in or in a world; changed follows.  The
 * password is asked for again, whoever sits there.  A new e-mail address
 * counts when the code has come back that is mailed there (validate); resend
 * mails it once more.  Passwords are not kept; the caller wipes its copies.  A
 * new password must be one that metacube_new_proof takes.
 */
enum metacube_error metacube_account_password(struct metacube_client *,
		    const char *password, const char *new_password);
enum metacube_error metacube_account_email(struct metacube_client *,
		    const char *password, const char *email, bool is_private);
enum metacube_error metacube_account_validate(struct metacube_client *,
		    const char *password, const char *code);
enum metacube_error metacube_account_resend(struct metacube_client *,
		    const char *password);
enum metacube_error metacube_account_delete(struct metacube_client *,
		    const char *password);

/* Leaves the world, or the gateway: left follows. */
enum metacube_error metacube_client_leave(struct metacube_client *);

/* Ends whatever is under way, at once and without an event. */
void		 metacube_client_close(struct metacube_client *);

/* Where the client is; NULL: in no world. */
const struct metacube_place *metacube_client_place(
		    const struct metacube_client *);

/* Everybody who is seen, this client included, by id; valid until the next
 * poll.  While dropped: as it was last. */
const struct metacube_avatar *metacube_client_seen(
		    const struct metacube_client *, size_t *count_r);
const struct metacube_avatar *metacube_client_find(
		    const struct metacube_client *, uint32_t id);

/*
 * What a client shows instead of its password: SHA-256 over
 * "metacube-login-1", NUL, the folded name, NUL, and the password after the
 * OpaqueString profile of RFC 8265.  As good as the password itself: wipe it.
 * 0, or METACUBE_E_NAME or METACUBE_E_PASSWORD.
 */
#define METACUBE_PASSWORD_MAX	1024	/* bytes */
enum metacube_error metacube_proof(const char *name, const char *password,
		    uint8_t proof[METACUBE_PROOF_SIZE]);

/* The same for a password that is to become the account's: it must have
 * METACUBE_PASSWORD_MIN characters and not be the name, or it is
 * METACUBE_E_PASSWORD_SHORT or METACUBE_E_PASSWORD_NAME.  The servers see
 * proofs only, so whoever takes a new password asks for its proof here. */
#define METACUBE_PASSWORD_MIN	8	/* characters */
enum metacube_error metacube_new_proof(const char *name, const char *password,
		    uint8_t proof[METACUBE_PROOF_SIZE]);

/* "the certificate has expired": the kind of error in a few words. */
const char	*metacube_error_text(enum metacube_error);
const char	*metacube_reason_text(enum metacube_reason);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
