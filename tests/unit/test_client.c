/* SPDX-License-Identifier: MIT */
/*
 * libmetacube-client against a server that does as it is told: what it is
 * asked for, and what the gateway answers.  client_failures.c has the ways to
 * fail, client_world.c the worlds.
 */
#include "client_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
proofs(void)
{
	static const uint8_t expected[METACUBE_PROOF_SIZE] = {
		0xe0, 0x89, 0xd4, 0x50, 0x5e, 0x64, 0x57, 0xbd,
		0x39, 0xe6, 0x57, 0x75, 0xa7, 0x92, 0xb2, 0x96,
		0xa7, 0x15, 0x3f, 0x3d, 0xc3, 0xc0, 0x58, 0x17,
		0xac, 0xb7, 0x78, 0x1a, 0x4d, 0x47, 0x2c, 0xaf
	};
	uint8_t one[METACUBE_PROOF_SIZE], two[METACUBE_PROOF_SIZE];
	char huge[2000];

	CU_ASSERT_EQUAL(metacube_proof("joe", "correct horse", one), 0);
	CU_ASSERT_EQUAL(memcmp(one, expected, sizeof(one)), 0);
	CU_ASSERT_EQUAL(metacube_proof("JoE", "correct horse", two), 0);
	CU_ASSERT_EQUAL(memcmp(one, two, sizeof(one)), 0);
	CU_ASSERT_EQUAL(metacube_proof("joe", "correct Horse", two), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(one, two, sizeof(one)), 0);
	/* e with acute, as one character and as two */
	CU_ASSERT_EQUAL(metacube_proof("joe", "caf\xc3\xa9", one), 0);
	CU_ASSERT_EQUAL(metacube_proof("joe", "cafe\xcc\x81", two), 0);
	CU_ASSERT_EQUAL(memcmp(one, two, sizeof(one)), 0);
	CU_ASSERT_EQUAL(metacube_proof("jo e", "x", one), METACUBE_E_NAME);
	CU_ASSERT_EQUAL(metacube_proof("j\xc3\xb6" "e", "x", one),
	    METACUBE_E_NAME);
	CU_ASSERT_EQUAL(metacube_proof("joe", "", one), METACUBE_E_PASSWORD);
	CU_ASSERT_EQUAL(metacube_proof("joe", "\xff\xfe", one),
	    METACUBE_E_PASSWORD);
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	CU_ASSERT_EQUAL(metacube_proof("joe", huge, one),
	    METACUBE_E_PASSWORD);
}

static void
new_passwords(void)
{
	uint8_t one[METACUBE_PROOF_SIZE], two[METACUBE_PROOF_SIZE];

	CU_ASSERT_EQUAL(metacube_new_proof("joe", "12345678", one), 0);
	CU_ASSERT_EQUAL(metacube_proof("joe", "12345678", two), 0);
	CU_ASSERT_EQUAL(memcmp(one, two, sizeof(one)), 0);
	CU_ASSERT_EQUAL(metacube_new_proof("joe", "1234567", one),
	    METACUBE_E_PASSWORD_SHORT);
	/* eight bytes, of seven characters */
	CU_ASSERT_EQUAL(metacube_new_proof("joe", "123456\xc3\xa9", one),
	    METACUBE_E_PASSWORD_SHORT);
	/* four characters on this keyboard, eight on that one */
	CU_ASSERT_EQUAL(metacube_new_proof("joe",
	    "e\xcc\x81" "e\xcc\x81" "e\xcc\x81" "e\xcc\x81", one),
	    METACUBE_E_PASSWORD_SHORT);
	CU_ASSERT_EQUAL(metacube_new_proof("amanda-1", "Amanda-1", one),
	    METACUBE_E_PASSWORD_NAME);
	/* U+212A, a K to whoever compares */
	CU_ASSERT_EQUAL(metacube_new_proof("amanda.k1",
	    "amanda.\xe2\x84\xaa" "1", one), METACUBE_E_PASSWORD_NAME);
	CU_ASSERT_EQUAL(metacube_new_proof("joe", "", one),
	    METACUBE_E_PASSWORD);
	CU_ASSERT_EQUAL(metacube_new_proof("jo e", "1234", one),
	    METACUBE_E_NAME);
}

