/* SPDX-License-Identifier: MIT */
#include "counterpart.h"

#include <CUnit/CUnit.h>
#include <gnutls/x509.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DAY	86400

static gnutls_x509_privkey_t key, other_key;
static gnutls_x509_crt_t ca, other_ca, namesake_ca;
static gnutls_x509_crt_t certificates[CERT_COUNT];
static char dir[] = "/tmp/metacube-client-XXXXXX";
static char ca_file[64];

static void
must(int error)
{
	if (error >= 0)
		return;
	fprintf(stderr, "counterpart: %s\n", gnutls_strerror(error));
	abort();
}

static gnutls_x509_privkey_t
key_new(void)
{
	gnutls_x509_privkey_t made;

	must(gnutls_x509_privkey_init(&made));
	must(gnutls_x509_privkey_generate(made, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	return made;
}

static gnutls_x509_crt_t
crt_new(const char *name, gnutls_x509_privkey_t of, long from, long until)
{
	static unsigned char serial;
	gnutls_x509_crt_t crt;

	serial++;
	must(gnutls_x509_crt_init(&crt));
	must(gnutls_x509_crt_set_version(crt, 3));
	must(gnutls_x509_crt_set_serial(crt, &serial, 1));
	must(gnutls_x509_crt_set_dn(crt, name, NULL));
	must(gnutls_x509_crt_set_key(crt, of));
	must(gnutls_x509_crt_set_activation_time(crt, time(NULL) + from));
	must(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + until));
	return crt;
}

static gnutls_x509_crt_t
ca_new(const char *name, gnutls_x509_privkey_t of)
{
	gnutls_x509_crt_t crt = crt_new(name, of, -400 * DAY, 400 * DAY);

	must(gnutls_x509_crt_set_basic_constraints(crt, 1, -1));
	must(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN));
	must(gnutls_x509_crt_sign2(crt, crt, of, GNUTLS_DIG_SHA256, 0));
	return crt;
}

static void
san_add(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type,
    const void *data, size_t len)
{
	must(gnutls_x509_crt_set_subject_alt_name(crt, type, data,
	    (unsigned)len, GNUTLS_FSAN_APPEND));
}

static gnutls_x509_crt_t
server_new(const char *host, long from, long until, const char *purpose)
{
	static const unsigned char loopback[4] = { 127, 0, 0, 1 };
	gnutls_x509_crt_t crt = crt_new("CN=a server", key, from, until);

	san_add(crt, GNUTLS_SAN_DNSNAME, host, strlen(host));
	if (strcmp(host, "localhost") == 0)
		san_add(crt, GNUTLS_SAN_IPADDRESS, loopback, 4);
	must(gnutls_x509_crt_set_key_usage(crt,
	    GNUTLS_KEY_DIGITAL_SIGNATURE));
	must(gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0));
	return crt;
}

static void
sign(enum certificate which, gnutls_x509_crt_t crt, gnutls_x509_crt_t by,
    gnutls_x509_privkey_t with)
{
	must(gnutls_x509_crt_sign2(crt, by != NULL ? by : crt, with,
	    GNUTLS_DIG_SHA256, 0));
	certificates[which] = crt;
}

static gnutls_x509_crt_t
usual_new(void)
{
	return server_new("localhost", -DAY, DAY, GNUTLS_KP_TLS_WWW_SERVER);
}

static void
uri_add(gnutls_x509_crt_t crt, const char *uri)
{
	san_add(crt, GNUTLS_SAN_URI, uri, strlen(uri));
}

static void
certificates_make(void)
{
	gnutls_x509_crt_t crt;

	sign(CERT_GOOD, usual_new(), ca, key);
	crt = usual_new();
	uri_add(crt, "metacube:gateway/gate");
	uri_add(crt, "metacube:world/world-1");
	sign(CERT_ROLES, crt, ca, key);
	crt = usual_new();
	uri_add(crt, "metacube:world/world-2");
	sign(CERT_WORLD_2, crt, ca, key);
	sign(CERT_OTHER_CA, usual_new(), other_ca, other_key);
	sign(CERT_OTHER_CA_SAME_NAME, usual_new(), namesake_ca, other_key);
	sign(CERT_SELF_SIGNED, usual_new(), NULL, key);
	sign(CERT_EXPIRED, server_new("localhost", -2 * DAY, -DAY,
	    GNUTLS_KP_TLS_WWW_SERVER), ca, key);
	sign(CERT_NOT_YET, server_new("localhost", DAY, 2 * DAY,
	    GNUTLS_KP_TLS_WWW_SERVER), ca, key);
	sign(CERT_OTHER_HOST, server_new("elsewhere.example", -DAY, DAY,
	    GNUTLS_KP_TLS_WWW_SERVER), ca, key);
	sign(CERT_FOR_CLIENTS, server_new("localhost", -DAY, DAY,
	    GNUTLS_KP_TLS_WWW_CLIENT), ca, key);
}

