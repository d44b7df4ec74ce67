/* SPDX-License-Identifier: MIT */
/*
 * hostile - a client that says whatever it is told to, in whatever order.
 *
 *	hostile [-c CERT -k KEY] [-p PRIORITY] [-t SECONDS] [-x] HOST:PORT STEP...
 *
 * Steps run from left to right on one connection (see the table at the end):
 *
 *	hostile 127.0.0.1:7740 tls name=joe password=FILE login until=reroute
 *
 * Every message that comes back is printed as one line, its kind first, then
 * key=value pairs; "closed" when the peer has closed.  With -x the frame
 * stands before it in hex.  Exit status: 0 all steps done; 1 a step failed;
 * 2 usage.  Waiting ends after SECONDS (15).
 *
 * Deliberately independent of the client library: it speaks the wire format
 * as api/proto describes it, and is a second opinion on it.
 */
#include <metacube/proto/envelope.pb-c.h>
#include <metacube/proto/ticket.pb-c.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX	(16 * 1024 * 1024)
#define PRIORITY	"NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct hostile {
	const char		*cert, *key, *priority;
	unsigned		 seconds;
	bool			 hex;
	struct sockaddr_storage	 to;
	socklen_t		 to_len;
	int			 fd;
	bool			 secure, closed;
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t	 session;
	Metacube__Login		 login;
	ProtobufCBinaryData	 frame;		/* the last that came */
	uint64_t		 deadline;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("hostile: ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	exit(1);
}

static uint64_t
now_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static void *
zalloc(size_t size)
{
	void *memory = calloc(1, size + 1);

	if (memory == NULL)
		die("no memory for %zu bytes", size);
	return memory;
}

/* -- bytes ---------------------------------------------------------------- */

static ProtobufCBinaryData
unhex(const char *text)
{
	ProtobufCBinaryData out = { 0, zalloc(strlen(text) / 2) };
	unsigned byte;

	for (; sscanf(text, "%2x", &byte) == 1 && text[1] != '\0'; text += 2)
		out.data[out.len++] = (uint8_t)byte;
	if (*text != '\0')
		die("'%s' is not hex", text);
	return out;
}

static void
print_hex(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
}

/* First line of a file, without its end. */
static char *
line_of(const char *path)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "r");

	if (file == NULL || getline(&line, &size, file) < 0)
		die("%s: %s", path, strerror(errno));
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static size_t
number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0')
		die("'%s' is not a number", text);
	return (size_t)value;
}

/* -- the connection -------------------------------------------------------- */

static void
resolve(struct hostile *me, char *address)
{
	char *colon = strrchr(address, ':');
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;

	if (colon == NULL)
		die("'%s' is not HOST:PORT", address);
	*colon = '\0';
	if (getaddrinfo(address, colon + 1, &hints, &found) != 0)
		die("cannot resolve %s", address);
	memcpy(&me->to, found->ai_addr, found->ai_addrlen);
	me->to_len = found->ai_addrlen;
	freeaddrinfo(found);
}

static int
dial(struct hostile *me)
{
	int on = 1, fd = socket(me->to.ss_family, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&me->to, me->to_len) != 0)
		die("connect: %s", strerror(errno));
	return fd;
}

/* false: not ready before the deadline */
static bool
ready(struct hostile *me, int fd, short events)
{
	uint64_t now = now_ms();
	struct pollfd watch = { .fd = fd, .events = events };

	if (now >= me->deadline)
		return false;
	return poll(&watch, 1, (int)(me->deadline - now)) > 0;
}

static void
ended(struct hostile *me)
{
	if (!me->closed)
		puts("closed");
	me->closed = true;
}

