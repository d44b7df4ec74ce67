/* SPDX-License-Identifier: MIT */
/*
 * account_remote: what was changed is answered when the own replica has it,
 * and what nobody can know is said to be uncertain.
 */
#include "remote_rig.h"

#include <metacube/account.h>
#include <metacube/replica.h>

#include <string.h>

#define RESULT(what)	METACUBE__ACCOUNT_ANSWER__RESULT__##what
#define VERB(what)	METACUBE__ACCOUNT_REQUEST__VERB__##what

/* The replica beside it: has not got there yet. */
static struct wmq_pointer awaited;
static struct mc_call *reached_call;

static void
fake_reached(void *state, const struct wmq_pointer *pointer,
    struct mc_call *call)
{
	(void)state;
	awaited = *pointer;
	reached_call = call;
}

static const struct replica_ops replica_ops = { .reached = fake_reached };

static void
replica_says(enum mc_status status)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(reached_call);
	mc_call_done(reached_call, status, NULL, 0);
	reached_call = NULL;
	stage_pass(0);
}

static void
open_remote(bool replica)
{
	remote_make("127.0.0.1:7747");
	if (replica)
		remote_need(&replica_ops);
	reached_call = NULL;
	remote_start();
}

static void
close_remote(void)
{
	remote_stop();
	if (reached_call != NULL)
		replica_says(MC_UNAVAILABLE);
	remote_end();
}

struct asked {
	struct mc_call	*call;
	bool		 answered;
	enum mc_status	 status;
	struct account_answer answer;
};

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct asked *asked = owner;

	asked->answered = true;
	asked->status = reply->status;
	if (MC_RESULT(reply, struct account_answer) != NULL)
		memcpy(&asked->answer, reply->data, sizeof(asked->answer));
}

static const uint8_t nothing[ACCOUNT_PROOF_SIZE];

/* Joe wants another password; the proofs do not stay behind. */
static void
ask(struct asked *asked)
{
	struct account_request request = {
		.verb = VERB(PASSWORD), .name = "joe",
		.address = "192.0.2.7", .playing = true,
		.has_proof = true, .proof = "the old one",
		.has_new_proof = true, .new_proof = "the new one"
	};

	memset(asked, 0, sizeof(*asked));
	account_request(&service, &request, &asked->call, answered, asked);
	CU_ASSERT_EQUAL(memcmp(request.proof, nothing, sizeof(nothing)), 0);
	CU_ASSERT_EQUAL(memcmp(request.new_proof, nothing, sizeof(nothing)),
	    0);
	stage_pass(0);
}

static uint32_t
heard(struct mc_conn *conn)
{
	const Metacube__Envelope *envelope = HEARD(conn, ACCOUNT_REQUEST);
	const Metacube__AccountRequest *request;

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	request = envelope->account_request;
	CU_ASSERT_EQUAL(request->verb, VERB(PASSWORD));
	CU_ASSERT_STRING_EQUAL(request->name, "joe");
	CU_ASSERT_STRING_EQUAL(request->address, "192.0.2.7");
	CU_ASSERT_STRING_EQUAL(request->by, "gateway for joe");
	CU_ASSERT_TRUE(request->playing);
	CU_ASSERT_EQUAL_FATAL(request->proof.len, ACCOUNT_PROOF_SIZE);
	CU_ASSERT_STRING_EQUAL((char *)request->proof.data, "the old one");
	CU_ASSERT_EQUAL_FATAL(request->new_proof.len, ACCOUNT_PROOF_SIZE);
	CU_ASSERT_STRING_EQUAL((char *)request->new_proof.data,
	    "the new one");
	CU_ASSERT_NOT_EQUAL(envelope->cid, 0);
	return envelope->cid;
}

static void
answer_say(struct mc_conn *conn, uint32_t cid, int result, uint64_t seq)
{
	Metacube__AccountAnswer answer = METACUBE__ACCOUNT_ANSWER__INIT;
	static uint8_t epoch[16] = "this epoch";

	answer.result = (Metacube__AccountAnswer__Result)result;
	answer.text = (char *)"a text";
	answer.seq = seq;
	answer.epoch.data = epoch;
	answer.epoch.len = seq > 0 ? sizeof(epoch) : 0;
	SAY(conn, cid, ACCOUNT_ANSWER, account_answer, &answer);
	stage_pass(0);
}

