/* SPDX-License-Identifier: MIT */
/*
 * The pump and its clients: what comes through, what does not, limits and
 * time.  pump_servers.c has the servers.
 */
#include "pump_rig.h"
#include "scratch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TLS12	"NORMAL:-VERS-ALL:+VERS-TLS1.2"

/* Clients */

static void
echo_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(client.error, 0);
	CU_ASSERT_TRUE(client_echo(&client, "hello"));
	CU_ASSERT_TRUE(client_echo(&client, ""));
	CU_ASSERT_EQUAL(rig.seen.opened, 1);
	CU_ASSERT_STRING_EQUAL(rig.seen.peer.address, "127.0.0.1");
	CU_ASSERT_STRING_EQUAL(rig.seen.peer.roles, "");
	client_close(&client);
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
}

static void
close_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "close");
	CU_ASSERT_TRUE(client_said(&client, "close"));
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(client.error, 0);	/* close_notify, no reset */
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
	client_close(&client);
}

static void
ping_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT, *answer;
	Metacube__Ping ping = METACUBE__PING__INIT;
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	envelope.cid = 77;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_PING;
	envelope.ping = &ping;
	client_send(&client, &envelope);
	answer = client_receive(&client);
	CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
	CU_ASSERT_EQUAL(answer->message_case,
	    METACUBE__ENVELOPE__MESSAGE_PONG);
	CU_ASSERT_EQUAL(answer->cid, 77);
	CU_ASSERT_EQUAL(rig.seen.messages, 0);
	metacube__envelope__free_unpacked(answer, NULL);
	client_close(&client);
}

static void
sizes_script(void)
{
	static const char *const names[] = {
		"big 1", "big 16370", "big 16384", "big 40000", "big 1000000"
	};
	struct mc_listener *listener;
	Metacube__Envelope *answer;
	struct client client;

	rig.conf.queue_max = 8 * 1024 * 1024;
	listener = rig_listen(NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		client_open(&client, rig_address(listener), NULL, NULL);
		client_login(&client, names[i]);
		answer = client_receive(&client);
		CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
		CU_ASSERT_EQUAL(strlen(answer->said->text),
		    strtoul(names[i] + 4, NULL, 10));
		metacube__envelope__free_unpacked(answer, NULL);
		CU_ASSERT_TRUE(client_said(&client, names[i]));
		client_close(&client);
	}
}

static void
pieces_script(void)
{
	static const uint8_t frames[] = {
		0, 0, 0, 7, 0xf2, 0x02, 4, 10, 2, 'a', 'b',	/* Say */
		0, 0, 0, 7, 0xf2, 0x02, 4, 10, 2, 'c', 'd'
	};
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	for (size_t i = 0; i < sizeof(frames); i++)
		CU_ASSERT_TRUE(client_write(&client, frames + i, 1));
	CU_ASSERT_EQUAL(rig.seen.out_of_order, 0);
	CU_ASSERT_TRUE(client_said(&client, NULL));
	CU_ASSERT_TRUE(client_said(&client, NULL));
	client_close(&client);
}

/* Bad input */

static void
old_tls_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, TLS12);
	CU_ASSERT_EQUAL(client.error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	CU_ASSERT_EQUAL(client.alert, GNUTLS_A_PROTOCOL_VERSION);
	CU_ASSERT_TRUE(eventually_counts("handshake_failed", 1));
	CU_ASSERT_EQUAL(rig.seen.opened, 0);
	client_close(&client);
}

static void
garbage_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;
	static const char junk[] = "GET / HTTP/1.0\r\n\r\n";
	int fd = client_connect(rig_address(listener));

	CU_ASSERT_EQUAL(send(fd, junk, sizeof(junk), MSG_NOSIGNAL),
	    (ssize_t)sizeof(junk));
	CU_ASSERT_TRUE(eventually_counts("handshake_failed", 1));
	close(fd);
	client_open(&client, rig_address(listener), NULL, NULL);
	CU_ASSERT_TRUE(client_echo(&client, "still there"));
	client_close(&client);
}

static void
bad_frame(struct mc_listener *listener, const void *data, size_t len,
    const char *part)
{
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	client_write(&client, data, len);
	CU_ASSERT_TRUE(client_refused(&client,
	    METACUBE__REASON__BAD_REQUEST, part));
	CU_ASSERT_TRUE(client_ended(&client));
	client_close(&client);
}

