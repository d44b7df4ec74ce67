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

static int
from_fd(struct shell *shell, char password[PASSWORD_SIZE])
{
	int fd = shell->password_fd;

	shell->password_fd = -1;
	if (line_read(fd, password) < 0) {
		shell_fail(shell, "Descriptor %d has no password: %s.", fd,
		    strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

static int
from_person(struct shell *shell, const char *name,
    char password[PASSWORD_SIZE])
{
	struct termios usual, silent;
	int failed;

	if (!terminal_interactive(shell->terminal) ||
	    tcgetattr(STDIN_FILENO, &usual) < 0) {
		shell_fail(shell, "There is nobody to ask for the password of "
		    "%s: give --password-file or --password-fd.", name);
		return -1;
	}
	silent = usual;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	silent.c_iflag |= ICRNL;
	printf("Password of %s: ", name);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	failed = line_read(STDIN_FILENO, password) < 0;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
	putchar('\n');
	if (failed)
		shell_fail(shell, "The password cannot be read: %s.",
		    strerror(errno));
	return failed ? -1 : 0;
}

int
password_get(struct shell *shell, const char *name, const char *file,
    char password[PASSWORD_SIZE])
{
	if (file == NULL && shell->password_fd >= 0)
		return from_fd(shell, password);
	if (file == NULL)
		file = shell->password_file;
	if (file != NULL)
		return from_file(shell, file, password);
	return from_person(shell, name, password);
}
