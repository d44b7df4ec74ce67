/* SPDX-License-Identifier: MIT */
/*
 * fuzz_fastcgi - any bytes as what a web server sends: FastCGI records, which
 * libfcgi takes apart, through the real loop of acctserv.cgi.
 *
 * The connection is one end of a socket pair; when it ends there is nothing
 * to accept, which ends the loop.
 */
#include "fastcgi.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX	16384

static void
ask(void *owner, const Metacube__AccountRequest *request,
    struct answer *answer)
{
	(void)owner;
	(void)request;
	memset(answer, 0, sizeof(*answer));
	answer->result = METACUBE__ACCOUNT_ANSWER__RESULT__DONE;
}

static struct site site = {
	.title = "fuzz",
	.key = { .len = TOKEN_KEY_MIN, .data = "a key" },
	.plain_http = true,
	.ask = ask,
};

/* libfcgi 2.4.2 loses the parameters of a request whose records are
 * malformed; web servers send none. */
const char	*__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfcgi.so\n";
}

/*
 * libfcgi takes as much memory for a parameter as it is announced to have,
 * and does not survive that for two that have 2 GiB together.  Only the web
 * server can say so; here long lengths are made shorter: such a one has 0x80
 * or more in the first of its four bytes, and after this 0x80 and 0.
 */
static void
lengths_shorten(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] > 0x80 || (data[i] == 0x80 &&
		    (i + 1 == size || data[i + 1] != 0)))
			data[i] &= 0x7f;
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t input[INPUT_MAX];
	FCGX_Request request;
	int pair[2];

	if (size > INPUT_MAX)
		return 0;
	memcpy(input, data, size);
	lengths_shorten(input, size);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, -1, 0) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	/* a reply that nobody reads must not wait */
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) == -1 ||
	    write(pair[1], input, size) != (ssize_t)size ||
	    shutdown(pair[1], SHUT_WR) == -1)
		abort();
	request.listen_sock = -1;
	request.ipcFd = pair[0];
	request.keepConnection = 1;
	fastcgi_loop(&site, &request);
	FCGX_Free(&request, 1);
	close(pair[1]);
	return 0;
}
