/* SPDX-License-Identifier: MIT */
/*
 * metacube-netshell - the people's terminal client.
 *
 *	netshell.c		arguments, and the one loop
 *	netshell/terminal.c	lines in and out
 *	netshell/commands.c	what can be typed
 *	netshell/account.c	changes of one's own account
 *	netshell/events.c	what the network reports, in words
 *	netshell/look.c		the picture
 *	netshell/password.c	where a password may come from
 *	netshell/shell.c	what a command waits for
 *
 * A person types on while things go on.  A script (-e, or lines from a pipe)
 * is read as it would be done by hand: each command waits until it is done.
 */
#include <config.h>

#include "netshell/shell.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATEWAY		"localhost:7740"
#define SCRIPTS_MAX	64

struct script {
	const char	*list[SCRIPTS_MAX];	/* of -e */
	int		 count, next;
	const char	*at;			/* in list[next] */
};

static volatile sig_atomic_t interrupted;

static void
told_to_end(int signal)
{
	(void)signal;
	interrupted++;
}

static void
signals_set(void)
{
	struct sigaction action = { .sa_handler = told_to_end };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The next command of the lists; "\;" is a semicolon.  false: none left. */
static bool
script_next(struct script *script, char line[LINE_SIZE])
{
	size_t len = 0;

	if (script->at == NULL || *script->at == '\0') {
		if (script->next == script->count)
			return false;
		script->at = script->list[script->next++];
	}
	while (*script->at != '\0' && *script->at != ';') {
		if (script->at[0] == '\\' && script->at[1] == ';')
			script->at++;
		if (len < LINE_SIZE - 1)
			line[len++] = *script->at;
		script->at++;
	}
	if (*script->at == ';')
		script->at++;
	line[len] = '\0';
	return true;
}

static bool
may_begin(const struct shell *shell)
{
	return !shell->quitting && (shell->wait == WAIT_NOTHING ||
	    (!shell->scripted && terminal_interactive(shell->terminal)));
}

/* Lines that were typed, or came through a pipe. */
static void
lines_run(struct shell *shell)
{
	char line[LINE_SIZE];

	while (may_begin(shell)) {
		switch (terminal_read(shell->terminal, line)) {
		case TERMINAL_NOTHING:
			return;
		case TERMINAL_END:
			shell_leave(shell);
			return;
		case TERMINAL_LINE:
			if (command_run(shell, line))
				terminal_remember(shell->terminal, line);
			if (!shell->quitting)
				terminal_ready(shell->terminal);
		}
		if (terminal_interactive(shell->terminal))
			return;
	}
}

static void
script_run(struct shell *shell, struct script *script)
{
	char line[LINE_SIZE];

	while (may_begin(shell)) {
		if (script_next(script, line))
			command_run(shell, line);
		else
			shell_leave(shell);
	}
}

static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void
wait_for_something(struct shell *shell, struct pollfd watched[2])
{
	int timeout = sooner(metacube_client_timeout_ms(shell->client),
	    shell_timeout_ms(shell));

	watched[0].fd = metacube_client_fd(shell->client);
	watched[0].events = metacube_client_wants(shell->client);
	watched[1].fd = !shell->scripted && may_begin(shell) ?
	    terminal_fd(shell->terminal) : -1;
	watched[1].events = POLLIN;
	watched[1].revents = 0;
	poll(watched, 2, timeout);
}

static void
loop(struct shell *shell, struct script *script)
{
	struct pollfd watched[2];
	int ends = 0;

	if (shell->scripted)
		script_run(shell, script);
	while (!shell->done && ends < 2) {
		wait_for_something(shell, watched);
		if (interrupted > ends) {
			ends = interrupted;
			shell->failed = true;
			shell_leave(shell);
		}
		metacube_client_poll(shell->client);
		shell_tick(shell);
		if (shell->done)
			break;
		if (shell->scripted)
			script_run(shell, script);
		else if (watched[1].revents != 0 ||
		    !terminal_interactive(shell->terminal))
			lines_run(shell);
	}
}

static int
usage(FILE *to)
{
	fputs("usage: metacube-netshell [--gateway HOST:PORT] [--ca FILE] "
	    "[--server-name NAME]\n"
	    "           [--user NAME] [--password-file FILE | "
	    "--password-fd N]\n"
	    "           [-e COMMAND[; COMMAND...]]...\n"
	    "       metacube-netshell --help | --version\n", to);
	return to == stdout ? 0 : 2;
}

static int
fd_parse(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end != '\0' || fd < 0 || fd > 65535) {
		fprintf(stderr, "metacube-netshell: --password-fd: \"%s\" is "
		    "not a descriptor\n", text);
		exit(2);
	}
	return (int)fd;
}

static void
script_add(struct script *script, const char *list)
{
	if (script->count == SCRIPTS_MAX) {
		fprintf(stderr, "metacube-netshell: more than %d times -e\n",
		    SCRIPTS_MAX);
		exit(2);
	}
	script->list[script->count++] = list;
}

/* -1: go on; else the exit status. */
static int
arguments(int argc, char **argv, struct shell *shell,
    struct metacube_options *options, struct script *script)
{
	static const struct option longs[] = {
		{ "gateway", required_argument, NULL, 'g' },
		{ "ca", required_argument, NULL, 'c' },
		{ "server-name", required_argument, NULL, 'n' },
		{ "user", required_argument, NULL, 'u' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "password-fd", required_argument, NULL, 'd' },
		{ "execute", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "e:hV", longs, NULL)) != -1) {
		switch (option) {
		case 'g': options->gateway = optarg; break;
		case 'c': options->ca_file = optarg; break;
		case 'n': options->server_name = optarg; break;
		case 'u': shell->user = optarg; break;
		case 'p': shell->password_file = optarg; break;
		case 'd': shell->password_fd = fd_parse(optarg); break;
		case 'e': script_add(script, optarg); break;
		case 'h': return usage(stdout);
		case 'V': puts("metacube-netshell " PACKAGE_VERSION); return 0;
		default: return usage(stderr);
		}
	}
	return optind < argc ? usage(stderr) : -1;
}

int
main(int argc, char **argv)
{
	struct metacube_options options = { .gateway = GATEWAY };
	struct metacube_events events = shell_events;
	struct shell shell = { .password_fd = -1 };
	struct script script = { .count = 0 };
	int status = arguments(argc, argv, &shell, &options, &script);

	if (status >= 0)
		return status;
	signals_set();
	events.owner = &shell;
	shell.scripted = script.count > 0;
	shell.client = metacube_client_new(&options, &events);
	shell.terminal = terminal_open(command_words, !shell.scripted);
	if (shell.client == NULL || shell.terminal == NULL) {
		fputs("metacube-netshell: no memory\n", stderr);
		return 1;
	}
	loop(&shell, &script);
	status = shell.failed && (shell.scripted ||
	    !terminal_interactive(shell.terminal));
	terminal_close(&shell.terminal);
	metacube_client_free(&shell.client);
	return status;
}
