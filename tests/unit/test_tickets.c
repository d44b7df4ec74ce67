/* SPDX-License-Identifier: MIT */
/* A world's ticket keys and the tickets that were used. */

#include "cutap.h"
#include "../../modules/world/rate.h"
#include "../../modules/world/tickets.h"

#include <metacube/host.h>

#include <string.h>

#define NOW	1700000000000u

static const struct ticket_key first = { .id = 1, .secret = "one" };
static const struct ticket_key second = { .id = 2, .secret = "two" };

static struct ticket
ticket_for(const char *world, uint64_t expires_ms)
{
	struct ticket ticket = {
		.uid = 5, .epoch = 1, .expires_ms = expires_ms,
		.name = "joe", .display = "Joe", .map = "newbie-island"
	};

	mc_random(ticket.id, sizeof(ticket.id));
	strcpy(ticket.world, world);
	return ticket;
}

static enum ticket_fault
opened(struct tickets *tickets, const struct ticket_key *key, uint64_t at)
{
	struct ticket ticket = ticket_for("world-1", at + 1000), out;
	uint8_t sealed[TICKET_SEALED_MAX];
	size_t len = ticket_seal(&ticket, key, sealed);

	return tickets_open(tickets, sealed, len, "world-1", at, &out);
}

static void
keys(void)
{
	struct tickets *tickets = tickets_new();
	struct ticket_key again = first;

	CU_ASSERT_EQUAL(opened(tickets, &first, NOW), TICKET_KEY);
	tickets_key(tickets, &first, NOW);
	CU_ASSERT_EQUAL(opened(tickets, &first, NOW), TICKET_FINE);
	CU_ASSERT_EQUAL(opened(tickets, &first, NOW + 86400000),
	    TICKET_FINE);
	tickets_key(tickets, &second, NOW);
	CU_ASSERT_EQUAL(opened(tickets, &second, NOW), TICKET_FINE);
	CU_ASSERT_EQUAL(opened(tickets, &first, NOW + TICKET_LIFE_MS),
	    TICKET_FINE);
	CU_ASSERT_EQUAL(opened(tickets, &first, NOW + 3 * TICKET_LIFE_MS),
	    TICKET_KEY);
	CU_ASSERT_EQUAL(opened(tickets, &second, NOW + 3 * TICKET_LIFE_MS),
	    TICKET_FINE);
	/* the same number with another secret replaces it at once */
	tickets_key(tickets, &first, NOW);
	again.secret[0] ^= 1;
	tickets_key(tickets, &again, NOW);
	CU_ASSERT_EQUAL(opened(tickets, &first, NOW), TICKET_FORGED);
	CU_ASSERT_EQUAL(opened(tickets, &again, NOW), TICKET_FINE);
	tickets_free(&tickets);
	CU_ASSERT_PTR_NULL(tickets);
}

static void
many_keys(void)
{
	struct tickets *tickets = tickets_new();

	for (uint32_t i = 1; i <= 100; i++) {
		struct ticket_key key = { .id = i };

		tickets_key(tickets, &key, NOW);
		CU_ASSERT_EQUAL(opened(tickets, &key, NOW), TICKET_FINE);
	}
	CU_ASSERT_EQUAL(opened(tickets, &first, NOW), TICKET_KEY);
	tickets_free(&tickets);
}

static void
once(void)
{
	struct tickets *tickets = tickets_new();
	struct ticket a = ticket_for("world-1", NOW + TICKET_LIFE_MS);
	struct ticket b = ticket_for("world-1", NOW + TICKET_LIFE_MS);

	CU_ASSERT_EQUAL(tickets_use(tickets, &a, NOW), TICKETS_TAKEN);
	CU_ASSERT_EQUAL(tickets_use(tickets, &a, NOW), TICKETS_USED);
	CU_ASSERT_EQUAL(tickets_use(tickets, &b, NOW), TICKETS_TAKEN);
	CU_ASSERT_EQUAL(tickets_use(tickets, &a, NOW + TICKET_LIFE_MS),
	    TICKETS_USED);
	CU_ASSERT_EQUAL(tickets_use(tickets, &b, NOW + TICKET_LIFE_MS),
	    TICKETS_USED);
	tickets_free(&tickets);
}

