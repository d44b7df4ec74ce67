/* SPDX-License-Identifier: MIT */
#include "crowd.h"
#include "meter.h"

#include <gnutls/gnutls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX	8192
#define SOURCES		200	/* 127.0.0.2 and on: enough free ports */

enum stage { CONNECTING, SHAKING, ASKING, READING };

struct client {
	struct crowd		*crowd;
	unsigned		 number;
	int			 fd;
	enum stage		 stage;
	gnutls_session_t	 tls;
	size_t			 len;
	uint8_t			 answer[ANSWER_MAX];
};

struct crowd {
	const struct crowd_ask	*ask;
	struct crowd_score	*score;
	int			 epoll;
	bool			 ending;
	unsigned		 alive;
	gnutls_certificate_credentials_t creds;
	gnutls_priority_t	 priority;
};

static void
client_connect(struct client *client)
{
	static unsigned source;
	const struct crowd_ask *ask = client->crowd->ask;
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLOUT };
	int one = 1;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
	    sizeof(one));
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	from.sin_addr.s_addr = htonl(0x7f000002 + source++ % SOURCES);
	inet_pton(AF_INET, ask->address, &to.sin_addr);
	to.sin_port = htons(ask->port);
	if (client->fd == -1 ||
	    bind(client->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
	    (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0 &&
	    errno != EINPROGRESS))
		bench_fail("cannot connect to %s:%u: %s", ask->address,
		    ask->port, strerror(errno));
	event.data.ptr = client;
	epoll_ctl(client->crowd->epoll, EPOLL_CTL_ADD, client->fd, &event);

	gnutls_init(&client->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);
	gnutls_priority_set(client->tls, client->crowd->priority);
	gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE,
	    client->crowd->creds);
	gnutls_transport_set_int(client->tls, client->fd);
	client->stage = CONNECTING;
	client->len = 0;
}

static void
client_ended(struct client *client, bool fine)
{
	struct linger reset = { 1, 0 };
	struct crowd *crowd = client->crowd;

	if (fine)
		crowd->score->done++;
	else
		crowd->score->failed++;
	gnutls_deinit(client->tls);
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client->fd);
	if (crowd->ending)
		crowd->alive--;
	else
		client_connect(client);
}

/* 1: the stage is over; 0: wait for the socket; -1: the client has ended. */
static int
shake(struct client *client)
{
	int rc = gnutls_handshake(client->tls);

	if (rc == GNUTLS_E_SUCCESS) {
		client->stage = ASKING;
		return 1;
	}
	if (!gnutls_error_is_fatal(rc))
		return 0;
	client_ended(client, false);
	return -1;
}

static int
ask(struct client *client)
{
	size_t len;
	const void *data = client->crowd->ask->request(client->number, &len);

	if (gnutls_record_send(client->tls, data, len) != (ssize_t)len) {
		client_ended(client, false);
		return -1;
	}
	client->stage = READING;
	return 1;
}

static int
receive(struct client *client)
{
	ssize_t n = gnutls_record_recv(client->tls,
	    client->answer + client->len, ANSWER_MAX - client->len);
	int verdict;

	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return 0;
	if (n > 0)
		client->len += (size_t)n;
	verdict = client->crowd->ask->answered(client->answer, client->len);
	if (verdict == 0 && n > 0)
		return 1;
	client_ended(client, verdict == 1);
	return -1;
}

/* From here on only what comes matters: what is sent is short. */
static void
connected(struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	epoll_ctl(client->crowd->epoll, EPOLL_CTL_MOD, client->fd, &event);
	client->stage = SHAKING;
}

static void
client_work(struct client *client)
{
	int more = 1;

	if (client->stage == CONNECTING)
		connected(client);
	while (more == 1)
		switch (client->stage) {
		case CONNECTING:
		case SHAKING:
			more = shake(client);
			break;
		case ASKING:
			more = ask(client);
			break;
		case READING:
			more = receive(client);
			break;
		}
}

static void
crowd_init(struct crowd *crowd)
{
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	gnutls_certificate_allocate_credentials(&crowd->creds);
	gnutls_priority_init(&crowd->priority,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:"
	    "-CIPHER-ALL:+AES-128-GCM", NULL);
}

void
crowd_run(const struct crowd_ask *wanted, double seconds,
    struct crowd_score *score)
{
	struct crowd crowd = { .ask = wanted, .score = score };
	struct client *clients = calloc(wanted->clients, sizeof(*clients));
	double began = meter_now_us(), end = began + seconds * 1e6;

	memset(score, 0, sizeof(*score));
	crowd_init(&crowd);
	for (unsigned i = 0; i < wanted->clients; i++) {
		clients[i].crowd = &crowd;
		clients[i].number = i;
		client_connect(&clients[i]);
	}
	crowd.alive = wanted->clients;
	while (crowd.alive > 0) {
		struct epoll_event events[64];
		int n = epoll_wait(crowd.epoll, events, 64, 1000);

		if (meter_now_us() > end)
			crowd.ending = true;
		if (meter_now_us() > end + 20e6)
			bench_fail("%u clients got no answer", crowd.alive);
		for (int i = 0; i < n; i++)
			client_work(events[i].data.ptr);
	}
	score->seconds = (meter_now_us() - began) / 1e6;
	gnutls_certificate_free_credentials(crowd.creds);
	gnutls_priority_deinit(crowd.priority);
	close(crowd.epoll);
	free(clients);
}
