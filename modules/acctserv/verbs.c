/* SPDX-License-Identifier: MIT */
/*
 * What each verb of a request needs, and what it does to the account.
 */
#include "change.h"

#include <string.h>
#include <strings.h>

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

void
change_refuse_code(struct change *change)
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
		change_refuse_code(change);
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
		change_refuse_code(change);
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
		change_refuse_code(change);
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
static const struct verb verbs[] = {
	[VERB(CREATE)] = { TAKES_NEW_PROOF | TAKES_EMAIL | TAKES_MAILS,
	    { "create", "created", false, false, check_create } },
	[VERB(ACTIVATE)] = { TAKES_PROOF | TAKES_CODE,
	    { "activate", "activated", true, true, check_activate } },
	[VERB(CHECK)] = { TAKES_PROOF,
	    { "check", "checked", true, true, check_check } },
	[VERB(PASSWORD)] = { TAKES_PROOF | TAKES_NEW_PROOF,
	    { "password", "has a new password", true, true,
	    check_password } },
	[VERB(EMAIL)] = { TAKES_PROOF | TAKES_EMAIL | TAKES_MAILS,
	    { "email", "asks for an e-mail address", true, true,
	    check_email } },
	[VERB(VALIDATE)] = { TAKES_PROOF | TAKES_CODE,
	    { "validate", "has a new e-mail address", true, true,
	    check_validate } },
	[VERB(FORGOTTEN)] = { TAKES_EMAIL | TAKES_MAILS,
	    { "forgotten", "has forgotten its password", false, false,
	    check_forgotten } },
	[VERB(RESET)] = { TAKES_CODE | TAKES_NEW_PROOF,
	    { "reset", "has a new password", false, true, check_reset } },
	[VERB(DELETE)] = { TAKES_PROOF,
	    { "delete", "deleted", true, true, check_delete } },
	[VERB(RESEND)] = { TAKES_PROOF | TAKES_MAILS,
	    { "resend", "is sent its code again", true, true,
	    check_resend } },
	[VERB(EXPORT)] = { TAKES_PROOF,
	    { "export", "exported", true, true, check_export } }
};

const struct verb *
verb_find(int verb)
{
	return verb > 0 && verb < (int)(sizeof(verbs) / sizeof(verbs[0])) ?
	    &verbs[verb] : NULL;
}
