/* SPDX-License-Identifier: MIT */
/*
 * password - from a file, a descriptor or a person: never from an argument,
 * which everybody on the machine can read.
 */
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The first line, read byte by byte: what follows is not ours.  Ctrl-C ends
 * it. */
static int
line_read(int fd, char password[PASSWORD_SIZE])
{
	size_t len = 0;
	ssize_t n;
	char c;

	while ((n = read(fd, &c, 1)) != 0) {
		if (n < 0)
			return -1;
		if (c == '\n')
			break;
		if (len == PASSWORD_SIZE - 1)
			return errno = EFBIG, -1;
		password[len++] = c;
	}
	if (len > 0 && password[len - 1] == '\r')
		len--;
	password[len] = '\0';
	return 0;
}

static int
from_file(struct shell *shell, const char *file, char password[PASSWORD_SIZE])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int failed = fd < 0 || line_read(fd, password) < 0;

	if (failed)
		shell_fail(shell, "The password file %s cannot be read: %s.",
		    file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return failed ? -1 : 0;
}

/* One password a line, in the order in which they are needed. */
static int
from_fd(struct shell *shell, char password[PASSWORD_SIZE])
{
	if (line_read(shell->password_fd, password) == 0 &&
	    password[0] != '\0')
		return 0;
	shell_fail(shell, "Descriptor %d has no (further) password.",
	    shell->password_fd);
	return -1;
}

/* What is typed is shown or not. */
static int
from_person(struct shell *shell, const char *question, bool shown,
    char line[PASSWORD_SIZE])
{
	struct termios usual, silent;
	int failed;

	if (tcgetattr(STDIN_FILENO, &usual) < 0)
		return -1;
	silent = usual;
	if (!shown)
		silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	silent.c_iflag |= ICRNL;
	/* Before the question: this drops what was typed, which must not be
	 * an answer to it. */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	printf("%s: ", question);
	fflush(stdout);
	failed = line_read(STDIN_FILENO, line) < 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &usual);
	if (!shown)
		putchar('\n');
	if (failed)
		shell_fail(shell, "Nothing can be read: %s.",
		    strerror(errno));
	return failed ? -1 : 0;
}

static bool
is_there_nobody(const struct shell *shell)
{
	return shell->scripted || !terminal_interactive(shell->terminal);
}

int
password_ask_line(struct shell *shell, const char *question,
    char line[PASSWORD_SIZE])
{
	return is_there_nobody(shell) ? -1 :
	    from_person(shell, question, true, line);
}

int
password_get(struct shell *shell, const char *name, const char *file,
    char password[PASSWORD_SIZE])
{
	char question[128];

	if (file == NULL && shell->password_fd >= 0)
		return from_fd(shell, password);
	if (file == NULL)
		file = shell->password_file;
	if (file != NULL)
		return from_file(shell, file, password);
	if (!terminal_interactive(shell->terminal)) {
		shell_fail(shell, "There is nobody to ask for the password of "
		    "%s: give --password-file or --password-fd.", name);
		return -1;
	}
	snprintf(question, sizeof(question), "Password of %.64s", name);
	return from_person(shell, question, false, password);
}

static int
twice_from_person(struct shell *shell, char password[PASSWORD_SIZE])
{
	char again[PASSWORD_SIZE];
	int failed = from_person(shell, "New password", false, password) < 0 ||
	    from_person(shell, "The same once more", false, again) < 0;

	if (!failed && strcmp(password, again) != 0) {
		shell_fail(shell, "These are two different passwords: "
		    "nothing was changed.");
		failed = 1;
	}
	explicit_bzero(again, sizeof(again));
	return failed ? -1 : 0;
}

int
password_new(struct shell *shell, const char *file,
    char password[PASSWORD_SIZE])
{
	if (file != NULL)
		return from_file(shell, file, password);
	if (shell->password_fd >= 0)
		return from_fd(shell, password);
	if (terminal_interactive(shell->terminal))
		return twice_from_person(shell, password);
	shell_fail(shell, "There is nobody to ask for the new password: give "
	    "--new-password-file or --password-fd.");
	return -1;
}
