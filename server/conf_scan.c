/* SPDX-License-Identifier: MIT */
#include "conf_scan.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct name {
	const char	*text;
	size_t		 len;
	unsigned	 line;
};

/* The settings of one group, or of one list, which has none. */
struct group {
	struct name	*names;
	size_t		 count;
};

/* A number as it is written. */
struct integer {
	const char	*digits;
	size_t		 count;
	unsigned	 base;
	bool		 negative, wide;	/* wide: an L behind it */
};

struct scan {
	const char	*file;
	const char	*at, *end;
	unsigned	 line;
	struct errors	*errors;
	bool		 fine;
	struct name	 last;		/* a name that "=" may follow */
	struct group	 groups[CONF_SCAN_DEPTH];
	unsigned	 depth;
	bool		 deep;		/* has been said */
};

#define fault(scan, line, ...) do { \
	errors_at((scan)->errors, (scan)->file, line, __VA_ARGS__); \
	(scan)->fine = false; \
} while (0)

static bool
starts(const struct scan *scan, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(scan->end - scan->at) >= len &&
	    memcmp(scan->at, with, len) == 0;
}

static void
step(struct scan *scan)
{
	if (*scan->at++ == '\n')
		scan->line++;
}

static void
line_skip(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '\n')
		scan->at++;
}

static void
comment_skip(struct scan *scan)
{
	unsigned began = scan->line;

	for (scan->at += 2; scan->at < scan->end; step(scan)) {
		if (starts(scan, "*/")) {
			scan->at += 2;
			return;
		}
	}
	fault(scan, began, "this comment has no end");
}

static void
string_skip(struct scan *scan)
{
	unsigned began = scan->line;

	for (scan->at++; scan->at < scan->end; step(scan)) {
		if (*scan->at == '"') {
			scan->at++;
			return;
		}
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			step(scan);
	}
	fault(scan, began, "this string has no end");
}

static bool
is_name(int c)
{
	return isalnum(c) || c == '_' || c == '-' || c == '*';
}

static void
name_read(struct scan *scan)
{
	scan->last.text = scan->at;
	scan->last.line = scan->line;
	while (scan->at < scan->end && is_name((unsigned char)*scan->at))
		scan->at++;
	scan->last.len = (size_t)(scan->at - scan->last.text);
}

static const struct name *
name_find(const struct group *group, const struct name *name)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->names[i].len == name->len &&
		    memcmp(group->names[i].text, name->text, name->len) == 0)
			return &group->names[i];
	}
	return NULL;
}

/* "=" after a name: it is a setting of the innermost group. */
static void
setting_note(struct scan *scan)
{
	struct group *group = &scan->groups[scan->depth];
	const struct name *first;

	if (scan->last.text == NULL || scan->deep)
		return;
	first = name_find(group, &scan->last);
	if (first != NULL) {
		fault(scan, scan->last.line,
		    "%.*s: set a second time (first on line %u)",
		    (int)scan->last.len, scan->last.text, first->line);
	} else if (group->count == CONF_SCAN_NAMES) {
		fault(scan, scan->last.line,
		    "more than %d settings in one group", CONF_SCAN_NAMES);
		scan->deep = true;
	} else {
		if (group->names == NULL)
			group->names = mc_zalloc(CONF_SCAN_NAMES *
			    sizeof(*group->names));
		group->names[group->count++] = scan->last;
	}
}

static void
group_open(struct scan *scan)
{
	if (scan->depth + 1 < CONF_SCAN_DEPTH) {
		scan->groups[++scan->depth].count = 0;
	} else if (!scan->deep) {
		fault(scan, scan->line, "more than %d groups inside each other",
		    CONF_SCAN_DEPTH - 1);
		scan->deep = true;
	}
}

static void
group_close(struct scan *scan)
{
	if (scan->depth > 0)
		scan->depth--;
}

static unsigned
digit_value(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0') :
	    isxdigit((unsigned char)c) ? (unsigned)((c | 32) - 'a' + 10) :
	    UINT_MAX;
}

