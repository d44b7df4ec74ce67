/* SPDX-License-Identifier: MIT */
#include "stream.h"
#include "buffer.h"
#include "resolve.h"

#include <gnutls/gnutls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER		4
#define RECORD		16384	/* a TLS record's payload at most */
#define READS_MAX	16	/* records in one poll: others wait too */

struct stream {
	const struct trust	*trust;
	struct stream_target	 target;
	enum stream_state	 state;
	struct fault		 fault;
	uint64_t		 deadline;
	struct resolve		*resolve;
	struct addrinfo		*addresses, *next;	/* next to try */
	int			 fd;
	gnutls_session_t	 session;
	bool			 spoken;	/* the peer has begun */
	bool			 foreign;	/* and it is not TLS */
	bool			 sending;	/* a record is half sent */
	bool			 more;		/* stopped at READS_MAX */
	struct buffer		 in, out;
	size_t			 frame;		/* bytes to drop from in */
};

uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
enter(struct stream *stream, enum stream_state state, unsigned ms)
{
	stream->state = state;
	stream->deadline = ms != 0 ? clock_ms() + ms : UINT64_MAX;
}

/* The fault has been set. */
static void
broken(struct stream *stream)
{
	enter(stream, STREAM_BROKEN, 0);
}

#define fail(stream, kind, ...) \
	(fault_set(&(stream)->fault, kind, __VA_ARGS__), broken(stream))

static void connected(struct stream *);

static void
socket_close(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

static int
socket_open(struct stream *stream, const struct addrinfo *address)
{
	int on = 1;

	stream->fd = socket(address->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (stream->fd < 0)
		return -1;
	/* Finished and the first message follow each other: with Nagle's
	 * algorithm the second would wait for a delayed ACK. */
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(stream->fd, address->ai_addr, address->ai_addrlen) < 0 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

/* One address after the other; the last one's error is told. */
static void
try_next(struct stream *stream, int error)
{
	while (stream->next != NULL) {
		const struct addrinfo *address = stream->next;

		stream->next = address->ai_next;
		socket_close(stream);
		if (socket_open(stream, address) == 0) {
			enter(stream, STREAM_CONNECTING,
			    stream->target.connect_ms);
			return;
		}
		error = errno;
	}
	if (error == ETIMEDOUT)
		fail(stream, METACUBE_E_TIMEOUT, "%s did not accept a "
		    "connection in time", stream_label(stream));
	else
		fail(stream, METACUBE_E_CONNECT, "%s cannot be reached: %s",
		    stream_label(stream), strerror(error));
}

static void
resolving(struct stream *stream)
{
	int error;

	if (!resolve_done(stream->resolve, &error, &stream->addresses)) {
		if (clock_ms() >= stream->deadline)
			fail(stream, METACUBE_E_TIMEOUT, "the address of %s "
			    "was not found in time", stream_label(stream));
		return;
	}
	resolve_free(&stream->resolve);
	stream->next = stream->addresses;
	if (error != 0)
		fail(stream, METACUBE_E_RESOLVE, "the address of %s cannot be "
		    "found: %s", stream_label(stream), gai_strerror(error));
	else
		try_next(stream, EADDRNOTAVAIL);
}

static bool
writable(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLOUT };

	return poll(&poller, 1, 0) > 0;
}

static void
connecting(struct stream *stream)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!writable(stream->fd)) {
		if (clock_ms() >= stream->deadline)
			try_next(stream, ETIMEDOUT);
		return;
	}
	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0)
		try_next(stream, error);
	else
		connected(stream);
}

static int
certificate_shown(gnutls_session_t session)
{
	struct stream *stream = gnutls_session_get_ptr(session);
	const struct stream_target *target = &stream->target;
	struct trust_peer peer = {
		target->endpoint.label, target->host, target->role,
		target->name
	};

	return trust_check(stream->trust, session, &peer, &stream->fault) < 0 ?
	    GNUTLS_E_CERTIFICATE_ERROR : 0;
}

