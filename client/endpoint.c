/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <stdio.h>
#include <string.h>

/* Where the host ends, and the port begins or NULL; *text is moved behind an
 * opening bracket. */
static const char *
host_end(const char **text, const char **port_r)
{
	const char *end;

	if (**text != '[') {
		end = strchr(*text, ':');
		*port_r = end != NULL ? end + 1 : NULL;
		return end != NULL ? end : *text + strlen(*text);
	}
	++*text;
	end = strchr(*text, ']');
	if (end == NULL || (end[1] != '\0' && end[1] != ':'))
		return NULL;
	*port_r = end[1] == ':' ? end + 2 : NULL;
	return end;
}

static int
port_valid(const char *port)
{
	size_t len = strlen(port);
	unsigned number = 0;

	if (len == 0 || len > 5 || strspn(port, "0123456789") != len)
		return 0;
	for (; *port != '\0'; port++)
		number = number * 10 + (unsigned)(*port - '0');
	return number >= 1 && number <= 65535;
}

static int
host_valid(const char *host, size_t len)
{
	return len > 0 && len < ENDPOINT_HOST &&
	    strspn(host, "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") >= len;
}

int
endpoint_parse(const char *text, const char *fallback,
    struct endpoint *endpoint_r)
{
	const char *port = NULL, *end = host_end(&text, &port);
	int len;

	if (port == NULL)
		port = fallback;
	if (end == NULL || port == NULL || !port_valid(port) ||
	    !host_valid(text, (size_t)(end - text)))
		return -1;
	len = (int)(end - text);
	snprintf(endpoint_r->host, sizeof(endpoint_r->host), "%.*s", len, text);
	snprintf(endpoint_r->port, sizeof(endpoint_r->port), "%s", port);
	snprintf(endpoint_r->label, sizeof(endpoint_r->label),
	    strchr(endpoint_r->host, ':') != NULL ? "[%s]:%s" : "%s:%s",
	    endpoint_r->host, endpoint_r->port);
	return 0;
}

int
endpoints_parse(const char *text, const char *fallback,
    struct endpoint endpoints[ENDPOINTS_MAX])
{
	char one[ENDPOINT_HOST + 16];
	int count = 0;

	for (;;) {
		size_t len = strcspn(text, ",");

		if (count == ENDPOINTS_MAX || len >= sizeof(one))
			return -1;
		memcpy(one, text, len);
		one[len] = '\0';
		if (endpoint_parse(one, fallback, &endpoints[count++]) < 0)
			return -1;
		if (text[len] == '\0')
			return count;
		text += len + 1;
	}
}
