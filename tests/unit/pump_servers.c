/* SPDX-License-Identifier: MIT */
/*
 * The pump between servers: who may connect and who is believed, links, new
 * certificates, and where a connection comes from.
 */
#include "pump_rig.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between servers */

static void
mutual_script(void)
{
	struct mc_listener *listener = rig_listen("world,gateway");
	struct client client;

	client_open(&client, rig_address(listener), "world-1", NULL);
	CU_ASSERT_TRUE(client_echo(&client, "I am a world"));
	CU_ASSERT_STRING_EQUAL(rig.seen.peer.name, "world-1");
	CU_ASSERT_STRING_EQUAL(rig.seen.peer.roles, "world");
	client_close(&client);
	client_open(&client, rig_address(listener), "both", NULL);
	CU_ASSERT_TRUE(client_echo(&client, "I am two"));
	CU_ASSERT_TRUE(mc_peer_is(&rig.seen.peer, "account"));
	CU_ASSERT_TRUE(mc_peer_is(&rig.seen.peer, "gateway"));
	CU_ASSERT_FALSE(mc_peer_is(&rig.seen.peer, "gate"));
	CU_ASSERT_FALSE(mc_peer_is(&rig.seen.peer, ""));
	client_close(&client);
}

static void
shows(struct mc_listener *listener, const char *certificate,
    gnutls_alert_description_t alert)
{
	struct client client;

	client_open(&client, rig_address(listener), certificate, NULL);
	if (client.error == 0)
		CU_ASSERT_TRUE(client_ended(&client));
	CU_ASSERT_EQUAL(client.alert, alert);
	client_close(&client);
}

static void
strangers_script(void)
{
	struct mc_listener *listener = rig_listen("world");
	struct client client;

	shows(listener, NULL, GNUTLS_A_CERTIFICATE_REQUIRED);
	shows(listener, "foreign", GNUTLS_A_UNKNOWN_CA);
	shows(listener, "expired", GNUTLS_A_CERTIFICATE_EXPIRED);
	client_open(&client, rig_address(listener), "gateway-1", NULL);
	CU_ASSERT_TRUE(client_refused(&client, METACUBE__REASON__NOT_ALLOWED,
	    "yours is for gateway \"gateway-1\""));
	CU_ASSERT_TRUE(client_ended(&client));
	client_close(&client);
	CU_ASSERT_EQUAL(rig.seen.opened, 0);
	CU_ASSERT_EQUAL(counter("handshake_failed"), 4);
}

/* Links: this side of them */

static struct {
	atomic_int	 opened, messages, closed;
	struct mc_conn	*conn;
	struct mc_link	*link;
	char		 endpoint[300], role[32];
} caller;

static void
greet(void *arg)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Say talk = METACUBE__SAY__INIT;

	(void)arg;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_SAY;
	envelope.say = &talk;
	talk.text = (char *)"from the link";
	mc_conn_send(caller.conn, &envelope);
}

static void *
link_opened(void *state, struct mc_conn *conn)
{
	caller.conn = conn;
	caller.opened++;
	greet(NULL);
	return state;
}

static void
link_message(void *owner, const Metacube__Envelope *envelope)
{
	(void)owner;
	if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_SAID &&
	    strcmp(envelope->said->text, "from the link") == 0)
		caller.messages++;
}

static void
link_closed(void *owner)
{
	(void)owner;
	caller.closed++;
}

static void
do_dial(void *arg)
{
	static const struct mc_conn_ops ops = {
		link_opened, link_message, link_closed
	};

	(void)arg;
	caller.link = mc_dial(rig.host, caller.endpoint, caller.role, &ops,
	    &caller);
}

static void
dial(const char *endpoint, const char *role)
{
	memset(&caller, 0, sizeof(caller));
	snprintf(caller.endpoint, sizeof(caller.endpoint), "%s", endpoint);
	snprintf(caller.role, sizeof(caller.role), "%s", role);
	on_loop(do_dial, NULL);
}

static void
hang_up(void *arg)
{
	(void)arg;
	mc_hangup(&caller.link);
}

static void
link_script(void)
{
	struct mc_listener *listener = rig_listen("taskmaster");
	char address[128];

	snprintf(address, sizeof(address), "%s", rig_address(listener));
	dial(address, "taskmaster");
	CU_ASSERT_TRUE(eventually_is(&caller.messages, 1));
	CU_ASSERT_EQUAL(rig.seen.messages, 1);
	CU_ASSERT_STRING_EQUAL(mc_conn_peer(caller.conn)->name, "server");
	on_loop(hang_up, NULL);
	CU_ASSERT_TRUE(eventually_is(&caller.closed, 1));
	CU_ASSERT_TRUE(eventually_is(&rig.seen.closed, 1));
	rig_unlisten(&listener);
	CU_ASSERT_EQUAL(client_connect(address), -1);
}

