/* SPDX-License-Identifier: MIT */
/*
 * fastcgi - one request after the other, from the socket that the web server
 * or spawn-fcgi has left as standard input.  More at a time are more
 * processes.
 *
 * libfcgi keeps what it has read in a buffer of its own and frees it as it
 * is; so it is read here fragment by fragment, and each is wiped.
 */
#include "fastcgi.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_S	1

static ssize_t
body_read(void *owner, char *data, size_t size)
{
	FCGX_Stream *in = ((FCGX_Request *)owner)->in;
	int first = FCGX_GetChar(in);
	size_t more;

	if (first == EOF)
		return FCGX_GetError(in) == 0 ? 0 : -1;
	in->rdNext[-1] = 0;
	*data = (char)first;
	more = (size_t)(in->stop - in->rdNext);
	if (more > size - 1)
		more = size - 1;
	memcpy(data + 1, in->rdNext, more);
	explicit_bzero(in->rdNext, more);
	in->rdNext += more;
	return (ssize_t)more + 1;
}

static bool
reply_write(void *owner, const char *data, size_t len)
{
	FCGX_Stream *out = ((FCGX_Request *)owner)->out;

	return FCGX_PutStr(data, (int)len, out) == (int)len;
}

void
fastcgi_loop(struct site *site, FCGX_Request *request)
{
	struct gate gate = { body_read, reply_write, request };

	while (FCGX_Accept_r(request) == 0) {
		/* A reply that cannot be delivered is nobody's any more. */
		(void)site_serve(site, request->envp, &gate);
		FCGX_Finish_r(request);
	}
}

bool
fastcgi_is_meant(void)
{
	return FCGX_IsCGI() == 0;
}

/* Ends the wait for the next request, and if that has not begun yet, the
 * alarm ends it later. */
static void
stop(int signal)
{
	(void)signal;
	FCGX_ShutdownPending();
	alarm(AGAIN_S);
}

int
fastcgi_serve(struct site *site)
{
	struct sigaction action = { .sa_handler = stop };
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0,
	    FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	fastcgi_loop(site, &request);
	return 0;
}