/* The number of bytes taken, 0 when the peer has closed. */
static size_t
write_some(struct hostile *me, const uint8_t *data, size_t len)
{
	ssize_t n;

	do {
		if (!me->secure)
			n = send(me->fd, data, len, MSG_NOSIGNAL);
		else
			n = gnutls_record_send(me->session, data, len);
		if (n > 0)
			return (size_t)n;
		if (me->secure ? n != GNUTLS_E_AGAIN &&
		    n != GNUTLS_E_INTERRUPTED : errno != EAGAIN)
			return 0;
	} while (ready(me, me->fd, POLLOUT));
	die("the peer takes nothing and does not close");
}

static void
write_all(struct hostile *me, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0 && !me->closed) {
		size_t n = write_some(me, at, len);

		if (n == 0)
			ended(me);
		at += n;
		len -= n;
	}
}

/* false: closed */
static bool
read_all(struct hostile *me, uint8_t *data, size_t len)
{
	while (len > 0 && !me->closed) {
		ssize_t n;

		if (!me->secure)
			n = recv(me->fd, data, len, 0);
		else
			n = gnutls_record_recv(me->session, data, len);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n < 0 && (me->secure ? !gnutls_error_is_fatal((int)n)
		    : errno == EAGAIN)) {
			if (!ready(me, me->fd, POLLIN))
				die("nothing came in %u s", me->seconds);
		} else {
			ended(me);
		}
	}
	return !me->closed;
}

/* -- frames ---------------------------------------------------------------- */

static void
send_frame(struct hostile *me, const uint8_t *data, size_t len)
{
	uint8_t *frame = zalloc(len + 4);

	for (int i = 0; i < 4; i++)
		frame[i] = (uint8_t)(len >> (24 - 8 * i));
	memcpy(frame + 4, data, len);
	write_all(me, frame, len + 4);
	free(frame);
}

static void
send_message(struct hostile *me, const Metacube__Envelope *envelope)
{
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint8_t *data = zalloc(len);

	metacube__envelope__pack(envelope, data);
	send_frame(me, data, len);
	free(data);
}

static Metacube__Envelope *
receive(struct hostile *me)
{
	uint8_t head[4];
	Metacube__Envelope *envelope;

	if (!read_all(me, head, sizeof(head)))
		return NULL;
	me->frame.len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	if (me->frame.len > FRAME_MAX)
		die("a frame of %zu bytes came", me->frame.len);
	free(me->frame.data);
	me->frame.data = zalloc(me->frame.len);
	if (!read_all(me, me->frame.data, me->frame.len))
		return NULL;
	envelope = metacube__envelope__unpack(NULL, me->frame.len,
	    me->frame.data);
	if (envelope == NULL)
		die("a frame came that is no Envelope");
	return envelope;
}

/* -- what came, in words --------------------------------------------------- */

static const char *
kind_of(const Metacube__Envelope *envelope)
{
	const ProtobufCFieldDescriptor *field;

	field = protobuf_c_message_descriptor_get_field(
	    &metacube__envelope__descriptor, (unsigned)envelope->message_case);
	return field != NULL ? field->name : "unknown";
}

static const char *
reason_name(unsigned reason)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &metacube__reason__descriptor, (int)reason);

	return value != NULL ? value->name : "?";
}

static void
print_reroute(const Metacube__Reroute *reroute)
{
	printf(" world=%s map=%s endpoint=%s ticket=", reroute->world,
	    reroute->map, reroute->n_endpoint > 0 ? reroute->endpoint[0] : "");
	print_hex(reroute->ticket.data, reroute->ticket.len);
}

static void
print_entered(const Metacube__Entered *entered)
{
	printf(" avatar=%u map=%s world=%s people=%zu session=%llu secret=",
	    entered->avatar, entered->map, entered->world, entered->n_id,
	    (unsigned long long)entered->session);
	print_hex(entered->secret.data, entered->secret.len);
}

