/* SPDX-License-Identifier: MIT */
/*
 * acctserv: what people ask for gets the answer that it should, and what the
 * store, the queue or the mail cannot do is said as it is.
 */
#include "acctserv_rig.h"

#include "scratch.h"

#include "../../modules/acctserv/acctserv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const people[] = { "joe", "amanda", NULL };

#define ASK(verb, name, password, new, email, code) \
	(rig_ask(VERB(verb), name, password, new, email, code)->result)

static void
creates(void)
{
	struct tcapw_account zoe;
	char code[32];

	rig_open(true, people);
	CU_ASSERT_EQUAL(ASK(CREATE, "Zoe", "z", NULL, "z@example.com", NULL),
	    RESULT(DONE));
	CU_ASSERT_TRUE_FATAL(rig_account("zoe", &zoe));
	CU_ASSERT_EQUAL(zoe.uid, 3);
	CU_ASSERT_EQUAL(zoe.flags, TCAPW_INACTIVE);
	CU_ASSERT_STRING_EQUAL(zoe.display, "Zoe");
	CU_ASSERT_STRING_EQUAL(rig.last.what, "create");
	CU_ASSERT_STRING_EQUAL(rig.last.by, "test");
	CU_ASSERT_STRING_EQUAL(rig.last_mail.to, "z@example.com");
	CU_ASSERT_EQUAL(rig.durable_at_mail, 0);	/* mail first */
	strcpy(code, rig_code());
	CU_ASSERT_EQUAL(strlen(code), 26);
	CU_ASSERT_EQUAL(ASK(CHECK, "zoe", "z", NULL, NULL, NULL),
	    RESULT(NOT_ACTIVATED));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "zoe", "z", "y", NULL, NULL),
	    RESULT(NOT_ACTIVATED));
	CU_ASSERT_EQUAL(ASK(ACTIVATE, "zoe", "z", NULL, NULL,
	    "AAAAAAAAAAAAAAAAAAAAAAAAAA"), RESULT(BAD_CODE));
	CU_ASSERT_EQUAL(ASK(ACTIVATE, "zoe", "z", NULL, NULL, "short"),
	    RESULT(BAD_CODE));
	CU_ASSERT_EQUAL(ASK(ACTIVATE, "zoe", "z", NULL, NULL, code),
	    RESULT(DONE));
	CU_ASSERT_TRUE_FATAL(rig_account("zoe", &zoe));
	CU_ASSERT_EQUAL(zoe.flags, TCAPW_EMAIL_VALID);
	CU_ASSERT_EQUAL(zoe.code_for, TCAPW_CODE_NONE);
	CU_ASSERT_EQUAL(ASK(ACTIVATE, "zoe", "z", NULL, NULL, code),
	    RESULT(ALREADY_ACTIVATED));
	CU_ASSERT_EQUAL(ASK(CHECK, "zoe", "z", NULL, NULL, NULL),
	    RESULT(DONE));
	rig_close();
}

static void
names_are_refused(void)
{
	static const struct { const char *name; int result; } names[] = {
		{ "joe", RESULT(NAME_TAKEN) }, { "JOE", RESULT(NAME_TAKEN) },
		{ "j0e", RESULT(NAME_TAKEN) }, { "j.o-e", RESULT(NAME_TAKEN) },
		{ "arnanda", RESULT(NAME_TAKEN) },
		{ "Adm1n", RESULT(NAME_TAKEN) }, { "r00t", RESULT(NAME_TAKEN) },
		{ "x", RESULT(BAD_NAME) }, { "", RESULT(BAD_NAME) },
		{ "j\xc3\xb6", RESULT(BAD_NAME) }
	};

	rig_open(true, people);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_EQUAL(ASK(CREATE, names[i].name, "z", NULL,
		    "z@example.com", NULL), names[i].result);
	CU_ASSERT_EQUAL(rig.durable, 0);
	CU_ASSERT_EQUAL(rig.mails, 0);
	CU_ASSERT_EQUAL(ASK(DELETE, "joe", "p", NULL, NULL, NULL),
	    RESULT(DONE));
	CU_ASSERT_STRING_EQUAL(rig.last.account.email, "");
	CU_ASSERT_EQUAL(ASK(CREATE, "j0e", "z", NULL, "z@example.com", NULL),
	    RESULT(DONE));
	CU_ASSERT_EQUAL(ASK(CREATE, "joe", "z", NULL, "z@example.com", NULL),
	    RESULT(NAME_TAKEN));
	rig_close();
}

