/* SPDX-License-Identifier: MIT */
/*
 * auth_password - is this the account's password?
 *
 *	begin { "password", name, proof }
 *	    -> penalties    inside a delay: LATER, and nothing is looked at
 *	    -> queue        `workers` at a time; the others are told their place
 *	    -> tcapw        the account's verifier, or one that nothing matches
 *	    -> pool         crypt(3), the same work in every case
 *	    -> GRANTED, LOCKED, INACTIVE, or the one MC_DENIED for all the rest
 *	    -> account      a right one whose verifier is weaker than `cost`:
 *	                    a new one is stored, and nobody waits for that
 *
 * What the client sends is a hash already (metacube/proto/login.proto), and
 * still a password: whoever has it can log in.  It is wiped as soon as it is
 * hashed, and never logged.  Passwords are changed by acctserv, not here.
 */
#include "attempt.h"

#include <string.h>

static void
begin(void *state, struct auth_begin *begin, struct mc_call *call)
{
	struct auth *auth = state;

	if (strcmp(begin->mechanism, "password") != 0 ||
	    begin->len != PROOF_SIZE ||
	    memchr(begin->name, '\0', sizeof(begin->name)) == NULL)
		mc_call_done(call, MC_INVALID, NULL, 0);
	else
		attempt_begin(auth, begin, call);
	mc_wipe(begin->data, sizeof(begin->data));
}

static void
step(void *state, uint64_t exchange, uint8_t *data, size_t len,
    struct mc_call *call)
{
	if (len > 0)
		mc_wipe(data, len);
	attempt_step(state, exchange, call);
}

static void
drop(void *state, uint64_t exchange)
{
	attempt_drop(state, exchange);
}

static const struct auth_ops ops = {
	.begin	= begin,
	.step	= step,
	.drop	= drop,
};

static bool
rules_fit(struct mc_host *host, const struct conf *conf)
{
	if (conf->account.max_ms >= conf->account.base_ms &&
	    conf->account.forget_ms >= conf->account.max_ms)
		return true;
	mc_fail(host, MC_INVALID, "delay_base, delay_max and delay_forget "
	    "must not become smaller in this order");
	return false;
}

/* Both rules share their times. */
static void
rules_share(struct auth *auth)
{
	auth->address = auth->conf->account;
	auth->address.free = auth->conf->address_free;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *given)
{
	struct auth *auth = state;
	const struct conf *conf = given;
	uint64_t seed;

	auth->host = host;
	if (!rules_fit(host, conf))
		return MC_INVALID;
	if (check_dummy(conf->cost, auth->dummy) == -1)
		return mc_fail(host, MC_INVALID,
		    "crypt(3) has no yescrypt of cost %d", (int)conf->cost);
	auth->conf = conf;
	rules_share(auth);
	mc_random(&seed, sizeof(seed));
	auth->accounts = mc_penalties_new(conf->accounts_max, seed);
	auth->addresses = mc_penalties_new(conf->addresses_max, seed);
	auth->known = mc_penalties_new(conf->known_max, seed);
	return MC_OK;
}

/* Tables keep their size: what they know is worth more. */
static enum mc_status
reload(void *state, const void *given)
{
	struct auth *auth = state;
	const struct conf *conf = given;
	char dummy[TCAPW_VERIFIER_SIZE] = "";

	if (!rules_fit(auth->host, conf))
		return MC_INVALID;
	if (conf->accounts_max != auth->conf->accounts_max ||
	    conf->addresses_max != auth->conf->addresses_max ||
	    conf->known_max != auth->conf->known_max)
		return mc_fail(auth->host, MC_INVALID, "penalty_accounts, "
		    "penalty_addresses and known_addresses change only with "
		    "a restart");
	if (check_dummy(conf->cost, dummy) == -1)
		return mc_fail(auth->host, MC_INVALID,
		    "crypt(3) has no yescrypt of cost %d", (int)conf->cost);
	memcpy(auth->dummy, dummy, sizeof(auth->dummy));
	auth->conf = conf;
	rules_share(auth);
	return MC_OK;
}

static void
stop(void *state)
{
	attempts_stop(state);
}

static void
fini(void *state)
{
	struct auth *auth = state;

	attempts_free(auth);
	mc_penalties_free(&auth->accounts);
	mc_penalties_free(&auth->addresses);
	mc_penalties_free(&auth->known);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, workers), .type = MC_INT, .fallback = "0",
	  .min = 0, .max = 1024,
	  .help = "Passwords hashed at the same time; 0: one per thread of "
	  "the pool." },
	{ MC_FIELD(struct conf, queue_max), .type = MC_INT,
	  .fallback = "1000", .min = 0, .max = 100000,
	  .help = "Attempts that may wait for a hash; further ones are told "
	  "to try again later." },
	{ MC_FIELD_AS("position_interval", struct conf, position_ms),
	  .type = MC_DURATION, .fallback = "1s", .min = 10, .max = 10000,
	  .help = "Those who wait hear of their new position at most this "
	  "often." },
	{ MC_FIELD(struct conf, cost), .type = MC_INT, .fallback = "5",
	  .min = 1, .max = 11,
	  .help = "Cost of yescrypt for a name that is not known; the same "
	  "as acctserv uses for new passwords.  A verifier of a lower cost is "
	  "renewed when its user logs in, if acctserv runs in this "
	  "process." },
	{ MC_FIELD_AS("account_free", struct conf, account.free),
	  .type = MC_INT, .fallback = "3", .min = 0, .max = 1000,
	  .help = "Failures on one account before there are delays." },
	{ MC_FIELD(struct conf, address_free),
	  .type = MC_INT, .fallback = "20", .min = 0, .max = 1000000,
	  .help = "Failures from one address before there are delays." },
	{ MC_FIELD_AS("delay_base", struct conf, account.base_ms),
	  .type = MC_DURATION, .fallback = "1s", .min = 1, .max = 3600000,
	  .help = "The first delay; each further failure doubles it." },
	{ MC_FIELD_AS("delay_max", struct conf, account.max_ms),
	  .type = MC_DURATION, .fallback = "5m", .min = 1, .max = 86400000,
	  .help = "The longest delay." },
	{ MC_FIELD_AS("delay_forget", struct conf, account.forget_ms),
	  .type = MC_DURATION, .fallback = "15m", .min = 1, .max = 86400000,
	  .help = "Failures are forgotten when the last one is so old." },
	{ MC_FIELD(struct conf, ipv6_prefix), .type = MC_INT,
	  .fallback = "64", .min = 16, .max = 128,
	  .help = "Bits of an IPv6 address that count as one place." },
	{ MC_FIELD_AS("penalty_accounts", struct conf, accounts_max),
	  .type = MC_INT, .fallback = "65536", .min = 16, .max = 16777216,
	  .help = "Accounts whose failures are remembered." },
	{ MC_FIELD_AS("penalty_addresses", struct conf, addresses_max),
	  .type = MC_INT, .fallback = "65536", .min = 16, .max = 16777216,
	  .help = "Addresses whose failures are remembered." },
	{ MC_FIELD_AS("known_addresses", struct conf, known_max),
	  .type = MC_INT, .fallback = "65536", .min = 16, .max = 16777216,
	  .help = "Pairs of account and address that have logged in and are "
	  "not delayed by the failures of others." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	AUTH_PROVIDE(&ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct auth, tcapw), false },
	{ ACCOUNT_SERVICE, offsetof(struct auth, account), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "auth_password",
	.version	= "0.1.0",
	.summary	= "Checks passwords against the account store",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct auth),
	.init		= init,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
