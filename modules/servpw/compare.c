/* SPDX-License-Identifier: MIT */
/*
 * compare - is this store what the server's store is?  The server says now
 * and then what it holds at which pointer; the positions that this store went
 * through are kept for a while, so that the two are compared at the same one.
 */
#include "servpw.h"

#include <metacube/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
ring_put(struct servpw *servpw, const struct tcapw_position *at)
{
	servpw->ring[at->pointer.seq % RING_SIZE] = *at;
}

void
ring_clear(struct servpw *servpw)
{
	memset(servpw->ring, 0, RING_SIZE * sizeof(*servpw->ring));
	memset(&servpw->checkpoint, 0, sizeof(servpw->checkpoint));
}

static bool
is_pointer(const struct wmq_pointer *a, const struct wmq_pointer *b)
{
	return a->seq == b->seq &&
	    memcmp(a->epoch, b->epoch, sizeof(a->epoch)) == 0;
}

int
ring_compare(const struct servpw *servpw, const struct tcapw_position *said)
{
	const struct tcapw_position *own =
	    &servpw->ring[said->pointer.seq % RING_SIZE];

	if (said->pointer.seq == 0 ||
	    !is_pointer(&own->pointer, &said->pointer))
		return -1;
	return own->count == said->count && memcmp(own->digest, said->digest,
	    sizeof(own->digest)) == 0;
}

void
position_format(const struct tcapw_position *at, char *text, size_t size)
{
	char digest[33];

	mc_hex(digest, at->digest, 16);
	snprintf(text, size, "%" PRIu64 " accounts, digest %s", at->count,
	    digest);
}

static void
alarm_raise(struct servpw *servpw, const struct tcapw_position *said)
{
	uint64_t seq = said->pointer.seq;
	char theirs[80], own[80];

	position_format(said, theirs, sizeof(theirs));
	position_format(&servpw->ring[seq % RING_SIZE], own, sizeof(own));
	servpw->diverged = true;
	mc_count(servpw->host, "diverged", 1);
	complain(servpw, "DIVERGED: after change %" PRIu64 " the server has "
	    "%s, but this store %s", seq, theirs, own);
	verify_reached(servpw);
	resync_begin(servpw, CAUSE_DIVERGED);
}

/* One that is ahead is kept until the store has come there. */
static void
compare(struct servpw *servpw, const struct tcapw_position *said)
{
	if (servpw->diverged || servpw->follow == NULL)
		return;
	switch (ring_compare(servpw, said)) {
	case 1:
		servpw->equal_seq = said->pointer.seq;
		mc_count(servpw->host, "compared", 1);
		break;
	case 0:
		alarm_raise(servpw, said);
		break;
	default:
		if (said->pointer.seq > servpw->at.pointer.seq &&
		    servpw->checkpoint.pointer.seq <= servpw->at.pointer.seq)
			servpw->checkpoint = *said;
	}
}

void
compare_reached(struct servpw *servpw)
{
	struct tcapw_position said = servpw->checkpoint;

	verify_reached(servpw);
	if (said.pointer.seq == 0 ||
	    said.pointer.seq > servpw->at.pointer.seq)
		return;
	memset(&servpw->checkpoint, 0, sizeof(servpw->checkpoint));
	compare(servpw, &said);
}

static void
head_heard(struct servpw *servpw)
{
	uint64_t head = servpw->said.head.seq, at = servpw->at.pointer.seq;

	mc_gauge(servpw->host, "lag", head > at ? (int64_t)(head - at) : 0);
	if (servpw->phase == PHASE_LEVEL && at >= head)
		servpw->level_ms = mc_now_ms();
}

static void
was_said(void *owner, const struct mc_reply *reply)
{
	struct servpw *servpw = owner;
	const struct mirror_state *said =
	    MC_RESULT(reply, struct mirror_state);

	if (said != NULL) {
		servpw->said = *said;
		head_heard(servpw);
		compare(servpw, &said->checkpoint);
	}
	compare_begin(servpw);
}

static void
ask(void *owner)
{
	struct servpw *servpw = owner;

	mirror_state(&servpw->mirror, false, &servpw->said_call, was_said,
	    servpw);
}

void
compare_begin(struct servpw *servpw)
{
	if (servpw->mirror.ops != NULL && servpw->phase != PHASE_STOPPED)
		mc_timer_set(servpw->host, &servpw->said_timer,
		    (unsigned)servpw->conf->compare_ms, ask, servpw);
}
