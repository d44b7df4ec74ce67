/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/auth.h, with the mechanism "password".
 *
 * The provider is given a tcapw store, into which the suite puts accounts.
 * Their verifier is yescrypt (cost 5) of the proof that is 32 times 0x5a, in
 * lower-case hexadecimal; a provider that asks about unknown names at another
 * cost is found out by the clock.
 */
#include "frame.h"

#include <metacube/auth.h>
#include <metacube/tcapw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIGHT		0x5a
#define WRONG		0x5b
#define PARALLEL	32
#define ROUNDS		9	/* of each, for the clock */
#define GUESSES		200

static const char verifier[] = "$y$j9T$hJ4RVBKRWJ46XxaPo7LMX/"
    "$xRfS2yVKauazqtFIJBVVl2EPWdtpB2pztpawWRgB3n1";

static void
put_apply(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	tcapw_apply(contract_ref(1), args, slot, done, owner);
}

static uint64_t last_uid;

static void
account_add(const char *name, const char *display, uint32_t flags)
{
	uint64_t uid = ++last_uid;
	struct tcapw_change change = {
		.verb = TCAPW_CREATE,
		.pointer = { .epoch = "contract", .seq = uid },
		.account = { .uid = uid, .seq = uid, .flags = flags }
	};

	snprintf(change.account.name, sizeof(change.account.name), "%s",
	    name);
	snprintf(change.account.display, sizeof(change.account.display),
	    "%s", display);
	memcpy(change.account.verifier, verifier, sizeof(verifier));
	if (ask(put_apply, &change, &(struct tcapw_position){ .count = 0 },
	    sizeof(struct tcapw_position)) != MC_OK)
		promise(false, "the store takes the account %s", name);
}

/* Somebody who logs in: begin, and step as long as it is queued. */
struct login {
	struct auth_begin begin;
	struct asked	 asked;
	uint64_t	 exchange;
	unsigned	 queued;	/* times that it was told to wait */
	bool		 wiped, positions;
};

static void
put_begin(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct login *login = args;

	auth_begin(contract_ref(0), &login->begin, slot, done, owner);
	login->wiped = true;
	for (size_t i = 0; i < sizeof(login->begin.data); i++)
		login->wiped = login->wiped && login->begin.data[i] == 0;
	/* what the provider wants to keep it has copied */
	memset(login->begin.name, 'x', sizeof(login->begin.name) - 1);
}

static void
put_step(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct login *login = args;

	auth_step(contract_ref(0), login->exchange, NULL, 0, slot, done,
	    owner);
}

static void
login_start(struct login *login, const char *name, const char *address,
    uint8_t byte)
{
	memset(login, 0, sizeof(*login));
	login->positions = true;
	snprintf(login->begin.mechanism, sizeof(login->begin.mechanism),
	    "password");
	snprintf(login->begin.name, sizeof(login->begin.name), "%s", name);
	snprintf(login->begin.address, sizeof(login->begin.address), "%s",
	    address);
	login->begin.len = 32;
	memset(login->begin.data, byte, 32);
	ask_start(&login->asked, put_begin, login);
}

static const struct auth_result *
login_result(const struct login *login)
{
	return login->asked.status == MC_OK &&
	    login->asked.len == sizeof(struct auth_result) ?
	    login->asked.data : NULL;
}

/* The next answer; who is told to wait asks again: true. */
static bool
login_waits(struct login *login)
{
	const struct auth_result *result;

	ask_wait(&login->asked);
	result = login_result(login);
	if (result == NULL || result->state != AUTH_QUEUED)
		return false;
	login->queued++;
	login->exchange = result->exchange;
	login->positions = login->positions &&
	    result->position >= 1 && result->exchange != 0;
	ask_free(&login->asked);
	ask_start(&login->asked, put_step, login);
	return true;
}

/* To the end; the status, and the result if there is one. */
static enum mc_status
login_end(struct login *login, struct auth_result *result_r)
{
	const struct auth_result *result;
	enum mc_status status;

	while (login_waits(login))
		continue;
	result = login_result(login);
	memset(result_r, 0, sizeof(*result_r));
	if (result != NULL)
		*result_r = *result;
	status = login->asked.status == MC_OK && result == NULL ?
	    MC_INTERNAL : login->asked.status;
	ask_free(&login->asked);
	return status;
}

