/* SPDX-License-Identifier: MIT */
#include <metacube/text.h>

#include <stdarg.h>
#include <stdio.h>

void
mc_print(struct mc_text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->at, text->room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= text->room)
		len = text->room > 0 ? (int)text->room - 1 : 0;
	text->at += len;
	text->room -= (size_t)len;
}
