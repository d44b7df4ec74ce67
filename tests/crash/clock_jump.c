/* SPDX-License-Identifier: MIT */
/*
 * clock_jump - the calendar may jump; what was acknowledged stays, in order.
 *
 *	clock_jump [--rounds N] [--seed N] [--build FOLDER]
 *
 * An account server works while its calendar jumps by a day, forwards or back,
 * and back to what it was; in most rounds it is then killed and started again
 * in its new time.  All accounts are compared after each round, and at the end
 * the chain of the queue's files is checked, whatever days they are named
 * after.
 *
 * The control compares with what a server says that has lost a round.
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

#define DAY		86400
#define MOMENT_US	20000
#define CHANGES		2	/* at least, after each jump */
#define CONTROL_CHANGES	8	/* that are lost */

struct jumping {
	const struct campaign_options *options;
	struct server	 server;
	struct crowd	*crowd;
	unsigned	 seed, acknowledged, crowds, violations;
	char		 shift[SERVER_PATH];	/* file with the seconds */
};

static void
shift_set(const struct jumping *jumping, long seconds)
{
	char path[SERVER_PATH + 8];
	FILE *file;

	snprintf(path, sizeof(path), "%s.new", jumping->shift);
	file = fopen(path, "w");
	if (file == NULL || fprintf(file, "%ld\n", seconds) < 0 ||
	    fclose(file) != 0 || rename(path, jumping->shift) != 0) {
		printf("Bail out! cannot write %s\n", path);
		exit(99);
	}
}

static bool
server_up(struct jumping *jumping)
{
	char preload[PATH_MAX + 64];
	bool up;

	snprintf(preload, sizeof(preload), "%s/tests/crash/.libs/"
	    "clockshift.so", jumping->options->build);
	setenv("CLOCKSHIFT", jumping->shift, 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	setenv("LD_PRELOAD", preload, 1);
	server_start(&jumping->server, jumping->options->build, NULL);
	unsetenv("LD_PRELOAD");
	up = server_ready(&jumping->server);
	if (!up) {
		printf("# VIOLATION: no start after a jump of the clock\n");
		server_log_show(&jumping->server);
		server_end(&jumping->server, 0);
		jumping->violations++;
	}
	return up;
}

static void
jumping_begin(struct jumping *jumping,
    const struct campaign_options *options)
{
	memset(jumping, 0, sizeof(*jumping));
	jumping->options = options;
	jumping->seed = options->seed;
	server_prepare(&jumping->server, options->build);
	snprintf(jumping->shift, sizeof(jumping->shift), "%s/shift",
	    jumping->server.folder);
	shift_set(jumping, 0);
}

static void
jump(struct jumping *jumping)
{
	static const long days[] = { -1, 0, 1 };
	struct timespec moment = { 0, 0 };

	shift_set(jumping, DAY * days[rand_r(&jumping->seed) % 3]);
	crowd_wait(jumping->crowd, CHANGES);
	moment.tv_nsec = rand_r(&jumping->seed) % MOMENT_US * 1000L;
	nanosleep(&moment, NULL);
}

/* Another crowd for each round: who has made no change knows no account. */
static void
round_run(struct jumping *jumping)
{
	unsigned acknowledged;
	bool dies = rand_r(&jumping->seed) % 4 != 0;

	jumping->crowd = crowd_start(&jumping->server, jumping->crowds++,
	    jumping->seed);
	jump(jumping);
	jump(jumping);
	crowd_hold(jumping->crowd);
	if (dies)
		server_end(&jumping->server, SIGKILL);
	crowd_settle(jumping->crowd);
	if (!dies || server_up(jumping))
		jumping->violations += crowd_compare(jumping->crowd,
		    &jumping->server);
	jumping->violations += crowd_end(&jumping->crowd, &acknowledged);
	jumping->acknowledged += acknowledged;
}

static bool
queue_is_whole(const struct jumping *jumping)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command), "%s/metacube-wmqdump --check "
	    "%s/queue | sed 's/^/# /'; test ${PIPESTATUS[0]} -eq 0",
	    jumping->options->build, jumping->server.folder);
	setenv("CHECK", command, 1);
	return system("bash -c \"$CHECK\"") == 0;
}

/* Compares what a round has kept with a server that knows only what was
 * before it. */
static bool
loss_noticed(const struct campaign_options *options)
{
	char command[3 * SERVER_PATH];
	struct jumping jumping;
	unsigned violations = 0;

	jumping_begin(&jumping, options);
	snprintf(command, sizeof(command), "rm -rf '%s/queue' "
	    "'%s'/accounts.gdbm*", jumping.server.folder,
	    jumping.server.folder);
	if (server_up(&jumping)) {
		jumping.crowd = crowd_start(&jumping.server, 0,
		    options->seed);
		crowd_wait(jumping.crowd, CONTROL_CHANGES);
		crowd_hold(jumping.crowd);
		crowd_settle(jumping.crowd);
		server_end(&jumping.server, SIGKILL);
		printf("# control: what follows must be noticed\n");
		if (system(command) == 0 && server_up(&jumping))
			violations = crowd_compare(jumping.crowd,
			    &jumping.server);
		crowd_end(&jumping.crowd, &jumping.acknowledged);
	}
	server_remove(&jumping.server);
	return violations > 0;
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 20 };
	struct jumping jumping;
	unsigned noticed = 0;
	bool whole;

	campaign_begin(&options, argc, argv);
	jumping_begin(&jumping, &options);
	if (!server_up(&jumping))
		exit(99);
	for (unsigned i = 0; i < options.rounds && jumping.server.pid != 0;
	    i++) {
		round_run(&jumping);
		campaign_progress(&options, i + 1, jumping.violations);
	}
	if (jumping.server.pid != 0)
		server_end(&jumping.server, SIGTERM);
	whole = queue_is_whole(&jumping);
	jumping.violations += !whole;
	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++)
		noticed += loss_noticed(&options);
	printf("# %u changes were acknowledged\n", jumping.acknowledged);
	campaign_result(jumping.violations == 0,
	    "nothing is lost when the calendar jumps");
	campaign_result(whole, "the queue's files are one chain");
	campaign_result(jumping.acknowledged >= options.rounds,
	    "the rounds have made changes");
	campaign_result(noticed == CAMPAIGN_CONTROLS,
	    "the control, a server that has lost all, is noticed");
	campaign_end(&options, "clock-jump", jumping.violations, noticed);
	server_remove(&jumping.server);
	return 0;
}