static enum metacube_error
try_login(const char *gateway, const char *ca_file, const char *name,
    const char *map)
{
	struct metacube_options options = { .ca_file = ca_file };
	struct witness witness;
	enum metacube_error error;

	begin(&witness, gateway, &options);
	error = metacube_client_login(witness.client, name, "x", map);
	if (error != METACUBE_OK)
		CU_ASSERT_NOT_EQUAL(metacube_client_why(witness.client)[0], 0);
	metacube_client_free(&witness.client);
	return error;
}

static void
arguments(void)
{
	static const char *const bad[] = {
		"", ":1", "host:", "host:0", "host:65536", "host:x", "a b:1",
		"[::1:1", "host:1,", ",host:1", "host:1:2", NULL
	};
	char empty[] = "/tmp/metacube-empty-XXXXXX";
	int fd = mkstemp(empty);

	for (int i = 0; bad[i] != NULL; i++)
		CU_ASSERT_EQUAL(try_login(bad[i], NULL, "joe", NULL),
		    METACUBE_E_ENDPOINT);
	CU_ASSERT_EQUAL(try_login("localhost", NULL, "joe", NULL),
	    METACUBE_OK);
	CU_ASSERT_EQUAL(try_login("[::1]:1,localhost:2", NULL, "joe", NULL),
	    METACUBE_OK);
	CU_ASSERT_EQUAL(try_login("localhost", NULL, "../joe", NULL),
	    METACUBE_E_NAME);
	CU_ASSERT_EQUAL(try_login("localhost", NULL, "joe", "../map"),
	    METACUBE_E_MAP);
	CU_ASSERT_EQUAL(try_login("localhost", "/nowhere", "joe", NULL),
	    METACUBE_E_CA);
	CU_ASSERT_EQUAL(try_login("localhost", empty, "joe", NULL),
	    METACUBE_E_CA);
	close(fd);
	unlink(empty);
}

static void
wrong_states(void)
{
	struct witness witness;

	begin(&witness, "127.0.0.1:1", &usual);
	CU_ASSERT_EQUAL(metacube_client_say(witness.client, "x", 0),
	    METACUBE_E_STATE);
	CU_ASSERT_EQUAL(metacube_client_move(witness.client, 1, 1),
	    METACUBE_E_STATE);
	CU_ASSERT_EQUAL(metacube_client_join(witness.client, "map"),
	    METACUBE_E_STATE);
	CU_ASSERT_EQUAL(metacube_client_list_maps(witness.client, NULL),
	    METACUBE_E_STATE);
	CU_ASSERT_EQUAL(metacube_client_leave(witness.client),
	    METACUBE_E_STATE);
	CU_ASSERT_EQUAL(metacube_client_fd(witness.client), -1);
	CU_ASSERT_EQUAL(metacube_client_timeout_ms(witness.client), -1);
	CU_ASSERT_FALSE(metacube_client_poll(witness.client));
	login(&witness, NULL);
	CU_ASSERT_EQUAL(metacube_client_login(witness.client, "joe", "x",
	    NULL), METACUBE_E_STATE);
	metacube_client_close(witness.client);
	CU_ASSERT_EQUAL(metacube_client_state(witness.client), METACUBE_IDLE);
	metacube_client_free(&witness.client);
	CU_ASSERT_PTR_NULL(witness.client);
	metacube_client_free(&witness.client);
}

static void
refuse_scene(struct counterpart *self)
{
	Metacube__Queued queued_ = METACUBE__QUEUED__INIT;
	Metacube__Refused refused_ = METACUBE__REFUSED__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	queued_.position = 3;
	SAY(self, heard_cid, QUEUED, queued, queued_);
	refused_.reason = METACUBE__REASON__BAD_CREDENTIALS;
	refused_.text = (char *)"no \033[31mway";
	refused_.retry_ms = 1500;
	SAY(self, heard_cid, REFUSED, refused, refused_);
}