static void
passwords(void)
{
	rig_open(true, people);
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "x", "n", NULL, NULL),
	    RESULT(WRONG_PASSWORD));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "nobody", "p", "n", NULL, NULL),
	    RESULT(WRONG_PASSWORD));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", "n", NULL, NULL),
	    RESULT(DONE));
	CU_ASSERT_TRUE(rig.last.new_verifier);
	CU_ASSERT_FALSE(rig.last.keep_sessions);
	CU_ASSERT_EQUAL(rig.last.account.generation, 1);
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "p", NULL, NULL, NULL),
	    RESULT(WRONG_PASSWORD));
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "n", NULL, NULL, NULL),
	    RESULT(DONE));
	rig_close();
}

static void
emails(void)
{
	struct tcapw_account joe;
	char code[32], old[32];

	rig_open(true, people);
	CU_ASSERT_EQUAL(ASK(EMAIL, "joe", "p", NULL, "no address", NULL),
	    RESULT(BAD_EMAIL));
	CU_ASSERT_EQUAL(ASK(RESEND, "joe", "p", NULL, NULL, NULL),
	    RESULT(ALREADY_ACTIVATED));
	CU_ASSERT_EQUAL(ASK(EMAIL, "joe", "p", NULL, "new@example.com",
	    NULL), RESULT(DONE));
	CU_ASSERT_STRING_EQUAL(rig.last_mail.to, "new@example.com");
	strcpy(old, rig_code());
	rig_account("joe", &joe);
	CU_ASSERT_STRING_EQUAL(joe.email, "joe@example.com");
	CU_ASSERT_STRING_EQUAL(joe.new_email, "new@example.com");
	CU_ASSERT_EQUAL(ASK(RESEND, "joe", "p", NULL, NULL, NULL),
	    RESULT(DONE));
	strcpy(code, rig_code());
	CU_ASSERT_EQUAL(ASK(VALIDATE, "joe", "p", NULL, NULL, old),
	    RESULT(BAD_CODE));
	CU_ASSERT_EQUAL(ASK(RESET, "joe", NULL, "n", NULL, code),
	    RESULT(BAD_CODE));
	CU_ASSERT_EQUAL(ASK(VALIDATE, "joe", "p", NULL, NULL, code),
	    RESULT(DONE));
	rig_account("joe", &joe);
	CU_ASSERT_STRING_EQUAL(joe.email, "new@example.com");
	CU_ASSERT_STRING_EQUAL(joe.new_email, "");
	CU_ASSERT_EQUAL(ASK(EMAIL, "joe", "p", NULL, "new@example.com",
	    NULL), RESULT(DONE));
	CU_ASSERT_EQUAL(rig.mails, 2);		/* it was its own */
	rig_close();
}

static void
forgets(void)
{
	struct account_answer fits, other;
	char code[32];

	rig_open(true, people);
	other = *rig_ask(VERB(FORGOTTEN), "joe", NULL, NULL,
	    "amanda@example.com", NULL);
	stage_pass(3000);
	CU_ASSERT_EQUAL(rig.mails, 0);
	fits = *rig_ask(VERB(FORGOTTEN), "joe", NULL, NULL,
	    "JOE@example.com", NULL);
	CU_ASSERT_EQUAL(memcmp(&fits, &other, sizeof(fits)), 0);
	CU_ASSERT_EQUAL(fits.result, RESULT(DONE));
	stage_pass(3000);
	CU_ASSERT_EQUAL_FATAL(rig.mails, 1);
	strcpy(code, rig_code());
	CU_ASSERT_EQUAL(ASK(RESET, "amanda", NULL, "n", NULL, code),
	    RESULT(BAD_CODE));
	CU_ASSERT_EQUAL(ASK(RESET, "joe", NULL, "n", NULL, code),
	    RESULT(DONE));
	CU_ASSERT_TRUE(rig.last.new_verifier);
	CU_ASSERT_EQUAL(ASK(RESET, "joe", NULL, "m", NULL, code),
	    RESULT(BAD_CODE));
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "n", NULL, NULL, NULL),
	    RESULT(DONE));
	rig_ask(VERB(FORGOTTEN), "joe", NULL, NULL, "joe@example.com", NULL);
	stage_pass(3000);
	strcpy(code, rig_code());
	stage_pass(1800000);			/* half an hour is too late */
	CU_ASSERT_EQUAL(ASK(RESET, "joe", NULL, "m", NULL, code),
	    RESULT(BAD_CODE));
	rig_ask(VERB(FORGOTTEN), "joe", NULL, NULL, "joe@example.com", NULL);
	stage_pass(3000);
	strcpy(code, rig_code());
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "n", "m", NULL, NULL),
	    RESULT(DONE));			/* remembered after all */
	CU_ASSERT_EQUAL(ASK(RESET, "joe", NULL, "x", NULL, code),
	    RESULT(BAD_CODE));
	rig_close();
}

