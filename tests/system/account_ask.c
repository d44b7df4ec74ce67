/* SPDX-License-Identifier: MIT */
/*
 * account_ask - one question to the account server's socket, as the web front
 * asks it.
 *
 *	account_ask SOCKET VERB NAME [KEY=VALUE...]
 *
 *	password=FILE new=FILE	first lines; the proofs of these are sent
 *	email=TEXT private=1 code=TEXT address=TEXT by=TEXT playing=1
 *	times=N			asks so often, and says how long that took
 *
 * Prints "RESULT bytes=N us=N seq=N retry=N display=NAME: TEXT", then the
 * document if there is one.  The exit status is 0 when the result is DONE.
 */
#include "../crash/asking.h"

#include <metacube/client.h>
#include <metacube/proto/acctserv.pb-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static uint8_t proofs[2][ASKING_PROOF];

static int
usage(const char *what)
{
	fprintf(stderr, "account_ask: %s\n", what);
	return 2;
}

static bool
proof_of(const char *name, const char *file, uint8_t proof[ASKING_PROOF])
{
	char password[256] = "";
	FILE *stream = fopen(file, "r");
	bool fine = stream != NULL &&
	    fgets(password, sizeof(password), stream) != NULL;

	if (stream != NULL)
		fclose(stream);
	password[strcspn(password, "\n")] = '\0';
	if (fine && metacube_proof(name, password, proof) != 0)
		memset(proof, 1, ASKING_PROOF);	/* bad names, too */
	return fine;
}

static void
proof_set(ProtobufCBinaryData *field, uint8_t *proof)
{
	field->data = proof;
	field->len = ASKING_PROOF;
}

static bool
option_take(Metacube__AccountRequest *request, char *option, unsigned *times)
{
	char *value = strchr(option, '=');

	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(option, "password") == 0) {
		proof_set(&request->proof, proofs[0]);
		return proof_of(request->name, value, proofs[0]);
	}
	if (strcmp(option, "new") == 0) {
		proof_set(&request->new_proof, proofs[1]);
		return proof_of(request->name, value, proofs[1]);
	}
	if (strcmp(option, "email") == 0)
		request->email = value;
	else if (strcmp(option, "code") == 0)
		request->code = value;
	else if (strcmp(option, "address") == 0)
		request->address = value;
	else if (strcmp(option, "by") == 0)
		request->by = value;
	else if (strcmp(option, "private") == 0)
		request->email_private = *value == '1';
	else if (strcmp(option, "playing") == 0)
		request->playing = *value == '1';
	else if (strcmp(option, "times") == 0)
		*times = (unsigned)atoi(value);
	else
		return false;
	return true;
}

static bool
verb_find(const char *text, Metacube__AccountRequest__Verb *verb_r)
{
	const ProtobufCEnumDescriptor *verbs =
	    &metacube__account_request__verb__descriptor;

	for (unsigned i = 0; i < verbs->n_values; i++)
		if (strcasecmp(verbs->values[i].name, text) == 0) {
			*verb_r = (Metacube__AccountRequest__Verb)
			    verbs->values[i].value;
			return true;
		}
	return false;
}

static const char *
result_text(int result)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &metacube__account_answer__result__descriptor, result);

	return value == NULL ? "LOST" : value->name;
}

static int
ask(int fd, Metacube__AccountRequest *request, unsigned times)
{
	struct timespec began, ended;
	struct asking_reply reply;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned i = 0; i < times; i++)
		asking_request(fd, request, &reply);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%s bytes=%zu us=%ld seq=%llu retry=%u display=%s: %s\n",
	    result_text(reply.result), reply.bytes,
	    ((ended.tv_sec - began.tv_sec) * 1000000 +
	    (ended.tv_nsec - began.tv_nsec) / 1000) / (long)times,
	    (unsigned long long)reply.seq, reply.retry_ms, reply.display,
	    reply.text);
	fputs(reply.document, stdout);
	return reply.result == METACUBE__ACCOUNT_ANSWER__RESULT__DONE ? 0 : 1;
}

int
main(int argc, char **argv)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	unsigned times = 1;
	int fd;

	if (argc < 4 || !verb_find(argv[2], &request.verb))
		return usage("SOCKET VERB NAME [KEY=VALUE...]");
	request.name = argv[3];
	for (int i = 4; i < argc; i++)
		if (!option_take(&request, argv[i], &times))
			return usage(argv[i]);
	fd = asking_connect(argv[1]);
	if (fd == -1)
		return usage("nobody listens there");
	return ask(fd, &request, times > 0 ? times : 1);
}
