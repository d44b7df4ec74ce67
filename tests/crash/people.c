/* SPDX-License-Identifier: MIT */
#include "people.h"

#include "asking.h"
#include "mailbox.h"

#include <metacube/proto/acctserv.pb-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name
#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name
#define CODES_MAX	16
#define MAIL_PATIENCE	6000	/* times 10 ms, for a mail to come */

/* The rows of account show. */
enum { ROW_UID = 2, ROW_STATE = 3, ROW_SEQ = 5, ROW_EMAIL = 7, ROW_NEW = 8 };

/* One change that is asked for. */
struct asking {
	int		verb;		/* of a request, or */
	const char	*command;
	int		expected;	/* result, if there is an answer */
	struct state	after;		/* when it is DONE */
	unsigned	password;	/* which one is shown */
};

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

static unsigned
violation(const struct person *person, const char *what, const char *more)
{
	printf("# VIOLATION: %s: %s%s\n", person->name, what, more);
	return 1;
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

/* What to ask for. */

static struct state
created(struct person *person, bool active)
{
	return (struct state){ .exists = true, .active = active,
	    .password = ++person->passwords, .email = ++person->emails };
}

static void
ask_command(struct person *person, struct asking *asking, const char *command)
{
	bool creates = strcmp(command, "create") == 0;

	asking->command = command;
	asking->expected = creates ?
	    (person->now.exists ? RESULT(NAME_TAKEN) : RESULT(DONE)) :
	    (person->now.exists ? RESULT(DONE) : RESULT(UNKNOWN_NAME));
	if (creates)
		asking->after = created(person, true);
	else if (strcmp(command, "password") == 0)
		asking->after.password = ++person->passwords;
	else if (strcmp(command, "lock") == 0 ||
	    strcmp(command, "unlock") == 0)
		asking->after.locked = command[0] == 'l';
	else					/* delete, erase */
		asking->after = (struct state){ .exists = false };
}

/* The refusals that a verb shares with others. */
static int
usable(const struct state *now)
{
	return now->locked ? RESULT(LOCKED) :
	    now->active ? RESULT(DONE) : RESULT(NOT_ACTIVATED);
}

static void
ask_request(struct person *person, struct asking *asking, int verb)
{
	const struct state *now = &person->now;
	struct state *after = &asking->after;

	asking->verb = verb;
	asking->expected = usable(now);
	switch (verb) {
	case VERB(CREATE):
		asking->expected = now->exists ? RESULT(NAME_TAKEN) :
		    RESULT(DONE);
		*after = created(person, false);
		break;
	case VERB(ACTIVATE):
		asking->expected = now->active ? RESULT(ALREADY_ACTIVATED) :
		    RESULT(DONE);
		after->active = true;
		break;
	case VERB(PASSWORD):
		after->password = ++person->passwords;
		break;
	case VERB(EMAIL):
		after->new_email = ++person->emails;
		break;
	case VERB(VALIDATE):
		after->email = now->new_email;
		after->new_email = 0;
		break;
	case VERB(RESEND):
	case VERB(DELETE):
		asking->expected = now->locked ? RESULT(LOCKED) :
		    RESULT(DONE);
		if (verb == VERB(DELETE))
			*after = (struct state){ .exists = false };
		else if (now->active && now->new_email == 0)
			asking->expected = now->locked ? RESULT(LOCKED) :
			    RESULT(ALREADY_ACTIVATED);
		break;
	case VERB(RESET):
		after->password = ++person->passwords;
		after->active = true;
		break;
	case VERB(EXPORT):
		asking->expected = RESULT(DONE);
		break;
	}
	if (!now->exists && verb != VERB(CREATE) && verb != VERB(RESET))
		asking->expected = RESULT(WRONG_PASSWORD);
}

static void
choose_existing(struct person *person, struct asking *asking, unsigned dice)
{
	const struct state *now = &person->now;

	if (dice < 3)
		ask_command(person, asking, "lock");
	else if (dice < 6 || (now->locked && dice < 14))
		ask_command(person, asking, "unlock");
	else if (dice < 7)
		ask_command(person, asking, "delete");
	else if (dice < 8)
		ask_command(person, asking, "erase");
	else if (dice < 9)
		ask_command(person, asking, "password");
	else if (dice < 10)
		ask_request(person, asking, VERB(DELETE));
	else if (dice < 12)
		ask_request(person, asking, VERB(CHECK));
	else if (dice < 13)
		ask_request(person, asking, VERB(EXPORT));
	else if (dice < 15)
		ask_request(person, asking, VERB(RESEND));
	else if (!now->active)
		ask_request(person, asking, VERB(ACTIVATE));
	else if (dice < 17 && now->new_email != 0)
		ask_request(person, asking, VERB(VALIDATE));
	else if (dice < 18)
		ask_request(person, asking, VERB(EMAIL));
	else if (dice < 19)
		ask_request(person, asking, VERB(RESET));
	else if (dice < 20)
		ask_request(person, asking, VERB(FORGOTTEN));
	else
		ask_request(person, asking, VERB(PASSWORD));
}

/* Where no mail comes there are no codes. */
static void
choose_unmailed(struct person *person, struct asking *asking, unsigned dice)
{
	if (!person->now.exists)
		ask_command(person, asking, "create");
	else if (dice < 6)
		ask_command(person, asking, "lock");
	else if (dice < 12 || (person->now.locked && dice < 18))
		ask_command(person, asking, "unlock");
	else if (dice < 15)
		ask_command(person, asking, dice < 14 ? "delete" : "erase");
	else if (dice < 16)
		ask_request(person, asking, VERB(CHECK));
	else if (dice < 24)
		ask_request(person, asking, VERB(PASSWORD));
	else
		ask_command(person, asking, "password");
}

static void
choose(struct person *person, bool mailed, unsigned *seed,
    struct asking *asking)
{
	static const int any[] = {
		VERB(CREATE), VERB(CHECK), VERB(PASSWORD), VERB(DELETE),
		VERB(EMAIL), VERB(EXPORT)
	};
	unsigned dice = (unsigned)rand_r(seed) % 30;

	memset(asking, 0, sizeof(*asking));
	asking->after = person->now;
	asking->after.seq = 0;
	asking->password = person->now.password;
	if (!mailed)
		choose_unmailed(person, asking, dice);
	else if (rand_r(seed) % 20 == 0)	/* may have to be refused */
		ask_request(person, asking, any[rand_r(seed) % 6]);
	else if (person->now.exists)
		choose_existing(person, asking, dice);
	else if (dice < 10)
		ask_command(person, asking, "create");
	else
		ask_request(person, asking, VERB(CREATE));
}

/* Asking. */

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
    const struct asking *asking, struct asking_reply *reply)
{
	char email[128];
	uint8_t proof[ASKING_PROOF];
	struct asking_answer answer;

	proof_of(person, asking->after.password, proof);
	email_of(person, asking->after.email, email, sizeof(email));
	asking_command(lines->control, asking->command, person->name,
	    strcmp(asking->command, "create") == 0 ? email : NULL, proof,
	    &answer);
	memset(reply, 0, sizeof(*reply));
	reply->result = result_of(answer.status);
	snprintf(reply->text, sizeof(reply->text), "%s", answer.text);
	return reply->result;
}