static void
exports(void)
{
	const struct account_answer *answer;

	rig_open(true, people);
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", "n", NULL, NULL),
	    RESULT(DONE));
	stage_pass(1000);			/* to the audit log */
	answer = rig_ask(VERB(EXPORT), "joe", "n", NULL, NULL, NULL);
	CU_ASSERT_EQUAL(answer->result, RESULT(DONE));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer->document,
	    "\"email\": \"joe@example.com\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer->document,
	    "\"what\": \"password\", \"by\": \"test\""));
	CU_ASSERT_PTR_NULL(strstr(answer->document, "$y$"));
	rig_close();
}

/* Whatever they have in them, it stays JSON. */
static void
escapes(void)
{
	struct tcapw_account joe = { .name = "joe", .display = "Joe" };
	struct entry entry = { .what = "lock", .by = "a \"b\" c\\" };
	struct history history = { .count = 1, .all = 1, .entries = &entry };
	char document[4096];

	export_write(&joe, &history, document, sizeof(document));
	CU_ASSERT_PTR_NOT_NULL(strstr(document, "\"what\": \"lock\", "
	    "\"by\": \"a \\\"b\\\" c\\\\\"}\n  ]\n}\n"));
}

static void
malformed(void)
{
	rig_open(true, people);
	CU_ASSERT_EQUAL(rig_ask(0, "joe", NULL, NULL, NULL, NULL)->result,
	    RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(rig_ask(99, "joe", NULL, NULL, NULL, NULL)->result,
	    RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(rig_ask(-1, "joe", NULL, NULL, NULL, NULL)->result,
	    RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", NULL, NULL, NULL, NULL),
	    RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "p", "p", NULL, NULL),
	    RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", NULL, NULL, NULL),
	    RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(ASK(CREATE, "zoe", NULL, NULL, "z@example.com",
	    NULL), RESULT(BAD_REQUEST));
	CU_ASSERT_EQUAL(rig.durable, 0);
	rig_close();
}

/* Honest when something is away: nothing was changed. */
static void
nothing_is_half_done(void)
{
	rig_open(true, people);
	rig.lookup = MC_UNAVAILABLE;
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", "n", NULL, NULL),
	    RESULT(TRY_LATER));
	rig.lookup = MC_OK;
	rig.mail = MC_BUSY;
	CU_ASSERT_EQUAL(ASK(CREATE, "zoe", "z", NULL, "z@example.com", NULL),
	    RESULT(TRY_LATER));
	CU_ASSERT_EQUAL(ASK(EMAIL, "joe", "p", NULL, "n@example.com", NULL),
	    RESULT(TRY_LATER));
	rig.mail = MC_OK;
	rig.append = MC_BUSY;
	CU_ASSERT_EQUAL(ASK(CREATE, "zoe", "z", NULL, "z@example.com", NULL),
	    RESULT(TRY_LATER));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", "n", NULL, NULL),
	    RESULT(TRY_LATER));
	CU_ASSERT_EQUAL(rig.durable, 0);
	rig.append = MC_OK;
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "p", NULL, NULL, NULL),
	    RESULT(DONE));
	CU_ASSERT_EQUAL(ASK(CREATE, "zoe", "z", NULL, "z@example.com", NULL),
	    RESULT(DONE));
	CU_ASSERT_EQUAL(stage_count("pending"), 0);
	rig_close();
}

static void
without_mail(void)
{
	rig_open(false, people);
	CU_ASSERT_EQUAL(ASK(CREATE, "zoe", "z", NULL, "z@example.com", NULL),
	    RESULT(NOT_ALLOWED));
	CU_ASSERT_EQUAL(ASK(FORGOTTEN, "joe", NULL, NULL, "joe@example.com",
	    NULL), RESULT(NOT_ALLOWED));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", "n", NULL, NULL),
	    RESULT(DONE));
	rig_close();
}

