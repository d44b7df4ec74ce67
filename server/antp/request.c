/* SPDX-License-Identifier: MIT */
/*
 * request - what a client asks: antp_request_read and antp_request_write.
 */
#include "head.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

struct reading_request {
	struct antp_request	*request;
	bool			 wait_said;
};

static void
request_line(void *to, struct head_line *line)
{
	struct antp_request *request =
	    ((struct reading_request *)to)->request;
	char verb[8];

	head_expect(line, HEAD_VERSION " ", "this is not ANTP/1.0");
	head_word(line, verb, sizeof(verb), "this verb is not known");
	if (strcmp(verb, "GET") == 0) {
		request->verb = ANTP_GET;
		head_space(line);
		head_word(line, request->file, sizeof(request->file),
		    "a file's name is missing or too long");
		head_extent(line, &request->offset, &request->length);
		return;
	}
	if (strcmp(verb, "FIRST") == 0)
		request->verb = ANTP_FIRST;
	else if (strcmp(verb, "CLOSE") == 0)
		request->verb = ANTP_CLOSE;
	else
		head_fault(line, "this verb is not known");
	head_expect_end(line);
}

static void
take_wait(struct reading_request *reading, struct head_line *value)
{
	uint64_t wait_s = head_number(value, "Wait: is no number of seconds");

	if (wait_s > ANTP_WAIT_MAX)
		head_fault(value, "Wait: is longer than 60 seconds");
	if (reading->wait_said)
		head_fault(value, "a header line is there twice");
	reading->wait_said = true;
	reading->request->wait_s = (unsigned)wait_s;
}

static bool
request_header(void *to, const char *name, struct head_line *value)
{
	struct reading_request *reading = to;

	if (strcasecmp(name, "Wait") == 0)
		take_wait(reading, value);
	else if (strcasecmp(name, "Applied") == 0)
		head_position(value, &reading->request->applied);
	else
		return false;
	return true;
}

int
antp_request_read(const char *bytes, size_t len,
    struct antp_request *request, const char **why_r)
{
	struct reading_request reading = { request, false };

	memset(request, 0, sizeof(*request));
	return head_read(bytes, len, request_line, request_header, &reading,
	    why_r);
}

size_t
antp_request_write(const struct antp_request *request,
    char out[ANTP_HEAD_MAX])
{
	struct mc_text text = { out, ANTP_HEAD_MAX };

	if (request->verb == ANTP_GET)
		mc_text_add(&text, HEAD_VERSION " GET %s %" PRIu64 " %" PRIu64
		    "\n", request->file, request->offset, request->length);
	else
		mc_text_add(&text, HEAD_VERSION " %s\n",
		    request->verb == ANTP_FIRST ? "FIRST" : "CLOSE");
	if (request->wait_s != 0)
		mc_text_add(&text, "Wait: %u\n", request->wait_s);
	head_put_position(&text, "Applied", &request->applied);
	mc_text_add(&text, "\n");
	return ANTP_HEAD_MAX - text.room;
}
