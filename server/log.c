/* SPDX-License-Identifier: MIT */
/*
 * log - one line per event.
 *
 * A line is built on the stack and leaves in one write, so lines of several
 * threads never mix and no lock is needed.  Reopening a file puts the new
 * one under the old descriptor's number.  What a line quotes may come from a
 * stranger: control characters and broken UTF-8 are written as \xNN.
 */
#include <config.h>

#include "log.h"

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum style { STYLE_UNKNOWN, STYLE_FILE, STYLE_TERMINAL, STYLE_JOURNAL,
	STYLE_JSON };

static atomic_int fd = STDERR_FILENO;
static atomic_int style = STYLE_UNKNOWN;
static atomic_int max_level = MC_NOTE;
static char path[4096];

static const struct {
	const char	*word, *name, *colour;
	int		 syslog;
} levels[] = {
	[MC_ERROR]	= { "ERROR", "error", "\033[1;31m", 3 },
	[MC_WARN]	= { "WARN ", "warn", "\033[33m", 4 },
	[MC_NOTE]	= { "NOTE ", "note", "", 5 },
	[MC_DEBUG]	= { "DEBUG", "debug", "\033[2m", 7 },
};

/* A line that is being built; what does not fit is left out. */
struct line {
	size_t	len;
	char	text[LOG_LINE_MAX];
};