/* The queue does not say: nor do we, until it is done. */
static void
uncertain(void)
{
	struct rig_call first, behind, other;

	rig_open(true, people);
	rig.append_silent = true;
	rig_begin(&first, VERB(PASSWORD), "joe", "p", "n", NULL, NULL);
	stage_pass(0);
	rig_begin(&behind, VERB(CHECK), "joe", "p", NULL, NULL, NULL);
	stage_pass(9999);
	CU_ASSERT_EQUAL(first.answer.result, 0);
	CU_ASSERT_EQUAL(behind.answer.result, 0);
	stage_pass(1);
	stage_pass(0);
	CU_ASSERT_TRUE(first.answer.result == RESULT(UNCERTAIN) ||
	    first.status == MC_UNCERTAIN);
	CU_ASSERT_TRUE(behind.answer.result == RESULT(TRY_LATER) ||
	    behind.status == MC_UNCERTAIN);
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "p", NULL, NULL, NULL),
	    RESULT(TRY_LATER));
	rig_begin(&other, VERB(CHECK), "amanda", "p", NULL, NULL, NULL);
	stage_pass(0);
	CU_ASSERT_EQUAL(other.answer.result, RESULT(DONE));
	rig.append_silent = false;
	stage_pass(1000);
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "n", NULL, NULL, NULL),
	    RESULT(DONE));
	rig_close();
}

/* One after the other, also of names that look alike; others beside them. */
static void
turns(void)
{
	struct rig_call first, second, third;

	rig_open(true, people);
	rig_begin(&first, VERB(CREATE), "zoe", "z", NULL, "z@example.com",
	    NULL);
	rig_begin(&second, VERB(CREATE), "z0e", "z", NULL, "z@example.com",
	    NULL);
	rig_begin(&third, VERB(CREATE), "nina", "n", NULL, "n@example.com",
	    NULL);
	stage_pass(0);
	CU_ASSERT_EQUAL(first.answer.result, RESULT(DONE));
	CU_ASSERT_EQUAL(second.answer.result, RESULT(NAME_TAKEN));
	CU_ASSERT_EQUAL(third.answer.result, RESULT(DONE));
	CU_ASSERT_EQUAL(rig.durable, 2);
	rig_close();
}

static void
guesses(void)
{
	const struct account_answer *answer;

	rig_open(true, people);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(ASK(CHECK, "joe", "x", NULL, NULL, NULL),
		    RESULT(WRONG_PASSWORD));
	answer = rig_ask(VERB(CHECK), "joe", "p", NULL, NULL, NULL);
	CU_ASSERT_EQUAL(answer->result, RESULT(TRY_LATER));
	CU_ASSERT_TRUE(answer->retry_ms > 0 && answer->retry_ms <= 1000);
	CU_ASSERT_EQUAL(ASK(CHECK, "amanda", "p", NULL, NULL, NULL),
	    RESULT(DONE));
	stage_pass(1000);
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "p", NULL, NULL, NULL),
	    RESULT(DONE));
	for (int i = 0; i < 5; i++)
		answer = rig_ask(VERB(RESET), "amanda", NULL, "n", NULL,
		    "AAAAAAAAAAAAAAAAAAAAAAAAAA");
	CU_ASSERT_EQUAL(answer->result, RESULT(TRY_LATER));
	rig_close();
}

static void
uids(void)
{
	struct tcapw_account zoe;

	rig_open(true, people);
	rig_reserve(1000);
	CU_ASSERT_EQUAL(ASK(CREATE, "zoe", "z", NULL, "z@example.com", NULL),
	    RESULT(DONE));
	CU_ASSERT_TRUE_FATAL(rig_account("zoe", &zoe));
	CU_ASSERT_EQUAL(zoe.uid, 1001);
	rig_close();
}

static void
renewed(void *owner, const struct mc_reply *reply)
{
	*(enum mc_status *)owner = reply->status;
}

static enum mc_status
renew(const char *name, const char *was, const char *verifier)
{
	struct account_renewal renewal = { .name = "" };
	enum mc_status status = MC_TIMEOUT;
	struct mc_call *call = NULL;

	strcpy(renewal.name, name);
	strcpy(renewal.was, was);
	strcpy(renewal.verifier, verifier);
	account_renew(&rig.account, &renewal, &call, renewed, &status);
	stage_pass(0);
	return status;
}

