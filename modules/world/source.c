/* SPDX-License-Identifier: MIT */
/*
 * source - the files of a map, as they are read.
 *
 * libconfig 1.5 is kept from what it does badly: an @include of a folder
 * ends the process and numbers beyond 32 bits wrap around, so the text is
 * looked through for both before it is parsed.
 */

#include "source.h"

#include <metacube/host.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_MAX	(64 * 1024)
#define DIGITS_MAX	9
#define PATH_SHOWN	200		/* its end, in an error */

void
source_fail(struct source *source, int line, const char *text, ...)
{
	char what[MAP_WHY_SIZE / 2];
	size_t len = strlen(source->path);
	const char *path = source->path + (len > PATH_SHOWN ?
	    len - PATH_SHOWN : 0);
	va_list ap;

	va_start(ap, text);
	vsnprintf(what, sizeof(what), text, ap);
	va_end(ap);
	if (line > 0)
		snprintf(source->why, MAP_WHY_SIZE, "%.*s:%d: %s",
		    PATH_SHOWN, path, line, what);
	else
		snprintf(source->why, MAP_WHY_SIZE, "%.*s: %s", PATH_SHOWN,
		    path, what);
}

bool
source_set(struct source *source, const char *dir, const char *key,
    const char *file)
{
	int len = snprintf(source->path, sizeof(source->path), "%s/%s/%s",
	    dir, key, file);

	if (len < (int)sizeof(source->path))
		return true;
	snprintf(source->why, MAP_WHY_SIZE, "%s: the path is too long", key);
	return false;
}

/* Opens a regular file that is not longer than max. */
int
source_open(struct source *source, off_t max, size_t *len_r)
{
	int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		source_fail(source, 0, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		source_fail(source, 0, "is not a regular file");
	else if (st.st_size > max)
		source_fail(source, 0, "is longer than %lld bytes",
		    (long long)max);
	else {
		*len_r = (size_t)st.st_size;
		return fd;
	}
	if (fd != -1)
		close(fd);
	return -1;
}

char *
source_text(struct source *source)
{
	size_t len, got = 0;
	ssize_t n = 0;
	char *text;
	int fd = source_open(source, CONF_MAX, &len);

	if (fd == -1)
		return NULL;
	text = mc_zalloc(len + 1);
	while (got < len && (n = read(fd, text + got, len - got)) > 0)
		got += (size_t)n;
	if (n == -1)
		source_fail(source, 0, "%s", strerror(errno));
	else if (strlen(text) != got)
		source_fail(source, 0, "has a NUL in it");
	close(fd);
	if (n != -1 && strlen(text) == got)
		return text;
	free(text);
	return NULL;
}

/* The end of the string or comment that begins here; NULL: none does. */
static const char *
quiet_end(const char *at)
{
	const char *end;

	if (*at == '"') {
		for (end = at + 1; *end != '\0' && *end != '"'; end++)
			if (*end == '\\' && end[1] != '\0')
				end++;
		return *end == '\0' ? end : end + 1;
	}
	if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		return at + strcspn(at, "\n");
	if (at[0] == '/' && at[1] == '*') {
		end = strstr(at + 2, "*/");
		return end == NULL ? at + strlen(at) : end + 2;
	}
	return NULL;
}

static int
line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

bool
source_harmless(struct source *source, const char *text)
{
	const char *at = text, *end;

	for (; *at != '\0'; at = end) {
		end = quiet_end(at);
		if (end != NULL)
			continue;
		if (*at == '@') {
			source_fail(source, line_of(text, at),
			    "@include is not possible here");
			return false;
		}
		for (end = at; isalnum((unsigned char)*end) || *end == '_';)
			end++;
		if (isdigit((unsigned char)*at) && end - at > DIGITS_MAX) {
			source_fail(source, line_of(text, at),
			    "a number has more than %d digits", DIGITS_MAX);
			return false;
		}
		if (end == at)
			end++;
	}
	return true;
}
