/* SPDX-License-Identifier: MIT */
/*
 * backend - see backend.h.
 */
#include "backend.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME_HEAD	4
#define FRAME_MAX	(64 * 1024)	/* of an answer */
#define MS_PER_S	1000

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

static void
complain(const char *what, int error)
{
	fprintf(stderr, "acctserv.cgi: the account server %s%s%s\n", what,
	    error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
}

/* Waits for the events until the deadline. */
static bool
ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline - now_ms();
		n = left <= 0 ? 0 : poll(&p, 1, (int)left);
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

static bool
send_all(int fd, const uint8_t *data, size_t len, int64_t deadline)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (!ready(fd, POLLOUT, deadline))
				return false;
		} else if (errno != EINTR)
			return false;
	}
	return true;
}

static bool
receive_all(int fd, uint8_t *data, size_t len, int64_t deadline)
{
	ssize_t n;

	while (len > 0) {
		n = recv(fd, data, len, MSG_DONTWAIT);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n == 0) {
			errno = ECONNRESET;
			return false;
		} else if (errno == EAGAIN) {
			if (!ready(fd, POLLIN, deadline))
				return false;
		} else if (errno != EINTR)
			return false;
	}
	return true;
}

/* A full backlog makes connect wait, at most as long as for an answer. */
static int
reach(const struct backend *backend)
{
	struct timeval limit = { .tv_sec = backend->wait_s };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(backend->socket) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, backend->socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
question_send(int fd, const Metacube__AccountRequest *request,
    int64_t deadline)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	uint8_t *frame;
	size_t len;
	bool sent;

	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = (Metacube__AccountRequest *)
	    (uintptr_t)request;
	len = metacube__envelope__get_packed_size(&envelope);
	frame = malloc(FRAME_HEAD + len);
	if (frame == NULL)
		return false;
	for (int i = 0; i < FRAME_HEAD; i++)
		frame[i] = (uint8_t)(len >> (24 - 8 * i));
	metacube__envelope__pack(&envelope, frame + FRAME_HEAD);
	sent = send_all(fd, frame, FRAME_HEAD + len, deadline);
	explicit_bzero(frame, FRAME_HEAD + len);
	free(frame);
	return sent;
}

static unsigned
seconds(uint32_t ms)
{
	return ms / MS_PER_S + (ms % MS_PER_S != 0);
}

static bool
answer_take(const Metacube__AccountAnswer *from, struct answer *answer)
{
	if (from->result == METACUBE__ACCOUNT_ANSWER__RESULT__NONE)
		return false;
	answer->result = from->result;
	answer->retry_s = seconds(from->retry_ms);
	if (from->document[0] != '\0')
		answer->document = strdup(from->document);
	return from->document[0] == '\0' || answer->document != NULL;
}

/* The connection itself was refused, and so the question. */
static bool
refusal_take(const Metacube__Refused *refused, struct answer *answer)
{
	answer->result = METACUBE__ACCOUNT_ANSWER__RESULT__TRY_LATER;
	answer->retry_s = seconds(refused->retry_ms);
	return true;
}

static bool
body_take(const uint8_t *body, size_t len, struct answer *answer)
{
	Metacube__Envelope *envelope =
	    metacube__envelope__unpack(NULL, len, body);
	bool taken = false;

	if (envelope == NULL)
		return false;
	if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER)
		taken = answer_take(envelope->account_answer, answer);
	else if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_REFUSED)
		taken = refusal_take(envelope->refused, answer);
	if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER)
		explicit_bzero(envelope->account_answer->document,
		    strlen(envelope->account_answer->document));
	metacube__envelope__free_unpacked(envelope, NULL);
	return taken;
}

static bool
answer_receive(int fd, struct answer *answer, int64_t deadline)
{
	uint8_t head[FRAME_HEAD], *body;
	bool taken = false;
	size_t len;

	if (!receive_all(fd, head, sizeof(head), deadline))
		return false;
	len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	errno = EPROTO;
	if (len > FRAME_MAX)
		return false;
	body = malloc(len + 1);
	if (body == NULL)
		return false;
	if (receive_all(fd, body, len, deadline)) {
		errno = EPROTO;
		taken = body_take(body, len, answer);
	}
	explicit_bzero(body, len);
	free(body);
	return taken;
}

void
backend_ask(const struct backend *backend,
    const Metacube__AccountRequest *request, struct answer *answer)
{
	int64_t deadline = now_ms() + (int64_t)backend->wait_s * MS_PER_S;
	int fd = reach(backend);

	memset(answer, 0, sizeof(*answer));
	answer->result = METACUBE__ACCOUNT_ANSWER__RESULT__TRY_LATER;
	if (fd == -1)
		complain("cannot be reached", errno);
	else if (!question_send(fd, request, deadline))
		complain("takes no question", errno);
	else if (!answer_receive(fd, answer, deadline)) {
		answer->result = METACUBE__ACCOUNT_ANSWER__RESULT__UNCERTAIN;
		complain("gives no answer", errno);
	}
	if (fd != -1)
		close(fd);
}

void
answer_clear(struct answer *answer)
{
	if (answer->document != NULL)
		explicit_bzero(answer->document, strlen(answer->document));
	free(answer->document);
	memset(answer, 0, sizeof(*answer));
}
