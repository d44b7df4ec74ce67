/* SPDX-License-Identifier: MIT */
/*
 * fake_accounts - an account server for tests of the web pages: a unix socket
 * and a few accounts in memory, gone when it ends.
 *
 *	fake_accounts SOCKET MAILS URL	serves; appends mails to a file
 *	fake_accounts --port		prints a free port of 127.0.0.1
 *
 * Every request becomes a line on standard output, without its proofs.  Some
 * names have a meaning: "later", "uncertain", "locked", "not.allowed",
 * "inactive", "bad.request" and "strange" get that result, "refused" a
 * Refused; "slam" is hung up on, "silent" waits for ever, "garbage" and
 * "huge" get what is no answer, and "broken.off" half of one.
 */
#include <metacube/name.h>
#include <metacube/proto/envelope.pb-c.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_HEAD	4
#define FRAME_MAX	65536
#define PEOPLE_MAX	256
#define PROOF_SIZE	32
#define TEXT_SIZE	256

#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name
#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name

typedef Metacube__AccountRequest request_t;
typedef Metacube__AccountAnswer answer_t;
typedef Metacube__AccountAnswer__Result result_t;

static struct person {
	char	name[MC_NAME_SIZE];	/* "": nobody */
	uint8_t	proof[PROOF_SIZE];
	char	email[TEXT_SIZE], new_email[TEXT_SIZE];
	char	code[64];		/* "": none */
	int	code_for;		/* the verb that it is good for */
	bool	active;
} people[PEOPLE_MAX];

static const char *mails, *url;

static struct person *
find(const char *name)
{
	char folded[MC_NAME_SIZE];

	if (mc_name_fold(name, folded) != NULL)
		return NULL;
	for (size_t i = 0; i < PEOPLE_MAX; i++)
		if (strcmp(people[i].name, folded) == 0)
			return &people[i];
	return NULL;
}

static bool
is_proof(const struct person *person, const ProtobufCBinaryData *proof)
{
	return proof->len == PROOF_SIZE &&
	    memcmp(person->proof, proof->data, PROOF_SIZE) == 0;
}

static void
mail(struct person *person, const char *to, int code_for, const char *page)
{
	static unsigned number;
	FILE *file = fopen(mails, "a");

	if (file == NULL)
		abort();
	person->code_for = code_for;
	snprintf(person->code, sizeof(person->code), "code-%u", ++number);
	fprintf(file, "To: %s\n%s/%s?name=%s&code=%s\n", to, url, page,
	    person->name, person->code);
	fclose(file);
}

static void
mail_again(struct person *person)
{
	if (person->code_for == VERB(VALIDATE))
		mail(person, person->new_email, VERB(VALIDATE), "validate");
	else
		mail(person, person->email, VERB(ACTIVATE), "activate");
}

static bool
code_take(struct person *person, const char *code, int verb)
{
	if (person->code_for != verb || person->code[0] == '\0' ||
	    strcmp(person->code, code) != 0)
		return false;
	person->code[0] = '\0';
	return true;
}

static result_t
create(const request_t *request)
{
	struct person *person = find(request->name);

	if (person != NULL)
		return RESULT(NAME_TAKEN);
	for (person = people; person->name[0] != '\0'; person++)
		if (person == &people[PEOPLE_MAX - 1])
			abort();
	if (mc_name_fold(request->name, person->name) != NULL)
		return RESULT(BAD_NAME);
	if (strcmp(request->email, "nobody@example.org") == 0) {
		memset(person, 0, sizeof(*person));
		return RESULT(BAD_EMAIL);
	}
	memcpy(person->proof, request->proof.data, PROOF_SIZE);
	snprintf(person->email, TEXT_SIZE, "%s", request->email);
	mail(person, person->email, VERB(ACTIVATE), "activate");
	return RESULT(DONE);
}

/* Those who have shown their password. */
static result_t
change(struct person *person, const request_t *request, answer_t *answer)
{
	if (request->verb == VERB(ACTIVATE) && person->active)
		return RESULT(ALREADY_ACTIVATED);
	if (!person->active && request->verb != VERB(ACTIVATE) &&
	    request->verb != VERB(RESEND) && request->verb != VERB(DELETE))
		return RESULT(NOT_ACTIVATED);
	switch (request->verb) {
	case VERB(ACTIVATE):
		person->active = code_take(person, request->code,
		    VERB(ACTIVATE));
		return person->active ? RESULT(DONE) : RESULT(BAD_CODE);
	case VERB(PASSWORD):
		memcpy(person->proof, request->new_proof.data, PROOF_SIZE);
		return RESULT(DONE);
	case VERB(EMAIL):
		snprintf(person->new_email, TEXT_SIZE, "%s", request->email);
		mail(person, person->new_email, VERB(VALIDATE), "validate");
		return RESULT(DONE);
	case VERB(VALIDATE):
		if (!code_take(person, request->code, VERB(VALIDATE)))
			return RESULT(BAD_CODE);
		memcpy(person->email, person->new_email, TEXT_SIZE);
		return RESULT(DONE);
	case VERB(RESEND):
		mail_again(person);
		return RESULT(DONE);
	case VERB(DELETE):
		memset(person, 0, sizeof(*person));
		return RESULT(DONE);
	case VERB(EXPORT):
		answer->document = (char *)(uintptr_t)"{\"name\": \"joe\"}\n";
		return RESULT(DONE);
	default:
		return RESULT(DONE);
	}
}

static result_t
forgotten(struct person *person, const request_t *request)
{
	if (person == NULL)
		return RESULT(UNKNOWN_NAME);
	if (strcmp(person->email, request->email) == 0)
		mail(person, person->email, VERB(RESET), "reset");
	return RESULT(DONE);
}

