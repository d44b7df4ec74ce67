/* SPDX-License-Identifier: MIT */
/*
 * Streams: bytes instead of messages, with and without TLS.
 */
#include "scratch.h"
#include "stream_rig.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB		(1024 * 1024)
#define UNREAD_MAX	(2 * MIB)	/* that a listener takes at most */

static void
come(struct client *client, struct mc_listener *listener, bool plain)
{
	if (plain)
		client_plain(client, rig_address(listener));
	else
		client_open(client, rig_address(listener), "world-1", NULL);
	CU_ASSERT_EQUAL_FATAL(client->error, 0);
}

struct writing {
	struct client	*client;
	size_t		 total;
	bool		 done;
};

static void *
write_pattern(void *arg)
{
	struct writing *writing = arg;
	uint8_t bytes[60000];
	size_t some;

	writing->done = true;
	for (size_t at = 0; at < writing->total && writing->done; at += some) {
		some = writing->total - at;
		if (some > sizeof(bytes))
			some = sizeof(bytes);
		stream_fill(bytes, at, some);
		writing->done = client_write(writing->client, bytes, some);
	}
	return NULL;
}

static bool
all_taken(void *arg)
{
	return seen.taken == *(size_t *)arg;
}

static bool
link_took(void *arg)
{
	return caller.taken == *(size_t *)arg;
}

/* What comes in and goes out */

static void
echo(bool plain)
{
	struct mc_listener *listener;
	struct client client;
	struct writing writing = { &client, 5 * MIB + 7, false };
	pthread_t writer;

	rig.conf.queue_max = 4 * UNREAD_MAX;
	listener = stream_listen("world", plain);
	seen.mode = STREAM_ECHOES;
	come(&client, listener, plain);
	pthread_create(&writer, NULL, write_pattern, &writing);
	CU_ASSERT_TRUE(stream_expect(&client, 0, writing.total));
	pthread_join(writer, NULL);
	CU_ASSERT_TRUE(writing.done);
	CU_ASSERT_EQUAL(seen.taken, writing.total);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	client_close(&client);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
}

static void
echo_tls_script(void)
{
	echo(false);
	CU_ASSERT_STRING_EQUAL(seen.peer.name, "world-1");
	CU_ASSERT_STRING_EQUAL(seen.peer.roles, "world");
}

static void
echo_plain_script(void)
{
	echo(true);
	CU_ASSERT_STRING_EQUAL(seen.peer.name, "");
	CU_ASSERT_STRING_EQUAL(seen.peer.roles, "");
	CU_ASSERT_STRING_EQUAL(seen.peer.address, "127.0.0.1");
}

/* One byte a time, and the end right behind the last one. */
static void
single_bytes_script(void)
{
	struct mc_listener *listener = stream_listen("world", false);
	struct client client;
	size_t total = 300;

	come(&client, listener, false);
	for (size_t i = 0; i < total; i++) {
		uint8_t byte = stream_pattern(i);

		CU_ASSERT_TRUE(client_write(&client, &byte, 1));
	}
	client_close(&client);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	CU_ASSERT_EQUAL(seen.taken, total);
	CU_ASSERT_EQUAL(seen.wrong, 0);
}

static void
large_block(bool plain)
{
	struct mc_listener *listener = stream_listen("world", plain);
	struct client client;

	seen.mode = STREAM_GIVES;
	seen.total = 20 * MIB + 3;	/* far above queue_max */
	come(&client, listener, plain);
	CU_ASSERT_TRUE(stream_expect(&client, 0, seen.total));
	CU_ASSERT_TRUE(eventually_is(&seen.drained, 1));
	CU_ASSERT_EQUAL(seen.closed, 0);
	client_close(&client);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	CU_ASSERT_EQUAL(seen.drained, 1);
}

static void
large_tls_script(void)
{
	large_block(false);
}

static void
large_plain_script(void)
{
	large_block(true);
}

/* Slow ones */

static bool
stuck(void *arg)
{
	size_t *last = arg, now = seen.sent;
	bool same = now != 0 && now == *last;

	*last = now;
	usleep(50000);
	return same;
}