/* A TLS server begins with a handshake (22) or alert (21) record.  Looked at
 * here because GnuTLS has many words for everything else. */
static ssize_t
pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
	struct stream *stream = arg;
	ssize_t n = recv(stream->fd, data, len, 0);
	const uint8_t *first = data;

	if (n <= 0 || stream->spoken)
		return n;
	stream->spoken = true;
	stream->foreign = *first != 21 && *first != 22;
	if (!stream->foreign)
		return n;
	gnutls_transport_set_errno(stream->session, EPROTO);
	return -1;
}

static int
pull_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
	struct stream *stream = arg;
	struct pollfd poller = { .fd = stream->fd, .events = POLLIN };

	return poll(&poller, 1, (int)ms);
}

static ssize_t
push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct stream *stream = arg;

	return send(stream->fd, data, len, MSG_NOSIGNAL);
}

static bool
is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	    inet_pton(AF_INET6, host, &address) == 1;
}

static int
session_new(struct stream *stream)
{
	const char *host = stream->target.host;
	gnutls_session_t session;

	if (gnutls_init(&stream->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS) < 0) {
		stream->session = NULL;
		return -1;
	}
	session = stream->session;
	gnutls_session_set_ptr(session, stream);
	gnutls_session_set_verify_function(session, certificate_shown);
	gnutls_handshake_set_timeout(session, 0);
	gnutls_transport_set_ptr(session, stream);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_wait);
	gnutls_transport_set_push_function(session, push);
	if (!is_address(host) && gnutls_server_name_set(session,
	    GNUTLS_NAME_DNS, host, strlen(host)) < 0)
		return -1;
	if (gnutls_priority_set(session, stream->trust->priority) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    stream->trust->credentials) < 0)
		return -1;
	return 0;
}

static void
connected(struct stream *stream)
{
	freeaddrinfo(stream->addresses);
	stream->addresses = stream->next = NULL;
	if (session_new(stream) < 0)
		fail(stream, METACUBE_E_MEMORY, "TLS to %s cannot be set up",
		    stream_label(stream));
	else
		enter(stream, STREAM_SHAKING, stream->target.handshake_ms);
}

static bool
is_close(int error)
{
	return error == GNUTLS_E_PREMATURE_TERMINATION ||
	    error == GNUTLS_E_PULL_ERROR || error == GNUTLS_E_PUSH_ERROR ||
	    error == 0;
}

/* Servers without TLS 1.3 say so, or, since they know none of its ciphers,
 * that the handshake has failed; then they have not said hello. */
static bool
is_version(int error, gnutls_session_t session)
{
	gnutls_alert_description_t alert = gnutls_alert_get(session);

	return error == GNUTLS_E_UNSUPPORTED_VERSION_PACKET ||
	    (error == GNUTLS_E_FATAL_ALERT_RECEIVED &&
	    (alert == GNUTLS_A_PROTOCOL_VERSION ||
	    (alert == GNUTLS_A_HANDSHAKE_FAILURE &&
	    gnutls_handshake_get_last_in(session) !=
	    GNUTLS_HANDSHAKE_SERVER_HELLO)));
}

static void
tls_failed(struct stream *stream, int error, const char *when)
{
	const char *label = stream_label(stream), *text;

	if (error == GNUTLS_E_CERTIFICATE_ERROR &&
	    stream->fault.kind != METACUBE_OK)
		broken(stream);
	else if (stream->foreign)
		fail(stream, METACUBE_E_NO_TLS, "%s does not speak TLS: is it "
		    "the right port?", label);
	else if (is_close(error))
		fail(stream, METACUBE_E_CLOSED,
		    "%s closed the connection%s", label, when);
	else if (is_version(error, stream->session))
		fail(stream, METACUBE_E_TLS_VERSION,
		    "%s does not offer TLS 1.3", label);
	else {
		text = error == GNUTLS_E_FATAL_ALERT_RECEIVED ?
		    gnutls_alert_get_name(gnutls_alert_get(stream->session)) :
		    NULL;
		fail(stream, METACUBE_E_TLS, "TLS with %s failed%s: %s%s",
		    label, when, text != NULL ? "it says " : "",
		    text != NULL ? text : gnutls_strerror(error));
	}
}