static result_t
reset(struct person *person, const request_t *request)
{
	if (person == NULL || !code_take(person, request->code, VERB(RESET)))
		return RESULT(BAD_CODE);
	memcpy(person->proof, request->new_proof.data, PROOF_SIZE);
	return RESULT(DONE);
}

static result_t
serve_name(const request_t *request, answer_t *answer)
{
	static const struct {
		const char	*name;
		result_t	 result;
	} special[] = {
		{ "later", RESULT(TRY_LATER) },
		{ "uncertain", RESULT(UNCERTAIN) },
		{ "locked", RESULT(LOCKED) },
		{ "not.allowed", RESULT(NOT_ALLOWED) },
		{ "inactive", RESULT(NOT_ACTIVATED) },
		{ "bad.request", RESULT(BAD_REQUEST) },
		{ "strange", (result_t)99 },
	};
	struct person *person = find(request->name);

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (strcmp(special[i].name, request->name) == 0) {
			answer->retry_ms = 4200;
			return special[i].result;
		}
	if (request->verb == VERB(CREATE))
		return create(request);
	if (request->verb == VERB(FORGOTTEN))
		return forgotten(person, request);
	if (request->verb == VERB(RESET))
		return reset(person, request);
	if (person == NULL)
		return RESULT(UNKNOWN_NAME);
	return is_proof(person, &request->proof) ?
	    change(person, request, answer) : RESULT(WRONG_PASSWORD);
}

/* -- frames ---------------------------------------------------------------- */

static bool
receive_all(int fd, uint8_t *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = recv(fd, data, len, 0);
		if (n <= 0)
			return false;
	}
	return true;
}

static void
put(int fd, const uint8_t *data, size_t len)
{
	(void)!send(fd, data, len, MSG_NOSIGNAL);
}

static void
envelope_send(int fd, const Metacube__Envelope *envelope, size_t left_out)
{
	uint8_t frame[FRAME_MAX];
	size_t len = metacube__envelope__get_packed_size(envelope);

	if (len > FRAME_MAX - FRAME_HEAD)
		abort();
	for (int i = 0; i < FRAME_HEAD; i++)
		frame[i] = (uint8_t)(len >> (24 - 8 * i));
	metacube__envelope__pack(envelope, frame + FRAME_HEAD);
	put(fd, frame, FRAME_HEAD + len - left_out);
}

static void
answer_send(int fd, uint32_t cid, const request_t *request)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__AccountAnswer answer = METACUBE__ACCOUNT_ANSWER__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;

	envelope.cid = cid;
	if (strcmp(request->name, "refused") == 0) {
		envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REFUSED;
		envelope.refused = &refused;
	} else {
		answer.result = serve_name(request, &answer);
		envelope.message_case =
		    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER;
		envelope.account_answer = &answer;
	}
	envelope_send(fd, &envelope,
	    strcmp(request->name, "broken.off") == 0 ? 1 : 0);
}

static void
note(const request_t *request)
{
	printf("ask verb=%d name=%s email=%s private=%d code=%s address=%s "
	    "by=%s proof=%zu new_proof=%zu\n", request->verb, request->name,
	    request->email, request->email_private, request->code,
	    request->address, request->by, request->proof.len,
	    request->new_proof.len);
	fflush(stdout);
}

/* false: the connection stays open. */
static bool
serve_request(int fd, uint32_t cid, const request_t *request)
{
	note(request);
	if (strcmp(request->name, "silent") == 0)
		return false;
	if (strcmp(request->name, "garbage") == 0)
		put(fd, (const uint8_t *)"\0\0\0\4\377\377\377\377", 8);
	else if (strcmp(request->name, "huge") == 0)
		put(fd, (const uint8_t *)"\177\377\377\377", 4);
	else if (strcmp(request->name, "slam") != 0)
		answer_send(fd, cid, request);
	return true;
}

static void
serve(int fd)
{
	uint8_t head[FRAME_HEAD], body[FRAME_MAX];
	Metacube__Envelope *envelope = NULL;
	bool ended = true;
	size_t len;

	if (receive_all(fd, head, sizeof(head)) && head[0] == 0 &&
	    head[1] == 0) {
		len = (size_t)head[2] << 8 | head[3];
		if (receive_all(fd, body, len))
			envelope = metacube__envelope__unpack(NULL, len,
			    body);
	}
	if (envelope != NULL && envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST)
		ended = serve_request(fd, envelope->cid,
		    envelope->account_request);
	else
		printf("no request\n");
	if (envelope != NULL)
		metacube__envelope__free_unpacked(envelope, NULL);
	if (ended)
		close(fd);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(at.sun_path)) {
		fprintf(stderr, "fake_accounts: %s is too long\n", path);
		exit(1);
	}
	strcpy(at.sun_path, path);
	unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(fd, 64) == -1) {
		perror(path);
		exit(1);
	}
	return fd;
}

static int
port_print(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) == -1)
		return 1;
	printf("%d\n", ntohs(at.sin_port));
	return 0;
}

static void
ended(int number)
{
	(void)number;
	_exit(0);
}

int
main(int argc, char **argv)
{
	int listener, fd;

	if (argc == 2 && strcmp(argv[1], "--port") == 0)
		return port_print();
	if (argc != 4) {
		fprintf(stderr, "usage: fake_accounts SOCKET MAILS URL\n");
		return 2;
	}
	signal(SIGTERM, ended);
	mails = argv[2];
	url = argv[3];
	listener = listen_at(argv[1]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd != -1)
			serve(fd);
	}
}
