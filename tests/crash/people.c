/* SPDX-License-Identifier: MIT */
/* What people know of themselves, and whether the server says so. */
#include "people_parts.h"

#include <stdio.h>
#include <string.h>

static unsigned
violation(const struct person *person, const char *what, const char *more)
{
	printf("# VIOLATION: %s: %s%s\n", person->name, what, more);
	return 1;
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

static bool
changes_nothing(const struct wish *wish)
{
	return wish->command == NULL && (wish->verb == VERB(CHECK) ||
	    wish->verb == VERB(EXPORT) || wish->verb == VERB(FORGOTTEN));
}

static unsigned
answer_judge(struct person *person, const struct wish *wish,
    const struct asking_reply *reply, bool *acknowledged_r)
{
	switch (reply->result) {
	case RESULT(TRY_LATER):
		return 0;		/* nothing was changed */
	case RESULT(UNCERTAIN):
	case ASKING_LOST:
		person->maybe = wish->after;
		person->doubtful = wish->expected == RESULT(DONE) &&
		    !changes_nothing(wish);
		return 0;
	}
	if (reply->result == RESULT(BAD_CODE) && wish->verb == VERB(RESET))
		return 0;
	if (reply->result == RESULT(BAD_CODE))
		return violation(person, "acknowledged, but no mail has come "
		    "whose code is good", "");
	if (reply->result != wish->expected)
		return violation(person, "wrong answer: ", reply->text);
	if (reply->result == RESULT(DONE) && !changes_nothing(wish)) {
		person->now = wish->after;
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
	struct wish wish;
	struct asking_reply reply;
	unsigned violations;

	if (person->doubtful)
		return 0;
	wish_choose(person, lines->mailbox != NULL, seed, &wish);
	wish_send(person, lines, &wish, &reply);
	*alive_r = reply.result != ASKING_LOST &&
	    reply.result != RESULT(UNCERTAIN);
	if (wish.verb == VERB(FORGOTTEN)) {
		forgotten(person);
		return 0;
	}
	violations = answer_judge(person, &wish, &reply, acknowledged_r);
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
	struct wish wish = { .verb = VERB(CHECK),
	    .password = person->now.password, .after = person->now };
	struct asking_reply reply;

	if (!person->now.exists || person->proven)
		return 0;
	wish_send(person, lines, &wish, &reply);
	*alive_r = reply.result != ASKING_LOST;
	if (!*alive_r)
		return 0;
	if (reply.result != wish_refusal(&person->now) &&
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
