/* SPDX-License-Identifier: MIT */
/*
 * power_cut - what was acknowledged is on the disk.
 *
 *	power_cut [--rounds N] [--seed N] [--build FOLDER]
 *
 * One account server works on a disk (disk.h).  In each round the power is
 * cut at some moment of its work; a second server then starts on what that
 * disk held, without anybody's help, and every account is compared with what
 * was acknowledged before the cut.  A change that was under way may have been
 * made or not.
 *
 * The control is the same with a server whose fdatasync does nothing: the
 * comparison must fail, or it proves nothing.
 */
#include "campaign.h"
#include "crowd.h"
#include "disk.h"
#include "server.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOMENT_MAX_US	60000
#define CHANGES		4	/* at least, right before a cut */

struct cutting {
	const char	*build;
	struct disk	*disk;
	struct server	 server, again;
	struct crowd	*crowd;
	unsigned	 seed, acknowledged;
};

static void
cutting_start(struct cutting *cutting)
{
	setenv("TMPDIR", cutting->disk->live, 1);
	server_prepare(&cutting->server, cutting->build);
	disk_sync(cutting->disk);	/* its configuration is not at stake */
	server_start(&cutting->server, cutting->build, NULL);
	if (!server_ready(&cutting->server)) {
		server_log_show(&cutting->server);
		printf("Bail out! the server does not start\n");
		exit(99);
	}
	cutting->crowd = crowd_start(&cutting->server, 0, cutting->seed);
}

static unsigned
cutting_end(struct cutting *cutting)
{
	unsigned violations = crowd_end(&cutting->crowd,
	    &cutting->acknowledged);

	server_end(&cutting->server, SIGKILL);
	server_remove(&cutting->server);
	return violations;
}

/* The same path, on the copy. */
static void
path_move(char *path, size_t size, const struct disk *disk)
{
	char moved[DISK_PATH + SERVER_PATH];

	snprintf(moved, sizeof(moved), "%s%s", disk->copy,
	    path + strlen(disk->live));
	if (snprintf(path, size, "%s", moved) >= (int)size) {
		printf("Bail out! the path is too long: %s\n", moved);
		exit(99);
	}
}

static void
server_move(struct server *server, const struct disk *disk)
{
	path_move(server->folder, sizeof(server->folder), disk);
	path_move(server->socket, sizeof(server->socket), disk);
	path_move(server->account, sizeof(server->account), disk);
	path_move(server->log, sizeof(server->log), disk);
	server_moved(server);
}

/* On whatever the first server has left on its disk. */
static unsigned
server_again(struct cutting *cutting)
{
	unsigned violations = 1;

	cutting->again = cutting->server;
	server_move(&cutting->again, cutting->disk);
	server_start(&cutting->again, cutting->build, NULL);
	if (server_ready(&cutting->again))
		violations = crowd_compare(cutting->crowd, &cutting->again);
	else
		printf("# VIOLATION: no start after a power cut\n");
	if (violations > 0)
		server_log_show(&cutting->again);
	server_end(&cutting->again, SIGKILL);
	return violations;
}

static unsigned
round_run(struct cutting *cutting)
{
	struct timespec moment = {
		0, (long)(rand_r(&cutting->seed) % MOMENT_MAX_US) * 1000
	};
	unsigned violations = 1;
	bool cut;

	nanosleep(&moment, NULL);
	crowd_wait(cutting->crowd, CHANGES);
	crowd_hold(cutting->crowd);
	cut = disk_cut(cutting->disk);
	crowd_settle(cutting->crowd);
	if (cut && disk_mount(cutting->disk)) {
		violations = server_again(cutting);
		disk_unmount(cutting->disk);
	} else
		printf("# VIOLATION: the disk cannot be mounted\n");
	crowd_go_on(cutting->crowd);
	return violations;
}

/* In how many of the rounds it was noticed that nothing had been synced. */
static unsigned
control_run(const struct campaign_options *options, struct disk *disk)
{
	struct cutting cutting = {
		.build = options->build, .disk = disk, .seed = options->seed
	};
	char preload[PATH_MAX + 64];
	unsigned noticed = 0;

	snprintf(preload, sizeof(preload), "%s/tests/crash/.libs/nosync.so",
	    options->build);
	setenv("LD_PRELOAD", preload, 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	cutting_start(&cutting);
	unsetenv("LD_PRELOAD");
	printf("# control: what follows must be noticed\n");
	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++)
		noticed += round_run(&cutting) > 0;
	cutting_end(&cutting);
	return noticed;
}

static void
campaign_run(const struct campaign_options *options, struct disk *disk)
{
	struct cutting cutting = {
		.build = options->build, .disk = disk, .seed = options->seed
	};
	unsigned noticed, violations = 0;

	cutting_start(&cutting);
	for (unsigned i = 0; i < options->rounds; i++) {
		violations += round_run(&cutting);
		campaign_progress(options, i + 1, violations);
	}
	violations += cutting_end(&cutting);
	noticed = control_run(options, disk);
	printf("# %u changes were acknowledged\n", cutting.acknowledged);
	campaign_result(violations == 0,
	    "what was acknowledged is there after a power cut");
	campaign_result(cutting.acknowledged >= options->rounds,
	    "the rounds have made changes");
	campaign_result(noticed == CAMPAIGN_CONTROLS,
	    "the control, a server that syncs nothing, is noticed");
	campaign_end(options, "power-cut", violations, noticed);
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 50 };
	struct disk disk;
	const char *fault;

	campaign_begin(&options, argc, argv);
	fault = disk_make(&disk);
	if (fault != NULL)
		campaign_skip(fault);
	else
		campaign_run(&options, &disk);
	disk_remove(&disk);
	return 0;
}
