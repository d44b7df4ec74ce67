/* SPDX-License-Identifier: MIT */
/*
 * renew - a stronger verifier for who has just logged in.
 *
 * The hash was made with the check (check.c); here the account server is
 * asked to store it.  Nobody waits for that, and when it fails the account
 * keeps the verifier that it has: the next login tries again.
 */
#include "attempt.h"

#include <string.h>

static void
renewed(void *owner, const struct mc_reply *reply)
{
	struct auth *auth = owner;

	if (reply->status == MC_OK)
		mc_count(auth->host, "renewed", 1);
	else if (reply->status != MC_DENIED)	/* changed meanwhile: fine */
		mc_log(auth->host, MC_WARN, "a verifier of a lower cost was "
		    "not renewed: %s", mc_status_text(reply->status));
}

void
verifier_renew(struct auth *auth, const char *name, const struct check *check)
{
	struct account_renewal renewal = { .name = "" };

	memcpy(renewal.name, name, strlen(name) + 1);
	memcpy(renewal.was, check->verifier, sizeof(renewal.was));
	memcpy(renewal.verifier, check->renewed, sizeof(renewal.verifier));
	account_renew(&auth->account, &renewal, NULL, renewed, auth);
	mc_wipe(&renewal, sizeof(renewal));
}