static enum mc_status
log_in(const char *name, const char *address, uint8_t byte,
    struct auth_result *result_r)
{
	struct login login;

	login_start(&login, name, address, byte);
	return login_end(&login, result_r);
}

static bool
denied(const char *name, uint8_t byte)
{
	struct auth_result result;

	return log_in(name, "192.0.2.1", byte, &result) == MC_DENIED;
}

static void
answers(void)
{
	struct auth_result result;
	struct login login;

	login_start(&login, "joe", "192.0.2.1", RIGHT);
	promise(login_end(&login, &result) == MC_OK &&
	    result.state == AUTH_GRANTED, "begin: the right proof");
	promise(login.wiped, "the caller's proof is wiped before it returns");
	promise(result.uid == 1 && strcmp(result.name, "joe") == 0 &&
	    strcmp(result.display, "Joe") == 0,
	    "it says who that is");
	promise(log_in("JOE", "192.0.2.1", RIGHT, &result) == MC_OK &&
	    result.uid == 1, "begin: the name as it was typed");
	promise(denied("joe", WRONG), "begin: MC_DENIED for a wrong proof");
	promise(denied("nobody", RIGHT), "and for an unknown name");
	promise(denied("j", RIGHT) && denied("", RIGHT) &&
	    denied("jo e", RIGHT) && denied("joe\n", RIGHT) &&
	    denied("j\xc3\xb6", RIGHT),
	    "and for what cannot be a name");
	promise(log_in("nina", "192.0.2.1", RIGHT, &result) == MC_OK &&
	    result.state == AUTH_LOCKED && result.uid == 3,
	    "begin: a locked account, with the right proof");
	promise(denied("nina", WRONG), "with a wrong one it is MC_DENIED");
}

static void
malformed(void)
{
	struct auth_result result;
	struct login login;

	login_start(&login, "joe", "192.0.2.1", RIGHT);
	ask_wait(&login.asked);
	ask_free(&login.asked);
	strcpy(login.begin.mechanism, "no-such-mechanism");
	strcpy(login.begin.name, "joe");
	ask_start(&login.asked, put_begin, &login);
	promise(login_end(&login, &result) != MC_OK && login.wiped,
	    "begin: a mechanism that it does not have");
	strcpy(login.begin.mechanism, "password");
	strcpy(login.begin.name, "joe");
	login.begin.len = 0;
	ask_start(&login.asked, put_begin, &login);
	promise(login_end(&login, &result) != MC_OK,
	    "begin: no proof at all");
	login.exchange = 0x123456789abcdef;
	promise(ask(put_step, &login, NULL, 0) != MC_OK,
	    "step: an exchange that is not");
}

static void
parallel(void)
{
	static struct login logins[PARALLEL];
	struct auth_result result;
	unsigned granted = 0, queued = 0;
	bool positions = true;

	for (unsigned i = 0; i < PARALLEL; i++)
		login_start(&logins[i], i % 2 ? "joe" : "amanda",
		    "192.0.2.1", RIGHT);
	/* In turn: a provider forgets who does not come back. */
	for (bool waiting = true; waiting;) {
		waiting = false;
		for (unsigned i = 0; i < PARALLEL; i++)
			waiting = login_waits(&logins[i]) || waiting;
	}
	for (unsigned i = 0; i < PARALLEL; i++) {
		granted += login_end(&logins[i], &result) == MC_OK &&
		    result.state == AUTH_GRANTED &&
		    result.uid == (i % 2 ? 1 : 2);
		queued += logins[i].queued > 0;
		positions = positions && logins[i].positions;
	}
	promise(granted == PARALLEL, "%u of %u who log in at once get in",
	    granted, PARALLEL);
	promise(positions, "those who wait (%u) have a position", queued);
}

static void
drop(void *arg)
{
	struct login *login = arg;

	auth_drop(contract_ref(0), login->exchange);
}

