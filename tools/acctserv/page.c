/* SPDX-License-Identifier: MIT */
/*
 * page - see page.h.
 *
 *	POST --> parse --> token --> check the fields --> ask --> answer
 *	            |         |             |                       |
 *	            v         v             +--> the form again <---+
 *	           400       403                 422, 503
 *
 * Nothing but a POST does anything: links in mails are followed by programs
 * that look for harm, and these only GET.
 */
#include "page.h"

#include <metacube/client.h>
#include <metacube/name.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define RETRY_S		10	/* when the account server does not say */

#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name
#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name
#define TEXTS(name) \
	.title = T_##name##_TITLE, .intro = T_##name##_INTRO, \
	.button = T_##name##_BUTTON, .about = T_##name##_ABOUT, \
	.done = T_##name##_DONE

static const struct page table[] = {
	{ "/register", VERB(CREATE), TEXTS(REGISTER),
	  .group = T_GROUP_NEW,
	  .uses = { { FIELD_NAME, T_NONE, T_NAME_HINT }, { FIELD_EMAIL },
	    { FIELD_NEW, T_PASSWORD },
	    { FIELD_AGAIN, T_PASSWORD_AGAIN } },
	  .proof = FIELD_NEW, .next = "/activate" },
	{ "/activate", VERB(ACTIVATE), TEXTS(ACTIVATE),
	  .uses = { { FIELD_NAME }, { FIELD_CODE }, { FIELD_PASSWORD } },
	  .proof = FIELD_PASSWORD, .linked = true },
	{ "/resend", VERB(RESEND), TEXTS(RESEND),
	  .uses = { { FIELD_NAME }, { FIELD_PASSWORD } },
	  .proof = FIELD_PASSWORD },
	{ "/check", VERB(CHECK), TEXTS(CHECK),
	  .group = T_GROUP_PASSWORD,
	  .uses = { { FIELD_NAME }, { FIELD_PASSWORD } },
	  .proof = FIELD_PASSWORD, .harmless = true },
	{ "/password", VERB(PASSWORD), TEXTS(PASSWORD),
	  .uses = { { FIELD_NAME }, { FIELD_PASSWORD, T_PASSWORD_OLD },
	    { FIELD_NEW }, { FIELD_AGAIN } },
	  .proof = FIELD_PASSWORD, .new_proof = true },
	{ "/forgotten", VERB(FORGOTTEN), TEXTS(FORGOTTEN),
	  .uses = { { FIELD_NAME },
	    { FIELD_EMAIL, T_NONE, T_EMAIL_OLD_HINT } } },
	{ "/reset", VERB(RESET), TEXTS(RESET),
	  .uses = { { FIELD_NAME }, { FIELD_CODE }, { FIELD_NEW },
	    { FIELD_AGAIN } },
	  .new_proof = true, .linked = true },
	{ "/email", VERB(EMAIL), TEXTS(EMAIL),
	  .group = T_GROUP_EMAIL,
	  .uses = { { FIELD_NAME }, { FIELD_PASSWORD },
	    { FIELD_EMAIL, T_EMAIL_NEW, T_EMAIL_NEW_HINT },
	    { FIELD_PRIVATE } },
	  .proof = FIELD_PASSWORD, .next = "/validate" },
	{ "/validate", VERB(VALIDATE), TEXTS(CONFIRM),
	  .uses = { { FIELD_NAME }, { FIELD_CODE }, { FIELD_PASSWORD } },
	  .proof = FIELD_PASSWORD, .linked = true },
	{ "/export", VERB(EXPORT), TEXTS(EXPORT),
	  .group = T_GROUP_DATA,
	  .uses = { { FIELD_NAME }, { FIELD_PASSWORD } },
	  .proof = FIELD_PASSWORD, .harmless = true },
	{ "/delete", VERB(DELETE), TEXTS(DELETE),
	  .uses = { { FIELD_NAME }, { FIELD_PASSWORD }, { FIELD_SURE } },
	  .proof = FIELD_PASSWORD, .grave = true },
	{ NULL }
};

const struct page *
pages(void)
{
	return table;
}

const struct page *
page_find(const char *path)
{
	for (const struct page *page = table; page->path != NULL; page++)
		if (strcmp(page->path, path) == 0)
			return page;
	return NULL;
}

static bool
has_field(const struct page *page, enum field_id id)
{
	for (const struct use *use = page->uses; use->id != FIELD_NONE; use++)
		if (use->id == id)
			return true;
	return false;
}

/* -- the cookie, and the form that goes with it ---------------------------- */

/* __Host-: browsers take it only over HTTPS and from this very host. */
static const char *
cookie_name(const struct visit *visit)
{
	return visit->request->https ? "__Host-metacube" : "metacube";
}

