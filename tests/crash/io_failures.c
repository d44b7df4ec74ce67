/* SPDX-License-Identifier: MIT */
/*
 * io_failures - any call of the account server that changes a file fails, once.
 *
 *	io_failures [--rounds N] [--seed N] [--build FOLDER]
 *
 * In each round the server runs with one call that fails (iofail.c): with EIO,
 * ENOSPC, EINTR, or by writing half.  It may go on, refuse, or end; then it is
 * killed and started again without faults, and every account compared with
 * what was acknowledged.  Half of the rounds go through the first calls of a
 * start, one after the other; the others take a call by the seed, so in a long
 * run it is every call of a start and of the work after it.
 *
 * A queue lives for LIFE rounds, since each start reads much of it.
 *
 * The control loses the files of a round: the comparison must fail, or it
 * proves nothing.
 */
#include "campaign.h"
#include "crowd.h"
#include "server.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIFE		500	/* rounds with one queue */
#define CALLS_START	10	/* there are more even on a slow machine */
#define CALLS_MAX	150
#define CONTROL_CALL	100000	/* none */
#define MOMENT_US	60000
#define TURNS		8	/* at least, after a start */

static const char *const kinds[] = { "eio", "enospc", "eintr", "short" };
#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

struct failing {
	const char	*build;
	struct server	 server;
	unsigned	 seed, crowds, acknowledged;
	unsigned	 ended, went_on, no_start;	/* rounds */
	bool		 loses;		/* control: all that is on the disk */
};

static void
server_fail(struct failing *failing, unsigned call, const char *kind)
{
	char preload[PATH_MAX + 64], fault[64];

	snprintf(preload, sizeof(preload), "%s/tests/crash/.libs/iofail.so",
	    failing->build);
	snprintf(fault, sizeof(fault), "%u %s", call, kind);
	setenv("LD_PRELOAD", preload, 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	setenv("IOFAIL", fault, 1);
	server_start(&failing->server, failing->build, NULL);
	unsetenv("LD_PRELOAD");
	unsetenv("IOFAIL");
}

static void
files_lose(const struct failing *failing)
{
	char command[2 * SERVER_PATH];

	snprintf(command, sizeof(command), "cd '%s' && rm -rf queue audit "
	    "accounts.gdbm*", failing->server.folder);
	if (system(command) != 0)
		exit(99);
}

/* Without faults; the violations that are found then. */
static unsigned
crowd_judge(struct failing *failing, struct crowd *crowd)
{
	unsigned violations = 1;

	if (failing->loses)
		files_lose(failing);
	server_start(&failing->server, failing->build, NULL);
	if (server_ready(&failing->server))
		violations = crowd == NULL ? 0 :
		    crowd_compare(crowd, &failing->server);
	else
		printf("# VIOLATION: no start after a call that failed\n");
	if (violations > 0)
		server_log_show(&failing->server);
	server_end(&failing->server, violations > 0 ? SIGKILL : SIGTERM);
	return violations;
}

static unsigned
round_run(struct failing *failing, unsigned call, const char *kind)
{
	struct timespec moment = { 0, MOMENT_US * 1000 };
	unsigned acknowledged = 0, violations;
	struct crowd *crowd = NULL;

	server_fail(failing, call, kind);
	if (server_ready(&failing->server)) {
		crowd = crowd_start(&failing->server, failing->crowds++,
		    failing->seed);
		if (failing->loses)	/* something that is missed then */
			crowd_wait(crowd, TURNS);
		else
			crowd_wait_turns(crowd, TURNS);
		nanosleep(&moment, NULL);
		crowd_hold(crowd);
		failing->went_on += server_is_alive(&failing->server);
		failing->ended += !server_is_alive(&failing->server);
	} else
		failing->no_start++;
	server_end(&failing->server, crowd != NULL ? SIGKILL : 0);
	if (crowd != NULL)
		crowd_settle(crowd);
	violations = crowd_judge(failing, crowd);
	if (violations > 0)
		printf("# it was call %u, %s\n", call, kind);
	if (crowd != NULL)
		violations += crowd_end(&crowd, &acknowledged);
	failing->acknowledged += acknowledged;
	return violations;
}

static unsigned
rounds_run(struct failing *failing, const struct campaign_options *options)
{
	unsigned violations = 0;

	for (unsigned i = 0; i < options->rounds; i++) {
		unsigned call = 1 + (i / KINDS % 2 == 0 ?
		    i / (2 * KINDS) % CALLS_START :
		    (unsigned)rand_r(&failing->seed) % CALLS_MAX);

		if (i % LIFE == 0)
			server_prepare(&failing->server, failing->build);
		violations += round_run(failing, call, kinds[i % KINDS]);
		campaign_progress(options, i + 1, violations);
		if ((i + 1) % LIFE == 0 || i + 1 == options->rounds)
			server_remove(&failing->server);
	}
	printf("# the server went on in %u rounds, ended in %u, did not start "
	    "in %u; %u changes were acknowledged\n", failing->went_on,
	    failing->ended, failing->no_start, failing->acknowledged);
	return violations;
}

static unsigned
control_run(const struct campaign_options *options)
{
	unsigned noticed = 0;

	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++) {
		struct failing failing = {
			.build = options->build, .seed = options->seed + i,
			.loses = true
		};

		server_prepare(&failing.server, failing.build);
		printf("# control: what follows must be noticed\n");
		noticed += round_run(&failing, CONTROL_CALL, "eio") > 0;
		server_remove(&failing.server);
	}
	return noticed;
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 60 };
	static struct failing failing;
	unsigned violations, noticed;

	campaign_begin(&options, argc, argv);
	failing.build = options.build;
	failing.seed = options.seed;
	violations = rounds_run(&failing, &options);
	noticed = control_run(&options);
	campaign_result(violations == 0,
	    "nothing acknowledged is lost when a call fails");
	campaign_result(failing.acknowledged > 0 &&
	    failing.went_on > 0 && failing.ended + failing.no_start > 0,
	    "the rounds have made changes, and calls have failed");
	campaign_result(noticed == CAMPAIGN_CONTROLS,
	    "the control, files that are lost, is noticed");
	campaign_end(&options, "io-failures", violations, noticed);
	return 0;
}
