/* SPDX-License-Identifier: MIT */
#include "people.h"

#include "asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows of account show. */
enum { ROW_UID = 2, ROW_STATE = 3, ROW_SEQ = 5 };

static const char *const verbs[] = {
	"create", "password", "lock", "unlock", "delete"
};

static const char *
verb_choose(const struct person *person, unsigned *seed)
{
	unsigned dice = (unsigned)rand_r(seed) % 20;

	if (dice == 0)		/* one that should be refused */
		return verbs[rand_r(seed) % 5];
	if (!person->now.exists)
		return "create";
	return dice < 10 ? "password" : dice < 13 ? "lock" :
	    dice < 16 ? "unlock" : "delete";
}

static struct state
state_after(const struct state *now, const char *verb)
{
	struct state after = *now;

	after.seq = 0;
	if (strcmp(verb, "create") == 0) {
		after = (struct state){ .exists = true };
	} else if (strcmp(verb, "delete") == 0)
		after = (struct state){ .exists = false };
	else if (strcmp(verb, "lock") == 0)
		after.locked = true;
	else if (strcmp(verb, "unlock") == 0)
		after.locked = false;
	return after;
}

static unsigned
violation(const struct person *person, const char *what, const char *more)
{
	printf("# VIOLATION: %s: %s%s\n", person->name, what, more);
	return 1;
}

static unsigned
answer_judge(struct person *person, const char *verb,
    const struct asking_answer *answer, bool *acknowledged_r)
{
	bool creates = strcmp(verb, "create") == 0;
	struct state after = state_after(&person->now, verb);

	switch (answer->status) {
	case MC_OK:
		if (creates == person->now.exists)
			return violation(person, "must not be: ",
			    answer->text);
		person->now = after;
		*acknowledged_r = true;
		return 0;
	case MC_EXISTS:
		return creates && person->now.exists ? 0 :
		    violation(person, "wrong: ", answer->text);
	case MC_NOT_FOUND:
		return !creates && !person->now.exists ? 0 :
		    violation(person, "wrong: ", answer->text);
	case MC_UNCERTAIN:
	case ASKING_LOST:
		person->maybe = after;
		person->doubtful = creates != person->now.exists;
		return 0;
	case MC_BUSY:
	case MC_UNAVAILABLE:
		return 0;		/* nothing was changed */
	}
	return violation(person, "unexpected answer: ", answer->text);
}

static bool
state_ask(const struct person *person, int fd, struct state *seen_r)
{
	struct asking_answer answer;

	memset(seen_r, 0, sizeof(*seen_r));
	asking_ask(fd, "show", person->name, NULL, &answer);
	if (answer.status == MC_NOT_FOUND)
		return true;
	seen_r->exists = true;
	seen_r->uid = strtoull(answer.value[ROW_UID], NULL, 10);
	seen_r->locked = strcmp(answer.value[ROW_STATE], "locked") == 0;
	seen_r->seq = strtoull(answer.value[ROW_SEQ], NULL, 10);
	return answer.status == MC_OK;
}

/* What is new must be above what was seen before. */
static bool
is_state(const struct state *seen, const struct state *wanted,
    uint64_t last_seq, uint64_t highest)
{
	if (!seen->exists || !wanted->exists)
		return seen->exists == wanted->exists;
	return seen->locked == wanted->locked &&
	    (wanted->uid == 0 ? seen->uid > highest :
		seen->uid == wanted->uid) &&
	    (wanted->seq == 0 ? seen->seq > last_seq :
		seen->seq == wanted->seq);
}

/* What was acknowledged can be seen at once; this also gives the numbers that
 * a later loss is noticed by. */
static unsigned
person_look(struct person *person, int fd, bool *alive_r)
{
	struct state seen;

	*alive_r = state_ask(person, fd, &seen);
	if (!*alive_r)
		return 0;
	if (!is_state(&seen, &person->now, person->last_seq, 0))
		return violation(person, "acknowledged, but not seen", "");
	person->now = seen;
	if (seen.exists)
		person->last_seq = seen.seq;
	return 0;
}

unsigned
person_change(struct person *person, int fd, unsigned *seed,
    bool *acknowledged_r, bool *alive_r)
{
	const char *verb = verb_choose(person, seed);
	uint8_t proof[ASKING_PROOF];
	struct asking_answer answer;
	unsigned violations;

	for (size_t i = 0; i < sizeof(proof); i++)
		proof[i] = (uint8_t)(rand_r(seed) | 1);
	asking_ask(fd, verb, person->name, proof, &answer);
	*alive_r = answer.status != ASKING_LOST &&
	    answer.status != MC_UNCERTAIN;
	violations = answer_judge(person, verb, &answer, acknowledged_r);
	if (*acknowledged_r && violations == 0)
		violations = person_look(person, fd, alive_r);
	return violations;
}

static const char *
state_text(const struct state *state, char *text, size_t size)
{
	if (!state->exists)
		return "no account";
	snprintf(text, size, "uid %llu, change %llu%s",
	    (unsigned long long)state->uid, (unsigned long long)state->seq,
	    state->locked ? ", locked" : "");
	return text;
}

unsigned
person_verify(struct person *person, int fd, uint64_t highest,
    uint64_t *highest_r)
{
	char seen_text[128], now_text[128], text[512];
	struct state seen;
	unsigned violations = 0;

	if (!state_ask(person, fd, &seen))
		return violation(person, "cannot be shown", "");
	if (!is_state(&seen, &person->now, person->last_seq, highest) &&
	    !(person->doubtful && is_state(&seen, &person->maybe,
	    person->last_seq, highest))) {
		snprintf(text, sizeof(text), "%s, but acknowledged was: %s",
		    state_text(&seen, seen_text, sizeof(seen_text)),
		    state_text(&person->now, now_text, sizeof(now_text)));
		violations = violation(person, text, person->doubtful ?
		    " (and one change without an answer)" : "");
	}
	if (seen.uid > *highest_r)
		*highest_r = seen.uid;
	person->now = seen;
	person->doubtful = false;
	if (seen.exists)
		person->last_seq = seen.seq;
	return violations;
}
