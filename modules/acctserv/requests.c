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
#include <string.h>

#define FORGOTTEN_MS	2000	/* nobody is to time what it finds */

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

	if (((takes & TAKES_PROOF) != 0) != request->has_proof ||
	    ((takes & TAKES_NEW_PROOF) != 0) != request->has_new_proof)
		refuse(change, RESULT(BAD_REQUEST), "a password is missing, "
		    "or one too many");
	else if ((takes & TAKES_EMAIL) != 0 &&
	    (fault = mc_email_fault(request->email)) != NULL)
		change_refuse(change, MC_INVALID, RESULT(BAD_EMAIL),
		    "the e-mail address %s", fault);
	else if ((takes & TAKES_CODE) != 0 && !code_fold(request->code, code))
		change_refuse_code(change);
	else if ((takes & TAKES_MAILS) != 0 &&
	    change->acctserv->mail.ops == NULL)
		refuse(change, RESULT(NOT_ALLOWED), "this server sends no "
		    "mail: ask whoever runs it");
	else {
		if ((takes & TAKES_CODE) != 0)
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
	const struct verb *verb = verb_find(request->verb);
	char folded[MC_NAME_SIZE];
	const char *fault;
	struct change *change = change_of(acctserv, verb != NULL ?
	    &verb->act : &none, request, folded, &fault);

	change->question = question;
	change->asked = call;
	if (question != NULL)
		snprintf(change->peer, sizeof(change->peer), "%s",
		    question_peer(question));
	if (verb == NULL)
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
