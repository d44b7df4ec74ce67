/* SPDX-License-Identifier: MIT */
/*
 * register.c - what a world says of itself: who it is, what it has, what it
 * runs.  What runs already is taken over as it is; a list that cannot be right
 * takes the whole registration back.
 */
#include "taskmaster.h"

#include <stdlib.h>
#include <string.h>

#define VERSION		1
#define CAPACITY_MAX	1000000
#define MAPS_MAX	50000		/* of one world */
#define EPOCH_AHEAD_MS	86400000	/* clocks may differ */

bool
epoch_wrong(const struct map *map, uint64_t epoch)
{
	if (epoch >> EPOCH_SHIFT > mc_time_ms() + EPOCH_AHEAD_MS)
		return true;
	for (const struct copy *copy = map->copies; copy != NULL;
	    copy = copy->map_next)
		if (copy->epoch == epoch)
			return true;
	return false;
}

/* Register, whose lists come from outside. */
static const char *
register_fault(const Metacube__Register *message)
{
	const char *colon = strrchr(message->endpoint, ':');

	if (!mc_key_valid(message->name))
		return "its name is not valid";
	if (!mc_text_valid(message->endpoint, 127) || colon == NULL ||
	    colon == message->endpoint || colon[1] == '\0')
		return "its endpoint is not host:port";
	if (message->capacity == 0 || message->capacity > CAPACITY_MAX)
		return "its capacity is out of range";
	if (message->n_map > MAPS_MAX || message->n_player > message->capacity)
		return "it has more maps or users than it may";
	if (message->n_title != message->n_map ||
	    message->n_map_capacity != message->n_map ||
	    message->n_running_epoch != message->n_running ||
	    message->n_player_display != message->n_player ||
	    message->n_player_map != message->n_player ||
	    (message->n_player_generation != 0 &&
	    message->n_player_generation != message->n_player))
		return "its lists differ in length";
	for (size_t i = 0; i < message->n_player; i++)
		if (message->player_map[i] >= message->n_running ||
		    !mc_text_valid(message->player_display[i],
		    MC_NAME_SIZE - 1))
			return "its list of players is not valid";
	return NULL;
}

static struct world *
register_world(struct link *link, const Metacube__Register *message,
    const char **why_r)
{
	struct world_terms terms = {
		.name = message->name,
		.endpoint = message->endpoint,
		.capacity = message->capacity,
		.load = message->load < LOAD_MAX ? message->load : LOAD_MAX,
		.nmaps = message->n_map,
		.maps = message->map,
		.titles = message->title,
		.capacities = message->map_capacity,
	};
	struct world *world = world_add(&link->taskmaster->placement, &terms,
	    why_r);

	if (world != NULL) {
		world->owner = link;
		link->world = world;
	}
	return world;
}

static bool
register_running(struct link *link, const Metacube__Register *message,
    size_t i)
{
	struct taskmaster *taskmaster = link->taskmaster;
	struct map *map = map_find(&taskmaster->placement,
	    message->running[i]);
	uint64_t epoch = message->running_epoch[i];
	struct copy *copy;

	if (map == NULL)
		return false;
	if (epoch_wrong(map, epoch))
		epoch = epoch_next(taskmaster);
	else if (epoch > taskmaster->last_epoch)
		taskmaster->last_epoch = epoch;
	copy = copy_add(link->world, map, epoch);
	if (copy == NULL)
		return false;
	crowd_new(taskmaster, copy)->loaded = true;
	return true;
}

/* Who was there when this world went has played on.  What it says of others is
 * believed only while this taskmaster is young and has forgotten itself. */
static bool
is_credible(const struct link *link, uint64_t uid)
{
	const struct taskmaster *taskmaster = link->taskmaster;

	return mc_now_ms() <= taskmaster->started_ms + 2 * TICKET_LIFE_MS ||
	    evictions_missed(taskmaster, link->world->name, uid);
}