static void
login_refused(void)
{
	struct counterpart server = { .certificate = CERT_ROLES,
	    .scenes = { refuse_scene } };
	struct witness witness;

	counterpart_start(&server);
	begin(&witness, server.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	counterpart_stop(&server);
	CU_ASSERT_STRING_EQUAL(witness.story,
	    "queued 3; refused 1 no ?[31mway 1500; ");
	CU_ASSERT_EQUAL(witness.reason, METACUBE_R_BAD_CREDENTIALS);
	CU_ASSERT_EQUAL(heard->login->version, 1);
	CU_ASSERT_STRING_EQUAL(heard->login->name, "joe");
	CU_ASSERT_STRING_EQUAL(heard->login->mechanism, "password");
	CU_ASSERT_STRING_EQUAL(heard->login->map, "newbie-island");
	CU_ASSERT_EQUAL(heard->login->proof.len, METACUBE_PROOF_SIZE);
	metacube_client_free(&witness.client);
}

static void
lists_scene(struct counterpart *self)
{
	Metacube__LoggedIn logged_in_ = METACUBE__LOGGED_IN__INIT;
	Metacube__Maps maps_ = METACUBE__MAPS__INIT;
	Metacube__MapEntry entry = METACUBE__MAP_ENTRY__INIT;
	Metacube__MapEntry *entries[] = { &entry };
	Metacube__Refused refused_ = METACUBE__REFUSED__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	logged_in_.display = (char *)"Joe";
	SAY(self, heard_cid, LOGGED_IN, logged_in, logged_in_);
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LIST_MAPS))
		return;
	entry.key = (char *)"newbie-island";
	entry.title = (char *)"Newbie Island";
	entry.copies = 1;
	entry.users = 2;
	maps_.n_maps = 1;
	maps_.maps = entries;
	SAY(self, heard_cid, MAPS, maps, maps_);
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_JOIN))
		return;
	refused_.reason = METACUBE__REASON__NO_WORLD;
	SAY(self, heard_cid, REFUSED, refused, refused_);
	hear_the_end(self);
}

static void
maps_and_join_refused(void)
{
	struct counterpart server = { .scenes = { lists_scene } };
	struct witness witness;

	counterpart_start(&server);
	begin(&witness, server.endpoint, &usual);
	login(&witness, NULL);
	until(&witness, "logged_in");
	CU_ASSERT_EQUAL(metacube_client_list_maps(witness.client, NULL), 0);
	CU_ASSERT_EQUAL(metacube_client_join(witness.client, "x"),
	    METACUBE_E_BUSY);
	until(&witness, "maps");
	CU_ASSERT_EQUAL(metacube_client_join(witness.client, "far"), 0);
	until(&witness, "refused");
	CU_ASSERT_STRING_EQUAL(witness.story, "logged_in Joe; "
	    "maps newbie-island=Newbie Island,1,2; "
	    "refused 3 no world server has room now 0; ");
	CU_ASSERT_EQUAL(metacube_client_state(witness.client),
	    METACUBE_LOGGED_IN);
	CU_ASSERT_EQUAL(metacube_client_leave(witness.client), 0);
	until(&witness, "left");
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

static const struct cutap_test client_tests[] = {
	{ "a proof is the same on every keyboard", proofs },
	{ "what a new password must be", new_passwords },
	{ "wrong arguments are told at once", arguments },
	{ "a request at the wrong time is told at once", wrong_states },
	{ "a login is refused, cleanly shown", login_refused },
	{ "maps, a join that is refused, leave",
	    maps_and_join_refused },
	{ NULL, NULL }
};

int
main(void)
{
	static const struct cutap_suite suites[] = {
		{ "client", client_tests },
		{ "failures", client_failure_tests },
		{ "worlds", client_world_tests },
		{ "account", client_account_tests },
		{ NULL, NULL }
	};
	int status;

	alarm(600);
	counterpart_world_begin();
	status = cutap_run_all(suites);
	counterpart_world_end();
	forget();
	return status;
}
