/* SPDX-License-Identifier: MIT */
/*
 * What operators ask for, with metacubectl: they need no password of the
 * account, send no mail, and may take reserved names.
 */
#include "change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
is_ready(struct acctserv *acctserv, struct mc_query *query)
{
	if (!acctserv->level)
		mc_query_done(query, MC_UNAVAILABLE, "the account store is "
		    "still being brought level with the queue; try again");
	else if (!acctserv->ready)
		mc_query_done(query, MC_UNAVAILABLE, "the names are still "
		    "being gathered; try again");
	return acctserv->ready;
}

/* Refused where it begins, or NULL: the query was answered. */
static struct change *
change_of(struct acctserv *acctserv, struct mc_query *query,
    const struct act *act)
{
	const char *name = mc_query_arg(query, 0), *fault;
	char folded[MC_NAME_SIZE], text[256];
	struct change *change;

	fault = name_fault(name, folded, text, sizeof(text));
	change = change_new(acctserv, act, fault == NULL ? folded : "",
	    fault == NULL ? name : "");
	change->query = query;
	snprintf(change->request.by, sizeof(change->request.by),
	    "metacubectl %.40s", mc_query_by(query));
	if (fault == NULL)
		return change;
	change_refuse(change, MC_INVALID, RESULT(BAD_NAME), "%s", fault);
	return NULL;
}

/* The secret beside the command; all zeroes is no SHA-256 of anything.
 * false: refused. */
static bool
proof_take(struct change *change)
{
	static const uint8_t none[PROOF_SIZE];
	size_t len;
	const uint8_t *secret = mc_query_secret(change->query, &len);

	if (len != PROOF_SIZE || memcmp(secret, none, PROOF_SIZE) == 0) {
		change_refuse(change, MC_INVALID, RESULT(BAD_REQUEST), "a "
		    "password's proof of %d bytes must come with this "
		    "command", PROOF_SIZE);
		return false;
	}
	memcpy(change->request.new_proof, secret, PROOF_SIZE);
	change->request.has_new_proof = true;
	return true;
}

/* An address as an argument, "" or absent: none.  false: refused. */
static bool
email_take(struct change *change)
{
	const char *text = mc_query_arg(change->query, 1), *fault;

	if (text == NULL || text[0] == '\0')
		return true;
	fault = mc_email_fault(text);
	if (fault != NULL) {
		change_refuse(change, MC_INVALID, RESULT(BAD_EMAIL),
		    "the e-mail address %s", fault);
		return false;
	}
	strcpy(change->request.email, text);
	return true;
}

/* What they give counts as validated: they answer for it. */
static void
email_set(struct tcapw_account *account, const char *email)
{
	strcpy(account->email, email);
	account->new_email[0] = '\0';
	account->flags &= ~(uint32_t)TCAPW_EMAIL_VALID;
	if (email[0] != '\0')
		account->flags |= TCAPW_EMAIL_VALID;
	code_forget(account);
}

static bool
check_create(struct change *change, const struct tcapw_account *account)
{
	struct acctserv *acctserv = change->acctserv;
	struct tcapw_account *new = &change->record.account;

	if (account != NULL) {
		change_refuse(change, MC_EXISTS, RESULT(NAME_TAKEN),
		    "there is already an account %s", account->display);
		return false;
	}
	if (names_like(acctserv->names, change->name)) {
		change_refuse(change, MC_EXISTS, RESULT(NAME_TAKEN),
		    "there is already an account whose name looks like %s",
		    change->display);
		return false;
	}
	change->record.verb = TCAPW_CREATE;
	new->uid = ++acctserv->last_uid;
	new->created_ms = mc_time_ms();
	strcpy(new->name, change->name);
	strcpy(new->display, change->display);
	email_set(new, change->request.email);
	return true;
}

static bool
check_password(struct change *change, const struct tcapw_account *account)
{
	if (!change_found(change, account, TCAPW_CHANGE))
		return false;
	code_forget_reset(&change->record.account);
	return true;
}

static bool
check_email(struct change *change, const struct tcapw_account *account)
{
	if (!change_found(change, account, TCAPW_CHANGE))
		return false;
	email_set(&change->record.account, change->request.email);
	return true;
}

static bool
check_activate(struct change *change, const struct tcapw_account *account)
{
	struct tcapw_account *new = &change->record.account;

	if (!change_found(change, account, TCAPW_CHANGE))
		return false;
	if ((new->flags & TCAPW_INACTIVE) == 0) {
		change_refuse(change, MC_EXISTS, RESULT(ALREADY_ACTIVATED),
		    "account %s is activated already", new->display);
		return false;
	}
	email_set(new, account->email);
	new->flags &= ~(uint32_t)TCAPW_INACTIVE;
	return true;
}

