/* SPDX-License-Identifier: MIT */
/*
 * response - what a server answers: antp_response_read and
 * antp_response_write.
 */
#include "head.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define NO_FILE_NAME	"-"

struct reading_response {
	struct antp_response	*response;
	bool			 head_said;
};

static void
take_status(struct head_line *line, unsigned *status)
{
	*status = 0;
	if (line->end - line->at < 4 || line->at[3] != ' ') {
		head_fault(line, "a status has not three digits");
		return;
	}
	for (int i = 0; i < 3; i++, line->at++) {
		if (*line->at < '0' || *line->at > '9')
			head_fault(line, "a status has not three digits");
		*status = *status * 10 + (unsigned)(*line->at - '0');
	}
	line->at++;
}

static void
take_text(struct head_line *line, char *out, size_t size)
{
	size_t len = (size_t)(line->end - line->at);

	if (len >= size) {
		head_fault(line, "the text of an error is too long");
		return;
	}
	memcpy(out, line->at, len);
	out[len] = '\0';
	line->at = line->end;
}

/* Do status, file and length go together? */
static void
check_success(struct head_line *line, const struct antp_response *response)
{
	bool has_file = response->file[0] != '\0';

	switch (response->status) {
	case ANTP_OK:
		if (!has_file || response->length == 0)
			head_fault(line, "OK carries nothing");
		return;
	case ANTP_NEWFILE:
		if (!has_file || response->offset != 0 ||
		    response->length != 0)
			head_fault(line, "NEWFILE does not begin a file");
		return;
	case ANTP_EMPTY:
		if (response->length != 0)
			head_fault(line, "EMPTY carries something");
		return;
	default:
		head_fault(line, "this status is not known");
	}
}

static void
response_line(void *to, struct head_line *line)
{
	struct antp_response *response =
	    ((struct reading_response *)to)->response;

	head_expect(line, HEAD_VERSION " ", "this is not ANTP/1.0");
	if (line->why != NULL)
		return;
	take_status(line, &response->status);
	if (response->status >= 100) {
		take_text(line, response->text, sizeof(response->text));
		return;
	}
	head_word(line, response->file, sizeof(response->file),
	    "a file's name is missing or too long");
	if (strcmp(response->file, NO_FILE_NAME) == 0)
		response->file[0] = '\0';
	else if (!antp_is_queue_file(response->file) &&
	    !antp_is_freeze_file(response->file))
		head_fault(line, "this is no name of a queue file or a freeze");
	head_extent(line, &response->offset, &response->length);
	check_success(line, response);
}

static void
take_head(struct reading_response *reading, struct head_line *value)
{
	struct antp_response *response = reading->response;

	if (reading->head_said)
		head_fault(value, "a header line is there twice");
	reading->head_said = true;
	head_hex(value, response->head.epoch, "an epoch is malformed");
	head_space(value);
	response->head.seq = head_number(value,
	    "a sequence number is malformed");
	head_space(value);
	response->head_ms = head_number(value, "a time is malformed");
}

static bool
response_header(void *to, const char *name, struct head_line *value)
{
	struct reading_response *reading = to;

	if (strcasecmp(name, "Head") == 0)
		take_head(reading, value);
	else if (strcasecmp(name, "Digest") == 0)
		head_position(value, &reading->response->digest);
	else
		return false;
	return true;
}

int
antp_response_read(const char *bytes, size_t len,
    struct antp_response *response, const char **why_r)
{
	struct reading_response reading = { response, false };

	memset(response, 0, sizeof(*response));
	return head_read(bytes, len, response_line, response_header, &reading,
	    why_r);
}

static void
put_head(struct mc_text *text, const struct antp_response *response)
{
	static const struct wmq_pointer none;
	char epoch[33];

	if (memcmp(response->head.epoch, none.epoch, 16) == 0 &&
	    response->head.seq == 0)
		return;
	mc_hex(epoch, response->head.epoch, 16);
	mc_text_add(text, "Head: %s %" PRIu64 " %" PRIu64 "\n", epoch,
	    response->head.seq, response->head_ms);
}

size_t
antp_response_write(const struct antp_response *response,
    char out[ANTP_HEAD_MAX])
{
	struct mc_text text = { out, ANTP_HEAD_MAX };

	if (response->status >= 100)
		mc_text_add(&text, HEAD_VERSION " %03u %s\n",
		    response->status % 1000, response->text);
	else
		mc_text_add(&text, HEAD_VERSION " %03u %s %" PRIu64 " %" PRIu64
		    "\n", response->status, response->file[0] != '\0' ?
		    response->file : NO_FILE_NAME, response->offset,
		    response->length);
	put_head(&text, response);
	head_put_position(&text, "Digest", &response->digest);
	mc_text_add(&text, "\n");
	return ANTP_HEAD_MAX - text.room;
}
