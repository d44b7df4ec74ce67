/* SPDX-License-Identifier: MIT */
/*
 * antp_read - takes a whole file over TLS and throws it away, as fast as it
 * can: from antpserv, or from a web server.
 *
 *	antp_read antp|http HOST:PORT CERT KEY FILE PID[,PID...]
 *
 * Prints bytes, seconds, and CPU seconds of the servers.  The same GnuTLS
 * reader for both, so that its own cost is the same.
 */
#include "meter.h"

#include <metacube/antp.h>

#include <gnutls/gnutls.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PRIORITY	"NORMAL:-VERS-ALL:+VERS-TLS1.3:" \
			"-CIPHER-ALL:+AES-128-GCM"
#define BUFFER		(128 * 1024)

static char buffer[BUFFER];

static int
connect_to(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	char host[256];
	const char *colon = strrchr(address, ':');
	int fd;

	if (colon == NULL)
		bench_fail("%s has no port", address);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		bench_fail("%s is unknown", address);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, found->ai_addr, found->ai_addrlen) == -1)
		bench_fail("cannot connect to %s", address);
	freeaddrinfo(found);
	return fd;
}

static gnutls_session_t
secure(int fd, const char *certificate, const char *key)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t tls;
	int error;

	gnutls_certificate_allocate_credentials(&credentials);
	if (gnutls_certificate_set_x509_key_file(credentials, certificate, key,
	    GNUTLS_X509_FMT_PEM) != 0)
		bench_fail("cannot read %s", certificate);
	gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT);
	gnutls_priority_set_direct(tls, PRIORITY, NULL);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(tls, fd);
	do
		error = gnutls_handshake(tls);
	while (error < 0 && !gnutls_error_is_fatal(error));
	if (error < 0)
		bench_fail("handshake: %s", gnutls_strerror(error));
	return tls;
}

static size_t
receive(gnutls_session_t tls, size_t at)
{
	ssize_t n;

	do
		n = gnutls_record_recv(tls, buffer + at, sizeof(buffer) - at);
	while (n < 0 && !gnutls_error_is_fatal((int)n));
	if (n <= 0)
		bench_fail("the server has closed: %s", n == 0 ? "" :
		    gnutls_strerror((int)n));
	return (size_t)n;
}

/* Both return the body's length; *have_r of it is read already. */

static uint64_t
ask_antp(gnutls_session_t tls, const char *file, size_t *have_r)
{
	struct antp_request request = { .verb = ANTP_GET };
	struct antp_response response;
	char text[ANTP_HEAD_MAX];
	const char *why;
	size_t len = 0;
	int head;

	snprintf(request.file, sizeof(request.file), "%s", file);
	gnutls_record_send(tls, text, antp_request_write(&request, text));
	do {
		len += receive(tls, len);
		head = antp_response_read(buffer, len, &response, &why);
	} while (head == 0);
	if (head == -1 || response.status != ANTP_OK)
		bench_fail("antp: %s", head == -1 ? why : response.text);
	*have_r = len - (size_t)head;
	return response.length;
}

static uint64_t
ask_http(gnutls_session_t tls, const char *file, size_t *have_r)
{
	unsigned long long length = 0;
	char text[512], *end, *line;
	size_t len = 0;

	gnutls_record_send(tls, text, (size_t)snprintf(text, sizeof(text),
	    "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", file));
	do {
		len += receive(tls, len);
		buffer[len] = '\0';
		end = strstr(buffer, "\r\n\r\n");
	} while (end == NULL);
	line = strstr(buffer, "Content-Length: ");
	if (strstr(buffer, " 200 ") == NULL || line == NULL ||
	    sscanf(line, "Content-Length: %llu", &length) != 1)
		bench_fail("http: %.60s", buffer);
	*have_r = len - (size_t)(end + 4 - buffer);
	return length;
}

int
main(int argc, char **argv)
{
	gnutls_session_t tls;
	struct pids servers;
	double began, cpu;
	uint64_t length;
	size_t have;

	if (argc != 7)
		bench_fail("usage: antp_read antp|http HOST:PORT CERT KEY FILE "
		    "PIDS");
	pids_parse(&servers, argv[6]);
	tls = secure(connect_to(argv[2]), argv[3], argv[4]);
	cpu = meter_cpu_us(&servers);
	began = meter_now_us();
	length = strcmp(argv[1], "antp") == 0 ?
	    ask_antp(tls, argv[5], &have) : ask_http(tls, argv[5], &have);
	for (uint64_t at = have; at < length;)
		at += receive(tls, 0);
	printf("%llu %.6f %.6f\n", (unsigned long long)length,
	    (meter_now_us() - began) / 1e6,
	    (meter_cpu_us(&servers) - cpu) / 1e6);
	return 0;
}