static void
ca_write(void)
{
	gnutls_datum_t pem;
	FILE *file;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	must(gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_PEM, &pem));
	file = fopen(ca_file, "w");
	if (file == NULL || fwrite(pem.data, pem.size, 1, file) != 1 ||
	    fclose(file) != 0)
		abort();
	gnutls_free(pem.data);
}

void
counterpart_world_begin(void)
{
	key = key_new();
	other_key = key_new();
	ca = ca_new("CN=the CA", key);
	other_ca = ca_new("CN=another CA", other_key);
	namesake_ca = ca_new("CN=the CA", other_key);
	certificates_make();
	ca_write();
}

void
counterpart_world_end(void)
{
	for (int i = 0; i < CERT_COUNT; i++)
		gnutls_x509_crt_deinit(certificates[i]);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(other_ca);
	gnutls_x509_crt_deinit(namesake_ca);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_privkey_deinit(other_key);
	unlink(ca_file);
	rmdir(dir);
}

const char *
counterpart_ca(void)
{
	return ca_file;
}

/* --- the thread -------------------------------------------------------- */

static bool
shake(struct counterpart *self, gnutls_certificate_credentials_t credentials)
{
	int error;

	must(gnutls_init(&self->session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL));
	must(gnutls_priority_set_direct(self->session, self->priority != NULL ?
	    self->priority : "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL));
	must(gnutls_credentials_set(self->session, GNUTLS_CRD_CERTIFICATE,
	    credentials));
	gnutls_transport_set_int(self->session, self->fd);
	do
		error = gnutls_handshake(self->session);
	while (error < 0 && !gnutls_error_is_fatal(error));
	if (error < 0)
		gnutls_alert_send_appropriate(self->session, error);
	return error == 0;
}

static void
play(struct counterpart *self, scene_fn *scene)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_x509_crt_t chain[1] = { certificates[self->certificate] };

	if (self->plain) {
		scene(self);
		return;
	}
	must(gnutls_certificate_allocate_credentials(&credentials));
	must(gnutls_certificate_set_x509_key(credentials, chain, 1, key));
	if (shake(self, credentials))
		scene(self);
	gnutls_deinit(self->session);
	self->session = NULL;
	gnutls_certificate_free_credentials(credentials);
}

static void *
run(void *arg)
{
	struct counterpart *self = arg;

	for (int i = 0; i < COUNTERPART_SCENES && self->scenes[i]; i++) {
		self->fd = accept(self->listener, NULL, NULL);
		if (self->fd < 0)
			return NULL;
		play(self, self->scenes[i]);
		close(self->fd);
	}
	self->ok = true;
	return NULL;
}

void
counterpart_start(struct counterpart *self)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (self->listener < 0 || bind(self->listener,
	    (struct sockaddr *)&address, len) < 0 ||
	    listen(self->listener, 8) < 0 || getsockname(self->listener,
	    (struct sockaddr *)&address, &len) < 0)
		abort();
	snprintf(self->endpoint, sizeof(self->endpoint), "127.0.0.1:%u",
	    ntohs(address.sin_port));
	if (pthread_create(&self->thread, NULL, run, self) != 0)
		abort();
}

void
counterpart_stop(struct counterpart *self)
{
	/* Ends an accept that nobody has answered. */
	shutdown(self->listener, SHUT_RDWR);
	pthread_join(self->thread, NULL);
	close(self->listener);
}

/* --- what is said in a scene ------------------------------------------- */

void
counterpart_send(struct counterpart *self, const void *data, size_t len)
{
	const char *bytes = data;

	while (len > 0) {
		ssize_t n = gnutls_record_send(self->session, bytes, len);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

void
counterpart_say(struct counterpart *self, Metacube__Envelope *envelope)
{
	uint8_t frame[65536 + 4];
	size_t len = metacube__envelope__get_packed_size(envelope);
	uint32_t head = htonl((uint32_t)len);

	if (len > sizeof(frame) - 4)
		abort();
	memcpy(frame, &head, 4);
	metacube__envelope__pack(envelope, frame + 4);
	counterpart_send(self, frame, len + 4);
}

static bool
take(struct counterpart *self, void *data, size_t len)
{
	char *bytes = data;

	while (len > 0) {
		ssize_t n = gnutls_record_recv(self->session, bytes, len);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

Metacube__Envelope *
counterpart_hear(struct counterpart *self)
{
	uint8_t frame[65536];
	uint32_t head;

	if (!take(self, &head, 4) || ntohl(head) > sizeof(frame) ||
	    !take(self, frame, ntohl(head)))
		return NULL;
	return metacube__envelope__unpack(NULL, ntohl(head), frame);
}
