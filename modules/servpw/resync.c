/* SPDX-License-Identifier: MIT */
/*
 * resync - when and from what the store is loaded anew.
 *
 *	begin --> (pause) --> store's and queue's positions
 *	            ^           --> AHEAD: does the server's queue end before?
 *	            |             --> the latest freeze --> judge --> thaw
 *	            +-- anything else: what is wrong is logged ---------+
 *
 * A record that cannot be applied is never skipped: only a freeze that has
 * gone on beyond it helps.  Pauses grow from try to try until the store was
 * level for a minute, and there are no more than resyncs_per_hour loads, so
 * that two sides that can never agree do not load each other to death.
 */
#include "servpw.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SOON_MS		2000	/* somebody does not answer */
#define PAUSE_MIN_MS	1000
#define PAUSE_MAX_MS	600000
#define TRIES_MAX	10	/* by then the pause is the longest */
#define BUSY_AGAIN_MS	250	/* the freeze is being fetched */
#define HOUR_MS		3600000

static void find_store(void *owner);

/* How often. */

size_t
resyncs_lately(const struct servpw *servpw)
{
	const struct resync *resync = &servpw->resync;
	uint64_t now = mc_now_ms();
	size_t n = 0;

	while (n < resync->nbegun && n < RESYNCS_MAX && now <
	    resync->begun_ms[(resync->nbegun - 1 - n) % RESYNCS_MAX] +
	    HOUR_MS)
		n++;
	return n;
}

/* Until one more is allowed; 0: it is. */
static uint64_t
cap_pause(const struct servpw *servpw)
{
	const struct resync *resync = &servpw->resync;
	size_t most = (size_t)servpw->conf->resyncs_per_hour;

	if (resync->forced || resyncs_lately(servpw) < most)
		return 0;
	return resync->begun_ms[(resync->nbegun - most) % RESYNCS_MAX] +
	    HOUR_MS - mc_now_ms();
}

