/* SPDX-License-Identifier: MIT */
/*
 * account - changes of one's own account.  Each needs the password once more,
 * and is over when the server has answered (events.c).
 */
#include "shell.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void
asked(struct shell *shell, enum metacube_error error, const char *then)
{
	shell->then = then;
	if (error == METACUBE_OK)
		shell->wait = WAIT_CHANGE;
	else
		shell_fail(shell, "Not possible: %s.",
		    metacube_client_why(shell->client));
}

/* Nobody types a password in vain. */
static bool
is_logged_in(struct shell *shell)
{
	enum metacube_state state = metacube_client_state(shell->client);

	if (state == METACUBE_LOGGED_IN || state == METACUBE_IN_WORLD)
		return true;
	shell_fail(shell, "Log in before you change your account.");
	return false;
}

void
account_password(struct shell *shell, const char *file, const char *new_file)
{
	char password[PASSWORD_SIZE], new_password[PASSWORD_SIZE];

	if (is_logged_in(shell) &&
	    password_get(shell, shell->name, file, password) == 0 &&
	    password_new(shell, new_file, new_password) == 0)
		asked(shell, metacube_account_password(shell->client,
		    password, new_password), "");
	explicit_bzero(password, sizeof(password));
	explicit_bzero(new_password, sizeof(new_password));
}

void
account_email(struct shell *shell, const char *email, bool is_private,
    const char *file)
{
	char password[PASSWORD_SIZE];

	if (is_logged_in(shell) &&
	    password_get(shell, shell->name, file, password) == 0)
		asked(shell, metacube_account_email(shell->client, password,
		    email, is_private), " A code is mailed there: when you "
		    "have it, type \"validate CODE\".");
	explicit_bzero(password, sizeof(password));
}

void
account_validate(struct shell *shell, const char *code, const char *file)
{
	char password[PASSWORD_SIZE];

	if (is_logged_in(shell) &&
	    password_get(shell, shell->name, file, password) == 0)
		asked(shell, metacube_account_validate(shell->client,
		    password, code), "");
	explicit_bzero(password, sizeof(password));
}

void
account_resend(struct shell *shell, const char *file)
{
	char password[PASSWORD_SIZE];

	if (is_logged_in(shell) &&
	    password_get(shell, shell->name, file, password) == 0)
		asked(shell, metacube_account_resend(shell->client, password),
		    "");
	explicit_bzero(password, sizeof(password));
}

/* It is for ever, so the name has to be typed; in a script it is an
 * argument. */
static bool
is_meant(struct shell *shell, const char *name)
{
	char question[128], typed[PASSWORD_SIZE];

	snprintf(question, sizeof(question), "This cannot be undone. Type "
	    "your name, %.32s, to delete the account", shell->name);
	if (name == NULL && password_ask_line(shell, question, typed) == 0)
		name = typed;
	if (name != NULL && strcasecmp(name, shell->name) == 0)
		return true;
	shell_fail(shell, "Nothing was deleted: say \"delete-account "
	    "%.32s\".", shell->name);
	return false;
}

void
account_delete(struct shell *shell, const char *name, const char *file)
{
	char password[PASSWORD_SIZE];

	if (is_logged_in(shell) && is_meant(shell, name) &&
	    password_get(shell, shell->name, file, password) == 0)
		asked(shell, metacube_account_delete(shell->client, password),
		    "");
	explicit_bzero(password, sizeof(password));
}