static void
drop_all(struct mc_listener *listener)
{
	struct mc_listener *again = listener;

	rig_unlisten(&again);
}

static void
redial_script(void)
{
	struct mc_listener *listener = rig_listen("taskmaster");
	char endpoint[128], named[140];

	snprintf(endpoint, sizeof(endpoint), "%s", rig_address(listener));
	snprintf(named, sizeof(named), "localhost%s",
	    strrchr(endpoint, ':'));
	drop_all(listener);
	dial(named, "taskmaster");
	CU_ASSERT_TRUE(eventually_counts("dial_failed", 1));
	rig.conf.endpoint = endpoint;
	listener = rig_listen("taskmaster");
	CU_ASSERT_PTR_NOT_NULL_FATAL(listener);
	CU_ASSERT_TRUE(eventually_is(&caller.messages, 1));
	on_loop(hang_up, NULL);
	CU_ASSERT_TRUE(eventually_is(&caller.closed, 1));
}

static void
wrong_server_script(void)
{
	struct mc_listener *listener = rig_listen("taskmaster");

	dial(rig_address(listener), "account");
	CU_ASSERT_TRUE(eventually_counts("dial_failed", 2));
	CU_ASSERT_EQUAL(caller.opened, 0);
	CU_ASSERT_EQUAL(rig.seen.opened, 0);
	on_loop(hang_up, NULL);
}

static void
unwelcome_script(void)
{
	struct mc_listener *listener = rig_listen("world");

	dial(rig_address(listener), "taskmaster");
	CU_ASSERT_TRUE(eventually_counts("dial_failed", 2));
	CU_ASSERT_EQUAL(caller.opened, 0);
	on_loop(hang_up, NULL);
}

/* Certificates */

static enum mc_status answer;

static void
relisten(void *listener)
{
	answer = mc_relisten(listener, &rig.conf);
}

static void
reload_identity(void *arg)
{
	(void)arg;
	answer = identity_load(&rig.process);
	if (answer == MC_OK)
		answer = pump_reload(rig.host);
}

static void
reload_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client before, after;
	const char *other = rig_file("world-1", "pem");

	client_open(&before, rig_address(listener), NULL, NULL);
	rig_issue(scratch_path("pki"), "taskmaster", "server");
	on_loop(reload_identity, NULL);
	CU_ASSERT_EQUAL(answer, MC_OK);
	client_open(&after, rig_address(listener), NULL, NULL);
	CU_ASSERT_NOT_EQUAL(before.serial_hash, after.serial_hash);
	CU_ASSERT_TRUE(client_echo(&before, "old"));
	CU_ASSERT_TRUE(client_echo(&after, "new"));
	client_close(&after);
	rig.conf.certificate = other;
	rig.conf.key = rig_file("world-1", "key");
	on_loop(relisten, listener);
	CU_ASSERT_EQUAL(answer, MC_OK);
	client_open(&after, rig_address(listener), NULL, NULL);
	CU_ASSERT_TRUE(client_echo(&after, "its own"));
	client_close(&after);
	client_close(&before);
}

static void
bad_reload_script(void)
{
	struct mc_listener *listener = rig_listen(NULL);
	struct client client;

	rig.conf.certificate = rig_file("world-1", "pem");
	rig.conf.key = rig_file("gateway-1", "key");
	on_loop(relisten, listener);
	CU_ASSERT_EQUAL(answer, MC_INVALID);
	rig.conf.key = "/nonexistent/key";
	on_loop(relisten, listener);
	CU_ASSERT_EQUAL(answer, MC_INVALID);
	rig.conf.certificate = rig_file("world-1", "key");
	on_loop(relisten, listener);
	CU_ASSERT_EQUAL(answer, MC_INVALID);
	rig.conf.certificate = rig.conf.key = "";
	rig.conf.endpoint = "127.0.0.1:1";
	on_loop(relisten, listener);
	CU_ASSERT_EQUAL(answer, MC_INVALID);
	client_open(&client, rig_address(listener), NULL, NULL);
	CU_ASSERT_TRUE(client_echo(&client, "nothing has changed"));
	client_close(&client);
}

/* Where from */

static const uint8_t proxied[] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54,
	0x0a, 0x21, 0x11, 0x00, 0x0c, 192, 0, 2, 7, 127, 0, 0, 1, 0x30, 0x39,
	0x1e, 0x3c
};

