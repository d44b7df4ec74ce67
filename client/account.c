/* SPDX-License-Identifier: MIT */
/*
 * account - changes of the own account while one is logged in.  The server
 * passes them on; the answer comes as the event changed.
 *
 * The password is asked for with each of them, and no more than its proof is
 * sent.  What was asked on a connection that breaks may have been done.
 */
#include "conversation.h"

#include <string.h>

static enum metacube_error
bad(struct metacube_client *client, enum metacube_error error)
{
	return fault_set(&client->fault, error, "%s",
	    metacube_error_text(error));
}

static enum metacube_error
text_check(struct metacube_client *client, const char *text, size_t max,
    const char *what)
{
	if (text[0] != '\0' && mc_text_valid(text, max))
		return METACUBE_OK;
	return fault_set(&client->fault, METACUBE_E_TEXT,
	    "%s must be plain text of 1 to %zu bytes", what, max);
}

/* Sends the request with the proof of the password, and forgets that. */
static enum metacube_error
change_ask(struct metacube_client *client, const char *password,
    Metacube__AccountRequest *request)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	uint8_t proof[METACUBE_PROOF_SIZE];
	enum metacube_error error;

	if (client->state != METACUBE_LOGGED_IN &&
	    client->state != METACUBE_IN_WORLD)
		return fault_set(&client->fault, METACUBE_E_STATE,
		    "log in before you change your account");
	error = metacube_proof(client->name, password, proof);
	if (error != METACUBE_OK)
		return bad(client, error);
	request->proof.data = proof;
	request->proof.len = sizeof(proof);
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = request;
	error = (enum metacube_error)talk_ask(client, METACUBE_ACCOUNT,
	    &envelope);
	explicit_bzero(proof, sizeof(proof));
	return error;
}

enum metacube_error
metacube_account_password(struct metacube_client *client, const char *password,
    const char *new_password)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[METACUBE_PROOF_SIZE];
	enum metacube_error error = metacube_new_proof(client->name,
	    new_password, proof);

	if (error != METACUBE_OK)
		return bad(client, error);
	request.verb = METACUBE__ACCOUNT_REQUEST__VERB__PASSWORD;
	request.new_proof.data = proof;
	request.new_proof.len = sizeof(proof);
	error = change_ask(client, password, &request);
	explicit_bzero(proof, sizeof(proof));
	return error;
}

enum metacube_error
metacube_account_email(struct metacube_client *client, const char *password,
    const char *email, bool is_private)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	enum metacube_error error = text_check(client, email,
	    METACUBE_EMAIL_MAX, "an e-mail address");

	if (error != METACUBE_OK)
		return error;
	request.verb = METACUBE__ACCOUNT_REQUEST__VERB__EMAIL;
	request.email = (char *)email;
	request.email_private = is_private;
	return change_ask(client, password, &request);
}

enum metacube_error
metacube_account_validate(struct metacube_client *client,
    const char *password, const char *code)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	enum metacube_error error = text_check(client, code,
	    METACUBE_CODE_MAX, "a code");

	if (error != METACUBE_OK)
		return error;
	request.verb = METACUBE__ACCOUNT_REQUEST__VERB__VALIDATE;
	request.code = (char *)code;
	return change_ask(client, password, &request);
}

enum metacube_error
metacube_account_resend(struct metacube_client *client, const char *password)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;

	request.verb = METACUBE__ACCOUNT_REQUEST__VERB__RESEND;
	return change_ask(client, password, &request);
}

enum metacube_error
metacube_account_delete(struct metacube_client *client, const char *password)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;

	request.verb = METACUBE__ACCOUNT_REQUEST__VERB__DELETE;
	return change_ask(client, password, &request);
}

bool
account_unanswered(struct metacube_client *client)
{
	if (!talk_was_asked(client, METACUBE_ACCOUNT))
		return false;
	client->asked = 0;
	client->answer_by = UINT64_MAX;
	TELL(client, changed, METACUBE_C_UNCERTAIN, "the connection was lost "
	    "before the answer: perhaps it is done, perhaps not", 0);
	return client->state == METACUBE_IDLE;
}
