/* SPDX-License-Identifier: MIT */
/*
 * acctserv.cgi - account pages for the web, in front of the account server.
 *
 * A thin client of its unix socket: it keeps nothing, and knows no account.
 * Passwords are made into proofs here and go no further.
 *
 * The settings come from the environment of the process.  There are no
 * arguments: web servers hand a query to a CGI as its arguments, so options
 * would be the visitors' to give.
 */
#include "config.h"
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#define POSTS_PER_MINUTE	"30"
#define POSTS_MAX		60000
#define WAIT_S			"30"
#define WAIT_MAX		300

static const char *
setting(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? fallback : value;
}

static void
ask(void *owner, const Metacube__AccountRequest *request,
    struct answer *answer)
{
	backend_ask(owner, request, answer);
}

static bool
number(const char *name, const char *fallback, unsigned max,
    unsigned *number_r)
{
	const char *text = setting(name, fallback);
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*number_r = (unsigned)value;
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= max)
		return true;
	fprintf(stderr, "acctserv.cgi: %s=%s is no number from 0 to %u\n",
	    name, text, max);
	return false;
}

static bool
settings_read(struct site *site, struct backend *backend)
{
	const char *key = setting("METACUBE_WEB_KEY", SYSCONF_DIR "/web.key");
	const char *fault = token_key_read(key, &site->key);

	if (fault != NULL) {
		fprintf(stderr, "acctserv.cgi: the key %s: %s\n", key, fault);
		return false;
	}
	site->title = setting("METACUBE_WEB_TITLE", "MetaCube");
	site->plain_http = strcmp(setting("METACUBE_WEB_HTTP", "no"),
	    "yes") == 0;
	site->ask = ask;
	site->owner = backend;
	backend->socket = setting("METACUBE_SOCKET",
	    RUN_DIR "/acctserv.sock");
	return number("METACUBE_WEB_POSTS", POSTS_PER_MINUTE, POSTS_MAX,
	    &site->rate.per_minute) &&
	    number("METACUBE_WEB_WAIT", WAIT_S, WAIT_MAX, &backend->wait_s) &&
	    getrandom(&site->salt, sizeof(site->salt), 0) ==
	    sizeof(site->salt);
}

/* Nothing of this process is written anywhere when it crashes. */
static void
no_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

static int
cgi_main(struct site *site, bool ready)
{
	if (getenv("GATEWAY_INTERFACE") == NULL) {
		fprintf(stderr, "acctserv.cgi: this is started by a web "
		    "server; see acctserv.cgi(8)\n");
		return 2;
	}
	if (ready)
		return cgi_serve(site);
	printf("Status: 500 Internal Server Error\r\n"
	    "Content-Type: text/plain\r\n\r\nThe account pages are not set "
	    "up; the web server's log says why.\n");
	return 1;
}

int
main(void)
{
	static struct site site;
	struct backend backend;
	bool ready;

	no_core();
	ready = settings_read(&site, &backend);
#ifdef HAVE_FCGI
	if (fastcgi_is_meant())
		return ready ? fastcgi_serve(&site) : 1;
#endif
	return cgi_main(&site, ready);
}