static void
bad_frames_script(void)
{
	static const uint8_t huge[] = { 0x80, 0, 0, 0 };
	static const uint8_t login[] = { 0, 0, 0x10, 1, 1, 2, 3 };
	static const uint8_t empty[] = { 0, 0, 0, 0 };
	static const uint8_t two[] = { 0, 0, 0, 4, 0x1a, 0, 0x1a, 0 };
	static const uint8_t cut[] = { 0, 0, 0, 2, 0x1a, 9 };
	static const uint8_t number[] = { 0, 0, 0, 2, 0x50, 9 };
	static const uint8_t cids[] = { 0, 0, 0, 6, 8, 1, 8, 2, 0x1a, 0 };
	static const uint8_t inner[] = { 0, 0, 0, 4, 0x52, 2, 0x12, 0x7f };
	struct mc_listener *listener = rig_listen(NULL);

	bad_frame(listener, huge, sizeof(huge), "longer than 4096");
	bad_frame(listener, login, sizeof(login), "longer than 4096");
	bad_frame(listener, empty, sizeof(empty), "no message");
	bad_frame(listener, two, sizeof(two), "more than one message");
	bad_frame(listener, cut, sizeof(cut), "cut off");
	bad_frame(listener, number, sizeof(number), "no message");
	bad_frame(listener, cids, sizeof(cids), "cid");
	bad_frame(listener, inner, sizeof(inner), "cannot be decoded");
	CU_ASSERT_EQUAL(counter("malformed"), 8);
	CU_ASSERT_EQUAL(rig.seen.messages, 0);
}

static void
unknown_script(void)
{
	static const uint8_t unknown[] = {
		0, 0, 0, 6, 8, 5, 0xfa, 0x3e, 1, 0	/* field 1007 */
	};
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	client_write(&client, unknown, sizeof(unknown));
	CU_ASSERT_TRUE(client_said(&client, "?"));
	client_close(&client);
}

static void
admit_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	char *text = mc_zalloc(60001);
	struct client client;

	memset(text, 't', 60000);
	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "admit");
	CU_ASSERT_TRUE(client_said(&client, "admit"));
	CU_ASSERT_TRUE(client_echo(&client, text));
	client_say(&client, text, 0);
	CU_ASSERT_TRUE(client_said(&client, text));
	client_close(&client);
	client_open(&client, rig_address(listener), NULL, NULL);
	client_say(&client, text, 0);
	CU_ASSERT_TRUE(client_refused(&client, METACUBE__REASON__BAD_REQUEST,
	    "longer"));
	client_close(&client);
	free(text);
}

/* Limits and time */

static void
per_address_script(void)
{
	struct mc_listener *listener;
	struct client clients[2];
	char byte;
	int fd;

	rig.conf.max_per_address = 2;
	listener = rig_listen(NULL);
	for (int i = 0; i < 2; i++) {
		client_open(&clients[i], rig_address(listener), NULL, NULL);
		CU_ASSERT_TRUE(client_echo(&clients[i], "in"));
	}
	fd = client_connect(rig_address(listener));
	CU_ASSERT_TRUE(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	CU_ASSERT_TRUE(eventually_counts("refused_limit", 1));
	client_close(&clients[0]);
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
	client_open(&clients[0], rig_address(listener), NULL, NULL);
	CU_ASSERT_TRUE(client_echo(&clients[0], "again"));
	client_close(&clients[0]);
	client_close(&clients[1]);
}

/* Only what is waited for may take too long, on a busy machine, too. */
static void
deadlines_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;
	char byte;
	int fd;

	rig.conf.handshake_ms = 100;
	rig_relisten(listener);
	fd = client_connect(rig_address(listener));
	CU_ASSERT_EQUAL(recv(fd, &byte, 1, 0), 0);
	CU_ASSERT_EQUAL(counter("handshake_timeouts"), 1);
	close(fd);
	rig.conf.handshake_ms = RIG_PATIENCE_MS;
	rig.conf.login_ms = 100;
	rig_relisten(listener);
	client_open(&client, rig_address(listener), NULL, NULL);
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(counter("login_timeouts"), 1);
	client_close(&client);
	rig.conf.login_ms = RIG_PATIENCE_MS;
	rig.conf.idle_ms = 100;
	rig_relisten(listener);
	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "admit");
	CU_ASSERT_TRUE(client_said(&client, "admit"));
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(counter("idle_timeouts"), 1);
	client_close(&client);
}

static void
shared_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "shared");
	CU_ASSERT_TRUE(eventually_is(&rig.seen.resync, 1));
	for (int i = 0; i < 256 * 1024 / 8008; i++)
		CU_ASSERT_TRUE(client_said(&client, NULL));
	client_close(&client);
}

static void
never_reads_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client, other;

	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "sent");		/* 8 MB at once */
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
	CU_ASSERT_EQUAL(counter("slow_peers"), 1);
	client_open(&other, rig_address(listener), NULL, NULL);
	CU_ASSERT_TRUE(client_echo(&other, "not my fault"));
	client_close(&other);
	client_close(&client);
}

