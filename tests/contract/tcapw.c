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
#define LOADED		400	/* accounts, more than one addition */
#define ENTRY_MAX	(2 + PWQ_MAX)

struct model {
	struct tcapw_account	accounts[MANY];
	size_t			count;
	struct tcapw_position	position;
};

static struct model model;

/* What a load is given: accounts as they stand in a freeze. */
struct freight {
	struct model	model;		/* after it */
	size_t		len, half;	/* bytes; to begin a second part */
	uint8_t		bytes[LOADED * ENTRY_MAX];
};

static struct freight freight;

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

struct load_args {
	const void	*data;
	size_t		 len;
};

static void
put_load_begin(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	(void)args;
	tcapw_load_begin(contract_ref(0), slot, done, owner);
}

static void
put_load_add(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	struct load_args *load = args;

	tcapw_load_add(contract_ref(0), load->data, load->len, slot, done,
	    owner);
}

static void
put_load_end(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	tcapw_load_end(contract_ref(0), args, slot, done, owner);
}

static enum mc_status
lookup(const char *name, struct tcapw_account *account_r)
{
	return ask(put_lookup, (void *)name, account_r, sizeof(*account_r));
}

static enum mc_status
apply(struct tcapw_change *change)
{
	struct tcapw_position after;

	return ask(put_apply, change, &after, sizeof(after));
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
	if (change->verb < TCAPW_DELETE) {
		model.accounts[model.count++] = change->account;
		model_digest(&change->account, pwq_digest_add);
	}
	model.position.count = model.count;
	model.position.pointer = change->pointer;
	if (change->account.uid > model.position.last_uid)
		model.position.last_uid = change->account.uid;
}