static void MC_PRINTF(2, 3)
put(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Bytes of the UTF-8 character at s that may be printed, 0: none. */
static size_t
printable(const unsigned char *s)
{
	uint32_t c;
	size_t n;

	if (s[0] >= 0x20 && s[0] < 0x7f)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	c = s[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < 0xa0 || (n == 3 && c < 0x800) || (n == 4 && c < 0x10000) ||
	    (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

static void
put_safe(struct line *line, const char *text, bool json)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	while (*s != '\0' && line->len < sizeof(line->text) - 16) {
		n = printable(s);
		if (n == 0)
			put(line, json ? "\\u%04x" : "\\x%02x", *s++);
		else {
			if (json && (*s == '"' || *s == '\\'))
				line->text[line->len++] = '\\';
			memcpy(line->text + line->len, s, n);
			line->len += n;
			s += n;
		}
	}
	line->text[line->len] = '\0';
	if (*s != '\0')
		put(line, "...");
}

static void
put_time(struct line *line, bool with_date)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (with_date) {
		gmtime_r(&ts.tv_sec, &tm);
		put(line, "%04d-%02d-%02dT", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
	} else
		localtime_r(&ts.tv_sec, &tm);
	put(line, "%02d:%02d:%02d.%03ld%s", tm.tm_hour, tm.tm_min, tm.tm_sec,
	    ts.tv_nsec / 1000000, with_date ? "Z" : "");
}

static void
put_request(struct line *line, const char *after)
{
	if (request_current() != 0)
		put(line, "#%" PRIu64 "%s", request_current(), after);
}

static void
put_json(struct line *line, const char *name, enum mc_level level,
    const char *text)
{
	put(line, "{\"time\":\"");
	put_time(line, true);
	put(line, "\",\"level\":\"%s\",\"instance\":\"", levels[level].name);
	put_safe(line, name, true);
	put(line, "\",");
	if (request_current() != 0)
		put(line, "\"request\":%" PRIu64 ",", request_current());
	put(line, "\"text\":\"");
	put_safe(line, text, true);
	put(line, "\"}");
}

static void
put_terminal(struct line *line, const char *name, enum mc_level level,
    const char *text)
{
	put_time(line, false);
	put(line, " %s%s%s ", levels[level].colour, levels[level].word,
	    *levels[level].colour != '\0' ? "\033[0m" : "");
	put(line, "%-16s ", name);
	put_request(line, " ");
	put_safe(line, text, false);
}

static void
put_plain(struct line *line, const char *name, enum mc_level level,
    const char *text)
{
	put_time(line, true);
	put(line, " %s %s ", levels[level].word, name);
	put_request(line, " ");
	put_safe(line, text, false);
}

static void
put_journal(struct line *line, const char *name, enum mc_level level,
    const char *text)
{
	put(line, "<%d>%s", levels[level].syslog, name);
	if (request_current() != 0)
		put(line, " #%" PRIu64, request_current());
	put(line, ": ");
	put_safe(line, text, false);
}

/* systemd says which device and inode its journal's stream has. */
static bool
is_journal(int file)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(file, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static enum style
style_of(int file, enum log_format format)
{
	if (format == LOG_JSON)
		return STYLE_JSON;
	if (is_journal(file))
		return STYLE_JOURNAL;
	return isatty(file) ? STYLE_TERMINAL : STYLE_FILE;
}

static void
write_line(const char *name, enum mc_level level, const char *text)
{
	struct line line = { .len = 0 };
	ssize_t ignored;

	if (atomic_load(&style) == STYLE_UNKNOWN)
		atomic_store(&style, style_of(atomic_load(&fd), LOG_TEXT));
	switch (atomic_load(&style)) {
	case STYLE_JSON:
		put_json(&line, name, level, text);
		break;
	case STYLE_TERMINAL:
		put_terminal(&line, name, level, text);
		break;
	case STYLE_JOURNAL:
		put_journal(&line, name, level, text);
		break;
	default:
		put_plain(&line, name, level, text);
	}
	line.text[line.len++] = '\n';
	/* Nobody can be told that the log cannot be written. */
	ignored = write(atomic_load(&fd), line.text, line.len);
	(void)ignored;
}

void
log_write(struct mc_host *host, enum mc_level level, const char *format,
    va_list args)
{
	char text[LOG_LINE_MAX / 2];
	int saved = errno, len;

	if ((int)level <= atomic_load(&max_level)) {
		len = vsnprintf(text, sizeof(text), format, args);
		if (len >= (int)sizeof(text))
			strcpy(text + sizeof(text) - 4, "...");
		write_line(mc_host_name(host), level, text);
	}
	errno = saved;
}

void
mc_log(struct mc_host *host, enum mc_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write(host, level, format, args);
	va_end(args);
}

/* A refusal is the caller's trouble, everything else is ours. */
static enum mc_level
level_of(enum mc_status status)
{
	switch (status) {
	case MC_OK:
	case MC_DENIED:
	case MC_NOT_FOUND:
	case MC_EXISTS:
	case MC_BUSY:
		return MC_WARN;
	default:
		return MC_ERROR;
	}
}

enum mc_status
mc_fail(struct mc_host *host, enum mc_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write(host, level_of(status), format, args);
	va_end(args);
	return status;
}

void
mc_fatal(struct mc_host *host, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write(host, MC_ERROR, format, args);
	va_end(args);
	_exit(EXIT_FAILURE);
}

static int
open_file(const char *file)
{
	int opened = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY, 0640);

	if (opened == -1)
		mc_log(NULL, MC_ERROR, "cannot open the log file %s: %s", file,
		    strerror(errno));
	return opened;
}

/* Other threads may be writing: the number of the descriptor stays. */
static void
put_in_place(int opened)
{
	if (atomic_load(&fd) == STDERR_FILENO)
		atomic_store(&fd, opened);
	else {
		dup3(opened, atomic_load(&fd), O_CLOEXEC);
		close(opened);
	}
}

enum mc_status
log_open(const char *file, enum log_format format, enum mc_level level)
{
	int opened;

	if (strlen(file) >= sizeof(path))
		return mc_fail(NULL, MC_INVALID, "log file %.64s...: the "
		    "name is too long", file);
	if (*file != '\0') {
		opened = open_file(file);
		if (opened == -1)
			return MC_UNAVAILABLE;
		put_in_place(opened);
	} else if (atomic_load(&fd) != STDERR_FILENO)
		/* The old number stays open: a thread may be using it. */
		atomic_store(&fd, STDERR_FILENO);
	strcpy(path, file);
	atomic_store(&style, style_of(atomic_load(&fd), format));
	atomic_store(&max_level, (int)level);
	return MC_OK;
}

enum mc_status
log_reopen(void)
{
	int opened;

	if (path[0] == '\0')
		return MC_OK;
	opened = open_file(path);
	if (opened == -1)
		return MC_UNAVAILABLE;
	put_in_place(opened);
	return MC_OK;
}
