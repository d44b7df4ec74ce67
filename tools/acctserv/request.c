/* SPDX-License-Identifier: MIT */
/*
 * request - see request.h.
 */
#include "request.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS		"0123456789"
#define LENGTH_DIGITS	15

static const char *
variable(char **envp, const char *name)
{
	size_t len = strlen(name);

	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return "";
}

/* The account server gets an address or nothing. */
static const char *
address_of(const char *text)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1 ||
	    inet_pton(AF_INET6, text, bytes) == 1)
		return text;
	return "";
}

void
request_read(char **envp, struct request *request)
{
	const char *https = variable(envp, "HTTPS");

	request->method = variable(envp, "REQUEST_METHOD");
	request->script = variable(envp, "SCRIPT_NAME");
	request->path = variable(envp, "PATH_INFO");
	request->query = variable(envp, "QUERY_STRING");
	request->type = variable(envp, "CONTENT_TYPE");
	request->length = variable(envp, "CONTENT_LENGTH");
	request->cookie = variable(envp, "HTTP_COOKIE");
	request->accept = variable(envp, "HTTP_ACCEPT");
	request->address = address_of(variable(envp, "REMOTE_ADDR"));
	request->fetch_site = variable(envp, "HTTP_SEC_FETCH_SITE");
	request->https = strcasecmp(https, "on") == 0 ||
	    strcmp(https, "1") == 0;
}

/* The range at *at covers the type by this much: 3 all of it, 2 its kind,
 * 1 everything, 0 not at all. */
static int
range_covers(const char *range, const char *type)
{
	size_t len = strcspn(range, " \t;,"), kind = strcspn(type, "/") + 1;

	if (len == strlen(type) && strncasecmp(range, type, len) == 0)
		return 3;
	if (len == kind + 1 && strncasecmp(range, type, kind) == 0 &&
	    range[kind] == '*')
		return 2;
	return len == 3 && strncmp(range, "*/*", 3) == 0;
}

/* Is there no q, or one above 0? */
static bool
range_wanted(const char *range)
{
	const char *end = range + strcspn(range, ","), *at = range;
	const char *q;

	while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		at += 1 + strspn(at + 1, " \t");
		if ((at[0] != 'q' && at[0] != 'Q') || at[1] != '=')
			continue;
		q = at + 2;
		return strspn(q, "0.") < strcspn(q, " \t;,");
	}
	return true;
}

/* The range that covers the type best decides (RFC 9110, 12.5.1). */
bool
request_accepts(const char *accept, const char *type)
{
	int best = 0, covers;
	bool wanted = accept[strspn(accept, " \t,")] == '\0';

	while (*accept != '\0') {
		accept += strspn(accept, " \t,");
		covers = range_covers(accept, type);
		if (covers > best) {
			best = covers;
			wanted = range_wanted(accept);
		}
		accept += strcspn(accept, ",");
	}
	return wanted;
}

long long
request_length(const struct request *request)
{
	size_t len = strlen(request->length);

	if (strspn(request->length, DIGITS) != len || len > LENGTH_DIGITS)
		return -1;
	return atoll(request->length);
}
