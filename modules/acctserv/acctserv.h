/* SPDX-License-Identifier: MIT */
/*
 * acctserv - its parts:
 *
 *	acctserv.c	lives, and follows the queue
 *	turns.c		who waits for whom
 *	change.c	takes one change from its turn to its answer
 *	answers.c	tells whoever has asked
 *	commands.c	what operators may ask, with metacubectl
 *	requests.c	what people ask, through others
 *	verbs.c		what each of that needs, and what it does
 *	listen.c	the two listeners for that
 *	guard.c		who has to wait before the next guess, or mail
 *	letter.c	mails and their codes
 *	names.c		names that are taken, or too much like one that is
 *	verifier.c	hashes
 *	show.c, list.c, export.c	only read
 *	audit.c, history.c	write the audit log, and read it
 */
#ifndef ACCTSERV_H
#define ACCTSERV_H

#include <metacube/account.h>
#include <metacube/conn.h>
#include <metacube/control.h>
#include <metacube/follow.h>
#include <metacube/mail.h>
#include <metacube/penalty.h>
#include <metacube/replica.h>
#include <metacube/tcapw.h>

#include <sys/queue.h>

#define PROOF_SIZE	ACCOUNT_PROOF_SIZE
#define BUCKETS		1024
#define CODE_SIZE	27		/* 128 bits in base32, and the NUL */

struct conf {
	int64_t			 cost;
	struct mc_listen_conf	 listen;
	const char		*listen_unix, *unix_group;
	int64_t			 unix_access, max_pending;
	int64_t			 code_ms, reset_ms;
	const char		*site_name, *link;
	int64_t			 account_mails, address_mails, mails_ms;
	struct mc_penalty_rule	 account;
	int64_t			 address_free, peer_free;
	int64_t			 ipv6_prefix, penalties_max;
	const char		*reserved;
	bool			 look_alikes;
	const char		*audit;
	int64_t			 audit_keep_ms;
};

TAILQ_HEAD(changes, change);

struct acctserv {
	struct mc_ref		 tcapw, wmq, mail, freeze;
	struct pwq_board	*board;		/* news of the store */
	struct mc_host		*host;
	const struct conf	*conf;
	struct pwq_follow	*follow;
	struct mc_call		*thaw;
	bool			 thawed;	/* once is enough */
	bool			 level;		/* the queue was replayed */
	bool			 ready;		/* and all names are known */
	bool			 stopping;
	uint64_t		 last_uid;	/* the highest ever given */
	struct wmq_pointer	 applied;	/* last change in the store */
	struct changes		 turns[BUCKETS];	/* by key */
	struct changes		 delayed;
	struct changes		 durable;	/* not yet in the store */
	size_t			 pending;
	struct names		*names;
	struct guard		*guard;
	struct audit		*audit;
	struct listeners	*listeners;
	bool			 exporting;
	char			 dummy[TCAPW_VERIFIER_SIZE];
};

/* The store follows the queue from now on. */
void	follow_start(struct acctserv *);

/* Answers the query and returns false while nothing can be changed. */
bool	is_ready(struct acctserv *, struct mc_query *);

/* What is wrong with the name, as a whole sentence; NULL: nothing. */
const char *name_fault(const char *name, char folded[MC_NAME_SIZE],
	    char *text, size_t size);

/* commands.c */
void	commands_add(struct acctserv *);

/* requests.c: the service's two functions. */
void	request_renew(void *state, const struct account_renewal *,
	    struct mc_call *);
void	request_call(void *state, struct account_request *, struct mc_call *);

/* The same for who has no call: the question is answered once, with
 * question_answered (listen.c).  The request's secrets are wiped. */
struct question;
void	request_take(struct acctserv *, struct account_request *,
	    struct question *);
void	renewal_take(struct acctserv *, const struct account_renewal *,
	    const char *by, struct question *);
void	question_answered(struct question *, const struct account_answer *);
/* Whose certificate came with it, if any; "" without. */
const char *question_peer(const struct question *);

