/* SPDX-License-Identifier: MIT */
/* The clients of pump_rig.h: blocking sockets, and TLS over them. */
#include "pump_rig.h"

#include "server/endpoint.h"

#include <CUnit/CUnit.h>

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
client_connect(const char *text)
{
	struct endpoint endpoint;
	struct address address;
	struct timeval patience = { .tv_sec = RIG_PATIENCE_MS / 1000 };
	int fd, one = 1;

	if (endpoint_parse(text, &endpoint) != NULL ||
	    !endpoint_address(&endpoint, &address))
		return -1;
	fd = socket(address.sa.any.sa_family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, &address.sa.any, address.len) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint32_t
hash(const gnutls_datum_t *data)
{
	uint32_t value = 2166136261u;

	for (unsigned i = 0; i < data->size; i++)
		value = (value ^ data->data[i]) * 16777619u;
	return value;
}

static void
shake_hands(struct client *client)
{
	const gnutls_datum_t *chain;
	unsigned count;

	do
		client->error = gnutls_handshake(client->tls);
	while (client->error < 0 && !gnutls_error_is_fatal(client->error) &&
	    client->error != GNUTLS_E_AGAIN);
	if (client->error == GNUTLS_E_FATAL_ALERT_RECEIVED)
		client->alert = gnutls_alert_get(client->tls);
	if (client->error < 0)
		return;
	chain = gnutls_certificate_get_peers(client->tls, &count);
	if (chain != NULL && count != 0)
		client->serial_hash = hash(chain);
}

void
client_adopt(struct client *client, int fd, const char *certificate,
    const char *priority)
{
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	gnutls_certificate_allocate_credentials(&client->credentials);
	if (certificate != NULL)
		CU_ASSERT_EQUAL(gnutls_certificate_set_x509_key_file(
		    client->credentials, rig_file(certificate, "pem"),
		    rig_file(certificate, "key"), GNUTLS_X509_FMT_PEM), 0);
	gnutls_init(&client->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL |
	    GNUTLS_FORCE_CLIENT_CERT);
	gnutls_priority_set_direct(client->tls, priority != NULL ? priority :
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
	gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE,
	    client->credentials);
	gnutls_transport_set_int(client->tls, fd);
	shake_hands(client);
}

void
client_open(struct client *client, const char *address,
    const char *certificate, const char *priority)
{
	client_adopt(client, client_connect(address), certificate, priority);
}

void
client_plain(struct client *client, const char *address)
{
	memset(client, 0, sizeof(*client));
	client->fd = client_connect(address);
	client->error = client->fd != -1 ? 0 : -1;
}

void
client_close(struct client *client)
{
	if (client->fd != -1)
		close(client->fd);
	if (client->tls != NULL)
		gnutls_deinit(client->tls);
	if (client->credentials != NULL)
		gnutls_certificate_free_credentials(client->credentials);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

bool
client_write(struct client *client, const void *data, size_t len)
{
	const uint8_t *at = data;
	ssize_t n;

	while (len != 0) {
		n = client->tls != NULL ?
		    gnutls_record_send(client->tls, at, len) :
		    send(client->fd, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

void
client_send(struct client *client, const Metacube__Envelope *envelope)
{
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint8_t *frame = mc_zalloc(4 + len);

	frame[0] = (uint8_t)(len >> 24);
	frame[1] = (uint8_t)(len >> 16);
	frame[2] = (uint8_t)(len >> 8);
	frame[3] = (uint8_t)len;
	metacube__envelope__pack(envelope, frame + 4);
	client_write(client, frame, 4 + len);
	free(frame);
}

bool
client_read(struct client *client, uint8_t *at, size_t len)
{
	ssize_t n;

	while (len != 0) {
		n = client->tls != NULL ?
		    gnutls_record_recv(client->tls, at, len) :
		    recv(client->fd, at, len, 0);
		if (n == GNUTLS_E_INTERRUPTED)
			continue;
		if (client->tls != NULL && n == GNUTLS_E_FATAL_ALERT_RECEIVED)
			client->alert = gnutls_alert_get(client->tls);
		client->error = n < 0 ? (int)n : 0;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

Metacube__Envelope *
client_receive(struct client *client)
{
	Metacube__Envelope *envelope;
	uint8_t head[4], *body;
	size_t len;

	if (!client_read(client, head, 4))
		return NULL;
	len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	body = mc_zalloc(len);
	envelope = client_read(client, body, len) ?
	    metacube__envelope__unpack(NULL, len, body) : NULL;
	free(body);
	return envelope;
}

bool
client_said(struct client *client, const char *text)
{
	Metacube__Envelope *envelope = client_receive(client);
	bool is;

	if (envelope == NULL)
		return false;
	is = envelope->message_case == METACUBE__ENVELOPE__MESSAGE_SAID &&
	    (text == NULL || strcmp(envelope->said->text, text) == 0);
	metacube__envelope__free_unpacked(envelope, NULL);
	return is;
}

bool
client_refused(struct client *client, Metacube__Reason reason,
    const char *part)
{
	Metacube__Envelope *envelope = client_receive(client);
	bool is;

	if (envelope == NULL)
		return false;
	is = envelope->message_case == METACUBE__ENVELOPE__MESSAGE_REFUSED &&
	    envelope->refused->reason == reason &&
	    strstr(envelope->refused->text, part) != NULL;
	metacube__envelope__free_unpacked(envelope, NULL);
	return is;
}

bool
client_ended(struct client *client)
{
	Metacube__Envelope *envelope = client_receive(client);

	if (envelope == NULL)
		return client->error != GNUTLS_E_AGAIN;
	metacube__envelope__free_unpacked(envelope, NULL);
	return false;
}

void
client_say(struct client *client, const char *text, uint32_t cid)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Say talk = METACUBE__SAY__INIT;

	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_SAY;
	envelope.say = &talk;
	talk.text = (char *)text;
	client_send(client, &envelope);
}

void
client_login(struct client *client, const char *name)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Login login = METACUBE__LOGIN__INIT;

	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
	envelope.login = &login;
	login.name = (char *)name;
	client_send(client, &envelope);
}

bool
client_echo(struct client *client, const char *text)
{
	Metacube__Envelope *envelope;
	bool same;

	client_say(client, text, 0);
	envelope = client_receive(client);
	if (envelope == NULL)
		return false;
	same = envelope->message_case == METACUBE__ENVELOPE__MESSAGE_SAID &&
	    strcmp(envelope->said->text, text) == 0;
	metacube__envelope__free_unpacked(envelope, NULL);
	return same;
}
