/* SPDX-License-Identifier: MIT */
#include "link.h"
#include "frame.h"
#include "meter.h"

#include <gnutls/x509.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void
must(int rc, const char *what)
{
	if (rc < 0)
		bench_fail("%s: %s", what, gnutls_strerror(rc));
}

static gnutls_datum_t
file_read(const char *dir, const char *name)
{
	gnutls_datum_t data;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	must(gnutls_load_file(path, &data), path);
	return data;
}

/* The CA is read once. */
static void
ca_load(const char *dir, gnutls_x509_crt_t *crt_r, gnutls_x509_privkey_t *key_r)
{
	static gnutls_x509_privkey_t key;
	static gnutls_x509_crt_t crt;

	if (crt == NULL) {
		gnutls_datum_t pem = file_read(dir, "ca.pem");
		gnutls_datum_t secret = file_read(dir, "ca.key");

		gnutls_x509_crt_init(&crt);
		gnutls_x509_privkey_init(&key);
		must(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM),
		    "ca.pem");
		must(gnutls_x509_privkey_import2(key, &secret,
		    GNUTLS_X509_FMT_PEM, NULL, 0), "ca.key");
		gnutls_free(pem.data);
		gnutls_free(secret.data);
	}
	*crt_r = crt;
	*key_r = key;
}

static void
certificate_fill(gnutls_x509_crt_t crt, const char *role, const char *name)
{
	static uint32_t serial = 1;
	uint32_t number = htonl(serial++);
	char uri[160];

	snprintf(uri, sizeof(uri), "metacube:%s/%s", role, name);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, &number, sizeof(number));
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
	    name, (unsigned)strlen(name));
	must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, uri,
	    (unsigned)strlen(uri), GNUTLS_FSAN_SET), uri);
	gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
}

static void
certificate_issue(struct link *link, const char *dir, const char *role,
    const char *name)
{
	gnutls_x509_privkey_t key, ca_key;
	gnutls_x509_crt_t crt, ca;

	ca_load(dir, &ca, &ca_key);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_privkey_init(&key);
	must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), "key");
	certificate_fill(crt, role, name);
	must(gnutls_x509_crt_set_key(crt, key), "certificate");
	must(gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0),
	    "signing");
	gnutls_certificate_allocate_credentials(&link->creds);
	must(gnutls_certificate_set_x509_key(link->creds, &crt, 1, key),
	    "credentials");
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

void
link_open(struct link *link, uint16_t port, const char *dir,
    const char *role, const char *name)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int one = 1, rc;

	memset(link, 0, sizeof(*link));
	link->data = malloc(LINK_BUFFER);
	if (role != NULL)
		certificate_issue(link, dir, role, name);
	else
		gnutls_certificate_allocate_credentials(&link->creds);
	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd == -1 ||
	    connect(link->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		bench_fail("%s: cannot connect to port %u", name, port);
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	gnutls_init(&link->tls, GNUTLS_CLIENT | GNUTLS_NO_TICKETS);
	gnutls_priority_set_direct(link->tls,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
	gnutls_credentials_set(link->tls, GNUTLS_CRD_CERTIFICATE,
	    link->creds);
	gnutls_transport_set_int(link->tls, link->fd);
	do
		rc = gnutls_handshake(link->tls);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	must(rc, name);
}

void
link_close(struct link *link)
{
	gnutls_bye(link->tls, GNUTLS_SHUT_WR);
	gnutls_deinit(link->tls);
	gnutls_certificate_free_credentials(link->creds);
	close(link->fd);
	free(link->data);
}

void
link_rest(struct link *link)
{
	free(link->data);
	link->data = NULL;
	link->len = 0;
}

void
link_send(struct link *link, const void *frames, size_t len)
{
	const uint8_t *at = frames;

	while (len > 0) {
		ssize_t n = gnutls_record_send(link->tls, at, len);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		must((int)(n > 0 ? 0 : n), "send");
		at += n;
		len -= (size_t)n;
	}
}

void
link_send_envelope(struct link *link, const Metacube__Envelope *envelope)
{
	size_t size = metacube__envelope__get_packed_size(envelope) + 4;
	uint8_t *frame = malloc(size);

	link_send(link, frame, frame_write(envelope, frame, size));
	free(frame);
}

static bool
link_fill(struct link *link, int timeout_ms)
{
	struct pollfd pollfd = { .fd = link->fd, .events = POLLIN };
	ssize_t n;

	if (gnutls_record_check_pending(link->tls) == 0 &&
	    poll(&pollfd, 1, timeout_ms) <= 0)
		return false;
	n = gnutls_record_recv(link->tls, link->data + link->len,
	    LINK_BUFFER - link->len);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return true;
	if (n == 0)
		bench_fail("the taskmaster has closed a link");
	must((int)n, "receive");
	link->len += (size_t)n;
	return true;
}

Metacube__Envelope *
link_receive(struct link *link, int timeout_ms)
{
	Metacube__Envelope *envelope;
	size_t used;

	while (!frame_read(link->data, link->len, &envelope, &used))
		if (!link_fill(link, timeout_ms))
			return NULL;
	if (envelope == NULL)
		bench_fail("the taskmaster has sent a malformed message");
	link->len -= used;
	memmove(link->data, link->data + used, link->len);
	return envelope;
}
