/* SPDX-License-Identifier: MIT */
/*
 * libmetacube-client against a server that does as it is told: every way that
 * a connection can fail, and the whole way from Login to Kicked.
 */
#include "counterpart.h"
#include "cutap.h"

#include <metacube/client.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS	15000

/* --- the client's side ------------------------------------------------- */

/* What has happened, in words: "queued 3; logged_in Joe; " */
struct witness {
	struct metacube_client	*client;
	char			 story[4096];
	enum metacube_error	 error;
	enum metacube_reason	 reason;
	char			 why[512];
};

static void
note(struct witness *witness, const char *format, ...)
{
	size_t len = strlen(witness->story);
	va_list args;

	va_start(args, format);
	vsnprintf(witness->story + len, sizeof(witness->story) - len, format,
	    args);
	va_end(args);
}

static void
queued(void *owner, unsigned position)
{
	note(owner, "queued %u; ", position);
}

static void
logged_in(void *owner, const char *display)
{
	note(owner, "logged_in %s; ", display);
}

static void
maps(void *owner, const struct metacube_map *list, size_t count, bool more)
{
	note(owner, "maps");
	for (size_t i = 0; i < count; i++)
		note(owner, " %s=%s,%u,%u", list[i].key, list[i].title,
		    list[i].copies, list[i].users);
	note(owner, "%s; ", more ? "..." : "");
}

static void
rerouted(void *owner, const char *world, const char *endpoint, const char *map)
{
	(void)endpoint;
	note(owner, "rerouted %s %s; ", world, map);
}

static void
entered(void *owner, const struct metacube_place *place)
{
	struct witness *witness = owner;
	size_t count;

	metacube_client_seen(witness->client, &count);
	note(owner, "entered %s %s %zu; ", place->world, place->title, count);
}

static void
appeared(void *owner, const struct metacube_avatar *who)
{
	note(owner, "appeared %s %d %d; ", who->display, who->x, who->y);
}

static void
vanished(void *owner, const struct metacube_avatar *who)
{
	note(owner, "vanished %s; ", who->display);
}

static void
moved(void *owner, const struct metacube_avatar *who)
{
	note(owner, "moved %s %d %d; ", who->display, who->x, who->y);
}

static void
said(void *owner, uint32_t id, const char *display, const char *text,
    enum metacube_range range)
{
	(void)id;
	note(owner, "said %s %s %u; ", display, text, (unsigned)range);
}

static void
kicked(void *owner, enum metacube_reason reason, const char *text)
{
	note(owner, "kicked %u %s; ", (unsigned)reason, text);
}

static void
refused(void *owner, enum metacube_request request,
    enum metacube_reason reason, const char *text, unsigned retry_ms)
{
	struct witness *witness = owner;

	witness->reason = reason;
	note(owner, "refused %u %s %u; ", (unsigned)request, text, retry_ms);
}

static void
dropped(void *owner, enum metacube_error error, const char *why,
    unsigned retry_ms)
{
	(void)why, (void)retry_ms;
	note(owner, "dropped %u; ", (unsigned)error);
}

static void
resumed(void *owner, const struct metacube_place *place)
{
	note(owner, "resumed %s; ", place->map);
}

static void
left(void *owner)
{
	note(owner, "left; ");
}

static void
failed(void *owner, enum metacube_error error, const char *why)
{
	struct witness *witness = owner;

	witness->error = error;
	snprintf(witness->why, sizeof(witness->why), "%s", why);
	note(owner, "failed; ");
}

static const struct metacube_options usual = {
	.connect_ms = 5000, .handshake_ms = 5000, .answer_ms = 5000,
};

static void
begin(struct witness *witness, const char *gateway,
    const struct metacube_options *with)
{
	struct metacube_options options = *with;
	struct metacube_events events = {
		witness, queued, logged_in, maps, rerouted, entered, appeared,
		vanished, moved, said, kicked, refused, dropped, resumed,
		left, failed
	};

	memset(witness, 0, sizeof(*witness));
	options.gateway = gateway;
	if (options.ca_file == NULL)
		options.ca_file = counterpart_ca();
	witness->client = metacube_client_new(&options, &events);
	CU_ASSERT_PTR_NOT_NULL_FATAL(witness->client);
}

