/* SPDX-License-Identifier: MIT */
/*
 * One change of an account, from the command (or the call of a module) to its
 * answer:
 *
 *	its turn --> look up --> check --> (hash) --> append to the queue
 *	                                                |
 *	        answer <-- applied by the follower <-- durable
 *
 * Changes of one account wait for each other, those of different accounts do
 * not, so that many share one commit of the queue.  What is durable is done,
 * whatever happens afterwards: it is answered once the store has it too.
 *
 * An append without a clear answer may still come true.  Whoever asked is
 * told so, and the same whole state is appended again until that succeeds:
 * twice is no different from once, and until then no other change of that
 * account may slip in between.
 */
#include "acctserv.h"

#include <metacube/pwq.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS	1000

struct change {
	TAILQ_ENTRY(change)	 link;
	struct acctserv		*acctserv;
	/* Who has asked; neither: was answered. */
	struct mc_query		*query;
	struct mc_call		*asked;
	const char		*done;		/* "created", for the answer */
	/* Checks what was looked up (NULL: there is no such account), and
	 * makes the new state of it; false: answered instead. */
	bool			(*check)(struct change *,
				    const struct tcapw_account *);
	bool			 turn;		/* has begun */
	bool			 hashing;	/* the pool has it */
	struct mc_call		*call;
	struct mc_timer		*again;
	uint64_t		 seq;		/* 0: not durable yet */
	uint64_t		 request;	/* whose log lines these are */
	uint8_t			 proof[PROOF_SIZE];
	char			 name[MC_NAME_SIZE], display[MC_NAME_SIZE];
	struct account_renewal	 renewal;
	struct tcapw_change	 record;
};

static void begin(struct change *change);

static void
change_free(struct change *change)
{
	TAILQ_REMOVE(&change->acctserv->changes, change, link);
	mc_call_cancel(&change->call);
	mc_timer_clear(&change->again);
	mc_wipe(change, sizeof(*change));
	free(change);
}

static struct change *
change_of(struct acctserv *acctserv, const char *name)
{
	struct change *change;

	TAILQ_FOREACH(change, &acctserv->changes, link)
		if (strcmp(change->name, name) == 0)
			return change;
	return NULL;
}

/* The next change of the same account has its turn. */
static void
change_end(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	char name[MC_NAME_SIZE];
	struct change *next;

	memcpy(name, change->name, sizeof(name));
	change_free(change);
	next = change_of(acctserv, name);
	if (next != NULL && !next->turn)
		begin(next);
}

static bool
is_awaited(const struct change *change)
{
	return change->query != NULL || change->asked != NULL;
}

static void
answer(struct change *change, enum mc_status status, const char *text)
{
	if (change->query != NULL)
		mc_query_done(change->query, status, "%s", text);
	else if (change->asked != NULL)
		mc_call_done(change->asked, status, NULL, 0);
	change->query = NULL;
	change->asked = NULL;
}

static void __attribute__((format(printf, 3, 4)))
refuse(struct change *change, enum mc_status status, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	answer(change, status, text);
	change_end(change);
}

static void
finished(struct change *change)
{
	const struct tcapw_account *account = &change->record.account;
	uint64_t before = mc_request();
	char text[256];

	mc_crash_point("acctserv.applied");
	mc_request_set(change->request);	/* here it is the queue's */
	mc_count(change->acctserv->host, change->done, 1);
	mc_log(change->acctserv->host, MC_NOTE, "account %s %s (uid %llu, "
	    "change %llu)", account->name, change->done,
	    (unsigned long long)account->uid,
	    (unsigned long long)change->seq);
	snprintf(text, sizeof(text), "account %s %s", account->display,
	    change->done);
	answer(change, MC_OK, text);
	change_end(change);
	mc_request_set(before);
}

void
changes_applied(struct acctserv *acctserv, uint64_t seq)
{
	struct change *change, *next;

	acctserv->applied = seq;
	for (change = TAILQ_FIRST(&acctserv->changes); change != NULL;
	    change = next) {
		next = TAILQ_NEXT(change, link);
		if (change->seq != 0 && change->seq <= seq)
			finished(change);
	}
}

static void append(void *owner);

