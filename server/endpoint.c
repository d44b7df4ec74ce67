/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_PREFIX	"unix:"

static const char *
parse_local(const char *path, struct endpoint *endpoint)
{
	struct sockaddr_un un;

	if (path[0] != '/')
		return "is not an absolute path after unix:";
	if (strlen(path) >= sizeof(un.sun_path))
		return "has a path that is too long for a unix socket";
	endpoint->local = true;
	strcpy(endpoint->host, path);
	return NULL;
}

static bool
parse_port(const char *text, in_port_t *port_r)
{
	char *end;
	unsigned long port;

	if (text[0] < '0' || text[0] > '9')
		return false;
	port = strtoul(text, &end, 10);
	if (*end != '\0' || port > 65535)
		return false;
	*port_r = (in_port_t)port;
	return true;
}

const char *
endpoint_path(const char *text)
{
	size_t len = strlen(UNIX_PREFIX);

	return strncmp(text, UNIX_PREFIX, len) == 0 ? text + len : NULL;
}

const char *
endpoint_parse(const char *text, struct endpoint *endpoint)
{
	const char *path = endpoint_path(text);
	const char *host = text, *colon = strrchr(text, ':');
	size_t len;

	memset(endpoint, 0, sizeof(*endpoint));
	if (path != NULL)
		return parse_local(path, endpoint);
	if (colon == NULL || !parse_port(colon + 1, &endpoint->port))
		return "does not end with a port from 0 to 65535";
	len = (size_t)(colon - host);
	if (host[0] == '[') {
		if (len < 2 || host[len - 1] != ']')
			return "has no ] before its port";
		host++;
		len -= 2;
	} else if (memchr(host, ':', len) != NULL) {
		return "is an IPv6 address without brackets";
	}
	if (len == 0)
		return "has no host";
	if (len > ENDPOINT_HOST_MAX)
		return "has a host name of more than 255 bytes";
	memcpy(endpoint->host, host, len);
	return NULL;
}

bool
endpoint_address(const struct endpoint *endpoint, struct address *address)
{
	memset(address, 0, sizeof(*address));
	if (endpoint->local) {
		address->sa.un.sun_family = AF_UNIX;
		strcpy(address->sa.un.sun_path, endpoint->host);
		address->len = sizeof(address->sa.un);
	} else if (inet_pton(AF_INET, endpoint->host,
	    &address->sa.in.sin_addr) == 1) {
		address->sa.in.sin_family = AF_INET;
		address->sa.in.sin_port = htons(endpoint->port);
		address->len = sizeof(address->sa.in);
	} else if (inet_pton(AF_INET6, endpoint->host,
	    &address->sa.in6.sin6_addr) == 1) {
		address->sa.in6.sin6_family = AF_INET6;
		address->sa.in6.sin6_port = htons(endpoint->port);
		address->len = sizeof(address->sa.in6);
	}
	return address->len != 0;
}

void
address_unmap(struct address *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (address->sa.any.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&address->sa.in6.sin6_addr))
		return;
	in.sin_port = address->sa.in6.sin6_port;
	memcpy(&in.sin_addr, &address->sa.in6.sin6_addr.s6_addr[12], 4);
	address->sa.in = in;
	address->len = sizeof(in);
}

void
address_host(const struct address *address, char *out, size_t size)
{
	struct address plain = *address;

	address_unmap(&plain);
	if (plain.sa.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &plain.sa.in.sin_addr, out, (socklen_t)size);
	else if (plain.sa.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &plain.sa.in6.sin6_addr, out,
		    (socklen_t)size);
	else
		snprintf(out, size, "unix");
}

void
address_text(const struct address *address, char out[ENDPOINT_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN];

	address_host(address, host, sizeof(host));
	if (address->sa.any.sa_family == AF_INET)
		snprintf(out, ENDPOINT_TEXT_SIZE, "%s:%u", host,
		    ntohs(address->sa.in.sin_port));
	else if (address->sa.any.sa_family == AF_INET6)
		snprintf(out, ENDPOINT_TEXT_SIZE,
		    strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
		    ntohs(address->sa.in6.sin6_port));
	else
		snprintf(out, ENDPOINT_TEXT_SIZE, UNIX_PREFIX "%s",
		    address->sa.un.sun_path);
}

bool
address_is_loopback(const struct address *address)
{
	struct address plain = *address;

	address_unmap(&plain);
	switch (plain.sa.any.sa_family) {
	case AF_INET:
		return ntohl(plain.sa.in.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&plain.sa.in6.sin6_addr);
	default:
		return false;
	}
}
