/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/replica.h for service "replica": the suite puts
 * changes into the queue that the replica follows, and asks who hears of them.
 */
#include "frame.h"

#include <metacube/pwq.h>
#include <metacube/replica.h>

#include <stdio.h>
#include <string.h>

#define QUEUE	1		/* of contract_ref */
#define MANY	5000		/* more news than anybody keeps */
#define FLIGHT	250		/* appended at once */

static void
put_append(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	uint8_t data[PWQ_MAX];

	wmq_append(contract_ref(QUEUE), PWQ_TAG, data, pwq_encode(args, data),
	    slot, done, owner);
}

static void
put_reached(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	replica_reached(contract_ref(0), args, slot, done, owner);
}

struct news_args {
	uint64_t	after;
	unsigned	wait_ms;
};

static void
put_news(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct news_args *news = args;

	replica_news(contract_ref(0), news->after, news->wait_ms, slot, done,
	    owner);
}

static struct tcapw_change
change_of(enum tcapw_verb verb, unsigned n, uint32_t flags)
{
	struct tcapw_change change = { .verb = verb, .by = "contract" };

	change.account.uid = 1000 + n;
	change.account.flags = flags;
	snprintf(change.account.name, MC_NAME_SIZE, "joe-%u", n);
	snprintf(change.account.display, MC_NAME_SIZE, "Joe-%u", n);
	return change;
}

static struct wmq_pointer
append(const struct tcapw_change *change)
{
	struct wmq_pointer pointer = { .seq = 0 };

	ask(put_append, (void *)change, &pointer, sizeof(pointer));
	return pointer;
}

static enum mc_status
reached(struct wmq_pointer pointer)
{
	return ask(put_reached, &pointer, NULL, 0);
}

/* How many there are, and the first; SIZE_MAX: another answer. */
static size_t
news(uint64_t after, unsigned wait_ms, struct replica_news *first)
{
	struct news_args args = { after, wait_ms };
	struct asked asked;
	size_t n;

	memset(first, 0, sizeof(*first));
	ask_start(&asked, put_news, &args);
	ask_wait(&asked);
	n = asked.status == MC_OK && asked.len % sizeof(*first) == 0 ?
	    asked.len / sizeof(*first) : SIZE_MAX;
	if (n > 0 && n != SIZE_MAX)
		memcpy(first, asked.data, sizeof(*first));
	ask_free(&asked);
	return n;
}

static uint64_t
latest(void)
{
	struct replica_news first;

	news(0, 60000, &first);
	return first.number;
}

static void
reaching(void)
{
	struct tcapw_change change = change_of(TCAPW_CREATE, 1, 0);
	struct wmq_pointer pointer = append(&change), next;
	struct asked asked;

	promise(pointer.seq > 0 && reached(pointer) == MC_OK,
	    "a change is reached");
	promise(reached(pointer) == MC_OK, "and stays so");
	next = pointer;
	next.seq++;
	ask_start(&asked, put_reached, &next);
	promise(news(latest(), 20, &(struct replica_news){ .uid = 0 }) == 0 &&
	    !ask_is_answered(&asked), "one that is not there yet is waited "
	    "for");
	change = change_of(TCAPW_CREATE, 2, 0);
	append(&change);
	ask_wait(&asked);
	promise(asked.status == MC_OK, "until it is");
	ask_free(&asked);
	ask_start(&asked, put_reached, &(struct wmq_pointer){ .seq = 1 });
	ask_wait(&asked);
	promise(asked.status == MC_INVALID, "one of another epoch never is");
	ask_free(&asked);
}

/* Makes the change; is it this news, and the only one? */
static bool
is_news(struct tcapw_change change, enum replica_what what)
{
	struct replica_news first;
	uint64_t before = latest();
	size_t n;

	if (reached(append(&change)) != MC_OK)
		return false;
	n = news(before, 0, &first);
	if (what == 0)
		return n == 0;
	return n == 1 && first.what == what && first.number == before + 1 &&
	    first.uid == change.account.uid &&
	    strcmp(first.name, change.account.name) == 0;
}

static void
telling(void)
{
	struct tcapw_change change = change_of(TCAPW_CHANGE, 1, 0);

	promise(is_news(change_of(TCAPW_CREATE, 3, 0), 0) &&
	    is_news(change, 0), "what concerns no session is no news");
	change.new_verifier = true;
	promise(is_news(change, REPLICA_PASSWORD), "another password is");
	change.keep_sessions = true;
	promise(is_news(change, 0), "unless whoever plays has set it");
	promise(is_news(change_of(TCAPW_CHANGE, 1, TCAPW_LOCKED),
	    REPLICA_LOCKED), "a lock is");
	promise(is_news(change_of(TCAPW_DELETE, 1, 0), REPLICA_DELETED),
	    "and so is the end of an account");
}

static void
waiting(void)
{
	struct news_args args = { latest(), 60000 };
	struct tcapw_change change = change_of(TCAPW_DELETE, 2, 0);
	struct replica_news first;
	struct asked asked;

	promise(news(args.after, 0, &first) == 0 &&
	    news(args.after, 50, &first) == 0,
	    "without news there are none, after the time that was given");
	ask_start(&asked, put_news, &args);
	promise(reached(append(&change)) == MC_OK, "(a change)");
	ask_wait(&asked);
	promise(asked.status == MC_OK && asked.len == sizeof(first) &&
	    ((struct replica_news *)asked.data)->what == REPLICA_DELETED,
	    "whoever waits is told at once");
	ask_free(&asked);
	ask_start(&asked, put_news, &(struct news_args){ latest(), 60000 });
	ask_cancel(&asked);
	ask_wait(&asked);
	ask_free(&asked);
	promise(news(latest(), 0, &first) == 0, "whoever leaves harms nobody");
}

static struct tcapw_change many[FLIGHT];

static struct wmq_pointer
append_many(void)
{
	static struct asked asked[FLIGHT];
	struct wmq_pointer last = { .seq = 0 };

	for (unsigned i = 0; i < FLIGHT; i++) {
		many[i] = change_of(TCAPW_CHANGE, 100 + i, TCAPW_LOCKED);
		ask_start(&asked[i], put_append, &many[i]);
	}
	for (unsigned i = 0; i < FLIGHT; i++) {
		ask_wait(&asked[i]);
		if (asked[i].len == sizeof(last))
			memcpy(&last, asked[i].data, sizeof(last));
		ask_free(&asked[i]);
	}
	return last;
}

static void
falling_behind(void)
{
	struct replica_news first;
	uint64_t before = latest();
	bool fine = true;

	for (unsigned i = 0; i < 2; i++)
		fine = fine && reached(append_many()) == MC_OK;
	promise(fine && news(before, 0, &first) == REPLICA_NEWS_MAX &&
	    first.number == before + 1, "at most %d news come at once",
	    REPLICA_NEWS_MAX);
	for (unsigned i = 0; i < MANY / FLIGHT; i++)
		fine = fine && reached(append_many()) == MC_OK;
	promise(fine && news(before, 0, &first) == 1 &&
	    first.what == REPLICA_ANYTHING && first.number == latest(),
	    "whoever asks too late is told that it may be anything");
	promise(news(first.number, 0, &first) == 0, "and goes on from there");
}

static void
run(void)
{
	reaching();
	telling();
	waiting();
	falling_behind();
}

static const struct contract_phase phases[] = {
	{ "changes and news", run, false },
	{ 0 }
};

const struct contract_suite contract_replica = {
	REPLICA_SERVICE, .also = { { WMQ_SERVICE, false } }, .phases = phases
};