static void
append_failed(struct change *change, enum mc_status status)
{
	if (status == MC_BUSY && is_awaited(change)) {
		refuse(change, MC_BUSY, "nothing was changed: the message "
		    "queue takes nothing at the moment (is the disk full?)");
		return;
	}
	if (is_awaited(change) && status != MC_UNCERTAIN &&
	    status != MC_UNAVAILABLE) {
		refuse(change, status, "nothing was changed: the message "
		    "queue refused the change: %s", mc_status_text(status));
		return;
	}
	answer(change, MC_UNCERTAIN, "uncertain: the message queue did not "
	    "answer; the change may have been made, and is tried again until "
	    "it is");
	mc_timer_set(change->acctserv->host, &change->again, AGAIN_MS,
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
	change->seq = pointer->seq;
	if (change->seq <= change->acctserv->applied)
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

static void
verifier_made(void *owner, const char *verifier)
{
	struct change *change = owner;

	change->hashing = false;
	if (verifier[0] == '\0')
		refuse(change, MC_INTERNAL, "nothing was changed: crypt(3) "
		    "cannot make a yescrypt verifier with cost = %lld",
		    (long long)change->acctserv->conf->cost);
	else {
		strcpy(change->record.account.verifier, verifier);
		append(change);
	}
}

static void
hash(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;

	change->hashing = verifier_make(acctserv->host, change->proof,
	    acctserv->conf->cost, verifier_made, change);
	mc_wipe(change->proof, sizeof(change->proof));
	if (!change->hashing)
		refuse(change, MC_BUSY, "nothing was changed: too many "
		    "passwords are being set or checked at the moment");
}

static bool
takes_proof(const struct change *change)
{
	static const uint8_t none[PROOF_SIZE];

	return memcmp(change->proof, none, sizeof(none)) != 0;
}

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct change *change = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);

	if (account == NULL && reply->status != MC_NOT_FOUND)
		refuse(change, reply->status, "nothing was changed: the "
		    "account store does not answer: %s",
		    mc_status_text(reply->status));
	else if (!change->check(change, account))
		return;
	else if (takes_proof(change))
		hash(change);
	else
		append(change);
}

static void
begin(struct change *change)
{
	change->turn = true;
	tcapw_lookup(&change->acctserv->tcapw, change->name, &change->call,
	    looked_up, change);
}

/* Names the character, because people do not see what is not ASCII. */
const char *
name_fault(const char *name, char folded[MC_NAME_SIZE], char *text,
    size_t size)
{
	const char *fault = mc_name_fold(name, folded);
	size_t at = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	int width = 1;

	if (fault == NULL)
		return NULL;
	if (name[at] == '\0' || !mc_text_valid(name, 256)) {
		snprintf(text, size, "the name %s", fault);
		return text;
	}
	while (((unsigned char)name[at + (size_t)width] & 0xc0) == 0x80)
		width++;
	snprintf(text, size, "the name %s: \"%.*s\" after \"%.*s\"", fault,
	    width, name + at, (int)at, name);
	return text;
}

bool
is_level(struct acctserv *acctserv, struct mc_query *query)
{
	if (!acctserv->level)
		mc_query_done(query, MC_UNAVAILABLE, "the account store is "
		    "still being brought level with the queue; try again");
	return acctserv->level;
}

/* NULL: the query was answered. */
static struct change *
change_new(struct acctserv *acctserv, struct mc_query *query)
{
	const char *name = mc_query_arg(query, 0), *fault;
	char folded[MC_NAME_SIZE], text[256];
	struct change *change;

	if (!is_level(acctserv, query))
		return NULL;
	fault = name_fault(name, folded, text, sizeof(text));
	if (fault != NULL) {
		mc_query_done(query, MC_INVALID, "%s", fault);
		return NULL;
	}
	change = mc_zalloc(sizeof(*change));
	change->acctserv = acctserv;
	change->query = query;
	change->request = mc_request();
	strcpy(change->name, folded);
	strcpy(change->display, name);
	return change;
}

static void
change_start(struct change *change, const char *done,
    bool (*check)(struct change *, const struct tcapw_account *))
{
	struct acctserv *acctserv = change->acctserv;
	bool first = change_of(acctserv, change->name) == NULL;

	change->done = done;
	change->check = check;
	TAILQ_INSERT_TAIL(&acctserv->changes, change, link);
	if (first)
		begin(change);
}

/* The secret beside the command; all zeroes is no SHA-256 of anything. */
static bool
proof_take(struct change *change)
{
	size_t len;
	const uint8_t *secret = mc_query_secret(change->query, &len);

	if (len == PROOF_SIZE) {
		memcpy(change->proof, secret, PROOF_SIZE);
		if (takes_proof(change))
			return true;
	}
	mc_query_done(change->query, MC_INVALID, "a password's proof of "
	    "%d bytes must come with this command", PROOF_SIZE);
	free(change);
	return false;
}