static void
proxy_script(void)
{
	struct mc_listener *listener;
	struct client client;
	char byte;
	int fd;

	rig.conf.proxy_protocol = true;
	rig.conf.max_per_address = 1;
	listener = rig_listen(NULL);
	fd = client_connect(rig_address(listener));
	for (size_t i = 0; i < sizeof(proxied); i++)
		CU_ASSERT_EQUAL(send(fd, proxied + i, 1, MSG_NOSIGNAL), 1);
	client_adopt(&client, fd, NULL, NULL);
	CU_ASSERT_TRUE(client_echo(&client, "behind a proxy"));
	CU_ASSERT_STRING_EQUAL(rig.seen.peer.address, "192.0.2.7");
	fd = client_connect(rig_address(listener));
	CU_ASSERT_EQUAL(send(fd, proxied, sizeof(proxied), MSG_NOSIGNAL),
	    (ssize_t)sizeof(proxied));
	CU_ASSERT_TRUE(recv(fd, &byte, 1, 0) <= 0);
	CU_ASSERT_EQUAL(counter("refused_limit"), 1);
	close(fd);
	fd = client_connect(rig_address(listener));
	CU_ASSERT_EQUAL(send(fd, "PROXY TCP4", 10, MSG_NOSIGNAL), 10);
	CU_ASSERT_TRUE(recv(fd, &byte, 1, 0) <= 0);
	CU_ASSERT_EQUAL(counter("malformed"), 1);
	close(fd);
	client_close(&client);
}

static void
unix_script(void)
{
	struct mc_listener *listener;
	struct client client;
	char endpoint[256], *text = mc_zalloc(500001);

	snprintf(endpoint, sizeof(endpoint), "unix:%s", scratch_path("sock"));
	rig.conf.endpoint = endpoint;
	rig.conf.queue_max = 4 * 1024 * 1024;
	listener = rig_listen("world");
	CU_ASSERT_PTR_NOT_NULL_FATAL(listener);
	CU_ASSERT_STRING_EQUAL(rig_address(listener), endpoint);
	CU_ASSERT_PTR_NULL(rig_listen(NULL));	/* somebody is there */
	client_plain(&client, endpoint);
	CU_ASSERT_TRUE(client_echo(&client, "no TLS here"));
	CU_ASSERT_STRING_EQUAL(rig.seen.peer.address, "unix");
	CU_ASSERT_TRUE(mc_peer_is(&rig.seen.peer, "world"));
	memset(text, 'u', 500000);
	CU_ASSERT_TRUE(client_echo(&client, text));
	client_close(&client);
	dial(endpoint, "world");
	CU_ASSERT_TRUE(eventually_is(&caller.messages, 1));
	on_loop(hang_up, NULL);
	rig_unlisten(&listener);
	CU_ASSERT_EQUAL(access(scratch_path("sock"), F_OK), -1);
	free(text);
}

static void
addresses_script(void)
{
	struct mc_listener *listener;
	char taken[128];

	rig.conf.endpoint = "[::1]:0";
	listener = rig_listen(NULL);
	if (listener != NULL)
		CU_ASSERT_EQUAL(strncmp(rig_address(listener), "[::1]:", 6),
		    0);
	rig.conf.endpoint = "127.0.0.1:0";
	listener = rig_listen(NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(listener);
	CU_ASSERT_NOT_EQUAL(atoi(strrchr(rig_address(listener), ':') + 1), 0);
	snprintf(taken, sizeof(taken), "%s", rig_address(listener));
	rig.conf.endpoint = taken;
	CU_ASSERT_PTR_NULL(rig_listen(NULL));
	rig.conf.endpoint = "192.0.2.1:0";
	CU_ASSERT_PTR_NULL(rig_listen(NULL));
}

SCRIPT(mutual)
SCRIPT(strangers)
SCRIPT(link)
SCRIPT(redial)
SCRIPT(wrong_server)
SCRIPT(unwelcome)
SCRIPT(reload)
SCRIPT(bad_reload)
SCRIPT(proxy)
SCRIPT(unix)
SCRIPT(addresses)

const struct cutap_test pump_server_tests[] = {
	{ "name and roles come from the certificate", run_mutual },
	{ "servers without the right one are refused", run_strangers },
	{ "a link opens, talks and hangs up", run_link },
	{ "a link dials again, by name", run_redial },
	{ "a link does not trust another role", run_wrong_server },
	{ "a link that is refused never opens", run_unwelcome },
	{ "a reload changes the certificate", run_reload },
	{ "a bad reload changes nothing", run_bad_reload },
	{ "the PROXY header says who it is", run_proxy },
	{ "unix sockets, without TLS", run_unix },
	{ "addresses in use, and of other machines", run_addresses },
	{ NULL, NULL }
};
