/* SPDX-License-Identifier: MIT */
/*
 * avatar - who is on a copy.
 *
 * An account is at most once on a world.  An avatar whose connection is lost
 * stands where it was for resume_window; whoever shows its session's secret
 * by then goes on with it.
 */

#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct avatar **
uid_chain(struct world *world, uint64_t uid)
{
	return &world->by_uid[uid % CHAINS];
}

static struct avatar **
session_chain(struct world *world, uint64_t session)
{
	return &world->by_session[session % CHAINS];
}

struct avatar *
avatar_by_uid(struct world *world, uint64_t uid)
{
	struct avatar *avatar = *uid_chain(world, uid);

	while (avatar != NULL && avatar->uid != uid)
		avatar = avatar->next_uid;
	return avatar;
}

struct avatar *
avatar_by_session(struct world *world, uint64_t session, const void *secret,
    size_t len)
{
	struct avatar *avatar = *session_chain(world, session);

	while (avatar != NULL && avatar->session_id != session)
		avatar = avatar->next_session;
	if (avatar == NULL || len != SECRET_SIZE ||
	    !mc_equal_secret(avatar->secret, secret, SECRET_SIZE))
		return NULL;
	return avatar;
}

static void
chain_in(struct world *world, struct avatar *avatar)
{
	struct avatar **uid = uid_chain(world, avatar->uid);
	struct avatar **session = session_chain(world, avatar->session_id);

	avatar->next_uid = *uid;
	*uid = avatar;
	avatar->next_session = *session;
	*session = avatar;
}

static void
chain_out(struct world *world, struct avatar *avatar)
{
	struct avatar **uid = uid_chain(world, avatar->uid);
	struct avatar **session = session_chain(world, avatar->session_id);

	while (*uid != avatar)
		uid = &(*uid)->next_uid;
	*uid = avatar->next_uid;
	while (*session != avatar)
		session = &(*session)->next_session;
	*session = avatar->next_session;
}

static void
copy_in(struct copy *copy, struct avatar *avatar)
{
	avatar->copy = copy;
	avatar->place = copy->count;
	copy->avatars[copy->count++] = avatar;
	copy->world->users++;
}

static void
copy_out(struct copy *copy, struct avatar *avatar)
{
	struct avatar *last = copy->avatars[--copy->count];

	copy->avatars[avatar->place] = last;
	last->place = avatar->place;
	copy->world->users--;
}

static uint32_t
id_new(struct world *world)
{
	if (++world->last_id == 0)
		world->last_id = 1;
	return world->last_id;
}

struct avatar *
avatar_new(struct copy *copy, const struct ticket *ticket,
    struct session *session)
{
	struct avatar *avatar = mc_zalloc(sizeof(*avatar));
	const struct map_point *spawn =
	    &copy->map->spawn[copy->spawned++ % copy->map->spawns];

	avatar->id = id_new(copy->world);
	avatar->uid = ticket->uid;
	avatar->generation = ticket->generation;
	memcpy(avatar->ticket, ticket->id, sizeof(avatar->ticket));
	memcpy(avatar->name, ticket->name, sizeof(avatar->name));
	memcpy(avatar->display, ticket->display, sizeof(avatar->display));
	mc_random(&avatar->session_id, sizeof(avatar->session_id));
	mc_random(avatar->secret, sizeof(avatar->secret));
	sim_place(copy->map, &avatar->body, spawn->x, spawn->y);
	avatar->session = session;
	session->avatar = avatar;
	chain_in(copy->world, avatar);
	copy_in(copy, avatar);
	return avatar;
}

void
avatar_free(struct avatar **avatarp)
{
	struct avatar *avatar = *avatarp;

	*avatarp = NULL;
	mc_timer_clear(&avatar->lost);
	if (avatar->session != NULL)
		avatar->session->avatar = NULL;
	chain_out(avatar->copy->world, avatar);
	copy_out(avatar->copy, avatar);
	mc_wipe(avatar->secret, sizeof(avatar->secret));
	free(avatar);
}

/* It goes for good, and everybody hears of it; why is for the log. */
void
avatar_leave(struct avatar **avatarp, const char *why)
{
	struct copy *copy = (*avatarp)->copy;

	mc_log(copy->world->host, MC_NOTE, "%s has left %s%s%s",
	    (*avatarp)->display, copy->key, why == NULL ? "" : ": ",
	    why == NULL ? "" : why);
	link_departed(*avatarp);
	view_vanished(*avatarp);
	avatar_free(avatarp);
	if (copy->count == 0)
		copy_emptied(copy);
}

void
avatar_kick(struct avatar *avatar, unsigned reason, const char *text)
{
	if (avatar->session != NULL)
		session_kick(avatar->session, reason, text);
	else
		avatar_leave(&avatar, text);
}

static void
gave_up(void *owner)
{
	struct avatar *avatar = owner;

	avatar_leave(&avatar, "the connection was lost");
}

/* Its connection is gone: wait for another one. */
void
avatar_lose(struct avatar *avatar)
{
	struct world *world = avatar->copy->world;

	avatar->session = NULL;
	mc_count(world->host, "lost", 1);
	mc_log(world->host, MC_NOTE, "%s has lost the connection to %s",
	    avatar->display, avatar->copy->key);
	mc_timer_set(world->host, &avatar->lost,
	    (unsigned)world->conf->resume_ms, gave_up, avatar);
}
