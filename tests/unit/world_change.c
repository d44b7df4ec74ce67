/* SPDX-License-Identifier: MIT */
/*
 * The world and changes of its players' accounts: passed on, answered, and
 * what becomes of who is evicted meanwhile.
 */
#include "world_rig.h"

#include <stdlib.h>
#include <string.h>

#define RESULT(what)	METACUBE__ACCOUNT_ANSWER__RESULT__##what
#define VERB(what)	METACUBE__ACCOUNT_REQUEST__VERB__##what

static struct account_request asked;
static struct mc_call *call;

static void
fake_request(void *state, struct account_request *request,
    struct mc_call *asking)
{
	(void)state;
	asked = *request;
	call = asking;
}

static const struct account_ops account_ops = { .request = fake_request };

static void
account_says(enum mc_status status, int result)
{
	struct account_answer answer = {
		.result = result, .text = "a text", .pointer.seq = 17
	};
	struct mc_call *answered = call;

	CU_ASSERT_PTR_NOT_NULL_FATAL(answered);
	call = NULL;
	if (status == MC_OK)
		mc_call_done(answered, status, &answer, sizeof(answer));
	else
		mc_call_done(answered, status, NULL, 0);
	stage_pass(0);
}

static void
ask(struct mc_conn *conn, int verb)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[32] = "the old one", new_proof[32] = "the new one";

	request.verb = (Metacube__AccountRequest__Verb)verb;
	request.name = (char *)"amanda";	/* who else? */
	request.by = (char *)"the administrator";
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
}

static void
evict(uint64_t uid)
{
	Metacube__Kick body = METACUBE__KICK__INIT;

	body.uid = uid;
	body.reason = METACUBE__REASON__ACCOUNT_CHANGED;
	body.void_ms = mc_time_ms() + 20000;
	SEND(master, KICK, kick, &body);
}

static void
kicked(struct mc_conn *conn)
{
	const Metacube__Envelope *envelope = HEARD(conn, KICKED);

	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__ACCOUNT_CHANGED);
	CU_ASSERT_TRUE(stage_over(conn));
}

static void
changes(void)
{
	struct mc_conn *joe;

	begin_with(&account_ops);
	joe = come(1, "Joe");
	ask(joe, VERB(PASSWORD));
	CU_ASSERT_STRING_EQUAL(asked.name, "joe");
	CU_ASSERT_STRING_EQUAL(asked.address, "192.0.2.7");
	CU_ASSERT_STRING_EQUAL(asked.by, "world-1 for joe");
	CU_ASSERT_STRING_EQUAL((char *)asked.new_proof, "the new one");
	CU_ASSERT_TRUE(asked.playing);
	ask(joe, VERB(EMAIL));			/* one at a time */
	answered(joe, RESULT(TRY_LATER));
	move_to(joe, 1000, 1000);		/* the game goes on */
	account_says(MC_OK, RESULT(DONE));
	answered(joe, RESULT(DONE));
	CU_ASSERT_FALSE(stage_over(joe));
	ask(joe, VERB(PASSWORD));
	account_says(MC_UNAVAILABLE, 0);
	answered(joe, RESULT(TRY_LATER));
	ask(joe, VERB(PASSWORD));
	account_says(MC_UNCERTAIN, 0);
	answered(joe, RESULT(UNCERTAIN));
	ask(joe, VERB(PASSWORD));		/* too many in a minute */
	CU_ASSERT_PTR_NULL(call);
	answered(joe, RESULT(TRY_LATER));
	stage_pass(20000);
	ask(joe, VERB(PASSWORD));
	CU_ASSERT_PTR_NOT_NULL(call);
	stage_drop(joe);			/* nobody waits any more */
	account_says(MC_OK, RESULT(DONE));
	end();
}

static void
not_asked(void)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	uint8_t proof[31] = "too short";
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	ask(joe, VERB(PASSWORD));
	answered(joe, RESULT(NOT_ALLOWED));
	CU_ASSERT_FALSE(stage_over(joe));
	end();
	begin_with(&account_ops);
	joe = come(1, "Joe");
	ask(joe, VERB(CREATE));
	answered(joe, RESULT(NOT_ALLOWED));
	request.verb = VERB(PASSWORD);
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	SEND(joe, ACCOUNT_REQUEST, account_request, &request);
	answered(joe, RESULT(BAD_REQUEST));
	CU_ASSERT_PTR_NULL(call);
	joe = stage_connect();
	ask(joe, VERB(PASSWORD));		/* without a ticket */
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_PTR_NULL(call);
	end();
}

static void
deletes(void)
{
	struct mc_conn *joe;

	begin_with(&account_ops);
	joe = come(1, "Joe");
	ask(joe, VERB(DELETE));
	account_says(MC_OK, RESULT(WRONG_PASSWORD));
	answered(joe, RESULT(WRONG_PASSWORD));
	CU_ASSERT_FALSE(stage_over(joe));
	ask(joe, VERB(DELETE));
	account_says(MC_OK, RESULT(DONE));
	answered(joe, RESULT(DONE));
	kicked(joe);
	CU_ASSERT_EQUAL(world->users, 0);
	/* The taskmaster is quicker: the answer comes first. */
	joe = come(2, "Joe");
	ask(joe, VERB(DELETE));
	evict(2);
	CU_ASSERT_PTR_NULL(HEARD(joe, KICKED));
	account_says(MC_OK, RESULT(DONE));
	answered(joe, RESULT(DONE));
	kicked(joe);
	CU_ASSERT_EQUAL(world->users, 0);
	/* Whatever the answer is. */
	joe = come(3, "Joe");
	ask(joe, VERB(DELETE));
	evict(3);
	account_says(MC_UNCERTAIN, 0);
	answered(joe, RESULT(UNCERTAIN));
	kicked(joe);
	end();
}

/* Who has to go cannot stay by losing the connection. */
static void
deletes_and_drops(void)
{
	Metacube__Resume resume = METACUBE__RESUME__INIT;
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *again;
	uint8_t secret[SECRET_SIZE];

	begin_with(&account_ops);
	joe = come(1, "Joe");
	envelope = HEARD(joe, ENTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	resume.session = envelope->entered->session;
	memcpy(secret, envelope->entered->secret.data, sizeof(secret));
	resume.secret.data = secret;
	resume.secret.len = sizeof(secret);
	ask(joe, VERB(DELETE));
	evict(1);
	again = stage_connect();
	SEND(again, RESUME, resume, &resume);
	turned_away(again, METACUBE__REASON__BAD_TICKET);
	stage_drop(joe);
	stage_pass(0);
	CU_ASSERT_EQUAL(world->users, 0);
	account_says(MC_OK, RESULT(DONE));
	end();
}

const struct cutap_test world_change_tests[] = {
	{ "changes of the own account", changes },
	{ "what is not asked there", not_asked },
	{ "who deletes the account goes", deletes },
	{ "also without a connection", deletes_and_drops },
	{ NULL, NULL }
};
