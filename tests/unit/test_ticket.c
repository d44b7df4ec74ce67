/* SPDX-License-Identifier: MIT */
/* Tickets: one sealed form, and nothing else opens. */
#include "cutap.h"

#include <metacube/host.h>
#include <metacube/proto/ticket.pb-c.h>
#include <metacube/ticket.h>

#include <string.h>

#define NOW	1700000000000u

static const struct ticket_key keys[] = {
	{ .id = 7, .secret = "an old key" },
	{ .id = 0xfedcba98, .secret = "the newest key" },
};

static const struct ticket sample = {
	.id = "0123456789abcde", .uid = 42, .epoch = 1234567890123,
	.expires_ms = NOW + 20000, .generation = 3, .name = "joe", .display = "Joe",
	.map = "newbie-island", .world = "world-2",
};

struct sealed {
	size_t	len;
	uint8_t	data[TICKET_SEALED_MAX];
};

static struct sealed
seal(const struct ticket *ticket, const struct ticket_key *key)
{
	struct sealed sealed = { 0 };

	sealed.len = ticket_seal(ticket, key, sealed.data);
	CU_ASSERT_TRUE(sealed.len > 0 && sealed.len <= TICKET_SEALED_MAX);
	return sealed;
}

static enum ticket_fault
open_at(const struct sealed *sealed, const char *world, uint64_t now_ms)
{
	struct ticket ticket;

	return ticket_open(sealed->data, sealed->len, keys, 2, world, now_ms,
	    &ticket);
}

static enum ticket_fault
open_changed(const struct ticket *ticket)
{
	struct sealed sealed = seal(ticket, &keys[0]);

	return open_at(&sealed, "world-2", NOW);
}

static void
round_trip(void)
{
	struct sealed sealed = seal(&sample, &keys[1]);
	struct ticket ticket;

	memset(&ticket, 0xff, sizeof(ticket));
	CU_ASSERT_EQUAL(ticket_open(sealed.data, sealed.len, keys, 2,
	    "world-2", NOW, &ticket), TICKET_FINE);
	CU_ASSERT_EQUAL(memcmp(ticket.id, sample.id, sizeof(ticket.id)), 0);
	CU_ASSERT_EQUAL(ticket.uid, 42);
	CU_ASSERT_EQUAL(ticket.epoch, 1234567890123);
	CU_ASSERT_EQUAL(ticket.expires_ms, NOW + 20000);
	CU_ASSERT_EQUAL(ticket.generation, 3);
	CU_ASSERT_STRING_EQUAL(ticket.name, "joe");
	CU_ASSERT_STRING_EQUAL(ticket.display, "Joe");
	CU_ASSERT_STRING_EQUAL(ticket.map, "newbie-island");
	CU_ASSERT_STRING_EQUAL(ticket.world, "world-2");
}

static void
longest(void)
{
	struct ticket ticket = sample;

	ticket.uid = ticket.epoch = UINT64_MAX;
	memset(ticket.name, 'a', sizeof(ticket.name) - 1);
	memset(ticket.display, 'A', sizeof(ticket.display) - 1);
	memset(ticket.map, 'm', sizeof(ticket.map) - 1);
	CU_ASSERT_EQUAL(open_changed(&ticket), TICKET_FINE);
}

static void
every_bit(void)
{
	struct sealed sealed = seal(&sample, &keys[0]);
	unsigned opened = 0;

	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] ^= 1u << bit % 8;
		opened += open_at(&sealed, "world-2", NOW) == TICKET_FINE;
		sealed.data[bit / 8] ^= 1u << bit % 8;
	}
	CU_ASSERT_EQUAL(opened, 0);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", NOW), TICKET_FINE);
}

static void
every_length(void)
{
	struct sealed sealed = seal(&sample, &keys[0]);
	size_t len = sealed.len;

	for (sealed.len = 0; sealed.len < len; sealed.len++)
		CU_ASSERT_NOT_EQUAL(open_at(&sealed, "world-2", NOW),
		    TICKET_FINE);
	for (sealed.len = len + 1; sealed.len < sizeof(sealed.data);
	    sealed.len++)
		CU_ASSERT_EQUAL(open_at(&sealed, "world-2", NOW),
		    TICKET_MALFORMED);
}

/* The same ticket in other bytes: fields twice, unknown fields. */
static void
one_form(void)
{
	struct sealed twice = seal(&sample, &keys[0]);
	struct sealed more = twice;
	static const uint8_t unknown[] = { 0x78, 0x01 };

	memmove(twice.data + 5, twice.data, twice.len);
	twice.len += 5;
	CU_ASSERT_EQUAL(open_at(&twice, "world-2", NOW), TICKET_MALFORMED);
	memcpy(more.data + more.len, unknown, sizeof(unknown));
	more.len += sizeof(unknown);
	CU_ASSERT_EQUAL(open_at(&more, "world-2", NOW), TICKET_MALFORMED);
}

static void
other_key(void)
{
	static const struct ticket_key stranger = { 9, "an old key" };
	static const struct ticket_key liar = { 7, "another key" };
	struct sealed sealed = seal(&sample, &stranger);

	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", NOW), TICKET_KEY);
	sealed = seal(&sample, &liar);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", NOW), TICKET_FORGED);
}

static void
time_and_place(void)
{
	struct sealed sealed = seal(&sample, &keys[0]);
	uint64_t end = sample.expires_ms;

	CU_ASSERT_EQUAL(open_at(&sealed, "world-1", NOW), TICKET_WORLD);
	CU_ASSERT_EQUAL(open_at(&sealed, "", NOW), TICKET_WORLD);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", end - 1), TICKET_FINE);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", end), TICKET_EXPIRED);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", UINT64_MAX),
	    TICKET_EXPIRED);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", end - TICKET_LIFE_MS),
	    TICKET_FINE);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2",
	    end - TICKET_LIFE_MS - 1), TICKET_EXPIRED);
	CU_ASSERT_EQUAL(open_at(&sealed, "world-2", 0), TICKET_EXPIRED);
}

/* What our own key has sealed is still looked at. */
static void
bad_content(void)
{
	struct ticket ticket = sample;

	strcpy(ticket.name, "Joe");
	CU_ASSERT_EQUAL(open_changed(&ticket), TICKET_MALFORMED);
	strcpy(ticket.name, "amanda");
	CU_ASSERT_EQUAL(open_changed(&ticket), TICKET_MALFORMED);
	ticket = sample;
	strcpy(ticket.map, "../etc");
	CU_ASSERT_EQUAL(open_changed(&ticket), TICKET_MALFORMED);
	strcpy(ticket.map, "");
	CU_ASSERT_EQUAL(open_changed(&ticket), TICKET_MALFORMED);
	ticket = sample;
	strcpy(ticket.world, "a b");
	CU_ASSERT_EQUAL(open_changed(&ticket), TICKET_MALFORMED);
}

static void
texts(void)
{
	for (int fault = TICKET_FINE; fault <= TICKET_WORLD; fault++)
		for (int other = TICKET_FINE; other < fault; other++)
			CU_ASSERT_STRING_NOT_EQUAL(ticket_fault_text(fault),
			    ticket_fault_text(other));
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "what was sealed opens again", round_trip },
		{ "the longest ticket", longest },
		{ "any flipped bit is noticed", every_bit },
		{ "any other length is noticed", every_length },
		{ "a ticket has one form only", one_form },
		{ "unknown and wrong keys", other_key },
		{ "too late, too early, elsewhere", time_and_place },
		{ "sealed nonsense", bad_content },
		{ "each fault has its words", texts },
		{ NULL, NULL }
	};

	return cutap_run("ticket", tests);
}
