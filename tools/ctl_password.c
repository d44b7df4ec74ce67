/* SPDX-License-Identifier: MIT */
/*
 * ctl_password - a password, from where nobody else sees it: the terminal
 * without echo, a file, or a descriptor.  Never from an argument, which every
 * user of the machine can read.  What leaves here is only the proof.
 */
#include "ctl.h"

#include <metacube/client.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(METACUBE_PROOF_SIZE == sizeof(((struct ctl_secret *)0)->data),
    "a proof is the secret");

static volatile sig_atomic_t interrupted;

static void
interrupt(int number)
{
	interrupted = number;
}

/* One line, without its end.  false: nothing came, it was too long, or it
 * was interrupted. */
static bool
read_line(int fd, char *line, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, line + len, 1)) == 1 && line[len] != '\n')
		if (++len == size)
			return false;
	if (n == -1 || (n == 0 && len == 0))
		return false;
	line[len] = '\0';
	return true;
}

static bool
prompt(int tty, const char *text, char *line, size_t size)
{
	struct termios before, quiet;
	ssize_t ignored;
	bool read;

	if (tcgetattr(tty, &before) == -1)
		return false;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &quiet);
	ignored = write(tty, text, strlen(text));
	read = !interrupted && read_line(tty, line, size);
	tcsetattr(tty, TCSAFLUSH, &before);
	ignored = write(tty, "\n", 1);
	(void)ignored;
	return read;
}

static bool
prompt_twice(int tty, char *first, char *second, size_t size)
{
	if (!prompt(tty, "Password: ", first, size) ||
	    !prompt(tty, "The same again: ", second, size))
		return false;
	if (strcmp(first, second) == 0)
		return true;
	fprintf(stderr, "metacubectl: the two passwords differ\n");
	return false;
}

/* While the terminal is silent, a signal must not end us before it speaks
 * again. */
static bool
from_terminal(char *password, size_t size)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = interrupt }, before[4];
	char again[CTL_SECRET_MAX];
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool read;

	if (tty == -1) {
		fprintf(stderr, "metacubectl: no terminal to ask for the "
		    "password: use --password-file or --password-fd\n");
		return false;
	}
	for (size_t i = 0; i < 4; i++)
		sigaction(numbers[i], &action, &before[i]);
	read = prompt_twice(tty, password, again, size);
	for (size_t i = 0; i < 4; i++)
		sigaction(numbers[i], &before[i], NULL);
	explicit_bzero(again, sizeof(again));
	close(tty);
	if (interrupted)
		raise(interrupted);
	return read;
}

static bool
from_descriptor(int fd, const char *name, char *password, size_t size)
{
	if (read_line(fd, password, size))
		return true;
	fprintf(stderr, "metacubectl: cannot read a password from %s: %s\n",
	    name, errno != 0 ? strerror(errno) :
	    "it is empty or the line is too long");
	return false;
}

static bool
from_file(const char *file, char *password, size_t size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool read;

	if (fd == -1) {
		fprintf(stderr, "metacubectl: %s: %s\n", file,
		    strerror(errno));
		return false;
	}
	errno = 0;
	read = from_descriptor(fd, file, password, size);
	close(fd);
	return read;
}

static const char *
error_text(enum metacube_error error)
{
	if (error == METACUBE_E_NAME)
		return "an account's name is 2 to 31 of a-z, 0-9 and . _ - "
		    "that begins and ends with a letter or digit";
	if (error == METACUBE_E_PASSWORD)
		return "this cannot be used as a password (it is empty, too "
		    "long, or has characters that cannot be typed everywhere)";
	return metacube_error_text(error);
}

static bool
make_proof(const char *name, const char *password, struct ctl_secret *secret)
{
	enum metacube_error error = metacube_new_proof(name, password,
	    secret->data);

	if (error != METACUBE_OK) {
		fprintf(stderr, "metacubectl: %s\n", error_text(error));
		return false;
	}
	secret->len = sizeof(secret->data);
	return true;
}

bool
ctl_password(const char *name, const char *file, int fd,
    struct ctl_secret *secret)
{
	char password[CTL_SECRET_MAX] = "";
	bool done;

	errno = 0;
	if (file != NULL)
		done = from_file(file, password, sizeof(password));
	else if (fd != -1)
		done = from_descriptor(fd, "the descriptor", password,
		    sizeof(password));
	else
		done = from_terminal(password, sizeof(password));
	done = done && make_proof(name, password, secret);
	explicit_bzero(password, sizeof(password));
	return done;
}
