/* SPDX-License-Identifier: MIT */
/* How people ask: commands, requests, and the codes of their mails. */
#include "people_parts.h"

#include "mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CODES_MAX	16
#define MAIL_PATIENCE	6000	/* times 10 ms, for a mail to come */

/* The rows of account show. */
enum { ROW_UID = 2, ROW_STATE = 3, ROW_SEQ = 5, ROW_EMAIL = 7, ROW_NEW = 8 };

bool
lines_open(struct lines *lines, const char *control, const char *account,
    const char *mailbox)
{
	lines->control = asking_connect(control);
	lines->account = asking_connect(account);
	lines->mailbox = mailbox;
	return lines->control != -1 && lines->account != -1;
}

void
lines_close(struct lines *lines)
{
	if (lines->control != -1)
		close(lines->control);
	if (lines->account != -1)
		close(lines->account);
}

/* Passwords and addresses are known by their numbers. */
static void
proof_of(const struct person *person, unsigned number,
    uint8_t proof[ASKING_PROOF])
{
	memset(proof, 1, ASKING_PROOF);
	snprintf((char *)proof, ASKING_PROOF, "%u/%.18s", number,
	    person->name);
}

static void
email_of(const struct person *person, unsigned number, char *text,
    size_t size)
{
	snprintf(text, size, "%s.%u@example.com", person->name, number);
}

static int
result_of(int status)
{
	switch (status) {
	case MC_OK:
		return RESULT(DONE);
	case MC_EXISTS:
		return RESULT(NAME_TAKEN);
	case MC_NOT_FOUND:
		return RESULT(UNKNOWN_NAME);
	case MC_BUSY:
	case MC_UNAVAILABLE:
		return RESULT(TRY_LATER);
	case MC_UNCERTAIN:
		return RESULT(UNCERTAIN);
	case ASKING_LOST:
		return ASKING_LOST;
	}
	return RESULT(NONE);
}

static int
command_send(const struct person *person, const struct lines *lines,
    const struct wish *wish, struct asking_reply *reply)
{
	char email[128];
	uint8_t proof[ASKING_PROOF];
	struct asking_answer answer;

	proof_of(person, wish->after.password, proof);
	email_of(person, wish->after.email, email, sizeof(email));
	asking_command(lines->control, wish->command, person->name,
	    strcmp(wish->command, "create") == 0 ? email : NULL, proof,
	    &answer);
	memset(reply, 0, sizeof(*reply));
	reply->result = result_of(answer.status);
	snprintf(reply->text, sizeof(reply->text), "%s", answer.text);
	return reply->result;
}

static int
request_send(const struct person *person, const struct lines *lines,
    const struct wish *wish, const char *code,
    struct asking_reply *reply)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[ASKING_PROOF], new_proof[ASKING_PROOF];
	bool creates = wish->verb == VERB(CREATE);
	char email[128];

	request.verb = (Metacube__AccountRequest__Verb)wish->verb;
	request.name = (char *)person->name;
	request.by = (char *)"crash";
	request.code = (char *)code;
	proof_of(person, creates ? wish->after.password : wish->password,
	    proof);
	proof_of(person, wish->after.password, new_proof);
	if (wish->verb != VERB(FORGOTTEN) && wish->verb != VERB(RESET)) {
		request.proof.data = proof;
		request.proof.len = sizeof(proof);
	}
	if (wish->verb == VERB(PASSWORD) || wish->verb == VERB(RESET)) {
		request.new_proof.data = new_proof;
		request.new_proof.len = sizeof(new_proof);
	}
	email_of(person, creates || wish->verb == VERB(FORGOTTEN) ?
	    wish->after.email : wish->after.new_email, email,
	    sizeof(email));
	request.email = email;
	asking_request(lines->account, &request, reply);
	return reply->result;
}

static unsigned
codes_of(const struct person *person, const struct lines *lines, int verb,
    char codes[CODES_MAX][MAILBOX_CODE])
{
	char email[128];

	email_of(person, verb == VERB(VALIDATE) ? person->now.new_email :
	    person->now.email, email, sizeof(email));
	return mailbox_codes(lines->mailbox, email, codes, CODES_MAX);
}

/* With one after the other of the codes that were mailed. */
static int
try_codes(const struct person *person, const struct lines *lines,
    const struct wish *wish, struct asking_reply *reply)
{
	char codes[CODES_MAX][MAILBOX_CODE];
	unsigned count = codes_of(person, lines, wish->verb, codes);
	int result = RESULT(BAD_CODE);

	memset(reply, 0, sizeof(*reply));
	for (unsigned i = 0; i < count && result == RESULT(BAD_CODE); i++)
		result = request_send(person, lines, wish, codes[i], reply);
	return reply->result = result;
}

/* The mail of what was acknowledged comes, and one of its codes is good. */
static int
code_send(const struct person *person, const struct lines *lines,
    const struct wish *wish, struct asking_reply *reply)
{
	static const struct timespec pause = { 0, 10000000 };
	int result = try_codes(person, lines, wish, reply);

	if (wish->verb == VERB(RESET))	/* any may be void by now */
		return result;
	for (int i = 0; i < MAIL_PATIENCE && result == RESULT(BAD_CODE);
	    i++) {
		nanosleep(&pause, NULL);
		if (!asking_is_open(lines->control))
			return reply->result = ASKING_LOST;
		result = try_codes(person, lines, wish, reply);
	}
	return result;
}

int
wish_send(const struct person *person, const struct lines *lines,
    const struct wish *wish, struct asking_reply *reply)
{
	if (wish->command != NULL)
		return command_send(person, lines, wish, reply);
	if (wish->verb == VERB(ACTIVATE) || wish->verb == VERB(VALIDATE) ||
	    wish->verb == VERB(RESET))
		return code_send(person, lines, wish, reply);
	return request_send(person, lines, wish, "", reply);
}

static unsigned
number_of(const struct person *person, const char *email)
{
	size_t len = strlen(person->name);
	unsigned number = 0;

	if (strncmp(email, person->name, len) == 0)
		sscanf(email + len, ".%u@", &number);
	return number;
}

bool
state_ask(const struct person *person, const struct lines *lines,
    struct state *seen_r)
{
	struct asking_answer answer;

	memset(seen_r, 0, sizeof(*seen_r));
	asking_ask(lines->control, "show", person->name, NULL, &answer);
	if (answer.status == MC_NOT_FOUND)
		return true;
	seen_r->exists = true;
	seen_r->uid = strtoull(answer.value[ROW_UID], NULL, 10);
	seen_r->locked = strcmp(answer.value[ROW_STATE], "locked") == 0;
	seen_r->active = strcmp(answer.value[ROW_STATE],
	    "not activated") != 0;
	seen_r->seq = strtoull(answer.value[ROW_SEQ], NULL, 10);
	seen_r->email = number_of(person, answer.value[ROW_EMAIL]);
	seen_r->new_email = number_of(person, answer.value[ROW_NEW]);
	return answer.status == MC_OK;
}