static void
refusals_pass(void)
{
	struct asked first, second;
	struct mc_conn *conn;
	uint32_t one, two;

	open_remote(true);
	conn = stage_accept();
	CU_ASSERT_TRUE(stage_admitted(conn));
	ask(&first);
	ask(&second);
	one = heard(conn);
	two = heard(conn);
	answer_say(conn, two, RESULT(WRONG_PASSWORD), 0);
	CU_ASSERT_FALSE(first.answered);
	CU_ASSERT_EQUAL(second.status, MC_OK);
	CU_ASSERT_EQUAL(second.answer.result, RESULT(WRONG_PASSWORD));
	CU_ASSERT_STRING_EQUAL(second.answer.text, "a text");
	answer_say(conn, two, RESULT(DONE), 0);		/* once more */
	answer_say(conn, one, RESULT(TRY_LATER), 0);
	CU_ASSERT_EQUAL(first.answer.result, RESULT(TRY_LATER));
	CU_ASSERT_PTR_NULL(reached_call);
	close_remote();
}

/* Done is done when it is here. */
static void
waits_for_replica(void)
{
	struct asked asked;
	struct mc_conn *conn;
	uint32_t cid;

	open_remote(true);
	conn = stage_accept();
	ask(&asked);
	cid = heard(conn);
	answer_say(conn, cid, RESULT(DONE), 17);
	CU_ASSERT_FALSE(asked.answered);
	CU_ASSERT_EQUAL(awaited.seq, 17);
	CU_ASSERT_STRING_EQUAL((char *)awaited.epoch, "this epoch");
	answer_say(conn, cid, RESULT(BAD_CODE), 0);	/* too late for that */
	CU_ASSERT_FALSE(asked.answered);
	replica_says(MC_OK);
	CU_ASSERT_EQUAL(asked.answer.result, RESULT(DONE));
	CU_ASSERT_EQUAL(asked.answer.pointer.seq, 17);
	CU_ASSERT_STRING_EQUAL(asked.answer.text, "a text");
	close_remote();
}

static void
replica_is_behind(void)
{
	struct asked asked;
	struct mc_conn *conn;

	open_remote(true);
	conn = stage_accept();
	ask(&asked);
	answer_say(conn, heard(conn), RESULT(DONE), 17);
	stage_drop(conn);		/* the answer is here already */
	CU_ASSERT_FALSE(asked.answered);
	stage_pass(8999);
	CU_ASSERT_FALSE(asked.answered);
	stage_pass(1);
	CU_ASSERT_EQUAL(asked.status, MC_OK);
	CU_ASSERT_EQUAL(asked.answer.result, RESULT(DONE));
	CU_ASSERT_PTR_NOT_NULL(strstr(asked.answer.text, "a little later"));
	CU_ASSERT_EQUAL(stage_count("behind"), 1);
	replica_says(MC_OK);
	conn = stage_accept();
	ask(&asked);
	answer_say(conn, heard(conn), RESULT(DONE), 18);
	replica_says(MC_INVALID);	/* of another epoch */
	CU_ASSERT_EQUAL(asked.answer.result, RESULT(DONE));
	CU_ASSERT_PTR_NOT_NULL(strstr(asked.answer.text, "a little later"));
	close_remote();
}

static void
without_replica(void)
{
	struct asked asked;
	struct mc_conn *conn;

	open_remote(false);
	conn = stage_accept();
	ask(&asked);
	answer_say(conn, heard(conn), RESULT(DONE), 17);
	CU_ASSERT_EQUAL(asked.answer.result, RESULT(DONE));
	close_remote();
}

/* Nothing was asked: nothing was changed. */
static void
no_link(void)
{
	struct asked asked;
	struct mc_conn *conn;

	open_remote(true);
	ask(&asked);
	CU_ASSERT_EQUAL(asked.status, MC_UNAVAILABLE);
	conn = stage_accept();
	CU_ASSERT_PTR_NULL(HEARD(conn, ACCOUNT_REQUEST));
	ask(&asked);
	heard(conn);
	stage_drop(conn);
	stage_pass(0);
	CU_ASSERT_EQUAL(asked.status, MC_UNCERTAIN);
	ask(&asked);
	CU_ASSERT_EQUAL(asked.status, MC_UNAVAILABLE);
	conn = stage_accept();
	CU_ASSERT_PTR_NULL(HEARD(conn, ACCOUNT_REQUEST));  /* not twice */
	close_remote();
}

static void
silence(void)
{
	struct asked asked[4];
	struct mc_conn *conn;

	open_remote(true);
	conn = stage_accept();
	for (int i = 0; i < 4; i++)
		ask(&asked[i]);
	CU_ASSERT_EQUAL(asked[3].status, MC_BUSY);
	stage_pass(7999);
	CU_ASSERT_FALSE(asked[0].answered);
	stage_pass(1);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(asked[i].status, MC_UNCERTAIN);
	CU_ASSERT_EQUAL(stage_count("late"), 3);
	CU_ASSERT_FALSE(stage_over(conn));
	close_remote();
}