static void
login(struct witness *witness, const char *map)
{
	CU_ASSERT_EQUAL(metacube_client_login(witness->client, "Joe",
	    "correct horse", map), METACUBE_OK);
}

static void
login_to_the_end(struct witness *witness, const char *map)
{
	login(witness, map);
	CU_ASSERT_FALSE(metacube_client_run_for(witness->client, PATIENCE_MS));
}

/* Until the story has come so far. */
static void
until(struct witness *witness, const char *words)
{
	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (strstr(witness->story, words) != NULL)
			return;
		metacube_client_run_for(witness->client, 10);
	}
	fprintf(stderr, "# not \"%s\" but \"%s\" %s\n", words, witness->story,
	    witness->why);
	CU_FAIL("the story goes otherwise");
}

/* A login at this counterpart fails like this, and the sentence names it. */
static void
fails(struct counterpart *counterpart, enum metacube_error error,
    const char *words, const struct metacube_options *options)
{
	struct witness witness;

	counterpart_start(counterpart);
	begin(&witness, counterpart->endpoint, options);
	login_to_the_end(&witness, NULL);
	metacube_client_free(&witness.client);
	counterpart_stop(counterpart);
	if (witness.error != error || strstr(witness.why, words) == NULL)
		fprintf(stderr, "# %d, %s\n", (int)witness.error, witness.why);
	CU_ASSERT_EQUAL(witness.error, error);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, words));
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, counterpart->endpoint));
}

/* --- the server's side ------------------------------------------------- */

#define SAY(self, with_cid, MESSAGE, member, ...) do { \
	Metacube__Envelope say_ = METACUBE__ENVELOPE__INIT; \
	say_.cid = with_cid; \
	say_.message_case = METACUBE__ENVELOPE__MESSAGE_##MESSAGE; \
	say_.member = &(__VA_ARGS__); \
	counterpart_say(self, &say_); \
} while (0)

static uint32_t heard_cid;
static Metacube__Envelope *heard;

static void
forget(void)
{
	if (heard != NULL)
		metacube__envelope__free_unpacked(heard, NULL);
	heard = NULL;
}

/* The next message is of this kind; its cid is kept. */
static bool
hear(struct counterpart *self, Metacube__Envelope__MessageCase kind)
{
	forget();
	heard = counterpart_hear(self);
	if (heard == NULL || heard->message_case != kind) {
		fprintf(stderr, "# heard %d instead of %d\n",
		    heard != NULL ? (int)heard->message_case : -1, (int)kind);
		return false;
	}
	heard_cid = heard->cid;
	return true;
}

/* Whatever comes, until the client goes. */
static void
hear_the_end(struct counterpart *self)
{
	Metacube__Envelope *envelope;

	while ((envelope = counterpart_hear(self)) != NULL)
		metacube__envelope__free_unpacked(envelope, NULL);
}

static void
silence(struct counterpart *self)
{
	char byte;

	while (recv(self->fd, &byte, 1, 0) > 0)
		;
}

static void
hang_up(struct counterpart *self)
{
	(void)self;
}

/* --- names, passwords, arguments --------------------------------------- */

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

/* --- ways to fail ------------------------------------------------------ */

static void
unreachable(void)
{
	struct counterpart there = { .plain = true, .scenes = { hang_up } };
	struct witness witness;

	counterpart_start(&there);
	counterpart_stop(&there);	/* now nobody listens there */
	begin(&witness, there.endpoint, &usual);
	login_to_the_end(&witness, NULL);
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_CONNECT);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, there.endpoint));
	metacube_client_free(&witness.client);
}

static void
unknown_host(void)
{
	struct witness witness;

	begin(&witness, "no-such-host.invalid:1", &usual);
	login_to_the_end(&witness, NULL);
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_RESOLVE);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, "no-such-host.invalid"));
	metacube_client_free(&witness.client);
}

static void
web_server(struct counterpart *self)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	if (send(self->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0)
		silence(self);
}

static void
not_tls(void)
{
	struct counterpart server = { .plain = true,
	    .scenes = { web_server } };

	fails(&server, METACUBE_E_NO_TLS, "does not speak TLS", &usual);
}

