/* SPDX-License-Identifier: MIT */
/*
 * names - what a file may be called, and URLs that say where one is.
 */
#include "head.h"

#include <stdio.h>
#include <string.h>

#define SCHEME		"antp://"

/* Files */

/* Moves on behind min to max digits. */
static bool
digits(const char **at, size_t min, size_t max)
{
	size_t len = strspn(*at, "0123456789");

	*at += len;
	return len >= min && len <= max;
}

static bool
is_date(const char *name)
{
	int month = (name[4] - '0') * 10 + name[5] - '0';
	int day = (name[6] - '0') * 10 + name[7] - '0';

	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool
antp_is_queue_file(const char *name)
{
	const char *at = name;

	if (!digits(&at, 8, 8) || !is_date(name))
		return false;
	if (*at == '-') {
		at++;
		if (!digits(&at, 1, 3))
			return false;
	}
	return strcmp(at, ".wmq") == 0;
}

bool
antp_is_freeze_file(const char *name)
{
	const char *at = name + strspn(name, "0123456789abcdef");

	if (at != name + 8 || *at++ != '-' || *at == '0')
		return false;
	return digits(&at, 1, 20) && strcmp(at, ".freeze") == 0;
}

/* URLs */

/* The host, in brackets when it is an IPv6 address. */
static const char *
host_end(const char *host)
{
	const char *end;

	if (host[0] == '[') {
		end = host + 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		return *end == ']' && end > host + 1 ? end + 1 : NULL;
	}
	end = host + strspn(host, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	return end > host ? end : NULL;
}

static const char *
read_port(const char **at, unsigned *port_r)
{
	uint64_t port;
	char word[8];
	size_t len;

	*port_r = ANTP_PORT;
	if (**at != ':')
		return NULL;
	len = strcspn(++*at, "/");
	if (len >= sizeof(word))
		return "has a port that is not from 1 to 65535";
	memcpy(word, *at, len);
	word[len] = '\0';
	if (!head_is_number(word, &port) || port == 0 || port > 65535)
		return "has a port that is not from 1 to 65535";
	*at += len;
	*port_r = (unsigned)port;
	return NULL;
}

static const char *
read_file(const char *at, char file[ANTP_FILE_SIZE])
{
	file[0] = '\0';
	if (*at == '\0' || strcmp(at, "/") == 0)
		return NULL;
	if (*at != '/')
		return "has something between host and file";
	if (strlen(at + 1) >= ANTP_FILE_SIZE || (!antp_is_queue_file(at + 1) &&
	    !antp_is_freeze_file(at + 1)))
		return "names no queue file and no freeze";
	strcpy(file, at + 1);
	return NULL;
}

const char *
antp_url_read(const char *url, struct antp_url *url_r)
{
	const char *host = url + strlen(SCHEME), *at, *why;
	unsigned port;

	memset(url_r, 0, sizeof(*url_r));
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return "does not begin with antp://";
	at = host_end(host);
	if (at == NULL)
		return "has no host";
	if (at - host > 240)
		return "has a host that is too long";
	snprintf(url_r->endpoint, sizeof(url_r->endpoint), "%.*s",
	    (int)(at - host), host);
	why = read_port(&at, &port);
	if (why != NULL)
		return why;
	snprintf(url_r->endpoint + strlen(url_r->endpoint), 8, ":%u", port);
	return read_file(at, url_r->file);
}
