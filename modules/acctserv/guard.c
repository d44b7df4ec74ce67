/* SPDX-License-Identifier: MIT */
/*
 * guard - who has to wait before the next guess, or before the next mail.
 *
 * Guesses count for the account and for the address they come from, as they
 * do at login (auth_password); where an account has shown its password before,
 * the guesses of others on it do not count.  Mails are counted by the same
 * mechanism: so many are free, then each costs a growing delay.
 */
#include "acctserv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guard {
	const struct conf	*conf;
	struct mc_penalty_rule	 address;	/* for guesses */
	struct mc_penalty_rule	 account_mail, address_mail;
	struct mc_penalties	*accounts, *addresses, *known;
	struct mc_penalties	*account_mails, *address_mails;
};

void
guard_reload(struct guard *guard, const struct conf *conf)
{
	const struct mc_penalty_rule mails = {
		.base_ms = conf->mails_ms / 4, .max_ms = conf->mails_ms,
		.forget_ms = conf->mails_ms
	};

	guard->conf = conf;
	guard->address = conf->account;
	guard->address.free = conf->address_free;
	guard->account_mail = guard->address_mail = mails;
	guard->account_mail.free = conf->account_mails;
	guard->address_mail.free = conf->address_mails;
}

struct guard *
guard_new(const struct conf *conf)
{
	struct guard *guard = mc_zalloc(sizeof(*guard));
	size_t max = (size_t)conf->penalties_max;
	uint64_t seed;

	mc_random(&seed, sizeof(seed));
	guard->accounts = mc_penalties_new(max, seed);
	guard->addresses = mc_penalties_new(max, seed);
	guard->known = mc_penalties_new(max, seed);
	guard->account_mails = mc_penalties_new(max, seed);
	guard->address_mails = mc_penalties_new(max, seed);
	guard_reload(guard, conf);
	return guard;
}

void
guard_free(struct guard **guardp)
{
	struct guard *guard = *guardp;

	if (guard == NULL)
		return;
	mc_penalties_free(&guard->accounts);
	mc_penalties_free(&guard->addresses);
	mc_penalties_free(&guard->known);
	mc_penalties_free(&guard->account_mails);
	mc_penalties_free(&guard->address_mails);
	free(guard);
	*guardp = NULL;
}

/* Neither a name nor an address has a line end in it. */
static void
guess_name(struct guard *guard, struct guess *guess, const char *name,
    const char *address)
{
	mc_penalty_prefix(address, (unsigned)guard->conf->ipv6_prefix,
	    guess->prefix);
	snprintf(guess->pair, sizeof(guess->pair), "%.60s\n%.60s", name,
	    guess->prefix);
	if (mc_penalty_known(guard->known, guess->pair))
		memcpy(guess->account, guess->pair, sizeof(guess->account));
	else
		snprintf(guess->account, sizeof(guess->account), "%s", name);
}

/* How long to wait; who waits only for another guess's result comes back in a
 * moment. */
static uint32_t
wait_of(struct mc_penalties *table, const struct mc_penalty_rule *rule,
    const char *key)
{
	uint32_t retry_ms = 0;

	if (key[0] == '\0')
		return 0;
	switch (mc_penalty_check(table, rule, key, mc_now_ms(), &retry_ms)) {
	case MC_PENALTY_GO:
		return 0;
	case MC_PENALTY_WAIT:
		return 1000;
	case MC_PENALTY_LATER:
		break;
	}
	return retry_ms > 0 ? retry_ms : 1;
}

uint32_t
guess_begin(struct guard *guard, struct guess *guess, const char *name,
    const char *address)
{
	uint32_t account_ms, address_ms;

	guess_name(guard, guess, name, address);
	account_ms = wait_of(guard->accounts, &guard->conf->account,
	    guess->account);
	address_ms = wait_of(guard->addresses, &guard->address,
	    guess->prefix);
	if (account_ms > 0 || address_ms > 0)
		return account_ms > address_ms ? account_ms : address_ms;
	mc_penalty_charge(guard->accounts, &guard->conf->account,
	    guess->account, mc_now_ms());
	if (guess->prefix[0] != '\0')
		mc_penalty_charge(guard->addresses, &guard->address,
		    guess->prefix, mc_now_ms());
	guess->charged = true;
	return 0;
}

/* Who knows one password may still be guessing others. */
void
guess_end(struct guard *guard, struct guess *guess,
    enum mc_penalty_outcome outcome)
{
	if (!guess->charged)
		return;
	guess->charged = false;
	mc_penalty_settle(guard->accounts, &guard->conf->account,
	    guess->account, mc_now_ms(), outcome);
	if (guess->prefix[0] == '\0')
		return;
	mc_penalty_settle(guard->addresses, &guard->address, guess->prefix,
	    mc_now_ms(), outcome == MC_PENALTY_PASSED ? MC_PENALTY_VOID :
	    outcome);
	if (outcome == MC_PENALTY_PASSED)
		mc_penalty_learn(guard->known, guess->pair);
}

static void
mail_prefix(struct guard *guard, const char *address, char prefix[64])
{
	mc_penalty_prefix(address, (unsigned)guard->conf->ipv6_prefix,
	    prefix);
}

/* name or address may be NULL. */
uint32_t
mail_wait(struct guard *guard, const char *name, const char *address)
{
	uint32_t name_ms = 0, address_ms = 0;
	char prefix[64];

	if (name != NULL)
		name_ms = wait_of(guard->account_mails, &guard->account_mail,
		    name);
	if (address != NULL) {
		mail_prefix(guard, address, prefix);
		address_ms = wait_of(guard->address_mails,
		    &guard->address_mail, prefix);
	}
	return name_ms > address_ms ? name_ms : address_ms;
}

static void
count(struct mc_penalties *table, const struct mc_penalty_rule *rule,
    const char *key)
{
	if (key[0] == '\0')
		return;
	mc_penalty_charge(table, rule, key, mc_now_ms());
	mc_penalty_settle(table, rule, key, mc_now_ms(), MC_PENALTY_FAILED);
}

void
mail_count(struct guard *guard, const char *name, const char *address)
{
	char prefix[64];

	if (name != NULL)
		count(guard->account_mails, &guard->account_mail, name);
	if (address != NULL) {
		mail_prefix(guard, address, prefix);
		count(guard->address_mails, &guard->address_mail, prefix);
	}
}