/* What no store decodes would stop every store for good. */
static void
renewals(void)
{
	static const char *const unsound[] = {
		"a b", "*", "x:y", "x\ny", "x!", "\xc3\xb6"
	};
	struct tcapw_account joe;
	char was[TCAPW_VERIFIER_SIZE];

	rig_open(true, people);
	CU_ASSERT_TRUE_FATAL(rig_account("joe", &joe));
	strcpy(was, joe.verifier);
	for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++)
		CU_ASSERT_EQUAL(renew("joe", was, unsound[i]), MC_INVALID);
	CU_ASSERT_EQUAL(rig.durable, 0);
	CU_ASSERT_EQUAL(renew("joe", "$y$else", "$y$new"), MC_DENIED);
	CU_ASSERT_EQUAL(renew("nobody", was, "$y$new"), MC_NOT_FOUND);
	CU_ASSERT_EQUAL(renew("joe", was, "$y$new"), MC_OK);
	CU_ASSERT_TRUE_FATAL(rig_account("joe", &joe));
	CU_ASSERT_STRING_EQUAL(joe.verifier, "$y$new");
	CU_ASSERT_TRUE(rig.last.keep_sessions);
	CU_ASSERT_EQUAL(joe.generation, 0);
	rig_close();
}

/* The listener. */

static void
say(struct mc_conn *conn, uint32_t cid, Metacube__AccountRequest *request)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;

	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = request;
	stage_say(conn, &envelope);
	stage_pass(0);
}

static int
heard(struct mc_conn *conn, uint32_t cid)
{
	const Metacube__Envelope *envelope = stage_heard(conn,
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER);

	return envelope != NULL && envelope->cid == cid ?
	    (int)envelope->account_answer->result : -1;
}

static void
listens(void)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	Metacube__Envelope ping = METACUBE__ENVELOPE__INIT;
	Metacube__Ping body = METACUBE__PING__INIT;
	uint8_t proof[PROOF_SIZE], other[PROOF_SIZE];
	struct mc_conn *conn;

	rig_open(true, people);
	stage_peer("192.0.2.1", "world-1", "world");
	conn = stage_connect();
	CU_ASSERT_TRUE(stage_admitted(conn));
	memset(proof, 'p', sizeof(proof));
	memset(other, 'n', sizeof(other));
	request.verb = VERB(PASSWORD);
	request.name = (char *)"joe";
	request.by = (char *)"somebody else";
	request.playing = true;
	request.proof.data = proof;
	request.new_proof.data = other;
	request.proof.len = request.new_proof.len = sizeof(proof);
	say(conn, 7, &request);
	CU_ASSERT_EQUAL(heard(conn, 7), RESULT(DONE));
	CU_ASSERT_STRING_EQUAL(rig.last.by, "world-1");
	CU_ASSERT_EQUAL(rig.last.account.generation, 0);
	CU_ASSERT_TRUE(rig.last.keep_sessions);
	request.proof.len = 31;
	say(conn, 8, &request);
	CU_ASSERT_EQUAL(heard(conn, 8), RESULT(BAD_REQUEST));
	request.proof.len = sizeof(proof);
	request.verb = VERB(PASSWORD);
	say(conn, 10, &request);
	stage_drop(conn);			/* nobody is there any more */
	stage_pass(0);
	conn = stage_connect();
	ping.message_case = METACUBE__ENVELOPE__MESSAGE_PING;
	ping.ping = &body;
	stage_say(conn, &ping);
	CU_ASSERT_TRUE(stage_over(conn));
	stage_pass(0);
	rig_close();
}

static int
asked_by(const char *name, const char *role, Metacube__AccountRequest *request)
{
	struct mc_conn *conn;
	int result;

	stage_peer("192.0.2.1", name, role);
	conn = stage_connect();
	say(conn, 1, request);
	result = heard(conn, 1);
	stage_drop(conn);
	stage_pass(0);
	return result;
}

