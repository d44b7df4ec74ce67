/* SPDX-License-Identifier: MIT */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MS		30000	/* an answer that nobody fetches */
#define NEWS_MS		10000	/* the same position again */

enum stage { QUEUED, LOOKUP, HASHING, DONE };

struct attempt {
	struct auth	*auth;
	struct attempt	*prev, *next;	/* in the queue, or running */
	enum stage	 stage;
	struct mc_call	*answer;	/* begin or step, while one waits */
	struct mc_call	*lookup;
	uint64_t	 exchange;	/* 0: begin is not answered yet */
	uint64_t	 told_ms;
	uint32_t	 told;		/* position */
	uint64_t	 request;	/* that it belongs to */
	bool		 dropped;
	char		 name[MC_NAME_SIZE];	/* "": no name at all */
	char		 account[MC_PENALTY_KEY_SIZE];	/* for penalties */
	char		 pair[MC_PENALTY_KEY_SIZE];	/* and address */
	char		 prefix[64];
	uint8_t		 proof[PROOF_SIZE];
	enum mc_status	 status;	/* DONE: the answer */
	struct auth_result result;
};

static void queue_run(struct auth *);
static void tell_later(struct auth *);

/* An exchange is a slot, and how often slots were given out before. */
static size_t
exchange_slot(struct auth *auth)
{
	struct attempt **old = auth->exchanges;
	size_t slot = auth->exchanges_free;

	while (slot < auth->exchanges_size && old[slot] != NULL)
		slot++;
	if (slot == auth->exchanges_size) {
		auth->exchanges_size = 64 + 2 * slot;
		auth->exchanges = mc_zalloc(auth->exchanges_size *
		    sizeof(*old));
		if (old != NULL)
			memcpy(auth->exchanges, old, slot * sizeof(*old));
		free(old);
	}
	auth->exchanges_free = slot + 1;
	return slot;
}

static void
exchange_open(struct attempt *attempt)
{
	struct auth *auth = attempt->auth;
	size_t slot = exchange_slot(auth);

	auth->exchanges[slot] = attempt;
	if (++auth->generation == 0)
		auth->generation = 1;
	attempt->exchange = (uint64_t)auth->generation << 32 | slot;
}

static void
exchange_close(struct attempt *attempt)
{
	struct auth *auth = attempt->auth;
	size_t slot = (uint32_t)attempt->exchange;

	if (attempt->exchange == 0)
		return;
	auth->exchanges[slot] = NULL;
	if (slot < auth->exchanges_free)
		auth->exchanges_free = slot;
}

static struct attempt *
exchange_find(struct auth *auth, uint64_t exchange)
{
	size_t slot = (uint32_t)exchange;
	struct attempt *attempt;

	if (slot >= auth->exchanges_size)
		return NULL;
	attempt = auth->exchanges[slot];
	return attempt != NULL && attempt->exchange == exchange &&
	    !attempt->dropped ? attempt : NULL;
}

static void
attempt_free(struct attempt *attempt)
{
	exchange_close(attempt);
	mc_call_cancel(&attempt->lookup);
	mc_wipe(attempt, sizeof(*attempt));
	free(attempt);
}

static void
list_add(struct attempts *list, struct attempt *attempt)
{
	attempt->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = attempt;
	list->last = attempt;
	list->count++;
}

static void
list_remove(struct attempts *list, struct attempt *attempt)
{
	*(attempt->prev ? &attempt->prev->next : &list->first) =
	    attempt->next;
	*(attempt->next ? &attempt->next->prev : &list->last) =
	    attempt->prev;
	attempt->prev = attempt->next = NULL;
	list->count--;
}

static void
queue_add(struct attempt *attempt)
{
	struct auth *auth = attempt->auth;

	list_add(&auth->queue, attempt);
	mc_gauge(auth->host, "queued", auth->queue.count);
}

static void
queue_remove(struct attempt *attempt)
{
	struct auth *auth = attempt->auth;

	list_remove(&auth->queue, attempt);
	mc_gauge(auth->host, "queued", auth->queue.count);
}

static void
answer_send(struct attempt *attempt, enum mc_status status,
    const struct auth_result *result)
{
	struct mc_call *call = attempt->answer;

	attempt->answer = NULL;
	if (status == MC_OK)
		mc_call_done(call, status, result, sizeof(*result));
	else
		mc_call_done(call, status, NULL, 0);
}

