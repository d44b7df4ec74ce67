/* SPDX-License-Identifier: MIT */
#include <metacube/text.h>

#include <stdarg.h>
#include <stdio.h>

void
mc_text_add(struct mc_text *text, const char *format, ...)
{
	size_t len;
	va_list args;
	int wanted;

	va_start(args, format);
	wanted = vsnprintf(text->at, text->room, format, args);
	va_end(args);
	if (wanted < 0 || text->room == 0)
		return;
	len = (size_t)wanted < text->room ? (size_t)wanted : text->room - 1;
	text->at += len;
	text->room -= len;
}

void
mc_hex(char *out, const void *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;

	for (; count > 0; count--, at++) {
		*out++ = digits[*at >> 4];
		*out++ = digits[*at & 15];
	}
	*out = '\0';
}