static void
slow_reader(bool plain)
{
	struct mc_listener *listener = stream_listen("world", plain);
	struct client slow, other;
	size_t last = 0;

	seen.mode = STREAM_SENDS;
	seen.total = 40 * MIB;
	seen.piece = 300000;
	come(&slow, listener, plain);
	CU_ASSERT_TRUE(eventually(stuck, &last));
	CU_ASSERT_TRUE(seen.sent < seen.total);
	seen.mode = STREAM_TAKES;	/* for the next one */
	come(&other, listener, plain);
	CU_ASSERT_TRUE(eventually_is(&seen.opened, 2));
	client_close(&other);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	CU_ASSERT_TRUE(seen.most_queued <= seen.piece);
	client_close(&slow);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 2));
}

static void
slow_tls_script(void)
{
	slow_reader(false);
}

static void
slow_plain_script(void)
{
	slow_reader(true);
}

static void
waits_script(void)
{
	struct mc_listener *listener = stream_listen("world", false);
	struct client client;
	size_t last = 0;
	int pieces;

	seen.mode = STREAM_SENDS;
	seen.total = 40 * MIB;
	seen.piece = 300000;
	pieces = (int)((seen.total + seen.piece - 1) / seen.piece);
	come(&client, listener, false);
	CU_ASSERT_TRUE(eventually(stuck, &last));
	CU_ASSERT_TRUE(stream_expect(&client, 0, seen.total));
	CU_ASSERT_EQUAL(seen.sent, seen.total);
	CU_ASSERT_TRUE(seen.most_queued <= seen.piece);
	CU_ASSERT_TRUE(eventually_is(&seen.drained, pieces));
	CU_ASSERT_EQUAL(seen.drained, pieces);
	client_close(&client);
}

static void
flood_script(void)
{
	struct mc_listener *listener = stream_listen("world", false);
	struct client client;

	seen.mode = STREAM_FLOODS;
	seen.total = 64 * MIB;
	seen.piece = 100000;
	come(&client, listener, false);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	CU_ASSERT_EQUAL(counter("slow_peers"), 1);
	CU_ASSERT_TRUE(seen.most_queued <
	    (size_t)rig.conf.queue_max + seen.piece);
	client_close(&client);
}

static void
takes_nothing_script(void)
{
	struct mc_listener *listener;
	struct client client;

	rig.conf.send_ms = 200;
	listener = stream_listen("world", false);
	seen.mode = STREAM_GIVES;
	seen.total = 40 * MIB;
	come(&client, listener, false);
	CU_ASSERT_TRUE(eventually_counts("send_timeouts", 1));
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	client_close(&client);
}

/* While a stream rests, its peer's bytes stay where they are, and that it
 * says nothing is not its fault. */
static void
resting(bool plain)
{
	struct mc_listener *listener;
	struct client client;
	struct writing writing = { &client, 30 * MIB, false };
	pthread_t writer;

	rig.conf.idle_ms = 300;
	listener = stream_listen("world", plain);
	seen.pause = true;
	come(&client, listener, plain);
	pthread_create(&writer, NULL, write_pattern, &writing);
	usleep(1000000);
	CU_ASSERT_EQUAL(seen.closed, 0);
	CU_ASSERT_TRUE(seen.taken <= UNREAD_MAX);
	rig.conf.idle_ms = RIG_PATIENCE_MS;	/* busy machines have pauses */
	rig_relisten(listener);
	stream_pause(false);
	CU_ASSERT_TRUE(eventually(all_taken, &writing.total));
	pthread_join(writer, NULL);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	client_close(&client);
}

static void
pause_tls_script(void)
{
	resting(false);
}

static void
pause_plain_script(void)
{
	resting(true);
}

static sem_t holding, let_go;

static void
hold(void *arg)
{
	(void)arg;
	sem_post(&holding);
	sem_wait(&let_go);
}

static void *
hold_loop(void *arg)
{
	on_loop(hold, arg);
	return NULL;
}

/* The loop does nothing: the peer's bytes wait in its own socket. */
static void
busy_loop_script(void)
{
	struct mc_listener *listener = stream_listen("world", false);
	struct client client;
	struct writing writing = { &client, 60 * MIB, false };
	pthread_t holder, writer;

	sem_init(&holding, 0, 0);
	sem_init(&let_go, 0, 0);
	come(&client, listener, false);
	CU_ASSERT_TRUE(eventually_is(&seen.opened, 1));
	pthread_create(&holder, NULL, hold_loop, NULL);
	sem_wait(&holding);
	pthread_create(&writer, NULL, write_pattern, &writing);
	usleep(300000);
	CU_ASSERT_EQUAL(seen.taken, 0);
	sem_post(&let_go);
	pthread_join(holder, NULL);
	CU_ASSERT_TRUE(eventually(all_taken, &writing.total));
	pthread_join(writer, NULL);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	client_close(&client);
}

