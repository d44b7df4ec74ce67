/* SPDX-License-Identifier: MIT */
/*
 * libmetacube-client and changes of the own account: what is sent, and that
 * each of them is answered, also when the connection is lost.
 */
#include "client_rig.h"

#include <string.h>

/* Joe is logged in at the gateway. */
static bool
login_heard(struct counterpart *self)
{
	Metacube__LoggedIn logged_in = METACUBE__LOGGED_IN__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return false;
	logged_in.uid = 5;
	logged_in.display = (char *)"Joe";
	SAY(self, heard_cid, LOGGED_IN, logged_in, logged_in);
	return true;
}

static bool
is_proof(const ProtobufCBinaryData *proof, const char *password)
{
	uint8_t expected[METACUBE_PROOF_SIZE];

	return metacube_proof("joe", password, expected) == METACUBE_OK &&
	    proof->len == sizeof(expected) &&
	    memcmp(proof->data, expected, sizeof(expected)) == 0;
}

/* The next message asks for this, with the right proof. */
static bool
hear_request(struct counterpart *self, int verb)
{
	return hear(self, METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST) &&
	    (int)heard->account_request->verb == verb &&
	    is_proof(&heard->account_request->proof, "correct horse");
}

static void
say_answer(struct counterpart *self, int result, const char *text)
{
	Metacube__AccountAnswer answer = METACUBE__ACCOUNT_ANSWER__INIT;

	answer.result = (Metacube__AccountAnswer__Result)result;
	answer.text = (char *)text;
	answer.retry_ms = 7;
	SAY(self, heard_cid, ACCOUNT_ANSWER, account_answer, answer);
}

static void
account_scene(struct counterpart *self)
{
	Metacube__Kicked kicked_ = METACUBE__KICKED__INIT;

	if (!login_heard(self) || !hear_request(self,
	    METACUBE__ACCOUNT_REQUEST__VERB__PASSWORD) ||
	    !is_proof(&heard->account_request->new_proof, "battery staple"))
		return;
	say_answer(self, METACUBE_C_DONE, "done\001that");
	if (!hear_request(self, METACUBE__ACCOUNT_REQUEST__VERB__EMAIL) ||
	    strcmp(heard->account_request->email, "joe@example.org") != 0 ||
	    !heard->account_request->email_private)
		return;
	say_answer(self, METACUBE_C_TRY_LATER, "later");
	if (!hear_request(self, METACUBE__ACCOUNT_REQUEST__VERB__VALIDATE) ||
	    strcmp(heard->account_request->code, "A-CODE") != 0)
		return;
	say_answer(self, 99, "of a newer server");
	if (!hear_request(self, METACUBE__ACCOUNT_REQUEST__VERB__RESEND))
		return;
	say_answer(self, METACUBE_C_BAD_REQUEST, "no");
	if (!hear_request(self, METACUBE__ACCOUNT_REQUEST__VERB__DELETE))
		return;
	say_answer(self, METACUBE_C_DONE, "deleted");
	kicked_.reason = METACUBE__REASON__ACCOUNT_CHANGED;
	kicked_.text = (char *)"gone";
	SAY(self, 0, KICKED, kicked, kicked_);
}

static void
all_of_them(void)
{
	struct counterpart server = { .scenes = { account_scene } };
	struct witness witness;
	struct metacube_client *client;

	counterpart_start(&server);
	begin(&witness, server.endpoint, &usual);
	client = witness.client;
	CU_ASSERT_EQUAL(metacube_account_delete(client, "correct horse"),
	    METACUBE_E_STATE);
	login(&witness, NULL);
	until(&witness, "logged_in Joe");
	CU_ASSERT_EQUAL(metacube_account_password(client, "correct horse",
	    ""), METACUBE_E_PASSWORD);
	CU_ASSERT_EQUAL(metacube_account_email(client, "correct horse",
	    "joe@\nexample.org", false), METACUBE_E_TEXT);
	CU_ASSERT_EQUAL(metacube_account_validate(client, "correct horse",
	    ""), METACUBE_E_TEXT);
	CU_ASSERT_EQUAL(metacube_account_password(client, "correct horse",
	    "battery staple"), METACUBE_OK);
	CU_ASSERT_EQUAL(metacube_account_resend(client, "correct horse"),
	    METACUBE_E_BUSY);
	until(&witness, "changed 1 done?that 7; ");
	CU_ASSERT_EQUAL(metacube_account_email(client, "correct horse",
	    "joe@example.org", true), METACUBE_OK);
	until(&witness, "changed 12 later 7; ");
	CU_ASSERT_EQUAL(metacube_account_validate(client, "correct horse",
	    "A-CODE"), METACUBE_OK);
	until(&witness, "changed 13 of a newer server 7; ");
	CU_ASSERT_EQUAL(metacube_account_resend(client, "correct horse"),
	    METACUBE_OK);
	until(&witness, "changed 10 no 7; ");
	CU_ASSERT_EQUAL(metacube_account_delete(client, "correct horse"),
	    METACUBE_OK);
	until(&witness, "changed 1 deleted 7; kicked 12 gone");
	CU_ASSERT_EQUAL(metacube_client_state(client), METACUBE_IDLE);
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
	CU_ASSERT_TRUE(server.ok);
}

static void
lost_scene(struct counterpart *self)
{
	if (login_heard(self))
		hear_request(self, METACUBE__ACCOUNT_REQUEST__VERB__PASSWORD);
}

static void
kicked_scene(struct counterpart *self)
{
	Metacube__Kicked kicked_ = METACUBE__KICKED__INIT;

	if (!login_heard(self) || !hear_request(self,
	    METACUBE__ACCOUNT_REQUEST__VERB__PASSWORD))
		return;
	kicked_.reason = METACUBE__REASON__ACCOUNT_LOCKED;
	kicked_.text = (char *)"locked";
	SAY(self, 0, KICKED, kicked, kicked_);
	hear_the_end(self);
}

static void
unasked_scene(struct counterpart *self)
{
	if (!login_heard(self))
		return;
	say_answer(self, METACUBE_C_DONE, "what?");
	hear_the_end(self);
}

/* What was asked on a connection that is lost may have been done. */
static void
unanswered(scene_fn *scene, const char *story)
{
	struct counterpart server = { .scenes = { scene } };
	struct witness witness;

	counterpart_start(&server);
	begin(&witness, server.endpoint, &usual);
	login(&witness, NULL);
	until(&witness, "logged_in Joe");
	CU_ASSERT_EQUAL(metacube_account_password(witness.client,
	    "correct horse", "battery staple"), METACUBE_OK);
	until(&witness, story);
	CU_ASSERT_EQUAL(metacube_client_state(witness.client),
	    METACUBE_IDLE);
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

static void
connection_lost(void)
{
	unanswered(lost_scene, "changed 13 the connection was lost before "
	    "the answer: perhaps it is done, perhaps not 0; failed; ");
	unanswered(kicked_scene, "perhaps not 0; kicked 3 locked; ");
}

static void
not_asked(void)
{
	struct counterpart server = { .scenes = { unasked_scene } };

	fails(&server, METACUBE_E_PROTOCOL, "nobody had asked", &usual);
}

const struct cutap_test client_account_tests[] = {
	{ "password, e-mail, code, delete", all_of_them },
	{ "no answer", connection_lost },
	{ "an answer to nothing", not_asked },
	{ NULL, NULL }
};
