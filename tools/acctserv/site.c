/* SPDX-License-Identifier: MIT */
/*
 * site - from the request to the page that is meant; see site.h.
 *
 * What is refused is refused before the body is read, and a body that is too
 * long is read away, up to a limit, so that the web server has somebody to
 * hand it to until it has the reply.
 */
#include "site.h"
#include "page.h"
#include "style.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BODY_MAX	16384
#define DRAIN_MAX	(16 * 1024 * 1024)
#define FORM_TYPE	"application/x-www-form-urlencoded"

static bool
is_method(const struct visit *visit, const char *method)
{
	return strcmp(visit->request->method, method) == 0;
}

static bool
is_read(const struct visit *visit)
{
	return is_method(visit, "GET") || is_method(visit, "HEAD");
}

static void
style_send(struct visit *visit)
{
	struct reply *reply = &visit->reply;

	reply->status = 200;
	reply_header(reply, "Content-Type", "text/css; charset=utf-8");
	reply_header(reply, "Cache-Control", "public, max-age=3600");
	html_add(&reply->body, style_css, sizeof(style_css) - 1);
}

/* -- what stands in the way of a page -------------------------------------- */

static bool
is_known(struct visit *visit)
{
	const char *path = visit->request->path;

	visit->page = page_find(path);
	if (visit->page != NULL || path[0] == '\0' || strcmp(path, "/") == 0)
		return true;
	page_message(visit, 404, T_NOT_FOUND_TITLE, T_NOT_FOUND);
	return false;
}

static bool
is_method_right(struct visit *visit)
{
	bool form = visit->page != NULL;

	if (is_read(visit) || (form && is_method(visit, "POST")))
		return true;
	reply_header(&visit->reply, "Allow",
	    form ? "GET, HEAD, POST" : "GET, HEAD");
	page_message(visit, 405, T_METHOD_TITLE, T_METHOD);
	return false;
}

static bool
is_secure(struct visit *visit)
{
	if (visit->request->https || visit->site->plain_http)
		return true;
	page_message(visit, 403, T_NOT_HTTPS_TITLE, T_NOT_HTTPS);
	return false;
}

static bool
is_wanted(struct visit *visit)
{
	if (request_accepts(visit->request->accept, "text/html"))
		return true;
	page_message(visit, 406, T_ACCEPT_TITLE, T_ACCEPT);
	return false;
}

static bool
is_query_short(struct visit *visit)
{
	if (strlen(visit->request->query) <= QUERY_MAX)
		return true;
	page_message(visit, 414, T_TOO_LONG_TITLE, T_TOO_LONG);
	return false;
}

/* -- forms ----------------------------------------------------------------- */

static bool
is_form(struct visit *visit)
{
	const char *type = visit->request->type;
	size_t len = strlen(FORM_TYPE);

	if (strncasecmp(type, FORM_TYPE, len) == 0 &&
	    strchr(" ;", type[len]) != NULL)
		return true;
	page_message(visit, 415, T_TYPE_TITLE, T_TYPE);
	return false;
}

static bool
is_length_right(struct visit *visit)
{
	long long len = request_length(visit->request);

	if (len > BODY_MAX)
		page_message(visit, 413, T_TOO_LONG_TITLE, T_TOO_LONG);
	else if (len < 0)
		page_message(visit, 400, T_BAD_REQUEST_TITLE, T_BAD_REQUEST);
	return len >= 0 && len <= BODY_MAX;
}

static bool
is_in_time(struct visit *visit)
{
	struct site *site = visit->site;
	struct timespec now;
	char seconds[16];
	unsigned wait_s;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait_s = rate_take(&site->rate, visit->request->address, site->salt,
	    (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	if (wait_s == 0)
		return true;
	snprintf(seconds, sizeof(seconds), "%u", wait_s);
	reply_header(&visit->reply, "Retry-After", seconds);
	page_message(visit, 429, T_TOO_OFTEN_TITLE, T_TOO_OFTEN);
	return false;
}

/* Exactly so many bytes. */
static bool
body_read(const struct gate *gate, char *body, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = gate->read(gate->owner, body, len);
		if (n <= 0)
			return false;
		body += n;
		len -= (size_t)n;
	}
	return true;
}

static void
form_take(struct visit *visit)
{
	size_t len = (size_t)request_length(visit->request);
	char *body = malloc(len + 1);

	if (body == NULL)
		page_message(visit, 500, T_BROKEN_TITLE, T_BROKEN);
	else if (!body_read(visit->gate, body, len))
		page_message(visit, 400, T_BAD_REQUEST_TITLE, T_BAD_REQUEST);
	else
		page_take(visit, body, len);
	if (body != NULL)
		explicit_bzero(body, len + 1);
	free(body);
}

static void
drain(const struct gate *gate)
{
	char away[4096];
	size_t total = 0;
	ssize_t n;

	do {
		n = gate->read(gate->owner, away, sizeof(away));
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0 && total < DRAIN_MAX);
	explicit_bzero(away, sizeof(away));
}

/* -- one request ----------------------------------------------------------- */

static void
page_serve(struct visit *visit)
{
	reply_header(&visit->reply, "Cache-Control", "no-store");
	if (!is_known(visit) || !is_method_right(visit) ||
	    !is_secure(visit) || !is_wanted(visit) || !is_query_short(visit))
		return;
	if (visit->page == NULL) {
		visit->reply.status = 200;
		paint_home(visit);
	} else if (is_read(visit))
		page_show(visit);
	else if (is_form(visit) && is_length_right(visit) && is_in_time(visit))
		form_take(visit);
}

bool
site_serve(struct site *site, char **envp, const struct gate *gate)
{
	struct request request;
	struct visit visit = {
		.site = site, .request = &request, .gate = gate
	};
	bool sent;

	request_read(envp, &request);
	reply_secure(&visit.reply, request.https);
	visit.reply.body_left_out = strcmp(request.method, "HEAD") == 0;
	if (is_read(&visit) && strcmp(request.path, "/style.css") == 0)
		style_send(&visit);
	else
		page_serve(&visit);
	drain(gate);
	sent = reply_send(&visit.reply, gate);
	return sent;
}
