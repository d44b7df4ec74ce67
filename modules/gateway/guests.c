/* SPDX-License-Identifier: MIT */
/*
 * guests - whom this gateway has sent into worlds, for the one case in which
 * nobody says whose account has changed: the whole store was replaced.  Then
 * each of them is looked up, and who is locked, gone, or has another password
 * has to go.
 *
 * Of a verifier only a mark is kept, taken from the store when the guest is
 * sent.  The latest GUESTS_MAX are remembered, in the order in which they were
 * sent; so those without a mark yet are the last ones.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include <sys/queue.h>

#define GUESTS_MAX	65536
#define BUCKETS		4096
#define RETRY_MS	1000
#define BEHIND_MS	60000	/* to come to where the old store was */

struct guest {
	TAILQ_ENTRY(guest)	 link;
	LIST_ENTRY(guest)	 chain;
	uint64_t		 uid, mark;	/* 0: none (yet) */
	char			 name[MC_NAME_SIZE];
};

struct guests {
	struct gateway		*gateway;
	TAILQ_HEAD(, guest)	 all;
	LIST_HEAD(, guest)	 buckets[BUCKETS];
	size_t			 count;
	struct guest		*unmarked;	/* and all after it */
	struct guest		*next;		/* to be looked at again */
	uint64_t		 seen;		/* newest change of a guest */
	uint64_t		 until_ms;	/* the store may be behind it */
	struct mc_call		*marking, *looking;
	struct mc_timer		*again;
};

static void mark_next(struct guests *);
static void look_next(void *owner);
static void position_ask(void *owner);

/* FNV-1a; a verifier has its own salt. */
static uint64_t
mark_of(const char *verifier)
{
	uint64_t mark = 14695981039346656037u;

	for (; *verifier != '\0'; verifier++)
		mark = (mark ^ (uint8_t)*verifier) * 1099511628211u;
	return mark != 0 ? mark : 1;
}

static struct guest *
guest_find(struct guests *guests, uint64_t uid)
{
	struct guest *guest;

	LIST_FOREACH(guest, &guests->buckets[uid % BUCKETS], chain)
		if (guest->uid == uid)
			return guest;
	return NULL;
}

/* Out of the order; whoever was about to look at it goes on behind it. */
static void
guest_unlink(struct guests *guests, struct guest *guest)
{
	if (guests->unmarked == guest) {
		mc_call_cancel(&guests->marking);
		guests->unmarked = TAILQ_NEXT(guest, link);
	}
	if (guests->next == guest) {
		mc_call_cancel(&guests->looking);
		guests->next = TAILQ_NEXT(guest, link);
	}
	TAILQ_REMOVE(&guests->all, guest, link);
	guests->count--;
}

static void
guest_free(struct guests *guests, struct guest *guest)
{
	guest_unlink(guests, guest);
	LIST_REMOVE(guest, chain);
	free(guest);
}

static void
marked(void *owner, const struct mc_reply *reply)
{
	struct guests *guests = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);
	struct guest *guest = guests->unmarked;

	if (account != NULL && account->uid == guest->uid) {
		guest->mark = mark_of(account->verifier);
		if (account->seq > guests->seen)
			guests->seen = account->seq;
	}
	guests->unmarked = TAILQ_NEXT(guest, link);
	mark_next(guests);
}

static void
mark_next(struct guests *guests)
{
	if (guests->unmarked != NULL && guests->marking == NULL)
		tcapw_lookup(&guests->gateway->tcapw, guests->unmarked->name,
		    &guests->marking, marked, guests);
}