/* What is asked is all right, and so is the proof. */
static void
roles(void)
{
	static const int others[] = {
		VERB(CREATE), VERB(ACTIVATE), VERB(CHECK), VERB(FORGOTTEN),
		VERB(RESET), VERB(EXPORT), VERB(RENEW)
	};
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[PROOF_SIZE];
	struct tcapw_account joe;

	rig_open(true, people);
	CU_ASSERT_TRUE_FATAL(rig_account("joe", &joe));
	request.name = (char *)"joe";
	request.was = joe.verifier;
	request.verifier = (char *)"$y$new";
	request.email = (char *)"joe@example.com";
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		request.verb = (Metacube__AccountRequest__Verb)others[i];
		CU_ASSERT_EQUAL(asked_by("world-1", "world", &request),
		    RESULT(NOT_ALLOWED));
	}
	stage_pass(3000);
	CU_ASSERT_EQUAL(rig.durable, 0);
	CU_ASSERT_EQUAL(rig.mails, 0);
	memset(proof, 'p', sizeof(proof));
	request.verb = VERB(CHECK);
	request.email = (char *)"";
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	CU_ASSERT_EQUAL(asked_by("gateway", "gateway", &request),
	    RESULT(DONE));
	request.verb = VERB(RENEW);
	CU_ASSERT_EQUAL(asked_by("gateway", "gateway", &request),
	    RESULT(DONE));
	CU_ASSERT_STRING_EQUAL(rig.last.account.verifier, "$y$new");
	CU_ASSERT_STRING_EQUAL(rig.last.by, "gateway");
	rig_close();
}

/* Each guess is another account's, from another address. */
static int
guess_through(const char *peer, unsigned n, const char *password)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	char name[16], address[16];
	uint8_t proof[PROOF_SIZE];

	snprintf(name, sizeof(name), "user-%u", n);
	snprintf(address, sizeof(address), "192.0.2.%u", n);
	memset(proof, password[0], sizeof(proof));
	request.verb = VERB(CHECK);
	request.name = password[0] == 'p' ? (char *)"joe" : name;
	request.address = address;
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	return asked_by(peer, "gateway", &request);
}

/* Who invents addresses gets no further for it; nobody is shut out. */
static void
peers(void)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	char address[16];
	unsigned n;

	rig_open(true, people);
	for (n = 0; n <= 10; n++)
		CU_ASSERT_EQUAL(guess_through("gateway-1", n, "x"),
		    RESULT(WRONG_PASSWORD));
	CU_ASSERT_EQUAL(guess_through("gateway-1", n, "x"),
	    RESULT(TRY_LATER));
	CU_ASSERT_EQUAL(guess_through("gateway-1", n, "p"),
	    RESULT(TRY_LATER));
	CU_ASSERT_EQUAL(guess_through("gateway-2", n, "p"), RESULT(DONE));
	for (unsigned i = 0; i < 3; i++) {	/* it does not grow */
		stage_pass(1000);
		CU_ASSERT_EQUAL(guess_through("gateway-1", n, "p"),
		    RESULT(DONE));
		CU_ASSERT_EQUAL(guess_through("gateway-1", ++n, "x"),
		    RESULT(WRONG_PASSWORD));
	}
	request.verb = VERB(FORGOTTEN);
	request.name = (char *)"joe";
	request.email = (char *)"somebody@example.com";
	request.address = address;
	for (n = 0; n <= 11; n++) {
		snprintf(address, sizeof(address), "192.0.2.%u", n);
		CU_ASSERT_EQUAL(asked_by("gateway-1", "gateway", &request),
		    n <= 10 ? RESULT(DONE) : RESULT(TRY_LATER));
	}
	CU_ASSERT_EQUAL(asked_by("gateway-2", "gateway", &request),
	    RESULT(DONE));
	rig_close();
}

/* The audit log. */

/* Of the child that ends there, with its last words. */
static int
start_status(uint64_t durable, const char *words)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (freopen(words, "w", stderr) == NULL)
			_exit(2);
		setvbuf(stderr, NULL, _IONBF, 0);
		rig_start(durable);
		_exit(0);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return status;
}

