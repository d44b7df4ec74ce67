/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/tcapw.h about loads: a whole database comes in
 * parts and is taken as a whole, or not at all.
 */
#include "tcapw_store.h"

#include <metacube/bytes.h>
#include <metacube/pwq.h>

#include <stdio.h>
#include <string.h>

#define LOADED		400	/* accounts, more than one addition */
#define ENTRY_MAX	(2 + PWQ_MAX)

/* What a load is given: accounts as they stand in a freeze. */
struct freight {
	struct model	model;		/* after it */
	size_t		len, half;	/* bytes; to begin a second part */
	uint8_t		bytes[LOADED * ENTRY_MAX];
};

static struct freight freight;

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
	mc_put16(at, (uint16_t)len);
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
	static unsigned seen[MODEL_MAX];
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

void
promise_loads(void)
{
	loading();
	loading_nothing();
}

void
promise_killed_load(void)
{
	struct tcapw_position *kept = contract_kept();
	static struct asked asked;

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

void
promise_load_after_kill(void)
{
	const struct tcapw_position *kept = contract_kept();
	static const struct tcapw_position none;
	struct tcapw_position at = store_position();
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
