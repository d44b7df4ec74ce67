/* SPDX-License-Identifier: MIT */
/*
 * change - one thing that somebody asks for, on its way to the answer.
 */
#ifndef ACCTSERV_CHANGE_H
#define ACCTSERV_CHANGE_H

#include "acctserv.h"

#include <metacube/proto/acctserv.pb-c.h>

#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name
#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name

enum letter { LETTER_NONE, LETTER_ACTIVATE, LETTER_EMAIL, LETTER_RESET };

/* What is done. */
struct act {
	const char	*what;		/* in a word, for queue and audit */
	const char	*done;		/* "created", to follow the name */
	bool		 proves;	/* the password comes first */
	bool		 guesses;	/* or a code does */
	/* Checks what was looked up (NULL: there is no such account), and
	 * makes the record, if any; false: refused instead. */
	bool		(*check)(struct change *,
			    const struct tcapw_account *);
	bool		 erases;	/* nothing is to be left of it */
};

struct change {
	struct changes		*in;		/* which list */
	TAILQ_ENTRY(change)	 link;
	TAILQ_ENTRY(change)	 durable_link;
	struct acctserv		*acctserv;
	const struct act	*act;
	/* Who has asked, one of them; none: was answered. */
	struct mc_query		*query;
	struct mc_call		*renewing, *asked;
	struct question		*question;
	bool			 turn;		/* has begun */
	bool			 uncertain;	/* may be in the queue */
	bool			 known;		/* before is an account */
	struct mc_call		*call;
	struct mc_timer		*timer;
	struct wmq_pointer	 pointer;	/* seq 0: not durable yet */
	uint64_t		 request_id;	/* whose log lines these are */
	uint32_t		 retry_ms;
	struct guess		 guess;
	enum letter		 letter;
	char			 code[CODE_SIZE];
	char			*document;
	char			 peer[64];	/* see question_peer */
	char			 key[MC_NAME_SIZE];	/* the name's look */
	char			 name[MC_NAME_SIZE], display[MC_NAME_SIZE];
	struct account_request	 request;
	struct account_renewal	 renewal;
	struct tcapw_account	 before;
	struct tcapw_change	 record;	/* verb 0: changes nothing */
};

/* turns.c: name is folded, display folds to it. */
struct change *change_new(struct acctserv *, const struct act *,
	    const char *name, const char *display);

/* The same as change_start, but ms later. */
void	change_start_later(struct change *, unsigned ms);

/* It has its turn after those that were asked for before it, of the same
 * account or one whose name looks like it. */
void	change_start(struct change *);

/* It is over: the next one has its turn. */
void	change_end(struct change *);

/* It hangs, and whoever waits behind it would wait too long: they are refused
 * with TRY_LATER. */
void	change_send_away_behind(struct change *);

/* At the end of the process: frees all that are left. */
void	changes_forget(struct acctserv *);

/* answers.c: whoever has asked is told; the text is half a sentence. */
void	change_answer(struct change *, enum mc_status, int result,
	    const char *text);

/* The same, and ends it. */
void	change_refuse(struct change *, enum mc_status, int result,
	    const char *format, ...) MC_PRINTF(4, 5);

/* Answers before it is done; nobody hears what comes of it. */
void	change_promise(struct change *, const char *text);

/* change.c: it has its turn. */
void	change_begin(struct change *);

/* check has to wait for something: it returns false, and later goes on. */
void	change_go_on(struct change *);

/* The store holds what was durable up to there. */
void	changes_applied(struct acctserv *, const struct wmq_pointer *);

/* Begins with the account as it is, to be changed by check. */
bool	change_found(struct change *, const struct tcapw_account *,
	    enum tcapw_verb);

/* Of a deleted account: the uid and the name are left. */
void	change_forget(struct change *);

/* verbs.c: what has to come with one, and what it does. */
enum {
	TAKES_PROOF = 1, TAKES_NEW_PROOF = 2, TAKES_EMAIL = 4, TAKES_CODE = 8,
	TAKES_MAILS = 16
};
struct verb {
	unsigned	takes;
	struct act	act;
};
const struct verb *verb_find(int verb);		/* NULL: there is none */

/* The code is not good: says so, and ends it. */
void	change_refuse_code(struct change *);

/* letter.c: gives the account a new code and has it mailed. */
void	letter_code(struct change *, enum letter);
bool	code_matches(const struct tcapw_account *, enum tcapw_code,
	    const char *code);
void	code_forget(struct tcapw_account *);	/* it was used, or is void */
/* With another password, what was mailed to replace the old one is void. */
void	code_forget_reset(struct tcapw_account *);
bool	code_fold(const char *typed, char code[CODE_SIZE]);
void	letter_write(const struct change *, struct mail *);

#endif