static void
nonsense(void)
{
	Metacube__AccountAnswer answer = METACUBE__ACCOUNT_ANSWER__INIT;
	Metacube__Refused refused = METACUBE__REFUSED__INIT;
	struct asked asked;
	struct mc_conn *conn;

	open_remote(true);
	conn = stage_accept();
	ask(&asked);
	SAY(conn, heard(conn), ACCOUNT_ANSWER, account_answer, &answer);
	stage_pass(0);
	CU_ASSERT_EQUAL(asked.status, MC_UNCERTAIN);
	ask(&asked);
	answer.result = (Metacube__AccountAnswer__Result)RESULT(DONE);
	answer.seq = 5;		/* of which epoch? */
	SAY(conn, heard(conn), ACCOUNT_ANSWER, account_answer, &answer);
	stage_pass(0);
	CU_ASSERT_EQUAL(asked.status, MC_UNCERTAIN);
	ask(&asked);
	refused.reason = METACUBE__REASON__NOT_ALLOWED;
	SAY(conn, heard(conn), REFUSED, refused, &refused);
	stage_pass(0);
	CU_ASSERT_EQUAL(asked.status, MC_DENIED);
	answer_say(conn, 4711, RESULT(DONE), 0);
	close_remote();
}

static void
renew(struct asked *asked)
{
	struct account_renewal renewal = {
		.name = "joe", .was = "$y$j8T$", .verifier = "$y$j9T$"
	};

	memset(asked, 0, sizeof(*asked));
	account_renew(&service, &renewal, &asked->call, answered, asked);
	stage_pass(0);
}

static void
renewals(void)
{
	static const struct {
		int		result;
		enum mc_status	status;
	} cases[] = {
		{ RESULT(DONE), MC_OK },
		{ RESULT(UNKNOWN_NAME), MC_NOT_FOUND },
		{ RESULT(WRONG_PASSWORD), MC_DENIED },
		{ RESULT(NOT_ALLOWED), MC_DENIED },
		{ RESULT(TRY_LATER), MC_BUSY },
		{ RESULT(UNCERTAIN), MC_UNCERTAIN },
		{ RESULT(BAD_REQUEST), MC_INVALID },
	};
	const Metacube__Envelope *envelope;
	struct asked asked;
	struct mc_conn *conn;

	open_remote(true);
	renew(&asked);
	CU_ASSERT_EQUAL(asked.status, MC_UNAVAILABLE);
	conn = stage_accept();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		renew(&asked);
		envelope = HEARD(conn, ACCOUNT_REQUEST);
		CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
		CU_ASSERT_EQUAL(envelope->account_request->verb,
		    VERB(RENEW));
		CU_ASSERT_STRING_EQUAL(envelope->account_request->name, "joe");
		CU_ASSERT_STRING_EQUAL(envelope->account_request->was,
		    "$y$j8T$");
		CU_ASSERT_STRING_EQUAL(envelope->account_request->verifier,
		    "$y$j9T$");
		answer_say(conn, envelope->cid, cases[i].result, 0);
		CU_ASSERT_EQUAL(asked.status, cases[i].status);
	}
	close_remote();
}

static void
asker_gone(void)
{
	struct asked asked;
	struct mc_conn *conn;
	uint32_t cid;

	open_remote(true);
	conn = stage_accept();
	ask(&asked);
	mc_call_cancel(&asked.call);
	cid = heard(conn);
	answer_say(conn, cid, RESULT(DONE), 17);
	replica_says(MC_OK);
	CU_ASSERT_FALSE(asked.answered);
	ask(&asked);
	remote_stop();
	CU_ASSERT_EQUAL(asked.status, MC_UNCERTAIN);
	close_remote();
}

/* The old connection may end when there is a new one already. */
static void
moves(void)
{
	struct asked asked;
	struct mc_conn *conn;

	open_remote(false);
	stage_accept();
	remote_move("127.0.0.1:7748");
	conn = stage_accept();
	stage_pass(0);
	CU_ASSERT_EQUAL(stage_count("connected"), 1);
	ask(&asked);
	answer_say(conn, heard(conn), RESULT(DONE), 0);
	CU_ASSERT_EQUAL(asked.answer.result, RESULT(DONE));
	close_remote();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "what is refused is passed on", refusals_pass },
		{ "what is done has to come to the replica first",
		  waits_for_replica },
		{ "a replica that is behind", replica_is_behind },
		{ "without a replica", without_replica },
		{ "without a link", no_link },
		{ "so many questions, so long", silence },
		{ "answers that cannot be", nonsense },
		{ "stronger verifiers", renewals },
		{ "nobody waits any more", asker_gone },
		{ "the account server moves", moves },
		{ NULL, NULL }
	};

	return cutap_run("account_remote", tests);
}
