/* SPDX-License-Identifier: MIT */
/*
 * evict.c - a user has to go, wherever they are: the account was locked or
 * deleted, or has another password.
 *
 * Every world is told, not only the one where the user is: any of them may
 * have been sent a ticket.  A world that is away goes on with its users, so
 * what was evicted meanwhile is remembered, and told when it registers again;
 * by then only those are affected who were there before, since nobody is
 * placed on a world that is away.  A world that this taskmaster has not met
 * yet is told everything since the start; what was before it is not known
 * here (players_doubt).
 */
#include "taskmaster.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EVICTIONS_MAX	65536
#define ABSENCES_MAX	1024

struct eviction {
	STAILQ_ENTRY(eviction)	 link;
	uint64_t		 uid, at_ms, void_ms;
	Metacube__Reason	 reason;
};

/* A world that was here: what it may have missed. */
struct absence {
	STAILQ_ENTRY(absence)	 link;
	uint64_t		 since_ms;
	char			 name[MC_KEY_SIZE];
	size_t			 count;
	uint64_t		*users;		/* who was there; sorted */
};

void
evictions_init(struct evictions *evictions)
{
	STAILQ_INIT(&evictions->list);
	STAILQ_INIT(&evictions->absences);
}

void
evictions_free(struct evictions *evictions)
{
	struct eviction *eviction;
	struct absence *absence;

	while ((eviction = STAILQ_FIRST(&evictions->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&evictions->list, link);
		free(eviction);
	}
	while ((absence = STAILQ_FIRST(&evictions->absences)) != NULL) {
		STAILQ_REMOVE_HEAD(&evictions->absences, link);
		free(absence->users);
		free(absence);
	}
}

/* The tickets that are out were sealed before now, with this clock. */
static struct eviction *
eviction_add(struct taskmaster *taskmaster, uint64_t uid,
    Metacube__Reason reason)
{
	struct evictions *evictions = &taskmaster->evictions;
	struct eviction *eviction = mc_zalloc(sizeof(*eviction)), *oldest;

	eviction->uid = uid;
	eviction->reason = reason;
	eviction->at_ms = mc_now_ms();
	eviction->void_ms = mc_time_ms() +
	    (uint64_t)taskmaster->conf->ticket_ms;
	STAILQ_INSERT_TAIL(&evictions->list, eviction, link);
	if (++evictions->count > EVICTIONS_MAX) {
		oldest = STAILQ_FIRST(&evictions->list);
		STAILQ_REMOVE_HEAD(&evictions->list, link);
		free(oldest);
		evictions->count--;
	}
	return eviction;
}

static struct absence *
absence_find(const struct evictions *evictions, const char *name)
{
	struct absence *absence;

	STAILQ_FOREACH(absence, &evictions->absences, link)
		if (strcmp(absence->name, name) == 0)
			return absence;
	return NULL;
}

static void
absence_end(struct evictions *evictions, struct absence *absence)
{
	STAILQ_REMOVE(&evictions->absences, absence, absence, link);
	evictions->absent--;
	free(absence->users);
	free(absence);
}

static int
uid_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void
users_keep(struct absence *absence, const struct world *world)
{
	absence->users = mc_zalloc((world->users + 1) *
	    sizeof(*absence->users));
	for (const struct copy *copy = world->copies; copy != NULL;
	    copy = copy->world_next) {
		const struct crowd *crowd = copy->owner;

		for (const struct player *player = crowd->present;
		    player != NULL; player = player->present_next)
			absence->users[absence->count++] = player->uid;
	}
	qsort(absence->users, absence->count, sizeof(*absence->users),
	    uid_compare);
}

bool
evictions_missed(const struct taskmaster *taskmaster, const char *world,
    uint64_t uid)
{
	const struct absence *absence = absence_find(&taskmaster->evictions,
	    world);

	return absence != NULL && bsearch(&uid, absence->users,
	    absence->count, sizeof(uid), uid_compare) != NULL;
}

/* What was sent shortly before its link fell silent may have been lost. */
void
evictions_absent(struct taskmaster *taskmaster, const struct link *link)
{
	struct evictions *evictions = &taskmaster->evictions;
	struct absence *absence = mc_zalloc(sizeof(*absence));
	uint64_t silent_ms = (uint64_t)taskmaster->conf->silent_ms;

	memcpy(absence->name, link->world->name, sizeof(absence->name));
	absence->since_ms = link->heard_ms > silent_ms ?
	    link->heard_ms - silent_ms : 0;
	users_keep(absence, link->world);
	STAILQ_INSERT_TAIL(&evictions->absences, absence, link);
	if (++evictions->absent > ABSENCES_MAX)
		absence_end(evictions, STAILQ_FIRST(&evictions->absences));
}

void
evictions_tell(struct taskmaster *taskmaster, struct link *link)
{
	struct evictions *evictions = &taskmaster->evictions;
	struct absence *absence = absence_find(evictions, link->world->name);
	uint64_t since_ms = absence != NULL ? absence->since_ms : 0;
	struct eviction *eviction;

	if (absence != NULL)
		absence_end(evictions, absence);
	STAILQ_FOREACH(eviction, &evictions->list, link) {
		if (eviction->at_ms < since_ms)
			continue;
		link_evict(link, eviction->uid, eviction->reason,
		    eviction->void_ms);
		player_gone_from(taskmaster, eviction->uid, link->world);
	}
}

void
evict(struct taskmaster *taskmaster, uint64_t uid, Metacube__Reason reason,
    const char *by)
{
	struct eviction *eviction = eviction_add(taskmaster, uid, reason);

	mc_count(taskmaster->host, "evictions", 1);
	mc_log(taskmaster->host, MC_NOTE, "user %" PRIu64 " has to go from "
	    "all worlds: %s (asked by %s)", uid,
	    reason == METACUBE__REASON__ACCOUNT_LOCKED ?
	    "the account is locked" : "the account has changed", by);
	requests_evict(taskmaster, uid);
	player_evict(taskmaster, uid);
	for (struct link *link = taskmaster->links; link != NULL;
	    link = link->next)
		if (link->world != NULL)
			link_evict(link, uid, reason, eviction->void_ms);
}
