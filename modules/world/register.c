/* SPDX-License-Identifier: MIT */
/*
 * register - the first message on a link: who this world is, which maps it
 * has, what it runs and who is there.
 *
 * Each copy remembers its place in the list (listed), since Registered
 * answers with epochs in the same order.
 */

#include "link.h"

#include <stdlib.h>

#define PROTOCOL	1

/* The lists of the message, as long as it is being sent. */
struct lists {
	char		**map, **title, **running, **display;
	uint32_t	 *map_capacity, *player_map;
	uint64_t	 *epoch, *player, *generation;
};

static void
lists_stock(struct lists *lists, const struct world *world)
{
	lists->map = mc_zalloc(world->stocks * sizeof(*lists->map) + 1);
	lists->title = mc_zalloc(world->stocks * sizeof(*lists->title) + 1);
	lists->map_capacity =
	    mc_zalloc(world->stocks * sizeof(*lists->map_capacity) + 1);
	for (size_t i = 0; i < world->stocks; i++) {
		lists->map[i] = world->stock[i].key;
		lists->title[i] = world->stock[i].title;
		lists->map_capacity[i] = world->stock[i].capacity;
	}
}

static void
lists_players(struct lists *lists, struct copy *copy, size_t *players,
    uint64_t number)
{
	for (size_t i = 0; i < copy->count; i++, (*players)++) {
		struct avatar *avatar = copy->avatars[i];

		avatar->announced = number;
		lists->player[*players] = avatar->uid;
		lists->generation[*players] = avatar->generation;
		lists->display[*players] = avatar->display;
		lists->player_map[*players] = (uint32_t)copy->listed - 1;
	}
}

static void
lists_running(struct lists *lists, struct world *world, uint64_t number)
{
	size_t copies = copies_running(world), running = 0, players = 0;

	lists->running = mc_zalloc(copies * sizeof(*lists->running) + 1);
	lists->epoch = mc_zalloc(copies * sizeof(*lists->epoch) + 1);
	lists->player = mc_zalloc(world->users * sizeof(*lists->player) + 1);
	lists->generation =
	    mc_zalloc(world->users * sizeof(*lists->generation) + 1);
	lists->display =
	    mc_zalloc(world->users * sizeof(*lists->display) + 1);
	lists->player_map =
	    mc_zalloc(world->users * sizeof(*lists->player_map) + 1);
	for (struct copy *copy = world->copies; copy != NULL;
	    copy = copy->next) {
		copy->listed = 0;
		if (copy->state != COPY_RUNNING)
			continue;
		lists->running[running] = copy->key;
		lists->epoch[running] = copy->epoch;
		copy->listed = ++running;
		lists_players(lists, copy, &players, number);
	}
}

static void
lists_free(struct lists *lists)
{
	free(lists->map);
	free(lists->title);
	free(lists->map_capacity);
	free(lists->running);
	free(lists->epoch);
	free(lists->player);
	free(lists->generation);
	free(lists->display);
	free(lists->player_map);
}

void
register_send(struct link *link)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Register body = METACUBE__REGISTER__INIT;
	struct world *world = link->world;
	struct lists lists = { 0 };

	lists_stock(&lists, world);
	lists_running(&lists, world, link->number);
	body.version = PROTOCOL;
	body.name = world->name;
	body.endpoint = world->endpoint;
	body.capacity = (uint32_t)world->conf->capacity;
	body.load = world_load(world);
	body.n_map = body.n_title = body.n_map_capacity = world->stocks;
	body.map = lists.map;
	body.title = lists.title;
	body.map_capacity = lists.map_capacity;
	body.n_running = body.n_running_epoch = copies_running(world);
	body.running = lists.running;
	body.running_epoch = lists.epoch;
	body.n_player = body.n_player_display = body.n_player_map =
	    body.n_player_generation = world->users;
	body.player = lists.player;
	body.player_generation = lists.generation;
	body.player_display = lists.display;
	body.player_map = lists.player_map;
	envelope.cid = link_cid(link);
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REGISTER;
	envelope.register_ = &body;
	mc_conn_send(link->conn, &envelope);
	lists_free(&lists);
}
