/* SPDX-License-Identifier: MIT */
/*
 * news - accounts that were locked, deleted or got another password: their
 * sessions end here at once, and on all worlds by way of the taskmaster.
 *
 * The taskmaster is told in the order of the news, and again until it has
 * answered.  A change that was asked within a session is no news (see
 * tcapw_change.keep_sessions).  When the whole store was replaced, nobody
 * knows what has changed: whoever is logged in here logs in again, and who is
 * on worlds is looked up, as after the start (review.c).
 */
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>

#include <sys/queue.h>

#define RETRY_MS	1000
#define WAITING_MAX	65536

struct eviction {
	STAILQ_ENTRY(eviction)	 link;
	uint64_t		 uid;
	Metacube__Reason	 reason;
};

struct news {
	struct gateway		*gateway;
	uint64_t		 number;	/* of the last one; 0: none */
	struct mc_call		*asked, *evicting;
	struct mc_timer		*again, *evict_again;
	STAILQ_HEAD(, eviction)	 evictions;	/* not answered yet */
	size_t			 waiting;
};

static void news_ask(void *owner);
static void evict_first(void *owner);

static void
eviction_end(struct news *news)
{
	struct eviction *first = STAILQ_FIRST(&news->evictions);

	STAILQ_REMOVE_HEAD(&news->evictions, link);
	free(first);
	mc_gauge(news->gateway->host, "evictions_waiting",
	    (int64_t)--news->waiting);
}

/* MC_DENIED will not become better; everything else may. */
static void
evicted(void *owner, const struct mc_reply *reply)
{
	struct news *news = owner;
	struct mc_host *host = news->gateway->host;

	if (reply->status == MC_DENIED)
		mc_log(host, MC_ERROR, "the taskmaster does not let this "
		    "server end sessions on worlds");
	if (reply->status == MC_OK || reply->status == MC_DENIED) {
		eviction_end(news);
		evict_first(news);
	} else
		mc_timer_set(host, &news->evict_again, RETRY_MS, evict_first,
		    news);
}

static void
evict_first(void *owner)
{
	struct news *news = owner;
	const struct eviction *first = STAILQ_FIRST(&news->evictions);

	if (first == NULL || news->evicting != NULL)
		return;
	taskmaster_evict(&news->gateway->taskmaster, first->uid,
	    first->reason, &news->evicting, evicted, news);
}

void
news_evict(struct gateway *gateway, uint64_t uid, Metacube__Reason reason)
{
	struct news *news = gateway->news;
	struct eviction *eviction = mc_zalloc(sizeof(*eviction));
	bool idle = STAILQ_EMPTY(&news->evictions);

	eviction->uid = uid;
	eviction->reason = reason;
	STAILQ_INSERT_TAIL(&news->evictions, eviction, link);
	mc_gauge(news->gateway->host, "evictions_waiting",
	    (int64_t)++news->waiting);
	if (idle)
		evict_first(news);
}

size_t
news_waiting(const struct gateway *gateway)
{
	return gateway->news->waiting;
}

static void
take(struct news *news, const struct replica_news *piece)
{
	Metacube__Reason reason = piece->what == REPLICA_LOCKED ?
	    METACUBE__REASON__ACCOUNT_LOCKED :
	    METACUBE__REASON__ACCOUNT_CHANGED;

	news->number = piece->number;
	if (piece->what == REPLICA_ANYTHING) {
		mc_log(news->gateway->host, MC_WARN, "the account store was "
		    "replaced: whoever is logged in here has to log in again");
		sessions_cut(news->gateway, 0, NULL,
		    METACUBE__REASON__ACCOUNT_CHANGED);
		review_again(news->gateway);
		return;
	}
	mc_log(news->gateway->host, MC_NOTE, "%s (user %" PRIu64 "): %s: "
	    "open sessions end", piece->name, piece->uid,
	    piece->what == REPLICA_LOCKED ? "locked" :
	    piece->what == REPLICA_DELETED ? "deleted" : "another password");
	sessions_cut(news->gateway, piece->uid, piece->name, reason);
	news_evict(news->gateway, piece->uid, reason);
}

static void
told(void *owner, const struct mc_reply *reply)
{
	struct news *news = owner;
	const struct replica_news *pieces = reply->data;
	size_t count = reply->len / sizeof(*pieces);

	if (reply->status != MC_OK) {
		mc_timer_set(news->gateway->host, &news->again, RETRY_MS,
		    news_ask, news);
		return;
	}
	if (news->number == 0 && count > 0) {
		news->number = pieces[0].number;
		review_start(news->gateway);
	} else
		for (size_t i = 0; i < count; i++)
			take(news, &pieces[i]);
	news_ask(news);
}

/* Too many wait for the taskmaster already: the replica keeps the rest. */
static void
news_ask(void *owner)
{
	struct news *news = owner;

	if (news->waiting >= WAITING_MAX)
		mc_timer_set(news->gateway->host, &news->again, RETRY_MS,
		    news_ask, news);
	else
		replica_news(&news->gateway->replica, news->number,
		    WMQ_WAIT_MAX_MS, &news->asked, told, news);
}

void
news_start(struct gateway *gateway)
{
	struct news *news;

	if (gateway->replica.ops == NULL)
		return;
	news = mc_zalloc(sizeof(*news));
	news->gateway = gateway;
	STAILQ_INIT(&news->evictions);
	gateway->news = news;
	news_ask(news);
}

void
news_stop(struct gateway *gateway)
{
	struct news *news = gateway->news;

	if (news == NULL)
		return;
	mc_call_cancel(&news->asked);
	mc_call_cancel(&news->evicting);
	mc_timer_clear(&news->again);
	mc_timer_clear(&news->evict_again);
	while (!STAILQ_EMPTY(&news->evictions))
		eviction_end(news);
	free(news);
	gateway->news = NULL;
}
