/* SPDX-License-Identifier: MIT */
/*
 * What can be seen of one account.  Never of it: the verifier, and codes.
 */
#include "acctserv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENTRIES_SHOWN	200

struct showing {
	struct acctserv	*acctserv;
	struct mc_query	*query;
	/* Ends the query, with what was looked up. */
	void		(*show)(struct showing *,
			    const struct tcapw_account *);
	struct tcapw_account account;
	char		 name[MC_NAME_SIZE];
};

const char *
time_text(uint64_t time_ms, char *text, size_t size)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, size, "%Y-%m-%d %H:%M:%S", &tm);
	return text;
}

const char *
state_text(uint32_t flags)
{
	if ((flags & TCAPW_LOCKED) != 0)
		return "locked";
	return (flags & TCAPW_INACTIVE) != 0 ? "not activated" : "active";
}

/* Looking up. */

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct showing *showing = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);

	if (account != NULL) {
		showing->show(showing, account);
		return;
	}
	if (reply->status == MC_NOT_FOUND)
		mc_query_done(showing->query, MC_NOT_FOUND,
		    "there is no account %s", showing->name);
	else
		mc_query_done(showing->query, reply->status, "the account "
		    "store does not answer: %s",
		    mc_status_text(reply->status));
	free(showing);
}

static void
look_up(struct acctserv *acctserv, struct mc_query *query,
    void (*show)(struct showing *, const struct tcapw_account *))
{
	char folded[MC_NAME_SIZE], text[256];
	const char *fault = name_fault(mc_query_arg(query, 0), folded, text,
	    sizeof(text));
	struct showing *showing;

	if (fault != NULL) {
		mc_query_done(query, MC_INVALID, "%s", fault);
		return;
	}
	if (!is_ready(acctserv, query))
		return;
	showing = mc_zalloc(sizeof(*showing));
	showing->acctserv = acctserv;
	showing->query = query;
	showing->show = show;
	strcpy(showing->name, folded);
	tcapw_lookup(&acctserv->tcapw, folded, NULL, looked_up, showing);
}

/* account show */

static void
line(struct mc_query *query, const char *what, const char *value)
{
	mc_query_row(query);
	mc_query_cell(query, "%s", what);
	mc_query_cell(query, "%s", value);
}

static void
line_number(struct mc_query *query, const char *what, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	line(query, what, text);
}

static void
line_time(struct mc_query *query, const char *what, uint64_t time_ms)
{
	char text[32];

	line(query, what, time_text(time_ms, text, sizeof(text)));
}

static void
line_email(struct mc_query *query, const struct tcapw_account *account)
{
	char text[TCAPW_EMAIL_SIZE + 32] = "";

	if (account->email[0] != '\0')
		snprintf(text, sizeof(text), "%s%s%s", account->email,
		    (account->flags & TCAPW_EMAIL_VALID) != 0 ? "" :
		    " (not validated)",
		    (account->flags & TCAPW_EMAIL_PRIVATE) != 0 ?
		    " (private)" : "");
	line(query, "e-mail", text);
	if (account->new_email[0] != '\0')
		line(query, "new e-mail", account->new_email);
}

static void
line_code(struct mc_query *query, const struct tcapw_account *account)
{
	static const char *const what[] = {
		[TCAPW_CODE_ACTIVATE] = "code to activate, until",
		[TCAPW_CODE_EMAIL] = "code for the new e-mail, until",
		[TCAPW_CODE_RESET] = "code for a new password, until"
	};

	if (account->code_for != TCAPW_CODE_NONE)
		line_time(query, what[account->code_for],
		    account->code_expires_ms);
}

static void
show_account(struct showing *showing, const struct tcapw_account *account)
{
	struct mc_query *query = showing->query;

	mc_query_columns(query, "what", "value", NULL);
	line(query, "name", account->name);
	line(query, "display", account->display);
	line_number(query, "uid", account->uid);
	line(query, "state", state_text(account->flags));
	line_time(query, "created (UTC)", account->created_ms);
	line_number(query, "last change", account->seq);
	line(query, "administrator",
	    (account->flags & TCAPW_ADMINISTRATOR) != 0 ? "yes" : "no");
	line_email(query, account);
	line_code(query, account);
	mc_query_done(query, MC_OK, NULL);
	free(showing);
}

