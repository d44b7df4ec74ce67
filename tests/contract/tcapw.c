/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/tcapw.h; tcapw_load.c has those about loads.
 */
#include "tcapw_store.h"

#include <stdio.h>
#include <string.h>

#define PARALLEL	64

static void
empty_store(void)
{
	struct tcapw_account account;
	struct list_args all = { "", TCAPW_LIST_MAX };

	promise(is_level(), "a new store is empty: pointer 0, no accounts, "
	    "a digest of zeroes");
	promise(store_lookup("joe", &account) == MC_NOT_FOUND,
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
	promise(store_apply(&later) == MC_INVALID && is_level(),
	    "the first change of an empty store is number 1");
	promise(change_both(&joe) && is_stored("joe"),
	    "what was applied is found, all of it; the answer says where "
	    "the store is then");
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
	promise(store_lookup(name, &account) == MC_NOT_FOUND,
	    "a name that is too long is that of nobody");
	promise(store_lookup("", &account) == MC_NOT_FOUND,
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
	promise(store_apply(&old) == MC_OK && is_level() && is_stored("joe"),
	    "a change below the pointer is fine and changes nothing");
	old.pointer.seq = model.position.pointer.seq;
	promise(store_apply(&old) == MC_OK && is_level() && is_stored("joe"),
	    "nor does one at the pointer");
}

static void
misplaced(void)
{
	struct tcapw_change change = next_change(TCAPW_DELETE, "Joe", 1);

	change.pointer.seq++;
	promise(store_apply(&change) == MC_INVALID && is_level() &&
	    is_stored("joe"), "a change that is not the next one is refused");
	change.pointer.seq--;
	change.pointer.epoch[0]++;
	promise(store_apply(&change) == MC_INVALID && is_level() &&
	    is_stored("joe"), "so is one of another epoch");
	change.pointer.seq = 1;
	promise(store_apply(&change) == MC_INVALID && is_level(),
	    "also below the pointer");
}

static void
change_and_delete(void)
{
	struct tcapw_change change = next_change(TCAPW_CHANGE, "Joe", 1);

	change.account.flags = TCAPW_LOCKED;
	memset(change.account.verifier, 0, TCAPW_VERIFIER_SIZE);
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
reserved(void)
{
	struct tcapw_change change = next_change(TCAPW_RESERVE, "Joe", 1 << 20);

	memset(change.account.name, 0, sizeof(change.account.name));
	memset(change.account.display, 0, sizeof(change.account.display));
	promise(change_both(&change) && is_level() && is_stored("joe"),
	    "a reserved uid is the highest, and nobody's");
	change = next_change(TCAPW_CHANGE, "Joe", 1);
	promise(change_both(&change) && is_level() && is_stored("joe"),
	    "a lower one does not take that back");
}

static void
longest(void)
{
	struct tcapw_change change = next_change(TCAPW_CREATE,
	    "A234567890123456789012345678901", UINT64_MAX / 2);
	struct tcapw_account *account = &change.account;

	memset(account->verifier, 'v', TCAPW_VERIFIER_SIZE - 1);
	memset(account->email, 'e', TCAPW_EMAIL_SIZE - 1);
	memset(account->new_email, 'n', TCAPW_EMAIL_SIZE - 1);
	account->flags = UINT32_MAX;
	account->code_for = TCAPW_CODE_RESET;
	memset(account->code_hash, 0xff, TCAPW_CODE_HASH);
	account->code_expires_ms = UINT64_MAX;
	promise(change_both(&change) &&
	    is_stored("a234567890123456789012345678901") && is_level(),
	    "the longest texts, a huge uid and a code are kept");
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

static void
listing(void)
{
	char name[MC_NAME_SIZE];
	struct tcapw_change change;

	for (unsigned i = 0; model.count < MODEL_MAX; i++) {
		snprintf(name, sizeof(name), "many.%u", i);
		change = next_change(TCAPW_CREATE, name, 5000 + i);
		change_both(&change);
	}
	promise(each_once(TCAPW_LIST_MAX), "the list shows each account "
	    "once, with its uid, without verifiers and codes");
	promise(each_once(7), "also in small pieces");
	promise(each_once(2 * TCAPW_LIST_MAX), "and when more is asked for "
	    "than may be");
	promise(is_level(), "%d accounts are all there", MODEL_MAX);
}

static void
listing_changes(void)
{
	static unsigned seen[MODEL_MAX];
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
	reserved();
	longest();
	parallel();
	cancelled();
	listing();
	promise_loads();
	listing_changes();
	*kept = store_position();
}

/* A store may keep what it holds, or begin again from nothing; never
 * anything in between. */
static bool
is_all_or_nothing(const struct tcapw_position *kept)
{
	struct tcapw_position at = store_position();
	static const struct tcapw_position none;
	struct tcapw_account account;
	enum mc_status status = store_lookup("joe", &account);

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
	model.position = store_position();
	change = next_change(TCAPW_CREATE, "after.restart", 90000);
	promise(store_apply(&change) == MC_OK, "it goes on from there");
	*kept = store_position();
}

static void
crashed(void)
{
	promise(is_all_or_nothing(contract_kept()), "after SIGKILL the "
	    "store is what it was, or new");
	promise_killed_load();
}

static const struct contract_phase phases[] = {
	{ "from nothing", all, false },
	{ "after a stop", restarted, true },
	{ "after SIGKILL", crashed, true },
	{ "after SIGKILL while it was loaded", promise_load_after_kill, false },
	{ 0 }
};

const struct contract_suite contract_tcapw = {
	TCAPW_SERVICE, .phases = phases
};
