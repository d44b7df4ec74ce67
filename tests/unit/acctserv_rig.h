/* SPDX-License-Identifier: MIT */
/*
 * acctserv_rig - acctserv on a stage, with a store, a queue and a mail service
 * that do as they are told.
 */
#ifndef TESTS_ACCTSERV_RIG_H
#define TESTS_ACCTSERV_RIG_H

#include "cutap.h"
#include "stage.h"

#include <metacube/account.h>
#include <metacube/mail.h>
#include <metacube/wmq.h>

#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name
#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name

struct rig {
	struct mc_ref	 account;		/* the module's service */
	enum mc_status	 lookup, append, mail;	/* MC_OK: it works */
	bool		 append_silent;		/* it never answers */
	bool		 append_anyway;		/* but does it */
	uint8_t		 epoch[16];
	uint64_t	 durable;
	unsigned	 mails;
	struct mail	 last_mail;
	uint64_t	 durable_at_mail;	/* when it was sent */
	struct tcapw_change last;		/* in the queue */
};
extern struct rig rig;

/* mails: is there a mail service?  accounts: names with uids from 1 on, of
 * the password "p", active; NULL ends. */
void	 rig_open(bool mails, const char *const accounts[]);
void	 rig_set(const char *key, int64_t number, const char *text);
void	 rig_close(void);

/* The module ends; and starts again, with queue and store as they were after
 * that change. */
void	 rig_stop(void);
void	 rig_start(uint64_t durable);

/* Is there an account; what is it? */
bool	 rig_account(const char *name, struct tcapw_account *account_r);

/* The queue gets a record from elsewhere: uids up to this are given. */
void	 rig_reserve(uint64_t uid);

/* Asks through the service and lets it be answered; text may be NULL.  The
 * proof of a password is its first letter, over and over. */
const struct account_answer *rig_ask(int verb, const char *name,
	    const char *password, const char *new_password,
	    const char *email, const char *code);

/* The same, not waiting: the answer's result is there when it is not 0. */
struct rig_call {
	struct mc_call		*call;
	enum mc_status		 status;
	struct account_answer	 answer;
};
void	 rig_begin(struct rig_call *, int verb, const char *name,
	    const char *password, const char *new_password,
	    const char *email, const char *code);

/* The code in the last mail, "" without one. */
const char *rig_code(void);

#endif
