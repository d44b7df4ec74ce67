/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <histedit.h>
#endif

#define PROMPT		"metacube> "
#define HISTORY_FILE	".metacube-netshell_history"
#define HISTORY_MAX	500

struct terminal {
	const char *const	*words;
	bool			 interactive;
	char			 pending[LINE_SIZE];	/* without libedit */
	size_t			 len;
	bool			 ended;
	bool			 busy;		/* a command runs, no prompt */
#ifdef HAVE_LIBEDIT
	EditLine		*edit;		/* NULL: not at a terminal */
	History			*history;
	char			 file[4096];	/* "": nowhere to keep it */
#endif
};

/* --- lines as they come ------------------------------------------------ */

/* A line that is too long loses what is beyond LINE_SIZE. */
static bool
line_take(struct terminal *terminal, char line[LINE_SIZE])
{
	char *end = memchr(terminal->pending, '\n', terminal->len);
	size_t used;

	if (end == NULL && terminal->len < LINE_SIZE - 1 &&
	    !(terminal->ended && terminal->len > 0))
		return false;
	used = end != NULL ? (size_t)(end - terminal->pending) : terminal->len;
	memcpy(line, terminal->pending, used);
	line[used] = '\0';
	if (end != NULL)
		used++;
	terminal->len -= used;
	memmove(terminal->pending, terminal->pending + used, terminal->len);
	return true;
}

static bool
readable(void)
{
	struct pollfd poller = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&poller, 1, 0) > 0;
}