void
guests_add(struct gateway *gateway, uint64_t uid,
    const char name[MC_NAME_SIZE])
{
	struct guests *guests = gateway->guests;
	struct guest *guest;

	if (guests == NULL)
		return;
	guest = guest_find(guests, uid);
	if (guest == NULL) {
		guest = mc_zalloc(sizeof(*guest));
		guest->uid = uid;
		memcpy(guest->name, name, sizeof(guest->name));
		LIST_INSERT_HEAD(&guests->buckets[uid % BUCKETS], guest,
		    chain);
	} else
		guest_unlink(guests, guest);
	guest->mark = 0;
	TAILQ_INSERT_TAIL(&guests->all, guest, link);
	if (guests->unmarked == NULL)
		guests->unmarked = guest;
	if (++guests->count > GUESTS_MAX)
		guest_free(guests, TAILQ_FIRST(&guests->all));
	mark_next(guests);
	if (guests->again == NULL)
		look_next(guests);
}

/* Why this guest has to go; UNSPECIFIED: no reason. */
static Metacube__Reason
fault(const struct guest *guest, const struct tcapw_account *account)
{
	if (account == NULL || account->uid != guest->uid)
		return METACUBE__REASON__ACCOUNT_CHANGED;
	if ((account->flags & TCAPW_LOCKED) != 0)
		return METACUBE__REASON__ACCOUNT_LOCKED;
	if (guest->mark != 0 && guest->mark != mark_of(account->verifier))
		return METACUBE__REASON__ACCOUNT_CHANGED;
	return METACUBE__REASON__UNSPECIFIED;
}

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct guests *guests = owner;
	struct guest *guest = guests->next;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);
	Metacube__Reason reason;

	if (account == NULL && reply->status != MC_NOT_FOUND) {
		mc_timer_set(guests->gateway->host, &guests->again, RETRY_MS,
		    look_next, guests);
		return;
	}
	guests->next = TAILQ_NEXT(guest, link);
	reason = fault(guest, account);
	if (reason != METACUBE__REASON__UNSPECIFIED) {
		news_evict(guests->gateway, guest->uid, reason);
		guest_free(guests, guest);
	}
	look_next(guests);
}

static void
look_next(void *owner)
{
	struct guests *guests = owner;

	if (guests->next != NULL && guests->looking == NULL)
		tcapw_lookup(&guests->gateway->tcapw, guests->next->name,
		    &guests->looking, looked_up, guests);
}

/* A freeze is older than what was here before it: what came since is
 * applied first. */
static void
positioned(void *owner, const struct mc_reply *reply)
{
	struct guests *guests = owner;
	const struct tcapw_position *position =
	    MC_RESULT(reply, struct tcapw_position);

	if ((position == NULL || position->pointer.seq < guests->seen) &&
	    mc_now_ms() < guests->until_ms) {
		mc_timer_set(guests->gateway->host, &guests->again, RETRY_MS,
		    position_ask, guests);
		return;
	}
	guests->next = TAILQ_FIRST(&guests->all);
	look_next(guests);
}

static void
position_ask(void *owner)
{
	struct guests *guests = owner;

	tcapw_position(&guests->gateway->tcapw, &guests->looking, positioned,
	    guests);
}

void
guests_review(struct gateway *gateway)
{
	struct guests *guests = gateway->guests;

	if (guests == NULL)
		return;
	mc_call_cancel(&guests->looking);
	mc_timer_clear(&guests->again);
	guests->next = NULL;
	guests->until_ms = mc_now_ms() + BEHIND_MS;
	position_ask(guests);
}

void
guests_start(struct gateway *gateway)
{
	struct guests *guests;

	if (gateway->tcapw.ops == NULL || gateway->replica.ops == NULL)
		return;
	guests = mc_zalloc(sizeof(*guests));
	guests->gateway = gateway;
	TAILQ_INIT(&guests->all);
	gateway->guests = guests;
}

void
guests_stop(struct gateway *gateway)
{
	struct guests *guests = gateway->guests;

	if (guests == NULL)
		return;
	mc_timer_clear(&guests->again);
	mc_call_cancel(&guests->looking);
	while (!TAILQ_EMPTY(&guests->all))
		guest_free(guests, TAILQ_FIRST(&guests->all));
	free(guests);
	gateway->guests = NULL;
}
