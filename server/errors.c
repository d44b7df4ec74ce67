/* SPDX-License-Identifier: MIT */
#include "errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX	64	/* longer ones are near to nothing */

static void
line_keep(struct errors *errors, char *line)
{
	if (errors->count == ERRORS_MAX) {
		errors->more++;
		free(line);
		return;
	}
	errors->lines = realloc(errors->lines,
	    (errors->count + 1) * sizeof(*errors->lines));
	if (errors->lines == NULL)
		abort();
	errors->lines[errors->count++] = line;
}

static char *
format(const char *text, va_list args)
{
	char *line;

	if (vasprintf(&line, text, args) == -1)
		abort();
	return line;
}

void
errors_add(struct errors *errors, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	line_keep(errors, format(text, args));
	va_end(args);
}

void
errors_at(struct errors *errors, const char *file, unsigned line,
    const char *text, ...)
{
	va_list args;
	char *what;

	va_start(args, text);
	what = format(text, args);
	va_end(args);
	if (file == NULL)
		errors_add(errors, "%s", what);
	else if (line == 0)
		errors_add(errors, "%s: %s", file, what);
	else
		errors_add(errors, "%s:%u: %s", file, line, what);
	free(what);
}

void
errors_print(const struct errors *errors, FILE *to)
{
	for (size_t i = 0; i < errors->count; i++)
		fprintf(to, "%s\n", errors->lines[i]);
	if (errors->more > 0)
		fprintf(to, "and %zu more errors\n", errors->more);
}

void
errors_clear(struct errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->lines[i]);
	free(errors->lines);
	memset(errors, 0, sizeof(*errors));
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to insert, delete, replace or swap; three rows of the table are
 * enough. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1], *now = rows[0], *above, *before;
	size_t alen = strlen(a), blen = strlen(b);

	for (size_t j = 0; j <= blen; j++)
		now[j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		before = rows[(i + 1) % 3];
		above = rows[(i - 1) % 3];
		now = rows[i % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			now[j] = least(above[j] + 1, now[j - 1] + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return now[blen];
}

const char *
word_nearest(const char *written, const char *const *words)
{
	const char *nearest = NULL;
	size_t len = strlen(written);
	unsigned best = (unsigned)(len < 4 ? 1 : len / 3) + 1, d;

	if (len > WORD_MAX)
		return NULL;
	for (; *words != NULL; words++) {
		if (strlen(*words) > WORD_MAX)
			continue;
		d = distance(written, *words);
		if (d < best) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}