void
account_show(void *state, struct mc_query *query)
{
	look_up(state, query, show_account);
}

/* account export */

static void
export_read(void *owner, const struct history *history)
{
	struct showing *showing = owner;
	char *text = mc_zalloc(ACCOUNT_DOCUMENT_SIZE), *at = text, *end;

	if (history->why != NULL)
		mc_query_done(showing->query, MC_UNAVAILABLE,
		    "the audit log cannot be read: %s", history->why);
	else {
		export_write(&showing->account, history, text,
		    ACCOUNT_DOCUMENT_SIZE);
		mc_query_columns(showing->query, "export", NULL);
		for (; *at != '\0'; at = end + 1) {
			end = at + strcspn(at, "\n");
			mc_query_row(showing->query);
			mc_query_cell(showing->query, "%.*s",
			    (int)(end - at), at);
			if (*end == '\0')
				break;
		}
		mc_query_done(showing->query, MC_OK, NULL);
	}
	mc_wipe(text, ACCOUNT_DOCUMENT_SIZE);
	free(text);
	mc_wipe(&showing->account, sizeof(showing->account));
	free(showing);
}

static void
export_account(struct showing *showing, const struct tcapw_account *account)
{
	showing->account = *account;
	history_read(showing->acctserv, account->uid, 64, export_read,
	    showing);
}

void
account_export(void *state, struct mc_query *query)
{
	look_up(state, query, export_account);
}

/* account audit */

static const char *
kind_text(const struct entry *entry)
{
	static const char *const kinds[] = { "change", "new epoch", "gap" };
	static const char *const verbs[] = {
		"change", "create", "change", "delete", "reserve"
	};

	if (entry->what[0] != '\0')
		return entry->what;
	if (entry->kind > 0 && entry->kind < 3)
		return kinds[entry->kind];
	return entry->verb >= 0 && entry->verb < 5 ? verbs[entry->verb] :
	    "unknown";
}

static void
entries_show(struct mc_query *query, const struct history *history)
{
	char time[32];

	mc_query_columns(query, "entry", "time", "change", "uid", "what",
	    "by", NULL);
	for (size_t i = 0; i < history->count; i++) {
		const struct entry *entry = &history->entries[i];

		mc_query_row(query);
		mc_query_cell(query, "%llu",
		    (unsigned long long)entry->number);
		mc_query_cell(query, "%s", time_text(entry->time_ms, time,
		    sizeof(time)));
		mc_query_cell(query, "%llu", (unsigned long long)entry->seq);
		mc_query_cell(query, "%llu", (unsigned long long)entry->uid);
		mc_query_cell(query, "%s", kind_text(entry));
		mc_query_cell(query, "%s", entry->by);
	}
	if (history->all > history->count)
		mc_query_done(query, MC_OK, "the last %zu of %llu entries",
		    history->count, (unsigned long long)history->all);
	else
		mc_query_done(query, MC_OK, "%zu entr%s", history->count,
		    history->count == 1 ? "y" : "ies");
}

static void
audit_read(void *owner, const struct history *history)
{
	struct mc_query *query = owner;

	if (history->why != NULL)
		mc_query_done(query, MC_UNAVAILABLE,
		    "the audit log cannot be read: %s", history->why);
	else
		entries_show(query, history);
}

static void
audit_account(struct showing *showing, const struct tcapw_account *account)
{
	history_read(showing->acctserv, account->uid, ENTRIES_SHOWN,
	    audit_read, showing->query);
	free(showing);
}

void
account_audit(void *state, struct mc_query *query)
{
	const char *whose = mc_query_arg(query, 0);
	unsigned long long uid = 0;

	if (whose != NULL && strncmp(whose, "uid:", 4) != 0)
		look_up(state, query, audit_account);
	else if (whose != NULL && sscanf(whose, "uid:%llu", &uid) != 1)
		mc_query_done(query, MC_INVALID, "uid: and a number is "
		    "expected, or a name");
	else
		history_read(state, uid, ENTRIES_SHOWN, audit_read, query);
}
