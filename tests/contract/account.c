/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/account.h.  Mails arrive in the folder
 * $CONTRACT_MAILBOX, a file for each: a new account is activated with the code
 * in its own.  There is no account Joe before.
 */
#include "frame.h"

#include <metacube/account.h>
#include <metacube/replica.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLICA		1		/* of contract_ref; both may be absent */
#define STORE		2
#define RESULT(name)	METACUBE__ACCOUNT_ANSWER__RESULT__##name
#define VERB(name)	METACUBE__ACCOUNT_REQUEST__VERB__##name
#define PARALLEL	12
#define PATIENCE	1200		/* tries, 50 ms each */
#define CODE_LEN	26

static unsigned unwiped;		/* requests; the loop counts */

static void
put_request(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const uint8_t zero[ACCOUNT_PROOF_SIZE];
	struct account_request request = *(struct account_request *)args;

	account_request(contract_ref(0), &request, slot, done, owner);
	if (memcmp(request.proof, zero, sizeof(zero)) != 0 ||
	    memcmp(request.new_proof, zero, sizeof(zero)) != 0)
		unwiped++;
}

static void
put_renew(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	account_renew(contract_ref(0), args, slot, done, owner);
}

static void
put_reached(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	replica_reached(contract_ref(REPLICA), args, slot, done, owner);
}

static void
put_lookup(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	tcapw_lookup(contract_ref(STORE), args, slot, done, owner);
}

/* The proof of a password is its first letter, over and over. */
static struct account_request
request_of(int verb, const char *name, const char *password)
{
	struct account_request request = { .verb = verb, .by = "contract" };

	snprintf(request.name, sizeof(request.name), "%s", name);
	request.has_proof = password != NULL;
	if (password != NULL)
		memset(request.proof, password[0], sizeof(request.proof));
	return request;
}

/* The result; 0: there was no answer. */
static int
asked(const struct account_request *request, struct account_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	return ask(put_request, (void *)request, answer, sizeof(*answer)) ==
	    MC_OK ? answer->result : 0;
}

static int
result_of(int verb, const char *name, const char *password)
{
	struct account_request request = request_of(verb, name, password);
	struct account_answer answer;

	return asked(&request, &answer);
}

/* A link may still have to come up, and a queue to be replayed: until then
 * nothing but that is said. */
static bool
is_ready(void)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		int result = result_of(VERB(CHECK), "j o e", "a");

		if (result != 0 && result != RESULT(TRY_LATER))
			return result == RESULT(BAD_NAME);
		usleep(50000);
	}
	return false;
}

/* The code in the mail of that file; false: it is none to Joe. */
static bool
code_read(const char *folder, const char *name, char code[ACCOUNT_CODE_SIZE])
{
	char path[1024], line[1024];
	bool his = false, found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *word = line + strspn(line, " ");

		his = his || strcmp(line, "To: joe@example.com\n") == 0;
		if (strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") !=
		    CODE_LEN)
			continue;
		snprintf(code, ACCOUNT_CODE_SIZE, "%.*s", CODE_LEN, word);
		found = true;
	}
	fclose(file);
	return his && found;
}

static bool
code_await(char code[ACCOUNT_CODE_SIZE])
{
	const char *folder = getenv("CONTRACT_MAILBOX");
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	for (unsigned i = 0; i < PATIENCE && !found; i++) {
		dir = folder == NULL ? NULL : opendir(folder);
		if (dir == NULL)
			return false;
		while (!found && (entry = readdir(dir)) != NULL)
			found = code_read(folder, entry->d_name, code);
		closedir(dir);
		if (!found)
			usleep(50000);
	}
	return found;
}

static void
durable_promise(const struct account_answer *answer)
{
	promise(answer->pointer.seq > 0, "which has a place in the queue");
	if (contract_ref(REPLICA)->ops != NULL)
		promise(ask(put_reached, (void *)&answer->pointer, NULL, 0) ==
		    MC_OK, "and is in the replica");
}

static void
creating(void)
{
	struct account_request request = request_of(VERB(CREATE), "Joe", "a");
	struct account_answer answer;

	strcpy(request.email, "joe@example.com");
	promise(asked(&request, &answer) == RESULT(DONE) &&
	    strcmp(answer.display, "Joe") == 0, "an account is created");
	durable_promise(&answer);
	strcpy(request.name, "jOE");
	promise(asked(&request, &answer) == RESULT(NAME_TAKEN),
	    "its name is taken");
	promise(result_of(VERB(CHECK), "joe", "a") == RESULT(NOT_ACTIVATED),
	    "it is not activated yet");
	request = request_of(VERB(ACTIVATE), "joe", "a");
	promise(code_await(request.code), "its mail comes");
	promise(asked(&request, &answer) == RESULT(DONE),
	    "with the code that activates it");
	promise(result_of(VERB(CHECK), "joe", "a") == RESULT(DONE),
	    "now it is good");
}

