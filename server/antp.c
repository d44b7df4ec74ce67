/* SPDX-License-Identifier: MIT */
/*
 * antp - the heads of ANTP/1.0 (metacube/antp.h): requests and responses from
 * lines of text and back, URLs, and what a file may be called.
 *
 * Strict: one space between two words, numbers without signs or leading
 * zeroes, hexadecimal digits in lower case, printable ASCII, each known header
 * line once.  What is not understood is refused with a reason; only header
 * lines of an unknown name are passed over.  Knows nothing of connections.
 */
#include <metacube/antp.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VERSION		"ANTP/1.0"
#define NO_FILE_NAME	"-"
#define SCHEME		"antp://"

/* What is left of a line, and the first thing that was wrong with it. */
struct line {
	const char	*at, *end;
	const char	*why;
};

/* Words */

static void
fault(struct line *line, const char *why)
{
	if (line->why == NULL)
		line->why = why;
}

static void
expect(struct line *line, const char *word, const char *why)
{
	size_t len = strlen(word);

	if ((size_t)(line->end - line->at) < len ||
	    memcmp(line->at, word, len) != 0)
		fault(line, why);
	else
		line->at += len;
}

static void
expect_end(struct line *line)
{
	if (line->at != line->end)
		fault(line, "there is something after the end of a line");
}

/* Up to the next space; what it is too long for is empty. */
static void
take_word(struct line *line, char *out, size_t size, const char *why)
{
	const char *from = line->at;
	size_t len;

	while (line->at < line->end && *line->at != ' ')
		line->at++;
	len = (size_t)(line->at - from);
	out[0] = '\0';
	if (len == 0 || len >= size) {
		fault(line, why);
		return;
	}
	memcpy(out, from, len);
	out[len] = '\0';
}

static void
take_space(struct line *line)
{
	expect(line, " ", "a line ends too early");
}

