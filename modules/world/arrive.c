/* SPDX-License-Identifier: MIT */
/*
 * arrive - how a session begins: with a ticket, or with the secret of a
 * session whose connection was lost.
 *
 * A ticket is looked at in this order: its seal and time, whether its copy is
 * here, whether it was used.  Only then does anything change.
 */

#include "world.h"

#include <stdlib.h>

/* The account is here already: the newest session is the one that counts. */
static void
older_out(struct world *world, uint64_t uid)
{
	static const char text[] = "this account has entered once more";
	struct avatar *older = avatar_by_uid(world, uid);

	if (older != NULL)
		avatar_kick(older, METACUBE__REASON__LOGGED_IN_ELSEWHERE,
		    text);
}

void
world_evict(struct world *world, uint64_t uid, unsigned reason,
    const char *text, uint64_t void_ms)
{
	struct avatar *avatar = avatar_by_uid(world, uid);

	tickets_void(world->tickets, uid, void_ms, mc_now_ms());
	for (struct session *session = world->sessions; session != NULL;
	    session = session->next)
		if (!session->closing && session->ticket != NULL &&
		    session->ticket->uid == uid)
			session_expel(session, session->cid, reason, text);
	if (avatar != NULL && (avatar->session == NULL ||
	    !change_defers(avatar->session, reason)))
		avatar_kick(avatar, reason, text);
}

static void
count_fault(struct world *world, enum ticket_fault fault)
{
	static const char *const names[] = {
		[TICKET_MALFORMED]	= "tickets_malformed",
		[TICKET_KEY]		= "tickets_unknown_key",
		[TICKET_FORGED]		= "tickets_forged",
		[TICKET_EXPIRED]	= "tickets_expired",
		[TICKET_WORLD]		= "tickets_other_world",
	};

	mc_count(world->host, names[fault], 1);
}

/* NULL: the ticket is good for this copy, which may still have to load. */
static const char *
ticket_wrong(struct world *world, const ProtobufCBinaryData *sealed,
    struct ticket *ticket_r, struct copy **copy_r)
{
	enum ticket_fault fault = tickets_open(world->tickets, sealed->data,
	    sealed->len, world->name, mc_time_ms(), ticket_r);
	struct copy *copy;

	if (fault != TICKET_FINE) {
		count_fault(world, fault);
		return ticket_fault_text(fault);
	}
	if (tickets_are_void(world->tickets, ticket_r, mc_now_ms())) {
		mc_count(world->host, "tickets_void", 1);
		return "the account has changed since: log in again";
	}
	copy = copy_find(world, ticket_r->map);
	if (copy == NULL || copy->epoch != ticket_r->epoch) {
		mc_count(world->host, "tickets_other_epoch", 1);
		return "the map does not run here any more";
	}
	*copy_r = copy;
	return NULL;
}

static bool
ticket_use(struct session *session, uint32_t cid, const struct ticket *ticket)
{
	struct world *world = session->world;

	switch (tickets_use(world->tickets, ticket, mc_time_ms())) {
	case TICKETS_TAKEN:
		return true;
	case TICKETS_USED:
		mc_count(world->host, "tickets_used", 1);
		session_expel(session, cid, METACUBE__REASON__BAD_TICKET,
		    "the ticket was used already");
		return false;
	default:
		mc_count(world->host, "tickets_beyond_limit", 1);
		session_expel(session, cid, METACUBE__REASON__TRY_LATER,
		    "too many arrive at once");
		return false;
	}
}

/* Whoever is here already makes room for the newer session. */
static bool
room_for(const struct copy *copy, uint64_t uid)
{
	struct world *world = copy->world;
	const struct avatar *older = avatar_by_uid(world, uid);
	size_t here = older != NULL && older->copy == copy;
	size_t anywhere = older != NULL;

	return copy->count - here < copy->map->capacity &&
	    world->users - anywhere < (size_t)world->conf->capacity;
}

/* The ticket is good and used, the copy runs. */
static void
arrive(struct session *session, struct copy *copy,
    const struct ticket *ticket, uint32_t cid)
{
	struct world *world = session->world;

	if (!room_for(copy, ticket->uid)) {
		mc_count(world->host, "full", 1);
		session_expel(session, cid, METACUBE__REASON__NO_WORLD,
		    "no seat is free here");
		return;
	}
	older_out(world, ticket->uid);
	avatar_new(copy, ticket, session);
	copy_occupied(copy);
	mc_conn_admit(session->conn);
	mc_count(world->host, "entered", 1);
	mc_log(world->host, MC_NOTE, "%s has entered %s", ticket->display,
	    copy->key);
	link_arrived(session->avatar);
	view_entered(session->avatar, cid);
	view_appeared(session->avatar);
}

/* The copy was unloaded while the ticket was on its way. */
static void
wait_for(struct session *session, struct copy *copy,
    const struct ticket *ticket, uint32_t cid)
{
	session->waits_for = copy;
	session->cid = cid;
	session->ticket = mc_zalloc(sizeof(*ticket));
	*session->ticket = *ticket;
	if (copy->state == COPY_UNLOADED)
		copy_revive(copy);
}

void
arrive_copy_loaded(struct session *session, const char *why)
{
	struct ticket ticket = *session->ticket;
	struct copy *copy = session->waits_for;

	free(session->ticket);
	session->ticket = NULL;
	session->waits_for = NULL;
	if (session->closing)
		return;
	if (why == NULL)
		arrive(session, copy, &ticket, session->cid);
	else
		session_expel(session, session->cid, METACUBE__REASON__NO_WORLD,
		    "the map cannot be loaded");
}

/* A ticket, from the taskmaster by way of the gateway. */
void
arrive_enter(struct session *session, uint32_t cid,
    const Metacube__Enter *enter)
{
	struct copy *copy = NULL;
	struct ticket ticket;
	const char *wrong = ticket_wrong(session->world, &enter->ticket,
	    &ticket, &copy);

	if (wrong != NULL)
		session_expel(session, cid, METACUBE__REASON__BAD_TICKET,
		    wrong);
	else if (!ticket_use(session, cid, &ticket))
		return;
	else if (copy->state == COPY_RUNNING)
		arrive(session, copy, &ticket, cid);
	else
		wait_for(session, copy, &ticket, cid);
}

/* Back after a lost connection, which may not even be known here. */
void
arrive_resume(struct session *session, uint32_t cid,
    const Metacube__Resume *resume)
{
	struct world *world = session->world;
	struct avatar *avatar = avatar_by_session(world, resume->session,
	    resume->secret.data, resume->secret.len);

	if (avatar == NULL || (avatar->session != NULL &&
	    avatar->session->evicted != 0)) {
		mc_count(world->host, "resumes_refused", 1);
		session_expel(session, cid, METACUBE__REASON__BAD_TICKET,
		    "there is no such session (any more)");
		return;
	}
	mc_timer_clear(&avatar->lost);
	if (avatar->session != NULL) {
		avatar->session->avatar = NULL;
		session_close(avatar->session);
	}
	avatar->session = session;
	session->avatar = avatar;
	mc_conn_admit(session->conn);
	mc_count(world->host, "resumed", 1);
	mc_log(world->host, MC_NOTE, "%s is back on %s", avatar->display,
	    avatar->copy->key);
	view_entered(avatar, cid);
}