static bool
cookie_give(struct visit *visit)
{
	char header[128];

	if (!token_cookie_make(visit->cookie))
		return false;
	snprintf(header, sizeof(header), "%s=%s; Path=/; HttpOnly; "
	    "SameSite=Strict%s", cookie_name(visit), visit->cookie,
	    visit->request->https ? "; Secure" : "");
	reply_header(&visit->reply, "Set-Cookie", header);
	return true;
}

static bool
cookie_take(struct visit *visit)
{
	return token_cookie_find(visit->request->cookie, cookie_name(visit),
	    visit->cookie);
}

static void
form_show(struct visit *visit, unsigned status)
{
	char token[TOKEN_SIZE];

	visit->reply.status = status;
	if ((!cookie_take(visit) && !cookie_give(visit)) ||
	    !token_make(&visit->site->key, visit->cookie, visit->page->path,
	    time(NULL), token))
		page_message(visit, 500, T_BROKEN_TITLE, T_BROKEN);
	else
		paint_form(visit, token);
}

/* As if it had never been filled in, but for these. */
static void
values_forget(struct visit *visit, const char *name, const char *code)
{
	for (int id = 0; id < FIELD_COUNT; id++)
		visit->values.of[id] = "";
	visit->values.of[FIELD_NAME] = name;
	visit->values.of[FIELD_CODE] = code;
}

void
page_message(struct visit *visit, unsigned status, enum text title,
    enum text what)
{
	visit->reply.status = status;
	html_clear(&visit->reply.body);
	paint_message(visit, title, what, false);
}

void
page_show(struct visit *visit)
{
	char query[QUERY_MAX + 1];
	size_t len = strlen(visit->request->query);
	struct form form = { 0 };

	if (visit->page->linked) {
		memcpy(query, visit->request->query, len);
		if (form_parse(query, len, &form) != FORM_FINE) {
			page_message(visit, 400, T_BAD_REQUEST_TITLE,
			    T_BAD_REQUEST);
			return;
		}
	}
	values_read(&form, &visit->values);
	values_forget(visit, visit->values.of[FIELD_NAME],
	    visit->values.of[FIELD_CODE]);
	form_show(visit, 200);
	explicit_bzero(query, sizeof(query));
}

/* -- what comes back ------------------------------------------------------- */

/* Browsers that say where a form comes from must say that it is from here. */
static enum token_fault
token_take(struct visit *visit, const struct form *form)
{
	const char *site = visit->request->fetch_site;
	const char *token = form_value(form, "token");

	if ((site[0] != '\0' && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0) || token == NULL || !cookie_take(visit))
		return TOKEN_WRONG;
	return token_check(&visit->site->key, visit->cookie,
	    visit->page->path, time(NULL), token);
}

static bool
token_right(struct visit *visit, const struct form *form)
{
	enum token_fault fault = token_take(visit, form);

	if (fault == TOKEN_FINE)
		return true;
	visit->trouble = T_TOKEN_EXPIRED;
	if (fault == TOKEN_WRONG) {
		visit->trouble = T_TOKEN_WRONG;
		values_forget(visit, "", "");
	}
	form_show(visit, 403);
	return false;
}

static bool
fields_right(struct visit *visit)
{
	const struct use *use;
	bool right = true;

	for (use = visit->page->uses; use->id != FIELD_NONE; use++) {
		visit->faults[use->id] = field_fault(use->id, &visit->values);
		right = right && visit->faults[use->id] == T_NONE;
	}
	return right;
}

static enum text
text_of(Metacube__AccountAnswer__Result result)
{
	switch (result) {
	case RESULT(NOT_ACTIVATED):
		return T_NOT_ACTIVATED;
	case RESULT(ALREADY_ACTIVATED):
		return T_ALREADY_ACTIVATED;
	case RESULT(LOCKED):
		return T_LOCKED;
	case RESULT(NOT_ALLOWED):
		return T_NOT_ALLOWED;
	default:
		return T_REFUSED;
	}
}

/* Beside the field where it can be put right; FIELD_NONE: nowhere. */
static enum field_id
field_blamed(Metacube__AccountAnswer__Result result, enum text *why_r)
{
	switch (result) {
	case RESULT(UNKNOWN_NAME):
	case RESULT(WRONG_PASSWORD):
		*why_r = T_PASSWORD_WRONG;
		return FIELD_PASSWORD;
	case RESULT(NAME_TAKEN):
		*why_r = T_NAME_TAKEN;
		return FIELD_NAME;
	case RESULT(BAD_NAME):
		*why_r = T_NAME_BAD;
		return FIELD_NAME;
	case RESULT(BAD_EMAIL):
		*why_r = T_EMAIL_BAD;
		return FIELD_EMAIL;
	case RESULT(BAD_CODE):
		*why_r = T_CODE_BAD;
		return FIELD_CODE;
	default:
		return FIELD_NONE;
	}
}

