/* SPDX-License-Identifier: MIT */
/*
 * review - all who are on worlds, or on their way there, when some may have to
 * go of whom nobody says it: this gateway was not here when the news came;
 * the taskmaster was started again and has forgotten whom it was to evict
 * (its doubt is another one); the whole store was replaced.
 *
 *	poll --> the doubt is the one that was looked into: later, again
 *	     --> position --> list --> look up each of it --> list ...
 *
 * A user has the generation of the account's sessions from the login; in the
 * store it has grown since if they have to go.  A store that is behind proves
 * nothing: what it does not know yet becomes news.  Only a store that was
 * replaced may never come to where it was, so a while afterwards everything
 * counts that is not as it was at the login.
 */
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>

#define POLL_MS		1000
#define AHEAD_MAX	256	/* evictions that wait; news must not */
#define BEHIND_MS	60000	/* to come to where the old store was */

struct review {
	struct gateway		*gateway;
	uint64_t		 done;		/* the doubt looked into */
	uint64_t		 doubt;		/* being looked into */
	uint64_t		 replaced_ms;	/* look once more; 0: no */
	bool			 thorough;	/* this is once more */
	uint64_t		 last_uid;	/* of the store */
	struct taskmaster_players list;
	size_t			 at;		/* in the list */
	struct mc_call		*call;
	struct mc_timer		*timer;
};

static void poll(void *owner);
static void look_next(void *owner);

static void
poll_later(struct review *review)
{
	mc_timer_set(review->gateway->host, &review->timer, POLL_MS, poll,
	    review);
}

/* Why this one has to go; UNSPECIFIED: no reason. */
static Metacube__Reason
fault(const struct review *review, const struct taskmaster_player *player,
    const struct tcapw_account *account)
{
	if (account == NULL || account->uid != player->uid)
		return review->thorough || player->uid <= review->last_uid ?
		    METACUBE__REASON__ACCOUNT_CHANGED :
		    METACUBE__REASON__UNSPECIFIED;
	if (account->generation <= player->generation && !review->thorough)
		return METACUBE__REASON__UNSPECIFIED;
	if ((account->flags & TCAPW_LOCKED) != 0)
		return METACUBE__REASON__ACCOUNT_LOCKED;
	return account->generation != player->generation ?
	    METACUBE__REASON__ACCOUNT_CHANGED :
	    METACUBE__REASON__UNSPECIFIED;
}

static void
judge(struct review *review, const struct tcapw_account *account)
{
	const struct taskmaster_player *player =
	    &review->list.players[review->at++];
	Metacube__Reason reason = fault(review, player, account);

	if (reason == METACUBE__REASON__UNSPECIFIED)
		return;
	mc_count(review->gateway->host, "reviewed_out", 1);
	mc_log(review->gateway->host, MC_NOTE, "%s (user %" PRIu64 ") is on "
	    "a world with a login that does not count any more",
	    player->display, player->uid);
	news_evict(review->gateway, player->uid, reason);
}

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct review *review = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);

	if (account == NULL && reply->status != MC_NOT_FOUND) {
		mc_timer_set(review->gateway->host, &review->timer, POLL_MS,
		    look_next, review);
		return;
	}
	judge(review, account);
	look_next(review);
}

static void
review_over(struct review *review)
{
	review->done = review->doubt;
	if (review->thorough)
		review->replaced_ms = 0;
	poll_later(review);
}

static void
listed(void *owner, const struct mc_reply *reply)
{
	struct review *review = owner;
	const struct taskmaster_players *list =
	    MC_RESULT(reply, struct taskmaster_players);

	if (list == NULL)
		poll_later(review);	/* from the beginning */
	else if (list->count == 0)
		review_over(review);
	else {
		review->list = *list;
		review->at = 0;
		look_next(review);
	}
}

static void
list_ask(struct review *review, uint64_t after)
{
	taskmaster_players(&review->gateway->taskmaster, after,
	    &review->call, listed, review);
}

static void
look_next(void *owner)
{
	struct review *review = owner;
	const struct taskmaster_players *list = &review->list;
	char name[MC_NAME_SIZE];

	if (news_waiting(review->gateway) > AHEAD_MAX) {
		mc_timer_set(review->gateway->host, &review->timer, POLL_MS,
		    look_next, review);
		return;
	}
	while (review->at < list->count && mc_name_fold(
	    list->players[review->at].display, name) != NULL)
		judge(review, NULL);	/* no account is called that */
	if (review->at < list->count)
		tcapw_lookup(&review->gateway->tcapw, name, &review->call,
		    looked_up, review);
	else
		list_ask(review, list->players[list->count - 1].number);
}

/* Before the lookups: whoever has come into the store since is found. */
static void
positioned(void *owner, const struct mc_reply *reply)
{
	struct review *review = owner;
	const struct tcapw_position *position =
	    MC_RESULT(reply, struct tcapw_position);

	if (position == NULL) {
		poll_later(review);
		return;
	}
	review->last_uid = position->last_uid;
	list_ask(review, 0);
}

static void
polled(void *owner, const struct mc_reply *reply)
{
	struct review *review = owner;
	const struct taskmaster_players *list =
	    MC_RESULT(reply, struct taskmaster_players);

	review->thorough = review->replaced_ms != 0 &&
	    mc_now_ms() >= review->replaced_ms;
	if (list == NULL ||
	    (list->doubt == review->done && !review->thorough)) {
		poll_later(review);
		return;
	}
	review->doubt = list->doubt;
	mc_count(review->gateway->host, "reviews", 1);
	tcapw_position(&review->gateway->tcapw, &review->call, positioned,
	    review);
}

static void
poll(void *owner)
{
	struct review *review = owner;

	taskmaster_players(&review->gateway->taskmaster, UINT64_MAX,
	    &review->call, polled, review);
}

void
review_again(struct gateway *gateway)
{
	struct review *review = gateway->review;

	if (review == NULL)
		return;
	mc_call_cancel(&review->call);
	mc_timer_clear(&review->timer);
	review->done = 0;
	review->replaced_ms = mc_now_ms() + BEHIND_MS;
	poll(review);
}

void
review_start(struct gateway *gateway)
{
	if (gateway->tcapw.ops == NULL)
		return;
	gateway->review = mc_zalloc(sizeof(*gateway->review));
	gateway->review->gateway = gateway;
	poll(gateway->review);
}

void
review_stop(struct gateway *gateway)
{
	struct review *review = gateway->review;

	if (review == NULL)
		return;
	mc_call_cancel(&review->call);
	mc_timer_clear(&review->timer);
	free(review);
	gateway->review = NULL;
}
