/* SPDX-License-Identifier: MIT */
/*
 * metacube/ticket.h - "this user may enter this map on this world, once".
 *
 * The taskmaster seals a ticket under a key that it has given to that one
 * world server; the world opens it without asking anybody.  Sealed form:
 * metacube.SealedTicket (api/proto/ticket.proto): key id, metacube.Ticket,
 * and the HMAC-SHA-256 of both.
 *
 * Pure functions, any thread; nothing is logged.
 */
#ifndef METACUBE_TICKET_H
#define METACUBE_TICKET_H

#include <metacube/name.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TICKET_KEY_SIZE		32
#define TICKET_ID_SIZE		16
#define TICKET_SEALED_MAX	512
#define TICKET_LIFE_MS		30000	/* a ticket's longest life */

struct ticket {
	uint8_t		id[TICKET_ID_SIZE];	/* random: used once */
	uint64_t	uid;
	uint64_t	epoch;			/* of the map */
	uint64_t	expires_ms;		/* UTC */
	uint64_t	generation;		/* at the login: see tcapw.h */
	char		name[MC_NAME_SIZE];
	char		display[MC_NAME_SIZE];
	char		map[MC_KEY_SIZE];
	char		world[MC_KEY_SIZE];
};

struct ticket_key {
	uint32_t	id;
	uint8_t		secret[TICKET_KEY_SIZE];
};

enum ticket_fault {
	TICKET_FINE = 0,
	TICKET_MALFORMED,	/* not a ticket at all */
	TICKET_KEY,		/* sealed with a key that is not among ours */
	TICKET_FORGED,		/* the seal does not match */
	TICKET_EXPIRED,		/* too old, or longer-lived than allowed */
	TICKET_WORLD		/* for another world */
};

/* Returns the length. */
size_t		 ticket_seal(const struct ticket *, const struct ticket_key *,
		    uint8_t out[TICKET_SEALED_MAX]);

/* Checks against the keys and the clock; whether the id was used before is
 * the caller's to know. */
enum ticket_fault ticket_open(const void *sealed, size_t len,
		    const struct ticket_key *keys, size_t nkeys,
		    const char *world, uint64_t now_ms,
		    struct ticket *ticket_r);

const char	*ticket_fault_text(enum ticket_fault);

#ifdef __cplusplus
}
#endif
#endif
