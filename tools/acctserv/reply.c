/* SPDX-License-Identifier: MIT */
/*
 * reply - see reply.h.
 */
#include "reply.h"
#include "site.h"

#include <stdio.h>
#include <string.h>

#define YEAR_S	"31536000"

static const struct status {
	unsigned	 code;
	const char	*phrase;
} statuses[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *
phrase_of(unsigned code)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].code == code)
			return statuses[i].phrase;
	return "";
}

static void
line_add(struct html *head, const char *name, const char *value)
{
	html_add(head, name, strlen(name));
	html_add(head, ": ", 2);
	html_add(head, value, strcspn(value, "\r\n"));
	html_add(head, "\r\n", 2);
}

void
reply_header(struct reply *reply, const char *name, const char *value)
{
	line_add(&reply->head, name, value);
}

/* no-referrer, because links in mails hold codes; no-store, because pages
 * hold names and addresses of people who share a computer. */
void
reply_secure(struct reply *reply, bool https)
{
	reply_header(reply, "Content-Security-Policy", "default-src 'none'; "
	    "style-src 'self'; form-action 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'");
	reply_header(reply, "X-Content-Type-Options", "nosniff");
	reply_header(reply, "X-Frame-Options", "DENY");
	reply_header(reply, "Referrer-Policy", "no-referrer");
	reply_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
	reply_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
	reply_header(reply, "X-Robots-Tag", "noindex");
	if (https)
		reply_header(reply, "Strict-Transport-Security",
		    "max-age=" YEAR_S);
}

static bool
part_send(const struct html *part, const struct gate *gate)
{
	return part->len == 0 ||
	    gate->write(gate->owner, part->data, part->len);
}

static void
status_add(struct reply *reply, struct html *start)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %s", reply->status,
	    phrase_of(reply->status));
	line_add(start, "Status", text);
	snprintf(text, sizeof(text), "%zu", reply->body.len);
	line_add(start, "Content-Length", text);
}

bool
reply_send(struct reply *reply, const struct gate *gate)
{
	static const char failure[] = "Status: 500 Internal Server Error\r\n"
	    "Content-Type: text/plain\r\n\r\nout of memory\n";
	struct html start = { 0 };
	bool sent;

	status_add(reply, &start);
	html_add(&reply->head, "\r\n", 2);
	if (start.failed || reply->head.failed || reply->body.failed)
		sent = gate->write(gate->owner, failure, sizeof(failure) - 1);
	else
		sent = part_send(&start, gate) &&
		    part_send(&reply->head, gate) && (reply->body_left_out ||
		    part_send(&reply->body, gate));
	html_clear(&start);
	html_clear(&reply->head);
	html_clear(&reply->body);
	return sent;
}