/* Ends */

static void
close_queued(bool plain)
{
	struct mc_listener *listener = stream_listen("world", plain);
	struct client client;

	seen.mode = STREAM_GIVES_AND_CLOSES;
	seen.total = 9 * MIB;
	come(&client, listener, plain);
	CU_ASSERT_TRUE(stream_expect(&client, 0, seen.total));
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(client.error, 0);
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	CU_ASSERT_EQUAL(seen.drained, 0);	/* none after a close */
	client_close(&client);
}

static void
close_tls_script(void)
{
	close_queued(false);
}

static void
close_plain_script(void)
{
	close_queued(true);
}

/* Only what is waited for may take too long, on a busy machine, too. */
static void
idle_script(void)
{
	struct mc_listener *listener;
	struct client client;

	rig.conf.idle_ms = 100;
	listener = stream_listen("world", false);
	come(&client, listener, false);
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(counter("idle_timeouts"), 1);
	client_close(&client);
	rig.conf.idle_ms = RIG_PATIENCE_MS;
	rig.conf.login_ms = 100;
	rig_relisten(listener);
	seen.admit = false;
	come(&client, listener, false);
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(counter("login_timeouts"), 1);
	client_close(&client);
}

/* Who may come */

static void
roles_script(void)
{
	struct mc_listener *listener = stream_listen("world,account", false);
	struct client client;
	uint8_t byte;

	come(&client, listener, false);
	CU_ASSERT_TRUE(eventually_is(&seen.opened, 1));
	client_close(&client);
	client_open(&client, rig_address(listener), "gateway-1", NULL);
	CU_ASSERT_FALSE(client_read(&client, &byte, 1));
	CU_ASSERT_EQUAL(client.alert, GNUTLS_A_ACCESS_DENIED);
	client_close(&client);
	client_open(&client, rig_address(listener), NULL, NULL);
	CU_ASSERT_FALSE(client_read(&client, &byte, 1));
	CU_ASSERT_EQUAL(client.alert, GNUTLS_A_CERTIFICATE_REQUIRED);
	client_close(&client);
	CU_ASSERT_EQUAL(counter("handshake_failed"), 2);
	CU_ASSERT_EQUAL(seen.opened, 1);
}

static void
plain_elsewhere_script(void)
{
	static const char *const everywhere[] = {
		"0.0.0.0:0", "[::]:0"
	};
	struct mc_listener *listener;

	for (size_t i = 0; i < 2; i++) {
		rig.conf.endpoint = everywhere[i];
		CU_ASSERT_PTR_NULL(stream_listen("world", true));
	}
	rig.conf.endpoint = "127.0.0.2:0";
	rig.conf.proxy_protocol = true;
	CU_ASSERT_PTR_NULL(stream_listen("world", true));
	rig.conf.proxy_protocol = false;
	listener = stream_listen("world", true);
	CU_ASSERT_PTR_NOT_NULL(listener);
	CU_ASSERT_FALSE(stream_dial("192.0.2.1:7746", true));
	CU_ASSERT_FALSE(stream_dial("[2001:db8::1]:7746", true));
}

/* Links */

static void
link_stream(bool plain)
{
	struct mc_listener *listener = stream_listen("taskmaster", plain);
	char address[128];
	size_t total = 3 * MIB;

	seen.mode = STREAM_GIVES;
	seen.total = total;
	strcpy(address, rig_address(listener));
	CU_ASSERT_TRUE_FATAL(stream_dial(address, plain));
	CU_ASSERT_TRUE(eventually(link_took, &total));
	CU_ASSERT_EQUAL(caller.wrong, 0);
	stream_send(total);
	CU_ASSERT_TRUE(eventually(all_taken, &total));
	CU_ASSERT_EQUAL(seen.wrong, 0);
	stream_hangup();
	CU_ASSERT_TRUE(eventually_is(&seen.closed, 1));
	CU_ASSERT_TRUE(eventually_is(&caller.closed, 1));
	CU_ASSERT_EQUAL(caller.opened, 1);
}

static void
link_tls_script(void)
{
	link_stream(false);
}