static int
request_send(const struct person *person, const struct lines *lines,
    const struct asking *asking, const char *code,
    struct asking_reply *reply)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[ASKING_PROOF], new_proof[ASKING_PROOF];
	bool creates = asking->verb == VERB(CREATE);
	char email[128];

	request.verb = (Metacube__AccountRequest__Verb)asking->verb;
	request.name = (char *)person->name;
	request.by = (char *)"crash";
	request.code = (char *)code;
	proof_of(person, creates ? asking->after.password : asking->password,
	    proof);
	proof_of(person, asking->after.password, new_proof);
	if (asking->verb != VERB(FORGOTTEN) && asking->verb != VERB(RESET)) {
		request.proof.data = proof;
		request.proof.len = sizeof(proof);
	}
	if (asking->verb == VERB(PASSWORD) || asking->verb == VERB(RESET)) {
		request.new_proof.data = new_proof;
		request.new_proof.len = sizeof(new_proof);
	}
	email_of(person, creates || asking->verb == VERB(FORGOTTEN) ?
	    asking->after.email : asking->after.new_email, email,
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
    const struct asking *asking, struct asking_reply *reply)
{
	char codes[CODES_MAX][MAILBOX_CODE];
	unsigned count = codes_of(person, lines, asking->verb, codes);
	int result = RESULT(BAD_CODE);

	memset(reply, 0, sizeof(*reply));
	for (unsigned i = 0; i < count && result == RESULT(BAD_CODE); i++)
		result = request_send(person, lines, asking, codes[i], reply);
	return reply->result = result;
}

