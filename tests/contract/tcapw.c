/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/tcapw.h.
 *
 * What is found is always compared with a model: the same changes applied to
 * a plain array, whose digest is made with metacube/pwq.h.
 */
#include "frame.h"

#include <metacube/pwq.h>
#include <metacube/tcapw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY		600	/* more than fit in one list */
#define PARALLEL	64

struct model {
	struct tcapw_account	accounts[MANY];
	size_t			count;
	struct tcapw_position	position;
};

static struct model model;

/* Questions. */

static void
put_lookup(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	tcapw_lookup(contract_ref(0), args, slot, done, owner);
}

static void
put_apply(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	tcapw_apply(contract_ref(0), args, slot, done, owner);
}

static void
put_position(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	(void)args;
	tcapw_position(contract_ref(0), slot, done, owner);
}

struct list_args {
	const char	*after;
	size_t		 max;
};

static void
put_list(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct list_args *list = args;

	tcapw_list(contract_ref(0), list->after, list->max, slot, done,
	    owner);
}

static enum mc_status
lookup(const char *name, struct tcapw_account *account_r)
{
	return ask(put_lookup, (void *)name, account_r, sizeof(*account_r));
}

static enum mc_status
apply(struct tcapw_change *change)
{
	return ask(put_apply, change, NULL, 0);
}

static struct tcapw_position
position(void)
{
	struct tcapw_position position_r = { .count = UINT64_MAX };

	ask(put_position, NULL, &position_r, sizeof(position_r));
	return position_r;
}

/* The model. */

static struct tcapw_account *
model_find(const char *name)
{
	for (size_t i = 0; i < model.count; i++)
		if (strcmp(model.accounts[i].name, name) == 0)
			return &model.accounts[i];
	return NULL;
}

static void
model_digest(const struct tcapw_account *account,
    void (*change)(uint8_t *, const void *, size_t))
{
	uint8_t encoded[PWQ_MAX];

	change(model.position.digest, encoded,
	    pwq_account_encode(account, encoded));
}

static void
model_apply(const struct tcapw_change *change)
{
	struct tcapw_account *account = model_find(change->account.name);

	if (account != NULL) {
		model_digest(account, pwq_digest_sub);
		*account = model.accounts[--model.count];
	}
	if (change->verb != TCAPW_DELETE) {
		model.accounts[model.count++] = change->account;
		model_digest(&change->account, pwq_digest_add);
	}
	model.position.count = model.count;
	model.position.pointer = change->pointer;
	if (change->account.uid > model.position.last_uid)
		model.position.last_uid = change->account.uid;
}

static bool
is_level(void)
{
	struct tcapw_position at = position();

	return memcmp(&at.pointer, &model.position.pointer,
	    sizeof(at.pointer)) == 0 &&
	    at.count == model.position.count &&
	    at.last_uid == model.position.last_uid &&
	    memcmp(at.digest, model.position.digest, sizeof(at.digest)) == 0;
}

static bool
is_stored(const char *name)
{
	const struct tcapw_account *wanted = model_find(name);
	struct tcapw_account found = { .uid = 0 };
	enum mc_status status = lookup(name, &found);

	if (wanted == NULL)
		return status == MC_NOT_FOUND;
	return status == MC_OK && found.uid == wanted->uid &&
	    found.seq == wanted->seq &&
	    found.created_ms == wanted->created_ms &&
	    found.flags == wanted->flags &&
	    strcmp(found.name, wanted->name) == 0 &&
	    strcmp(found.display, wanted->display) == 0 &&
	    strcmp(found.verifier, wanted->verifier) == 0;
}

/* The change after the last one. */
static struct tcapw_change
next_change(enum tcapw_verb verb, const char *display, uint64_t uid)
{
	struct tcapw_change change = { .verb = verb };

	memset(change.pointer.epoch, 7, sizeof(change.pointer.epoch));
	change.pointer.seq = model.position.pointer.seq + 1;
	change.account.uid = uid;
	change.account.seq = change.pointer.seq;
	change.account.created_ms = 1700000000000 + uid;
	snprintf(change.account.display, MC_NAME_SIZE, "%s", display);
	mc_name_fold(display, change.account.name);
	if (verb != TCAPW_DELETE)
		snprintf(change.account.verifier, TCAPW_VERIFIER_SIZE,
		    "$y$j9T$salt%llu$verifierof%s", (unsigned long long)uid,
		    change.account.name);
	return change;
}

static bool
change_both(struct tcapw_change *change)
{
	model_apply(change);
	return apply(change) == MC_OK;
}

/* The promises. */

