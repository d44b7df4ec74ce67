/* SPDX-License-Identifier: MIT */
/*
 * ctl_print - what a server has answered, for people or for programs:
 *
 *	WORLD    USERS  MAPS		{"status":0,"text":"","rows":[
 *	world-1     20     1		{"world":"world-1","users":"20",...}]}
 *
 * In JSON every value is a string, so that none changes its type.
 */
#include "ctl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX	64

/* Characters, as far as one is one column wide. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* A terminal must not obey what a server's users have chosen. */
static void
put_safe(const char *text, bool upper)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			putchar('?');
		else
			putchar(upper ? toupper((unsigned char)*text) : *text);
}

static bool
is_number(const char *text)
{
	if (*text == '-')
		text++;
	return *text != '\0' && strspn(text, "0123456789.") == strlen(text);
}

struct column {
	size_t	width;
	bool	right;		/* only numbers in it */
};

static void
measure(const Metacube__Output *output, size_t n, struct column *columns)
{
	const char *cell;
	size_t width;

	for (size_t i = 0; i < n; i++) {
		columns[i].width = width_of(output->column[i]);
		columns[i].right = output->n_cell > n;
	}
	for (size_t i = 0; i < output->n_cell; i++) {
		cell = output->cell[i];
		width = width_of(cell);
		if (width > columns[i % n].width)
			columns[i % n].width = width;
		if (!is_number(cell) && *cell != '\0')
			columns[i % n].right = false;
	}
}

static void
print_row(char **cells, const struct column *columns, size_t n, bool upper)
{
	int pad;

	for (size_t i = 0; i < n; i++) {
		pad = (int)(columns[i].width - width_of(cells[i]));
		if (columns[i].right)
			printf("%*s", pad, "");
		put_safe(cells[i], upper);
		if (i + 1 < n)
			printf("%*s", (columns[i].right ? 0 : pad) + 2, "");
	}
	putchar('\n');
}

static size_t
column_count(const Metacube__Output *output)
{
	return output->n_column < COLUMNS_MAX ? output->n_column : 0;
}

void
ctl_print(const Metacube__Output *output)
{
	struct column columns[COLUMNS_MAX];
	size_t n = column_count(output);

	if (n != 0 && (output->status == 0 || output->n_cell != 0)) {
		measure(output, n, columns);
		print_row(output->column, columns, n, true);
		for (size_t i = 0; i + n <= output->n_cell; i += n)
			print_row(output->cell + i, columns, n, false);
	}
	if (output->status == 0 && *output->text != '\0') {
		put_safe(output->text, false);
		putchar('\n');
	}
}

static void
put_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20)
			printf("\\u%04x", (unsigned)*text);
		else {
			if (*text == '"' || *text == '\\')
				putchar('\\');
			putchar(*text);
		}
	putchar('"');
}

static void
put_object(char **columns, char **cells, size_t n)
{
	putchar('{');
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			putchar(',');
		put_string(columns[i]);
		putchar(':');
		put_string(cells[i]);
	}
	putchar('}');
}

void
ctl_print_json(const Metacube__Output *output)
{
	size_t n = column_count(output);

	printf("{\"status\":%u,\"text\":", output->status);
	put_string(output->text);
	printf(",\"rows\":[");
	for (size_t i = 0; n != 0 && i + n <= output->n_cell; i += n) {
		if (i != 0)
			printf(",\n");
		put_object(output->column, output->cell + i, n);
	}
	printf("]}\n");
}
