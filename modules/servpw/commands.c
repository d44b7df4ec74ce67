/* SPDX-License-Identifier: MIT */
/*
 * metacubectl replica status|verify|resync|accept-shrink.
 */
#include "servpw.h"

#include <metacube/text.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VERIFY_S	30	/* unless the query says otherwise */
#define VERIFY_MAX_S	3600

/* Status. */

static const char *
phase_word(const struct servpw *servpw)
{
	static const char *const words[] = {
		[PHASE_STARTING] = "starting",
		[PHASE_CATCHING_UP] = "catching-up",
		[PHASE_LEVEL] = "level",
		[PHASE_FETCHING] = "fetching",
		[PHASE_LOADING] = "loading",
		[PHASE_WAITING] = "waiting",
		[PHASE_SHRUNK] = "shrunk",
		[PHASE_STOPPED] = "stopped",
	};

	return servpw->diverged ? "DIVERGED" : words[servpw->phase];
}

static void
row(struct mc_query *query, const char *name, const char *format, ...)
    MC_PRINTF(3, 4);

static void
row(struct mc_query *query, const char *name, const char *format, ...)
{
	char text[WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mc_query_row(query);
	mc_query_cell(query, "%s", name);
	mc_query_cell(query, "%s", text);
}

static void
hex_row(struct mc_query *query, const char *name, const uint8_t bytes[16])
{
	char text[33];

	mc_hex(text, bytes, 16);
	row(query, name, "%s", text);
}

static void
time_row(struct mc_query *query, const char *name, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	if (ms == 0) {
		row(query, name, "never");
		return;
	}
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	row(query, name, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

static void
server_rows(const struct servpw *servpw, struct mc_query *query)
{
	const struct mirror_state *said = &servpw->said;
	uint64_t head = said->head.seq, at = servpw->at.pointer.seq;

	if (servpw->mirror.ops == NULL)
		return;
	row(query, "server", "%s%s", said->server,
	    said->connected ? "" : " (not connected)");
	row(query, "head", "%" PRIu64, head);
	row(query, "lag", "%" PRIu64, head > at ? head - at : 0);
	row(query, "lag_ms", "%" PRIu64, head > at ?
	    mc_now_ms() - servpw->level_ms : 0);
	time_row(query, "heard", said->heard_ms);
	row(query, "compared", "%" PRIu64, servpw->equal_seq);
}

static void
status_answer(struct servpw *servpw, struct mc_query *query)
{
	const struct tcapw_position *at = &servpw->at;

	mc_query_columns(query, "what", "value", NULL);
	row(query, "state", "%s", phase_word(servpw));
	hex_row(query, "epoch", at->pointer.epoch);
	row(query, "seq", "%" PRIu64, at->pointer.seq);
	row(query, "accounts", "%" PRIu64, at->count);
	hex_row(query, "digest", at->digest);
	server_rows(servpw, query);
	row(query, "resyncs", "%" PRIu64 " (%zu within an hour)",
	    servpw->resyncs, resyncs_lately(servpw));
	time_row(query, "failed", servpw->error_ms);
	if (servpw->error_ms != 0)
		row(query, "error", "%s", servpw->error);
	mc_query_done(query, MC_OK, NULL);
}

struct status {
	struct servpw	*servpw;
	struct mc_query	*query;
};

static void
status_said(void *owner, const struct mc_reply *reply)
{
	struct status *status = owner;
	const struct mirror_state *said =
	    MC_RESULT(reply, struct mirror_state);

	if (said != NULL)
		status->servpw->said = *said;
	status_answer(status->servpw, status->query);
	free(status);
}

static void
replica_status(void *state, struct mc_query *query)
{
	struct servpw *servpw = state;
	struct status *status;

	if (servpw->mirror.ops == NULL) {
		status_answer(servpw, query);
		return;
	}
	status = mc_zalloc(sizeof(*status));
	status->servpw = servpw;
	status->query = query;
	mirror_state(&servpw->mirror, false, NULL, status_said, status);
}

/* Verify. */

void
verify_end(struct servpw *servpw, enum mc_status status, const char *text)
{
	struct mc_query *query = servpw->verify.query;

	mc_call_cancel(&servpw->verify.call);
	mc_timer_clear(&servpw->verify.timer);
	memset(&servpw->verify, 0, sizeof(servpw->verify));
	if (query != NULL)
		mc_query_done(query, status, "%s", text);
}

/* Equal is not enough for a store that is ahead of its queue, or has lost it. */
static void
verify_judge(struct servpw *servpw)
{
	const struct tcapw_position *wanted = &servpw->verify.wanted;
	int equal = ring_compare(servpw, wanted);
	bool follows = !servpw->resync.active;
	char text[80], sentence[160 + WHY_SIZE];

	position_format(wanted, text, sizeof(text));
	if (equal == 1 && !follows)
		snprintf(sentence, sizeof(sentence), "equal at %" PRIu64
		    ", but the replica is at %" PRIu64 " and cannot follow: "
		    "%s", wanted->pointer.seq, servpw->at.pointer.seq,
		    servpw->error);
	else if (equal == 1)
		snprintf(sentence, sizeof(sentence), "equal at %" PRIu64
		    ": %s", wanted->pointer.seq, text);
	else if (equal == 0)
		snprintf(sentence, sizeof(sentence), "DIFFERENT at %" PRIu64
		    ": the server has %s", wanted->pointer.seq, text);
	else
		snprintf(sentence, sizeof(sentence), "cannot be compared: "
		    "the store was not at %" PRIu64 " of that epoch",
		    wanted->pointer.seq);
	if (equal == 1)
		servpw->equal_seq = wanted->pointer.seq;
	verify_end(servpw, equal == 1 && follows ? MC_OK : equal == 0 ?
	    MC_INVALID : MC_UNAVAILABLE, sentence);
}

void
verify_reached(struct servpw *servpw)
{
	const struct wmq_pointer *wanted = &servpw->verify.wanted.pointer;

	if (servpw->verify.query != NULL && wanted->seq > 0 &&
	    servpw->at.pointer.seq >= wanted->seq)
		verify_judge(servpw);
}

static void
verify_late(void *owner)
{
	struct servpw *servpw = owner;
	uint64_t wanted = servpw->verify.wanted.pointer.seq;
	char text[120];

	if (wanted == 0)
		snprintf(text, sizeof(text), "the server did not answer");
	else
		snprintf(text, sizeof(text), "the store is at %" PRIu64
		    ", not yet at %" PRIu64, servpw->at.pointer.seq, wanted);
	verify_end(servpw, MC_TIMEOUT, text);
}

static void
verify_said(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	const struct mirror_state *said =
	    MC_RESULT(reply, struct mirror_state);

	if (said == NULL)
		verify_end(servpw, reply->status, "the server did not say "
		    "what it holds");
	else if (said->head.seq == 0 && servpw->at.pointer.seq == 0)
		verify_end(servpw, MC_OK, "equal: nothing has changed yet, "
		    "here or at the server");
	else if (said->checkpoint.pointer.seq == 0)
		verify_end(servpw, MC_UNAVAILABLE, "the server does not say "
		    "what it holds");
	else {
		servpw->said = *said;
		servpw->verify.wanted = said->checkpoint;
		verify_reached(servpw);
	}
}

static void
replica_verify(void *state, struct mc_query *query)
{
	struct servpw *servpw = state;
	const char *arg = mc_query_arg(query, 0);
	char *end = NULL;
	long seconds = arg != NULL ? strtol(arg, &end, 10) : VERIFY_S;

	if (seconds < 1 || seconds > VERIFY_MAX_S ||
	    (end != NULL && *end != '\0'))
		mc_query_done(query, MC_INVALID, "SECONDS is a number from 1 "
		    "to %d", VERIFY_MAX_S);
	else if (servpw->verify.query != NULL)
		mc_query_done(query, MC_BUSY, "somebody verifies already");
	else if (servpw->mirror.ops == NULL)
		mc_query_done(query, MC_UNAVAILABLE, "there is no mirror, so "
		    "no server to compare with");
	else {
		servpw->verify.query = query;
		mc_timer_set(servpw->host, &servpw->verify.timer,
		    (unsigned)seconds * 1000, verify_late, servpw);
		mirror_state(&servpw->mirror, true, &servpw->verify.call,
		    verify_said, servpw);
	}
}

/* Resync. */

static void
replica_resync(void *state, struct mc_query *query)
{
	resync_ask(state, query);
}

static void
replica_accept_shrink(void *state, struct mc_query *query)
{
	resync_accept_shrink(state);
	mc_query_done(query, MC_OK, "the next freeze that is loaded may have "
	    "any number of accounts");
}

const struct mc_command commands[] = {
	{ "replica status", "", 0, 0,
	  "Shows how far the account store is, and what was wrong last.",
	  replica_status },
	{ "replica verify", "[SECONDS]", 0, 1,
	  "Compares the account store with the server's, at the same change.",
	  replica_verify },
	{ "replica resync", "", 0, 0,
	  "Loads the account store from the latest freeze.",
	  replica_resync },
	{ "replica accept-shrink", "", 0, 0,
	  "Allows the next freeze to have far fewer accounts.",
	  replica_accept_shrink },
	{ 0 }
};
