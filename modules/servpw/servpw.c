/* SPDX-License-Identifier: MIT */
/*
 * servpw - keeps this server's account store level with the account server's.
 *
 * It follows the queue (follow.h); when the store cannot follow it, the store
 * is loaded from a freeze, and follows from there.  While that goes on, the
 * old store answers: logins do not wait for a resync.
 *
 *	start --> store empty? --yes--> resync <---------------------+
 *	                 | no            | loaded                    |
 *	                 v               v                           |
 *	               follow <----------+                           |
 *	                 | gone, other epoch, ahead, unknown record, |
 *	                 +-- or another digest than the server's ----+
 *
 * Not decided here: who may log in (auth), and who is thrown out (gateway,
 * which reads the news).
 */
#include "servpw.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_AGAIN_MS	1000
#define ACKNOWLEDGE_MS	100	/* at most so often */
#define CALM_MS		60000	/* level for so long: no resync loop */

void
complain(struct servpw *servpw, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(servpw->error, sizeof(servpw->error), format, args);
	va_end(args);
	servpw->error_ms = mc_time_ms();
	mc_count(servpw->host, "errors", 1);
	mc_log(servpw->host, MC_ERROR, "%s", servpw->error);
}

/* Where the store is. */

static void
acknowledge(void *owner)
{
	struct servpw *servpw = owner;

	mirror_acknowledge(&servpw->mirror, &servpw->at);
}

static void
acknowledge_soon(struct servpw *servpw)
{
	if (servpw->mirror.ops != NULL && servpw->acknowledge == NULL)
		mc_timer_set(servpw->host, &servpw->acknowledge,
		    ACKNOWLEDGE_MS, acknowledge, servpw);
}

static void
moved(struct servpw *servpw, const struct tcapw_position *at)
{
	servpw->at = *at;
	ring_put(servpw, at);
	mc_gauge(servpw->host, "seq", (int64_t)at->pointer.seq);
	acknowledge_soon(servpw);
}

void
store_replaced(struct servpw *servpw, const struct tcapw_position *at)
{
	ring_clear(servpw);
	moved(servpw, at);
	pwq_board_replaced(servpw->board, &at->pointer);
}

/* Following. */

/* It was level for a while: what follows is no loop. */
static void
calmed(void *owner)
{
	struct servpw *servpw = owner;

	servpw->resync.tries = 0;
}

static void
level(void *owner, const struct tcapw_position *at)
{
	struct servpw *servpw = owner;

	moved(servpw, at);
	pwq_board_found(servpw->board, &at->pointer);
	servpw->level_ms = mc_now_ms();
	if (!servpw->resync.active)
		servpw->phase = PHASE_LEVEL;
	mc_timer_set(servpw->host, &servpw->calm, CALM_MS, calmed, servpw);
	mc_log(servpw->host, MC_NOTE, "level with the queue at %" PRIu64
	    ", %" PRIu64 " accounts", at->pointer.seq, at->count);
	compare_reached(servpw);
}

static void
applied(void *owner, const struct pwq_applied *change)
{
	struct servpw *servpw = owner;

	moved(servpw, &change->position);
	pwq_board_applied(servpw->board, change);
	mc_count(servpw->host, "applied", 1);
	compare_reached(servpw);
}

static enum cause
cause_of(enum pwq_lost lost)
{
	switch (lost) {
	case PWQ_LOST_GONE:
		return CAUSE_GONE;
	case PWQ_LOST_EPOCH:
		return CAUSE_EPOCH;
	case PWQ_LOST_AHEAD:
		return CAUSE_AHEAD;
	case PWQ_LOST_RECORD:
		break;
	}
	return CAUSE_RECORD;
}

static void
lost(void *owner, enum pwq_lost lost, const char *why)
{
	struct servpw *servpw = owner;

	follow_end(servpw);
	complain(servpw, "the store cannot follow the queue: %s", why);
	resync_begin(servpw, cause_of(lost));
}

void
follow_begin(struct servpw *servpw)
{
	static const struct pwq_follow_ops ops = { level, applied, lost };

	if (servpw->follow != NULL)
		return;
	if (!servpw->resync.active)
		servpw->phase = PHASE_CATCHING_UP;
	servpw->follow = pwq_follow_new(servpw->host, &servpw->tcapw,
	    &servpw->wmq, &ops, servpw);
}

void
follow_end(struct servpw *servpw)
{
	mc_timer_clear(&servpw->calm);
	pwq_follow_free(&servpw->follow);
}

/* The begin: what does the store hold? */

static void find_store(void *owner);

