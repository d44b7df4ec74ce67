/* SPDX-License-Identifier: MIT */
/*
 * What people ask for, through the web front, a gateway or a world, and what
 * modules ask for them (service "account").
 *
 * Nobody learns from an answer whether a name is taken without having shown
 * its password, but for who wants it as a new name.
 */
#include "change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORGOTTEN_MS	2000	/* nobody is to time what it finds */

static bool
may_use(struct change *change)
{
	if ((change->before.flags & TCAPW_LOCKED) != 0)
		change_refuse(change, MC_DENIED, RESULT(LOCKED),
		    "the account is locked");
	else if ((change->before.flags & TCAPW_INACTIVE) != 0)
		change_refuse(change, MC_DENIED, RESULT(NOT_ACTIVATED),
		    "the account is not activated yet: see the mail that "
		    "came with it");
	else
		return true;
	return false;
}

static bool
may_mail(struct change *change)
{
	change->retry_ms = mail_wait(change->acctserv->guard, change->name,
	    change->request.address, change->peer);
	if (change->retry_ms == 0)
		return true;
	change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "nothing was "
	    "changed: there were too many mails; try again later");
	return false;
}

static void
bad_code(struct change *change)
{
	change_refuse(change, MC_DENIED, RESULT(BAD_CODE), "the code is "
	    "wrong, was used already, or is too old");
}

static void
private_set(struct tcapw_account *account, bool hidden)
{
	account->flags &= ~(uint32_t)TCAPW_EMAIL_PRIVATE;
	if (hidden)
		account->flags |= TCAPW_EMAIL_PRIVATE;
}

/* The verbs. */

static bool
check_create(struct change *change, const struct tcapw_account *account)
{
	struct acctserv *acctserv = change->acctserv;
	struct tcapw_account *new = &change->record.account;

	if (account != NULL || names_like(acctserv->names, change->name) ||
	    name_reserved(acctserv->conf->reserved, change->name)) {
		change_refuse(change, MC_EXISTS, RESULT(NAME_TAKEN),
		    "the name is taken, or too much like one that is");
		return false;
	}
	if (!may_mail(change))
		return false;
	change->record.verb = TCAPW_CREATE;
	new->uid = ++acctserv->last_uid;
	new->created_ms = mc_time_ms();
	new->flags = TCAPW_INACTIVE;
	strcpy(new->name, change->name);
	strcpy(new->display, change->display);
	strcpy(new->email, change->request.email);
	private_set(new, change->request.email_private);
	letter_code(change, LETTER_ACTIVATE);
	return true;
}

static bool
check_activate(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	change_found(change, account, TCAPW_CHANGE);
	if ((account->flags & TCAPW_INACTIVE) == 0)
		change_refuse(change, MC_EXISTS, RESULT(ALREADY_ACTIVATED),
		    "the account is activated already");
	else if (!code_matches(account, TCAPW_CODE_ACTIVATE,
	    change->request.code))
		bad_code(change);
	else {
		new->flags &= ~(uint32_t)TCAPW_INACTIVE;
		new->flags |= TCAPW_EMAIL_VALID;
		code_forget(new);
		return true;
	}
	return false;
}

static bool
check_check(struct change *change, const struct tcapw_account *account)
{
	(void)account;
	return may_use(change);
}

static bool
check_password(struct change *change, const struct tcapw_account *account)
{
	if (!may_use(change))
		return false;
	change_found(change, account, TCAPW_CHANGE);
	code_forget_reset(&change->record.account);
	return true;
}

/* The address that it has already: only whether others may see it. */
static bool
check_email(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	if (!may_use(change))
		return false;
	change_found(change, account, TCAPW_CHANGE);
	private_set(new, change->request.email_private);
	if (strcmp(account->email, change->request.email) == 0 &&
	    (account->flags & TCAPW_EMAIL_VALID) != 0) {
		new->new_email[0] = '\0';
		code_forget(new);
		return true;
	}
	if (!may_mail(change))
		return false;
	strcpy(new->new_email, change->request.email);
	letter_code(change, LETTER_EMAIL);
	return true;
}

static bool
check_validate(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	if (!may_use(change))
		return false;
	if (!code_matches(account, TCAPW_CODE_EMAIL, change->request.code)) {
		bad_code(change);
		return false;
	}
	change_found(change, account, TCAPW_CHANGE);
	strcpy(new->email, new->new_email);
	new->new_email[0] = '\0';
	new->flags |= TCAPW_EMAIL_VALID;
	code_forget(new);
	return true;
}

