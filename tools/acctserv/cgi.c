/* SPDX-License-Identifier: MIT */
/*
 * cgi - one request: meta-variables in the environment, body on standard
 * input, reply on standard output.
 */
#include "site.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_S	120	/* then the web server has forgotten us */

static ssize_t
body_read(void *owner, char *data, size_t size)
{
	long long *left = owner;
	ssize_t n;

	if ((long long)size > *left)
		size = (size_t)*left;
	if (size == 0)
		return 0;
	do
		n = read(STDIN_FILENO, data, size);
	while (n == -1 && errno == EINTR);
	*left -= n > 0 ? n : 0;
	return n;
}

static bool
reply_write(void *owner, const char *data, size_t len)
{
	ssize_t n;

	(void)owner;
	while (len > 0) {
		n = write(STDOUT_FILENO, data, len);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n == 0 || errno != EINTR)
			return false;
	}
	return true;
}

/* The input may go on behind the body: never more than was announced. */
int
cgi_serve(struct site *site)
{
	const char *length = getenv("CONTENT_LENGTH");
	long long left = length == NULL ? 0 : atoll(length);
	struct gate gate = { body_read, reply_write, &left };

	if (left < 0)
		left = 0;
	alarm(LIMIT_S);
	return site_serve(site, environ, &gate) ? 0 : 1;
}
