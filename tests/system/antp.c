/* SPDX-License-Identifier: MIT */
/*
 * antp - a client of ANTP/1.0 that asks whatever it is told to.
 *
 *	antp [-c CERT -k KEY] [-t SECONDS] HOST:PORT STEP...
 *
 * Without a certificate there is no TLS.  Steps run from left to right:
 *
 *	first		asks FIRST
 *	get=FILE:OFFSET:LENGTH
 *	wait=SECONDS	Wait: of the requests that follow
 *	applied=EPOCH:SEQ:COUNT:DIGEST	Applied: of those; EPOCH and DIGEST are
 *			two hexadecimal digits, said sixteen times
 *	to=PATH		the bodies that follow are appended to it
 *	ask=FILE:OFFSET:LENGTH	sends the request, and reads nothing
 *	answer		reads what comes
 *	raw=TEXT	sends it: \n, \r, \0 are meant
 *	fill=COUNT	sends so many bytes
 *	connections=N	that many further ones, which say nothing
 *	end		nothing but the end comes
 *	close		asks CLOSE
 *	ready=PATH	makes that file
 *	until=PATH	waits for that file
 *
 * An answer is one line: status, file, offset, length, head, digest, text.
 * Exit status: 0 all steps done; 1 one failed; 2 usage.
 */
#include <metacube/antp.h>

#include <gnutls/gnutls.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PRIORITY	"NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define BUFFER		(256 * 1024)

struct client {
	const char		*address;
	const char		*certificate, *key;
	int			 fd, timeout_ms;
	gnutls_session_t	 tls;
	struct antp_request	 request;	/* wait and applied stay */
	const char		*to;
	char			 bytes[BUFFER];
	size_t			 len;
};

static void
fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

/* Connections */

