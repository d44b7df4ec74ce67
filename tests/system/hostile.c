/* SPDX-License-Identifier: MIT */
/*
 * hostile - a client that says whatever it is told to, in whatever order.
 *
 *	hostile [-c CERT -k KEY] [-p PRIORITY] [-r BYTES] [-t SECONDS] [-x]
 *	    HOST:PORT STEP...
 *
 * Steps run from left to right on one connection (see the table at the end):
 *
 *	hostile 127.0.0.1:7740 tls name=joe password=FILE login until=reroute
 *
 * Every message that comes back is printed as one line, its kind first, then
 * key=value pairs; "closed" when the peer has closed.  With -x the frame
 * stands before it in hex.  With -r little fits between the two, as on a
 * connection with small packets.  Exit status: 0 all steps done; 1 a step
 * failed; 2 usage.  Waiting ends after SECONDS (15).
 *
 * Deliberately independent of the client library: it speaks the wire format
 * as api/proto describes it, and is a second opinion on it.
 */
#include "hostile.h"

#include <metacube/proto/ticket.pb-c.h>

#include <gnutls/crypto.h>

#include <ctype.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY	"NORMAL:-VERS-ALL:+VERS-TLS1.3"

static void
do_tls(struct hostile *me, const char *value)
{
	(void)value;
	secure(me);
}

static void
do_hex(struct hostile *me, const char *value)
{
	ProtobufCBinaryData data = unhex(value);

	write_all(me, data.data, data.len);
	free(data.data);
}

static void
do_frame(struct hostile *me, const char *value)
{
	ProtobufCBinaryData data = unhex(value);

	send_frame(me, data.data, data.len);
	free(data.data);
}

/* Always the same bytes, so that what fails once fails again. */
static void
do_random(struct hostile *me, const char *value)
{
	size_t len = number(value);
	uint8_t *data = zalloc(len);
	uint32_t seed = 2463534242u;

	for (size_t i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		data[i] = (uint8_t)seed;
	}
	write_all(me, data, len);
	free(data);
}

static void
do_length(struct hostile *me, const char *value)
{
	size_t len = number(value);
	uint8_t head[4];

	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(len >> (24 - 8 * i));
	write_all(me, head, sizeof(head));
}

static void
do_zero(struct hostile *me, const char *value)
{
	size_t len = number(value);
	uint8_t *data = zalloc(len);

	write_all(me, data, len);
	free(data);
}

/* proof of api/proto/login.proto */
static void
do_password(struct hostile *me, const char *value)
{
	static const char domain[] = "metacube-login-1";
	char *password = line_of(value);
	gnutls_datum_t normal;
	gnutls_hash_hd_t hash;
	uint8_t *proof = zalloc(32);

	if (gnutls_utf8_password_normalize((unsigned char *)password,
	    (unsigned)strlen(password), &normal, 0) < 0)
		die("not a password");
	gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);
	gnutls_hash(hash, domain, sizeof(domain));
	for (const char *c = me->login.name; *c != '\0'; c++)
		gnutls_hash(hash, &(char){ (char)tolower(*c) }, 1);
	gnutls_hash(hash, "", 1);
	gnutls_hash(hash, normal.data, normal.size);
	gnutls_hash_deinit(hash, proof);
	gnutls_free(normal.data);
	free(password);
	me->login.proof = (ProtobufCBinaryData){ 32, proof };
}

static void
do_proof_size(struct hostile *me, const char *value)
{
	me->login.proof.len = number(value);
	me->login.proof.data = zalloc(me->login.proof.len);
}

static void
do_name(struct hostile *me, const char *value)
{
	me->login.name = (char *)(uintptr_t)value;
}

static void
do_name_hex(struct hostile *me, const char *value)
{
	me->login.name = (char *)unhex(value).data;
}

static void
do_name_size(struct hostile *me, const char *value)
{
	size_t len = number(value);

	me->login.name = memset(zalloc(len), 'a', len);
}

static void
do_map(struct hostile *me, const char *value)
{
	me->login.map = (char *)(uintptr_t)value;
}

static void
do_version(struct hostile *me, const char *value)
{
	me->login.version = (uint32_t)number(value);
}

static void
do_mechanism(struct hostile *me, const char *value)
{
	me->login.mechanism = (char *)(uintptr_t)value;
}

static void
do_login(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;

	(void)value;
	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
	envelope.login = &me->login;
	send_message(me, &envelope);
}

static void
do_join(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Join join = METACUBE__JOIN__INIT;

	join.map = (char *)(uintptr_t)value;
	envelope.cid = 2;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_JOIN;
	envelope.join = &join;
	send_message(me, &envelope);
}

