/* SPDX-License-Identifier: MIT */
/*
 * mismatch - a store and a queue that do not belong together: the account
 * server refuses to start and says why, and touches nothing, so that it
 * starts again when what was missing has come back.
 */
#include "asking.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANGES	200	/* a few segments of 8 KiB */

static struct server server;
static const char *build;
static unsigned tests;

static void
result(bool fine, const char *what)
{
	printf("%s %u - %s\n", fine ? "ok" : "not ok", ++tests, what);
	if (!fine)
		server_log_show(&server);
}

/* In the server's folder. */
static bool
shell(const char *command)
{
	char line[2 * SERVER_PATH];

	snprintf(line, sizeof(line), "cd '%s' && %s", server.folder, command);
	return system(line) == 0;
}

static bool
starts(void)
{
	struct asking_answer answer;
	bool there = false;
	int fd;

	server_start(&server, build, NULL);
	if (!server_ready(&server)) {
		server_end(&server, 0);
		return false;
	}
	fd = asking_connect(server.socket);
	if (fd != -1) {
		asking_ask(fd, "show", "joe", NULL, &answer);
		there = answer.status == MC_OK;
		close(fd);
	}
	return WEXITSTATUS(server_end(&server, SIGTERM)) == 0 && there;
}

static bool
refuses(const char *why)
{
	char command[SERVER_PATH];
	int status;

	if (!shell(": >log"))
		return false;
	server_start(&server, build, NULL);
	if (server_ready(&server)) {
		server_end(&server, SIGTERM);
		return false;
	}
	status = server_end(&server, 0);
	snprintf(command, sizeof(command), "grep -q '%s' log", why);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
	    shell(command);
}

static bool
make_changes(void)
{
	static const uint8_t proof[ASKING_PROOF] = { 1 };
	struct asking_answer answer;
	bool fine;
	int fd;

	server_start(&server, build, NULL);
	if (!server_ready(&server))
		return false;
	fd = asking_connect(server.socket);
	asking_ask(fd, "create", "joe", proof, &answer);
	fine = answer.status == MC_OK;
	for (unsigned i = 0; i < CHANGES; i++) {
		asking_ask(fd, "password", "joe", proof, &answer);
		fine = fine && answer.status == MC_OK;
	}
	close(fd);
	return WEXITSTATUS(server_end(&server, SIGTERM)) == 0 && fine;
}

static bool
restore(void)
{
	return shell("rm -rf queue accounts.gdbm* && cp -a kept/. .");
}

static void
mismatches(void)
{
	result(make_changes() && shell("mkdir kept && "
	    "cp -a queue accounts.gdbm* kept/"), "changes are made");
	result(starts(), "it starts again");
	result(shell("rm -rf queue") && refuses("belongs to another queue"),
	    "a store with a new queue: another epoch");
	result(restore() && starts(), "it starts when the queue is back");
	/* The audit log would be ahead of it, too, and perhaps say so first. */
	result(shell("rm -r audit && rm \"queue/$(ls -v queue | "
	    "grep wmq | tail -n 1)\"") &&
	    refuses("changes are missing from the queue"),
	    "a store that is ahead of its queue");
	result(restore() && starts(), "it starts when the file is back");
	result(shell("rm accounts.gdbm* && rm \"queue/$(ls -v queue | "
	    "grep wmq | head -n 1)\"") && refuses("only begins with"),
	    "a queue that does not reach back to the store");
	result(restore() && starts(), "it starts when both are back");
	result(shell("rm accounts.gdbm*") && starts(),
	    "without a store the queue is enough");
}

int
main(void)
{
	build = getenv("MC_BUILD");
	if (build == NULL)
		build = ".";
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	server_prepare(&server, build);
	mismatches();
	server_remove(&server);
	printf("1..%u\n", tests);
	return 0;
}
