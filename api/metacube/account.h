/* SPDX-License-Identifier: MIT */
/*
 * metacube/account.h - changes of accounts that modules may ask for.  Service
 * "account" 1.1.
 *
 * Provided by the account server itself (acctserv), and on every other server
 * by the module that reaches it over the network (account_remote).  With the
 * account server away the answer is MC_UNAVAILABLE: nothing was changed.
 *
 *	1.1	request: what people ask for
 */
#ifndef METACUBE_ACCOUNT_H
#define METACUBE_ACCOUNT_H

#include <metacube/call.h>
#include <metacube/name.h>
#include <metacube/proto/acctserv.pb-c.h>
#include <metacube/tcapw.h>

#define ACCOUNT_SERVICE		"account", 1, 1
#define ACCOUNT_PROVIDE(ops) \
	{ ACCOUNT_SERVICE, 1 ? (ops) : (const struct account_ops *)0 }
#define ACCOUNT_TIMEOUT_MS	10000
#define ACCOUNT_PROOF_SIZE	32
#define ACCOUNT_CODE_SIZE	64
#define ACCOUNT_TEXT_SIZE	256
#define ACCOUNT_DOCUMENT_SIZE	8192

struct account_renewal {
	char	name[MC_NAME_SIZE];		/* folded */
	char	was[TCAPW_VERIFIER_SIZE];	/* the verifier it has now */
	char	verifier[TCAPW_VERIFIER_SIZE];	/* the one that it gets */
};

/* What a person asks for: verb, and what it needs (acctserv.proto).  Bytes and
 * text that are not needed are zero. */
struct account_request {
	int		verb;	/* Metacube__AccountRequest__Verb */
	char		name[MC_NAME_SIZE * 2];		/* as it was typed */
	bool		has_proof, has_new_proof;
	uint8_t		proof[ACCOUNT_PROOF_SIZE];
	uint8_t		new_proof[ACCOUNT_PROOF_SIZE];
	char		email[TCAPW_EMAIL_SIZE];
	bool		email_private;
	char		code[ACCOUNT_CODE_SIZE];
	char		address[64];	/* where the client is, without port */
	char		by[TCAPW_BY_SIZE];	/* "web", "gateway", "world-1" */
	bool		playing;	/* asked within the account's own session */
};

struct account_answer {
	int		result;	/* Metacube__AccountAnswer__Result */
	char		text[ACCOUNT_TEXT_SIZE];
	uint32_t	retry_ms;
	struct wmq_pointer pointer;	/* of the change; seq 0: none */
	char		display[MC_NAME_SIZE];
	char		document[ACCOUNT_DOCUMENT_SIZE];
};

/*
 * The same on the wire (acctserv.proto).  read: false, something is too long
 * or cannot be; what was read of proofs is wiped then.  fill: the message
 * points into the record.
 */
bool	mc_account_request_read(const Metacube__AccountRequest *,
	    struct account_request *);
void	mc_account_request_fill(const struct account_request *,
	    Metacube__AccountRequest *);
bool	mc_account_answer_read(const Metacube__AccountAnswer *,
	    struct account_answer *);
void	mc_account_answer_fill(const struct account_answer *,
	    Metacube__AccountAnswer *);

/* May a client ask this of the account that it has logged in to? */
bool	mc_account_verb_playing(int verb);

/* What to tell a client that got no answer: nothing was changed, or that
 * nobody knows. */
void	mc_account_answer_failed(enum mc_status, struct account_answer *);

struct account_ops {
	/*
	 * Another verifier for the same password, made by whoever has just
	 * checked one: a stronger hash.  MC_OK: it is durable.  MC_DENIED: by
	 * now the account has another verifier than `was`, MC_NOT_FOUND:
	 * there is no such account; nothing was changed.
	 */
	void (*renew)(void *state, const struct account_renewal *,
	    struct mc_call *);

	/*
	 * (1.1) Answers with an account_answer, also when it is a refusal.
	 * A change that is DONE is durable, and in this process's own replica
	 * if it has one; when that takes too long, the text says so.
	 * MC_UNAVAILABLE, MC_BUSY: nothing was changed.  The provider copies
	 * what it keeps and wipes the caller's proofs before it returns.
	 */
	void (*request)(void *state, struct account_request *,
	    struct mc_call *);
};

static inline void
account_renew(const struct mc_ref *to, const struct account_renewal *renewal,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"account.renew", ACCOUNT_TIMEOUT_MS, true
	};
	const struct account_ops *ops = (const struct account_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->renew(to->provider, renewal, call);
}

static inline void
account_request(const struct mc_ref *to, struct account_request *request,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"account.request", ACCOUNT_TIMEOUT_MS, true
	};
	const struct account_ops *ops = (const struct account_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->request(to->provider, request, call);
}

#endif
