/* SPDX-License-Identifier: MIT */
/*
 * bench place - CPU of the taskmaster for one placement over its link, with
 * many worlds and maps registered, against a Colyseus matchmaker's seat
 * reservations over kept HTTP connections.
 *
 *	place PORT PID PKI-DIR PEER-PORT PEER-PID ROUNDS SECONDS WORLDS MAPS
 *
 * WORLDS are registered with MAPS running maps each.  Without a peer (port 0)
 * only our own cost is measured; the last line is then "COST us".
 */
#include "frame.h"
#include "link.h"
#include "meter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTSTANDING	64
#define HTTP_CLIENTS	20
#define PEER_ROOMS	100
#define ROUNDS_MAX	100
#define NAME_SIZE	32

static unsigned nworlds, nmaps;

static void
map_name(char *name, unsigned world, unsigned map)
{
	snprintf(name, NAME_SIZE, "map-%u-%u", world, map);
}

static void
world_register(struct link *link, unsigned number)
{
	Metacube__Register message = METACUBE__REGISTER__INIT;
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	char (*names)[NAME_SIZE] = calloc(nmaps, NAME_SIZE);
	char **list = calloc(nmaps, sizeof(*list));
	uint32_t *room = calloc(nmaps, sizeof(*room));
	uint64_t *epochs = calloc(nmaps, sizeof(*epochs));
	char name[NAME_SIZE], endpoint[64];

	snprintf(name, sizeof(name), "world-%u", number);
	snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u", 10000 + number);
	for (unsigned i = 0; i < nmaps; i++) {
		map_name(names[i], number, i);
		list[i] = names[i];
		room[i] = 1000000;
		epochs[i] = 1 + (uint64_t)number * nmaps + i;
	}
	message.version = 1;
	message.name = name;
	message.endpoint = endpoint;
	message.capacity = 1000000;
	message.n_map = message.n_title = message.n_map_capacity = nmaps;
	message.map = message.title = list;
	message.map_capacity = room;
	message.n_running = message.n_running_epoch = nmaps;
	message.running = list;
	message.running_epoch = epochs;
	envelope.cid = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REGISTER;
	envelope.register_ = &message;
	link_send_envelope(link, &envelope);
	free(names);
	free(list);
	free(room);
	free(epochs);
}

static void
world_join(struct link *link, uint16_t port, const char *dir, unsigned number)
{
	Metacube__Envelope *answer;
	char name[NAME_SIZE];
	bool registered = false;

	snprintf(name, sizeof(name), "world-%u", number);
	link_open(link, port, dir, "world", name);
	world_register(link, number);
	while (!registered) {
		answer = link_receive(link, 10000);
		if (answer == NULL)
			bench_fail("%s: no answer to Register", name);
		if (answer->message_case ==
		    METACUBE__ENVELOPE__MESSAGE_REFUSED)
			bench_fail("%s: %s", name, answer->refused->text);
		registered = answer->message_case ==
		    METACUBE__ENVELOPE__MESSAGE_REGISTERED;
		metacube__envelope__free_unpacked(answer, NULL);
	}
}

/* A world that says nothing for long is lost. */
static void
worlds_report(struct link *worlds)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Report report = METACUBE__REPORT__INIT;
	Metacube__Envelope *heard;

	report.load = 1;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_REPORT;
	envelope.report = &report;
	for (unsigned i = 0; i < nworlds; i++) {
		link_send_envelope(&worlds[i], &envelope);
		while ((heard = link_receive(&worlds[i], 0)) != NULL)
			metacube__envelope__free_unpacked(heard, NULL);
	}
}

static size_t
place_write(uint8_t *out, size_t size, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Place place = METACUBE__PLACE__INIT;
	char user[NAME_SIZE], map[NAME_SIZE];
	static uint64_t uid;

	map_name(map, (unsigned)random() % nworlds, (unsigned)random() % nmaps);
	place.uid = ++uid;
	snprintf(user, sizeof(user), "user-%llu", (unsigned long long)uid);
	place.name = place.display = user;
	place.map = map;
	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PLACE;
	envelope.place = &place;
	return frame_write(&envelope, out, size);
}

/* Sends as many questions as were answered, all in one write. */
static void
places_ask(struct link *gateway, unsigned count)
{
	static uint8_t frames[OUTSTANDING * 256];
	static uint32_t cid;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += place_write(frames + len, sizeof(frames) - len, ++cid);
	if (len > 0)
		link_send(gateway, frames, len);
}

static unsigned
places_answered(struct link *gateway)
{
	Metacube__Envelope *answer = link_receive(gateway, 10000);
	unsigned count = 0;

	if (answer == NULL)
		bench_fail("no answer to Place in 10 s");
	do {
		if (answer->message_case ==
		    METACUBE__ENVELOPE__MESSAGE_REFUSED)
			bench_fail("refused: %s", answer->refused->text);
		if (answer->message_case ==
		    METACUBE__ENVELOPE__MESSAGE_PLACED)
			count++;
		metacube__envelope__free_unpacked(answer, NULL);
	} while ((answer = link_receive(gateway, 0)) != NULL);
	return count;
}