static bool
is_same(const struct tcapw_position *a, const struct tcapw_position *b)
{
	return memcmp(&a->pointer, &b->pointer, sizeof(a->pointer)) == 0 &&
	    a->count == b->count && a->last_uid == b->last_uid &&
	    memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

static bool
is_level(void)
{
	struct tcapw_position at = position();

	return is_same(&at, &model.position);
}

static bool
is_stored(const char *name)
{
	const struct tcapw_account *wanted = model_find(name);
	struct tcapw_account found = { .uid = 0 };
	enum mc_status status = lookup(name, &found);

	if (wanted == NULL)
		return status == MC_NOT_FOUND;
	return status == MC_OK &&	/* nothing but zeroes between them */
	    memcmp(&found, wanted, sizeof(found)) == 0;
}

/* The change after the last one. */
static struct tcapw_change
next_change(enum tcapw_verb verb, const char *display, uint64_t uid)
{
	struct tcapw_change change;

	memset(&change, 0, sizeof(change));	/* padding too: see is_stored */
	change.verb = verb;
	change.pointer = model.position.pointer;
	if (change.pointer.seq == 0)
		memset(change.pointer.epoch, 7, sizeof(change.pointer.epoch));
	change.pointer.seq = model.position.pointer.seq + 1;
	change.account.uid = uid;
	change.account.seq = change.pointer.seq;
	change.account.created_ms = 1700000000000 + uid;
	snprintf(change.account.display, MC_NAME_SIZE, "%s", display);
	mc_name_fold(display, change.account.name);
	if (verb < TCAPW_DELETE)
		snprintf(change.account.verifier, TCAPW_VERIFIER_SIZE,
		    "$y$j9T$salt%llu$verifierof%s", (unsigned long long)uid,
		    change.account.name);
	return change;
}

static bool
change_both(struct tcapw_change *change)
{
	struct tcapw_position after;

	model_apply(change);
	return ask(put_apply, change, &after, sizeof(after)) == MC_OK &&
	    is_same(&after, &model.position);
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

static bool
is_concealed(const struct tcapw_account *account)
{
	static const uint8_t none[TCAPW_CODE_HASH];

	return account->verifier[0] == '\0' &&
	    memcmp(account->code_hash, none, sizeof(none)) == 0;
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
			    is_concealed(&accounts[i]);
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
	    "once, with its uid, without verifiers and codes");
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

/* A whole database. */

static void
freight_add(struct freight *load, unsigned n, uint64_t uid)
{
	struct tcapw_account *account = &load->model.accounts[n];
	uint8_t *at = load->bytes + load->len;
	size_t len;

	account->uid = uid;
	account->seq = n + 1;
	account->created_ms = 1800000000000 + n;
	snprintf(account->display, MC_NAME_SIZE, "Loaded.%u", n);
	mc_name_fold(account->display, account->name);
	snprintf(account->verifier, TCAPW_VERIFIER_SIZE, "$y$loaded%u", n);
	snprintf(account->email, TCAPW_EMAIL_SIZE, "joe%u@example.org", n);
	len = pwq_account_encode(account, at + 2);
	at[0] = (uint8_t)len;
	at[1] = (uint8_t)(len >> 8);
	load->len += 2 + len;
	pwq_digest_add(load->model.position.digest, at + 2, len);
	load->model.position.last_uid = uid;
}

/* Accounts of another queue, so that nothing can be confused. */
static void
freight_make(struct freight *load, unsigned count, uint64_t seq)
{
	struct tcapw_position *position = &load->model.position;

	memset(load, 0, sizeof(*load));
	memset(position->pointer.epoch, 9, sizeof(position->pointer.epoch));
	position->pointer.seq = seq;
	position->count = load->model.count = count;
	for (unsigned n = 0; n < count; n++) {
		if (n == count / 2)
			load->half = load->len;
		freight_add(load, n, 10 + 3 * n);
	}
}

static enum mc_status
load_begin(void)
{
	return ask(put_load_begin, NULL, NULL, 0);
}

static enum mc_status
load_add(const void *data, size_t len)
{
	struct load_args args = { data, len };

	return ask(put_load_add, &args, NULL, 0);
}

static enum mc_status
load_end(const struct tcapw_position *expected)
{
	return ask(put_load_end, (void *)expected, NULL, 0);
}

static bool
load_up(const struct freight *load)
{
	return load_begin() == MC_OK &&
	    load_add(load->bytes, load->half) == MC_OK &&
	    load_add(load->bytes + load->half, load->len - load->half) ==
	    MC_OK;
}

static bool
is_unharmed(void)
{
	return is_level() && is_stored("joe") && is_stored("loaded.0") &&
	    is_stored("loaded.7");
}

static void
mismatched(void)
{
	struct tcapw_position expected = freight.model.position;

	expected.digest[3] ^= 1;
	promise(load_up(&freight) && load_end(&expected) == MC_INVALID &&
	    is_unharmed(), "a load with another digest is refused, and the "
	    "store stays what it was");
	promise(load_end(&freight.model.position) == MC_INVALID &&
	    is_unharmed(), "it is forgotten by then");
	expected = freight.model.position;
	expected.count--;
	promise(load_up(&freight) && load_end(&expected) == MC_INVALID &&
	    is_unharmed(), "so is one with another count");
	expected = freight.model.position;
	expected.last_uid--;
	promise(load_up(&freight) && load_end(&expected) == MC_INVALID &&
	    is_unharmed(), "and one with a uid above the highest");
}

/* Adds these bytes behind a good beginning; refused by then or at the end,
 * where all else would be right. */
static bool
is_refused(const void *data, size_t len, struct tcapw_position expected)
{
	enum mc_status status;

	if (load_begin() != MC_OK ||
	    load_add(freight.bytes, freight.half) != MC_OK)
		return false;
	status = load_add(data, len);
	if (status == MC_OK)
		status = load_end(&expected);
	return status == MC_INVALID && is_unharmed();
}

static void
malformed(void)
{
	static struct freight other;
	struct tcapw_position *position = &other.model.position;
	const uint8_t *rest = freight.bytes + freight.half;
	size_t len = freight.len - freight.half;

	promise(load_begin() == MC_OK && is_unharmed() &&
	    load_end(&freight.model.position) == MC_INVALID &&
	    load_add(freight.bytes, freight.half) == MC_INVALID &&
	    is_unharmed(), "nothing is added without a beginning");
	promise(is_refused(rest, len - 1, freight.model.position),
	    "an account that is cut short is refused");
	promise(is_refused(rest, 1, freight.model.position) &&
	    is_refused("\377\377", 2, freight.model.position) &&
	    is_refused("\0\0", 2, freight.model.position) &&
	    is_refused("\1\0\377", 3, freight.model.position),
	    "so is what is none");
	promise(is_refused(freight.bytes, freight.half,
	    freight.model.position), "and one that is not in order");
	freight_make(&other, LOADED, 1);
	other.len = 0;
	freight_add(&other, 0, 1000000);	/* the name of the first */
	*position = freight.model.position;
	memset(position->digest, 0, sizeof(position->digest));
	for (size_t offset = 0, one_len; offset < freight.half;) {
		const void *one = pwq_account_next(freight.bytes,
		    freight.half, &offset, &one_len);

		pwq_digest_add(position->digest, one, one_len);
	}
	pwq_digest_add(position->digest, other.bytes + 2, other.len - 2);
	position->count = LOADED / 2 + 1;
	position->last_uid = 1000000;
	promise(is_refused(other.bytes, other.len, *position),
	    "and a name that is there already");
}

static void
loading(void)
{
	static unsigned seen[MANY];
	struct tcapw_change change;
	bool fine;

	freight_make(&freight, LOADED, 4711);
	mismatched();
	malformed();
	fine = load_begin() == MC_OK && load_add(freight.bytes,
	    freight.half) == MC_OK && is_unharmed();
	memset(seen, 0, sizeof(seen));
	change = next_change(TCAPW_CHANGE, "Joe", 1);
	promise(fine && change_both(&change) && is_unharmed() &&
	    walk(100, false, seen), "during a load the store goes on");
	freight.model.position.last_uid += 100;
	promise(load_up(&freight) && load_end(&freight.model.position) ==
	    MC_OK, "a load that was begun anew, with all of it, is taken");
	model = freight.model;
	promise(is_level() && is_stored("joe") && is_stored("loaded.0") &&
	    is_stored("loaded.399") && each_once(TCAPW_LIST_MAX),
	    "what was loaded is there, and nothing else");
	change = next_change(TCAPW_CREATE, "Joe", 5000);
	promise(change_both(&change) && is_level() && is_stored("joe"),
	    "it goes on from there");
}

static void
loading_nothing(void)
{
	struct freight *none = &freight;

	freight_make(none, 0, 9);
	none->model.position.last_uid = 77;
	promise(load_begin() == MC_OK &&
	    load_end(&none->model.position) == MC_OK,
	    "a store without accounts can be loaded");
	model = none->model;
	promise(is_level() && is_stored("joe") && each_once(7),
	    "it is empty, at its pointer");
	freight_make(&freight, LOADED, 815);
	promise(load_up(&freight) && load_end(&freight.model.position) ==
	    MC_OK, "and once more another");
	model = freight.model;
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
	loading();
	loading_nothing();
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
	struct tcapw_position *kept = contract_kept();
	static struct asked asked;

	promise(is_all_or_nothing(kept), "after SIGKILL the store is what it "
	    "was, or new");
	freight_make(&freight, LOADED / 2, 42);
	promise(load_up(&freight) && load_end(&freight.model.position) ==
	    MC_OK, "it can be loaded");
	kept[0] = freight.model.position;
	freight_make(&freight, LOADED, 43);
	kept[1] = freight.model.position;
	load_up(&freight);
	ask_start(&asked, put_load_end, &kept[1]);
	ask_cancel(&asked);	/* killed wherever it is by then */
	ask_wait(&asked);
	ask_free(&asked);
}

static void
crashed_loading(void)
{
	const struct tcapw_position *kept = contract_kept();
	static const struct tcapw_position none;
	struct tcapw_position at = position();
	bool fine = true;

	note("after the restart the store is at %llu",
	    (unsigned long long)at.pointer.seq);
	freight_make(&freight, at.pointer.seq == 43 ? LOADED :
	    at.pointer.seq == 42 ? LOADED / 2 : 0, at.pointer.seq);
	model = freight.model;
	promise(is_same(&at, &kept[0]) || is_same(&at, &kept[1]) ||
	    is_same(&at, &none), "after SIGKILL while it was loaded the "
	    "store is what it was, what was loaded, or new");
	for (size_t i = 0; i < model.count; i++)
		fine = fine && is_stored(model.accounts[i].name);
	promise(fine && each_once(TCAPW_LIST_MAX), "with the accounts of "
	    "just that");
}

static const struct contract_phase phases[] = {
	{ "from nothing", all, false },
	{ "after a stop", restarted, true },
	{ "after SIGKILL", crashed, true },
	{ "after SIGKILL while it was loaded", crashed_loading, false },
	{ 0 }
};

const struct contract_suite contract_tcapw = {
	TCAPW_SERVICE, .phases = phases
};
