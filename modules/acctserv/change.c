/* SPDX-License-Identifier: MIT */
/*
 * One change of an account, from who asks for it to the answer:
 *
 *	its turn --> guard --> look up --> (password?) --> check
 *	                                                    |
 *	     append to the queue <-- (mail) <-- (hash) <----+
 *	      |
 *	   durable --> applied by the follower --> answer
 *
 * turns.c says whose turn it is, answers.c answers.  What is durable is done,
 * whatever happens afterwards: it is answered once the store has it too.
 *
 * A mail is on disk before the change that it belongs to: so whatever was
 * acknowledged has its mail, and a mail whose change came to nothing has a
 * code that fits nothing.
 *
 * An append without a clear answer may still come true.  Whoever asked is
 * told so, and the same whole state is appended again until that succeeds:
 * twice is no different from once, and until then no other change of that
 * account may slip in between.
 */
#include "change.h"

#include <metacube/freeze.h>
#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS	1000

/* 6. The store holds it. */
static void
finished(struct change *change)
{
	const struct tcapw_account *account = &change->record.account;
	uint64_t before = mc_request();
	char text[256];

	mc_crash_point("acctserv.applied");
	mc_request_set(change->request_id);	/* here it is the queue's */
	mc_count(change->acctserv->host, change->act->done, 1);
	mc_log(change->acctserv->host, MC_NOTE, "account %s %s (uid %llu, "
	    "change %llu)", account->name, change->act->done,
	    (unsigned long long)account->uid,
	    (unsigned long long)change->pointer.seq);
	if (change->act->erases)
		freeze_soon(&change->acctserv->freeze);
	strcpy(change->display, account->display);
	snprintf(text, sizeof(text), "account %s %s", account->display,
	    change->act->done);
	change_answer(change, MC_OK, RESULT(DONE), text);
	change_end(change);
	mc_request_set(before);
}

/* In the queue's order, which is that of the list. */
void
changes_applied(struct acctserv *acctserv, const struct wmq_pointer *pointer)
{
	struct change *change;

	acctserv->applied = *pointer;
	while ((change = TAILQ_FIRST(&acctserv->durable)) != NULL &&
	    change->pointer.seq <= pointer->seq)
		finished(change);
}

/* 5. The queue. */

static void append(void *owner);

static void
append_failed(struct change *change, enum mc_status status)
{
	if (status == MC_BUSY && !change->uncertain) {
		change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "nothing "
		    "was changed: the message queue takes nothing at the "
		    "moment (is the disk full?)");
		return;
	}
	if (!change->uncertain && status != MC_UNCERTAIN &&
	    status != MC_UNAVAILABLE) {
		change_refuse(change, status, RESULT(TRY_LATER), "nothing "
		    "was changed: the message queue refused the change: %s",
		    mc_status_text(status));
		return;
	}
	change->uncertain = true;
	change_answer(change, MC_UNCERTAIN, RESULT(UNCERTAIN), "uncertain: the "
	    "message queue did not answer; the change may have been made, "
	    "and is tried again until it is");
	change_send_away_behind(change);
	mc_timer_set(change->acctserv->host, &change->timer, AGAIN_MS,
	    append, change);
}

static void
appended(void *owner, const struct mc_reply *reply)
{
	struct change *change = owner;
	const struct wmq_pointer *pointer =
	    MC_RESULT(reply, struct wmq_pointer);

	if (pointer == NULL) {
		append_failed(change, reply->status);
		return;
	}
	mc_crash_point("acctserv.appended");
	change->pointer = *pointer;
	TAILQ_INSERT_TAIL(&change->acctserv->durable, change, durable_link);
	if (pointer->seq <= change->acctserv->applied.seq)
		finished(change);
}

static void
append(void *owner)
{
	struct change *change = owner;
	uint8_t encoded[PWQ_MAX];
	size_t len = pwq_encode(&change->record, encoded);

	wmq_append(&change->acctserv->wmq, PWQ_TAG, encoded, len,
	    &change->call, appended, change);
	mc_wipe(encoded, len);
}

/* No follower goes on behind a record that it cannot decode, and nothing takes
 * one out of the queue again: so it must not get there. */
static bool
is_sound(const struct tcapw_change *record)
{
	uint8_t encoded[PWQ_MAX];
	struct tcapw_change decoded;
	size_t len = pwq_encode(record, encoded);
	bool sound = pwq_decode(encoded, len, &decoded) == 0;

	mc_wipe(encoded, len);
	mc_wipe(&decoded, sizeof(decoded));
	return sound;
}

/* Sessions from before this change are not to go on: as replica.h says it. */
static bool
ends_sessions(const struct tcapw_change *record)
{
	return record->verb == TCAPW_CHANGE && !record->keep_sessions &&
	    (record->new_verifier ||
	    (record->account.flags & TCAPW_LOCKED) != 0);
}