static bool
number(const char *word, uint64_t *value_r)
{
	uint64_t value = 0;
	unsigned digit;

	if (word[0] == '\0' || (word[0] == '0' && word[1] != '\0'))
		return false;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return false;
		digit = (unsigned)(*word - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_r = value;
	return true;
}

static uint64_t
take_number(struct line *line, const char *why)
{
	uint64_t value = 0;
	char word[24];

	take_word(line, word, sizeof(word), why);
	if (!number(word, &value))
		fault(line, why);
	return value;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An epoch or a digest. */
static void
take_hex(struct line *line, uint8_t out[16], const char *why)
{
	char word[40];
	int high, low;

	take_word(line, word, sizeof(word), why);
	if (strlen(word) != 32) {
		fault(line, why);
		return;
	}
	for (int i = 0; i < 16; i++) {
		high = hex_digit(word[2 * i]);
		low = hex_digit(word[2 * i + 1]);
		if (high == -1 || low == -1)
			fault(line, why);
		out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
}

static void
put_hex(char out[33], const uint8_t bytes[16])
{
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Lines */

static bool
printable(const struct line *line)
{
	for (const char *c = line->at; c < line->end; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return true;
}

/* false: it has not come whole.  Moves on behind its end. */
static bool
next_line(const char **at, const char *end, struct line *line)
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));

	if (newline == NULL)
		return false;
	*line = (struct line){ *at, newline, NULL };
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	*at = newline + 1;
	return true;
}

/* Bytes of the head with its empty line; 0: more are needed, -1: too many. */
static int
head_length(const char *bytes, size_t len, const char **why_r)
{
	const char *at = bytes, *end;
	struct line line;

	end = bytes + (len < ANTP_HEAD_MAX ? len : ANTP_HEAD_MAX);
	while (next_line(&at, end, &line))
		if (line.at == line.end)
			return (int)(at - bytes);
	if (len < ANTP_HEAD_MAX)
		return 0;
	*why_r = "the head has more than 4096 bytes";
	return -1;
}

/* Header lines: "Name: value".  header_fn says whether it knows the name. */
typedef bool header_fn(void *to, const char *name, struct line *value);

static void
read_header(struct line *line, header_fn *take, void *to)
{
	const char *colon = memchr(line->at, ':',
	    (size_t)(line->end - line->at));
	struct line value = { colon, line->end, NULL };
	char name[32];
	size_t len;

	if (colon == NULL || colon == line->at) {
		fault(line, "a header line has no name");
		return;
	}
	len = (size_t)(colon - line->at);
	if (len >= sizeof(name))
		return;
	memcpy(name, line->at, len);
	name[len] = '\0';
	expect(&value, ": ", "there is no space after a header's name");
	if (!take(to, name, &value))
		return;
	expect_end(&value);
	fault(line, value.why);
}

typedef void first_fn(void *to, struct line *);

static int
read_head(const char *bytes, size_t len, first_fn *first, header_fn *take,
    void *to, const char **why_r)
{
	int head = head_length(bytes, len, why_r);
	const char *at = bytes, *end = bytes + head;
	struct line line;

	if (head <= 0)
		return head;
	for (bool is_first = true; next_line(&at, end, &line);
	    is_first = false) {
		if (!printable(&line))
			fault(&line, "a line has a byte that is not printable");
		else if (is_first)
			first(to, &line);
		else if (line.at != line.end)
			read_header(&line, take, to);
		if (line.why != NULL) {
			*why_r = line.why;
			return -1;
		}
	}
	return head;
}

static void
take_position(struct line *line, struct tcapw_position *position)
{
	if (position->pointer.seq != 0)
		fault(line, "a header line is there twice");
	take_hex(line, position->pointer.epoch, "an epoch is malformed");
	take_space(line);
	position->pointer.seq = take_number(line,
	    "a sequence number is malformed");
	if (position->pointer.seq == 0)
		fault(line, "a sequence number is 0");
	take_space(line);
	position->count = take_number(line, "a count is malformed");
	take_space(line);
	take_hex(line, position->digest, "a digest is malformed");
}

static int
put_position(char *out, size_t size, const char *name,
    const struct tcapw_position *position)
{
	char epoch[33], digest[33];

	if (position->pointer.seq == 0)
		return 0;
	put_hex(epoch, position->pointer.epoch);
	put_hex(digest, position->digest);
	return snprintf(out, size, "%s: %s %" PRIu64 " %" PRIu64 " %s\n",
	    name, epoch, position->pointer.seq, position->count, digest);
}

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

static bool
is_known_file(const char *name)
{
	return antp_is_queue_file(name) || antp_is_freeze_file(name);
}

static void
take_extent(struct line *line, uint64_t *offset, uint64_t *length)
{
	take_space(line);
	*offset = take_number(line, "an offset is malformed");
	take_space(line);
	*length = take_number(line, "a length is malformed");
	if (*length > UINT64_MAX - *offset)
		fault(line, "offset and length are too large together");
	expect_end(line);
}

/* Requests */

struct reading_request {
	struct antp_request	*request;
	bool			 wait_said;
};

static void
request_line(void *to, struct line *line)
{
	struct antp_request *request =
	    ((struct reading_request *)to)->request;
	char verb[8];

	expect(line, VERSION " ", "this is not ANTP/1.0");
	take_word(line, verb, sizeof(verb), "this verb is not known");
	if (strcmp(verb, "GET") == 0) {
		request->verb = ANTP_GET;
		take_space(line);
		take_word(line, request->file, sizeof(request->file),
		    "a file's name is missing or too long");
		take_extent(line, &request->offset, &request->length);
		return;
	}
	if (strcmp(verb, "FIRST") == 0)
		request->verb = ANTP_FIRST;
	else if (strcmp(verb, "CLOSE") == 0)
		request->verb = ANTP_CLOSE;
	else
		fault(line, "this verb is not known");
	expect_end(line);
}

static void
take_wait(struct reading_request *reading, struct line *value)
{
	uint64_t wait_s = take_number(value, "Wait: is no number of seconds");

	if (wait_s > ANTP_WAIT_MAX)
		fault(value, "Wait: is longer than 60 seconds");
	if (reading->wait_said)
		fault(value, "a header line is there twice");
	reading->wait_said = true;
	reading->request->wait_s = (unsigned)wait_s;
}

static bool
request_header(void *to, const char *name, struct line *value)
{
	struct reading_request *reading = to;

	if (strcasecmp(name, "Wait") == 0)
		take_wait(reading, value);
	else if (strcasecmp(name, "Applied") == 0)
		take_position(value, &reading->request->applied);
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
	return read_head(bytes, len, request_line, request_header, &reading,
	    why_r);
}

size_t
antp_request_write(const struct antp_request *request,
    char out[ANTP_HEAD_MAX])
{
	int len;

	if (request->verb == ANTP_GET)
		len = snprintf(out, ANTP_HEAD_MAX, VERSION " GET %s %" PRIu64
		    " %" PRIu64 "\n", request->file, request->offset,
		    request->length);
	else
		len = snprintf(out, ANTP_HEAD_MAX, VERSION " %s\n",
		    request->verb == ANTP_FIRST ? "FIRST" : "CLOSE");
	if (request->wait_s != 0)
		len += snprintf(out + len, ANTP_HEAD_MAX - (size_t)len,
		    "Wait: %u\n", request->wait_s);
	len += put_position(out + len, ANTP_HEAD_MAX - (size_t)len, "Applied",
	    &request->applied);
	len += snprintf(out + len, ANTP_HEAD_MAX - (size_t)len, "\n");
	return (size_t)len;
}

/* Responses */

struct reading_response {
	struct antp_response	*response;
	bool			 head_said;
};

static void
take_status(struct line *line, unsigned *status)
{
	*status = 0;
	if (line->end - line->at < 4 || line->at[3] != ' ') {
		fault(line, "a status has not three digits");
		return;
	}
	for (int i = 0; i < 3; i++, line->at++) {
		if (*line->at < '0' || *line->at > '9')
			fault(line, "a status has not three digits");
		*status = *status * 10 + (unsigned)(*line->at - '0');
	}
	line->at++;
}

static void
take_text(struct line *line, char *out, size_t size)
{
	size_t len = (size_t)(line->end - line->at);

	if (len >= size) {
		fault(line, "the text of an error is too long");
		return;
	}
	memcpy(out, line->at, len);
	out[len] = '\0';
	line->at = line->end;
}

/* Do status, file and length go together? */
static void
check_success(struct line *line, const struct antp_response *response)
{
	bool has_file = response->file[0] != '\0';

	switch (response->status) {
	case ANTP_OK:
		if (!has_file || response->length == 0)
			fault(line, "OK carries nothing");
		return;
	case ANTP_NEWFILE:
		if (!has_file || response->offset != 0 ||
		    response->length != 0)
			fault(line, "NEWFILE does not begin a file");
		return;
	case ANTP_EMPTY:
		if (response->length != 0)
			fault(line, "EMPTY carries something");
		return;
	default:
		fault(line, "this status is not known");
	}
}

static void
response_line(void *to, struct line *line)
{
	struct antp_response *response =
	    ((struct reading_response *)to)->response;

	expect(line, VERSION " ", "this is not ANTP/1.0");
	if (line->why != NULL)
		return;
	take_status(line, &response->status);
	if (response->status >= 100) {
		take_text(line, response->text, sizeof(response->text));
		return;
	}
	take_word(line, response->file, sizeof(response->file),
	    "a file's name is missing or too long");
	if (strcmp(response->file, NO_FILE_NAME) == 0)
		response->file[0] = '\0';
	else if (!is_known_file(response->file))
		fault(line, "this is no name of a queue file or a freeze");
	take_extent(line, &response->offset, &response->length);
	check_success(line, response);
}

static void
take_head(struct reading_response *reading, struct line *value)
{
	struct antp_response *response = reading->response;

	if (reading->head_said)
		fault(value, "a header line is there twice");
	reading->head_said = true;
	take_hex(value, response->head.epoch, "an epoch is malformed");
	take_space(value);
	response->head.seq = take_number(value,
	    "a sequence number is malformed");
	take_space(value);
	response->head_ms = take_number(value, "a time is malformed");
}

static bool
response_header(void *to, const char *name, struct line *value)
{
	struct reading_response *reading = to;

	if (strcasecmp(name, "Head") == 0)
		take_head(reading, value);
	else if (strcasecmp(name, "Digest") == 0)
		take_position(value, &reading->response->digest);
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
	return read_head(bytes, len, response_line, response_header, &reading,
	    why_r);
}

static int
put_head(char *out, size_t size, const struct antp_response *response)
{
	static const struct wmq_pointer none;
	char epoch[33];

	if (memcmp(response->head.epoch, none.epoch, 16) == 0 &&
	    response->head.seq == 0)
		return 0;
	put_hex(epoch, response->head.epoch);
	return snprintf(out, size, "Head: %s %" PRIu64 " %" PRIu64 "\n",
	    epoch, response->head.seq, response->head_ms);
}

size_t
antp_response_write(const struct antp_response *response,
    char out[ANTP_HEAD_MAX])
{
	int len;

	if (response->status >= 100)
		len = snprintf(out, ANTP_HEAD_MAX, VERSION " %03u %s\n",
		    response->status % 1000, response->text);
	else
		len = snprintf(out, ANTP_HEAD_MAX, VERSION " %03u %s %" PRIu64
		    " %" PRIu64 "\n", response->status,
		    response->file[0] != '\0' ? response->file : NO_FILE_NAME,
		    response->offset, response->length);
	len += put_head(out + len, ANTP_HEAD_MAX - (size_t)len, response);
	len += put_position(out + len, ANTP_HEAD_MAX - (size_t)len, "Digest",
	    &response->digest);
	len += snprintf(out + len, ANTP_HEAD_MAX - (size_t)len, "\n");
	return (size_t)len;
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
	if (!number(word, &port) || port == 0 || port > 65535)
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
	if (strlen(at + 1) >= ANTP_FILE_SIZE || !is_known_file(at + 1))
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
