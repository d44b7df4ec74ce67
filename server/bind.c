/* SPDX-License-Identifier: MIT */
/*
 * From an MC_LISTEN endpoint to a bound socket, which does not listen yet.
 */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
resolve(struct mc_host *host, const struct endpoint *endpoint,
    struct address *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int error;

	if (endpoint_address(endpoint, address))
		return true;
	error = getaddrinfo(endpoint->host, NULL, &hints, &found);
	if (error != 0) {
		mc_log(host, MC_ERROR, "cannot listen on %s: %s",
		    endpoint->host, gai_strerror(error));
		return false;
	}
	memset(address, 0, sizeof(*address));
	memcpy(&address->sa, found->ai_addr, found->ai_addrlen);
	address->len = found->ai_addrlen;
	if (address->sa.any.sa_family == AF_INET6)
		address->sa.in6.sin6_port = htons(endpoint->port);
	else
		address->sa.in.sin_port = htons(endpoint->port);
	freeaddrinfo(found);
	return true;
}

/* What a server that was killed has left behind; never one that is in use. */
static void
remove_stale(const struct address *address)
{
	struct stat st;
	int fd;

	if (lstat(address->sa.un.sun_path, &st) == -1 ||
	    !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (connect(fd, &address->sa.any, address->len) == -1 &&
	    errno == ECONNREFUSED)
		unlink(address->sa.un.sun_path);
	close(fd);
}

/* Sockets that are accepted inherit TCP_NODELAY. */
static int
open_socket(const struct address *address)
{
	int one = 1, zero = 0, family = address->sa.any.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (family == AF_UNIX)
		remove_stale(address);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, &address->sa.any, address->len) == -1 ||
	    (family == AF_UNIX && chmod(address->sa.un.sun_path, 0660) == -1)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* [::] means everything; on a machine without IPv6 that is 0.0.0.0. */
static int
open_any(struct mc_host *host, const char *endpoint, struct address *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = open_socket(address);

	if (fd != -1 || address->sa.any.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_UNSPECIFIED(&address->sa.in6.sin6_addr) ||
	    (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		return fd;
	mc_log(host, MC_NOTE, "there is no IPv6 here: %s listens on IPv4 only",
	    endpoint);
	in.sin_port = address->sa.in6.sin6_port;
	address->sa.in = in;
	address->len = sizeof(in);
	return open_socket(address);
}

int
bind_endpoint(struct mc_host *host, const char *text)
{
	struct endpoint endpoint;
	struct address address;
	const char *fault = endpoint_parse(text, &endpoint);
	int fd;

	if (fault != NULL) {
		mc_log(host, MC_ERROR, "endpoint \"%s\" %s", text, fault);
		return -1;
	}
	if (!resolve(host, &endpoint, &address))
		return -1;
	fd = open_any(host, text, &address);
	if (fd == -1)
		mc_log(host, MC_ERROR, "cannot listen on %s: %s", text,
		    strerror(errno));
	return fd;
}