static void
old_tls(void)
{
	struct counterpart server = { .scenes = { hang_up },
	    .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" };

	fails(&server, METACUBE_E_TLS_VERSION, "TLS 1.3", &usual);
}

static void
never_speaks(void)
{
	struct counterpart server = { .plain = true, .scenes = { silence } };
	struct metacube_options options = usual;

	options.handshake_ms = 200;
	fails(&server, METACUBE_E_TIMEOUT, "handshake", &options);
}

static void
closes_at_once(void)
{
	struct counterpart server = { .plain = true, .scenes = { hang_up } };

	fails(&server, METACUBE_E_CLOSED, "closed", &usual);
}

static void
closes_after_login(void)
{
	struct counterpart server = { .scenes = { hang_up } };

	fails(&server, METACUBE_E_CLOSED, "closed", &usual);
}

static void
hear_and_wait(struct counterpart *self)
{
	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		hear_the_end(self);
}

static void
never_answers(void)
{
	struct counterpart server = { .scenes = { hear_and_wait } };
	struct metacube_options options = usual;

	options.answer_ms = 200;
	fails(&server, METACUBE_E_TIMEOUT, "did not answer", &options);
}

static void
certificate_fails(enum certificate which, enum metacube_error error,
    const char *words)
{
	struct counterpart server = { .certificate = which,
	    .scenes = { hang_up } };

	fails(&server, error, words, &usual);
}

static void
bad_certificates(void)
{
	certificate_fails(CERT_OTHER_CA, METACUBE_E_CERT_UNTRUSTED,
	    "another CA");
	certificate_fails(CERT_OTHER_CA_SAME_NAME, METACUBE_E_CERT_UNTRUSTED,
	    counterpart_ca());
	certificate_fails(CERT_SELF_SIGNED, METACUBE_E_CERT_SELF_SIGNED,
	    "self-signed");
	certificate_fails(CERT_EXPIRED, METACUBE_E_CERT_EXPIRED, "expired");
	certificate_fails(CERT_NOT_YET, METACUBE_E_CERT_NOT_YET, "clock");
	certificate_fails(CERT_OTHER_HOST, METACUBE_E_CERT_NAME, "127.0.0.1");
	certificate_fails(CERT_FOR_CLIENTS, METACUBE_E_CERT_BAD, "servers");
	certificate_fails(CERT_WORLD_2, METACUBE_E_CERT_ROLE,
	    "metacube:world/world-2");
}

static void
other_server_name(void)
{
	struct counterpart server = { .scenes = { hang_up },
	    .certificate = CERT_OTHER_HOST };
	struct metacube_options options = usual;

	options.server_name = "elsewhere.example";
	fails(&server, METACUBE_E_CLOSED, "closed", &options);
}

/* --- what a server must not send --------------------------------------- */

static void
too_long(struct counterpart *self)
{
	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN)) {
		counterpart_send(self, "\x7f\xff\xff\xff", 4);
		hear_the_end(self);
	}
}

static void
garbage(struct counterpart *self)
{
	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN)) {
		counterpart_send(self, "\0\0\0\4\xff\xff\xff\xff", 8);
		hear_the_end(self);
	}
}

static void
out_of_place(struct counterpart *self)
{
	Metacube__Vanished vanished_ = METACUBE__VANISHED__INIT;

	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN)) {
		SAY(self, 0, VANISHED, vanished, vanished_);
		hear_the_end(self);
	}
}

/* 60,000 bytes of empty map entries: 30,000 allocations and 1.7 MB. */
static void
bomb(struct counterpart *self)
{
	static uint8_t frame[60004];
	size_t at = 4;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	memcpy(frame, "\0\0\xea\x60", 4);
	frame[at++] = 13 << 3 | 2;	/* maps = 13, 59,996 bytes */
	frame[at++] = 0xdc;
	frame[at++] = 0xd4;
	frame[at++] = 0x03;
	while (at < sizeof(frame)) {
		frame[at++] = 1 << 3 | 2;	/* an empty entry */
		frame[at++] = 0;
	}
	counterpart_send(self, frame, sizeof(frame));
	hear_the_end(self);
}

static void
nonsense(void)
{
	scene_fn *const scenes[] = { too_long, garbage, out_of_place, bomb };

	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct counterpart server = { .scenes = { scenes[i] } };

		fails(&server, METACUBE_E_PROTOCOL, "sent", &usual);
	}
}

