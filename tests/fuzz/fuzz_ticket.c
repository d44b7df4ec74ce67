/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ticket - any bytes as a ticket: as they are, and sealed with a key
 * that is known, so that what is inside is reached too.  What opens must be
 * the one form of what it says.
 */
#include <metacube/proto/ticket.pb-c.h>
#include <metacube/ticket.h>

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

#define NOW	1700000000000u

static const struct ticket_key key = { .id = 7, .secret = "a key" };

static void
try(const uint8_t *data, size_t len)
{
	uint8_t again[TICKET_SEALED_MAX];
	struct ticket ticket;

	if (ticket_open(data, len, &key, 1, "world-2", NOW, &ticket) !=
	    TICKET_FINE)
		return;
	if (ticket_seal(&ticket, &key, again) != len ||
	    memcmp(again, data, len) != 0)
		abort();
}

static void
try_sealed(const uint8_t *data, size_t len)
{
	Metacube__SealedTicket message = METACUBE__SEALED_TICKET__INIT;
	uint8_t bytes[4 + 400] = { 0, 0, 0, 7 }, mac[32];
	uint8_t sealed[TICKET_SEALED_MAX];

	if (len > 400)
		return;
	memcpy(bytes + 4, data, len);
	gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.secret, sizeof(key.secret),
	    bytes, 4 + len, mac);
	message.key = key.id;
	message.ticket.data = bytes + 4;
	message.ticket.len = len;
	message.mac.data = mac;
	message.mac.len = sizeof(mac);
	try(sealed, metacube__sealed_ticket__pack(&message, sealed));
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	try_sealed(data, len);
	return 0;
}
