/* SPDX-License-Identifier: MIT */
/*
 * players.c - who is where.  An account is in at most one place: whoever
 * arrives is taken off the place before, and that world is told.  A seat is
 * kept for the life of its ticket and some slack; an account has at most one.
 */
#include "taskmaster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void seats_watch(struct taskmaster *);

struct player *
player_find(const struct taskmaster *taskmaster, uint64_t uid)
{
	struct table_node *node = table_first(&taskmaster->players,
	    table_hash_number(uid));

	for (; node != NULL; node = table_next(node)) {
		struct player *player = node->owner;

		if (player->uid == uid)
			return player;
	}
	return NULL;
}

/* Who is known keeps the name: it is what a gateway looks them up by, and not
 * for any world to say. */
static struct player *
player_get(struct taskmaster *taskmaster, uint64_t uid, const char *display)
{
	struct player *player = player_find(taskmaster, uid);

	if (player == NULL) {
		player = mc_zalloc(sizeof(*player));
		player->taskmaster = taskmaster;
		player->uid = uid;
		player->number = ++taskmaster->last_number;
		player->by_uid.owner = player;
		TAILQ_INSERT_TAIL(&taskmaster->in_order, player, in_order);
		table_add(&taskmaster->players, &player->by_uid,
		    table_hash_number(uid));
		snprintf(player->display, sizeof(player->display), "%s",
		    display);
	}
	return player;
}

static void
player_put(struct player *player)
{
	if (player->present != NULL || player->expected != NULL)
		return;
	if (player->taskmaster->listed == player)
		player->taskmaster->listed = NULL;
	table_remove(&player->taskmaster->players, &player->by_uid);
	TAILQ_REMOVE(&player->taskmaster->in_order, player, in_order);
	free(player);
}

static void
present_set(struct player *player, struct crowd *crowd)
{
	player->present = crowd;
	player->since_ms = mc_time_ms();
	player->present_prev = NULL;
	player->present_next = crowd->present;
	if (crowd->present != NULL)
		crowd->present->present_prev = player;
	crowd->present = player;
}

static void
present_clear(struct player *player)
{
	struct crowd *crowd = player->present;

	*(player->present_prev ? &player->present_prev->present_next :
	    &crowd->present) = player->present_next;
	if (player->present_next != NULL)
		player->present_next->present_prev = player->present_prev;
	player->present = NULL;
}

/* The list of all seats: sorted by expiry, which new ones nearly always
 * continue. */
static void
expiry_add(struct player *player)
{
	struct taskmaster *taskmaster = player->taskmaster;
	struct player *after = taskmaster->seats_last;

	while (after != NULL && after->expires_ms > player->expires_ms)
		after = after->seat_prev;
	player->seat_prev = after;
	player->seat_next = after ? after->seat_next : taskmaster->seats;
	*(after ? &after->seat_next : &taskmaster->seats) = player;
	*(player->seat_next ? &player->seat_next->seat_prev :
	    &taskmaster->seats_last) = player;
}

static void
expiry_remove(struct player *player)
{
	struct taskmaster *taskmaster = player->taskmaster;

	*(player->seat_prev ? &player->seat_prev->seat_next :
	    &taskmaster->seats) = player->seat_next;
	*(player->seat_next ? &player->seat_next->seat_prev :
	    &taskmaster->seats_last) = player->seat_prev;
}

static void
expected_set(struct player *player, struct crowd *crowd)
{
	player->expected = crowd;
	player->expected_prev = NULL;
	player->expected_next = crowd->expected;
	if (crowd->expected != NULL)
		crowd->expected->expected_prev = player;
	crowd->expected = player;
	expiry_add(player);
}

static void
expected_clear(struct player *player)
{
	struct crowd *crowd = player->expected;

	*(player->expected_prev ? &player->expected_prev->expected_next :
	    &crowd->expected) = player->expected_next;
	if (player->expected_next != NULL)
		player->expected_next->expected_prev = player->expected_prev;
	player->expected = NULL;
	expiry_remove(player);
}