static void
refused(struct visit *visit, Metacube__AccountAnswer__Result result)
{
	enum text why;
	enum field_id id = field_blamed(result, &why);

	if (id == FIELD_NONE || !has_field(visit->page, id))
		visit->trouble = text_of(result);
	else
		visit->faults[id] = why;
	form_show(visit, 422);
}

static void
postponed(struct visit *visit, unsigned retry_s)
{
	char seconds[16];

	snprintf(seconds, sizeof(seconds), "%u",
	    retry_s == 0 ? RETRY_S : retry_s);
	reply_header(&visit->reply, "Retry-After", seconds);
	visit->trouble = T_TRY_LATER;
	visit->wait_s = retry_s;
	form_show(visit, 503);
}

static void
uncertain(struct visit *visit)
{
	if (visit->page->harmless)
		postponed(visit, 0);
	else {
		visit->trouble = T_UNCERTAIN;
		form_show(visit, 504);
	}
}

static void
document_send(struct visit *visit, const char *document)
{
	char folded[MC_NAME_SIZE], header[128];
	struct reply *reply = &visit->reply;

	if (mc_name_fold(visit->values.of[FIELD_NAME], folded) != NULL)
		folded[0] = '\0';
	snprintf(header, sizeof(header), "attachment; "
	    "filename=\"metacube-%s.json\"", folded);
	reply_header(reply, "Content-Disposition", header);
	reply_header(reply, "Content-Type", "application/json");
	html_add(&reply->body, document, strlen(document));
}

static void
done(struct visit *visit, const struct answer *answer)
{
	const struct page *page = visit->page;

	visit->reply.status = 200;
	if (answer->document != NULL)
		document_send(visit, answer->document);
	else if (page->next == NULL)
		paint_message(visit, page->title, page->done, true);
	else {
		visit->news = page->done;
		visit->page = page_find(page->next);
		values_forget(visit, visit->values.of[FIELD_NAME], "");
		form_show(visit, 200);
	}
}

static void
answered(struct visit *visit, const struct answer *answer)
{
	switch (answer->result) {
	case RESULT(DONE):
		done(visit, answer);
		break;
	case RESULT(TRY_LATER):
		postponed(visit, answer->retry_s);
		break;
	case RESULT(UNCERTAIN):
		uncertain(visit);
		break;
	case RESULT(UNKNOWN_NAME):
		/* who has forgotten a password learns no names, either */
		if (visit->page->verb == VERB(FORGOTTEN)) {
			done(visit, answer);
			break;
		}
		/* fallthrough */
	default:
		refused(visit, answer->result);
	}
}

/* -- the question ---------------------------------------------------------- */

/* The fields were checked: a proof can be made of them. */
static void
proof_put(const struct visit *visit, enum field_id id,
    uint8_t proof[METACUBE_PROOF_SIZE], ProtobufCBinaryData *data)
{
	metacube_proof(visit->values.of[FIELD_NAME], visit->values.of[id],
	    proof);
	data->data = proof;
	data->len = METACUBE_PROOF_SIZE;
}

/* protobuf-c has no const. */
static char *
string(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
ask(struct visit *visit, struct answer *answer)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[METACUBE_PROOF_SIZE], new_proof[METACUBE_PROOF_SIZE];
	const struct page *page = visit->page;
	const struct values *values = &visit->values;

	request.verb = page->verb;
	request.name = string(values->of[FIELD_NAME]);
	if (has_field(page, FIELD_EMAIL))
		request.email = string(values->of[FIELD_EMAIL]);
	if (has_field(page, FIELD_CODE))
		request.code = string(values->of[FIELD_CODE]);
	request.email_private = has_field(page, FIELD_PRIVATE) &&
	    value_ticked(values, FIELD_PRIVATE);
	request.address = string(visit->request->address);
	request.by = string("web");
	if (page->proof != FIELD_NONE)
		proof_put(visit, page->proof, proof, &request.proof);
	if (page->new_proof)
		proof_put(visit, FIELD_NEW, new_proof, &request.new_proof);
	visit->site->ask(visit->site->owner, &request, answer);
	explicit_bzero(proof, sizeof(proof));
	explicit_bzero(new_proof, sizeof(new_proof));
}

void
page_take(struct visit *visit, char *body, size_t len)
{
	struct answer answer = { 0 };
	struct form form;
	enum form_fault fault = form_parse(body, len, &form);

	if (fault == FORM_TOO_MUCH)
		page_message(visit, 413, T_TOO_LONG_TITLE, T_TOO_LONG);
	else if (fault != FORM_FINE)
		page_message(visit, 400, T_BAD_REQUEST_TITLE, T_BAD_REQUEST);
	if (fault != FORM_FINE)
		return;
	values_read(&form, &visit->values);
	if (!token_right(visit, &form))
		return;
	if (!fields_right(visit)) {
		form_show(visit, 422);
		return;
	}
	ask(visit, &answer);
	answered(visit, &answer);
	answer_clear(&answer);
}