static void
position_send(struct attempt *attempt, uint32_t position)
{
	struct auth_result result = {
		.state = AUTH_QUEUED,
		.position = position,
		.exchange = attempt->exchange,
	};

	attempt->told = position;
	attempt->told_ms = mc_now_ms();
	answer_send(attempt, MC_OK, &result);
}

/* The end: answers whoever waits, or keeps the answer for the next step. */
static void
attempt_finish(struct attempt *attempt, enum mc_status status)
{
	attempt->stage = DONE;
	attempt->status = status;
	if (attempt->answer != NULL)
		answer_send(attempt, status, &attempt->result);
	else if (!attempt->dropped && !attempt->auth->stopping) {
		attempt->told_ms = mc_now_ms();
		tell_later(attempt->auth);
		return;
	}
	attempt_free(attempt);
}

static const char *
account_key(const struct attempt *attempt)
{
	return mc_penalty_known(attempt->auth->known, attempt->pair) ?
	    attempt->pair : attempt->account;
}

static enum mc_penalty_verdict
attempt_check(struct attempt *attempt, uint32_t *retry_ms_r)
{
	struct auth *auth = attempt->auth;
	uint64_t now_ms = mc_now_ms();
	enum mc_penalty_verdict account = mc_penalty_check(auth->accounts,
	    &auth->conf->account, account_key(attempt), now_ms, retry_ms_r);
	enum mc_penalty_verdict address = mc_penalty_check(auth->addresses,
	    &auth->address, attempt->prefix, now_ms, retry_ms_r);

	return account > address ? account : address;
}

static void
attempt_refuse(struct attempt *attempt, uint32_t retry_ms)
{
	mc_count(attempt->auth->host, "later", 1);
	attempt->result.state = AUTH_LATER;
	attempt->result.retry_ms = retry_ms;
	attempt_finish(attempt, MC_OK);
}

/* What was charged when it started; the account's key may be another one by
 * now, so it is kept. */
static void
attempt_settle(struct attempt *attempt, enum mc_penalty_outcome outcome)
{
	struct auth *auth = attempt->auth;
	uint64_t now_ms = mc_now_ms();

	mc_penalty_settle(auth->accounts, &auth->conf->account,
	    attempt->account, now_ms, outcome);
	/* Who knows one password may still be guessing others. */
	mc_penalty_settle(auth->addresses, &auth->address,
	    attempt->prefix, now_ms,
	    outcome == MC_PENALTY_PASSED ? MC_PENALTY_VOID : outcome);
	if (outcome == MC_PENALTY_PASSED)
		mc_penalty_learn(auth->known, attempt->pair);
	list_remove(&auth->running, attempt);
}

static void
attempt_give_up(struct attempt *attempt, enum mc_status status)
{
	struct auth *auth = attempt->auth;

	if (status == MC_BUSY)
		mc_count(auth->host, "busy", 1);
	attempt_settle(attempt, MC_PENALTY_VOID);
	attempt_finish(attempt, status);
	queue_run(auth);
}

static bool
attempt_wanted(const struct attempt *attempt)
{
	return !attempt->dropped && (attempt->exchange != 0 ||
	    mc_call_wanted(attempt->answer));
}

/* 3. The hash is there. */
static void
checked(void *job)
{
	struct check *check = job;
	struct attempt *attempt = check->owner;
	struct auth *auth = attempt->auth;
	bool right = check->right;

	if (check->renewed[0] != '\0')
		verifier_renew(auth, attempt->name, check);
	mc_wipe(check, sizeof(*check));
	free(check);
	attempt_settle(attempt, right ? MC_PENALTY_PASSED : MC_PENALTY_FAILED);
	if (!right)
		mc_count(auth->host, "denied", 1);
	else if (attempt->result.state == AUTH_LOCKED)
		mc_count(auth->host, "locked", 1);
	else if (attempt->result.state == AUTH_INACTIVE)
		mc_count(auth->host, "inactive", 1);
	else
		mc_count(auth->host, "granted", 1);
	attempt_finish(attempt, right ? MC_OK : MC_DENIED);
	queue_run(auth);
}