/* Whether it fits: promised was the same. */
static bool
check_forgotten(struct change *change, const struct tcapw_account *account)
{
	if (account == NULL || (account->flags & TCAPW_LOCKED) != 0 ||
	    account->email[0] == '\0' ||
	    strcasecmp(account->email, change->request.email) != 0) {
		change_refuse(change, MC_NOT_FOUND, RESULT(UNKNOWN_NAME),
		    "it does not fit");
		return false;
	}
	if (!may_mail(change))
		return false;
	change_found(change, account, TCAPW_CHANGE);
	change->record.account.new_email[0] = '\0';
	letter_code(change, LETTER_RESET);
	return true;
}

/* Who has the code has read the mail: that proves the address, too. */
static bool
check_reset(struct change *change, const struct tcapw_account *account)
{
	struct guard *guard = change->acctserv->guard;
	struct tcapw_account *new = &change->record.account;

	if (account == NULL || !code_matches(account, TCAPW_CODE_RESET,
	    change->request.code)) {
		guess_end(guard, &change->guess, MC_PENALTY_FAILED);
		bad_code(change);
		return false;
	}
	guess_end(guard, &change->guess, MC_PENALTY_PASSED);
	if ((account->flags & TCAPW_LOCKED) != 0) {
		change_refuse(change, MC_DENIED, RESULT(LOCKED),
		    "the account is locked");
		return false;
	}
	change_found(change, account, TCAPW_CHANGE);
	new->flags &= ~(uint32_t)TCAPW_INACTIVE;
	new->flags |= TCAPW_EMAIL_VALID;
	code_forget(new);
	return true;
}

static bool
check_delete(struct change *change, const struct tcapw_account *account)
{
	if ((account->flags & TCAPW_LOCKED) != 0) {
		change_refuse(change, MC_DENIED, RESULT(LOCKED),
		    "the account is locked");
		return false;
	}
	change_found(change, account, TCAPW_DELETE);
	change_forget(change);
	return true;
}

static bool
check_resend(struct change *change, const struct tcapw_account *account)
{
	bool inactive = (account->flags & TCAPW_INACTIVE) != 0;

	if ((account->flags & TCAPW_LOCKED) != 0)
		change_refuse(change, MC_DENIED, RESULT(LOCKED),
		    "the account is locked");
	else if (!inactive && account->new_email[0] == '\0')
		change_refuse(change, MC_EXISTS, RESULT(ALREADY_ACTIVATED),
		    "no code is awaited");
	else if (may_mail(change)) {
		change_found(change, account, TCAPW_CHANGE);
		letter_code(change, inactive ? LETTER_ACTIVATE :
		    LETTER_EMAIL);
		return true;
	}
	return false;
}

static void
document_read(void *owner, const struct history *history)
{
	struct change *change = owner;

	change->acctserv->exporting = false;
	if (history->why != NULL) {
		change_refuse(change, MC_UNAVAILABLE, RESULT(TRY_LATER),
		    "the audit log cannot be read at the moment");
		return;
	}
	change->document = mc_zalloc(ACCOUNT_DOCUMENT_SIZE);
	export_write(&change->before, history, change->document,
	    ACCOUNT_DOCUMENT_SIZE);
	change_go_on(change);
}

/* One at a time: the whole audit log is read for it. */
static bool
check_export(struct change *change, const struct tcapw_account *account)
{
	struct acctserv *acctserv = change->acctserv;

	if (acctserv->exporting) {
		change->retry_ms = 1000;
		change_refuse(change, MC_BUSY, RESULT(TRY_LATER), "another "
		    "export is under way; try again in a moment");
		return false;
	}
	acctserv->exporting = true;
	history_read(acctserv, account->uid, 64, document_read, change);
	return false;
}

/* What must come with each, and what each does. */
enum { PROOF = 1, NEW_PROOF = 2, EMAIL = 4, CODE = 8, MAILS = 16 };