/* --- the gateway ------------------------------------------------------- */

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

/* --- all the way ------------------------------------------------------- */

static const char *world_endpoints[2];
static size_t world_count;
static const char *claimed_world;	/* what the world says it is */

static void
gateway_scene(struct counterpart *self)
{
	Metacube__Reroute reroute = METACUBE__REROUTE__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	reroute.n_endpoint = world_count;
	reroute.endpoint = (char **)world_endpoints;
	reroute.world = (char *)"world-1";
	reroute.map = (char *)"newbie-island";
	reroute.ticket.data = (uint8_t *)"ticket";
	reroute.ticket.len = 6;
	SAY(self, heard_cid, REROUTE, reroute, reroute);
}

static void
say_entered(struct counterpart *self)
{
	static uint32_t ids[] = { 7, 3 };
	static char *names[] = { (char *)"Joe", (char *)"Amanda" };
	static int32_t x[] = { 100, 200 }, y[] = { 300, -400 }, z[] = { 1, 2 };
	Metacube__Entered entered_ = METACUBE__ENTERED__INIT;

	entered_.session = 99;
	entered_.secret.data = (uint8_t *)"secret";
	entered_.secret.len = 6;
	entered_.avatar = 7;
	entered_.map = (char *)"newbie-island";
	entered_.title = (char *)"Newbie Island";
	entered_.width = entered_.height = 10000;
	entered_.tick_ms = 50;
	entered_.world = (char *)claimed_world;
	entered_.n_id = entered_.n_display = 2;
	entered_.n_x = entered_.n_y = entered_.n_z = 2;
	entered_.id = ids;
	entered_.display = names;
	entered_.x = x;
	entered_.y = y;
	entered_.z = z;
	SAY(self, heard_cid, ENTERED, entered, entered_);
}

static void
say_news(struct counterpart *self)
{
	uint32_t ids[] = { 3, 1000 };
	int32_t x[] = { 250, 1 }, y[] = { -350, 1 }, z[] = { 0, 0 };
	Metacube__Appeared appeared_ = METACUBE__APPEARED__INIT;
	Metacube__Update update = METACUBE__UPDATE__INIT;
	Metacube__Vanished vanished_ = METACUBE__VANISHED__INIT;

	appeared_.id = 5;
	appeared_.display = (char *)"bot-5";
	appeared_.x = 10;
	SAY(self, 0, APPEARED, appeared, appeared_);
	update.n_id = update.n_x = update.n_y = update.n_z = 2;
	update.id = ids;
	update.x = x;
	update.y = y;
	update.z = z;
	SAY(self, 0, UPDATE, update, update);
	vanished_.id = 5;
	SAY(self, 0, VANISHED, vanished, vanished_);
}

static bool
enter_scene(struct counterpart *self)
{
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_ENTER) ||
	    heard->enter->ticket.len != 6 ||
	    memcmp(heard->enter->ticket.data, "ticket", 6) != 0)
		return false;
	say_entered(self);
	return true;
}

/* Enters, is told what goes on, speaks, and is cut off. */
static void
world_scene(struct counterpart *self)
{
	Metacube__Said said_ = METACUBE__SAID__INIT;
	Metacube__Ping ping = METACUBE__PING__INIT;

	if (!enter_scene(self))
		return;
	say_news(self);
	SAY(self, 17, PING, ping, ping);
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_PONG) || heard_cid != 17 ||
	    !hear(self, METACUBE__ENVELOPE__MESSAGE_SAY))
		return;
	said_.id = 7;
	said_.display = (char *)"Joe";
	said_.text = heard->say->text;
	said_.range = heard->say->range;
	SAY(self, 0, SAID, said, said_);
}

static void
resume_scene(struct counterpart *self)
{
	Metacube__Kicked kicked_ = METACUBE__KICKED__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_RESUME) ||
	    heard->resume->session != 99 || heard->resume->secret.len != 6 ||
	    memcmp(heard->resume->secret.data, "secret", 6) != 0)
		return;
	say_entered(self);
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_MOVE) ||
	    heard->move->x != -5 || heard->move->y != 6)
		return;
	kicked_.reason = METACUBE__REASON__LOGGED_IN_ELSEWHERE;
	kicked_.text = (char *)"elsewhere";
	SAY(self, 0, KICKED, kicked, kicked_);
}