/* Who is known, be it on their way, went elsewhere while it was away. */
static void
register_player(struct link *link, const Metacube__Register *message,
    size_t i)
{
	struct taskmaster *taskmaster = link->taskmaster;
	struct map *map = map_find(&taskmaster->placement,
	    message->running[message->player_map[i]]);
	struct copy *copy = copy_find(link->world, map);
	struct player *player = player_find(taskmaster, message->player[i]);

	if (player != NULL)
		link_kick(link, message->player[i], copy,
		    METACUBE__REASON__LOGGED_IN_ELSEWHERE);
	else if (!is_credible(link, message->player[i]))
		link_kick(link, message->player[i], copy,
		    METACUBE__REASON__NOT_ALLOWED);
	else
		player_returned(copy->owner, message->player[i],
		    message->player_display[i],
		    message->n_player_generation != 0 ?
		    message->player_generation[i] : 0);
}

static void
registered_send(struct link *link, uint32_t cid,
    const Metacube__Register *message)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Registered answer = METACUBE__REGISTERED__INIT;
	uint64_t *epochs = mc_zalloc((message->n_running + 1) *
	    sizeof(*epochs));

	for (size_t i = 0; i < message->n_running; i++)
		epochs[i] = copy_find(link->world,
		    map_find(&link->taskmaster->placement,
		    message->running[i]))->epoch;
	answer.n_running_epoch = message->n_running;
	answer.running_epoch = epochs;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REGISTERED;
	envelope.registered = &answer;
	link_send(link, cid, &envelope);
	free(epochs);
}

static void
register_take(struct link *link, uint32_t cid,
    const Metacube__Register *message)
{
	const char *why = NULL;
	struct world *world = register_world(link, message, &why);

	if (world == NULL) {
		link_turn_away_bad(link, cid, why);
		return;
	}
	for (size_t i = 0; i < message->n_running; i++)
		if (!register_running(link, message, i)) {
			link_turn_away_bad(link, cid, "it runs a map that it "
			    "does not have, or one twice");
			return;
		}
	registered_send(link, cid, message);
	link_key(link);
	for (size_t i = 0; i < message->n_player; i++)
		register_player(link, message, i);
	evictions_tell(link->taskmaster, link);
	mc_gauge(link->taskmaster->host, "worlds",
	    link->taskmaster->placement.nworlds);
	mc_log(link->taskmaster->host, MC_NOTE, "%s has registered: %s, "
	    "%zu maps, %zu of them running, room for %u users, %u are there",
	    world->name, world->endpoint, message->n_map, world->ncopies,
	    world->capacity, world->users);
}

/* The name is taken: by a link that is dead and has not noticed, or by one
 * that lives. */
static bool
register_replaces(struct link *link, const char *name)
{
	struct world *world = world_find(&link->taskmaster->placement, name);
	struct link *old;

	if (world == NULL)
		return true;
	old = world->owner;
	if (mc_now_ms() - old->heard_ms <
	    (uint64_t)link->taskmaster->conf->silent_ms / 2)
		return false;
	mc_log(link->taskmaster->host, MC_WARN,
	    "%s has come again, its silent connection is given up", name);
	link_close(old);
	return true;
}

void
register_said(struct link *link, uint32_t cid,
    const Metacube__Register *message)
{
	const struct mc_peer *peer = mc_conn_peer(link->conn);
	const char *why = register_fault(message);

	if (message->version != VERSION)
		link_turn_away(link, cid, METACUBE__REASON__WRONG_VERSION,
		    "this taskmaster speaks version 1");
	else if (link->world != NULL)
		link_turn_away_bad(link, cid, "it has registered already");
	else if (why != NULL)
		link_turn_away_bad(link, cid, why);
	else if (!mc_peer_is(peer, "world") ||
	    strcmp(peer->name, message->name) != 0)
		link_turn_away(link, cid, METACUBE__REASON__NOT_ALLOWED,
		    "its certificate is not of the world server that it "
		    "says it is");
	else if (!register_replaces(link, message->name))
		link_turn_away(link, cid, METACUBE__REASON__NOT_ALLOWED,
		    "a world server of this name is connected already");
	else
		register_take(link, cid, message);
}