/* What changes nothing is done here. */
static void
conclude(struct change *change)
{
	struct tcapw_change *record = &change->record;
	const char *what = change->act->what;

	if (record->verb == 0) {
		strcpy(change->display, change->before.display);
		mc_count(change->acctserv->host, change->act->done, 1);
		change_answer(change, MC_OK, RESULT(DONE), change->act->done);
		change_end(change);
		return;
	}
	strcpy(record->what, what);
	strcpy(record->by, change->request.by);
	record->new_verifier = record->verb == TCAPW_CHANGE &&
	    change->request.has_new_proof;
	record->keep_sessions = change->request.playing &&
	    record->verb != TCAPW_DELETE;
	if (ends_sessions(record))
		record->account.generation++;
	if (is_sound(record))
		append(change);
	else
		change_refuse(change, MC_INVALID, RESULT(BAD_REQUEST),
		    "nothing was changed: no store would take this");
}

/* 4. The mail. */

static void
mailed(void *owner, const struct mc_reply *reply)
{
	struct change *change = owner;

	if (reply->status != MC_OK) {
		change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "nothing "
		    "was changed: no mail can be sent at the moment");
		return;
	}
	mc_crash_point("acctserv.mailed");
	conclude(change);
}

static void
letter_send(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	struct mail *mail;

	if (change->letter == LETTER_NONE) {
		conclude(change);
		return;
	}
	mail_count(acctserv->guard, change->name, change->request.address,
	    change->peer);
	mail = mc_zalloc(sizeof(*mail));
	letter_write(change, mail);
	mail_send(&acctserv->mail, mail, &change->call, mailed, change);
	mc_wipe(mail, sizeof(*mail));
	free(mail);
}

/* 3. The new verifier. */

static void
verifier_made(void *owner, const char *verifier)
{
	struct change *change = owner;

	if (verifier[0] == '\0') {
		change_refuse(change, MC_INTERNAL, RESULT(TRY_LATER),
		    "nothing was changed: crypt(3) cannot make a yescrypt "
		    "verifier with cost = %lld",
		    (long long)change->acctserv->conf->cost);
		return;
	}
	strcpy(change->record.account.verifier, verifier);
	letter_send(change);
}

static void
refuse_busy(struct change *change)
{
	change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "nothing was "
	    "changed: too many passwords are being set or checked at the "
	    "moment");
}

void
change_go_on(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	bool made;

	if (!change->request.has_new_proof) {
		letter_send(change);
		return;
	}
	made = verifier_make(acctserv->host, change->request.new_proof,
	    acctserv->conf->cost, verifier_made, change);
	mc_wipe(change->request.new_proof, PROOF_SIZE);
	if (!made)
		refuse_busy(change);
}

/* 2. Whose account, and is it really them? */

static void
check(struct change *change)
{
	if (change->act->check(change,
	    change->known ? &change->before : NULL))
		change_go_on(change);
}

static void
proven(void *owner, bool right)
{
	struct change *change = owner;

	guess_end(change->acctserv->guard, &change->guess,
	    right ? MC_PENALTY_PASSED : MC_PENALTY_FAILED);
	if (right)
		check(change);
	else
		change_refuse(change, MC_DENIED, RESULT(WRONG_PASSWORD),
		    "the name or the password is wrong");
}

/* Without an account the same work is done. */
static void
prove(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	bool asked = verifier_check(acctserv->host, change->request.proof,
	    change->known ? change->before.verifier : acctserv->dummy,
	    proven, change);

	mc_wipe(change->request.proof, PROOF_SIZE);
	if (!asked)
		refuse_busy(change);
}

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct change *change = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);

	if (account == NULL && reply->status != MC_NOT_FOUND) {
		change_refuse(change, reply->status, RESULT(TRY_LATER),
		    "nothing was changed: the account store does not answer: "
		    "%s", mc_status_text(reply->status));
		return;
	}
	change->known = account != NULL;
	if (account != NULL)
		change->before = *account;
	if (change->act->proves)
		prove(change);
	else
		check(change);
}

/* 1. Its turn. */
void
change_begin(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;

	change->turn = true;
	if (change->act->proves || change->act->guesses)
		change->retry_ms = guess_begin(acctserv->guard,
		    &change->guess, change->name, change->request.address,
		    change->peer);
	if (change->retry_ms > 0) {
		change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "there "
		    "were too many wrong passwords or codes; try again later");
		return;
	}
	tcapw_lookup(&acctserv->tcapw, change->name, &change->call,
	    looked_up, change);
}

bool
change_found(struct change *change, const struct tcapw_account *account,
    enum tcapw_verb verb)
{
	if (account == NULL) {
		change_refuse(change, MC_NOT_FOUND, RESULT(UNKNOWN_NAME),
		    "there is no account %s", change->display);
		return false;
	}
	change->record.verb = verb;
	change->record.account = *account;
	change->record.account.seq = 0;	/* the record's own: see pwq.h */
	return true;
}

void
change_forget(struct change *change)
{
	struct tcapw_account *account = &change->record.account;

	memset(account, 0, sizeof(*account));
	account->uid = change->before.uid;
	strcpy(account->name, change->before.name);
	strcpy(account->display, change->before.display);
}
