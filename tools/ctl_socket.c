/* SPDX-License-Identifier: MIT */
/*
 * ctl_socket - the control socket as metacubectl sees it: blocking, one
 * question, one answer.  A frame is a 4-byte big-endian length and one
 * Envelope.
 */
#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_HEAD	4
#define FRAME_MAX	(16 * 1024 * 1024)
#define ANSWER_S	120		/* then the server counts as lost */

/* Several programs ask here. */
static void	complain(const char *, ...)
		    __attribute__((format(printf, 1, 2)));

static void
complain(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

static void
explain(const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		complain("no server is running there "
		    "(%s)\n", path);
		break;
	case EACCES:
	case EPERM:
		complain("permission denied: %s is for "
		    "root and the user that the server runs as\n", path);
		break;
	default:
		complain("%s: %s\n", path,
		    strerror(error));
	}
}

int
ctl_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_S };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		complain("the socket's name is too long: "
		    "%s\n", path);
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
		explain(path, errno);
		if (fd != -1)
			close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static bool
send_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EINTR) {
			complain("cannot send: %s\n",
			    strerror(errno));
			return false;
		}
	}
	return true;
}

static bool
send_envelope(int fd, const Metacube__Envelope *envelope)
{
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint8_t *frame = malloc(FRAME_HEAD + len);
	bool sent;

	if (frame == NULL) {
		complain("out of memory\n");
		return false;
	}
	for (int i = 0; i < FRAME_HEAD; i++)
		frame[i] = (uint8_t)(len >> (24 - 8 * i));
	metacube__envelope__pack(envelope, frame + FRAME_HEAD);
	sent = send_all(fd, frame, FRAME_HEAD + len);
	explicit_bzero(frame, FRAME_HEAD + len);
	free(frame);
	return sent;
}

bool
ctl_send(int fd, char **words, size_t count, const struct ctl_secret *secret)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Command command = METACUBE__COMMAND__INIT;

	command.word = words;
	command.n_word = count;
	command.secret.data = (uint8_t *)(uintptr_t)secret->data;
	command.secret.len = secret->len;
	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_COMMAND;
	envelope.command = &command;
	return send_envelope(fd, &envelope);
}

static bool
receive_all(int fd, uint8_t *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = recv(fd, data, len, 0);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n == 0) {
			complain("the server has closed "
			    "the connection without an answer\n");
			return false;
		} else if (errno == EAGAIN) {
			complain("no answer within %d "
			    "seconds\n", ANSWER_S);
			return false;
		} else if (errno != EINTR) {
			complain("no answer: %s\n",
			    strerror(errno));
			return false;
		}
	}
	return true;
}

static Metacube__Envelope *
decode(const uint8_t *body, size_t len)
{
	Metacube__Envelope *envelope =
	    metacube__envelope__unpack(NULL, len, body);

	if (envelope != NULL &&
	    envelope->message_case == METACUBE__ENVELOPE__MESSAGE_OUTPUT)
		return envelope;
	complain("the server's answer makes no sense\n");
	if (envelope != NULL)
		metacube__envelope__free_unpacked(envelope, NULL);
	return NULL;
}

Metacube__Envelope *
ctl_receive(int fd)
{
	Metacube__Envelope *envelope = NULL;
	uint8_t head[FRAME_HEAD], *body;
	size_t len;

	if (!receive_all(fd, head, sizeof(head)))
		return NULL;
	len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	if (len > FRAME_MAX) {
		complain("the answer has %zu bytes (at "
		    "most %d are allowed)\n", len, FRAME_MAX);
		return NULL;
	}
	body = malloc(len + 1);
	if (body != NULL && receive_all(fd, body, len))
		envelope = decode(body, len);
	free(body);
	return envelope;
}

void
ctl_wait_end(int fd)
{
	uint8_t rest[64];
	ssize_t n;

	do
		n = recv(fd, rest, sizeof(rest), 0);
	while (n > 0 || (n == -1 && errno == EINTR));
}