/* The mail of what was acknowledged comes, and one of its codes is good. */
static int
code_send(const struct person *person, const struct lines *lines,
    const struct asking *asking, struct asking_reply *reply)
{
	static const struct timespec pause = { 0, 10000000 };
	int result = try_codes(person, lines, asking, reply);

	if (asking->verb == VERB(RESET))	/* any may be void by now */
		return result;
	for (int i = 0; i < MAIL_PATIENCE && result == RESULT(BAD_CODE);
	    i++) {
		nanosleep(&pause, NULL);
		if (!asking_is_open(lines->control))
			return reply->result = ASKING_LOST;
		result = try_codes(person, lines, asking, reply);
	}
	return result;
}

static int
send(const struct person *person, const struct lines *lines,
    const struct asking *asking, struct asking_reply *reply)
{
	if (asking->command != NULL)
		return command_send(person, lines, asking, reply);
	if (asking->verb == VERB(ACTIVATE) || asking->verb == VERB(VALIDATE) ||
	    asking->verb == VERB(RESET))
		return code_send(person, lines, asking, reply);
	return request_send(person, lines, asking, "", reply);
}

/* What the server says that it is. */

static unsigned
number_of(const struct person *person, const char *email)
{
	size_t len = strlen(person->name);
	unsigned number = 0;

	if (strncmp(email, person->name, len) == 0)
		sscanf(email + len, ".%u@", &number);
	return number;
}

static bool
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

/* What is new must be above what was seen before.  Whether a locked account
 * is active cannot be seen. */
static bool
is_state(const struct state *seen, const struct state *wanted,
    uint64_t last_seq, uint64_t highest)
{
	if (!seen->exists || !wanted->exists)
		return seen->exists == wanted->exists;
	return seen->locked == wanted->locked &&
	    (seen->locked || seen->active == wanted->active) &&
	    seen->email == wanted->email &&
	    seen->new_email == wanted->new_email &&
	    (wanted->uid == 0 ? seen->uid > highest :
		seen->uid == wanted->uid) &&
	    (wanted->seq == 0 ? seen->seq > last_seq :
		seen->seq == wanted->seq);
}

/* Takes over what could not be known, and no more. */
static void
state_take(struct person *person, const struct state *seen,
    const struct state *is)
{
	struct state now = *is;

	now.uid = seen->uid;
	now.seq = seen->seq;
	person->now = now;
	if (seen->exists)
		person->last_seq = seen->seq;
	else
		person->now = *seen;
}

/* What was acknowledged can be seen at once; this also gives the numbers that
 * a later loss is noticed by. */
static unsigned
person_look(struct person *person, const struct lines *lines, bool *alive_r)
{
	struct state seen;

	*alive_r = state_ask(person, lines, &seen);
	if (!*alive_r)
		return 0;
	if (!is_state(&seen, &person->now, person->last_seq, 0))
		return violation(person, "acknowledged, but not seen", "");
	state_take(person, &seen, &person->now);
	return 0;
}

/* Judging. */

static bool
changes_nothing(const struct asking *asking)
{
	return asking->command == NULL && (asking->verb == VERB(CHECK) ||
	    asking->verb == VERB(EXPORT) || asking->verb == VERB(FORGOTTEN));
}