/* listen.c */
enum mc_status listeners_start(struct acctserv *);
enum mc_status listeners_reload(struct acctserv *, const struct conf *);
void	listeners_stop(struct acctserv *);	/* nobody comes any more */
void	listeners_free(struct acctserv *);

/* verifier.c: makes the verifier of a proof in the pool; done runs on the
 * loop with "" if that cannot be done, and exactly once unless false is
 * returned (too many at once).  The proof is copied. */
typedef void verifier_made_fn(void *owner, const char *verifier);
bool	verifier_make(struct mc_host *, const uint8_t proof[PROOF_SIZE],
	    int64_t cost, verifier_made_fn *, void *owner);

/* Likewise: is this the verifier of the proof?  The same work in any case. */
typedef void verifier_checked_fn(void *owner, bool right);
bool	verifier_check(struct mc_host *, const uint8_t proof[PROOF_SIZE],
	    const char *verifier, verifier_checked_fn *, void *owner);

/* A verifier of this cost that no proof matches; -1: crypt(3) cannot. */
int	verifier_dummy(int64_t cost, char verifier_r[TCAPW_VERIFIER_SIZE]);

/*
 * guard.c: guesses at passwords and codes, and mails, by account, by address
 * and by peer ("" is nobody's).  Each guess that may go on (retry_ms 0) is
 * settled once.
 */
struct guess {
	bool	charged;
	char	account[MC_PENALTY_KEY_SIZE], prefix[64], peer[64];
	char	pair[MC_PENALTY_KEY_SIZE];
};
struct guard *guard_new(const struct conf *);
void	 guard_free(struct guard **);
void	 guard_reload(struct guard *, const struct conf *);
uint32_t guess_begin(struct guard *, struct guess *, const char *name,
	    const char *address, const char *peer);	/* retry_ms */
void	 guess_end(struct guard *, struct guess *, enum mc_penalty_outcome);
uint32_t mail_wait(struct guard *, const char *name, const char *address,
	    const char *peer);
void	 mail_count(struct guard *, const char *name, const char *address,
	    const char *peer);

/* names.c: what names look like.  1.0 million of them are 16 MiB. */
struct names *names_new(void);
void	 names_free(struct names **);
void	 names_add(struct names *, const char *folded);
void	 names_remove(struct names *, const char *folded);
bool	 names_like(const struct names *, const char *folded);
bool	 name_reserved(const char *reserved, const char *folded);
void	 names_gather(struct acctserv *);	/* from the store; then ready */
void	 names_forget(struct acctserv *);	/* what is under way */

/* audit.c: start calls follow_start when log and queue agree. */
enum mc_status audit_open(struct acctserv *);
void	audit_start(struct acctserv *);
/* An operator was; what stays valid. */
void	audit_refused(struct acctserv *, const char *what, const char *by,
	    uint64_t uid, enum mc_status);
void	audit_close(struct acctserv *);

/* history.c: the last count entries of an account (uid 0: of all), oldest
 * first; on the loop. */
struct entry {
	uint64_t	number, time_ms, uid, seq;
	uint32_t	flags;
	int		kind, verb;
	char		what[TCAPW_WHAT_SIZE + 32];	/* "lock, refused: ..." */
	char		by[TCAPW_BY_SIZE];
};
struct history {
	const char	*why;			/* NULL: fine */
	size_t		 count;
	uint64_t	 all;			/* of this account */
	struct entry	*entries;
};
typedef void history_read_fn(void *owner, const struct history *);
void	history_read(struct acctserv *, uint64_t uid, size_t count,
	    history_read_fn *, void *owner);

/* show.c, list.c, export.c */
void	account_show(void *state, struct mc_query *);
void	account_list(void *state, struct mc_query *);
void	account_export(void *state, struct mc_query *);
void	account_audit(void *state, struct mc_query *);
const char *time_text(uint64_t time_ms, char *text, size_t size);
const char *state_text(uint32_t flags);

/* The document of an account (JSON) in at most size bytes; the oldest entries
 * of the audit log are left out when they do not fit. */
void	export_write(const struct tcapw_account *, const struct history *,
	    char *out, size_t size);

#endif
