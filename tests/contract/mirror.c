/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/mirror.h and, of metacube/replica.h, those of
 * service "replicas": both ends of the same line.  The suites put records into
 * the queue that is mirrored, and say what a store would acknowledge.
 */
#include "frame.h"

#include <metacube/mirror.h>
#include <metacube/replica.h>

#include <string.h>
#include <unistd.h>

#define PATIENCE	1200	/* tries, 50 ms each */

/* Of contract_ref: for "mirror" the mirror, its queue, and the one that it
 * mirrors; for "replicas" those who serve, and the mirror. */
#define SOURCE		2
#define LINE		1

static unsigned mirror_ref;

static void
put_append(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	(void)args;
	wmq_append(contract_ref(SOURCE), "tst", "a record", 8, slot, done,
	    owner);
}

static void
put_state(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	mirror_state(contract_ref(mirror_ref), *(bool *)args, slot, done,
	    owner);
}

static void
put_list(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	(void)args;
	replicas_list(contract_ref(0), slot, done, owner);
}

static void
put_give_up(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	replicas_give_up(contract_ref(0), args, slot, done, owner);
}

static struct mirror_state
state_of(bool fresh)
{
	struct mirror_state state = { .connected = false };

	ask(put_state, &fresh, &state, sizeof(state));
	return state;
}

/* As it is when all of the queue is here, up to this record at least. */
static struct mirror_state
level_at(uint64_t seq)
{
	struct mirror_state state = state_of(false);

	for (unsigned i = 0; i < PATIENCE && !(state.connected &&
	    state.level && state.fetched >= seq); i++) {
		usleep(50000);
		state = state_of(false);
	}
	return state;
}

static void
following(void)
{
	struct wmq_pointer first = { .seq = 0 }, next = { .seq = 0 };
	struct mirror_state state;
	uint64_t before_ms;

	ask(put_append, NULL, &first, sizeof(first));
	state = level_at(first.seq);
	promise(state.connected && strncmp(state.server, "antp://", 7) == 0,
	    "it says whom it mirrors");
	promise(state.level && state.fetched == first.seq &&
	    memcmp(&state.head, &first, sizeof(first)) == 0,
	    "and that all of it is here");
	ask(put_append, NULL, &next, sizeof(next));
	state = level_at(next.seq);
	promise(state.fetched == next.seq && state.head.seq == next.seq,
	    "what is new comes by itself");
	promise(state.received > 0 && !state.halted && state.freeze[0] == '\0',
	    "nothing is left in transfer");
	before_ms = mc_time_ms();
	state = state_of(true);
	promise(state.heard_ms >= before_ms, "fresh is what the server says "
	    "after it was asked");
}

static void
mirror_begin(void)
{
	mirror_ref = 0;
	following();
}

static void
mirror_again(void)
{
	mirror_ref = 0;
	promise(state_of(false).fetched > 0,
	    "what is here is known before a server has answered");
	following();
}

static void
acknowledge(void *position)
{
	mirror_acknowledge(contract_ref(LINE), position);
}

/* The one entry that there is; zeroes: there is another number of them. */
static struct replicas_entry
entry_of(void)
{
	struct replicas_entry entry = { .name = "" };
	struct asked asked;

	ask_start(&asked, put_list, NULL);
	ask_wait(&asked);
	if (asked.status == MC_OK && asked.len == sizeof(entry))
		memcpy(&entry, asked.data, sizeof(entry));
	ask_free(&asked);
	return entry;
}

static bool
is_acknowledged(const struct tcapw_position *position)
{
	struct replicas_entry entry;

	for (unsigned i = 0; i < PATIENCE; i++) {
		entry = entry_of();
		if (memcmp(&entry.acknowledged, position,
		    sizeof(*position)) == 0)
			return true;
		usleep(50000);
	}
	return false;
}

static struct tcapw_position
position_at(uint64_t seq)
{
	struct tcapw_position position = {
		.pointer.seq = seq, .count = seq + 1
	};

	memset(position.pointer.epoch, 7, sizeof(position.pointer.epoch));
	memset(position.digest, 9, sizeof(position.digest));
	return position;
}

static void
registered(void)
{
	struct tcapw_position five = position_at(5), six = position_at(6);
	struct replicas_entry entry;

	mirror_ref = LINE;
	on_loop(acknowledge, &five);
	promise(is_acknowledged(&five), "a replica is known by what it "
	    "acknowledges");
	entry = entry_of();
	promise(entry.name[0] != '\0' && entry.connected && !entry.resync &&
	    entry.seen_ms <= mc_time_ms() && entry.progress_ms != 0 &&
	    entry.progress_ms <= entry.seen_ms, "with its name, when it was "
	    "seen, and since when it has made no progress");
	on_loop(acknowledge, &six);
	promise(is_acknowledged(&six), "and goes on");
	promise(ask(put_give_up, (void *)"nobody", NULL, 0) == MC_NOT_FOUND,
	    "nobody else can be given up");
	promise(ask(put_give_up, entry.name, NULL, 0) == MC_OK &&
	    entry_of().resync, "one that is given up is no longer waited for");
	promise(ask(put_give_up, entry.name, NULL, 0) == MC_OK,
	    "once more does nothing");
}

static void
remembered(void)
{
	struct replicas_entry entry = entry_of();
	struct tcapw_position six = position_at(6);

	promise(entry.name[0] != '\0' && memcmp(&entry.acknowledged, &six,
	    sizeof(six)) == 0, "who was ever here is remembered, with what it "
	    "acknowledged");
	promise(entry.resync, "and that it was given up");
}

static const struct contract_phase mirror_phases[] = {
	{ "a mirror from nothing", mirror_begin, true },
	{ "after SIGKILL", mirror_again, false },
	{ 0 }
};

const struct contract_suite contract_mirror = {
	MIRROR_SERVICE, .phases = mirror_phases,
	.also = { { WMQ_SERVICE, false }, { WMQ_SERVICE, false } }
};

static const struct contract_phase replicas_phases[] = {
	{ "one replica", registered, false },
	{ "after a stop", remembered, false },
	{ 0 }
};

const struct contract_suite contract_replicas = {
	REPLICAS_SERVICE, .phases = replicas_phases,
	.also = { { MIRROR_SERVICE, false } }
};
