/* SPDX-License-Identifier: MIT */
/*
 * account - account requests and their answers, between records and the wire
 * (metacube/account.h).  Everybody who passes them on uses this, so that a
 * limit is the same wherever a request comes through.
 */
#include <metacube/account.h>
#include <metacube/host.h>

#include <stdio.h>
#include <string.h>

#define RETRY_MS	5000

static bool
text_read(char *to, size_t size, const char *from)
{
	return mc_text_valid(from, size - 1) &&
	    snprintf(to, size, "%s", from) < (int)size;
}

static bool
proof_read(uint8_t to[ACCOUNT_PROOF_SIZE], bool *has_r,
    const ProtobufCBinaryData *from)
{
	*has_r = from->len > 0;
	if (!*has_r)
		return true;
	if (from->len != ACCOUNT_PROOF_SIZE)
		return false;
	memcpy(to, from->data, ACCOUNT_PROOF_SIZE);
	return true;
}

bool
mc_account_request_read(const Metacube__AccountRequest *message,
    struct account_request *request)
{
	memset(request, 0, sizeof(*request));
	request->verb = message->verb;
	request->email_private = message->email_private;
	request->playing = message->playing;
	if (text_read(request->name, sizeof(request->name), message->name) &&
	    text_read(request->email, sizeof(request->email),
	    message->email) &&
	    text_read(request->code, sizeof(request->code), message->code) &&
	    text_read(request->address, sizeof(request->address),
	    message->address) &&
	    text_read(request->by, sizeof(request->by), message->by) &&
	    proof_read(request->proof, &request->has_proof,
	    &message->proof) &&
	    proof_read(request->new_proof, &request->has_new_proof,
	    &message->new_proof))
		return true;
	mc_wipe(request, sizeof(*request));
	return false;
}

void
mc_account_request_fill(const struct account_request *request,
    Metacube__AccountRequest *message)
{
	metacube__account_request__init(message);
	message->verb = (Metacube__AccountRequest__Verb)request->verb;
	message->name = (char *)request->name;
	message->email = (char *)request->email;
	message->email_private = request->email_private;
	message->code = (char *)request->code;
	message->address = (char *)request->address;
	message->by = (char *)request->by;
	message->playing = request->playing;
	if (request->has_proof) {
		message->proof.data = (uint8_t *)request->proof;
		message->proof.len = ACCOUNT_PROOF_SIZE;
	}
	if (request->has_new_proof) {
		message->new_proof.data = (uint8_t *)request->new_proof;
		message->new_proof.len = ACCOUNT_PROOF_SIZE;
	}
}

/* JSON has line ends, so it is only measured. */
static bool
document_read(char to[ACCOUNT_DOCUMENT_SIZE], const char *from)
{
	return snprintf(to, ACCOUNT_DOCUMENT_SIZE, "%s", from) <
	    ACCOUNT_DOCUMENT_SIZE;
}

bool
mc_account_answer_read(const Metacube__AccountAnswer *message,
    struct account_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->result = message->result;
	answer->retry_ms = message->retry_ms;
	answer->pointer.seq = message->seq;
	if (message->seq > 0) {
		if (message->epoch.len != sizeof(answer->pointer.epoch))
			return false;
		memcpy(answer->pointer.epoch, message->epoch.data,
		    sizeof(answer->pointer.epoch));
	}
	return answer->result > METACUBE__ACCOUNT_ANSWER__RESULT__NONE &&
	    text_read(answer->text, sizeof(answer->text), message->text) &&
	    text_read(answer->display, sizeof(answer->display),
	    message->display) &&
	    document_read(answer->document, message->document);
}

void
mc_account_answer_fill(const struct account_answer *answer,
    Metacube__AccountAnswer *message)
{
	metacube__account_answer__init(message);
	message->result = (Metacube__AccountAnswer__Result)answer->result;
	message->text = (char *)answer->text;
	message->retry_ms = answer->retry_ms;
	message->display = (char *)answer->display;
	message->document = (char *)answer->document;
	message->seq = answer->pointer.seq;
	if (message->seq > 0) {
		message->epoch.data = (uint8_t *)answer->pointer.epoch;
		message->epoch.len = sizeof(answer->pointer.epoch);
	}
}

bool
mc_account_verb_playing(int verb)
{
	switch (verb) {
	case METACUBE__ACCOUNT_REQUEST__VERB__PASSWORD:
	case METACUBE__ACCOUNT_REQUEST__VERB__EMAIL:
	case METACUBE__ACCOUNT_REQUEST__VERB__VALIDATE:
	case METACUBE__ACCOUNT_REQUEST__VERB__DELETE:
	case METACUBE__ACCOUNT_REQUEST__VERB__RESEND:
		return true;
	default:
		return false;
	}
}

void
mc_account_answer_failed(enum mc_status status, struct account_answer *answer)
{
	bool untouched = status == MC_UNAVAILABLE || status == MC_BUSY ||
	    status == MC_INVALID || status == MC_DENIED;

	memset(answer, 0, sizeof(*answer));
	answer->result = untouched ?
	    METACUBE__ACCOUNT_ANSWER__RESULT__TRY_LATER :
	    METACUBE__ACCOUNT_ANSWER__RESULT__UNCERTAIN;
	answer->retry_ms = untouched ? RETRY_MS : 0;
	snprintf(answer->text, sizeof(answer->text), "%s", untouched ?
	    "accounts cannot be changed just now: try later; nothing was "
	    "changed" :
	    "the account server has not answered in time: perhaps it is "
	    "done, perhaps not");
}