static void
takes_nothing_script(void)
{
	struct mc_listener *listener;
	struct client client;

	rig.conf.queue_max = 64 * 1024 * 1024;
	rig.conf.send_ms = 200;
	listener = rig_listen(NULL);
	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "big 16000000");
	CU_ASSERT_TRUE(eventually_counts("send_timeouts", 1));
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
	client_close(&client);
}

static void
too_large_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "big 17000000");
	CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
	client_close(&client);
}

static void
wait_a_little(void *arg)
{
	(void)arg;
	usleep(300000);		/* a module that holds the loop */
}

static void *
hold_loop(void *arg)
{
	on_loop(wait_a_little, arg);
	return NULL;
}

#define FLOOD	5000

static void *
write_flood(void *arg)
{
	for (uint32_t i = 1; i <= FLOOD; i++)
		client_say(arg, "x", i);
	return NULL;
}

static void
flood_script(void)
{
	struct mc_listener *listener;
	struct client client;
	pthread_t holder, writer;
	int received = 0;

	rig.conf.queue_max = 64 * 1024 * 1024;
	listener = rig_listen(NULL);
	client_open(&client, rig_address(listener), NULL, NULL);
	client_login(&client, "admit");
	CU_ASSERT_TRUE(client_said(&client, "admit"));
	pthread_create(&holder, NULL, hold_loop, NULL);
	pthread_create(&writer, NULL, write_flood, &client);
	pthread_join(writer, NULL);
	while (received < FLOOD && client_said(&client, "x"))
		received++;
	pthread_join(holder, NULL);
	CU_ASSERT_EQUAL(received, FLOOD);
	CU_ASSERT_EQUAL(rig.seen.messages, FLOOD + 1);
	CU_ASSERT_EQUAL(rig.seen.out_of_order, 0);
	client_close(&client);
}

static struct client left[20];

static void
left_open_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);

	for (int i = 0; i < 20; i++) {
		client_open(&left[i], rig_address(listener), NULL, NULL);
		CU_ASSERT_TRUE(client_echo(&left[i], "here"));
	}
	rig_unlisten(&listener);
	CU_ASSERT_TRUE(client_echo(&left[19], "it lives on"));
}

static void
left_open(void)
{
	rig_play(left_open_script);
	CU_ASSERT_EQUAL(rig.seen.closed, 20);
	for (int i = 0; i < 20; i++) {
		CU_ASSERT_TRUE(client_ended(&left[i]));
		client_close(&left[i]);
	}
}

SCRIPT(echo)
SCRIPT(close)
SCRIPT(ping)
SCRIPT(sizes)
SCRIPT(pieces)
SCRIPT(old_tls)
SCRIPT(garbage)
SCRIPT(bad_frames)
SCRIPT(unknown)
SCRIPT(admit)
SCRIPT(per_address)
SCRIPT(deadlines)
SCRIPT(shared)
SCRIPT(never_reads)
SCRIPT(takes_nothing)
SCRIPT(too_large)
SCRIPT(flood)

static const struct cutap_test pump_tests[] = {
	{ "what a client says comes through and back", run_echo },
	{ "a last message arrives before the end", run_close },
	{ "the pump itself answers Ping", run_ping },
	{ "messages of all sizes", run_sizes },
	{ "a message that comes byte by byte", run_pieces },
	{ "TLS 1.2 is refused", run_old_tls },
	{ "garbage instead of TLS", run_garbage },
	{ "bad frames are refused with a reason", run_bad_frames },
	{ "an unknown message is the module's", run_unknown },
	{ "admitted, a peer may send more", run_admit },
	{ "the limit per address", run_per_address },
	{ "handshake, login and idle time-outs", run_deadlines },
	{ "a full queue leaves shared messages out", run_shared },
	{ "who never reads is disconnected", run_never_reads },
	{ "who takes nothing is timed out", run_takes_nothing },
	{ "what no peer would take is not sent", run_too_large },
	{ "a flood waits for a busy loop", run_flood },
	{ "what is left open is closed at the end", left_open },
	{ NULL, NULL }
};

int
main(void)
{
	static const struct cutap_suite suites[] = {
		{ "pump", pump_tests },
		{ "servers", pump_server_tests },
		{ NULL, NULL }
	};
	int status;

	scratch_make();
	rig_issue(scratch_path("pki"), "taskmaster", "server");
	rig_issue(scratch_path("pki"), "world", "world-1");
	rig_issue(scratch_path("pki"), "gateway", "gateway-1");
	rig_issue(scratch_path("pki"), "gateway,account", "both");
	rig_issue(scratch_path("pki"), "world", "expired");
	rig_expire("expired");
	rig_issue(scratch_path("other"), "world", "foreign");
	rename(scratch_path("other/foreign.pem"), rig_file("foreign", "pem"));
	rename(scratch_path("other/foreign.key"), rig_file("foreign", "key"));
	status = cutap_run_all(suites);
	scratch_remove();
	return status;
}
