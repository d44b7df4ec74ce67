/* SPDX-License-Identifier: MIT */
#include "asking.h"

#include <metacube/proto/envelope.pb-c.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX	(64 * 1024)

int
asking_connect(const char *socket_path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", socket_path);
	if (fd != -1 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

static bool
send_frame(int fd, const Metacube__Envelope *envelope)
{
	uint8_t frame[4096];
	size_t len = metacube__envelope__pack(envelope, frame + 4);

	frame[0] = frame[1] = 0;
	frame[2] = (uint8_t)(len >> 8);
	frame[3] = (uint8_t)len;
	return send(fd, frame, len + 4, MSG_NOSIGNAL) == (ssize_t)len + 4;
}

static bool
receive(int fd, uint8_t *data, size_t len)
{
	ssize_t got;

	for (size_t have = 0; have < len; have += (size_t)got) {
		got = recv(fd, data + have, len - have, 0);
		if (got == -1 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			return false;
	}
	return true;
}

static Metacube__Envelope *
receive_frame(int fd)
{
	static _Thread_local uint8_t frame[FRAME_MAX];
	size_t len;

	if (!receive(fd, frame, 4))
		return NULL;
	len = (size_t)frame[1] << 16 | (size_t)frame[2] << 8 | frame[3];
	if (frame[0] != 0 || len > sizeof(frame) || !receive(fd, frame, len))
		return NULL;
	return metacube__envelope__unpack(NULL, len, frame);
}

static void
reply_take(const Metacube__AccountAnswer *answer,
    struct asking_reply *reply)
{
	reply->result = (int)answer->result;
	reply->retry_ms = answer->retry_ms;
	reply->seq = answer->seq;
	reply->bytes = metacube__account_answer__get_packed_size(answer);
	snprintf(reply->text, sizeof(reply->text), "%s", answer->text);
	snprintf(reply->display, sizeof(reply->display), "%s",
	    answer->display);
	snprintf(reply->document, sizeof(reply->document), "%s",
	    answer->document);
}

void
asking_request(int fd, Metacube__AccountRequest *request,
    struct asking_reply *reply_r)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT, *got = NULL;

	memset(reply_r, 0, sizeof(*reply_r));
	reply_r->result = ASKING_LOST;
	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = request;
	if (send_frame(fd, &envelope))
		got = receive_frame(fd);
	if (got != NULL &&
	    got->message_case == METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER)
		reply_take(got->account_answer, reply_r);
	if (got != NULL)
		metacube__envelope__free_unpacked(got, NULL);
}

static void
answer_take(const Metacube__Output *output, struct asking_answer *answer)
{
	size_t columns = output->n_column, row;

	answer->status = (int)output->status;
	snprintf(answer->text, sizeof(answer->text), "%s", output->text);
	if (columns < 2)
		return;
	for (row = 0; row < ASKING_VALUES &&
	    (row + 1) * columns <= output->n_cell; row++)
		snprintf(answer->value[row], sizeof(answer->value[row]),
		    "%s", output->cell[row * columns + 1]);
}

bool
asking_is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 &&
	    (errno == EAGAIN || errno == EINTR);
}

void
asking_ask(int fd, const char *verb, const char *name, const uint8_t *proof,
    struct asking_answer *answer_r)
{
	asking_command(fd, verb, name, NULL, proof, answer_r);
}

void
asking_command(int fd, const char *verb, const char *name, const char *more,
    const uint8_t *proof, struct asking_answer *answer_r)
{
	char *words[] = {
		(char *)"account", (char *)verb, (char *)name, (char *)more
	};
	Metacube__Command command = METACUBE__COMMAND__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT, *got = NULL;

	memset(answer_r, 0, sizeof(*answer_r));
	answer_r->status = ASKING_LOST;
	command.word = words;
	command.n_word = more == NULL ? 3 : 4;
	command.secret.data = (uint8_t *)proof;
	command.secret.len = proof == NULL ? 0 : ASKING_PROOF;
	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_COMMAND;
	envelope.command = &command;
	if (send_frame(fd, &envelope))
		got = receive_frame(fd);
	if (got != NULL &&
	    got->message_case == METACUBE__ENVELOPE__MESSAGE_OUTPUT)
		answer_take(got->output, answer_r);
	if (got != NULL)
		metacube__envelope__free_unpacked(got, NULL);
}