static void
empty_store(void)
{
	struct tcapw_account account;
	struct list_args all = { "", TCAPW_LIST_MAX };

	promise(is_level(), "a new store is empty: pointer 0, no accounts, "
	    "a digest of zeroes");
	promise(lookup("joe", &account) == MC_NOT_FOUND,
	    "in an empty store nobody is found");
	promise(ask(put_list, &all, NULL, 0) == MC_OK,
	    "an empty store lists nobody");
}

static void
one_account(void)
{
	struct tcapw_change joe = next_change(TCAPW_CREATE, "Joe", 1);
	struct tcapw_change later = joe;

	later.pointer.seq = 2;
	promise(apply(&later) == MC_INVALID && is_level(),
	    "the first change of an empty store is number 1");
	promise(change_both(&joe) && is_stored("joe"),
	    "what was applied is found, all of it");
	promise(is_level(), "pointer, count, last uid and digest follow");
	promise(is_stored("amanda"), "nobody else is found");
	promise(is_stored("Joe"), "names are looked up folded");
}

static void
long_names(void)
{
	char name[3 * MC_NAME_SIZE];
	struct tcapw_account account;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	promise(lookup(name, &account) == MC_NOT_FOUND,
	    "a name that is too long is that of nobody");
	promise(lookup("", &account) == MC_NOT_FOUND,
	    "so is the empty one");
}

static void
replay(void)
{
	struct tcapw_change change = next_change(TCAPW_CREATE, "Amanda", 2);
	struct tcapw_change old;

	change_both(&change);
	old = next_change(TCAPW_DELETE, "Joe", 1);
	old.pointer.seq = 1;
	promise(apply(&old) == MC_OK && is_level() && is_stored("joe"),
	    "a change below the pointer is fine and changes nothing");
	old.pointer.seq = model.position.pointer.seq;
	promise(apply(&old) == MC_OK && is_level() && is_stored("joe"),
	    "nor does one at the pointer");
}

static void
misplaced(void)
{
	struct tcapw_change change = next_change(TCAPW_DELETE, "Joe", 1);

	change.pointer.seq++;
	promise(apply(&change) == MC_INVALID && is_level() &&
	    is_stored("joe"), "a change that is not the next one is refused");
	change.pointer.seq--;
	change.pointer.epoch[0]++;
	promise(apply(&change) == MC_INVALID && is_level() &&
	    is_stored("joe"), "so is one of another epoch");
	change.pointer.seq = 1;
	promise(apply(&change) == MC_INVALID && is_level(),
	    "also below the pointer");
}

static void
change_and_delete(void)
{
	struct tcapw_change change = next_change(TCAPW_CHANGE, "Joe", 1);

	change.account.flags = TCAPW_LOCKED;
	strcpy(change.account.verifier, "$y$another");
	promise(change_both(&change) && is_stored("joe") && is_level(),
	    "a change replaces the whole state");
	change = next_change(TCAPW_DELETE, "Amanda", 2);
	promise(change_both(&change) && is_stored("amanda") && is_level(),
	    "a deleted account is gone");
	change = next_change(TCAPW_DELETE, "nobody", 3);
	promise(change_both(&change) && is_level(),
	    "deleting who is not there moves the pointer and the last uid");
	change = next_change(TCAPW_CREATE, "Amanda", 4);
	promise(change_both(&change) && is_stored("amanda") && is_level(),
	    "a name can be used again");
}

static void
longest(void)
{
	struct tcapw_change change = next_change(TCAPW_CREATE,
	    "A234567890123456789012345678901", UINT64_MAX / 2);

	memset(change.account.verifier, 'v', TCAPW_VERIFIER_SIZE - 1);
	promise(change_both(&change) &&
	    is_stored("a234567890123456789012345678901") && is_level(),
	    "the longest name, verifier and a huge uid are kept");
}

/* Asked all at once, applied in the order of asking. */
static void
parallel(void)
{
	static struct tcapw_change changes[PARALLEL];
	static struct asked asked[PARALLEL];
	char name[MC_NAME_SIZE];
	bool fine = true;

	for (unsigned i = 0; i < PARALLEL; i++) {
		snprintf(name, sizeof(name), "parallel-%u", i / 2);
		changes[i] = next_change(i % 2 == 0 ? TCAPW_CREATE :
		    TCAPW_CHANGE, name, 1000 + i / 2);
		model_apply(&changes[i]);
		ask_start(&asked[i], put_apply, &changes[i]);
	}
	for (unsigned i = 0; i < PARALLEL; i++) {
		ask_wait(&asked[i]);
		fine = fine && asked[i].status == MC_OK;
		ask_free(&asked[i]);
	}
	promise(fine && is_level(), "%d changes under way at once are "
	    "applied in the order of asking", PARALLEL);
}