static double
measure_ours(struct link *gateway, const struct pids *pids, double seconds)
{
	double cpu = meter_cpu_us(pids), began = meter_now_us();
	unsigned free_slots = OUTSTANDING;
	uint64_t done = 0;

	while (meter_now_us() - began < seconds * 1e6) {
		places_ask(gateway, free_slots);
		free_slots = places_answered(gateway);
		done += free_slots;
	}
	for (unsigned left = OUTSTANDING - free_slots; left > 0;) {
		unsigned n = places_answered(gateway);

		done += n;
		left -= n < left ? n : left;
	}
	cpu = meter_cpu_us(pids) - cpu;
	printf("  %-8s %7.0f/s  %6.2f us of CPU each\n", "MetaCube",
	    (double)done / ((meter_now_us() - began) / 1e6),
	    cpu / (double)done);
	fflush(stdout);
	return cpu / (double)done;
}

static int
http_connect(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		bench_fail("cannot connect to the peer's port %u", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void
http_ask(int fd)
{
	char ask[256];
	int len = snprintf(ask, sizeof(ask),
	    "POST /matchmake/joinOrCreate/map HTTP/1.1\r\n"
	    "Host: localhost\r\nContent-Type: application/json\r\n"
	    "Content-Length: 17\r\n\r\n{\"map\":\"map-%03ld\"}",
	    100 + random() % PEER_ROOMS);

	if (write(fd, ask, (size_t)len) != len)
		bench_fail("the peer takes no more");
}

/* The answers are small: each comes in one piece. */
static void
http_answered(int fd)
{
	char answer[4096];
	ssize_t n = read(fd, answer, sizeof(answer) - 1);

	answer[n > 0 ? n : 0] = '\0';
	if (n <= 0 || strncmp(answer, "HTTP/1.1 200", 12) != 0 ||
	    strstr(answer, "sessionId") == NULL)
		bench_fail("the peer's answer: %s", answer);
}

static double
measure_peer(uint16_t port, const struct pids *pids, double seconds)
{
	struct pollfd fds[HTTP_CLIENTS];
	double cpu, began;
	uint64_t done = 0;

	for (unsigned i = 0; i < HTTP_CLIENTS; i++) {
		fds[i].fd = http_connect(port);
		fds[i].events = POLLIN;
	}
	cpu = meter_cpu_us(pids);
	began = meter_now_us();
	for (unsigned i = 0; i < HTTP_CLIENTS; i++)
		http_ask(fds[i].fd);
	while (meter_now_us() - began < seconds * 1e6) {
		if (poll(fds, HTTP_CLIENTS, 10000) <= 0)
			bench_fail("the peer is silent");
		for (unsigned i = 0; i < HTTP_CLIENTS; i++)
			if (fds[i].revents != 0) {
				http_answered(fds[i].fd);
				http_ask(fds[i].fd);
				done++;
			}
	}
	cpu = meter_cpu_us(pids) - cpu;
	printf("  %-8s %7.0f/s  %6.2f us of CPU each\n", "Colyseus",
	    (double)done / ((meter_now_us() - began) / 1e6),
	    cpu / (double)done);
	fflush(stdout);
	for (unsigned i = 0; i < HTTP_CLIENTS; i++)
		close(fds[i].fd);
	return cpu / (double)done;
}

int
main(int argc, char **argv)
{
	double ours[ROUNDS_MAX], peer[ROUNDS_MAX], seconds, a, b;
	struct pids pids, peer_pids = { .count = 0 };
	uint16_t port, peer_port;
	struct link *worlds, gateway;
	size_t rounds;

	if (argc != 10)
		bench_fail("usage: place PORT PIDS PKI-DIR PEER-PORT PEER-PIDS "
		    "ROUNDS SECONDS WORLDS MAPS");
	port = (uint16_t)atoi(argv[1]);
	pids_parse(&pids, argv[2]);
	peer_port = (uint16_t)atoi(argv[4]);
	if (peer_port != 0)
		pids_parse(&peer_pids, argv[5]);
	rounds = strtoul(argv[6], NULL, 10);
	seconds = atof(argv[7]);
	nworlds = (unsigned)atoi(argv[8]);
	nmaps = (unsigned)atoi(argv[9]);
	if (rounds < 1 || rounds > ROUNDS_MAX || nworlds < 1 || nmaps < 1)
		bench_fail("rounds, worlds and maps must be at least 1");

	worlds = calloc(nworlds, sizeof(*worlds));
	for (unsigned i = 0; i < nworlds; i++)
		world_join(&worlds[i], port, argv[3], i);
	link_open(&gateway, port, argv[3], "gateway", "bench-gateway");
	printf("%u worlds with %u maps each are registered\n", nworlds, nmaps);
	for (size_t i = 0; i < rounds; i++) {
		if (peer_port != 0)
			peer[i] = measure_peer(peer_port, &peer_pids, seconds);
		worlds_report(worlds);
		ours[i] = measure_ours(&gateway, &pids, seconds);
	}
	a = meter_median(ours, rounds);
	if (peer_port != 0) {
		b = meter_median(peer, rounds);
		meter_result("place", a, b, "cpu-us/placement", b / a);
	} else
		printf("COST %.2f\n", a);
	link_close(&gateway);
	for (unsigned i = 0; i < nworlds; i++)
		link_close(&worlds[i]);
	free(worlds);
	return 0;
}