static const struct verb {
	unsigned	takes;
	struct act	act;
} verbs[] = {
	[VERB(CREATE)] = { NEW_PROOF | EMAIL | MAILS,
	    { "create", "created", false, false, check_create } },
	[VERB(ACTIVATE)] = { PROOF | CODE,
	    { "activate", "activated", true, true, check_activate } },
	[VERB(CHECK)] = { PROOF,
	    { "check", "checked", true, true, check_check } },
	[VERB(PASSWORD)] = { PROOF | NEW_PROOF,
	    { "password", "has a new password", true, true,
	    check_password } },
	[VERB(EMAIL)] = { PROOF | EMAIL | MAILS,
	    { "email", "asks for an e-mail address", true, true,
	    check_email } },
	[VERB(VALIDATE)] = { PROOF | CODE,
	    { "validate", "has a new e-mail address", true, true,
	    check_validate } },
	[VERB(FORGOTTEN)] = { EMAIL | MAILS,
	    { "forgotten", "has forgotten its password", false, false,
	    check_forgotten } },
	[VERB(RESET)] = { CODE | NEW_PROOF,
	    { "reset", "has a new password", false, true, check_reset } },
	[VERB(DELETE)] = { PROOF,
	    { "delete", "deleted", true, true, check_delete } },
	[VERB(RESEND)] = { PROOF | MAILS,
	    { "resend", "is sent its code again", true, true,
	    check_resend } },
	[VERB(EXPORT)] = { PROOF,
	    { "export", "exported", true, true, check_export } }
};
#define VERBS	((int)(sizeof(verbs) / sizeof(verbs[0])))

static void
refuse(struct change *change, int result, const char *text)
{
	change_refuse(change, MC_INVALID, result, "%s", text);
}

/* CREATE brings its password as proof, which is the new one. */
static void
proofs_place(struct account_request *request)
{
	if (request->verb != VERB(CREATE))
		return;
	memcpy(request->new_proof, request->proof, PROOF_SIZE);
	mc_wipe(request->proof, PROOF_SIZE);
	request->has_new_proof = request->has_proof;
	request->has_proof = false;
}

/* false: refused.  Looks at nothing but the request. */
static bool
is_complete(struct change *change, unsigned takes)
{
	struct account_request *request = &change->request;
	const char *fault = NULL;
	char code[CODE_SIZE];

	if (((takes & PROOF) != 0) != request->has_proof ||
	    ((takes & NEW_PROOF) != 0) != request->has_new_proof)
		refuse(change, RESULT(BAD_REQUEST), "a password is missing, "
		    "or one too many");
	else if ((takes & EMAIL) != 0 &&
	    (fault = mc_email_fault(request->email)) != NULL)
		change_refuse(change, MC_INVALID, RESULT(BAD_EMAIL),
		    "the e-mail address %s", fault);
	else if ((takes & CODE) != 0 && !code_fold(request->code, code))
		bad_code(change);
	else if ((takes & MAILS) != 0 &&
	    change->acctserv->mail.ops == NULL)
		refuse(change, RESULT(NOT_ALLOWED), "this server sends no "
		    "mail: ask whoever runs it");
	else {
		if ((takes & CODE) != 0)
			strcpy(request->code, code);
		mc_wipe(code, sizeof(code));
		return true;
	}
	return false;
}

/* The answer is the same for everybody, and comes first. */
static void
forgotten(struct change *change)
{
	struct acctserv *acctserv = change->acctserv;
	char *address = change->request.address;
	uint16_t random;

	change->retry_ms = mail_wait(acctserv->guard, NULL, address,
	    change->peer);
	if (change->retry_ms > 0) {
		change_refuse(change, MC_BUSY, RESULT(TRY_LATER),
		    "there were too many mails; try again later");
		return;
	}
	mail_count(acctserv->guard, NULL, address, change->peer);
	address[0] = change->peer[0] = '\0';	/* were counted */
	change_promise(change, "if name and e-mail address belong together, "
	    "a mail is on its way");
	mc_random(&random, sizeof(random));
	change_start_later(change, random % FORGOTTEN_MS);
}

static struct change *
change_of(struct acctserv *acctserv, const struct act *act,
    struct account_request *request, char folded[MC_NAME_SIZE],
    const char **fault_r)
{
	struct change *change;

	*fault_r = mc_name_fold(request->name, folded);
	change = change_new(acctserv, act, *fault_r == NULL ? folded : "",
	    *fault_r == NULL ? request->name : "");
	change->request = *request;
	mc_wipe(request->proof, PROOF_SIZE);
	mc_wipe(request->new_proof, PROOF_SIZE);
	mc_wipe(request->code, sizeof(request->code));
	proofs_place(&change->request);
	return change;
}

