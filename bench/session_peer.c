/* SPDX-License-Identifier: MIT */
/*
 * session_peer - the least that an idle player can cost: a server that makes
 * one TLS 1.3 handshake after the other and keeps the sessions.
 *
 *	session_peer CERTIFICATE KEY
 *
 * Prints its port; ends when its standard input does.
 */
#include "meter.h"

#include <gnutls/gnutls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
listen_anywhere(uint16_t *port_r)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t len = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&here, len) != 0 ||
	    listen(fd, 128) != 0 ||
	    getsockname(fd, (struct sockaddr *)&here, &len) != 0)
		bench_fail("cannot listen");
	*port_r = ntohs(here.sin_port);
	return fd;
}

static void
session_keep(int fd, gnutls_certificate_credentials_t creds,
    gnutls_priority_t priority)
{
	gnutls_session_t tls;
	int rc;

	gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_NO_TICKETS);
	gnutls_priority_set(tls, priority);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, creds);
	gnutls_transport_set_int(tls, fd);
	do
		rc = gnutls_handshake(tls);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	if (rc < 0)
		bench_fail("handshake: %s", gnutls_strerror(rc));
}

int
main(int argc, char **argv)
{
	gnutls_certificate_credentials_t creds;
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	gnutls_priority_t priority;
	uint16_t port;

	if (argc != 3)
		bench_fail("usage: session_peer CERTIFICATE KEY");
	gnutls_certificate_allocate_credentials(&creds);
	if (gnutls_certificate_set_x509_key_file(creds, argv[1], argv[2],
	    GNUTLS_X509_FMT_PEM) < 0)
		bench_fail("cannot use %s and %s", argv[1], argv[2]);
	gnutls_priority_init(&priority, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
	fds[0].fd = STDIN_FILENO;
	fds[1].fd = listen_anywhere(&port);
	printf("%u\n", port);
	fflush(stdout);
	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0)
		session_keep(accept(fds[1].fd, NULL, NULL), creds, priority);
	return 0;
}
