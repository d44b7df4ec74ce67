/* SPDX-License-Identifier: MIT */
/*
 * view - who is told what.
 *
 * The only file that decides who sees whom: here, everybody on a copy sees
 * everybody.  What goes to many is encoded once.
 *
 * Updates fill at most half of a client's queue.  A client that is slower
 * misses updates, and gets all positions at once when its queue has drained;
 * the other half is for what it must not miss (who came, who went), and a
 * client for which even that does not suffice is disconnected.
 */

#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ranges[] = {	/* centimetres, by enum Range */
	2000, 10000, 500
};

/* Positions, as the lists of a message. */
struct frame {
	size_t		 count;
	uint32_t	*id;
	int32_t		*x, *y, *z;
	char		**display;
};

struct frame *
frame_new(unsigned capacity)
{
	struct frame *frame = mc_zalloc(sizeof(*frame));

	frame->id = mc_zalloc(capacity * sizeof(*frame->id));
	frame->x = mc_zalloc(capacity * sizeof(*frame->x));
	frame->y = mc_zalloc(capacity * sizeof(*frame->y));
	frame->z = mc_zalloc(capacity * sizeof(*frame->z));
	frame->display = mc_zalloc(capacity * sizeof(*frame->display));
	return frame;
}

void
frame_free(struct frame **framep)
{
	if (*framep == NULL)
		return;
	free((*framep)->id);
	free((*framep)->x);
	free((*framep)->y);
	free((*framep)->z);
	free((*framep)->display);
	free(*framep);
	*framep = NULL;
}

static int32_t
wire(double centimetres)
{
	return (int32_t)lround(centimetres);
}

/* All who are there, or those who have moved since the last tick. */
static void
frame_fill(struct frame *frame, struct copy *copy, bool all)
{
	frame->count = 0;
	for (size_t i = 0; i < copy->count; i++) {
		struct avatar *avatar = copy->avatars[i];

		if (!all && !avatar->moved)
			continue;
		frame->id[frame->count] = avatar->id;
		frame->x[frame->count] = wire(avatar->body.x);
		frame->y[frame->count] = wire(avatar->body.y);
		frame->z[frame->count] = wire(avatar->body.z);
		frame->display[frame->count] = avatar->display;
		frame->count++;
	}
}

void
view_entered(struct avatar *avatar, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Entered entered = METACUBE__ENTERED__INIT;
	struct copy *copy = avatar->copy;
	struct frame *frame = copy->frame;

	frame_fill(frame, copy, true);
	entered.session = avatar->session_id;
	entered.secret.data = avatar->secret;
	entered.secret.len = sizeof(avatar->secret);
	entered.avatar = avatar->id;
	entered.map = copy->key;
	entered.title = copy->map->title;
	entered.width = (uint32_t)copy->map->width;
	entered.height = (uint32_t)copy->map->height;
	entered.tick_ms = (uint32_t)copy->world->conf->tick_ms;
	entered.speed = copy->map->speed;
	entered.world = copy->world->name;
	entered.n_id = entered.n_x = entered.n_y = entered.n_z =
	    entered.n_display = frame->count;
	entered.id = frame->id;
	entered.display = frame->display;
	entered.x = frame->x;
	entered.y = frame->y;
	entered.z = frame->z;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ENTERED;
	envelope.entered = &entered;
	session_send(avatar->session, cid, &envelope);
}

static void
tell_one(struct session *session, struct mc_shared *shared)
{
	if (mc_conn_send_shared(session->conn, shared))
		return;
	mc_count(session->world->host, "too_slow", 1);
	session_close(session);
}

/* Everybody else on the copy must hear this. */
static void
tell_others(const struct avatar *avatar, const Metacube__Envelope *envelope)
{
	struct mc_shared *shared = mc_shared_new(envelope);
	struct copy *copy = avatar->copy;

	for (size_t i = 0; i < copy->count; i++) {
		struct session *session = copy->avatars[i]->session;

		if (session != NULL && session->avatar != avatar)
			tell_one(session, shared);
	}
	mc_shared_unref(&shared);
}

void
view_appeared(const struct avatar *avatar)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Appeared appeared = METACUBE__APPEARED__INIT;

	appeared.id = avatar->id;
	appeared.display = (char *)avatar->display;
	appeared.x = wire(avatar->body.x);
	appeared.y = wire(avatar->body.y);
	appeared.z = wire(avatar->body.z);
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_APPEARED;
	envelope.appeared = &appeared;
	tell_others(avatar, &envelope);
}

void
view_vanished(const struct avatar *avatar)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Vanished vanished = METACUBE__VANISHED__INIT;

	vanished.id = avatar->id;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_VANISHED;
	envelope.vanished = &vanished;
	tell_others(avatar, &envelope);
}

/* A slow client misses what is said. */
void
view_said(const struct avatar *speaker, const char *text, unsigned range)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Said said = METACUBE__SAID__INIT;
	struct copy *copy = speaker->copy;
	struct mc_shared *shared;

	said.id = speaker->id;
	said.display = (char *)speaker->display;
	said.text = (char *)text;
	said.range = (Metacube__Range)range;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_SAID;
	envelope.said = &said;
	shared = mc_shared_new(&envelope);
	for (size_t i = 0; i < copy->count; i++) {
		struct avatar *hearer = copy->avatars[i];

		if (hearer->session != NULL &&
		    sim_distance(&hearer->body, &speaker->body) <=
		    ranges[range] &&
		    !mc_conn_send_shared(hearer->session->conn, shared))
			mc_count(copy->world->host, "says_skipped", 1);
	}
	mc_shared_unref(&shared);
}

static struct mc_shared *
update_new(struct copy *copy, bool all)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Update update = METACUBE__UPDATE__INIT;
	struct frame *frame = copy->frame;

	frame_fill(frame, copy, all);
	if (frame->count == 0)
		return NULL;
	update.tick = copy->tick;
	update.n_id = update.n_x = update.n_y = update.n_z = frame->count;
	update.id = frame->id;
	update.x = frame->x;
	update.y = frame->y;
	update.z = frame->z;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_UPDATE;
	envelope.update = &update;
	return mc_shared_new(&envelope);
}

/* The client reads again: where is everybody by now? */
static void
catch_up(struct session *session, struct mc_shared **allp)
{
	struct world *world = session->world;

	if (mc_conn_queued(session->conn) >
	    (size_t)world->conf->listen.queue_max / 8) {
		mc_count(world->host, "updates_skipped", 1);
		return;
	}
	if (*allp == NULL)
		*allp = update_new(session->avatar->copy, true);
	session->behind = !mc_conn_send_shared(session->conn, *allp);
	if (!session->behind)
		mc_count(world->host, "resynchronised", 1);
}

static void
keep_up(struct session *session, struct mc_shared *moved)
{
	struct world *world = session->world;

	if (mc_conn_queued(session->conn) <=
	    (size_t)world->conf->listen.queue_max / 2 &&
	    mc_conn_send_shared(session->conn, moved))
		return;
	session->behind = true;
	mc_count(world->host, "updates_skipped", 1);
}

void
view_updated(struct copy *copy)
{
	struct mc_shared *moved = update_new(copy, false), *all = NULL;

	for (size_t i = 0; i < copy->count; i++) {
		struct session *session = copy->avatars[i]->session;

		if (session == NULL)
			continue;
		if (session->behind)
			catch_up(session, &all);
		else if (moved != NULL)
			keep_up(session, moved);
	}
	if (moved != NULL)
		mc_shared_unref(&moved);
	if (all != NULL)
		mc_shared_unref(&all);
}
