/* SPDX-License-Identifier: MIT */
/*
 * mirror_data - what a mirror is tested with.
 *
 *	mirror_data queue FOLDER EPOCH RECORDS BYTES	a queue of so many
 *	mirror_data freeze FILE EPOCH SEQ BYTES		looks like a freeze
 *	mirror_data flip FILE OFFSET			one bit of it
 *	mirror_data port COMMAND...		with $MIRROR_PORT, a free one
 *	mirror_data proxy PORTFILE TARGETFILE CUTFILE
 *
 * The proxy writes its port to PORTFILE and passes connections on to the
 * host:port that TARGETFILE names by then.  Each is cut when so many bytes
 * have come from the target as CUTFILE says: "A B", any number from A to B,
 * 0 0: never.  It ends with SIGTERM, and prints how many were cut.
 *
 * A port stays free for as long as the command lives: nobody else is given it
 * while no server of the test listens there.
 */
#include <metacube/freeze.h>
#include <metacube/queue.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COMMIT		100
#define CONNS		16
#define SEGMENT_SIZE	(2 * 1024 * 1024)

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "mirror_data: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
queue_make(char **argv)
{
	struct queue_conf conf = {
		.path = argv[0], .segment_size = SEGMENT_SIZE,
		.server = "data", .io = &queue_io_real
	};
	unsigned records = (unsigned)atoi(argv[2]);
	size_t len = (size_t)atoi(argv[3]);
	struct queue_entry entries[COMMIT];
	uint8_t *data = malloc(len);
	struct queue_news news;
	char why[QUEUE_WHY];
	struct queue *queue;
	uint64_t first;

	memset(conf.epoch, atoi(argv[1]), sizeof(conf.epoch));
	queue = queue_open(&conf, (uint64_t)time(NULL) * 1000, &news, why);
	if (queue == NULL || data == NULL)
		die(why);
	srand((unsigned)atoi(argv[1]));
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)rand();
	for (size_t i = 0; i < COMMIT; i++)
		entries[i] = (struct queue_entry){ "tst", data,
		    (uint32_t)(len - i) };
	for (unsigned n; records > 0; records -= n) {
		n = records < COMMIT ? records : COMMIT;
		if (queue_commit(queue, entries, n,
		    (uint64_t)time(NULL) * 1000, &first) != QUEUE_OK)
			die(queue_why(queue));
	}
	queue_close(&queue);
	free(data);
	return 0;
}

static int
freeze_make(char **argv)
{
	struct freeze_header header = {
		.size = (uint64_t)atoll(argv[3])
	};
	uint8_t bytes[FREEZE_HEADER_SIZE];
	FILE *file = fopen(argv[0], "w");

	if (file == NULL)
		die(argv[0]);
	memset(header.position.pointer.epoch, atoi(argv[1]), 16);
	header.position.pointer.seq = (uint64_t)atoll(argv[2]);
	freeze_header_write(&header, bytes);
	fwrite(bytes, 1, sizeof(bytes), file);
	srand((unsigned)atoi(argv[2]));
	for (uint64_t i = sizeof(bytes); i < header.size; i++)
		putc(rand(), file);
	return fclose(file) == 0 ? 0 : 1;
}

static int
flip(char **argv)
{
	int fd = open(argv[0], O_RDWR);
	off_t at = atoll(argv[1]);
	uint8_t byte;

	if (fd == -1 || pread(fd, &byte, 1, at) != 1)
		die(argv[0]);
	byte ^= 4;
	return pwrite(fd, &byte, 1, at) == 1 && close(fd) == 0 ? 0 : 1;
}

/* The proxy. */

struct pair {
	int	client, server;		/* -1: free */
	long	left;			/* bytes until the cut; -1: never */
};

static struct pair pairs[CONNS];
static volatile sig_atomic_t ended;
static unsigned cuts;

static void
on_term(int signal)
{
	(void)signal;
	ended = 1;
}

static int
target_connect(const char *path)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	char host[64];
	unsigned port = 0;
	FILE *file = fopen(path, "r");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (file == NULL || fscanf(file, "%63[^:]:%u", host, &port) != 2)
		die(path);
	fclose(file);
	sin.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, host, &sin.sin_addr);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return fd;
	close(fd);
	return -1;
}