static void
changing(void)
{
	struct account_request request = request_of(VERB(PASSWORD), "joe",
	    "a");
	struct account_answer answer, other;

	request.has_new_proof = true;
	memset(request.new_proof, 'b', sizeof(request.new_proof));
	promise(asked(&request, &answer) == RESULT(DONE),
	    "a password is changed");
	durable_promise(&answer);
	request = request_of(VERB(CHECK), "joe", "a");
	promise(asked(&request, &answer) == RESULT(WRONG_PASSWORD),
	    "the old one is wrong");
	request = request_of(VERB(CHECK), "nobody", "a");
	promise(asked(&request, &other) == RESULT(WRONG_PASSWORD) &&
	    memcmp(&answer, &other, sizeof(answer)) == 0,
	    "as it is for who does not exist: nobody learns more");
	promise(result_of(VERB(CHECK), "joe", "b") == RESULT(DONE),
	    "the new one is right");
	request = request_of(VERB(EXPORT), "joe", "b");
	promise(asked(&request, &answer) == RESULT(DONE) &&
	    strstr(answer.document, "joe@example.com") != NULL &&
	    strstr(answer.document, "$y$") == NULL,
	    "what is known of him is exported, but no verifier");
}

static void
refusing(void)
{
	promise(result_of(0, "joe", "b") == RESULT(BAD_REQUEST) &&
	    result_of(99, "joe", "b") == RESULT(BAD_REQUEST),
	    "what is no verb is refused");
	promise(result_of(VERB(CHECK), "joe", NULL) == RESULT(BAD_REQUEST),
	    "and what is not complete");
	promise(result_of(VERB(RESEND), "joe", "b") ==
	    RESULT(ALREADY_ACTIVATED), "and what makes no sense");
}

static enum mc_status
renew(const char *name, const char *was)
{
	struct account_renewal renewal = { .name = "" };

	snprintf(renewal.name, sizeof(renewal.name), "%s", name);
	snprintf(renewal.was, sizeof(renewal.was), "%s", was);
	snprintf(renewal.verifier, sizeof(renewal.verifier), "%s", was);
	return ask(put_renew, &renewal, NULL, 0);
}

static void
renewing(void)
{
	struct tcapw_account joe;

	promise(renew("joe", "$y$another") == MC_DENIED,
	    "renew: MC_DENIED with another verifier than it has");
	promise(renew("nobody", "$y$another") == MC_NOT_FOUND,
	    "renew: MC_NOT_FOUND without an account");
	if (contract_ref(STORE)->ops == NULL)
		return;
	promise(ask(put_lookup, (void *)"joe", &joe, sizeof(joe)) == MC_OK &&
	    renew("joe", joe.verifier) == MC_OK,
	    "renew: MC_OK with the one that it has");
}

static void
together(void)
{
	struct account_request check = request_of(VERB(CHECK), "joe", "b");
	struct asked many[PARALLEL];
	unsigned fine = 0;

	for (unsigned i = 0; i < PARALLEL; i++)
		ask_start(&many[i], put_request, &check);
	for (unsigned i = 0; i < PARALLEL; i++) {
		ask_wait(&many[i]);
		fine += many[i].status == MC_OK &&
		    many[i].len == sizeof(struct account_answer) &&
		    ((struct account_answer *)many[i].data)->result ==
		    RESULT(DONE);
		ask_free(&many[i]);
	}
	promise(fine == PARALLEL, "%u of %u who ask at once are answered",
	    fine, PARALLEL);
	ask_start(&many[0], put_request, &check);
	ask_cancel(&many[0]);
	ask_wait(&many[0]);
	ask_free(&many[0]);
	promise(result_of(VERB(CHECK), "joe", "b") == RESULT(DONE),
	    "whoever leaves harms nobody");
}

static void
asking(void)
{
	if (!promise(is_ready(), "requests are answered"))
		return;
	creating();
	changing();
	refusing();
	renewing();
	together();
	promise(unwiped == 0, "proofs are wiped before a request returns");
}

static void
later(void)
{
	if (!promise(is_ready(), "requests are answered again"))
		return;
	promise(result_of(VERB(CHECK), "joe", "b") == RESULT(DONE),
	    "what was done before SIGKILL is");
	promise(result_of(VERB(DELETE), "joe", "b") == RESULT(DONE),
	    "an account is deleted");
	promise(result_of(VERB(CHECK), "joe", "b") == RESULT(WRONG_PASSWORD),
	    "and is unknown then");
}

static const struct contract_phase phases[] = {
	{ "requests", asking, true },
	{ "after SIGKILL", later, false },
	{ 0 }
};

const struct contract_suite contract_account = {
	ACCOUNT_SERVICE,
	.also = { { REPLICA_SERVICE, true }, { TCAPW_SERVICE, true } },
	.phases = phases
};