static void
attempt_hash(struct attempt *attempt, const char *verifier, bool known)
{
	struct auth *auth = attempt->auth;
	struct check *check = mc_zalloc(sizeof(*check));

	check->host = auth->host;
	check->owner = attempt;
	check->done = checked;
	check->known = known;
	if (known && auth->account.ops != NULL)
		check->cost = auth->conf->cost;
	memcpy(check->verifier, verifier, sizeof(check->verifier));
	memcpy(check->proof, attempt->proof, sizeof(check->proof));
	mc_wipe(attempt->proof, sizeof(attempt->proof));
	attempt->stage = HASHING;
	if (mc_pool(auth->host, check_run, check))
		return;
	mc_wipe(check, sizeof(*check));
	free(check);
	attempt_give_up(attempt, MC_BUSY);
}

/* 2. The account, or none: the way on is the same. */
static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct attempt *attempt = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);
	struct auth_result *result = &attempt->result;

	if (account == NULL && reply->status != MC_NOT_FOUND) {
		attempt_give_up(attempt, reply->status == MC_OK ?
		    MC_INTERNAL : reply->status);
		return;
	}
	if (!attempt_wanted(attempt)) {
		attempt_give_up(attempt, MC_TIMEOUT);
		return;
	}
	if (account == NULL) {
		attempt_hash(attempt, attempt->auth->dummy, false);
		return;
	}
	result->state = (account->flags & TCAPW_LOCKED) != 0 ? AUTH_LOCKED :
	    (account->flags & TCAPW_INACTIVE) != 0 ? AUTH_INACTIVE :
	    AUTH_GRANTED;
	result->uid = account->uid;
	result->generation = account->generation;
	memcpy(result->name, account->name, sizeof(result->name));
	memcpy(result->display, account->display, sizeof(result->display));
	attempt_hash(attempt, account->verifier, true);
}

/* 1. Its turn. */
static void
attempt_start(struct attempt *attempt)
{
	struct auth *auth = attempt->auth;
	uint64_t now_ms = mc_now_ms();

	mc_request_set(attempt->request);
	queue_remove(attempt);
	list_add(&auth->running, attempt);
	memmove(attempt->account, account_key(attempt),
	    sizeof(attempt->account));
	mc_penalty_charge(auth->accounts, &auth->conf->account,
	    attempt->account, now_ms);
	mc_penalty_charge(auth->addresses, &auth->address,
	    attempt->prefix, now_ms);
	if (attempt->name[0] == '\0') {
		attempt_hash(attempt, auth->dummy, false);
		return;
	}
	attempt->stage = LOOKUP;
	tcapw_lookup(&auth->tcapw, attempt->name, &attempt->lookup,
	    looked_up, attempt);
}

/* With the whole pool one more than it has threads: so none is idle while
 * the next account is looked up. */
static unsigned
workers(const struct auth *auth)
{
	return auth->conf->workers > 0 ? (unsigned)auth->conf->workers :
	    mc_pool_size(auth->host) + 1;
}

/* Starts the first who may; who must wait for another's result is passed
 * by, who has to come back later is told so. */
static bool
queue_start_one(struct auth *auth)
{
	for (struct attempt *attempt = auth->queue.first, *next;
	    attempt != NULL; attempt = next) {
		uint32_t retry_ms = 0;

		next = attempt->next;
		switch (attempt_check(attempt, &retry_ms)) {
		case MC_PENALTY_GO:
			attempt_start(attempt);
			return true;
		case MC_PENALTY_LATER:
			queue_remove(attempt);
			attempt_refuse(attempt, retry_ms);
			break;
		case MC_PENALTY_WAIT:
			break;
		}
	}
	return false;
}

/* Not within itself: an attempt may end while it is started. */
static void
queue_run(struct auth *auth)
{
	if (auth->starting)
		return;
	auth->starting = true;
	while (auth->running.count < workers(auth) && queue_start_one(auth))
		;
	auth->starting = false;
}

/* Once in an interval: who has moved up, and who has gone without a word. */
static void
tell(void *owner)
{
	struct auth *auth = owner;
	uint64_t now_ms = mc_now_ms();
	uint32_t position = 0;
	bool kept = false;

	for (struct attempt *attempt = auth->queue.first; attempt != NULL;
	    attempt = attempt->next) {
		position++;
		if (attempt->answer != NULL && (attempt->told != position ||
		    now_ms - attempt->told_ms >= NEWS_MS))
			position_send(attempt, position);
	}
	for (size_t i = 0; i < auth->exchanges_size; i++) {
		struct attempt *attempt = auth->exchanges[i];

		if (attempt == NULL || attempt->answer != NULL)
			continue;
		if (now_ms - attempt->told_ms >= KEEP_MS)
			attempt_drop(auth, attempt->exchange);
		else
			kept = true;
	}
	if (auth->queue.first != NULL || kept)
		tell_later(auth);
}

