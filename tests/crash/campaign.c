/* SPDX-License-Identifier: MIT */
#include "campaign.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned results;
static time_t began, shown;	/* of the progress */

static void
option_take(struct campaign_options *options, int option)
{
	if (option == 'r')
		options->rounds = (unsigned)atoi(optarg);
	else if (option == 's')
		options->seed = (unsigned)atoi(optarg);
	else if (option == 'b')
		options->build = optarg;
	else
		exit(2);
}

void
campaign_begin(struct campaign_options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "build", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 }
	};
	static char real[PATH_MAX];
	int option;

	options->seed = (unsigned)time(NULL);
	options->build = getenv("MC_BUILD");
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		option_take(options, option);
	if (options->build == NULL)
		options->build = ".";
	if (realpath(options->build, real) == NULL || options->rounds == 0)
		exit(2);
	options->build = real;
	began = time(NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# seed %u\n", options->seed);
}

void
campaign_progress(const struct campaign_options *options, unsigned done,
    unsigned violations)
{
	time_t now = time(NULL);
	double rate = done / (double)(now > began ? now - began : 1);

	if (!isatty(STDERR_FILENO) || (now == shown && done < options->rounds))
		return;
	shown = now;
	fprintf(stderr, "\r%u of %u rounds, %.1f/s, %.0f s left, %u "
	    "violations\033[K%s", done, options->rounds, rate,
	    (options->rounds - done) / rate, violations,
	    done == options->rounds ? "\n" : "");
}

void
campaign_result(bool fine, const char *what)
{
	printf("%s %u - %s\n", fine ? "ok" : "not ok", ++results, what);
}

void
campaign_end(const struct campaign_options *options, const char *name,
    unsigned violations, unsigned noticed)
{
	printf("1..%u\nCAMPAIGN name=%s rounds=%u violations=%u control=%s\n",
	    results, name, options->rounds, violations,
	    noticed == CAMPAIGN_CONTROLS ? "failed as it must" :
	    "passed: worthless");
}

void
campaign_skip(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
}
