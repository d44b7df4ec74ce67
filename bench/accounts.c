/* SPDX-License-Identifier: MIT */
/*
 * accounts - the load for the account server and its replicas, over TLS.
 *
 *	accounts changes ACCTSERV-PORT PKI-DIR FIRST ACCOUNTS CLIENTS SECONDS
 *		CLIENTS connections that each give one account after the other
 *		a new verifier, one at a time; prints changes, seconds, p50 and
 *		p99 in microseconds
 *	accounts seen ACCTSERV-PORT GATEWAY-PORT PKI-DIR FIRST COUNT
 *		gives COUNT accounts a new verifier each and, from the
 *		answer on, logs in at the gateway until that succeeds; prints
 *		p50 and p99 in microseconds
 *
 * The accounts are those of bench/people.c, from u<FIRST> on; all of them must
 * still have their first verifier.
 */
#include "frame.h"
#include "link.h"
#include "meter.h"
#include "plain.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define CLIENTS_MAX	256
#define LATENCIES_MAX	4000000
#define READY		4		/* connections made ahead */
#define PATIENCE_US	60e6

static unsigned first, naccounts;
static unsigned *nths;			/* which password each has by now */

static void
renew_send(struct link *link, unsigned account)
{
	Metacube__AccountRequest request = METACUBE__ACCOUNT_REQUEST__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	char name[32], was[TCAPW_VERIFIER_SIZE], is[TCAPW_VERIFIER_SIZE];

	snprintf(name, sizeof(name), "u%u", first + account);
	plain_verifier(was, first + account, nths[account]);
	plain_verifier(is, first + account, ++nths[account]);
	request.verb = METACUBE__ACCOUNT_REQUEST__VERB__RENEW;
	request.name = name;
	request.was = was;
	request.verifier = is;
	envelope.cid = account + 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ACCOUNT_REQUEST;
	envelope.account_request = &request;
	link_send_envelope(link, &envelope);
}

/* false: nothing has come yet. */
static bool
renew_answered(struct link *link, int timeout_ms)
{
	Metacube__Envelope *answer = link_receive(link, timeout_ms);

	if (answer == NULL)
		return false;
	if (answer->message_case !=
	    METACUBE__ENVELOPE__MESSAGE_ACCOUNT_ANSWER)
		bench_fail("the account server refuses");
	if (answer->account_answer->result !=
	    METACUBE__ACCOUNT_ANSWER__RESULT__DONE)
		bench_fail("not done (%d): %s",
		    (int)answer->account_answer->result,
		    answer->account_answer->text);
	metacube__envelope__free_unpacked(answer, NULL);
	return true;
}

struct client {
	struct link	link;
	unsigned	account;
	double		began;
};

static struct client clients[CLIENTS_MAX];
static struct pollfd fds[CLIENTS_MAX];
static double *latencies;
static size_t count;

static void
client_next(struct client *client, unsigned nclients)
{
	client->account = (client->account + nclients) % naccounts;
	client->began = meter_now_us();
	renew_send(&client->link, client->account);
}

static void
client_heard(struct client *client, unsigned nclients, bool going)
{
	while (renew_answered(&client->link, 0)) {
		if (count < LATENCIES_MAX)
			latencies[count++] = meter_now_us() - client->began;
		client->began = 0;
		if (going)
			client_next(client, nclients);
	}
}

static bool
any_waits(unsigned nclients)
{
	for (unsigned i = 0; i < nclients; i++)
		if (clients[i].began != 0)
			return true;
	return false;
}

