/* SPDX-License-Identifier: MIT */
/*
 * bench session - memory of the servers for each idle player: so many clients
 * log in, are rerouted, enter a map and stay; against a minimal server that
 * holds the same number of bare TLS sessions.
 *
 *	session GATEWAY-PORT NAMES PIDS PEER-PORT PEER-PID SESSIONS MAPS
 *
 * NAMES are those of the processes, "gateway,world"; the maps are map-0 and
 * on.
 */
#include "link.h"
#include "meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Metacube__Envelope *
ask(struct link *link, const Metacube__Envelope *envelope, int kind)
{
	Metacube__Envelope *answer;

	link_send_envelope(link, envelope);
	while ((answer = link_receive(link, 30000)) != NULL) {
		if (answer->message_case == (unsigned)kind)
			return answer;
		if (answer->message_case ==
		    METACUBE__ENVELOPE__MESSAGE_REFUSED)
			bench_fail("refused: %s", answer->refused->text);
		metacube__envelope__free_unpacked(answer, NULL);
	}
	bench_fail("no answer in 30 s");
}

static Metacube__Envelope *
login(uint16_t port, unsigned number, unsigned nmaps)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT, *answer;
	Metacube__Login message = METACUBE__LOGIN__INIT;
	char name[32], map[32];
	uint8_t proof[32] = { 0 };
	struct link link;

	snprintf(name, sizeof(name), "bench-%u", number);
	snprintf(map, sizeof(map), "map-%u", number % nmaps);
	message.version = 1;
	message.mechanism = (char *)"password";
	message.name = name;
	message.map = map;
	message.proof.data = proof;
	message.proof.len = sizeof(proof);
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
	envelope.login = &message;
	link_open(&link, port, NULL, NULL, "gateway");
	answer = ask(&link, &envelope, METACUBE__ENVELOPE__MESSAGE_REROUTE);
	link_close(&link);
	return answer;
}

static void
enter(struct link *link, const Metacube__Reroute *reroute)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT, *answer;
	Metacube__Enter message = METACUBE__ENTER__INIT;
	const char *port = strrchr(reroute->endpoint[0], ':');

	message.ticket = reroute->ticket;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_ENTER;
	envelope.enter = &message;
	link_open(link, (uint16_t)atoi(port + 1), NULL, NULL, "world");
	answer = ask(link, &envelope, METACUBE__ENVELOPE__MESSAGE_ENTERED);
	metacube__envelope__free_unpacked(answer, NULL);
	link_rest(link);
}

static void
players_enter(struct link *players, unsigned count, uint16_t port,
    unsigned nmaps)
{
	for (unsigned i = 0; i < count; i++) {
		Metacube__Envelope *answer = login(port, i, nmaps);

		enter(&players[i], answer->reroute);
		metacube__envelope__free_unpacked(answer, NULL);
		if ((i + 1) % 1000 == 0)
			printf("  %u players are in\n", i + 1);
		fflush(stdout);
	}
}

/* Memory of each process, in KiB; the sum is returned. */
static double
memory(const struct pids *pids, double each[METER_PIDS])
{
	double sum = 0;

	for (size_t i = 0; i < pids->count; i++) {
		struct pids one = { { pids->pid[i] }, 1 };

		each[i] = meter_pss_kib(&one);
		sum += each[i];
	}
	return sum;
}

static double
measure_peer(uint16_t port, const struct pids *pids, unsigned count)
{
	struct link *links = calloc(count, sizeof(*links));
	double before[METER_PIDS], after[METER_PIDS], kib;

	kib = memory(pids, before);
	for (unsigned i = 0; i < count; i++) {
		link_open(&links[i], port, NULL, NULL, "peer");
		link_rest(&links[i]);
	}
	kib = (memory(pids, after) - kib) / count;
	for (unsigned i = 0; i < count; i++)
		link_close(&links[i]);
	free(links);
	printf("  bare TLS server: %.2f KiB a session\n", kib);
	return kib;
}

static double
measure_ours(uint16_t port, char *names, const struct pids *pids,
    unsigned count, unsigned nmaps)
{
	struct link *players = calloc(count, sizeof(*players));
	double before[METER_PIDS], after[METER_PIDS], kib;
	size_t i = 0;

	kib = memory(pids, before);
	players_enter(players, count, port, nmaps);
	kib = (memory(pids, after) - kib) / count;
	for (char *name = strtok(names, ","); name != NULL && i < pids->count;
	    name = strtok(NULL, ","), i++)
		printf("  %-12s %8.0f KiB before, %8.0f KiB after: %.2f KiB a "
		    "player\n", name, before[i], after[i],
		    (after[i] - before[i]) / count);
	for (i = 0; i < count; i++)
		link_close(&players[i]);
	free(players);
	return kib;
}

int
main(int argc, char **argv)
{
	struct pids pids, peer_pids;
	double ours, peer;
	unsigned count, nmaps;

	if (argc != 8)
		bench_fail("usage: session PORT NAMES PIDS PEER-PORT PEER-PID "
		    "SESSIONS MAPS");
	pids_parse(&pids, argv[3]);
	pids_parse(&peer_pids, argv[5]);
	count = (unsigned)atoi(argv[6]);
	nmaps = (unsigned)atoi(argv[7]);
	if (count < 1 || nmaps < 1)
		bench_fail("at least one session and one map");
	peer = measure_peer((uint16_t)atoi(argv[4]), &peer_pids, count);
	ours = measure_ours((uint16_t)atoi(argv[1]), argv[2], &pids, count,
	    nmaps);
	meter_result("session", ours, peer, "KiB/player", peer / ours);
	return 0;
}