static void
link_plain_script(void)
{
	link_stream(true);
}

/* It is told after it thought to be through; and comes again. */
static void
link_refused_script(void)
{
	struct mc_listener *listener = stream_listen("world", false);
	char address[128];

	strcpy(address, rig_address(listener));
	CU_ASSERT_TRUE_FATAL(stream_dial(address, false));
	CU_ASSERT_TRUE(eventually_is(&caller.closed, 2));
	CU_ASSERT_EQUAL(seen.opened, 0);
	CU_ASSERT_TRUE(counter("handshake_failed") >= 2);
	stream_hangup();
}

static bool
opened_often(void *arg)
{
	return caller.opened >= *(int *)arg;
}

/* Pauses that grew would make it wait for minutes. */
static void
link_cut_script(void)
{
	struct mc_listener *listener = stream_listen("taskmaster", false);
	char address[128];
	int often = 40;

	seen.mode = STREAM_GIVES_AND_CLOSES;
	seen.total = 100000;
	strcpy(address, rig_address(listener));
	CU_ASSERT_TRUE_FATAL(stream_dial(address, false));
	CU_ASSERT_TRUE(eventually(opened_often, &often));
	CU_ASSERT_EQUAL(caller.wrong, 0);
	stream_hangup();
}

/* A name that leads here, too. */
static void
link_name_script(void)
{
	struct mc_listener *listener = stream_listen("taskmaster", true);
	const char *port = strrchr(rig_address(listener), ':');
	char name[64];

	snprintf(name, sizeof(name), "localhost%s", port);
	CU_ASSERT_TRUE_FATAL(stream_dial(name, true));
	CU_ASSERT_TRUE(eventually_is(&caller.opened, 1));
	stream_hangup();
}

SCRIPT(echo_tls)
SCRIPT(echo_plain)
SCRIPT(single_bytes)
SCRIPT(large_tls)
SCRIPT(large_plain)
SCRIPT(slow_tls)
SCRIPT(slow_plain)
SCRIPT(waits)
SCRIPT(flood)
SCRIPT(takes_nothing)
SCRIPT(pause_tls)
SCRIPT(pause_plain)
SCRIPT(busy_loop)
SCRIPT(close_tls)
SCRIPT(close_plain)
SCRIPT(idle)
SCRIPT(roles)
SCRIPT(plain_elsewhere)
SCRIPT(link_tls)
SCRIPT(link_plain)
SCRIPT(link_refused)
SCRIPT(link_cut)
SCRIPT(link_name)

static const struct cutap_test tests[] = {
	{ "bytes there and back over TLS", run_echo_tls },
	{ "bytes there and back without TLS", run_echo_plain },
	{ "single bytes, and the end behind them", run_single_bytes },
	{ "a block of 20 MiB over TLS", run_large_tls },
	{ "a block of 20 MiB without TLS", run_large_plain },
	{ "who reads nothing harms nobody: TLS", run_slow_tls },
	{ "who reads nothing harms nobody: plain", run_slow_plain },
	{ "who reads late gets all of it", run_waits },
	{ "a full queue disconnects", run_flood },
	{ "who takes nothing is timed out", run_takes_nothing },
	{ "a pause, TLS", run_pause_tls },
	{ "a pause, plain", run_pause_plain },
	{ "a busy loop stops reading", run_busy_loop },
	{ "what is queued arrives before the end: TLS", run_close_tls },
	{ "what is queued arrives before the end: plain", run_close_plain },
	{ "login and idle time-outs", run_idle },
	{ "roles", run_roles },
	{ "without TLS only loopback", run_plain_elsewhere },
	{ "a link over TLS", run_link_tls },
	{ "a link without TLS", run_link_plain },
	{ "a link that is not welcome", run_link_refused },
	{ "a link that is cut comes back soon if it was of use",
	  run_link_cut },
	{ "a link to a name", run_link_name },
	{ NULL, NULL }
};

int
main(void)
{
	static const struct cutap_suite suites[] = {
		{ "stream", tests }, { NULL, NULL }
	};
	int status;

	scratch_make();
	rig_issue(scratch_path("pki"), "taskmaster", "server");
	rig_issue(scratch_path("pki"), "world", "world-1");
	rig_issue(scratch_path("pki"), "gateway", "gateway-1");
	status = cutap_run_all(suites);
	scratch_remove();
	return status;
}