static bool
check_create(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	if (account != NULL) {
		refuse(change, MC_EXISTS, "there is already an account %s",
		    account->display);
		return false;
	}
	change->record.verb = TCAPW_CREATE;
	new->uid = ++change->acctserv->last_uid;
	new->created_ms = mc_time_ms();
	strcpy(new->name, change->name);
	strcpy(new->display, change->display);
	return true;
}

/* What is not a creation begins with the account as it is. */
static bool
is_found(struct change *change, const struct tcapw_account *account,
    enum tcapw_verb verb)
{
	if (account == NULL) {
		refuse(change, MC_NOT_FOUND, "there is no account %s",
		    change->display);
		return false;
	}
	change->record.verb = verb;
	change->record.account = *account;
	change->record.account.seq = 0;	/* the record's own: see pwq.h */
	return true;
}

static bool
check_password(struct change *change, const struct tcapw_account *account)
{
	return is_found(change, account, TCAPW_CHANGE);
}

/* Only as long as nobody has given the account another password. */
static bool
check_renew(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	if (!is_found(change, account, TCAPW_CHANGE))
		return false;
	if (strcmp(new->verifier, change->renewal.was) != 0) {
		refuse(change, MC_DENIED, "the verifier is another one");
		return false;
	}
	strcpy(new->verifier, change->renewal.verifier);
	return true;
}

static bool
check_lock(struct change *change, const struct tcapw_account *account)
{
	if (!is_found(change, account, TCAPW_CHANGE))
		return false;
	change->record.account.flags |= TCAPW_LOCKED;
	return true;
}

static bool
check_unlock(struct change *change, const struct tcapw_account *account)
{
	if (!is_found(change, account, TCAPW_CHANGE))
		return false;
	change->record.account.flags &= ~(uint32_t)TCAPW_LOCKED;
	return true;
}

static bool
check_delete(struct change *change, const struct tcapw_account *account)
{
	if (!is_found(change, account, TCAPW_DELETE))
		return false;
	mc_wipe(change->record.account.verifier, TCAPW_VERIFIER_SIZE);
	return true;
}

void
change_create(void *state, struct mc_query *query)
{
	struct change *change = change_new(state, query);

	if (change != NULL && proof_take(change))
		change_start(change, "created", check_create);
}

void
change_password(void *state, struct mc_query *query)
{
	struct change *change = change_new(state, query);

	if (change != NULL && proof_take(change))
		change_start(change, "has a new password", check_password);
}

void
change_lock(void *state, struct mc_query *query)
{
	struct change *change = change_new(state, query);

	if (change != NULL)
		change_start(change, "locked", check_lock);
}

void
change_unlock(void *state, struct mc_query *query)
{
	struct change *change = change_new(state, query);

	if (change != NULL)
		change_start(change, "unlocked", check_unlock);
}

void
change_delete(void *state, struct mc_query *query)
{
	struct change *change = change_new(state, query);

	if (change != NULL)
		change_start(change, "deleted", check_delete);
}

static bool
is_string(const char *text, size_t size)
{
	return text[0] != '\0' && memchr(text, '\0', size) != NULL;
}

static bool
renewal_valid(const struct account_renewal *renewal)
{
	char folded[MC_NAME_SIZE];

	return is_string(renewal->name, sizeof(renewal->name)) &&
	    is_string(renewal->was, sizeof(renewal->was)) &&
	    is_string(renewal->verifier, sizeof(renewal->verifier)) &&
	    mc_name_fold(renewal->name, folded) == NULL &&
	    strcmp(folded, renewal->name) == 0;
}

void
change_renew(void *state, const struct account_renewal *renewal,
    struct mc_call *call)
{
	struct acctserv *acctserv = state;
	struct change *change;

	if (!acctserv->level || !renewal_valid(renewal)) {
		mc_call_done(call, acctserv->level ? MC_INVALID :
		    MC_UNAVAILABLE, NULL, 0);
		return;
	}
	change = mc_zalloc(sizeof(*change));
	change->acctserv = acctserv;
	change->asked = call;
	change->request = mc_request();
	strcpy(change->name, renewal->name);
	strcpy(change->display, renewal->name);
	change->renewal = *renewal;
	change_start(change, "has a new verifier", check_renew);
}

/* At the end of the process: what is under way may come true or not, and the
 * host has answered those who asked. */
void
changes_forget(struct acctserv *acctserv)
{
	struct change *change;

	while ((change = TAILQ_FIRST(&acctserv->changes)) != NULL)
		change_free(change);
}
