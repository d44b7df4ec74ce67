/* SPDX-License-Identifier: MIT */
/*
 * worlds.c - what those say who have dialled in.
 *
 *	world    -> Register                <- Registered, TicketKey
 *	         -> Report, every second
 *	         <- Load                    -> Loaded or Refused
 *	         -> Unloaded, Arrived, Departed
 *	         <- Kick, TicketKey
 *	both     -> Place                   <- Placed or Refused
 *	         -> ListMaps                <- Maps
 *	gateway, account server
 *	         -> Evict                   <- Evicted or Refused
 *	         -> ListPlayers             <- Players or Refused
 *
 * What a peer may say follows from the roles in its certificate, and a world
 * speaks only for the name in it.
 */
#include "taskmaster.h"

#include <stdio.h>
#include <string.h>

/* What a registered world says of its copies. */
static struct crowd *
crowd_of(const struct link *link, const char *key, uint64_t epoch)
{
	struct map *map = map_find(&link->taskmaster->placement, key);
	struct copy *copy = map != NULL ? copy_find(link->world, map) : NULL;

	return copy != NULL && copy->epoch == epoch ? copy->owner : NULL;
}

/* Nobody has asked for it (any more): a load that was given up, or a copy
 * that was unloaded and runs again for a ticket on its way.  It runs, so it
 * is used; else it would be in nobody's list. */
static void
loaded_unasked(struct link *link, const Metacube__Loaded *message)
{
	struct taskmaster *taskmaster = link->taskmaster;
	struct map *map = map_find(&taskmaster->placement, message->map);
	struct copy *copy;

	if (map == NULL || epoch_wrong(map, message->epoch))
		return;
	copy = copy_add(link->world, map, message->epoch);
	if (copy == NULL)
		return;
	if (message->epoch > taskmaster->last_epoch)
		taskmaster->last_epoch = message->epoch;
	crowd_new(taskmaster, copy)->loaded = true;
	mc_log(taskmaster->host, MC_NOTE, "%s runs %s", link->world->name,
	    map->key);
}

static void
loaded_said(struct link *link, const Metacube__Loaded *message)
{
	struct crowd *crowd = crowd_of(link, message->map, message->epoch);

	if (crowd == NULL)
		loaded_unasked(link, message);
	else if (!crowd->loaded)
		crowd_loaded(crowd);
}

static void
refused_said(struct link *link, uint32_t cid,
    const Metacube__Refused *message)
{
	for (struct copy *copy = link->world->copies; copy != NULL;
	    copy = copy->world_next) {
		struct crowd *crowd = copy->owner;

		if (crowd->loaded || crowd->cid != cid)
			continue;
		crowd_failed(crowd, mc_text_valid(message->text, 200) &&
		    message->text[0] != '\0' ? message->text : "it refused");
		return;
	}
}

static void
unloaded_said(struct link *link, const Metacube__Unloaded *message)
{
	struct crowd *crowd = crowd_of(link, message->map, message->epoch);

	if (crowd == NULL)
		return;
	if (!crowd->loaded) {
		crowd_failed(crowd, "it has unloaded it again");
		return;
	}
	mc_log(link->taskmaster->host, MC_NOTE, "%s has unloaded %s",
	    link->world->name, message->map);
	crowd_free(&crowd);
}

/* Nobody new fits: an honest world has refused them itself. */
static bool
is_beyond(const struct world *world, uint64_t uid)
{
	const struct link *link = world->owner;
	const struct player *player = player_find(link->taskmaster, uid);

	return world->users >= world->capacity && (player == NULL ||
	    player->present == NULL ||
	    player->present->copy->world != world);
}

/* A copy that nobody knows any more must not go on with users, and a world
 * not with more than it has room for. */
static void
arrived_said(struct link *link, const Metacube__Arrived *message)
{
	struct crowd *crowd = crowd_of(link, message->map, message->epoch);

	if (crowd == NULL || is_beyond(link->world, message->uid))
		link_send_back(link, message->uid, message->map,
		    message->epoch);
	else if (!mc_text_valid(message->display, MC_NAME_SIZE - 1))
		link_turn_away_bad(link, 0, "a user's name is not valid");
	else
		player_arrived(crowd, message->uid, message->display,
		    message->generation, message->ticket.data,
		    message->ticket.len);
}

static void
departed_said(struct link *link, const Metacube__Departed *message)
{
	struct crowd *crowd = crowd_of(link, message->map, message->epoch);

	if (crowd != NULL)
		player_departed(crowd, message->uid);
}

/* A gateway has asked auth; a world speaks only for those who are there: it
 * must not get tickets for anybody else, and their login is the one that
 * brought them there. */
static bool
may_place(const struct link *link, struct taskmaster_request *request)
{
	const struct player *player;

	if (mc_peer_is(mc_conn_peer(link->conn), "gateway"))
		return true;
	player = player_find(link->taskmaster, request->uid);
	if (player == NULL || player->present == NULL ||
	    player->present->copy->world != link->world)
		return false;
	request->generation = player->generation;
	return true;
}

