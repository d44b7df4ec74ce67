/* SPDX-License-Identifier: MIT */
/*
 * name - which names and texts are allowed (metacube/name.h).
 *
 * Only ASCII is looked at, with tables of our own: the locale never decides
 * whose account something is.
 */
#include <metacube/name.h>

#include <stdint.h>
#include <string.h>

#define NAME_MIN	2

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_alnum(char c)
{
	return is_lower(c) || is_digit(c);
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *
name_fault(const char *folded, size_t len)
{
	if (len < NAME_MIN)
		return "has fewer than 2 characters";
	if (!is_alnum(folded[0]))
		return "does not begin with a letter or a digit";
	if (!is_alnum(folded[len - 1]))
		return "does not end with a letter or a digit";
	return NULL;
}

const char *
mc_name_fold(const char *name, char folded[MC_NAME_SIZE])
{
	size_t len = 0;

	memset(folded, 0, MC_NAME_SIZE);
	for (; name[len] != '\0'; len++) {
		char c = fold(name[len]);

		if (len == MC_NAME_SIZE - 1)
			return "has more than 31 characters";
		if (!is_alnum(c) && c != '.' && c != '_' && c != '-')
			return "has a character that is not one of "
			    "a-z 0-9 . _ -";
		folded[len] = c;
	}
	return name_fault(folded, len);
}

bool
mc_key_valid(const char *key)
{
	size_t len = strnlen(key, MC_KEY_SIZE);

	if (len == 0 || len == MC_KEY_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(key[i]) && key[i] != '-')
			return false;
	return is_alnum(key[0]) && is_alnum(key[len - 1]);
}

/* Length of a UTF-8 sequence by its first byte, 0 for one that cannot be
 * first, and the smallest code point that may be written in that length. */
static size_t
sequence_length(uint8_t first, uint32_t *min_r)
{
	static const uint32_t min[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = first < 0x80 ? 1 : (first & 0xe0) == 0xc0 ? 2 :
	    (first & 0xf0) == 0xe0 ? 3 : (first & 0xf8) == 0xf0 ? 4 : 0;

	*min_r = min[len];
	return len;
}

/* Reads one code point; 0 bytes: not well-formed. */
static size_t
code_point_read(const uint8_t *at, uint32_t *code_r)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t min, code;
	size_t len = sequence_length(at[0], &min);

	code = at[0] & mask[len];
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)	/* also stops at the NUL */
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	*code_r = code;
	if (code < min || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

/* C0, DEL, C1, and what moves text about on a line: line and paragraph
 * separators and the bidirectional overrides. */
static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069);
}

bool
mc_text_valid(const char *text, size_t max)
{
	const uint8_t *at = (const uint8_t *)text;
	uint32_t code;
	size_t len;

	if (strnlen(text, max + 1) > max)
		return false;
	for (; *at != '\0'; at += len) {
		len = code_point_read(at, &code);
		if (len == 0 || is_control(code))
			return false;
	}
	return true;
}

/* What a letter looks like, and how many letters that takes. */
static char
look_of(const char *at, size_t *len)
{
	*len = 1;
	if (at[0] == 'r' && at[1] == 'n') {
		*len = 2;
		return 'm';
	}
	if (at[0] == 'v' && at[1] == 'v') {
		*len = 2;
		return 'w';
	}
	switch (at[0]) {
	case '0':
		return 'o';
	case '1':
	case 'i':
		return 'l';
	case '5':
		return 's';
	default:
		return at[0];
	}
}

void
mc_name_skeleton(const char *folded, char skeleton[MC_NAME_SIZE])
{
	size_t used = 0, len;

	for (; *folded != '\0' && used < MC_NAME_SIZE - 1; folded += len) {
		skeleton[used] = look_of(folded, &len);
		if (is_alnum(skeleton[used]))
			used++;
	}
	skeleton[used] = '\0';
}
