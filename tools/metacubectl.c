/* SPDX-License-Identifier: MIT */
/*
 * metacubectl - asks a running metacubed, over its control socket.
 *
 * Which commands there are is decided by the server and its modules; only
 * three things happen here: passwords are asked for, certificates are made
 * (pki, which needs no server), and the answer is printed.
 */
#include <config.h>

#include "ctl.h"

#include <metacube/module.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct options {
	const char	*socket;
	const char	*password_file;
	int		 password_fd;
	bool		 json, help;
};

enum { OPT_JSON = 256, OPT_FILE, OPT_FD, OPT_VERSION };

static const struct option longs[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "socket", required_argument, NULL, 's' },
	{ "password-file", required_argument, NULL, OPT_FILE },
	{ "password-fd", required_argument, NULL, OPT_FD },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char usage_text[] =
"usage: metacubectl [--json] [-s SOCKET] COMMAND [ARGUMENT...]\n"
"       metacubectl pki init|issue ...\n"
"\n"
"  -s, --socket SOCKET   of the server (" RUN_DIR "/control)\n"
"  --json                print the answer as JSON\n"
"  --password-file FILE  account create, account password: the first line\n"
"  --password-fd N       the same, from a descriptor\n"
"\n"
"Exit status: 0 done, 1 refused or failed, 2 usage, 3 no server reached.\n";

static int
usage(void)
{
	fputs(usage_text, stderr);
	return CTL_USAGE;
}

static bool
parse_fd(const char *text, int *fd_r)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 0 || value > 65535)
		return false;
	*fd_r = (int)value;
	return true;
}

/* true: go on; false: *status is the end. */
static bool
take_option(int option, struct options *options, int *status)
{
	switch (option) {
	case 's':
		options->socket = optarg;
		return true;
	case 'h':
		options->help = true;
		return true;
	case OPT_JSON:
		options->json = true;
		return true;
	case OPT_FILE:
		options->password_file = optarg;
		return true;
	case OPT_FD:
		if (parse_fd(optarg, &options->password_fd))
			return true;
		*status = usage();
		return false;
	case OPT_VERSION:
		printf("metacubectl %s\n", PACKAGE_VERSION);
		*status = CTL_FINE;
		return false;
	default:
		*status = usage();
		return false;
	}
}

/* Begins with "+": up to the first word; else options anywhere. */
static bool
take_options(int argc, char **argv, const char *shorts,
    struct options *options, int *status)
{
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		if (!take_option(option, options, status))
			return false;
	return true;
}

/* "account create NAME [EMAIL]" and "account password NAME" come with a
 * secret. */
static const char *
wants_password(char **words, int count)
{
	if (count < 3 || strcmp(words[0], "account") != 0 ||
	    (strcmp(words[1], "create") != 0 &&
	    strcmp(words[1], "password") != 0))
		return NULL;
	return words[2];
}

static int
print_answer(const Metacube__Output *output, bool json)
{
	enum mc_status status = (enum mc_status)output->status;

	if (json)
		ctl_print_json(output);
	else
		ctl_print(output);
	if (status == MC_OK)
		return CTL_FINE;
	if (!json)
		fprintf(stderr, "metacubectl: %s\n", output->text);
	return status == MC_INVALID &&
	    strncmp(output->text, "usage:", 6) == 0 ? CTL_USAGE : CTL_REFUSED;
}

static int
converse(int fd, char **words, int count, const struct ctl_secret *secret,
    bool json)
{
	Metacube__Envelope *answer;
	int status;

	if (!ctl_send(fd, words, (size_t)count, secret))
		return CTL_UNREACHABLE;
	answer = ctl_receive(fd);
	if (answer == NULL)
		return CTL_UNREACHABLE;
	status = print_answer(answer->output, json);
	fflush(stdout);
	metacube__envelope__free_unpacked(answer, NULL);
	if (status == CTL_FINE && count == 1 && strcmp(words[0], "stop") == 0)
		ctl_wait_end(fd);	/* it has ended when this returns */
	return status;
}

static int
run(const struct options *options, char **words, int count)
{
	const char *account = wants_password(words, count);
	struct ctl_secret secret = { .len = 0 };
	int fd, status;

	if (account != NULL && !ctl_password(account, options->password_file,
	    options->password_fd, &secret))
		return CTL_REFUSED;
	fd = ctl_connect(options->socket);
	if (fd == -1)
		status = CTL_UNREACHABLE;
	else {
		status = converse(fd, words, count, &secret, options->json);
		close(fd);
	}
	explicit_bzero(&secret, sizeof(secret));
	return status;
}

/* The usage, and what the server offers when there is one. */
static int
help(const struct options *options)
{
	char commands[] = "commands", *words[] = { commands };

	fputs(usage_text, stdout);
	if (access(options->socket, R_OK | W_OK) != 0)
		return CTL_FINE;
	printf("\n%s\n", "What this server knows:");
	fflush(stdout);
	return run(options, words, 1);
}

int
main(int argc, char **argv)
{
	struct options options = {
		.socket = RUN_DIR "/control", .password_fd = -1
	};
	int status = CTL_FINE;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);	/* passwords pass through */
	if (!take_options(argc, argv, "+s:h", &options, &status))
		return status;
	argc -= optind;
	argv += optind;
	if (argc > 0 && strcmp(argv[0], "pki") == 0)
		return pki_main(argc, argv);
	argc++;				/* getopt wants a program's name */
	argv--;
	if (!take_options(argc, argv, "s:h", &options, &status))
		return status;
	if (options.help)
		return help(&options);
	if (argc == optind)
		return usage();
	return run(&options, argv + optind, argc - optind);
}