static void
seat_release(struct player *player)
{
	copy_seat_remove(player->expected->copy);
	expected_clear(player);
}

static void
seats_expired(void *owner)
{
	struct taskmaster *taskmaster = owner;
	uint64_t now_ms = mc_now_ms();

	while (taskmaster->seats != NULL &&
	    taskmaster->seats->expires_ms <= now_ms) {
		struct player *player = taskmaster->seats;

		mc_count(taskmaster->host, "seats_expired", 1);
		seat_release(player);
		player_put(player);
	}
	seats_watch(taskmaster);
}

/* A timer that fires too early looks again; so it is not moved with each. */
static void
seats_watch(struct taskmaster *taskmaster)
{
	uint64_t now_ms = mc_now_ms();

	if (taskmaster->seats == NULL || taskmaster->seat_timer != NULL)
		return;
	mc_timer_set(taskmaster->host, &taskmaster->seat_timer,
	    taskmaster->seats->expires_ms > now_ms ?
	    taskmaster->seats->expires_ms - now_ms : 1,
	    seats_expired, taskmaster);
}

void
seat_keep(struct crowd *crowd, const struct taskmaster_request *request,
    const uint8_t ticket[TICKET_ID_SIZE], int64_t life_ms)
{
	struct player *player = player_get(crowd->taskmaster, request->uid,
	    request->display);

	if (player->expected != NULL)
		seat_release(player);
	snprintf(player->display, sizeof(player->display), "%s",
	    request->display);
	memcpy(player->ticket, ticket, sizeof(player->ticket));
	player->seat_generation = request->generation;
	player->expires_ms = mc_now_ms() + life_ms;
	expected_set(player, crowd);
	seats_watch(crowd->taskmaster);
}

static bool
seat_is(const struct player *player, const struct crowd *crowd,
    const uint8_t *ticket, size_t len)
{
	return player->expected == crowd && len == sizeof(player->ticket) &&
	    memcmp(player->ticket, ticket, len) == 0;
}

static void
player_leave(struct player *player)
{
	struct copy *copy = player->present->copy;

	link_kick(copy->world->owner, player->uid, copy,
	    METACUBE__REASON__LOGGED_IN_ELSEWHERE);
	copy_user_remove(copy);
	present_clear(player);
}

/* A world cannot make a user its own: who comes without a seat stays where
 * they are, or nowhere.  Only seats that were given before this taskmaster
 * started are believed, as long as their tickets may live. */
static bool
player_strays(const struct player *player)
{
	return player->present != NULL || mc_now_ms() >
	    player->taskmaster->started_ms + 2 * TICKET_LIFE_MS;
}

static void
player_turn_away(struct player *player, struct crowd *crowd)
{
	mc_count(crowd->taskmaster->host, "strays", 1);
	link_kick(crowd->copy->world->owner, player->uid, crowd->copy,
	    player->present != NULL ? METACUBE__REASON__LOGGED_IN_ELSEWHERE :
	    METACUBE__REASON__NOT_ALLOWED);
	player_put(player);
}

void
player_arrived(struct crowd *crowd, uint64_t uid, const char *display,
    uint64_t generation, const uint8_t *ticket, size_t ticket_len)
{
	struct player *player = player_get(crowd->taskmaster, uid, display);
	bool seated = seat_is(player, crowd, ticket, ticket_len);
	bool again = player->present == crowd;

	if (!seated && !again && player_strays(player)) {
		player_turn_away(player, crowd);
		return;
	}
	if (player->present != NULL && !again)
		player_leave(player);
	if (seated)
		player->generation = player->seat_generation;
	else if (!again) {
		player->generation = generation;
		players_doubt(crowd->taskmaster);
	}
	if (seated && !again) {
		copy_seat_taken(crowd->copy);
		expected_clear(player);
	} else if (seated)
		seat_release(player);
	else if (!again)
		copy_user_add(crowd->copy);
	if (!again)
		present_set(player, crowd);
}

