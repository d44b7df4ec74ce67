/* SPDX-License-Identifier: MIT */
/*
 * metacube/account.h - changes of accounts that modules may ask for.  Service
 * "account" 1.0.
 *
 * Its provider is the account server.  People's changes (a new account, a new
 * password) are commands of metacubectl and not in here.
 */
#ifndef METACUBE_ACCOUNT_H
#define METACUBE_ACCOUNT_H

#include <metacube/call.h>
#include <metacube/name.h>
#include <metacube/tcapw.h>

#define ACCOUNT_SERVICE		"account", 1, 0
#define ACCOUNT_PROVIDE(ops) \
	{ ACCOUNT_SERVICE, 1 ? (ops) : (const struct account_ops *)0 }
#define ACCOUNT_TIMEOUT_MS	10000

struct account_renewal {
	char	name[MC_NAME_SIZE];		/* folded */
	char	was[TCAPW_VERIFIER_SIZE];	/* the verifier it has now */
	char	verifier[TCAPW_VERIFIER_SIZE];	/* the one that it gets */
};

struct account_ops {
	/*
	 * Another verifier for the same password, made by whoever has just
	 * checked one: a stronger hash.  MC_OK: it is durable.  MC_DENIED: by
	 * now the account has another verifier than `was`, MC_NOT_FOUND:
	 * there is no such account; nothing was changed.
	 */
	void (*renew)(void *state, const struct account_renewal *,
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

#endif