/* Who goes away, waiting or not, leaves the others alone. */
static void
dropped(void)
{
	static struct login logins[PARALLEL];
	struct auth_result result;
	const struct auth_result *first;
	unsigned gone = 0;

	for (unsigned i = 0; i < PARALLEL; i++)
		login_start(&logins[i], "joe", "192.0.2.1", RIGHT);
	for (unsigned i = 0; i < PARALLEL; i++) {
		ask_wait(&logins[i].asked);
		first = login_result(&logins[i]);
		if (first != NULL && first->state == AUTH_QUEUED) {
			logins[i].exchange = first->exchange;
			on_loop(drop, &logins[i]);
			gone += ask(put_step, &logins[i], NULL, 0) == MC_OK;
		}
		ask_free(&logins[i].asked);
	}
	promise(gone == 0, "drop: the exchange is forgotten");
	login_start(&logins[0], "joe", "192.0.2.1", RIGHT);
	ask_cancel(&logins[0].asked);
	ask_wait(&logins[0].asked);
	ask_free(&logins[0].asked);
	promise(log_in("joe", "192.0.2.1", RIGHT, &result) == MC_OK &&
	    result.state == AUTH_GRANTED,
	    "begin: after some have gone away");
}

static int
shorter(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

/* The processor's time, of all threads: a busy machine changes nothing. */
static uint64_t
work_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* In turns, each with new names, so that both see the same noise. */
static void
timing(void)
{
	uint64_t known[ROUNDS], unknown[ROUNDS], began;
	char name[16];

	for (unsigned i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "known-%u", i);
		began = work_us();
		denied(name, WRONG);
		known[i] = work_us() - began;
		snprintf(name, sizeof(name), "other-%u", i);
		began = work_us();
		denied(name, WRONG);
		unknown[i] = work_us() - began;
	}
	qsort(known, ROUNDS, sizeof(known[0]), shorter);
	qsort(unknown, ROUNDS, sizeof(unknown[0]), shorter);
	promise(known[ROUNDS / 2] < 2 * unknown[ROUNDS / 2] &&
	    unknown[ROUNDS / 2] < 2 * known[ROUNDS / 2],
	    "an unknown name takes as long as a wrong proof "
	    "(%llu us and %llu us)",
	    (unsigned long long)unknown[ROUNDS / 2],
	    (unsigned long long)known[ROUNDS / 2]);
}

/* Failures until it is LATER; GUESSES: never. */
static unsigned
guesses(const char *name, const char *address, uint32_t *retry_ms_r)
{
	struct auth_result result;

	for (unsigned n = 0; n < GUESSES; n++) {
		if (log_in(name, address, WRONG, &result) != MC_OK)
			continue;
		*retry_ms_r = result.state == AUTH_LATER ?
		    result.retry_ms : 0;
		return n;
	}
	return GUESSES;
}

static void
guessing(void)
{
	struct auth_result result;
	uint32_t known_ms = 0, unknown_ms = 0;
	unsigned known = guesses("guessed", "192.0.2.2", &known_ms);
	unsigned unknown = guesses("unknown", "192.0.2.3", &unknown_ms);

	promise(known < GUESSES, "LATER after %u failures", known);
	promise(known_ms > 0, "and it says for how long (%u ms)", known_ms);
	promise(unknown == known && unknown_ms > 0,
	    "an unknown name is treated alike (%u)", unknown);
	promise(log_in("joe", "192.0.2.1", RIGHT, &result) == MC_OK &&
	    result.state == AUTH_GRANTED, "nobody else has to wait");
}

static void
run(void)
{
	char name[16];

	account_add("joe", "Joe", 0);
	account_add("amanda", "Amanda", 0);
	account_add("nina", "nina", TCAPW_LOCKED);
	account_add("guessed", "guessed", 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "known-%u", i);
		account_add(name, name, 0);
	}
	answers();
	malformed();
	parallel();
	dropped();
	timing();
	guessing();
}

static const struct contract_phase phases[] = {
	{ "logins", run, false },
	{ NULL, NULL, false }
};

const struct contract_suite contract_auth = {
	.service = "auth", .major = 1, .minor = 0,
	.also = { { TCAPW_SERVICE, false } },
	.phases = phases,
};