static void
tell_later(struct auth *auth)
{
	if (auth->tell == NULL)
		mc_timer_set(auth->host, &auth->tell, auth->conf->position_ms,
		    tell, auth);
}

static void
attempt_name(struct attempt *attempt, const struct auth_begin *begin)
{
	mc_penalty_prefix(begin->address, attempt->auth->conf->ipv6_prefix,
	    attempt->prefix);
	if (mc_name_fold(begin->name, attempt->name) != NULL)
		attempt->name[0] = '\0';
	/* No name begins with ? or has a line end in it, so none of these
	 * keys can be mistaken for another. */
	snprintf(attempt->account, sizeof(attempt->account), "%s%.63s",
	    attempt->name[0] != '\0' ? "" : "?",
	    attempt->name[0] != '\0' ? attempt->name : begin->name);
	snprintf(attempt->pair, sizeof(attempt->pair), "%.60s\n%.60s",
	    attempt->name, attempt->prefix);
}

void
attempt_begin(struct auth *auth, const struct auth_begin *begin,
    struct mc_call *call)
{
	struct attempt *attempt = mc_zalloc(sizeof(*attempt));
	uint32_t retry_ms = 0;

	attempt->auth = auth;
	attempt->answer = call;
	attempt->request = mc_request();
	attempt_name(attempt, begin);
	memcpy(attempt->proof, begin->data, sizeof(attempt->proof));
	if (attempt_check(attempt, &retry_ms) == MC_PENALTY_LATER) {
		attempt_refuse(attempt, retry_ms);
		return;
	}
	if (auth->queue.count >= (size_t)auth->conf->queue_max) {
		mc_count(auth->host, "busy", 1);
		attempt_finish(attempt, MC_BUSY);
		return;
	}
	queue_add(attempt);
	queue_run(auth);
	if (auth->queue.last != attempt)
		return;
	exchange_open(attempt);
	position_send(attempt, auth->queue.count);
	tell_later(auth);
}

void
attempt_step(struct auth *auth, uint64_t exchange, struct mc_call *call)
{
	struct attempt *attempt = exchange_find(auth, exchange);

	if (attempt == NULL) {
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
		return;
	}
	if (attempt->answer != NULL && mc_call_wanted(attempt->answer)) {
		mc_call_done(call, MC_INVALID, NULL, 0);
		return;
	}
	if (attempt->answer != NULL)
		answer_send(attempt, MC_TIMEOUT, NULL);
	attempt->answer = call;
	if (attempt->stage == DONE)
		attempt_finish(attempt, attempt->status);
}

void
attempt_drop(struct auth *auth, uint64_t exchange)
{
	struct attempt *attempt = exchange_find(auth, exchange);

	if (attempt == NULL)
		return;
	attempt->dropped = true;
	if (attempt->answer != NULL)
		answer_send(attempt, MC_TIMEOUT, NULL);
	if (attempt->stage == QUEUED)
		queue_remove(attempt);
	if (attempt->stage == QUEUED || attempt->stage == DONE)
		attempt_free(attempt);
}

/* Whose account is still being looked up: that answer will not come. */
static void
lookups_stop(struct auth *auth)
{
	for (struct attempt *attempt = auth->running.first, *next;
	    attempt != NULL; attempt = next) {
		next = attempt->next;
		if (attempt->stage == LOOKUP)
			attempt_give_up(attempt, MC_UNAVAILABLE);
	}
}

void
attempts_stop(struct auth *auth)
{
	auth->stopping = true;
	mc_timer_clear(&auth->tell);
	while (auth->queue.first != NULL) {
		struct attempt *attempt = auth->queue.first;

		queue_remove(attempt);
		attempt_finish(attempt, MC_UNAVAILABLE);
	}
	lookups_stop(auth);
	for (size_t i = 0; i < auth->exchanges_size; i++)
		if (auth->exchanges[i] != NULL &&
		    auth->exchanges[i]->stage == DONE)
			attempt_free(auth->exchanges[i]);
}

void
attempts_free(struct auth *auth)
{
	free(auth->exchanges);
	auth->exchanges = NULL;
	auth->exchanges_size = 0;
}
