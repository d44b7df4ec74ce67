/* SPDX-License-Identifier: MIT */
/*
 * form - see form.h.
 */
#include "form.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* -1: none */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte at *at, which is moved on; -1: broken. */
static int
byte_read(const char **at, const char *end)
{
	const char *from = (*at)++;
	int high, low;

	if (*from == '+')
		return ' ';
	if (*from != '%')
		return (unsigned char)*from;
	if (end - from < 3)
		return -1;
	high = hex_digit(from[1]);
	low = hex_digit(from[2]);
	*at = from + 3;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* How many bytes the code point takes that begins with lead; 0: none does. */
static size_t
sequence_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead < 0xe0)
		return 2;
	if (lead >= 0xe0 && lead < 0xf0)
		return 3;
	return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/* What the byte after these leads may be: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
static bool
second_fits(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

static bool
is_utf8(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t len;

	for (; *at != 0; at += len) {
		len = sequence_length(*at);
		if (len == 0 || (len > 1 && !second_fits(at[0], at[1])))
			return false;
		for (size_t i = 1; i < len; i++)
			if ((at[i] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* Decodes up to one of the two ends, which is replaced by a NUL behind what
 * was decoded, and moves *at behind it. */
static enum form_fault
part_decode(char **at, const char *end, const char *ends, size_t max)
{
	char *to = *at;
	const char *from = *at, *begin = *at;
	int byte;

	while (from < end && *from != ends[0] && *from != ends[1]) {
		byte = byte_read(&from, end);
		if (byte <= 0)
			return FORM_BROKEN;
		*to++ = (char)byte;
	}
	*at += from - begin;
	*to = '\0';
	if ((size_t)(to - begin) > max)
		return FORM_TOO_MUCH;
	return is_utf8(begin) ? FORM_FINE : FORM_BROKEN;
}

static enum form_fault
pair_add(struct form *form, char *name, char *value)
{
	if (form_value(form, name) != NULL)
		return FORM_REPEATED;
	if (form->count == FORM_PAIRS)
		return FORM_TOO_MUCH;
	form->pairs[form->count++] = (struct form_pair) { name, value };
	return FORM_FINE;
}

/* One name=value; *at is behind it and its & afterwards. */
static enum form_fault
pair_parse(char **at, char *end, struct form *form)
{
	char *name = *at, *value;
	enum form_fault fault;
	bool has_value;

	/* the NUL behind the name may be where the = is */
	has_value = name[strcspn(name, "=&")] == '=';
	fault = part_decode(at, end, "=&", FORM_NAME);
	if (fault != FORM_FINE)
		return fault;
	value = name + strlen(name);
	if (has_value) {
		value = ++*at;
		fault = part_decode(at, end, "&&", FORM_VALUE);
	}
	if (*at < end)
		++*at;
	return fault != FORM_FINE ? fault : pair_add(form, name, value);
}

enum form_fault
form_parse(char *text, size_t len, struct form *form)
{
	enum form_fault fault = FORM_FINE;
	char *at = text, *end = text + len;

	form->count = 0;
	*end = '\0';
	if (memchr(text, '\0', len) != NULL)
		return FORM_BROKEN;
	while (at < end && fault == FORM_FINE) {
		if (*at == '&')
			at++;
		else
			fault = pair_parse(&at, end, form);
	}
	if (fault != FORM_FINE)
		form->count = 0;
	return fault;
}

char *
form_value(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->pairs[i].name, name) == 0)
			return form->pairs[i].value;
	return NULL;
}