/* Splits a token into sign, digits and an L at the end; false: it is no
 * integer. */
static bool
integer_split(const char *token, size_t len, struct integer *integer_r)
{
	size_t i = token[0] == '+' || token[0] == '-', began;

	integer_r->negative = token[0] == '-';
	integer_r->base = 10;
	if (i + 2 < len && token[i] == '0' && (token[i + 1] | 32) == 'x') {
		integer_r->base = 16;
		i += 2;
	}
	began = i;
	while (i < len && digit_value(token[i]) < integer_r->base)
		i++;
	integer_r->digits = token + began;
	integer_r->count = i - began;
	integer_r->wide = i < len && token[i] == 'L';
	while (i < len && token[i] == 'L')
		i++;
	return integer_r->count > 0 && i == len;
}

static bool
integer_fits(const struct integer *integer)
{
	uint64_t limit = integer->wide ? INT64_MAX : INT32_MAX, value = 0;
	unsigned digit;

	limit += integer->negative;
	for (size_t i = 0; i < integer->count; i++) {
		digit = digit_value(integer->digits[i]);
		if (value > (limit - digit) / integer->base)
			return false;
		value = value * integer->base + digit;
	}
	return true;
}

static void
number_read(struct scan *scan)
{
	const char *token = scan->at;
	struct integer integer;
	size_t len;

	for (scan->at++; scan->at < scan->end; scan->at++) {
		if (isalnum((unsigned char)*scan->at) || *scan->at == '.')
			continue;
		if ((*scan->at != '+' && *scan->at != '-') ||
		    (scan->at[-1] | 32) != 'e')
			break;
	}
	len = (size_t)(scan->at - token);
	if (!integer_split(token, len, &integer) || integer_fits(&integer))
		return;
	if (integer.wide)
		fault(scan, scan->line, "%.*s: no number is so large",
		    (int)(len < 40 ? len : 40), token);
	else
		fault(scan, scan->line,
		    "%.*s: does not fit into 32 bits; write an L behind it",
		    (int)(len < 40 ? len : 40), token);
}

static void
other_read(struct scan *scan)
{
	unsigned char c = (unsigned char)*scan->at;

	if (c == '=' || c == ':')
		setting_note(scan);
	else if (c == '{' || c == '(' || c == '[')
		group_open(scan);
	else if (c == '}' || c == ')' || c == ']')
		group_close(scan);
	else if (starts(scan, "@include"))
		fault(scan, scan->line, "@include is not possible here");
	else if (c == '\0')
		fault(scan, scan->line, "a NUL byte: this is not a text file");
	else if (c >= 0x80) {
		fault(scan, scan->line, "byte 0x%02x outside a string: only "
		    "ASCII is possible there", c);
		line_skip(scan);
	}
	if (!isspace(c))
		scan->last.text = NULL;
	if (scan->at < scan->end)
		step(scan);
}

static void
token_read(struct scan *scan)
{
	unsigned char c = (unsigned char)*scan->at;

	if (c == '#' || starts(scan, "//"))
		line_skip(scan);
	else if (starts(scan, "/*"))
		comment_skip(scan);
	else if (c == '"')
		string_skip(scan);
	else if (isalpha(c) || c == '*')
		name_read(scan);
	else if (isdigit(c) || c == '-' || c == '+')
		number_read(scan);
	else
		other_read(scan);
}

bool
conf_scan(const char *file, const char *text, size_t len,
    struct errors *errors)
{
	struct scan scan = {
		.file = file, .at = text, .end = text + len, .line = 1,
		.errors = errors, .fine = true
	};

	if (starts(&scan, "\xef\xbb\xbf")) {
		fault(&scan, 1, "begins with a byte order mark: save the file "
		    "as UTF-8 without one");
		scan.at += 3;
	}
	while (scan.at < scan.end)
		token_read(&scan);
	for (unsigned i = 0; i < CONF_SCAN_DEPTH; i++)
		free(scan.groups[i].names);
	return scan.fine;
}