static bool
flag_put(struct change *change, const struct tcapw_account *account,
    enum tcapw_flag flag, bool on)
{
	struct tcapw_account *new = &change->record.account;

	if (!change_found(change, account, TCAPW_CHANGE))
		return false;
	new->flags &= ~(uint32_t)flag;
	if (on)
		new->flags |= flag;
	return true;
}

static bool
check_lock(struct change *change, const struct tcapw_account *account)
{
	return flag_put(change, account, TCAPW_LOCKED, true);
}

static bool
check_unlock(struct change *change, const struct tcapw_account *account)
{
	return flag_put(change, account, TCAPW_LOCKED, false);
}

static bool
check_appoint(struct change *change, const struct tcapw_account *account)
{
	return flag_put(change, account, TCAPW_ADMINISTRATOR, true);
}

static bool
check_dismiss(struct change *change, const struct tcapw_account *account)
{
	return flag_put(change, account, TCAPW_ADMINISTRATOR, false);
}

static bool
check_delete(struct change *change, const struct tcapw_account *account)
{
	if (!change_found(change, account, TCAPW_DELETE))
		return false;
	change_forget(change);
	return true;
}

/* What comes with the name, and what is done. */
enum { EMAIL = 1, PROOF = 2 };

struct order {
	unsigned	takes;
	struct act	act;
};

static void
perform(struct acctserv *acctserv, struct mc_query *query,
    const struct order *order)
{
	struct change *change;

	if (!is_ready(acctserv, query))
		return;
	change = change_of(acctserv, query, &order->act);
	if (change != NULL &&
	    ((order->takes & EMAIL) == 0 || email_take(change)) &&
	    ((order->takes & PROOF) == 0 || proof_take(change)))
		change_start(change);
}

#define ORDER(name, takes, ...) \
	static const struct order name##_order = { \
		takes, { #name, __VA_ARGS__ } \
	}; \
	static void \
	command_##name(void *state, struct mc_query *query) \
	{ \
		perform(state, query, &name##_order); \
	}

ORDER(create, EMAIL | PROOF, "created", false, false, check_create)
ORDER(password, PROOF, "has a new password", false, false, check_password)
ORDER(email, EMAIL, "has a new e-mail address", false, false, check_email)
ORDER(activate, 0, "activated", false, false, check_activate)
ORDER(lock, 0, "locked", false, false, check_lock)
ORDER(unlock, 0, "unlocked", false, false, check_unlock)
ORDER(appoint, 0, "is an administrator", false, false, check_appoint)
ORDER(dismiss, 0, "is no administrator", false, false, check_dismiss)
ORDER(delete, 0, "deleted", false, false, check_delete)
ORDER(erase, 0, "deleted, to be erased", false, false, check_delete, true)

static void
command_administrator(void *state, struct mc_query *query)
{
	const char *word = mc_query_arg(query, 1);

	if (strcmp(word, "on") == 0)
		command_appoint(state, query);
	else if (strcmp(word, "off") == 0)
		command_dismiss(state, query);
	else
		mc_query_done(query, MC_INVALID, "usage: account "
		    "administrator NAME on|off");
}

static const struct mc_command commands[] = {
	{ "account create", "NAME [EMAIL]", 1, 2, "Makes an account, which "
	  "is active at once.", command_create },
	{ "account password", "NAME", 1, 1, "Gives an account a new "
	  "password.", command_password },
	{ "account email", "NAME [EMAIL]", 1, 2, "Gives an account another "
	  "e-mail address, or none.", command_email },
	{ "account activate", "NAME", 1, 1, "Activates an account without "
	  "its code.", command_activate },
	{ "account lock", "NAME", 1, 1, "Keeps an account from logging in.",
	  command_lock },
	{ "account unlock", "NAME", 1, 1, "Lets a locked account log in "
	  "again.", command_unlock },
	{ "account administrator", "NAME on|off", 2, 2, "Says whether an "
	  "account is an administrator's.", command_administrator },
	{ "account delete", "NAME", 1, 1, "Deletes an account; its uid is "
	  "never used again.", command_delete },
	{ "account erase", "NAME", 1, 1, "Deletes an account, and has what "
	  "was known of it removed from freeze and queue.", command_erase },
	{ "account show", "NAME", 1, 1, "Shows what is known of an account.",
	  account_show },
	{ "account list", "[PREFIX]", 0, 1, "Lists accounts, all or those "
	  "whose names begin with PREFIX.", account_list },
	{ "account export", "NAME", 1, 1, "Prints all that is known of the "
	  "person, as JSON.", account_export },
	{ "account audit", "[NAME|uid:N]", 0, 1, "Shows the last entries of "
	  "the audit log, all or those of an account.", account_audit },
	{ 0 }
};

void
commands_add(struct acctserv *acctserv)
{
	mc_commands(acctserv->host, commands, acctserv);
}
