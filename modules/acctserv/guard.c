/* SPDX-License-Identifier: MIT */
/*
 * guard - who has to wait before the next guess, or before the next mail.
 *
 * Guesses count for the account and for the address they come from, as they
 * do at login (auth_password); where an account has shown its password before,
 * the guesses of others on it do not count.  Mails are counted by the same
 * mechanism: so many are free, then each costs a growing delay.
 *
 * An address is what the gateway or world says, who may have been broken into;
 * so both count for its certificate's name, too ("peer").  That many people
 * share: its delay does not grow, and nobody is ever shut out.
 */
#include "acctserv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guard {
	const struct conf	*conf;
	struct mc_penalty_rule	 address;	/* for guesses */
	struct mc_penalty_rule	 peer;
	struct mc_penalty_rule	 account_mail, address_mail, peer_mail;
	struct mc_penalties	*accounts, *addresses, *known, *peers;
	struct mc_penalties	*account_mails, *address_mails, *peer_mails;
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
	guard->peer = conf->account;
	guard->peer.free = conf->peer_free;
	guard->peer.max_ms = guard->peer.base_ms;
	guard->peer_mail = mails;
	guard->peer_mail.free = conf->peer_free;
	guard->peer_mail.base_ms = conf->mails_ms / conf->peer_free + 1;
	guard->peer_mail.max_ms = guard->peer_mail.base_ms;
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
	guard->peers = mc_penalties_new(max, seed);
	guard->account_mails = mc_penalties_new(max, seed);
	guard->address_mails = mc_penalties_new(max, seed);
	guard->peer_mails = mc_penalties_new(max, seed);
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
	mc_penalties_free(&guard->peers);
	mc_penalties_free(&guard->account_mails);
	mc_penalties_free(&guard->address_mails);
	mc_penalties_free(&guard->peer_mails);
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

/* Many people share a peer: they do not take turns. */
static uint32_t
peer_wait(struct guard *guard, const char *peer)
{
	uint32_t retry_ms = 0;

	if (peer[0] == '\0' || mc_penalty_check(guard->peers, &guard->peer,
	    peer, mc_now_ms(), &retry_ms) != MC_PENALTY_LATER)
		return 0;
	return retry_ms > 0 ? retry_ms : 1;
}

static uint32_t
longest(uint32_t first, uint32_t second, uint32_t third)
{
	if (first < second)
		first = second;
	return first > third ? first : third;
}

static void
charge(struct mc_penalties *table, const struct mc_penalty_rule *rule,
    const char *key)
{
	if (key[0] != '\0')
		mc_penalty_charge(table, rule, key, mc_now_ms());
}

static void
settle(struct mc_penalties *table, const struct mc_penalty_rule *rule,
    const char *key, enum mc_penalty_outcome outcome)
{
	if (key[0] != '\0')
		mc_penalty_settle(table, rule, key, mc_now_ms(), outcome);
}

uint32_t
guess_begin(struct guard *guard, struct guess *guess, const char *name,
    const char *address, const char *peer)
{
	const struct mc_penalty_rule *account = &guard->conf->account;
	uint32_t retry_ms;

	guess_name(guard, guess, name, address);
	snprintf(guess->peer, sizeof(guess->peer), "%s", peer);
	retry_ms = longest(wait_of(guard->accounts, account, guess->account),
	    wait_of(guard->addresses, &guard->address, guess->prefix),
	    peer_wait(guard, guess->peer));
	if (retry_ms > 0)
		return retry_ms;
	charge(guard->accounts, account, guess->account);
	charge(guard->addresses, &guard->address, guess->prefix);
	charge(guard->peers, &guard->peer, guess->peer);
	guess->charged = true;
	return 0;
}

/* Who knows one password may still be guessing others. */
void
guess_end(struct guard *guard, struct guess *guess,
    enum mc_penalty_outcome outcome)
{
	enum mc_penalty_outcome of_many = outcome == MC_PENALTY_PASSED ?
	    MC_PENALTY_VOID : outcome;

	if (!guess->charged)
		return;
	guess->charged = false;
	settle(guard->accounts, &guard->conf->account, guess->account,
	    outcome);
	settle(guard->addresses, &guard->address, guess->prefix, of_many);
	settle(guard->peers, &guard->peer, guess->peer, of_many);
	if (outcome == MC_PENALTY_PASSED && guess->prefix[0] != '\0')
		mc_penalty_learn(guard->known, guess->pair);
}

static void
mail_prefix(struct guard *guard, const char *address, char prefix[64])
{
	mc_penalty_prefix(address, (unsigned)guard->conf->ipv6_prefix,
	    prefix);
}

/* name may be NULL. */
uint32_t
mail_wait(struct guard *guard, const char *name, const char *address,
    const char *peer)
{
	char prefix[64];

	mail_prefix(guard, address, prefix);
	return longest(name == NULL ? 0 : wait_of(guard->account_mails,
	    &guard->account_mail, name),
	    wait_of(guard->address_mails, &guard->address_mail, prefix),
	    wait_of(guard->peer_mails, &guard->peer_mail, peer));
}

static void
count(struct mc_penalties *table, const struct mc_penalty_rule *rule,
    const char *key)
{
	charge(table, rule, key);
	settle(table, rule, key, MC_PENALTY_FAILED);
}

void
mail_count(struct guard *guard, const char *name, const char *address,
    const char *peer)
{
	char prefix[64];

	if (name != NULL)
		count(guard->account_mails, &guard->account_mail, name);
	mail_prefix(guard, address, prefix);
	count(guard->address_mails, &guard->address_mail, prefix);
	count(guard->peer_mails, &guard->peer_mail, peer);
}