/* One listener is gateway and world: scene after scene. */
static void
network_start(struct counterpart *server, const char *world)
{
	claimed_world = world;
	counterpart_start(server);
	world_endpoints[0] = server->endpoint;
	world_count = 1;
}

static void
whole_way(void)
{
	struct counterpart server = { .certificate = CERT_ROLES,
	    .scenes = { gateway_scene, world_scene, hang_up, resume_scene } };
	struct witness witness;
	const struct metacube_avatar *seen;
	size_t count;

	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &usual);
	login(&witness, "newbie-island");
	until(&witness, "vanished");
	CU_ASSERT_STRING_EQUAL(witness.story,
	    "rerouted world-1 newbie-island; "
	    "entered world-1 Newbie Island 2; appeared bot-5 10 0; "
	    "moved Amanda 250 -350; vanished bot-5; ");
	seen = metacube_client_seen(witness.client, &count);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_EQUAL(seen[0].id, 3);
	CU_ASSERT_EQUAL(seen[1].id, 7);
	CU_ASSERT_EQUAL(metacube_client_place(witness.client)->self, 7);
	CU_ASSERT_EQUAL(metacube_client_say(witness.client, "a\nb", 0),
	    METACUBE_E_TEXT);
	CU_ASSERT_EQUAL(metacube_client_say(witness.client, "hello",
	    METACUBE_SHOUT), 0);
	until(&witness, "said Joe hello 1; dropped");
	CU_ASSERT_EQUAL(metacube_client_state(witness.client),
	    METACUBE_DROPPED);
	until(&witness, "resumed newbie-island");
	CU_ASSERT_EQUAL(metacube_client_move(witness.client, -5, 6), 0);
	until(&witness, "kicked 11 elsewhere");
	CU_ASSERT_EQUAL(metacube_client_state(witness.client), METACUBE_IDLE);
	CU_ASSERT_PTR_NULL(metacube_client_place(witness.client));
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
	CU_ASSERT_TRUE(server.ok);
}

static void
enter_only(struct counterpart *self)
{
	if (enter_scene(self))
		hear_the_end(self);
}

/* The world that was promised, and no other. */
static void
other_world(void)
{
	struct counterpart server = { .certificate = CERT_ROLES,
	    .scenes = { gateway_scene, enter_only } };
	struct witness witness;

	network_start(&server, "world-2");
	begin(&witness, server.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_WORLD);
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

static void
world_with_wrong_certificate(void)
{
	struct counterpart gateway = { .certificate = CERT_ROLES,
	    .scenes = { gateway_scene } };
	struct counterpart world = { .certificate = CERT_WORLD_2,
	    .scenes = { hang_up } };
	struct witness witness;

	counterpart_start(&gateway);
	network_start(&world, "world-1");
	begin(&witness, gateway.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_CERT_ROLE);
	metacube_client_free(&witness.client);
	counterpart_stop(&gateway);
	counterpart_stop(&world);
}

/* The first endpoint is dead, the second lives. */
static void
second_endpoint(void)
{
	struct counterpart dead = { .plain = true, .scenes = { hang_up } };
	struct counterpart server = { .scenes = { gateway_scene, enter_only } };
	struct witness witness;
	char gateways[80];

	counterpart_start(&dead);
	counterpart_stop(&dead);
	network_start(&server, "world-1");
	world_endpoints[0] = dead.endpoint;
	world_endpoints[1] = server.endpoint;
	world_count = 2;
	snprintf(gateways, sizeof(gateways), "%s,%s", dead.endpoint,
	    server.endpoint);
	begin(&witness, gateways, &usual);
	login(&witness, "newbie-island");
	until(&witness, "entered");
	CU_ASSERT_EQUAL(metacube_client_leave(witness.client), 0);
	until(&witness, "left");
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
	CU_ASSERT_TRUE(server.ok);
}

static void
resume_refused_scene(struct counterpart *self)
{
	Metacube__Refused refused_ = METACUBE__REFUSED__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_RESUME))
		return;
	refused_.reason = METACUBE__REASON__BAD_TICKET;
	refused_.text = (char *)"no such session";
	SAY(self, heard_cid, REFUSED, refused, refused_);
}

