/* SPDX-License-Identifier: MIT */
#include "cutap.h"
#include "server/endpoint.h"
#include "tls.h"
#include "wheel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
there_and_back(void)
{
	static const char *const texts[] = {
		"127.0.0.1:7740", "[::]:0", "[2001:db8::1]:65535",
		"unix:/run/metacube/control"
	};
	struct endpoint endpoint;
	struct address address;
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CU_ASSERT_PTR_NULL(endpoint_parse(texts[i], &endpoint));
		CU_ASSERT_TRUE(endpoint_address(&endpoint, &address));
		address_text(&address, text);
		CU_ASSERT_STRING_EQUAL(text, texts[i]);
	}
}

static void
names(void)
{
	struct endpoint endpoint;
	struct address address;

	CU_ASSERT_PTR_NULL(endpoint_parse("tm.example.net:7745", &endpoint));
	CU_ASSERT_STRING_EQUAL(endpoint.host, "tm.example.net");
	CU_ASSERT_EQUAL(endpoint.port, 7745);
	CU_ASSERT_FALSE(endpoint_address(&endpoint, &address));
}

static void
faults(void)
{
	static const char *const texts[] = {
		"", ":", ":80", "host", "host:", "host:x", "host:65536",
		"host:-1", "host: 1", "host:1 ", "::1:80", "[::1]", "[::1:80",
		"[]:80", "unix:", "unix:run"
	};
	char text[300];
	struct endpoint endpoint;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(endpoint_parse(texts[i], &endpoint));
	memset(text, 'h', sizeof(text));
	strcpy(text + 256, ":80");
	CU_ASSERT_PTR_NOT_NULL(endpoint_parse(text, &endpoint));
	strcpy(text + 255, ":80");
	CU_ASSERT_PTR_NULL(endpoint_parse(text, &endpoint));
	snprintf(text, sizeof(text), "unix:/%0120d", 0);
	CU_ASSERT_PTR_NOT_NULL(endpoint_parse(text, &endpoint));
}

static void
mapped(void)
{
	struct endpoint endpoint;
	struct address address;
	char text[ENDPOINT_TEXT_SIZE];

	CU_ASSERT_PTR_NULL(endpoint_parse("[::ffff:192.0.2.9]:5", &endpoint));
	CU_ASSERT_TRUE(endpoint_address(&endpoint, &address));
	address_text(&address, text);
	CU_ASSERT_STRING_EQUAL(text, "192.0.2.9:5");
}

/* Who a certificate says somebody is */

static bool
takes(struct mc_peer *peer, const char *uri)
{
	return peer_uri(peer, uri, strlen(uri));
}

static void
uris(void)
{
	struct mc_peer peer = { 0 };

	CU_ASSERT_TRUE(takes(&peer, "metacube:world/world-1"));
	CU_ASSERT_TRUE(takes(&peer, "metacube:gateway/world-1"));
	CU_ASSERT_TRUE(takes(&peer, "metacube:world/world-1"));
	CU_ASSERT_STRING_EQUAL(peer.roles, "world,gateway");
	CU_ASSERT_STRING_EQUAL(peer.name, "world-1");
	CU_ASSERT_FALSE(takes(&peer, "metacube:world/world-2"));
	CU_ASSERT_FALSE(takes(&peer, "metacube:world/"));
	CU_ASSERT_FALSE(takes(&peer, "metacube:/world-1"));
	CU_ASSERT_FALSE(takes(&peer, "metacube:a,b/world-1"));
	CU_ASSERT_FALSE(takes(&peer, "metacube:world"));
	CU_ASSERT_FALSE(takes(&peer, "metacube:"));
	CU_ASSERT_FALSE(takes(&peer, "https://world/world-1"));
	CU_ASSERT_FALSE(peer_uri(&peer, "metacube:x/world-1\0", 19));
	CU_ASSERT_FALSE(takes(&peer, "metacube:0123456789012345678901234567"
	    "890123456789012345678901234567890/world-1"));
	CU_ASSERT_STRING_EQUAL(peer.roles, "world,gateway");
}

static void
roles(void)
{
	struct mc_peer peer = { .roles = "world,gateway" };

	CU_ASSERT_TRUE(mc_peer_is(&peer, "world"));
	CU_ASSERT_TRUE(mc_peer_is(&peer, "gateway"));
	CU_ASSERT_FALSE(mc_peer_is(&peer, "worl"));
	CU_ASSERT_FALSE(mc_peer_is(&peer, "world,gateway"));
	CU_ASSERT_FALSE(mc_peer_is(&peer, ""));
	CU_ASSERT_TRUE(peer_has_role_of(&peer, "account,gateway"));
	CU_ASSERT_FALSE(peer_has_role_of(&peer, "account,gate"));
	CU_ASSERT_FALSE(peer_has_role_of(&peer, ""));
}

/* Deadlines */

#define ENTRIES	1000

static uint64_t now_ms;
static unsigned due_count, early, late;

static void
due(struct wheel_entry *entry)
{
	due_count++;
	early += entry->deadline_ms > now_ms;
	late += now_ms - entry->deadline_ms > 2 * WHEEL_TICK_MS;
}

static void
deadlines(void)
{
	static struct wheel_entry entries[ENTRIES];
	struct wheel wheel;
	unsigned seed = 1;
	int wait;

	now_ms = 1000000;
	due_count = early = late = 0;
	wheel_init(&wheel, now_ms);
	CU_ASSERT_EQUAL(wheel_wait(&wheel, now_ms), -1);
	for (int i = 0; i < ENTRIES; i++)
		wheel_set(&wheel, &entries[i], now_ms +
		    (unsigned)rand_r(&seed) % 100000);
	for (int i = 0; i < ENTRIES; i += 2)	/* put off, or earlier */
		wheel_set(&wheel, &entries[i], now_ms +
		    (unsigned)rand_r(&seed) % 100000);
	for (int i = 0; i < ENTRIES; i += 10)
		wheel_clear(&wheel, &entries[i]);
	while ((wait = wheel_wait(&wheel, now_ms)) != -1) {
		now_ms += (unsigned)wait + 1;
		wheel_turn(&wheel, now_ms, due);
	}
	CU_ASSERT_EQUAL(due_count, ENTRIES - ENTRIES / 10);
	CU_ASSERT_EQUAL(early, 0);
	CU_ASSERT_EQUAL(late, 0);
	CU_ASSERT_TRUE(now_ms <= 1000000 + 100000 + 2 * WHEEL_TICK_MS);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "endpoints there and back", there_and_back },
		{ "names are left to others", names },
		{ "what is no endpoint says why", faults },
		{ "IPv4 in IPv6 is IPv4", mapped },
		{ "roles and name in a certificate", uris },
		{ "who has which role", roles },
		{ "deadlines come in time, and not before", deadlines },
		{ NULL, NULL }
	};

	return cutap_run("endpoint", tests);
}
