/* SPDX-License-Identifier: MIT */
#include "tcapw_store.h"

#include <metacube/pwq.h>

#include <stdio.h>
#include <string.h>

struct model model;

/* Questions. */

void
put_lookup(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	tcapw_lookup(contract_ref(0), args, slot, done, owner);
}

void
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

void
put_list(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct list_args *list = args;

	tcapw_list(contract_ref(0), list->after, list->max, slot, done,
	    owner);
}

enum mc_status
store_lookup(const char *name, struct tcapw_account *account_r)
{
	return ask(put_lookup, (void *)name, account_r, sizeof(*account_r));
}

enum mc_status
store_apply(struct tcapw_change *change)
{
	struct tcapw_position after;

	return ask(put_apply, change, &after, sizeof(after));
}

struct tcapw_position
store_position(void)
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

void
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

bool
is_same(const struct tcapw_position *a, const struct tcapw_position *b)
{
	return memcmp(&a->pointer, &b->pointer, sizeof(a->pointer)) == 0 &&
	    a->count == b->count && a->last_uid == b->last_uid &&
	    memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

bool
is_level(void)
{
	struct tcapw_position at = store_position();

	return is_same(&at, &model.position);
}

bool
is_stored(const char *name)
{
	const struct tcapw_account *wanted = model_find(name);
	struct tcapw_account found = { .uid = 0 };
	enum mc_status status = store_lookup(name, &found);

	if (wanted == NULL)
		return status == MC_NOT_FOUND;
	return status == MC_OK &&	/* nothing but zeroes between them */
	    memcmp(&found, wanted, sizeof(found)) == 0;
}

struct tcapw_change
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

bool
change_both(struct tcapw_change *change)
{
	struct tcapw_position after;

	model_apply(change);
	return ask(put_apply, change, &after, sizeof(after)) == MC_OK &&
	    is_same(&after, &model.position);
}

/* The list. */

static bool
is_concealed(const struct tcapw_account *account)
{
	static const uint8_t none[TCAPW_CODE_HASH];

	return account->verifier[0] == '\0' &&
	    memcmp(account->code_hash, none, sizeof(none)) == 0;
}

bool
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
			store_apply(&change);
			memcpy(&model.position.pointer, &change.pointer,
			    sizeof(change.pointer));
		}
	}
	return fine;
}

bool
each_once(size_t max)
{
	static unsigned seen[MODEL_MAX];

	memset(seen, 0, sizeof(seen));
	if (!walk(max, false, seen))
		return false;
	for (size_t i = 0; i < model.count; i++)
		if (seen[i] != 1)
			return false;
	return true;
}