static unsigned
next_pause(struct resync *resync)
{
	unsigned pause = PAUSE_MIN_MS << resync->tries;

	if (resync->tries < TRIES_MAX)
		resync->tries++;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

/* Ends, for now. */

static void
query_answer(struct servpw *servpw, enum mc_status status, const char *text)
{
	struct mc_query *query = servpw->resync.query;

	servpw->resync.query = NULL;
	if (query != NULL)
		mc_query_done(query, status, "%s", text);
}

/* The store goes on with the queue where it can. */
static void
old_goes_on(struct servpw *servpw)
{
	enum cause cause = servpw->resync.cause;

	if (cause == CAUSE_DIVERGED || cause == CAUSE_ASKED)
		follow_begin(servpw);
}

static void __attribute__((format(printf, 3, 4)))
try_later(struct servpw *servpw, unsigned pause_ms, const char *format, ...)
{
	char why[WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (strcmp(why, servpw->resync.why) != 0)
		complain(servpw, "%s; the store stays as it is, trying again "
		    "in %u s", why, pause_ms / 1000);
	snprintf(servpw->resync.why, sizeof(servpw->resync.why), "%s", why);
	if (servpw->phase != PHASE_SHRUNK)
		servpw->phase = PHASE_WAITING;
	servpw->resync.forced = false;
	mc_timer_set(servpw->host, &servpw->resync.timer, pause_ms,
	    find_store, servpw);
	query_answer(servpw, MC_UNAVAILABLE, why);
	old_goes_on(servpw);
}

/* No need any more: the store follows. */
static void
resync_over(struct servpw *servpw)
{
	servpw->resync.active = false;
	servpw->resync.forced = false;
	servpw->resync.why[0] = '\0';
	follow_end(servpw);
	follow_begin(servpw);
}

/* An empty store, and all of the queue is there. */
static bool
may_begin_anew(const struct resync *resync)
{
	return resync->cause == CAUSE_EMPTY && resync->queue.oldest == 1;
}

void
resync_failed(struct servpw *servpw, const char *why)
{
	mc_count(servpw->host, "resyncs_failed", 1);
	if (!may_begin_anew(&servpw->resync)) {
		try_later(servpw, next_pause(&servpw->resync), "%s", why);
		return;
	}
	complain(servpw, "%s; the store is built from the queue", why);
	query_answer(servpw, MC_UNAVAILABLE, why);
	resync_over(servpw);
}

void
resync_loaded(struct servpw *servpw, const struct freeze_header *header)
{
	const struct tcapw_position *at = &header->position;
	char text[80];

	servpw->resyncs++;
	servpw->diverged = false;
	servpw->resync.accept_shrink = false;
	mc_count(servpw->host, "resyncs", 1);
	position_format(at, text, sizeof(text));
	mc_log(servpw->host, MC_WARN, "the store was loaded from the freeze "
	    "at %" PRIu64 ": %s", at->pointer.seq, text);
	store_replaced(servpw, at);
	query_answer(servpw, MC_OK, text);
	resync_over(servpw);
}

/* May this freeze take the store's place? */

static bool
is_epoch(const struct tcapw_position *at, const uint8_t *epoch)
{
	return memcmp(at->pointer.epoch, epoch,
	    sizeof(at->pointer.epoch)) == 0;
}

/* In the same epoch the store goes back only when the queue brings it to
 * where it was, or shows that it was never there. */
static bool
may_go_back(const struct resync *resync)
{
	uint64_t seq = resync->store.pointer.seq;

	return resync->queue.durable >= seq || resync->forced ||
	    (resync->cause == CAUSE_AHEAD && resync->server_known &&
	    resync->head.seq < seq);
}

static bool
is_shrunk(const struct servpw *servpw, uint64_t count)
{
	const struct resync *resync = &servpw->resync;

	return !resync->accept_shrink && (double)count * 100 <
	    (double)resync->store.count * (double)servpw->conf->shrink_limit;
}

enum mc_status
resync_judge(struct servpw *servpw, const struct freeze_header *header,
    char why[WHY_SIZE])
{
	const struct resync *resync = &servpw->resync;
	const struct tcapw_position *freeze = &header->position;
	uint64_t seq = freeze->pointer.seq, was = resync->store.pointer.seq;
	bool same = was > 0 &&
	    is_epoch(&resync->store, freeze->pointer.epoch);

	if (!is_epoch(freeze, resync->queue.epoch))
		snprintf(why, WHY_SIZE, "the freeze is of another epoch than "
		    "the queue");
	else if (resync->queue.oldest > seq + 1)
		snprintf(why, WHY_SIZE, "the freeze ends with change %" PRIu64
		    ", but the queue begins with %" PRIu64, seq,
		    resync->queue.oldest);
	else if (resync->cause == CAUSE_RECORD && same && seq <= was)
		snprintf(why, WHY_SIZE, "the freeze ends with change %" PRIu64
		    ": before the one that cannot be applied", seq);
	else if (same && seq < was && !may_go_back(resync))
		snprintf(why, WHY_SIZE, "the freeze ends with change %" PRIu64
		    ", the store with %" PRIu64 ", and nothing shows that the "
		    "changes between are not lost", seq, was);
	else if (is_shrunk(servpw, freeze->count)) {
		servpw->phase = PHASE_SHRUNK;
		snprintf(why, WHY_SIZE, "the freeze has %" PRIu64 " accounts, "
		    "the store %" PRIu64 ": fewer than shrink_limit = %lld %% "
		    "(metacubectl replica accept-shrink)", freeze->count,
		    resync->store.count,
		    (long long)servpw->conf->shrink_limit);
	} else
		return MC_OK;
	return MC_INVALID;
}

void
resync_loading(struct servpw *servpw)
{
	struct resync *resync = &servpw->resync;

	resync->begun_ms[resync->nbegun++ % RESYNCS_MAX] = mc_now_ms();
	servpw->phase = PHASE_LOADING;
	follow_end(servpw);
}

/* The freeze. */

static void find_freeze(void *owner);

/* Without a freeze a store can only begin where the queue does. */
static void
no_freeze(struct servpw *servpw, const char *why)
{
	const struct resync *resync = &servpw->resync;

	if (!may_begin_anew(resync)) {
		resync_failed(servpw, why);
		return;
	}
	mc_log(servpw->host, MC_NOTE, "%s: the store is built from the queue",
	    why);
	resync_over(servpw);
}

/* It is being fetched: for how long? */
static void
await_freeze(struct servpw *servpw)
{
	struct resync *resync = &servpw->resync;
	uint64_t limit_ms = (uint64_t)servpw->conf->freeze_wait_ms;
	char why[WHY_SIZE];

	if (mc_now_ms() - resync->asked_ms < limit_ms) {
		mc_timer_set(servpw->host, &resync->timer, BUSY_AGAIN_MS,
		    find_freeze, servpw);
		return;
	}
	snprintf(why, sizeof(why), "the freeze is still being fetched after %"
	    PRIu64 " s (freeze_wait)", limit_ms / 1000);
	resync_failed(servpw, why);
}

static void
found_freeze(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	struct resync *resync = &servpw->resync;
	const struct freeze_file *file = MC_RESULT(reply, struct freeze_file);
	char why[WHY_SIZE];

	if (reply->status == MC_BUSY)
		await_freeze(servpw);
	else if (reply->status == MC_NOT_FOUND)
		no_freeze(servpw, "there is no freeze");
	else if (file == NULL && resync->renewed) {
		resync->renewed = false;	/* then with what is here */
		find_freeze(servpw);
	} else if (file == NULL)
		try_later(servpw, SOON_MS, "asking for the freeze: %s",
		    mc_status_text(reply->status));
	else if (resync_judge(servpw, &file->header, why) != MC_OK)
		resync_failed(servpw, why);
	else
		resync->thaw = thaw_begin(servpw, file->path);
}

static void
find_freeze(void *owner)
{
	struct servpw *servpw = owner;

	freeze_obtain(&servpw->freeze, servpw->resync.renewed,
	    &servpw->resync.call, found_freeze, servpw);
}

/* The server. */

/* A store that is ahead of the mirror, but not of the server, is what any
 * mirror leaves that begins anew: it only has to wait. */
static void
found_server(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	struct resync *resync = &servpw->resync;
	const struct mirror_state *said =
	    MC_RESULT(reply, struct mirror_state);

	if (said == NULL) {
		try_later(servpw, SOON_MS, "the store is ahead of "
		    "the queue, and the server cannot be asked: %s",
		    mc_status_text(reply->status));
		return;
	}
	resync->server_known = true;
	resync->head = said->head;
	if (is_epoch(&resync->store, said->head.epoch) &&
	    said->head.seq >= resync->store.pointer.seq) {
		mc_log(servpw->host, MC_NOTE, "the mirror is behind the "
		    "store: waiting for it");
		servpw->phase = PHASE_WAITING;
		mc_timer_set(servpw->host, &resync->timer, SOON_MS,
		    find_store, servpw);
	} else
		find_freeze(servpw);
}

static void
find_server(struct servpw *servpw)
{
	struct resync *resync = &servpw->resync;

	resync->server_known = false;
	if (resync->cause != CAUSE_AHEAD)
		find_freeze(servpw);
	else if (servpw->mirror.ops != NULL)
		mirror_state(&servpw->mirror, true, &resync->call,
		    found_server, servpw);
	else {			/* the queue is the server's own */
		resync->server_known = true;
		memcpy(resync->head.epoch, resync->queue.epoch,
		    sizeof(resync->head.epoch));
		resync->head.seq = resync->queue.durable;
		find_freeze(servpw);
	}
}

/* Store and queue, as they are now: much may have changed in the pause. */

static bool
may_follow(const struct resync *resync)
{
	const struct tcapw_position *store = &resync->store;
	const struct wmq_position *queue = &resync->queue;

	return (resync->cause == CAUSE_GONE || resync->cause == CAUSE_EPOCH ||
	    resync->cause == CAUSE_AHEAD) && store->pointer.seq > 0 &&
	    is_epoch(store, queue->epoch) &&
	    store->pointer.seq <= queue->durable &&
	    queue->oldest <= store->pointer.seq + 1;
}

static void
found_queue(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	struct resync *resync = &servpw->resync;
	const struct wmq_position *queue =
	    MC_RESULT(reply, struct wmq_position);

	if (queue == NULL) {
		try_later(servpw, SOON_MS, "asking the queue: %s",
		    mc_status_text(reply->status));
		return;
	}
	resync->queue = *queue;
	resync->renewed = true;
	resync->asked_ms = mc_now_ms();
	if (may_follow(resync)) {
		mc_log(servpw->host, MC_NOTE, "the queue has come to where "
		    "the store is");
		resync_over(servpw);
	} else
		find_server(servpw);
}

static void
found_store(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	const struct tcapw_position *store =
	    MC_RESULT(reply, struct tcapw_position);

	if (store == NULL) {
		try_later(servpw, SOON_MS, "asking the account store: %s",
		    mc_status_text(reply->status));
		return;
	}
	servpw->resync.store = *store;
	wmq_position(&servpw->wmq, &servpw->resync.call, found_queue, servpw);
}

static void
find_store(void *owner)
{
	struct servpw *servpw = owner;
	struct resync *resync = &servpw->resync;
	uint64_t pause = cap_pause(servpw);

	if (pause > 0) {
		try_later(servpw, (unsigned)pause, "the store was loaded %zu "
		    "times within an hour (resyncs_per_hour)",
		    resyncs_lately(servpw));
		return;
	}
	servpw->phase = PHASE_FETCHING;
	tcapw_position(&servpw->tcapw, &resync->call, found_store, servpw);
}

/* Begins. */

/* The first one at once, the next ones of a row after a pause. */
void
resync_begin(struct servpw *servpw, enum cause cause)
{
	struct resync *resync = &servpw->resync;
	unsigned tries = resync->tries, pause = next_pause(resync);

	if (resync->active)
		return;
	resync->active = true;
	resync->cause = cause;
	servpw->phase = PHASE_WAITING;
	mc_timer_set(servpw->host, &resync->timer, tries == 0 ? 0 : pause,
	    find_store, servpw);
}

void
resync_ask(struct servpw *servpw, struct mc_query *query)
{
	struct resync *resync = &servpw->resync;

	if (resync->query != NULL || resync->thaw != NULL) {
		mc_query_done(query, MC_BUSY, "a resync is under way");
		return;
	}
	resync->query = query;
	resync->forced = true;
	if (!resync->active)
		resync->cause = CAUSE_ASKED;
	resync->active = true;
	mc_call_cancel(&resync->call);
	mc_log(servpw->host, MC_WARN, "a resync was asked for");
	mc_timer_set(servpw->host, &resync->timer, 0, find_store, servpw);
}

void
resync_accept_shrink(struct servpw *servpw)
{
	servpw->resync.accept_shrink = true;
	mc_log(servpw->host, MC_WARN, "the next freeze may be of any size");
	if (servpw->phase == PHASE_SHRUNK)
		mc_timer_set(servpw->host, &servpw->resync.timer, 0,
		    find_store, servpw);
}

void
resync_end(struct servpw *servpw)
{
	struct resync *resync = &servpw->resync;

	mc_call_cancel(&resync->call);
	mc_timer_clear(&resync->timer);
	thaw_stop(&resync->thaw);
	query_answer(servpw, MC_UNAVAILABLE, "the server stops");
}