/* VERB:NAME - with the proof of login as the old and the new one */
static void
do_account(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	char *verb = strdup(value), *colon = strchr(verb, ':');
	const ProtobufCEnumValue *known;

	if (colon == NULL)
		die("account=VERB:NAME");
	*colon = '\0';
	known = protobuf_c_enum_descriptor_get_value_by_name(
	    &metacube__account_request__verb__descriptor, verb);
	if (known == NULL)
		die("no verb %s", verb);
	request.verb = (Metacube__AccountRequest__Verb)known->value;
	request.name = colon + 1;
	request.proof = request.new_proof = me->login.proof;
	envelope.cid = 5;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = &request;
	send_message(me, &envelope);
	free(verb);
}

static void
do_enter(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Enter enter = METACUBE__ENTER__INIT;

	enter.ticket = unhex(value);
	envelope.cid = 3;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ENTER;
	envelope.enter = &enter;
	send_message(me, &envelope);
	free(enter.ticket.data);
}

/* SESSION:SECRET */
static void
do_resume(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Resume resume = METACUBE__RESUME__INIT;
	const char *colon = strchr(value, ':');

	if (colon == NULL)
		die("resume=SESSION:SECRET");
	resume.session = strtoull(value, NULL, 10);
	resume.secret = unhex(colon + 1);
	envelope.cid = 4;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_RESUME;
	envelope.resume = &resume;
	send_message(me, &envelope);
	free(resume.secret.data);
}

/* WORLD:MAP - a ticket as it ought to be, but for the key */
static void
do_forge(struct hostile *me, const char *value)
{
	Metacube__Ticket ticket = METACUBE__TICKET__INIT;
	Metacube__SealedTicket sealed = METACUBE__SEALED_TICKET__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Enter enter = METACUBE__ENTER__INIT;
	char *world = strdup(value), *map = strchr(world, ':');
	uint8_t mac[32] = { 1 }, body[512], whole[600], id[16] = { 2 };

	if (map == NULL)
		die("forge=WORLD:MAP");
	*map++ = '\0';
	ticket.id = (ProtobufCBinaryData){ sizeof(id), id };
	ticket.uid = 1;
	ticket.epoch = 1;
	ticket.name = ticket.display = (char *)(uintptr_t)"joe";
	ticket.map = map;
	ticket.world = world;
	ticket.expires_ms = (uint64_t)time(NULL) * 1000 + 20000;
	sealed.key = 1;
	sealed.ticket.data = body;
	sealed.ticket.len = metacube__ticket__pack(&ticket, body);
	sealed.mac = (ProtobufCBinaryData){ sizeof(mac), mac };
	enter.ticket.data = whole;
	enter.ticket.len = metacube__sealed_ticket__pack(&sealed, whole);
	envelope.cid = 3;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ENTER;
	envelope.enter = &enter;
	send_message(me, &envelope);
	free(world);
}

static void
do_say(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Say say = METACUBE__SAY__INIT;

	say.text = (char *)(uintptr_t)value;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_SAY;
	envelope.say = &say;
	send_message(me, &envelope);
}

static void
do_leave(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Leave leave = METACUBE__LEAVE__INIT;

	(void)value;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LEAVE;
	envelope.leave = &leave;
	send_message(me, &envelope);
}

/* Speaks as a world server of this name. */
static void
do_register(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Register world = METACUBE__REGISTER__INIT;

	world.version = 1;
	world.name = (char *)(uintptr_t)value;
	world.endpoint = (char *)(uintptr_t)"127.0.0.1:1";
	world.capacity = 100;
	envelope.cid = 5;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REGISTER;
	envelope.register_ = &world;
	send_message(me, &envelope);
}

/* Asks for answers and reads none, until it is cut off or SECONDS are over: a
 * slow server may have many megabytes before it that it has not read. */
static void
do_flood(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Ping ping = METACUBE__PING__INIT;
	size_t count = 0;

	(void)value;
	envelope.cid = 6;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PING;
	envelope.ping = &ping;
	me->deadline = now_ms() + (uint64_t)me->seconds * 1000;
	for (; !me->closed && now_ms() < me->deadline; count++)
		send_message(me, &envelope);
	printf("flood %s after %zu\n", me->closed ? "ended" : "survived",
	    count);
}

/* The next message, or "closed". */
static void
do_wait(struct hostile *me, const char *value)
{
	Metacube__Envelope *envelope = receive(me);

	(void)value;
	if (envelope != NULL)
		print_message(me, envelope);
	metacube__envelope__free_unpacked(envelope, NULL);
}