static long
cut_choose(const char *path)
{
	FILE *file = fopen(path, "r");
	long low = 0, high = 0;

	if (file == NULL || fscanf(file, "%ld %ld", &low, &high) != 2)
		die(path);
	fclose(file);
	return high == 0 ? -1 : low + rand() % (high - low + 1);
}

static void
pair_end(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	pair->client = pair->server = -1;
}

static void
pair_begin(int listener, const char *target, const char *cut)
{
	int client = accept(listener, NULL, NULL), server, i = 0;

	if (client == -1)
		return;
	while (i < CONNS && pairs[i].client != -1)
		i++;
	server = i < CONNS ? target_connect(target) : -1;
	if (server == -1) {
		close(client);
		return;
	}
	pairs[i] = (struct pair){ client, server, cut_choose(cut) };
}

static bool
write_all(int fd, const char *data, size_t len)
{
	ssize_t done;

	for (; len > 0; data += done, len -= (size_t)done) {
		done = send(fd, data, len, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
	}
	return true;
}

static bool
forward(struct pair *pair, int from, int to)
{
	char data[65536];
	size_t room = sizeof(data);
	ssize_t got;

	if (from == pair->server && pair->left >= 0 &&
	    (size_t)pair->left < room)
		room = (size_t)pair->left;
	got = read(from, data, room);
	if (got <= 0 || !write_all(to, data, (size_t)got))
		return false;
	if (from == pair->server && pair->left >= 0) {
		pair->left -= got;
		if (pair->left == 0) {
			cuts++;
			return false;
		}
	}
	return true;
}

static void
proxy_round(int listener, char **argv)
{
	struct pollfd fds[1 + 2 * CONNS] = { { listener, POLLIN, 0 } };

	for (int i = 0; i < CONNS; i++) {
		fds[1 + 2 * i] = (struct pollfd){ pairs[i].client, POLLIN,
		    0 };
		fds[2 + 2 * i] = (struct pollfd){ pairs[i].server, POLLIN,
		    0 };
	}
	if (poll(fds, 1 + 2 * CONNS, 100) <= 0)
		return;
	for (int i = 0; i < CONNS; i++) {
		struct pair *pair = &pairs[i];

		if (pair->client == -1)
			continue;
		if ((fds[1 + 2 * i].revents != 0 &&
		    !forward(pair, pair->client, pair->server)) ||
		    (fds[2 + 2 * i].revents != 0 &&
		    !forward(pair, pair->server, pair->client)))
			pair_end(pair);
	}
	if (fds[0].revents != 0)
		pair_begin(listener, argv[1], argv[2]);
}

static int
listen_anywhere(unsigned *port_r)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(listener, 16) == -1 ||
	    getsockname(listener, (struct sockaddr *)&sin, &len) == -1)
		die("listen");
	*port_r = ntohs(sin.sin_port);
	return listener;
}

static int
proxy(char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	unsigned port;
	int listener = listen_anywhere(&port);
	FILE *file;

	sigaction(SIGTERM, &action, NULL);
	for (int i = 0; i < CONNS; i++)
		pairs[i].client = pairs[i].server = -1;
	file = fopen(argv[0], "w");
	if (file == NULL)
		die(argv[0]);
	fprintf(file, "%u\n", port);
	fclose(file);
	while (!ended)
		proxy_round(listener, argv);
	printf("%u\n", cuts);
	return 0;
}

/* The command inherits the socket, which does not listen: a server that sets
 * SO_REUSEADDR, too, may. */
static int
port_keep(char **command)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[16];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		die("bind");
	snprintf(text, sizeof(text), "%u", ntohs(sin.sin_port));
	setenv("MIRROR_PORT", text, 1);
	execvp(command[0], command);
	die(command[0]);
}

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "port") == 0)
		return port_keep(argv + 2);
	if (argc == 6 && strcmp(argv[1], "queue") == 0)
		return queue_make(argv + 2);
	if (argc == 6 && strcmp(argv[1], "freeze") == 0)
		return freeze_make(argv + 2);
	if (argc == 4 && strcmp(argv[1], "flip") == 0)
		return flip(argv + 2);
	if (argc == 5 && strcmp(argv[1], "proxy") == 0)
		return proxy(argv + 2);
	fputs("usage: see the head of mirror_data.c\n", stderr);
	return 2;
}