static void
request_start(struct acctserv *acctserv, struct account_request *request,
    struct question *question, struct mc_call *call)
{
	static const struct act none = { "none", "none", false, false, NULL };
	bool known = request->verb > 0 && request->verb < VERBS;
	const struct verb *verb = known ? &verbs[request->verb] : NULL;
	char folded[MC_NAME_SIZE];
	const char *fault;
	struct change *change = change_of(acctserv, known ? &verb->act :
	    &none, request, folded, &fault);

	change->question = question;
	change->asked = call;
	if (question != NULL)
		snprintf(change->peer, sizeof(change->peer), "%s",
		    question_peer(question));
	if (!known)
		refuse(change, RESULT(BAD_REQUEST), "this is not known here");
	else if (!acctserv->ready || acctserv->stopping)
		change_refuse(change, MC_UNAVAILABLE, RESULT(TRY_LATER),
		    "nothing was changed: the account server is starting or "
		    "stopping; try again in a moment");
	else if (fault != NULL)
		change_refuse(change, MC_INVALID, RESULT(BAD_NAME),
		    "the name %s", fault);
	else if (!is_complete(change, verb->takes))
		return;
	else if (request->verb == VERB(FORGOTTEN))
		forgotten(change);
	else
		change_start(change);
}

void
request_take(struct acctserv *acctserv, struct account_request *request,
    struct question *question)
{
	request_start(acctserv, request, question, NULL);
}

static bool
is_string(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void
request_call(void *state, struct account_request *request,
    struct mc_call *call)
{
	if (is_string(request->name, sizeof(request->name)) &&
	    is_string(request->email, sizeof(request->email)) &&
	    is_string(request->code, sizeof(request->code)) &&
	    is_string(request->address, sizeof(request->address)) &&
	    is_string(request->by, sizeof(request->by)) &&
	    mc_text_valid(request->by, sizeof(request->by) - 1))
		request_start(state, request, NULL, call);
	else {
		mc_wipe(request, sizeof(*request));
		mc_call_done(call, MC_INVALID, NULL, 0);
	}
}

/* A stronger verifier. */

/* Only as long as nobody has given the account another password. */
static bool
check_renew(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	if (!change_found(change, account, TCAPW_CHANGE))
		return false;
	if (strcmp(new->verifier, change->renewal.was) != 0) {
		change_refuse(change, MC_DENIED, RESULT(NOT_ALLOWED),
		    "the verifier is another one");
		return false;
	}
	strcpy(new->verifier, change->renewal.verifier);
	change->request.playing = true;		/* the password is the same */
	return true;
}

static bool
renewal_valid(const struct account_renewal *renewal)
{
	char folded[MC_NAME_SIZE];

	return is_string(renewal->name, sizeof(renewal->name)) &&
	    is_string(renewal->was, sizeof(renewal->was)) &&
	    is_string(renewal->verifier, sizeof(renewal->verifier)) &&
	    renewal->was[0] != '\0' && renewal->verifier[0] != '\0' &&
	    mc_name_fold(renewal->name, folded) == NULL &&
	    strcmp(folded, renewal->name) == 0;
}

static void
renewal_start(struct acctserv *acctserv,
    const struct account_renewal *renewal, const char *by,
    struct question *question, struct mc_call *call)
{
	static const struct act act = {
		"renew", "has a new verifier", false, false, check_renew
	};
	bool valid = renewal_valid(renewal);
	const char *name = valid ? renewal->name : "";
	struct change *change = change_new(acctserv, &act, name, name);

	change->question = question;
	change->renewing = call;
	change->renewal = *renewal;
	snprintf(change->request.by, sizeof(change->request.by), "%s", by);
	if (!acctserv->ready || acctserv->stopping)
		change_refuse(change, MC_UNAVAILABLE, RESULT(TRY_LATER),
		    "nothing was changed: the account server is starting or "
		    "stopping");
	else if (!valid)
		change_refuse(change, MC_INVALID, RESULT(BAD_REQUEST),
		    "that is no renewal");
	else
		change_start(change);
}

void
request_renew(void *state, const struct account_renewal *renewal,
    struct mc_call *call)
{
	renewal_start(state, renewal, "login", NULL, call);
}

void
renewal_take(struct acctserv *acctserv,
    const struct account_renewal *renewal, const char *by,
    struct question *question)
{
	renewal_start(acctserv, renewal, by, question, NULL);
}