static void
place_said(struct link *link, uint32_t cid, const Metacube__Place *message)
{
	struct taskmaster_request request = {
		.uid = message->uid, .generation = message->generation
	};
	char folded[MC_NAME_SIZE];

	if (mc_name_fold(message->name, folded) != NULL ||
	    strcmp(message->name, folded) != 0 ||
	    mc_name_fold(message->display, folded) != NULL ||
	    strcmp(message->name, folded) != 0) {
		link_turn_away_bad(link, cid, "a user's name is not valid");
		return;
	}
	if (!may_place(link, &request)) {
		mc_count(link->taskmaster->host, "places_denied", 1);
		link_refused(link, cid, MC_DENIED);
		return;
	}
	if (!mc_key_valid(message->map)) {
		link_refused(link, cid, MC_NOT_FOUND);
		return;
	}
	snprintf(request.name, sizeof(request.name), "%s", message->name);
	snprintf(request.display, sizeof(request.display), "%s",
	    message->display);
	snprintf(request.map, sizeof(request.map), "%s", message->map);
	place(link->taskmaster, &request, NULL, link, cid);
}

/* Worlds throw out whom they like, but only on their own. */
static bool
may_evict(struct link *link, uint32_t cid)
{
	const struct mc_peer *peer = mc_conn_peer(link->conn);

	if (mc_peer_is(peer, "gateway") || mc_peer_is(peer, "account"))
		return true;
	mc_count(link->taskmaster->host, "evictions_denied", 1);
	link_refused(link, cid, MC_DENIED);
	return false;
}

static void
evict_said(struct link *link, uint32_t cid, const Metacube__Evict *message)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Evicted answer = METACUBE__EVICTED__INIT;

	if (!may_evict(link, cid))
		return;
	evict(link->taskmaster, message->uid,
	    (Metacube__Reason)message->reason,
	    mc_conn_peer(link->conn)->name);
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_EVICTED;
	envelope.evicted = &answer;
	link_send(link, cid, &envelope);
}

/* For whoever knows the accounts: who of them has to go? */
static void
players_said(struct link *link, uint32_t cid, uint64_t after)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Players message = METACUBE__PLAYERS__INIT;
	uint64_t number[TASKMASTER_PLAYERS_MAX], uid[TASKMASTER_PLAYERS_MAX];
	uint64_t generation[TASKMASTER_PLAYERS_MAX];
	char *display[TASKMASTER_PLAYERS_MAX];
	struct taskmaster_players list;

	if (!may_evict(link, cid))
		return;
	players_list(link->taskmaster, after, &list);
	for (size_t i = 0; i < list.count; i++) {
		number[i] = list.players[i].number;
		uid[i] = list.players[i].uid;
		generation[i] = list.players[i].generation;
		display[i] = list.players[i].display;
	}
	message.doubt = list.doubt;
	message.n_number = message.n_uid = message.n_generation =
	    message.n_display = list.count;
	message.number = number;
	message.uid = uid;
	message.generation = generation;
	message.display = display;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLAYERS;
	envelope.players = &message;
	link_send(link, cid, &envelope);
}

static void
list_said(struct link *link, uint32_t cid, const char *after)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Maps message = METACUBE__MAPS__INIT;
	Metacube__MapEntry entries[TASKMASTER_MAPS_MAX];
	Metacube__MapEntry *list[TASKMASTER_MAPS_MAX];
	struct taskmaster_map maps[TASKMASTER_MAPS_MAX];

	message.n_maps = maps_list(link->taskmaster, after, maps);
	message.more = message.n_maps == TASKMASTER_MAPS_MAX;
	message.maps = list;
	for (size_t i = 0; i < message.n_maps; i++) {
		metacube__map_entry__init(&entries[i]);
		entries[i].key = maps[i].map;
		entries[i].title = maps[i].title;
		entries[i].copies = maps[i].copies;
		entries[i].users = maps[i].users;
		list[i] = &entries[i];
	}
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_MAPS;
	envelope.maps = &message;
	link_send(link, cid, &envelope);
}

/* false: it has no meaning here. */
static bool
world_said(struct link *link, const Metacube__Envelope *envelope)
{
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_LOADED:
		loaded_said(link, envelope->loaded);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_REFUSED:
		refused_said(link, envelope->cid, envelope->refused);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_UNLOADED:
		unloaded_said(link, envelope->unloaded);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_REPORT:
		world_load(link->world, envelope->report->load < LOAD_MAX ?
		    envelope->report->load : LOAD_MAX);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_ARRIVED:
		arrived_said(link, envelope->arrived);
		return true;
	case METACUBE__ENVELOPE__MESSAGE_DEPARTED:
		departed_said(link, envelope->departed);
		return true;
	default:
		return false;
	}
}

void
link_heard(void *owner, const Metacube__Envelope *envelope)
{
	struct link *link = owner;

	if (link->closing)
		return;
	link->heard_ms = mc_now_ms();
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_PLACE:
		place_said(link, envelope->cid, envelope->place);
		break;
	case METACUBE__ENVELOPE__MESSAGE_LIST_MAPS:
		list_said(link, envelope->cid, envelope->list_maps->after);
		break;
	case METACUBE__ENVELOPE__MESSAGE_EVICT:
		evict_said(link, envelope->cid, envelope->evict);
		break;
	case METACUBE__ENVELOPE__MESSAGE_LIST_PLAYERS:
		players_said(link, envelope->cid,
		    envelope->list_players->after);
		break;
	case METACUBE__ENVELOPE__MESSAGE_REGISTER:
		register_said(link, envelope->cid, envelope->register_);
		break;
	default:
		if (link->world == NULL || !world_said(link, envelope))
			link_turn_away_bad(link, envelope->cid,
			    "its message was not expected now");
	}
}