static void
found_store(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	const struct tcapw_position *at =
	    MC_RESULT(reply, struct tcapw_position);

	if (at == NULL) {
		mc_log(servpw->host, MC_WARN, "asking the account store: %s",
		    mc_status_text(reply->status));
		mc_timer_set(servpw->host, &servpw->again, START_AGAIN_MS,
		    find_store, servpw);
		return;
	}
	moved(servpw, at);
	if (at->pointer.seq == 0) {
		mc_log(servpw->host, MC_NOTE, "the account store is empty");
		resync_begin(servpw, CAUSE_EMPTY);
		return;
	}
	pwq_board_found(servpw->board, &at->pointer);
	follow_begin(servpw);
}

static void
find_store(void *owner)
{
	struct servpw *servpw = owner;

	tcapw_position(&servpw->tcapw, &servpw->call, found_store, servpw);
}

/* Service "replica". */

static void
reached(void *state, const struct wmq_pointer *pointer, struct mc_call *call)
{
	struct servpw *servpw = state;

	pwq_board_reached(servpw->board, pointer, call);
}

static void
news(void *state, uint64_t after, unsigned wait_ms, struct mc_call *call)
{
	struct servpw *servpw = state;

	pwq_board_news(servpw->board, after, wait_ms, call);
}

static const struct replica_ops ops = {
	.reached	= reached,
	.news		= news,
};

/* The module. */

/* A key that is missing now may be there when it is needed. */
static void
keys_try(struct servpw *servpw)
{
	char why[FREEZE_WHY];
	struct freeze_keys *keys =
	    freeze_keys_load(servpw->conf->key_files, why);

	if (keys == NULL)
		mc_log(servpw->host, MC_WARN, "key_files: %s; without it no "
		    "freeze can be read", why);
	freeze_keys_free(&keys);
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct servpw *servpw = state;

	servpw->host = host;
	servpw->conf = conf;
	servpw->board = pwq_board_new(host);
	servpw->ring = mc_zalloc(RING_SIZE * sizeof(*servpw->ring));
	keys_try(servpw);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct servpw *servpw = state;

	servpw->level_ms = mc_now_ms();
	mc_commands(servpw->host, commands, servpw);
	find_store(servpw);
	compare_begin(servpw);
	return MC_OK;
}

static enum mc_status
reload(void *state, const void *conf)
{
	struct servpw *servpw = state;

	servpw->conf = conf;
	return MC_OK;
}

static void
stop(void *state)
{
	struct servpw *servpw = state;

	servpw->phase = PHASE_STOPPED;
	mc_call_cancel(&servpw->call);
	mc_call_cancel(&servpw->said_call);
	mc_timer_clear(&servpw->again);
	mc_timer_clear(&servpw->acknowledge);
	mc_timer_clear(&servpw->said_timer);
	follow_end(servpw);
	resync_end(servpw);
	verify_end(servpw, MC_UNAVAILABLE, "the server stops");
	pwq_board_close(servpw->board);
}

static void
fini(void *state)
{
	struct servpw *servpw = state;

	thaw_stop(&servpw->resync.thaw);
	pwq_follow_free(&servpw->follow);
	pwq_board_free(&servpw->board);
	free(servpw->ring);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, key_files), .type = MC_STRING,
	  .fallback = STATE_DIR "/freeze.key", .min = 1, .max = 4096,
	  .help = "Files with the keys of freezes, separated by commas; "
	  "\"credential:NAME\" is a credential of systemd." },
	{ MC_FIELD(struct conf, shrink_limit), .type = MC_INT,
	  .fallback = "80", .min = 0, .max = 100,
	  .help = "A freeze with fewer than so many per cent of the accounts "
	  "that are here is refused, until `metacubectl replica "
	  "accept-shrink' allows it." },
	{ MC_FIELD(struct conf, resyncs_per_hour), .type = MC_INT,
	  .fallback = "6", .min = 1, .max = RESYNCS_MAX,
	  .help = "So often within an hour the store is loaded from a freeze, "
	  "unless somebody asks for it." },
	{ MC_FIELD_AS("freeze_wait", struct conf, freeze_wait_ms),
	  .type = MC_DURATION, .fallback = "1h", .min = 1000,
	  .max = 604800000,
	  .help = "How long the freeze may be fetched; then that is an "
	  "error, and it is asked for again later." },
	{ MC_FIELD_AS("compare_every", struct conf, compare_ms),
	  .type = MC_DURATION, .fallback = "5s", .min = 100, .max = 3600000,
	  .help = "How often the store is compared with what the server says "
	  "that it holds." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	REPLICA_PROVIDE(&ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct servpw, tcapw), false },
	{ WMQ_SERVICE, offsetof(struct servpw, wmq), false },
	{ FREEZE_SERVICE, offsetof(struct servpw, freeze), false },
	{ MIRROR_SERVICE, offsetof(struct servpw, mirror), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "servpw",
	.version	= "0.1.0",
	.summary	= "Replica of the account database",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct servpw),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