static void
enter_and_drop(struct counterpart *self)
{
	enter_scene(self);
}

static void
session_gone(void)
{
	struct counterpart server = { .scenes = { gateway_scene,
	    enter_and_drop, resume_refused_scene } };
	struct witness witness;

	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_RESUME);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, "no such session"));
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

static void
never_back(void)
{
	struct counterpart server = { .scenes = { gateway_scene,
	    enter_and_drop } };
	struct metacube_options options = usual;
	struct witness witness;

	options.resume_ms = 1000;
	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &options);
	login(&witness, "newbie-island");
	until(&witness, "dropped");
	counterpart_stop(&server);
	CU_ASSERT_FALSE(metacube_client_run_for(witness.client, PATIENCE_MS));
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_RESUME);
	metacube_client_free(&witness.client);
}

static void
silent_scene(struct counterpart *self)
{
	if (enter_scene(self))
		hear_the_end(self);
}

/* Nothing comes from the world, not even Pong. */
static void
dead_silence(void)
{
	struct counterpart server = { .scenes = { gateway_scene,
	    silent_scene } };
	struct metacube_options options = usual;
	struct witness witness;

	options.keepalive_ms = 100;
	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &options);
	login(&witness, "newbie-island");
	until(&witness, "dropped 12");
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

/* The client's own Login with some bytes that are otherwise, in frames of right length:
 * whatever the client makes of it, it is never more than an error. */
static void
damaged_scene(struct counterpart *self)
{
	uint8_t frame[512];
	size_t len;
	uint32_t head;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	len = metacube__envelope__pack(heard, frame + 4);
	for (int i = 0; i < 20; i++) {
		frame[4 + (size_t)rand() % len] = (uint8_t)rand();
		if (i % 4 == 0)	/* another kind of message */
			frame[6] = (uint8_t)(rand() % 32 << 3 | 2);
		head = htonl((uint32_t)len);
		memcpy(frame, &head, 4);
		counterpart_send(self, frame, len + 4);
	}
}

static void
damaged(void)
{
	struct witness witness;

	srand(1);
	for (int i = 0; i < 50; i++) {
		struct counterpart server = { .scenes = { damaged_scene } };

		counterpart_start(&server);
		begin(&witness, server.endpoint, &usual);
		login_to_the_end(&witness, "newbie-island");
		CU_ASSERT_EQUAL(metacube_client_state(witness.client),
		    METACUBE_IDLE);
		CU_ASSERT_NOT_EQUAL(witness.story[0], '\0');
		metacube_client_free(&witness.client);
		counterpart_stop(&server);
	}
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a proof is the same on every keyboard", proofs },
		{ "wrong arguments are told at once", arguments },
		{ "a request at the wrong time is told at once", wrong_states },
		{ "nobody listens there", unreachable },
		{ "no such host", unknown_host },
		{ "the server does not speak TLS", not_tls },
		{ "the server has TLS 1.2 only", old_tls },
		{ "the server never speaks", never_speaks },
		{ "the server closes at once", closes_at_once },
		{ "the server closes after the handshake", closes_after_login },
		{ "the server never answers", never_answers },
		{ "each fault of a certificate has its error",
		    bad_certificates },
		{ "another server name can be asked for", other_server_name },
		{ "nonsense from a server ends the connection", nonsense },
		{ "damaged messages are an error and no more", damaged },
		{ "a login is refused, cleanly shown", login_refused },
		{ "maps, a join that is refused, leave",
		    maps_and_join_refused },
		{ "login, REROUTE, enter, drop, resume, kicked", whole_way },
		{ "another world than promised", other_world },
		{ "a world with another world's certificate",
		    world_with_wrong_certificate },
		{ "the second endpoint is tried", second_endpoint },
		{ "a session that is gone", session_gone },
		{ "a world that does not come back", never_back },
		{ "a world that falls silent", dead_silence },
		{ NULL, NULL }
	};
	int status;

	alarm(120);
	counterpart_world_begin();
	status = cutap_run("client", tests);
	counterpart_world_end();
	forget();
	return status;
}
