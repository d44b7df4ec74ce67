/* SPDX-License-Identifier: MIT */
/*
 * bench login - CPU of the servers for one login: TLS 1.3 handshake, LOGIN,
 * REROUTE, against nginx: the same certificate, handshake, GET, 302.
 *
 *	login NAME OUR-PORT OUR-PIDS PEER-PORT PEER-PIDS ROUNDS SECONDS MAP
 */
#include "crowd.h"
#include "frame.h"
#include "meter.h"

#include <metacube/proto/envelope.pb-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS		16
#define ROUNDS_MAX	100

static uint8_t login[CLIENTS][512];
static size_t login_len[CLIENTS];

static void
logins_prepare(char *map)
{
	static uint8_t proof[32];
	char name[32];

	for (unsigned i = 0; i < CLIENTS; i++) {
		Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
		Metacube__Login message = METACUBE__LOGIN__INIT;

		snprintf(name, sizeof(name), "bench-%u", i);
		message.version = 1;
		message.mechanism = (char *)"password";
		message.name = name;
		message.proof.data = proof;
		message.proof.len = sizeof(proof);
		message.map = map;
		envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
		envelope.login = &message;
		login_len[i] = frame_write(&envelope, login[i],
		    sizeof(login[i]));
	}
}

static const void *
our_request(unsigned n, size_t *len)
{
	*len = login_len[n];
	return login[n];
}

static int
our_answer(const uint8_t *data, size_t len)
{
	Metacube__Envelope *envelope;
	size_t used;
	int verdict;

	if (!frame_read(data, len, &envelope, &used))
		return 0;
	verdict = envelope != NULL && envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_REROUTE ? 1 : -1;
	if (verdict == -1 && envelope != NULL && envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_REFUSED)
		fprintf(stderr, "refused: %s\n", envelope->refused->text);
	if (envelope != NULL)
		metacube__envelope__free_unpacked(envelope, NULL);
	return verdict;
}

static const void *
peer_request(unsigned n, size_t *len)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\n\r\n";

	(void)n;
	*len = sizeof(get) - 1;
	return get;
}

static int
peer_answer(const uint8_t *data, size_t len)
{
	static const char found[] = "HTTP/1.1 302";
	const uint8_t *end = memmem(data, len, "</html>", 7);

	if (end == NULL)
		return 0;
	return memcmp(data, found, sizeof(found) - 1) == 0 ? 1 : -1;
}

/* Microseconds of server CPU for each. */
static double
measure(const struct crowd_ask *ask, const struct pids *pids, double seconds,
    const char *who)
{
	struct crowd_score score;
	double cpu = meter_cpu_us(pids);

	crowd_run(ask, seconds, &score);
	cpu = meter_cpu_us(pids) - cpu;
	if (score.failed > 0 || score.done == 0)
		bench_fail("%s: %llu of %llu failed", who,
		    (unsigned long long)score.failed,
		    (unsigned long long)(score.done + score.failed));
	printf("  %-8s %7.0f/s  %6.1f us of CPU each\n", who,
	    (double)score.done / score.seconds, cpu / (double)score.done);
	fflush(stdout);
	return cpu / (double)score.done;
}

int
main(int argc, char **argv)
{
	struct crowd_ask ours = { "127.0.0.1", 0, CLIENTS, our_request,
	    our_answer };
	struct crowd_ask peer = { "127.0.0.1", 0, CLIENTS, peer_request,
	    peer_answer };
	double our_cost[ROUNDS_MAX], peer_cost[ROUNDS_MAX], seconds, a, b;
	struct pids our_pids, peer_pids;
	size_t rounds;

	if (argc != 9)
		bench_fail("usage: login NAME PORT PIDS PORT PIDS ROUNDS "
		    "SECONDS MAP");
	ours.port = (uint16_t)atoi(argv[2]);
	pids_parse(&our_pids, argv[3]);
	peer.port = (uint16_t)atoi(argv[4]);
	pids_parse(&peer_pids, argv[5]);
	rounds = strtoul(argv[6], NULL, 10);
	seconds = atof(argv[7]);
	if (rounds < 1 || rounds > ROUNDS_MAX)
		bench_fail("1 to %d rounds", ROUNDS_MAX);
	logins_prepare(argv[8]);
	measure(&ours, &our_pids, 0.3, "(warm)");
	measure(&peer, &peer_pids, 0.3, "(warm)");
	for (size_t i = 0; i < rounds; i++) {
		peer_cost[i] = measure(&peer, &peer_pids, seconds, "nginx");
		our_cost[i] = measure(&ours, &our_pids, seconds, "MetaCube");
	}
	a = meter_median(our_cost, rounds);
	b = meter_median(peer_cost, rounds);
	meter_result(argv[1], a, b, "cpu-us/login", b / a);
	return 0;
}