/* Room for so many at once; it comes back as they expire. */
static void
bounded(void)
{
	struct tickets *tickets = tickets_new();
	struct ticket ticket = ticket_for("world-1", NOW + TICKET_LIFE_MS);
	uint64_t later = NOW + 2 * TICKET_LIFE_MS + 1;
	size_t taken = 0;

	while (taken < 100000 &&
	    tickets_use(tickets, &ticket, NOW) == TICKETS_TAKEN) {
		ticket = ticket_for("world-1", NOW + TICKET_LIFE_MS);
		taken++;
	}
	CU_ASSERT_EQUAL(taken, 32768);
	CU_ASSERT_EQUAL(tickets_use(tickets, &ticket, NOW), TICKETS_FULL);
	for (size_t i = 0; i < 1000; i++) {
		ticket = ticket_for("world-1", later + TICKET_LIFE_MS);
		CU_ASSERT_EQUAL(tickets_use(tickets, &ticket, later),
		    TICKETS_TAKEN);
		CU_ASSERT_EQUAL(tickets_use(tickets, &ticket, later),
		    TICKETS_USED);
	}
	tickets_free(&tickets);
}

static void
rates(void)
{
	struct rate bucket = { 0 };
	unsigned taken = 0;

	for (int i = 0; i < 1000; i++)
		taken += rate_take(&bucket, 10, 20, NOW);
	CU_ASSERT_EQUAL(taken, 20);
	CU_ASSERT_FALSE(rate_take(&bucket, 10, 20, NOW + 50));
	CU_ASSERT_TRUE(rate_take(&bucket, 10, 20, NOW + 150));
	for (taken = 0; rate_take(&bucket, 10, 20, NOW + 86400000); )
		taken++;
	CU_ASSERT_EQUAL(taken, 20);
}

/* Void is what this user had at that moment, and nothing else. */
static void
voided(void)
{
	struct tickets *tickets = tickets_new();
	struct ticket before = ticket_for("world-1", NOW + 20000);
	struct ticket after = ticket_for("world-1", NOW + 20001);
	struct ticket other = ticket_for("world-1", NOW + 20000);

	other.uid = 6;
	CU_ASSERT_FALSE(tickets_are_void(tickets, &before, 0));
	tickets_void(tickets, before.uid, before.expires_ms, 0);
	CU_ASSERT_TRUE(tickets_are_void(tickets, &before, 0));
	CU_ASSERT_FALSE(tickets_are_void(tickets, &after, 0));
	CU_ASSERT_FALSE(tickets_are_void(tickets, &other, 0));
	/* When none can be left it need not be remembered. */
	CU_ASSERT_TRUE(tickets_are_void(tickets, &before, 59999));
	CU_ASSERT_FALSE(tickets_are_void(tickets, &before, 60000));
	tickets_void(tickets, 7, NOW + 60000, 60000);
	CU_ASSERT_FALSE(tickets_are_void(tickets, &before, 0));
	before.uid = 7;
	CU_ASSERT_TRUE(tickets_are_void(tickets, &before, 60000));
	for (uint64_t uid = 100; uid < 100 + 4096; uid++)
		tickets_void(tickets, uid, NOW + 60000, 60000);
	CU_ASSERT_FALSE(tickets_are_void(tickets, &before, 60000));
	before.uid = 100;
	CU_ASSERT_TRUE(tickets_are_void(tickets, &before, 60000));
	tickets_free(&tickets);
}

/* The taskmaster's clock was a day ahead when somebody had to go, and is not
 * any more: who has come back is let in. */
static void
clock_back(void)
{
	struct tickets *tickets = tickets_new();
	struct ticket ticket = ticket_for("world-1", NOW + 20000);

	tickets_void(tickets, ticket.uid, NOW + 86400000, 5000);
	CU_ASSERT_TRUE(tickets_are_void(tickets, &ticket, 5000));
	CU_ASSERT_FALSE(tickets_are_void(tickets, &ticket, 65000));
	tickets_free(&tickets);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "keys come and go", keys },
		{ "keys are bounded", many_keys },
		{ "a ticket is used once", once },
		{ "used tickets are bounded", bounded },
		{ "how often", rates },
		{ "tickets that were voided", voided },
		{ "by a clock that was ahead", clock_back },
		{ NULL, NULL }
	};

	return cutap_run("tickets", tests);
}
