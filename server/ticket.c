/* SPDX-License-Identifier: MIT */
/*
 * ticket.c - seals and opens tickets (metacube/ticket.h).
 *
 * A ticket has exactly one sealed form: what decodes, but is not what the
 * encoder would have written, is malformed.  So nobody can make two different
 * byte strings of one ticket, and the seal is checked before anything that
 * the ticket says is looked at.
 *
 *	SealedTicket
 *	    key     fixed32   which of the world's keys
 *	    ticket  bytes     metacube.Ticket
 *	    mac     bytes     HMAC-SHA-256(secret, key as 4 bytes, big-endian,
 *	                      then ticket)
 */
#include <metacube/host.h>
#include <metacube/proto/ticket.pb-c.h>
#include <metacube/ticket.h>

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

#define MAC_SIZE	32

static void
mac_make(const struct ticket_key *key, const void *ticket, size_t len,
    uint8_t mac[MAC_SIZE])
{
	uint8_t bytes[4 + TICKET_SEALED_MAX] = {
		key->id >> 24, key->id >> 16, key->id >> 8, key->id
	};

	if (len > 0)	/* an empty one is NULL */
		memcpy(bytes + 4, ticket, len);
	/* It fails only without memory or without the algorithm. */
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->secret,
	    sizeof(key->secret), bytes, 4 + len, mac) != 0)
		abort();
}

static size_t
ticket_pack(const struct ticket *ticket, uint8_t out[TICKET_SEALED_MAX])
{
	Metacube__Ticket message = METACUBE__TICKET__INIT;

	message.id.data = (uint8_t *)ticket->id;
	message.id.len = sizeof(ticket->id);
	message.uid = ticket->uid;
	message.epoch = ticket->epoch;
	message.expires_ms = ticket->expires_ms;
	message.generation = ticket->generation;
	message.name = (char *)ticket->name;
	message.display = (char *)ticket->display;
	message.map = (char *)ticket->map;
	message.world = (char *)ticket->world;
	return metacube__ticket__pack(&message, out);
}

size_t
ticket_seal(const struct ticket *ticket, const struct ticket_key *key,
    uint8_t out[TICKET_SEALED_MAX])
{
	Metacube__SealedTicket message = METACUBE__SEALED_TICKET__INIT;
	uint8_t bytes[TICKET_SEALED_MAX], mac[MAC_SIZE];

	message.key = key->id;
	message.ticket.data = bytes;
	message.ticket.len = ticket_pack(ticket, bytes);
	mac_make(key, bytes, message.ticket.len, mac);
	message.mac.data = mac;
	message.mac.len = sizeof(mac);
	return metacube__sealed_ticket__pack(&message, out);
}

static const struct ticket_key *
key_find(const struct ticket_key *keys, size_t nkeys, uint32_t id)
{
	for (size_t i = 0; i < nkeys; i++)
		if (keys[i].id == id)
			return &keys[i];
	return NULL;
}

/* The seal, over bytes that are known to be the only form of themselves. */
static enum ticket_fault
seal_check(const Metacube__SealedTicket *message, const void *sealed,
    size_t len, const struct ticket_key *keys, size_t nkeys)
{
	uint8_t again[TICKET_SEALED_MAX], mac[MAC_SIZE];
	const struct ticket_key *key;

	if (message->base.n_unknown_fields != 0 ||
	    message->mac.len != MAC_SIZE ||
	    metacube__sealed_ticket__get_packed_size(message) != len ||
	    metacube__sealed_ticket__pack(message, again) != len ||
	    memcmp(again, sealed, len) != 0)
		return TICKET_MALFORMED;
	key = key_find(keys, nkeys, message->key);
	if (key == NULL)
		return TICKET_KEY;
	mac_make(key, message->ticket.data, message->ticket.len, mac);
	if (!mc_equal_secret(mac, message->mac.data, MAC_SIZE))
		return TICKET_FORGED;
	return TICKET_FINE;
}

static bool
text_copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

static bool
ticket_fill(struct ticket *ticket, const Metacube__Ticket *message)
{
	char folded[MC_NAME_SIZE];

	if (message->id.len != sizeof(ticket->id))
		return false;
	memcpy(ticket->id, message->id.data, sizeof(ticket->id));
	ticket->uid = message->uid;
	ticket->epoch = message->epoch;
	ticket->expires_ms = message->expires_ms;
	ticket->generation = message->generation;
	return text_copy(ticket->name, sizeof(ticket->name),
	    message->name) &&
	    text_copy(ticket->display, sizeof(ticket->display),
	    message->display) &&
	    text_copy(ticket->map, sizeof(ticket->map), message->map) &&
	    text_copy(ticket->world, sizeof(ticket->world),
	    message->world) &&
	    mc_name_fold(ticket->name, folded) == NULL &&
	    strcmp(ticket->name, folded) == 0 &&
	    mc_name_fold(ticket->display, folded) == NULL &&
	    strcmp(ticket->name, folded) == 0 &&
	    mc_key_valid(ticket->map) && mc_key_valid(ticket->world);
}

static bool
ticket_unpack(const ProtobufCBinaryData *bytes, struct ticket *ticket)
{
	Metacube__Ticket *message =
	    metacube__ticket__unpack(NULL, bytes->len, bytes->data);
	uint8_t again[TICKET_SEALED_MAX];
	bool fine;

	if (message == NULL)
		return false;
	memset(ticket, 0, sizeof(*ticket));
	fine = ticket_fill(ticket, message);
	metacube__ticket__free_unpacked(message, NULL);
	return fine && ticket_pack(ticket, again) == bytes->len &&
	    memcmp(again, bytes->data, bytes->len) == 0;
}

static enum ticket_fault
ticket_check(const struct ticket *ticket, const char *world, uint64_t now_ms)
{
	if (strcmp(ticket->world, world) != 0)
		return TICKET_WORLD;
	if (ticket->expires_ms <= now_ms ||
	    ticket->expires_ms - now_ms > TICKET_LIFE_MS)
		return TICKET_EXPIRED;
	return TICKET_FINE;
}

enum ticket_fault
ticket_open(const void *sealed, size_t len, const struct ticket_key *keys,
    size_t nkeys, const char *world, uint64_t now_ms, struct ticket *ticket_r)
{
	Metacube__SealedTicket *message;
	enum ticket_fault fault;
	struct ticket ticket;

	if (len == 0 || len > TICKET_SEALED_MAX)
		return TICKET_MALFORMED;
	message = metacube__sealed_ticket__unpack(NULL, len, sealed);
	if (message == NULL)
		return TICKET_MALFORMED;
	fault = seal_check(message, sealed, len, keys, nkeys);
	if (fault == TICKET_FINE && !ticket_unpack(&message->ticket, &ticket))
		fault = TICKET_MALFORMED;
	metacube__sealed_ticket__free_unpacked(message, NULL);
	if (fault == TICKET_FINE)
		fault = ticket_check(&ticket, world, now_ms);
	if (fault == TICKET_FINE)
		*ticket_r = ticket;
	return fault;
}

const char *
ticket_fault_text(enum ticket_fault fault)
{
	switch (fault) {
	case TICKET_FINE:
		return "the ticket is good";
	case TICKET_MALFORMED:
		return "this is not a ticket";
	case TICKET_KEY:
		return "the ticket was sealed with a key not known here";
	case TICKET_FORGED:
		return "the ticket's seal does not match";
	case TICKET_EXPIRED:
		return "the ticket has expired";
	case TICKET_WORLD:
		return "the ticket is for another world server";
	}
	return "the ticket cannot be used";
}