static void
cancelled(void)
{
	struct asked asked;

	ask_start(&asked, put_lookup, (void *)"joe");
	ask_cancel(&asked);
	ask_wait(&asked);
	ask_free(&asked);
	promise(is_stored("joe"), "a cancelled question harms nobody");
}

/* One walk through the list; how often each account of the model was seen. */
static bool
walk(size_t max, bool delete_on_the_way, unsigned *seen)
{
	char after[MC_NAME_SIZE] = "";
	struct list_args args = { after, max };
	const struct tcapw_account *accounts;
	struct tcapw_change change;
	struct asked asked;
	bool fine = true;
	size_t n = 1;

	while (fine && n > 0) {
		ask_start(&asked, put_list, &args);
		ask_wait(&asked);
		accounts = asked.data;
		n = asked.len / sizeof(*accounts);
		fine = asked.status == MC_OK && n <= max &&
		    asked.len == n * sizeof(*accounts);
		for (size_t i = 0; fine && i < n; i++) {
			struct tcapw_account *one =
			    model_find(accounts[i].name);

			fine = one != NULL && one->uid == accounts[i].uid &&
			    accounts[i].verifier[0] == '\0';
			if (fine)
				seen[one - model.accounts]++;
		}
		if (fine && n > 0)
			strcpy(after, accounts[n - 1].name);
		ask_free(&asked);
		if (fine && n > 0 && delete_on_the_way) {
			change = next_change(TCAPW_DELETE, after, 1);
			apply(&change);
			memcpy(&model.position.pointer, &change.pointer,
			    sizeof(change.pointer));
		}
	}
	return fine;
}

static bool
each_once(size_t max)
{
	static unsigned seen[MANY];

	memset(seen, 0, sizeof(seen));
	if (!walk(max, false, seen))
		return false;
	for (size_t i = 0; i < model.count; i++)
		if (seen[i] != 1)
			return false;
	return true;
}

static void
listing(void)
{
	char name[MC_NAME_SIZE];
	struct tcapw_change change;

	for (unsigned i = 0; model.count < MANY; i++) {
		snprintf(name, sizeof(name), "many.%u", i);
		change = next_change(TCAPW_CREATE, name, 5000 + i);
		change_both(&change);
	}
	promise(each_once(TCAPW_LIST_MAX), "the list shows each account "
	    "once, with its uid, without verifiers");
	promise(each_once(7), "also in small pieces");
	promise(each_once(2 * TCAPW_LIST_MAX), "and when more is asked for "
	    "than may be");
	promise(is_level(), "%d accounts are all there", MANY);
}

static void
listing_changes(void)
{
	static unsigned seen[MANY];
	bool fine = walk(25, true, seen);

	for (size_t i = 0; i < model.count; i++)
		fine = fine && seen[i] == 1;
	promise(fine, "a listing goes on when the account it has come to is "
	    "deleted meanwhile");
}

static void
all(void)
{
	struct tcapw_position *kept = contract_kept();

	empty_store();
	one_account();
	long_names();
	replay();
	misplaced();
	change_and_delete();
	longest();
	parallel();
	cancelled();
	listing();
	listing_changes();
	*kept = position();
}

/* A store may keep what it holds, or begin again from nothing; never
 * anything in between. */
static bool
is_all_or_nothing(const struct tcapw_position *kept)
{
	struct tcapw_position at = position();
	static const struct tcapw_position none;
	struct tcapw_account account;
	enum mc_status status = lookup("joe", &account);

	note("after the restart the store is at %llu of %llu",
	    (unsigned long long)at.pointer.seq,
	    (unsigned long long)kept->pointer.seq);
	if (at.pointer.seq == 0)
		return memcmp(&at, &none, sizeof(at)) == 0 &&
		    status == MC_NOT_FOUND;
	return memcmp(&at, kept, sizeof(at)) == 0 &&
	    (status == MC_OK || status == MC_NOT_FOUND);
}

static void
restarted(void)
{
	struct tcapw_position *kept = contract_kept();
	struct tcapw_change change;

	promise(is_all_or_nothing(kept), "after a stop the store is what it "
	    "was, or new");
	model.position = position();
	change = next_change(TCAPW_CREATE, "after.restart", 90000);
	promise(apply(&change) == MC_OK, "it goes on from there");
	*kept = position();
}

static void
crashed(void)
{
	promise(is_all_or_nothing(contract_kept()), "after SIGKILL the store "
	    "is what it was, or new");
}

static const struct contract_phase phases[] = {
	{ "from nothing", all, false },
	{ "after a stop", restarted, true },
	{ "after SIGKILL", crashed, false },
	{ 0 }
};

const struct contract_suite contract_tcapw = {
	TCAPW_SERVICE, .phases = phases
};
