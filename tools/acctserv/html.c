/* SPDX-License-Identifier: MIT */
/*
 * html - see html.h.
 */
#include "html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE	8192

void
html_clear(struct html *html)
{
	if (html->data != NULL)
		explicit_bzero(html->data, html->size);
	free(html->data);
	memset(html, 0, sizeof(*html));
}

/* Not realloc: that would leave a copy behind. */
static bool
grow(struct html *html, size_t more)
{
	size_t size = html->size == 0 ? FIRST_SIZE : html->size;
	struct html larger = *html;

	while (size - html->len < more)
		size *= 2;
	larger.data = malloc(size);
	if (larger.data == NULL) {
		html_clear(html);
		html->failed = true;
		return false;
	}
	larger.size = size;
	if (html->len > 0)
		memcpy(larger.data, html->data, html->len);
	html_clear(html);
	*html = larger;
	return true;
}

void
html_add(struct html *html, const char *data, size_t len)
{
	if (len == 0 || html->failed)
		return;
	if (html->size - html->len < len && !grow(html, len))
		return;
	memcpy(html->data + html->len, data, len);
	html->len += len;
}

static const char *
entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return "&#39;";
	}
}

static void
escape(struct html *html, const char *text)
{
	size_t plain;

	for (;;) {
		plain = strcspn(text, "&<>\"'");
		html_add(html, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		html_add(html, entity(*text), strlen(entity(*text)));
		text++;
	}
}

void
html_write(struct html *html, const char *format, ...)
{
	va_list args;
	size_t plain;

	va_start(args, format);
	for (;;) {
		plain = strcspn(format, "%");
		html_add(html, format, plain);
		format += plain;
		if (format[0] == '\0')
			break;
		if (format[1] == 's')
			escape(html, va_arg(args, const char *));
		else if (format[1] == '%')
			html_add(html, "%", 1);
		else
			abort();
		format += 2;
	}
	va_end(args);
}