static enum terminal_input
plain_read(struct terminal *terminal, char line[LINE_SIZE])
{
	ssize_t n;

	if (line_take(terminal, line))
		return TERMINAL_LINE;
	if (terminal->ended)
		return TERMINAL_END;
	if (!readable())
		return TERMINAL_NOTHING;
	n = read(STDIN_FILENO, terminal->pending + terminal->len,
	    LINE_SIZE - 1 - terminal->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TERMINAL_NOTHING;
	if (n <= 0)
		terminal->ended = true;
	else
		terminal->len += (size_t)n;
	if (line_take(terminal, line))
		return TERMINAL_LINE;
	return terminal->ended ? TERMINAL_END : TERMINAL_NOTHING;
}

#ifdef HAVE_LIBEDIT

/* --- at a terminal ----------------------------------------------------- */

static char *
prompt(EditLine *edit)
{
	static char text[] = PROMPT;

	(void)edit;
	return text;
}

static bool
word_fits(const char *word, const char *begun, size_t len)
{
	return strncmp(word, begun, len) == 0;
}

/* TAB: what all the words that begin like this have in common. */
static unsigned char
complete(EditLine *edit, wint_t ch)
{
	struct terminal *terminal;
	const LineInfo *line = el_line(edit);
	const char *begun = line->cursor, *found = NULL;
	char rest[64];
	size_t len, common = 0;

	(void)ch;
	el_get(edit, EL_CLIENTDATA, &terminal);
	while (begun > line->buffer && begun[-1] != ' ')
		begun--;
	len = (size_t)(line->cursor - begun);
	for (const char *const *word = terminal->words; *word; word++) {
		size_t same = 0;

		if (!word_fits(*word, begun, len))
			continue;
		while (found != NULL && same < common &&
		    (*word)[same] == found[same])
			same++;
		common = found != NULL ? same : strlen(*word);
		found = *word;
	}
	if (found == NULL || common - len >= sizeof(rest) - 1)
		return CC_ERROR;
	snprintf(rest, sizeof(rest), "%.*s%s", (int)(common - len),
	    found + len, found[common] == '\0' ? " " : "");
	return rest[0] == '\0' || el_insertstr(edit, rest) < 0 ? CC_ERROR :
	    CC_REFRESH;
}

/* Ctrl-D ends the input, but not the line that is being typed. */
static unsigned char
end_typed(EditLine *edit, wint_t ch)
{
	struct terminal *terminal;
	const LineInfo *line = el_line(edit);

	(void)ch;
	if (line->lastchar != line->buffer)
		return CC_ERROR;
	el_get(edit, EL_CLIENTDATA, &terminal);
	terminal->ended = true;
	return CC_EOF;
}

static void
history_open(struct terminal *terminal)
{
	const char *home = getenv("HOME");
	HistEvent event;

	terminal->history = history_init();
	history(terminal->history, &event, H_SETSIZE, HISTORY_MAX);
	history(terminal->history, &event, H_SETUNIQUE, 1);
	if (home != NULL)
		snprintf(terminal->file, sizeof(terminal->file), "%s/%s", home,
		    HISTORY_FILE);
	if (terminal->file[0] != '\0')
		history(terminal->history, &event, H_LOAD, terminal->file);
	el_set(terminal->edit, EL_HIST, history, terminal->history);
}

static int
edit_open(struct terminal *terminal)
{
	terminal->edit = el_init("metacube-netshell", stdin, stdout, stderr);
	if (terminal->edit == NULL)
		return -1;
	el_set(terminal->edit, EL_CLIENTDATA, terminal);
	el_set(terminal->edit, EL_PROMPT, prompt);
	el_set(terminal->edit, EL_EDITOR, "emacs");
	/* Wide: libedit loses the copies that it makes of narrow names. */
	el_wset(terminal->edit, EL_ADDFN, L"mc-complete",
	    L"complete a command", complete);
	el_set(terminal->edit, EL_BIND, "^I", "mc-complete", NULL);
	el_wset(terminal->edit, EL_ADDFN, L"mc-end", L"end the input",
	    end_typed);
	el_set(terminal->edit, EL_BIND, "^D", "mc-end", NULL);
	history_open(terminal);
	el_source(terminal->edit, NULL);
	el_set(terminal->edit, EL_UNBUFFERED, 1);
	return 0;
}

static void
edit_close(struct terminal *terminal)
{
	HistEvent event;
	mode_t mask;

	el_set(terminal->edit, EL_UNBUFFERED, 0);
	mask = umask(077);
	if (terminal->file[0] != '\0')
		history(terminal->history, &event, H_SAVE, terminal->file);
	umask(mask);
	history_end(terminal->history);
	el_end(terminal->edit);
	terminal->edit = NULL;
}

/* One key at a time; the terminal is as usual while a command runs. */
static enum terminal_input
edit_read(struct terminal *terminal, char line[LINE_SIZE])
{
	int count = 0;
	const char *text = el_gets(terminal->edit, &count);

	if (terminal->ended)
		return TERMINAL_END;
	if (text == NULL || count <= 0 ||
	    (text[count - 1] != '\n' && text[count - 1] != '\r'))
		return TERMINAL_NOTHING;
	el_set(terminal->edit, EL_UNBUFFERED, 0);
	terminal->busy = true;
	snprintf(line, LINE_SIZE, "%.*s", count - 1, text);
	return TERMINAL_LINE;
}

/* How many rows above the cursor the prompt begins. */
static int
rows_above(struct terminal *terminal)
{
	const LineInfo *line = el_line(terminal->edit);
	struct winsize size;
	int columns = 80;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		columns = size.ws_col;
	return ((int)strlen(PROMPT) + (int)(line->cursor - line->buffer)) /
	    columns;
}

static void
edit_print(struct terminal *terminal, const char *line)
{
	int rows = rows_above(terminal);

	if (rows > 0)
		printf("\033[%dA", rows);
	printf("\r\033[J%s\n", line);
	fflush(stdout);
	el_set(terminal->edit, EL_REFRESH);
}

#endif

struct terminal *
terminal_open(const char *const *words, bool reads)
{
	struct terminal *terminal = calloc(1, sizeof(*terminal));

	if (terminal == NULL)
		return NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	terminal->words = words;
	terminal->interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (!reads)
		return terminal;
#ifdef HAVE_LIBEDIT
	if (terminal->interactive && edit_open(terminal) == 0)
		return terminal;
#endif
	if (terminal->interactive) {
		fputs(PROMPT, stdout);
		fflush(stdout);
	}
	return terminal;
}

void
terminal_close(struct terminal **terminalp)
{
	if (*terminalp == NULL)
		return;
#ifdef HAVE_LIBEDIT
	if ((*terminalp)->edit != NULL)
		edit_close(*terminalp);
#endif
	free(*terminalp);
	*terminalp = NULL;
}

bool
terminal_interactive(const struct terminal *terminal)
{
	return terminal->interactive;
}

void
terminal_print(struct terminal *terminal, const char *line)
{
#ifdef HAVE_LIBEDIT
	if (terminal->edit != NULL && !terminal->busy) {
		edit_print(terminal, line);
		return;
	}
#endif
	(void)terminal;
	puts(line);
}

void
terminal_ready(struct terminal *terminal)
{
#ifdef HAVE_LIBEDIT
	if (terminal->edit != NULL) {
		terminal->busy = false;
		el_set(terminal->edit, EL_UNBUFFERED, 1);
		return;
	}
#endif
	if (!terminal->interactive)
		return;
	fputs(PROMPT, stdout);
	fflush(stdout);
}

int
terminal_fd(const struct terminal *terminal)
{
	(void)terminal;
	return STDIN_FILENO;
}

enum terminal_input
terminal_read(struct terminal *terminal, char line[LINE_SIZE])
{
#ifdef HAVE_LIBEDIT
	if (terminal->edit != NULL)
		return edit_read(terminal, line);
#endif
	return plain_read(terminal, line);
}

void
terminal_remember(struct terminal *terminal, const char *line)
{
#ifdef HAVE_LIBEDIT
	HistEvent event;

	if (terminal->edit != NULL)
		history(terminal->history, &event, H_ENTER, line);
#else
	(void)terminal;
	(void)line;
#endif
}
