/* SPDX-License-Identifier: MIT */
/* The changes that people wish for, and what must come of them. */
#include "people_parts.h"

#include <stdlib.h>
#include <string.h>

static struct state
created(struct person *person, bool active)
{
	return (struct state){ .exists = true, .active = active,
	    .password = ++person->passwords, .email = ++person->emails };
}

static void
ask_command(struct person *person, struct wish *wish, const char *command)
{
	bool creates = strcmp(command, "create") == 0;

	wish->command = command;
	wish->expected = creates ?
	    (person->now.exists ? RESULT(NAME_TAKEN) : RESULT(DONE)) :
	    (person->now.exists ? RESULT(DONE) : RESULT(UNKNOWN_NAME));
	if (creates)
		wish->after = created(person, true);
	else if (strcmp(command, "password") == 0)
		wish->after.password = ++person->passwords;
	else if (strcmp(command, "lock") == 0 ||
	    strcmp(command, "unlock") == 0)
		wish->after.locked = command[0] == 'l';
	else					/* delete, erase */
		wish->after = (struct state){ .exists = false };
}

int
wish_refusal(const struct state *now)
{
	return now->locked ? RESULT(LOCKED) :
	    now->active ? RESULT(DONE) : RESULT(NOT_ACTIVATED);
}

static void
ask_request(struct person *person, struct wish *wish, int verb)
{
	const struct state *now = &person->now;
	struct state *after = &wish->after;

	wish->verb = verb;
	wish->expected = wish_refusal(now);
	switch (verb) {
	case VERB(CREATE):
		wish->expected = now->exists ? RESULT(NAME_TAKEN) :
		    RESULT(DONE);
		*after = created(person, false);
		break;
	case VERB(ACTIVATE):
		wish->expected = now->active ? RESULT(ALREADY_ACTIVATED) :
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
		wish->expected = now->locked ? RESULT(LOCKED) :
		    RESULT(DONE);
		if (verb == VERB(DELETE))
			*after = (struct state){ .exists = false };
		else if (now->active && now->new_email == 0)
			wish->expected = now->locked ? RESULT(LOCKED) :
			    RESULT(ALREADY_ACTIVATED);
		break;
	case VERB(RESET):
		after->password = ++person->passwords;
		after->active = true;
		break;
	case VERB(EXPORT):
		wish->expected = RESULT(DONE);
		break;
	}
	if (!now->exists && verb != VERB(CREATE) && verb != VERB(RESET))
		wish->expected = RESULT(WRONG_PASSWORD);
}

static void
choose_existing(struct person *person, struct wish *wish, unsigned dice)
{
	const struct state *now = &person->now;

	if (dice < 3)
		ask_command(person, wish, "lock");
	else if (dice < 6 || (now->locked && dice < 14))
		ask_command(person, wish, "unlock");
	else if (dice < 7)
		ask_command(person, wish, "delete");
	else if (dice < 8)
		ask_command(person, wish, "erase");
	else if (dice < 9)
		ask_command(person, wish, "password");
	else if (dice < 10)
		ask_request(person, wish, VERB(DELETE));
	else if (dice < 12)
		ask_request(person, wish, VERB(CHECK));
	else if (dice < 13)
		ask_request(person, wish, VERB(EXPORT));
	else if (dice < 15)
		ask_request(person, wish, VERB(RESEND));
	else if (!now->active)
		ask_request(person, wish, VERB(ACTIVATE));
	else if (dice < 17 && now->new_email != 0)
		ask_request(person, wish, VERB(VALIDATE));
	else if (dice < 18)
		ask_request(person, wish, VERB(EMAIL));
	else if (dice < 19)
		ask_request(person, wish, VERB(RESET));
	else if (dice < 20)
		ask_request(person, wish, VERB(FORGOTTEN));
	else
		ask_request(person, wish, VERB(PASSWORD));
}

/* Where no mail comes there are no codes. */
static void
choose_unmailed(struct person *person, struct wish *wish, unsigned dice)
{
	if (!person->now.exists)
		ask_command(person, wish, "create");
	else if (dice < 6)
		ask_command(person, wish, "lock");
	else if (dice < 12 || (person->now.locked && dice < 18))
		ask_command(person, wish, "unlock");
	else if (dice < 15)
		ask_command(person, wish, dice < 14 ? "delete" : "erase");
	else if (dice < 16)
		ask_request(person, wish, VERB(CHECK));
	else if (dice < 24)
		ask_request(person, wish, VERB(PASSWORD));
	else
		ask_command(person, wish, "password");
}

void
wish_choose(struct person *person, bool mailed, unsigned *seed,
    struct wish *wish)
{
	static const int any[] = {
		VERB(CREATE), VERB(CHECK), VERB(PASSWORD), VERB(DELETE),
		VERB(EMAIL), VERB(EXPORT)
	};
	unsigned dice = (unsigned)rand_r(seed) % 30;

	memset(wish, 0, sizeof(*wish));
	wish->after = person->now;
	wish->after.seq = 0;
	wish->password = person->now.password;
	if (!mailed)
		choose_unmailed(person, wish, dice);
	else if (rand_r(seed) % 20 == 0)	/* may have to be refused */
		ask_request(person, wish, any[rand_r(seed) % 6]);
	else if (person->now.exists)
		choose_existing(person, wish, dice);
	else if (dice < 10)
		ask_command(person, wish, "create");
	else
		ask_request(person, wish, VERB(CREATE));
}