static bool
one_of(const char *kinds, const char *kind)
{
	size_t len = strlen(kind);

	for (const char *at = kinds; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, kind, len) == 0 &&
		    (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

/* Reads on until one of these kinds (commas between) has come. */
static void
do_until(struct hostile *me, const char *kinds)
{
	for (bool found = false; !found;) {
		Metacube__Envelope *envelope = receive(me);

		if (envelope == NULL) {
			if (one_of(kinds, "closed"))
				return;
			die("closed before %s", kinds);
		}
		found = one_of(kinds, kind_of(envelope));
		print_message(me, envelope);
		metacube__envelope__free_unpacked(envelope, NULL);
	}
}

/* Without TLS whatever comes is passed over: an alert, for instance. */
static void
do_expect_closed(struct hostile *me, const char *value)
{
	Metacube__Envelope *envelope;
	uint8_t byte;

	(void)value;
	while (!me->secure && read_all(me, &byte, 1))
		continue;
	while ((envelope = receive(me)) != NULL) {
		print_message(me, envelope);
		metacube__envelope__free_unpacked(envelope, NULL);
	}
}

/* Stays and reads nothing until a line comes in from standard input. */
static void
do_hold(struct hostile *me, const char *value)
{
	char byte;

	(void)me;
	(void)value;
	puts("holding");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0 && byte != '\n')
		continue;
}

/* So many more connections that say nothing, until the server has closed
 * every one of them. */
static void
do_crowd(struct hostile *me, const char *value)
{
	size_t count = number(value), left = count;
	struct pollfd *watch = zalloc(count * sizeof(*watch));

	for (size_t i = 0; i < count; i++)
		watch[i] = (struct pollfd){ .fd = dial(me), .events = POLLIN };
	printf("crowd %zu\n", count);
	fflush(stdout);
	while (left > 0) {
		if (now_ms() >= me->deadline)
			die("%zu of %zu are still there", left, count);
		poll(watch, count, 1000);
		for (size_t i = 0; i < count; i++) {
			char byte;

			if (watch[i].fd < 0 || watch[i].revents == 0 ||
			    recv(watch[i].fd, &byte, 1, MSG_DONTWAIT) > 0)
				continue;
			close(watch[i].fd);
			watch[i].fd = -1;
			left--;
		}
	}
	free(watch);
	puts("all closed");
}

static const struct step {
	const char	*name;
	void		(*run)(struct hostile *, const char *value);
	bool		 value;
} steps[] = {
	{ "tls", do_tls, false },
	{ "hex", do_hex, true },		/* bytes as they are */
	{ "frame", do_frame, true },		/* hex, with a length */
	{ "random", do_random, true },		/* so many bytes */
	{ "length", do_length, true },		/* a length alone */
	{ "zero", do_zero, true },
	{ "name", do_name, true },		/* what login says */
	{ "name-hex", do_name_hex, true },
	{ "name-size", do_name_size, true },
	{ "password", do_password, true },	/* file; after the name */
	{ "proof-size", do_proof_size, true },
	{ "map", do_map, true },
	{ "version", do_version, true },
	{ "mechanism", do_mechanism, true },
	{ "login", do_login, false },
	{ "join", do_join, true },
	{ "account", do_account, true },
	{ "enter", do_enter, true },		/* ticket in hex */
	{ "forge", do_forge, true },
	{ "resume", do_resume, true },
	{ "say", do_say, true },
	{ "leave", do_leave, false },
	{ "register", do_register, true },
	{ "flood", do_flood, false },
	{ "wait", do_wait, false },
	{ "until", do_until, true },
	{ "expect-closed", do_expect_closed, false },
	{ "hold", do_hold, false },
	{ "crowd", do_crowd, true },
	{ NULL }
};

static void
run_step(struct hostile *me, const char *text)
{
	size_t len = strcspn(text, "=");
	const struct step *step = steps;

	while (step->name != NULL && (strncmp(step->name, text, len) != 0 ||
	    step->name[len] != '\0'))
		step++;
	if (step->name == NULL || step->value != (text[len] == '='))
		die("no step '%s'", text);
	me->deadline = now_ms() + (uint64_t)me->seconds * 1000;
	step->run(me, step->value ? text + len + 1 : NULL);
	fflush(stdout);
}

static int
usage(void)
{
	fputs("usage: hostile [-c CERT -k KEY] [-p PRIORITY] [-r BYTES] "
	    "[-t SECONDS] [-x] HOST:PORT STEP...\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static struct hostile me = {	/* static: nothing of it leaks */
		.priority = PRIORITY, .seconds = 15,
		.login = METACUBE__LOGIN__INIT
	};
	int option;

	me.login.version = 1;
	me.login.mechanism = (char *)(uintptr_t)"password";
	while ((option = getopt(argc, argv, "c:k:p:r:t:x")) != -1) {
		switch (option) {
		case 'c': me.cert = optarg; break;
		case 'k': me.key = optarg; break;
		case 'p': me.priority = optarg; break;
		case 'r': me.buffer = (int)number(optarg); break;
		case 't': me.seconds = (unsigned)number(optarg); break;
		case 'x': me.hex = true; break;
		default: return usage();
		}
	}
	if (argc - optind < 2 || (me.cert == NULL) != (me.key == NULL))
		return usage();
	resolve(&me, argv[optind]);
	me.fd = dial(&me);
	fcntl(me.fd, F_SETFL, O_NONBLOCK);
	for (int i = optind + 1; i < argc; i++)
		run_step(&me, argv[i]);
	return 0;
}
