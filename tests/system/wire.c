/* SPDX-License-Identifier: MIT */
/*
 * wire - one connection, with TLS or without: bytes, and frames of
 *
 *	length, 4 bytes, big-endian | Envelope
 *
 * Nothing waits beyond the deadline of the step.
 */
#include "hostile.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_MAX	(16 * 1024 * 1024)

void
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

uint64_t
now_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

void *
zalloc(size_t size)
{
	void *memory = calloc(1, size + 1);

	if (memory == NULL)
		die("no memory for %zu bytes", size);
	return memory;
}

void
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

int
dial(struct hostile *me)
{
	int on = 1, packet = 536, fd = socket(me->to.ss_family, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (me->buffer > 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &packet,
		    sizeof(packet));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &me->buffer,
		    sizeof(me->buffer));
	}
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

void
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
bool
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

void
secure(struct hostile *me)
{
	short wants;
	int rc;

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
		wants = gnutls_record_get_direction(me->session) ? POLLOUT :
		    POLLIN;
		if (!ready(me, me->fd, wants))
			die("the TLS handshake takes too long");
	}
	me->secure = true;
}

void
send_frame(struct hostile *me, const uint8_t *data, size_t len)
{
	uint8_t *frame = zalloc(len + 4);

	for (int i = 0; i < 4; i++)
		frame[i] = (uint8_t)(len >> (24 - 8 * i));
	memcpy(frame + 4, data, len);
	write_all(me, frame, len + 4);
	free(frame);
}

void
send_message(struct hostile *me, const Metacube__Envelope *envelope)
{
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint8_t *data = zalloc(len);

	metacube__envelope__pack(envelope, data);
	send_frame(me, data, len);
	free(data);
}

Metacube__Envelope *
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