static void
changes(char **args)
{
	unsigned nclients = (unsigned)atoi(args[4]);
	double seconds = atof(args[5]), began, took;
	char name[32];
	bool going = true;

	for (unsigned i = 0; i < nclients; i++) {
		snprintf(name, sizeof(name), "bench-%u", i);
		link_open(&clients[i].link, (uint16_t)atoi(args[0]), args[1],
		    "gateway", name);
		clients[i].account = i;
		fds[i] = (struct pollfd){ clients[i].link.fd, POLLIN, 0 };
	}
	began = meter_now_us();
	for (unsigned i = 0; i < nclients; i++)
		client_next(&clients[i], nclients);
	while (any_waits(nclients)) {
		if (poll(fds, nclients, 10000) <= 0)
			bench_fail("no answer in 10 s");
		going = meter_now_us() - began < seconds * 1e6;
		for (unsigned i = 0; i < nclients; i++)
			if (fds[i].revents != 0)
				client_heard(&clients[i], nclients, going);
	}
	took = (meter_now_us() - began) / 1e6;
	printf("%zu %.3f %.0f %.0f\n", count, took,
	    meter_percentile(latencies, count, 50),
	    meter_percentile(latencies, count, 99));
}

static void
login_send(struct link *link, unsigned account)
{
	Metacube__Login login = METACUBE__LOGIN__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	uint8_t proof[PLAIN_PROOF];
	char name[32];

	snprintf(name, sizeof(name), "u%u", first + account);
	plain_proof(proof, first + account, nths[account]);
	login.version = 1;
	login.mechanism = (char *)"password";
	login.name = name;
	login.proof.data = proof;
	login.proof.len = sizeof(proof);
	login.map = (char *)"";
	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
	envelope.login = &login;
	link_send_envelope(link, &envelope);
}

static bool
login_granted(struct link *link, unsigned account)
{
	Metacube__Envelope *answer;
	bool granted;

	login_send(link, account);
	answer = link_receive(link, 10000);
	if (answer == NULL)
		bench_fail("no answer to a login");
	granted = answer->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_LOGGED_IN;
	metacube__envelope__free_unpacked(answer, NULL);
	return granted;
}

static double
seen_after(struct link *acctserv, uint16_t gateway, const char *dir,
    unsigned account)
{
	struct link ready[READY];
	unsigned used = 0;
	double began, took;

	for (unsigned i = 0; i < READY; i++)
		link_open(&ready[i], gateway, dir, NULL, "client");
	renew_send(acctserv, account);
	if (!renew_answered(acctserv, 10000))
		bench_fail("no answer in 10 s");
	began = meter_now_us();
	while (!login_granted(&ready[used % READY], account)) {
		used++;
		if (used >= READY) {
			link_close(&ready[used % READY]);
			link_open(&ready[used % READY], gateway, dir, NULL,
			    "client");
		}
		if (meter_now_us() - began > PATIENCE_US)
			bench_fail("u%u never came", first + account);
	}
	took = meter_now_us() - began;
	for (unsigned i = 0; i < READY; i++)
		link_close(&ready[i]);
	return took;
}

static void
seen(char **args)
{
	struct link acctserv;

	link_open(&acctserv, (uint16_t)atoi(args[0]), args[2], "gateway",
	    "bench");
	for (; count < naccounts && count < LATENCIES_MAX; count++)
		latencies[count] = seen_after(&acctserv,
		    (uint16_t)atoi(args[1]), args[2], (unsigned)count);
	printf("%.0f %.0f\n", meter_percentile(latencies, count, 50),
	    meter_percentile(latencies, count, 99));
}

int
main(int argc, char **argv)
{
	bool changing = argc == 8 && strcmp(argv[1], "changes") == 0;

	if (!changing && (argc != 7 || strcmp(argv[1], "seen") != 0))
		bench_fail("see the head of bench/accounts.c");
	first = (unsigned)atoi(argv[changing ? 4 : 5]);
	naccounts = (unsigned)atoi(argv[changing ? 5 : 6]);
	nths = calloc(naccounts, sizeof(*nths));
	latencies = calloc(LATENCIES_MAX, sizeof(*latencies));
	if (changing)
		changes(argv + 2);
	else
		seen(argv + 2);
	return 0;
}
