/* SPDX-License-Identifier: MIT */
/*
 * What is said to whoever has asked for a change, once: an operator, a module,
 * or somebody behind a listener.
 */
#include "change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
request_answer(struct change *change, int result, const char *text)
{
	struct account_answer *answer = mc_zalloc(sizeof(*answer));

	answer->result = result;
	answer->retry_ms = change->retry_ms;
	snprintf(answer->text, sizeof(answer->text), "%s", text);
	if (result == RESULT(DONE)) {
		answer->pointer = change->pointer;
		strcpy(answer->display, change->display);
		if (change->document != NULL)
			snprintf(answer->document, sizeof(answer->document),
			    "%s", change->document);
	}
	if (change->question != NULL)
		question_answered(change->question, answer);
	else
		mc_call_done(change->asked, MC_OK, answer, sizeof(*answer));
	mc_wipe(answer, sizeof(*answer));
	free(answer);
}

void
change_answer(struct change *change, enum mc_status status, int result,
    const char *text)
{
	if (change->query != NULL)
		mc_query_done(change->query, status, "%s", text);
	else if (change->renewing != NULL)
		mc_call_done(change->renewing, status, NULL, 0);
	else if (change->question != NULL || change->asked != NULL)
		request_answer(change, result, text);
	change->query = NULL;
	change->renewing = change->asked = NULL;
	change->question = NULL;
}

/* The fault is in what was asked, not in the moment. */
static bool
is_judged(enum mc_status status)
{
	return status == MC_INVALID || status == MC_DENIED ||
	    status == MC_NOT_FOUND || status == MC_EXISTS;
}

void
change_refuse(struct change *change, enum mc_status status, int result,
    const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mc_count(change->acctserv->host, "refused", 1);
	if (change->query != NULL && is_judged(status))
		audit_refused(change->acctserv, change->act->what,
		    change->request.by, change->before.uid, status);
	change_answer(change, status, result, text);
	change_end(change);
}

void
change_promise(struct change *change, const char *text)
{
	strcpy(change->display, "");	/* not even that */
	change_answer(change, MC_OK, RESULT(DONE), text);
}