static int
connect_to(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	const char *colon = strrchr(address, ':');
	char host[256];
	int fd;

	if (colon == NULL)
		fail("%s: no port", address);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		fail("%s: unknown host", address);
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (fd == -1 || connect(fd, found->ai_addr, found->ai_addrlen) == -1)
		fail("%s: %s", address, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

static void
secure(struct client *me)
{
	static gnutls_certificate_credentials_t credentials;
	int error;

	if (credentials == NULL) {
		gnutls_certificate_allocate_credentials(&credentials);
		if (gnutls_certificate_set_x509_key_file(credentials,
		    me->certificate, me->key, GNUTLS_X509_FMT_PEM) != 0)
			fail("cannot read %s", me->certificate);
	}
	gnutls_init(&me->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL |
	    GNUTLS_FORCE_CLIENT_CERT);
	gnutls_priority_set_direct(me->tls, PRIORITY, NULL);
	gnutls_credentials_set(me->tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(me->tls, me->fd);
	do
		error = gnutls_handshake(me->tls);
	while (error < 0 && !gnutls_error_is_fatal(error));
	if (error < 0)
		fail("handshake: %s", gnutls_strerror(error));
}

static void
come(struct client *me)
{
	me->fd = connect_to(me->address);
	me->len = 0;
	if (me->certificate != NULL)
		secure(me);
}

static void
send_all(struct client *me, const char *data, size_t len)
{
	ssize_t n;

	for (; len != 0; data += n, len -= (size_t)n) {
		n = me->tls != NULL ? gnutls_record_send(me->tls, data, len) :
		    send(me->fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			fail("closed");
	}
}

static bool
have(struct client *me)
{
	struct pollfd poll_fd = { .fd = me->fd, .events = POLLIN };

	return (me->tls != NULL &&
	    gnutls_record_check_pending(me->tls) != 0) ||
	    poll(&poll_fd, 1, me->timeout_ms) == 1;
}

/* false: the end. */
static bool
receive(struct client *me)
{
	size_t room = sizeof(me->bytes) - me->len;
	ssize_t n;

	do {
		if (!have(me))
			fail("timeout");
		n = me->tls != NULL ? gnutls_record_recv(me->tls,
		    me->bytes + me->len, room) :
		    recv(me->fd, me->bytes + me->len, room, 0);
	} while (me->tls != NULL && n < 0 && !gnutls_error_is_fatal((int)n));
	if (me->tls != NULL && n == GNUTLS_E_FATAL_ALERT_RECEIVED)
		printf("alert %s\n", gnutls_alert_get_name(
		    gnutls_alert_get(me->tls)));
	if (n <= 0)
		return false;
	me->len += (size_t)n;
	return true;
}

/* Answers */

static void
consume(struct client *me, size_t len)
{
	me->len -= len;
	memmove(me->bytes, me->bytes + len, me->len);
}

static void
take_body(struct client *me, uint64_t left)
{
	int fd = open(me->to != NULL ? me->to : "/dev/null",
	    O_WRONLY | O_CREAT | O_APPEND, 0600);
	size_t some;

	while (left != 0) {
		if (me->len == 0 && !receive(me))
			fail("closed in a body");
		some = me->len < left ? me->len : (size_t)left;
		if (write(fd, me->bytes, some) != (ssize_t)some)
			fail("%s: %s", me->to, strerror(errno));
		consume(me, some);
		left -= some;
	}
	close(fd);
}

static void
print(const struct antp_response *response)
{
	printf("status=%u file=%s offset=%llu length=%llu head=%llu "
	    "digest=%llu text=%s\n", response->status, response->file,
	    (unsigned long long)response->offset,
	    (unsigned long long)response->length,
	    (unsigned long long)response->head.seq,
	    (unsigned long long)response->digest.pointer.seq,
	    response->text);
	fflush(stdout);
}

static void
do_answer(struct client *me, const char *value)
{
	struct antp_response response;
	const char *why;
	int head;

	(void)value;
	while ((head = antp_response_read(me->bytes, me->len, &response,
	    &why)) == 0)
		if (!receive(me))
			fail("closed");
	if (head == -1)
		fail("malformed: %s", why);
	consume(me, (size_t)head);
	take_body(me, response.length);
	print(&response);
}

/* Requests */

static void
say(struct client *me, enum antp_verb verb)
{
	char head[ANTP_HEAD_MAX];

	me->request.verb = verb;
	send_all(me, head, antp_request_write(&me->request, head));
}

static void
do_ask(struct client *me, const char *value)
{
	unsigned long long offset, length;

	if (sscanf(value, "%63[^:]:%llu:%llu", me->request.file, &offset,
	    &length) != 3)
		fail("get=FILE:OFFSET:LENGTH");
	me->request.offset = offset;
	me->request.length = length;
	say(me, ANTP_GET);
}

static void
do_get(struct client *me, const char *value)
{
	do_ask(me, value);
	do_answer(me, NULL);
}

static void
do_first(struct client *me, const char *value)
{
	(void)value;
	say(me, ANTP_FIRST);
	do_answer(me, NULL);
}

static void
do_close(struct client *me, const char *value)
{
	(void)value;
	say(me, ANTP_CLOSE);
}

static void
do_wait(struct client *me, const char *value)
{
	me->request.wait_s = (unsigned)atoi(value);
}

static void
do_applied(struct client *me, const char *value)
{
	struct tcapw_position *applied = &me->request.applied;
	unsigned long long seq, count;
	unsigned epoch, digest;

	if (sscanf(value, "%2x:%llu:%llu:%2x", &epoch, &seq, &count,
	    &digest) != 4)
		fail("applied=EPOCH:SEQ:COUNT:DIGEST");
	memset(applied->pointer.epoch, (int)epoch, 16);
	memset(applied->digest, (int)digest, 16);
	applied->pointer.seq = seq;
	applied->count = count;
}

static void
do_to(struct client *me, const char *value)
{
	me->to = value;
}

static void
do_raw(struct client *me, const char *value)
{
	char text[8192];
	size_t len = 0;

	for (; *value != '\0' && len < sizeof(text); value++) {
		if (*value == '\\' && value[1] != '\0')
			switch (*++value) {
			case 'n': text[len++] = '\n'; break;
			case 'r': text[len++] = '\r'; break;
			case '0': text[len++] = '\0'; break;
			default: text[len++] = *value;
			}
		else
			text[len++] = *value;
	}
	send_all(me, text, len);
}

static void
do_fill(struct client *me, const char *value)
{
	for (long left = atol(value); left > 0; left--)
		send_all(me, "x", 1);
}

static void
do_connections(struct client *me, const char *value)
{
	static gnutls_session_t *others;	/* they stay */
	int count = atoi(value);

	others = calloc((size_t)count + 1, sizeof(gnutls_session_t));
	for (int i = 0; i < count; i++) {
		others[i] = me->tls;
		me->tls = NULL;
		come(me);
	}
}

static void
do_end(struct client *me, const char *value)
{
	(void)value;
	if (me->len != 0 || receive(me))
		fail("it says more");
	printf("end\n");
}

static void
do_ready(struct client *me, const char *value)
{
	(void)me;
	close(open(value, O_WRONLY | O_CREAT, 0600));
}

static void
do_until(struct client *me, const char *value)
{
	for (int ms = 0; access(value, F_OK) != 0; ms += 10) {
		if (ms > me->timeout_ms)
			fail("timeout");
		usleep(10000);
	}
}

static const struct step {
	const char	*name;
	void		(*run)(struct client *, const char *value);
} steps[] = {
	{ "answer", do_answer }, { "applied", do_applied },
	{ "ask", do_ask }, { "close", do_close },
	{ "connections", do_connections }, { "end", do_end },
	{ "fill", do_fill }, { "first", do_first }, { "get", do_get },
	{ "raw", do_raw }, { "ready", do_ready }, { "to", do_to },
	{ "until", do_until }, { "wait", do_wait },
};

static void
run_step(struct client *me, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strlen(steps[i].name) == len &&
		    strncmp(steps[i].name, word, len) == 0) {
			steps[i].run(me, equals != NULL ? equals + 1 : "");
			return;
		}
	fprintf(stderr, "antp: no step %s\n", word);
	exit(2);
}

int
main(int argc, char **argv)
{
	static struct client me = { .timeout_ms = 60000 };
	int option;

	while ((option = getopt(argc, argv, "c:k:t:")) != -1)
		switch (option) {
		case 'c': me.certificate = optarg; break;
		case 'k': me.key = optarg; break;
		case 't': me.timeout_ms = atoi(optarg) * 1000; break;
		default: return 2;
		}
	if (optind == argc)
		return 2;
	me.address = argv[optind++];
	come(&me);
	for (; optind < argc; optind++)
		run_step(&me, argv[optind]);
	return 0;
}