static unsigned
answer_judge(struct person *person, const struct asking *asking,
    const struct asking_reply *reply, bool *acknowledged_r)
{
	switch (reply->result) {
	case RESULT(TRY_LATER):
		return 0;		/* nothing was changed */
	case RESULT(UNCERTAIN):
	case ASKING_LOST:
		person->maybe = asking->after;
		person->doubtful = asking->expected == RESULT(DONE) &&
		    !changes_nothing(asking);
		return 0;
	}
	if (reply->result == RESULT(BAD_CODE) && asking->verb == VERB(RESET))
		return 0;
	if (reply->result == RESULT(BAD_CODE))
		return violation(person, "acknowledged, but no mail has come "
		    "whose code is good", "");
	if (reply->result != asking->expected)
		return violation(person, "wrong answer: ", reply->text);
	if (reply->result == RESULT(DONE) && !changes_nothing(asking)) {
		person->now = asking->after;
		person->proven = false;
		*acknowledged_r = true;
	}
	return 0;
}

/* Its change comes within two seconds, or not: see forgotten.  Until then
 * this person is left alone. */
static void
forgotten(struct person *person)
{
	person->maybe = person->now;
	person->maybe.seq = 0;
	person->maybe.new_email = 0;
	person->doubtful = true;
}

unsigned
person_change(struct person *person, const struct lines *lines,
    unsigned *seed, bool *acknowledged_r, bool *alive_r)
{
	struct asking asking;
	struct asking_reply reply;
	unsigned violations;

	if (person->doubtful)
		return 0;
	choose(person, lines->mailbox != NULL, seed, &asking);
	send(person, lines, &asking, &reply);
	*alive_r = reply.result != ASKING_LOST &&
	    reply.result != RESULT(UNCERTAIN);
	if (asking.verb == VERB(FORGOTTEN)) {
		forgotten(person);
		return 0;
	}
	violations = answer_judge(person, &asking, &reply, acknowledged_r);
	if (*acknowledged_r && violations == 0)
		violations = person_look(person, lines, alive_r);
	return violations;
}

static const char *
state_text(const struct state *state, char *text, size_t size)
{
	if (!state->exists)
		return "no account";
	snprintf(text, size, "uid %llu, change %llu%s%s, e-mail %u, %u",
	    (unsigned long long)state->uid, (unsigned long long)state->seq,
	    state->locked ? ", locked" : "",
	    state->active ? "" : ", not activated", state->email,
	    state->new_email);
	return text;
}

/* Is that really its password?  What the lock hides, the check shows. */
static unsigned
password_verify(struct person *person, const struct lines *lines,
    bool *alive_r)
{
	struct asking asking = { .verb = VERB(CHECK),
	    .password = person->now.password, .after = person->now };
	struct asking_reply reply;

	if (!person->now.exists || person->proven)
		return 0;
	request_send(person, lines, &asking, "", &reply);
	*alive_r = reply.result != ASKING_LOST;
	if (!*alive_r)
		return 0;
	if (reply.result != usable(&person->now) &&
	    reply.result != RESULT(TRY_LATER))
		return violation(person, "its password is not the last one "
		    "that was acknowledged: ", reply.text);
	person->proven = true;
	return 0;
}

unsigned
person_verify(struct person *person, const struct lines *lines,
    uint64_t highest, uint64_t *highest_r, bool *alive_r)
{
	char seen_text[128], now_text[128], text[512];
	const struct state *is = &person->now;
	struct state seen;
	unsigned violations = 0;

	if (!state_ask(person, lines, &seen)) {
		*alive_r = asking_is_open(lines->control);
		return !*alive_r ? 0 :
		    violation(person, "cannot be shown", "");
	}
	if (!is_state(&seen, is, person->last_seq, highest)) {
		is = &person->maybe;
		if (!person->doubtful || !is_state(&seen, is,
		    person->last_seq, highest)) {
			snprintf(text, sizeof(text), "%s, but acknowledged "
			    "was: %s", state_text(&seen, seen_text,
			    sizeof(seen_text)), state_text(&person->now,
			    now_text, sizeof(now_text)));
			violations = violation(person, text,
			    person->doubtful ? " (and one change without an "
			    "answer)" : "");
		}
		person->proven = false;
	}
	if (seen.uid > *highest_r)
		*highest_r = seen.uid;
	state_take(person, &seen, is);
	person->doubtful = false;
	return violations + (violations == 0 ?
	    password_verify(person, lines, alive_r) : 0);
}
