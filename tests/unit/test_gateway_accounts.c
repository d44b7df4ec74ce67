/* SPDX-License-Identifier: MIT */
/*
 * The gateway and what its clients ask for: changes of their own accounts.
 */
#include "gateway_rig.h"

#include <string.h>

#define RESULT(what)	METACUBE__ACCOUNT_ANSWER__RESULT__##what
#define VERB(what)	METACUBE__ACCOUNT_REQUEST__VERB__##what

static void
ask(struct mc_conn *conn, int verb)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[32] = "the old one", new_proof[32] = "the new one";

	request.verb = (Metacube__AccountRequest__Verb)verb;
	request.name = (char *)"amanda";	/* who else? */
	request.address = (char *)"198.51.100.1";
	request.by = (char *)"the administrator";
	request.email = (char *)"joe@example.org";
	request.proof.data = proof;
	request.new_proof.data = new_proof;
	request.proof.len = request.new_proof.len = sizeof(proof);
	SEND(conn, ACCOUNT_REQUEST, account_request, &request);
	stage_pass(0);
}

static void
answered(struct mc_conn *conn, int result)
{
	const Metacube__Envelope *envelope = HEARD(conn, ACCOUNT_ANSWER);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL((int)envelope->account_answer->result, result);
	CU_ASSERT_TRUE(strlen(envelope->account_answer->text) > 3);
	CU_ASSERT_EQUAL(envelope->account_answer->seq, 0);
	CU_ASSERT_EQUAL(envelope->account_answer->epoch.len, 0);
}

static void
account_says(int result)
{
	struct account_answer said = {
		.result = result, .text = "a text", .pointer.seq = 17
	};

	answer(&change_call, MC_OK, &said, sizeof(said));
}

/* Whoever is named, it is the session's account. */
static void
changes(void)
{
	struct mc_conn *conn;

	open_with(true, false);
	conn = joe_is_in();
	ask(conn, VERB(PASSWORD));
	CU_ASSERT_EQUAL(change.verb, VERB(PASSWORD));
	CU_ASSERT_STRING_EQUAL(change.name, "joe");
	CU_ASSERT_STRING_EQUAL(change.address, "192.0.2.7");
	CU_ASSERT_STRING_EQUAL(change.by, "gateway for joe");
	CU_ASSERT_STRING_EQUAL((char *)change.proof, "the old one");
	CU_ASSERT_STRING_EQUAL((char *)change.new_proof, "the new one");
	CU_ASSERT_TRUE(change.playing);
	account_says(RESULT(DONE));
	answered(conn, RESULT(DONE));
	CU_ASSERT_FALSE(stage_over(conn));
	ask(conn, VERB(EMAIL));
	CU_ASSERT_STRING_EQUAL(change.email, "joe@example.org");
	account_says(RESULT(BAD_EMAIL));
	answered(conn, RESULT(BAD_EMAIL));
	CU_ASSERT_EQUAL(stage_count("changes"), 1);
	CU_ASSERT_EQUAL(stage_count("changes_refused"), 1);
	close_gateway();
}

static void
not_asked(void)
{
	static const int verbs[] = {
		VERB(NONE), VERB(CREATE), VERB(ACTIVATE), VERB(CHECK),
		VERB(FORGOTTEN), VERB(RESET), VERB(EXPORT), VERB(RENEW), 4711
	};
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[33] = "too long";
	struct mc_conn *conn;

	open_with(true, false);
	conn = joe_is_in();
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		ask(conn, verbs[i]);
		CU_ASSERT_PTR_NULL(change_call);
		answered(conn, RESULT(NOT_ALLOWED));
	}
	request.verb = VERB(PASSWORD);
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	SEND(conn, ACCOUNT_REQUEST, account_request, &request);
	answered(conn, RESULT(BAD_REQUEST));
	CU_ASSERT_FALSE(stage_over(conn));
	conn = stage_connect();
	ask(conn, VERB(PASSWORD));	/* without having logged in */
	CU_ASSERT_PTR_NOT_NULL(HEARD(conn, REFUSED));
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_PTR_NULL(change_call);
	close_gateway();
	open_with(false, false);
	conn = joe_is_in();
	ask(conn, VERB(PASSWORD));
	answered(conn, RESULT(NOT_ALLOWED));
	close_gateway();
}

static void
so_often(void)
{
	struct mc_conn *conn;

	open_with(true, false);
	conn = joe_is_in();
	stage_pass(60000 - mc_now_ms() % 60000);
	for (int i = 0; i < 3; i++) {
		ask(conn, VERB(PASSWORD));
		account_says(RESULT(WRONG_PASSWORD));
		answered(conn, RESULT(WRONG_PASSWORD));
	}
	ask(conn, VERB(PASSWORD));
	CU_ASSERT_PTR_NULL(change_call);
	answered(conn, RESULT(TRY_LATER));
	stage_pass(60000);
	ask(conn, VERB(PASSWORD));
	CU_ASSERT_PTR_NOT_NULL(change_call);
	close_gateway();
}

static void
fails(void)
{
	static const struct {
		enum mc_status	status;
		int		result;
	} cases[] = {
		{ MC_UNAVAILABLE, RESULT(TRY_LATER) },
		{ MC_BUSY, RESULT(TRY_LATER) },
		{ MC_UNCERTAIN, RESULT(UNCERTAIN) },
		{ MC_INTERNAL, RESULT(UNCERTAIN) },
		{ MC_OK, RESULT(UNCERTAIN) },	/* without an answer */
	};
	struct mc_conn *conn;

	open_with(true, false);
	conf.change_rate = 100;
	conn = joe_is_in();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(conn, VERB(PASSWORD));
		answer(&change_call, cases[i].status, NULL, 0);
		answered(conn, cases[i].result);
	}
	ask(conn, VERB(PASSWORD));
	stage_pass(ACCOUNT_TIMEOUT_MS);		/* silence */
	answered(conn, RESULT(UNCERTAIN));
	CU_ASSERT_FALSE(stage_over(conn));
	answer(&change_call, MC_OK, NULL, 0);
	ask(conn, VERB(PASSWORD));
	stage_drop(conn);			/* nobody waits any more */
	account_says(RESULT(DONE));
	close_gateway();
}

static void
deletes(void)
{
	struct replica_news piece = {
		.number = 5, .what = REPLICA_DELETED, .uid = 5, .name = "joe"
	};
	struct mc_conn *conn;

	open_with(true, true);
	conn = joe_is_in();
	ask(conn, VERB(DELETE));
	account_says(RESULT(WRONG_PASSWORD));
	answered(conn, RESULT(WRONG_PASSWORD));
	CU_ASSERT_FALSE(stage_over(conn));
	ask(conn, VERB(DELETE));
	account_says(RESULT(DONE));
	answered(conn, RESULT(DONE));
	kicked(conn, CHANGED);
	/* The news comes before the answer: the answer comes first. */
	conn = joe_is_in();
	ask(conn, VERB(DELETE));
	answer(&news_call, MC_OK, &piece, sizeof(piece));
	CU_ASSERT_EQUAL(stage_unheard(conn), 0);
	account_says(RESULT(DONE));
	answered(conn, RESULT(DONE));
	kicked(conn, CHANGED);
	close_gateway();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "changes of the own account", changes },
		{ "what is not asked there", not_asked },
		{ "so often in a minute", so_often },
		{ "the account server fails, or is silent", fails },
		{ "who deletes the account goes", deletes },
		{ NULL, NULL }
	};

	return cutap_run("gateway_accounts", tests);
}
