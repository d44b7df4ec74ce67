/* SPDX-License-Identifier: MIT */
/*
 * tickets - keys and used tickets of this world.
 *
 * Used ids stand in a ring in the order of their use, and in chains by a part
 * of the id, which is random.  The oldest leaves when its time is over.
 */

#include "tickets.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX	8
#define USED_MAX	32768		/* in 60 s; a power of two */
#define VOIDS_MAX	4096
#define VOID_MS		(2 * TICKET_LIFE_MS)
#define NONE		UINT32_MAX

struct used {
	uint8_t		id[TICKET_ID_SIZE];
	uint64_t	until_ms;
	uint32_t	next;		/* in its chain */
};

struct voided {
	uint64_t	uid, until_ms, forget_ms;
};

struct tickets {
	struct ticket_key	keys[KEYS_MAX];	/* the newest first */
	uint64_t		until_ms[KEYS_MAX];
	size_t			nkeys;
	struct used		ring[USED_MAX];
	uint32_t		chains[USED_MAX];
	uint32_t		oldest, count;
	struct voided		voids[VOIDS_MAX];	/* a ring, too */
	uint32_t		void_oldest, void_count;
};

struct tickets *
tickets_new(void)
{
	struct tickets *tickets = mc_zalloc(sizeof(*tickets));

	memset(tickets->chains, 0xff, sizeof(tickets->chains));
	return tickets;
}

void
tickets_free(struct tickets **ticketsp)
{
	if (*ticketsp == NULL)
		return;
	mc_wipe((*ticketsp)->keys, sizeof((*ticketsp)->keys));
	free(*ticketsp);
	*ticketsp = NULL;
}

/* Drops the key at this place. */
static void
key_drop(struct tickets *tickets, size_t i)
{
	size_t behind = --tickets->nkeys - i;

	memmove(&tickets->keys[i], &tickets->keys[i + 1],
	    behind * sizeof(tickets->keys[0]));
	memmove(&tickets->until_ms[i], &tickets->until_ms[i + 1],
	    behind * sizeof(tickets->until_ms[0]));
	mc_wipe(&tickets->keys[tickets->nkeys], sizeof(tickets->keys[0]));
}

static void
keys_expire(struct tickets *tickets, uint64_t now_ms)
{
	for (size_t i = tickets->nkeys; i-- > 1; )
		if (tickets->until_ms[i] < now_ms)
			key_drop(tickets, i);
}

void
tickets_key(struct tickets *tickets, const struct ticket_key *key,
    uint64_t now_ms)
{
	for (size_t i = tickets->nkeys; i-- > 0; )
		if (tickets->keys[i].id == key->id)
			key_drop(tickets, i);
	keys_expire(tickets, now_ms);
	if (tickets->nkeys == KEYS_MAX)
		key_drop(tickets, KEYS_MAX - 1);
	memmove(&tickets->keys[1], &tickets->keys[0],
	    tickets->nkeys * sizeof(tickets->keys[0]));
	memmove(&tickets->until_ms[1], &tickets->until_ms[0],
	    tickets->nkeys * sizeof(tickets->until_ms[0]));
	if (tickets->nkeys++ > 0)
		tickets->until_ms[1] = now_ms + 2 * TICKET_LIFE_MS;
	tickets->keys[0] = *key;
	tickets->until_ms[0] = 0;
}

enum ticket_fault
tickets_open(struct tickets *tickets, const void *sealed, size_t len,
    const char *world, uint64_t now_ms, struct ticket *ticket_r)
{
	keys_expire(tickets, now_ms);
	return ticket_open(sealed, len, tickets->keys, tickets->nkeys, world,
	    now_ms, ticket_r);
}

static uint32_t *
chain_of(struct tickets *tickets, const uint8_t id[TICKET_ID_SIZE])
{
	uint32_t hash;

	memcpy(&hash, id, sizeof(hash));
	return &tickets->chains[hash % USED_MAX];
}

static void
oldest_forget(struct tickets *tickets)
{
	uint32_t oldest = tickets->oldest;
	uint32_t *at = chain_of(tickets, tickets->ring[oldest].id);

	while (*at != oldest)
		at = &tickets->ring[*at].next;
	*at = tickets->ring[oldest].next;
	tickets->oldest = (oldest + 1) % USED_MAX;
	tickets->count--;
}

static bool
was_used(struct tickets *tickets, const uint8_t id[TICKET_ID_SIZE])
{
	uint32_t at = *chain_of(tickets, id);

	while (at != NONE &&
	    memcmp(tickets->ring[at].id, id, TICKET_ID_SIZE) != 0)
		at = tickets->ring[at].next;
	return at != NONE;
}

enum tickets_use
tickets_use(struct tickets *tickets, const struct ticket *ticket,
    uint64_t now_ms)
{
	uint32_t *chain = chain_of(tickets, ticket->id);
	uint32_t at;

	while (tickets->count > 0 &&
	    tickets->ring[tickets->oldest].until_ms < now_ms)
		oldest_forget(tickets);
	if (was_used(tickets, ticket->id))
		return TICKETS_USED;
	if (tickets->count == USED_MAX)
		return TICKETS_FULL;
	at = (tickets->oldest + tickets->count++) % USED_MAX;
	memcpy(tickets->ring[at].id, ticket->id, TICKET_ID_SIZE);
	tickets->ring[at].until_ms = ticket->expires_ms + TICKET_LIFE_MS;
	tickets->ring[at].next = *chain;
	*chain = at;
	return TICKETS_TAKEN;
}

static void
void_forget(struct tickets *tickets)
{
	tickets->void_oldest = (tickets->void_oldest + 1) % VOIDS_MAX;
	tickets->void_count--;
}

void
tickets_void(struct tickets *tickets, uint64_t uid, uint64_t until_ms,
    uint64_t steady_ms)
{
	uint32_t at;

	while (tickets->void_count > 0 && (tickets->void_count == VOIDS_MAX ||
	    tickets->voids[tickets->void_oldest].forget_ms <= steady_ms))
		void_forget(tickets);
	at = (tickets->void_oldest + tickets->void_count++) % VOIDS_MAX;
	tickets->voids[at] = (struct voided) {
		uid, until_ms, steady_ms + VOID_MS
	};
}

bool
tickets_are_void(const struct tickets *tickets, const struct ticket *ticket,
    uint64_t steady_ms)
{
	for (uint32_t i = 0; i < tickets->void_count; i++) {
		const struct voided *voided = &tickets->voids[
		    (tickets->void_oldest + i) % VOIDS_MAX];

		if (voided->uid == ticket->uid &&
		    ticket->expires_ms <= voided->until_ms &&
		    steady_ms < voided->forget_ms)
			return true;
	}
	return false;
}