/* It must never stand still without a word. */
static void
behind_the_log(void)
{
	char words[512], *said;
	size_t len;
	int status;

	rig_open(true, people);
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "p", "n", NULL, NULL),
	    RESULT(DONE));
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "n", "m", NULL, NULL),
	    RESULT(DONE));
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_count("audited"), 3);	/* and the epoch */
	snprintf(words, sizeof(words), "%s", scratch_path("words"));
	rig_stop();
	status = start_status(2, words);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = start_status(1, words);
	CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	said = scratch_read(words, &len);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "/audit has entries up to change "
	    "2, but the queue ends with change 1 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "metacube-wmqmaint new-epoch"));
	free(said);
	rig_start(2);
	CU_ASSERT_EQUAL(ASK(PASSWORD, "joe", "m", "n", NULL, NULL),
	    RESULT(DONE));
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_count("audited"), 4);
	rig_close();
}

static enum mc_status
order(const char *command, const char *name)
{
	const char *const args[] = { name, NULL };
	enum mc_status status = MC_TIMEOUT;
	const char *text;

	stage_command(command, args);
	stage_pass(0);
	CU_ASSERT_TRUE(stage_told(&status, &text));
	return status;
}

/* What operators were refused is in the log; where to go on stays true. */
static void
refusals(void)
{
	const char *document;

	rig_open(true, people);
	CU_ASSERT_EQUAL(order("account lock", "joe"), MC_OK);
	CU_ASSERT_EQUAL(order("account activate", "joe"), MC_EXISTS);
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_count("audited"), 3);
	CU_ASSERT_EQUAL(order("account unlock", "joe"), MC_OK);
	CU_ASSERT_EQUAL(order("account lock", "nobody"), MC_NOT_FOUND);
	CU_ASSERT_EQUAL(order("account lock", "j o e"), MC_INVALID);
	CU_ASSERT_EQUAL(order("account password", "joe"), MC_INVALID);
	CU_ASSERT_EQUAL(ASK(CHECK, "joe", "x", NULL, NULL, NULL),
	    RESULT(WRONG_PASSWORD));		/* is no operator */
	rig.append = MC_BUSY;
	CU_ASSERT_EQUAL(order("account lock", "joe"), MC_BUSY);
	rig.append = MC_OK;
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_count("audited"), 7);
	rig_stop();
	rig_start(2);
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_count("audited"), 7);
	document = rig_ask(VERB(EXPORT), "joe", "p", NULL, NULL,
	    NULL)->document;
	CU_ASSERT_PTR_NOT_NULL(strstr(document, "\"audit_entries\": 3"));
	CU_ASSERT_PTR_NOT_NULL(strstr(document, "\"activate, refused: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(document, "\"metacubectl tester\""));
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(order("account lock", "nobody"),
		    MC_NOT_FOUND);
	stage_pass(1000);
	CU_ASSERT_EQUAL(stage_count("audited"), 7 + 64);
	CU_ASSERT_EQUAL(stage_count("audit_lost"), 100 - 64);
	rig_close();
}

/* names.c, on its own: many, in and out, and one twice. */
static void
names(void)
{
	struct names *names = names_new();
	char name[MC_NAME_SIZE];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "user-%d", i);
		names_add(names, name);
	}
	names_add(names, "user-7");
	for (int i = 0; i < 20000; i += 2) {
		snprintf(name, sizeof(name), "user-%d", i);
		names_remove(names, name);
	}
	names_remove(names, "user-7");
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "user-%d", i);
		CU_ASSERT_EQUAL(names_like(names, name), i % 2 == 1);
	}
	names_remove(names, "user-7");
	CU_ASSERT_FALSE(names_like(names, "user-7"));
	names_remove(names, "user-7");
	CU_ASSERT_TRUE(names_like(names, "user.9"));
	CU_ASSERT_TRUE(names_like(names, "user-ii"));	/* 11 */
	names_free(&names);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "create and activate", creates },
		{ "names that are refused", names_are_refused },
		{ "passwords", passwords },
		{ "e-mail addresses", emails },
		{ "forgotten passwords", forgets },
		{ "exports", exports },
		{ "what exports escape", escapes },
		{ "malformed requests", malformed },
		{ "nothing is half done", nothing_is_half_done },
		{ "without mail", without_mail },
		{ "a queue that does not answer", uncertain },
		{ "turns", turns },
		{ "guesses", guesses },
		{ "uids", uids },
		{ "stronger verifiers", renewals },
		{ "the listener", listens },
		{ "who may ask what", roles },
		{ "guesses and mails through one peer", peers },
		{ "a queue behind the audit log", behind_the_log },
		{ "what operators were refused", refusals },
		{ "the set of names", names },
		{ NULL, NULL }
	};

	return cutap_run("acctserv", tests);
}