void
player_returned(struct crowd *crowd, uint64_t uid, const char *display,
    uint64_t generation)
{
	struct player *player = player_get(crowd->taskmaster, uid, display);

	player->generation = generation;
	players_doubt(crowd->taskmaster);
	copy_user_add(crowd->copy);
	present_set(player, crowd);
}

void
player_departed(struct crowd *crowd, uint64_t uid)
{
	struct player *player = player_find(crowd->taskmaster, uid);

	if (player == NULL || player->present != crowd)
		return;
	copy_user_remove(crowd->copy);
	present_clear(player);
	player_put(player);
}

void
player_evict(struct taskmaster *taskmaster, uint64_t uid)
{
	struct player *player = player_find(taskmaster, uid);

	if (player == NULL)
		return;
	if (player->expected != NULL)
		seat_release(player);
	if (player->present != NULL) {
		copy_user_remove(player->present->copy);
		present_clear(player);
	}
	player_put(player);
}

void
player_gone_from(struct taskmaster *taskmaster, uint64_t uid,
    const struct world *world)
{
	const struct player *player = player_find(taskmaster, uid);

	if (player != NULL && player->present != NULL &&
	    player->present->copy->world == world)
		player_evict(taskmaster, uid);
}

struct crowd *
crowd_new(struct taskmaster *taskmaster, struct copy *copy)
{
	struct crowd *crowd = mc_zalloc(sizeof(*crowd));

	crowd->taskmaster = taskmaster;
	crowd->copy = copy;
	copy->owner = crowd;
	return crowd;
}

void
crowd_free(struct crowd **slot)
{
	struct crowd *crowd = *slot;

	mc_timer_clear(&crowd->timer);
	while (crowd->present != NULL) {
		struct player *player = crowd->present;

		present_clear(player);
		player_put(player);
	}
	while (crowd->expected != NULL) {
		struct player *player = crowd->expected;

		expected_clear(player);
		player_put(player);
	}
	copy_remove(&crowd->copy);
	free(crowd);
	*slot = NULL;
}

/* Who is there with an older login than the one that has the seat goes by
 * the older one. */
static uint64_t
generation_of(const struct player *player)
{
	if (player->present == NULL || (player->expected != NULL &&
	    player->seat_generation < player->generation))
		return player->seat_generation;
	return player->generation;
}

/* Who goes through all of them goes on where the last list has ended. */
static const struct player *
player_after(const struct taskmaster *taskmaster, uint64_t number)
{
	const struct player *player = TAILQ_LAST(&taskmaster->in_order,
	    players_in_order), *found = NULL;

	if (number == 0)
		return TAILQ_FIRST(&taskmaster->in_order);
	if (taskmaster->listed != NULL && taskmaster->listed->number == number)
		return TAILQ_NEXT(taskmaster->listed, in_order);
	for (; player != NULL && player->number > number;
	    player = TAILQ_PREV(player, players_in_order, in_order))
		found = player;
	return found;
}

void
players_list(struct taskmaster *taskmaster, uint64_t after,
    struct taskmaster_players *list)
{
	const struct player *player = player_after(taskmaster, after);

	memset(list, 0, sizeof(*list));
	list->doubt = taskmaster->doubt;
	for (; player != NULL && list->count < TASKMASTER_PLAYERS_MAX;
	    player = TAILQ_NEXT(player, in_order)) {
		struct taskmaster_player *entry =
		    &list->players[list->count++];

		taskmaster->listed = player;
		entry->number = player->number;
		entry->uid = player->uid;
		entry->generation = generation_of(player);
		memcpy(entry->display, player->display,
		    sizeof(entry->display));
	}
}

void
players_doubt(struct taskmaster *taskmaster)
{
	if (++taskmaster->doubt == 0)
		taskmaster->doubt = 1;
}

void
players_init(struct taskmaster *taskmaster)
{
	TAILQ_INIT(&taskmaster->in_order);
	mc_random(&taskmaster->doubt, sizeof(taskmaster->doubt));
	players_doubt(taskmaster);
}

void
players_free(struct taskmaster *taskmaster)
{
	mc_timer_clear(&taskmaster->seat_timer);
	table_free(&taskmaster->players);
}