static void
shaking(struct stream *stream)
{
	int error;

	do
		error = gnutls_handshake(stream->session);
	while (error < 0 && !gnutls_error_is_fatal(error) &&
	    error != GNUTLS_E_AGAIN);
	if (error == 0)
		enter(stream, STREAM_OPEN, 0);
	else if (error == GNUTLS_E_AGAIN && clock_ms() >= stream->deadline)
		fail(stream, METACUBE_E_TIMEOUT, "%s did not finish the TLS "
		    "handshake in time", stream_label(stream));
	else if (error != GNUTLS_E_AGAIN) {
		gnutls_alert_send_appropriate(stream->session, error);
		tls_failed(stream, error, " during the TLS handshake");
	}
}

static bool
frame_whole(const struct stream *stream)
{
	size_t held = buffer_len(&stream->in) - stream->frame;
	uint32_t len;

	if (held < HEADER)
		return false;
	memcpy(&len, buffer_bytes(&stream->in) + stream->frame, HEADER);
	return ntohl(len) <= STREAM_FRAME_MAX && held - HEADER >= ntohl(len);
}

/* Lengths are judged before room is made for what they announce. */
static void
frame_check(struct stream *stream)
{
	uint32_t len;

	if (stream->state == STREAM_BROKEN ||
	    buffer_len(&stream->in) < HEADER)
		return;
	memcpy(&len, buffer_bytes(&stream->in), HEADER);
	if (ntohl(len) > STREAM_FRAME_MAX)
		fail(stream, METACUBE_E_PROTOCOL, "%s sent a message of %u "
		    "bytes, and %d is the limit", stream_label(stream),
		    (unsigned)ntohl(len), STREAM_FRAME_MAX);
}

static void
reading(struct stream *stream)
{
	ssize_t n;

	stream->more = true;
	for (int i = 0; i < READS_MAX; i++) {
		uint8_t *room;

		/* Unread frames are taken first: what waits is bounded. */
		if (buffer_len(&stream->in) > STREAM_FRAME_MAX + HEADER)
			return;
		room = buffer_room(&stream->in, RECORD);
		if (room == NULL) {
			fail(stream, METACUBE_E_MEMORY, "there is no memory "
			    "for what %s sends", stream_label(stream));
			return;
		}
		n = gnutls_record_recv(stream->session, room, RECORD);
		if (n > 0)
			buffer_added(&stream->in, (size_t)n);
		else if (n == GNUTLS_E_AGAIN) {
			stream->more = false;
			return;
		} else if (n == 0 || gnutls_error_is_fatal((int)n)) {
			tls_failed(stream, (int)n, "");
			return;
		}
	}
}

static void
writing(struct stream *stream)
{
	while (buffer_len(&stream->out) > 0) {
		size_t len = buffer_len(&stream->out);
		ssize_t n;

		if (len > RECORD)
			len = RECORD;
		n = stream->sending ?
		    gnutls_record_send(stream->session, NULL, 0) :
		    gnutls_record_send(stream->session,
			buffer_bytes(&stream->out), len);
		stream->sending = n == GNUTLS_E_AGAIN ||
		    n == GNUTLS_E_INTERRUPTED;
		if (n > 0)
			buffer_taken(&stream->out, (size_t)n);
		else if (n == GNUTLS_E_AGAIN)
			return;
		else if (n == 0 || gnutls_error_is_fatal((int)n)) {
			tls_failed(stream, (int)n, "");
			return;
		}
	}
}

