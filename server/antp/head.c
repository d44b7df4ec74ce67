/* SPDX-License-Identifier: MIT */
#include "head.h"

#include <inttypes.h>
#include <string.h>

/* Words */

void
head_fault(struct head_line *line, const char *why)
{
	if (line->why == NULL)
		line->why = why;
}

void
head_expect(struct head_line *line, const char *word, const char *why)
{
	size_t len = strlen(word);

	if ((size_t)(line->end - line->at) < len ||
	    memcmp(line->at, word, len) != 0)
		head_fault(line, why);
	else
		line->at += len;
}

void
head_expect_end(struct head_line *line)
{
	if (line->at != line->end)
		head_fault(line, "there is something after the end of a line");
}

void
head_word(struct head_line *line, char *out, size_t size, const char *why)
{
	const char *from = line->at;
	size_t len;

	while (line->at < line->end && *line->at != ' ')
		line->at++;
	len = (size_t)(line->at - from);
	out[0] = '\0';
	if (len == 0 || len >= size) {
		head_fault(line, why);
		return;
	}
	memcpy(out, from, len);
	out[len] = '\0';
}

void
head_space(struct head_line *line)
{
	head_expect(line, " ", "a line ends too early");
}

bool
head_is_number(const char *word, uint64_t *value_r)
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

uint64_t
head_number(struct head_line *line, const char *why)
{
	uint64_t value = 0;
	char word[24];

	head_word(line, word, sizeof(word), why);
	if (!head_is_number(word, &value))
		head_fault(line, why);
	return value;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
head_hex(struct head_line *line, uint8_t out[16], const char *why)
{
	char word[40];
	int high, low;

	head_word(line, word, sizeof(word), why);
	if (strlen(word) != 32) {
		head_fault(line, why);
		return;
	}
	for (int i = 0; i < 16; i++) {
		high = hex_digit(word[2 * i]);
		low = hex_digit(word[2 * i + 1]);
		if (high == -1 || low == -1)
			head_fault(line, why);
		out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
}

/* Lines */

static bool
printable(const struct head_line *line)
{
	for (const char *c = line->at; c < line->end; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return true;
}

/* false: it has not come whole.  Moves on behind its end. */
static bool
next_line(const char **at, const char *end, struct head_line *line)
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));

	if (newline == NULL)
		return false;
	*line = (struct head_line){ *at, newline, NULL };
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
	struct head_line line;

	end = bytes + (len < ANTP_HEAD_MAX ? len : ANTP_HEAD_MAX);
	while (next_line(&at, end, &line))
		if (line.at == line.end)
			return (int)(at - bytes);
	if (len < ANTP_HEAD_MAX)
		return 0;
	*why_r = "the head has more than 4096 bytes";
	return -1;
}

static void
read_header(struct head_line *line, head_header_fn *take, void *to)
{
	const char *colon = memchr(line->at, ':',
	    (size_t)(line->end - line->at));
	struct head_line value = { colon, line->end, NULL };
	char name[32];
	size_t len;

	if (colon == NULL || colon == line->at) {
		head_fault(line, "a header line has no name");
		return;
	}
	len = (size_t)(colon - line->at);
	if (len >= sizeof(name))
		return;
	memcpy(name, line->at, len);
	name[len] = '\0';
	head_expect(&value, ": ", "there is no space after a header's name");
	if (!take(to, name, &value))
		return;
	head_expect_end(&value);
	head_fault(line, value.why);
}

int
head_read(const char *bytes, size_t len, head_first_fn *first,
    head_header_fn *take, void *to, const char **why_r)
{
	int head = head_length(bytes, len, why_r);
	const char *at = bytes, *end = bytes + head;
	struct head_line line;

	if (head <= 0)
		return head;
	for (bool is_first = true; next_line(&at, end, &line);
	    is_first = false) {
		if (!printable(&line))
			head_fault(&line, "a line has a byte that is not "
			    "printable");
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

void
head_position(struct head_line *line, struct tcapw_position *position)
{
	if (position->pointer.seq != 0)
		head_fault(line, "a header line is there twice");
	head_hex(line, position->pointer.epoch, "an epoch is malformed");
	head_space(line);
	position->pointer.seq = head_number(line,
	    "a sequence number is malformed");
	if (position->pointer.seq == 0)
		head_fault(line, "a sequence number is 0");
	head_space(line);
	position->count = head_number(line, "a count is malformed");
	head_space(line);
	head_hex(line, position->digest, "a digest is malformed");
}

void
head_put_position(struct mc_text *text, const char *name,
    const struct tcapw_position *position)
{
	char epoch[33], digest[33];

	if (position->pointer.seq == 0)
		return;
	mc_hex(epoch, position->pointer.epoch, 16);
	mc_hex(digest, position->digest, 16);
	mc_text_add(text, "%s: %s %" PRIu64 " %" PRIu64 " %s\n", name, epoch,
	    position->pointer.seq, position->count, digest);
}

void
head_extent(struct head_line *line, uint64_t *offset, uint64_t *length)
{
	head_space(line);
	*offset = head_number(line, "an offset is malformed");
	head_space(line);
	*length = head_number(line, "a length is malformed");
	if (*length > UINT64_MAX - *offset)
		head_fault(line, "offset and length are too large together");
	head_expect_end(line);
}
