/* SPDX-License-Identifier: MIT */
/*
 * metacube-wmqmaint - maintenance of queue and freeze, for cron, for systemd
 * timers, and for the day on which a backup is restored.
 *
 * freeze, prune, run and status only ask a running metacubed with the module
 * wmqmaint; the others work on files and need no server (wmqmaint/).
 */
#include <config.h>

#include "ctl.h"
#include "wmqmaint/wmqmaint.h"

#include <metacube/module.h>

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S	(6 * 3600)	/* a freeze takes as long as it takes */
#define BUSY_TRIES	600		/* seconds until it counts as stuck */

struct options {
	const char		*socket;
	struct wmqmaint_files	 files;
};

enum { OPT_KEY = 256, OPT_QUEUE, OPT_FREEZE, OPT_VERSION, OPT_EPOCH };

static const struct option longs[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "queue", required_argument, NULL, OPT_QUEUE },
	{ "freeze", required_argument, NULL, OPT_FREEZE },
	{ "new-epoch", no_argument, NULL, OPT_EPOCH },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char usage_text[] =
"usage: metacube-wmqmaint [-s SOCKET] freeze|prune|run|status\n"
"       metacube-wmqmaint keygen FILE\n"
"       metacube-wmqmaint verify FILE [--key FILES]\n"
"       metacube-wmqmaint new-epoch [--queue FOLDER] [--freeze FILE] "
"[--key FILES]\n"
"\n"
"  -s, --socket SOCKET  of the server (" RUN_DIR "/control)\n"
"  --key FILES          keys of freezes, the current one first\n"
"                       (" STATE_DIR "/freeze.key)\n"
"  --queue FOLDER       of the queue (" STATE_DIR "/queue)\n"
"  --freeze FILE        the freeze (" STATE_DIR "/accounts.freeze)\n"
"\n"
"Exit status: 0 done, 1 refused or failed, 2 usage, 3 no server reached.\n";

int
wmqmaint_fail(const char *format, ...)
{
	va_list args;

	fputs("metacube-wmqmaint: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_REFUSED;
}

static int
usage(void)
{
	fputs(usage_text, stderr);
	return CTL_USAGE;
}

static int
answer_print(const Metacube__Output *output)
{
	ctl_print(output);
	fflush(stdout);
	if (output->status == MC_OK)
		return CTL_FINE;
	return wmqmaint_fail("%s", output->text);
}

/* One command; *busy_r: the server does something else just now. */
static int
ask_once(const char *socket, const char *what, bool *busy_r)
{
	static const struct timeval limit = { .tv_sec = PATIENCE_S };
	static const struct ctl_secret no_secret;
	char module[] = "wmqmaint", command[16];
	char *words[] = { module, command };
	Metacube__Envelope *answer = NULL;
	int fd = ctl_connect(socket), status = CTL_UNREACHABLE;

	*busy_r = false;
	if (fd == -1)
		return status;
	snprintf(command, sizeof(command), "%s", what);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (ctl_send(fd, words, 2, &no_secret))
		answer = ctl_receive(fd);
	if (answer != NULL) {
		*busy_r = answer->output->status == MC_BUSY &&
		    strncmp(answer->output->text, "busy:", 5) == 0;
		status = *busy_r ? CTL_REFUSED : answer_print(answer->output);
		metacube__envelope__free_unpacked(answer, NULL);
	}
	close(fd);
	return status;
}

/* A prune waits for a freeze that runs, and the other way round. */
static int
ask(const char *socket, const char *what)
{
	bool busy = true;
	int status = CTL_REFUSED;

	for (int i = 0; busy && i < BUSY_TRIES; i++) {
		if (i > 0)
			sleep(1);
		status = ask_once(socket, what, &busy);
	}
	if (busy)
		wmqmaint_fail("the server is still busy with something else");
	return status;
}

static int
command_run(const struct options *options, char **words, int count)
{
	const char *what = words[0];
	int status;

	if (count == 2 && strcmp(what, "keygen") == 0)
		return wmqmaint_keygen(words[1]);
	if (count == 2 && strcmp(what, "verify") == 0)
		return wmqmaint_verify(words[1], options->files.keys);
	if (count != 1)
		return usage();
	if (strcmp(what, "new-epoch") == 0)
		return wmqmaint_new_epoch(&options->files);
	if (strcmp(what, "freeze") == 0 || strcmp(what, "prune") == 0 ||
	    strcmp(what, "status") == 0)
		return ask(options->socket, what);
	if (strcmp(what, "run") != 0)
		return usage();
	status = ask(options->socket, "freeze");
	return status == CTL_FINE ? ask(options->socket, "prune") : status;
}

int
main(int argc, char **argv)
{
	struct options options = {
		RUN_DIR "/control",
		{ STATE_DIR "/queue", STATE_DIR "/accounts.freeze",
		  STATE_DIR "/freeze.key" }
	};
	char epoch[] = "new-epoch", *words[] = { epoch };
	bool new_epoch = false;
	int option;

	while ((option = getopt_long(argc, argv, "s:h", longs, NULL)) != -1)
		switch (option) {
		case 's':
			options.socket = optarg;
			break;
		case OPT_KEY:
			options.files.keys = optarg;
			break;
		case OPT_QUEUE:
			options.files.queue = optarg;
			break;
		case OPT_FREEZE:
			options.files.freeze = optarg;
			break;
		case OPT_EPOCH:
			new_epoch = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return CTL_FINE;
		case OPT_VERSION:
			printf("metacube-wmqmaint %s\n", PACKAGE_VERSION);
			return CTL_FINE;
		default:
			return usage();
		}
	if (new_epoch)
		return optind == argc ? command_run(&options, words, 1) :
		    usage();
	if (optind == argc)
		return usage();
	return command_run(&options, argv + optind, argc - optind);
}