enum stream_state
stream_poll(struct stream *stream)
{
	if (stream->state == STREAM_RESOLVING)
		resolving(stream);
	if (stream->state == STREAM_CONNECTING)
		connecting(stream);
	if (stream->state == STREAM_SHAKING)
		shaking(stream);
	if (stream->state == STREAM_OPEN)
		writing(stream);
	if (stream->state == STREAM_OPEN)
		reading(stream);
	return stream->state;
}

struct stream *
stream_new(const struct trust *trust, const struct stream_target *target)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->trust = trust;
	stream->target = *target;
	stream->fd = -1;
	stream->resolve = resolve_new(target->endpoint.host,
	    target->endpoint.port);
	enter(stream, STREAM_RESOLVING, target->connect_ms);
	if (stream->resolve == NULL)
		stream_free(&stream);
	return stream;
}

void
stream_free(struct stream **streamp)
{
	struct stream *stream = *streamp;

	if (stream == NULL)
		return;
	if (stream->state == STREAM_OPEN)
		gnutls_bye(stream->session, GNUTLS_SHUT_WR);
	if (stream->session != NULL)
		gnutls_deinit(stream->session);
	resolve_free(&stream->resolve);
	if (stream->addresses != NULL)
		freeaddrinfo(stream->addresses);
	socket_close(stream);
	buffer_free(&stream->in);
	buffer_free(&stream->out);
	free(stream);
	*streamp = NULL;
}

int
stream_fd(const struct stream *stream)
{
	return stream->resolve != NULL ? resolve_fd(stream->resolve) :
	    stream->fd;
}

short
stream_wants(const struct stream *stream)
{
	switch (stream->state) {
	case STREAM_CONNECTING:
		return POLLOUT;
	case STREAM_SHAKING:
		return gnutls_record_get_direction(stream->session) ?
		    POLLOUT : POLLIN;
	case STREAM_OPEN:
		return buffer_len(&stream->out) > 0 ? POLLIN | POLLOUT :
		    POLLIN;
	default:
		return POLLIN;
	}
}

uint64_t
stream_deadline(const struct stream *stream)
{
	if (stream->state == STREAM_BROKEN || stream->more ||
	    frame_whole(stream) || (stream->resolve != NULL &&
	    resolve_fd(stream->resolve) < 0))
		return 0;
	return stream->deadline;
}

enum stream_state
stream_state(const struct stream *stream)
{
	return stream->state;
}

const struct fault *
stream_fault(const struct stream *stream)
{
	return &stream->fault;
}

const char *
stream_label(const struct stream *stream)
{
	return stream->target.endpoint.label;
}

const uint8_t *
stream_frame(struct stream *stream, size_t *len_r)
{
	const uint8_t *frame;

	if (stream->frame > 0)
		buffer_taken(&stream->in, stream->frame);
	stream->frame = 0;
	frame_check(stream);
	if (!frame_whole(stream))
		return NULL;
	frame = buffer_bytes(&stream->in);
	*len_r = (size_t)frame[0] << 24 | (size_t)frame[1] << 16 |
	    (size_t)frame[2] << 8 | frame[3];
	stream->frame = HEADER + *len_r;
	return frame + HEADER;
}

uint8_t *
stream_reserve(struct stream *stream, size_t len)
{
	uint8_t *room;

	if (buffer_len(&stream->out) + HEADER + len > STREAM_QUEUE_MAX)
		return NULL;
	room = buffer_room(&stream->out, HEADER + len);
	return room != NULL ? room + HEADER : NULL;
}

void
stream_commit(struct stream *stream, size_t len)
{
	uint32_t head = htonl((uint32_t)len);

	memcpy(stream->out.data + stream->out.end, &head, HEADER);
	buffer_added(&stream->out, HEADER + len);
}

bool
stream_flushed(const struct stream *stream)
{
	return buffer_len(&stream->out) == 0;
}