static void
print_details(const Metacube__Envelope *envelope)
{
	switch (envelope->message_case) {
	case METACUBE__ENVELOPE__MESSAGE_REFUSED:
		printf(" reason=%s retry=%u text=%s",
		    reason_name(envelope->refused->reason),
		    envelope->refused->retry_ms, envelope->refused->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_KICKED:
		printf(" reason=%s text=%s",
		    reason_name(envelope->kicked->reason),
		    envelope->kicked->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_LOGGED_IN:
		printf(" uid=%llu display=%s",
		    (unsigned long long)envelope->logged_in->uid,
		    envelope->logged_in->display);
		break;
	case METACUBE__ENVELOPE__MESSAGE_QUEUED:
		printf(" position=%u", envelope->queued->position);
		break;
	case METACUBE__ENVELOPE__MESSAGE_REROUTE:
		print_reroute(envelope->reroute);
		break;
	case METACUBE__ENVELOPE__MESSAGE_ENTERED:
		print_entered(envelope->entered);
		break;
	case METACUBE__ENVELOPE__MESSAGE_SAID:
		printf(" by=%s text=%s", envelope->said->display,
		    envelope->said->text);
		break;
	case METACUBE__ENVELOPE__MESSAGE_APPEARED:
		printf(" who=%s", envelope->appeared->display);
		break;
	default:
		break;
	}
}

static void
print_message(struct hostile *me, const Metacube__Envelope *envelope)
{
	if (me->hex) {
		print_hex(me->frame.data, me->frame.len);
		putchar(' ');
	}
	fputs(kind_of(envelope), stdout);
	print_details(envelope);
	putchar('\n');
}

/* -- steps ----------------------------------------------------------------- */

static void
do_tls(struct hostile *me, const char *value)
{
	int rc;

	(void)value;
	gnutls_certificate_allocate_credentials(&me->credentials);
	if (me->cert != NULL && (rc = gnutls_certificate_set_x509_key_file(
	    me->credentials, me->cert, me->key, GNUTLS_X509_FMT_PEM)) < 0)
		die("%s: %s", me->cert, gnutls_strerror(rc));
	gnutls_init(&me->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL);
	gnutls_priority_set_direct(me->session, me->priority, NULL);
	gnutls_credentials_set(me->session, GNUTLS_CRD_CERTIFICATE,
	    me->credentials);
	gnutls_transport_set_int(me->session, me->fd);
	while ((rc = gnutls_handshake(me->session)) != 0) {
		if (gnutls_error_is_fatal(rc)) {
			printf("tls-failed %s", gnutls_strerror(rc));
			if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
				printf(" (%s)", gnutls_alert_get_name(
				    gnutls_alert_get(me->session)));
			putchar('\n');
			me->closed = true;
			return;
		}
		if (!ready(me, me->fd,
		    gnutls_record_get_direction(me->session) ? POLLOUT : POLLIN))
			die("the TLS handshake takes too long");
	}
	me->secure = true;
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

/* Asks for an answer, up to so many times, and reads none. */
static void
do_flood(struct hostile *me, const char *value)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Ping ping = METACUBE__PING__INIT;
	size_t times = number(value);

	setsockopt(me->fd, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
	envelope.cid = 6;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PING;
	envelope.ping = &ping;
	for (size_t i = 0; i < times && !me->closed; i++) {
		me->deadline = now_ms() + (uint64_t)me->seconds * 1000;
		send_message(me, &envelope);
	}
	printf("flood %s\n", me->closed ? "ended" : "survived");
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
	{ "enter", do_enter, true },		/* ticket in hex */
	{ "forge", do_forge, true },
	{ "resume", do_resume, true },
	{ "say", do_say, true },
	{ "leave", do_leave, false },
	{ "register", do_register, true },
	{ "flood", do_flood, true },
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
	fputs("usage: hostile [-c CERT -k KEY] [-p PRIORITY] "
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
	while ((option = getopt(argc, argv, "c:k:p:t:x")) != -1) {
		switch (option) {
		case 'c': me.cert = optarg; break;
		case 'k': me.key = optarg; break;
		case 'p': me.priority = optarg; break;
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
