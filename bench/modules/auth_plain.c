/* SPDX-License-Identifier: MIT */
/*
 * auth_plain - logs in by the account store, with verifiers that are no hash
 * (bench/plain.h).  Never installed.
 */
#include "bench/plain.h"

#include <metacube/auth.h>
#include <metacube/host.h>

#include <stdlib.h>

struct auth {
	struct mc_ref	 tcapw;
	struct mc_host	*host;
};

struct attempt {
	struct mc_call	*call;
	char		 verifier[TCAPW_VERIFIER_SIZE];
};

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct attempt *attempt = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);
	struct auth_result result = { .state = AUTH_GRANTED };

	if (account == NULL ||
	    strcmp(account->verifier, attempt->verifier) != 0)
		mc_call_done(attempt->call, MC_DENIED, NULL, 0);
	else {
		result.uid = account->uid;
		strcpy(result.name, account->name);
		strcpy(result.display, account->display);
		mc_call_done(attempt->call, MC_OK, &result, sizeof(result));
	}
	free(attempt);
}

static void
begin(void *state, struct auth_begin *begin, struct mc_call *call)
{
	struct auth *auth = state;
	char folded[MC_NAME_SIZE];
	struct attempt *attempt;

	if (mc_name_fold(begin->name, folded) != NULL ||
	    begin->len != PLAIN_PROOF) {
		mc_call_done(call, MC_DENIED, NULL, 0);
		return;
	}
	attempt = mc_zalloc(sizeof(*attempt));
	attempt->call = call;
	plain_verifier_of(attempt->verifier, begin->data);
	tcapw_lookup(&auth->tcapw, folded, NULL, looked_up, attempt);
}

/* No exchange of this provider is ever open. */
static void
step(void *state, uint64_t exchange, uint8_t *data, size_t len,
    struct mc_call *call)
{
	(void)state;
	(void)exchange;
	(void)data;
	(void)len;
	mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static void
drop(void *state, uint64_t exchange)
{
	(void)state;
	(void)exchange;
}

static const struct auth_ops ops = {
	.begin	= begin,
	.step	= step,
	.drop	= drop,
};

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct auth *auth = state;

	(void)conf;
	auth->host = host;
	return MC_OK;
}

static const struct mc_provide provides[] = {
	AUTH_PROVIDE(&ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct auth, tcapw), false },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "auth_plain",
	.version	= "0.1.0",
	.summary	= "Logins without hashes, for benchmarks",
	.license	= "MIT",
	.provides	= provides,
	.needs		= needs,
	.state_size	= sizeof(struct auth),
	.init		= init,
};
