/* SPDX-License-Identifier: MIT */
/*
 * account_change - nothing acknowledged is lost, and nothing is half done.
 *
 *	account_change [--rounds N] [--seed N] [--build FOLDER]
 *
 * Each round starts the account server over what the one before has left,
 * compares every account with what was acknowledged, makes changes over
 * several connections at once, and kills the server: at one of the points
 * where a step has just been made durable (or not yet), or at any moment.
 * Some rounds stop it in order instead, or kill it while it stops.
 *
 * At the end the store is built anew from the queue and compared once more.
 * The control rounds cut the last acknowledged record off the queue, behind
 * the server's back: then the comparison must fail, or it proves nothing.
 */
#include "asking.h"
#include "ledger.h"
#include "people.h"
#include "server.h"

#include <metacube/segment.h>

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS		4
#define PEOPLE		8	/* of each worker */
#define CHANGES		40	/* of each worker, in a round */
#define CONTROLS	5
#define AUDIT_TRIES	100

/* Where, and after how many passes at most it is. */
static const struct {
	const char	*point;
	unsigned	 passes;
} points[] = {
	{ "wmq.write", 30 }, { "wmq.written", 30 }, { "wmq.synced", 30 },
	{ "wmq.allocated", 4 }, { "wmq.truncated", 4 },
	{ "wmq.renamed", 3 }, { "wmq.dir_synced", 3 },
	{ "acctserv.appended", 60 }, { "acctserv.applied", 60 },
	{ "tcapw_gdbm.stored", 60 }, { "tcapw_gdbm.set_aside", 1 },
	{ "tcapw_gdbm.unmarked", 1 }, { "tcapw_gdbm.closed", 1 },
	{ "tcapw_gdbm.marked", 1 }, { "mail.renamed", 12 },
	{ "mail.synced", 12 }, { "mail.sent", 8 },
	{ "acctserv.mailed", 12 }, { "audit.write", 2 },
	{ "audit.written", 2 }
};
#define POINTS	(sizeof(points) / sizeof(points[0]))

struct worker {
	pthread_t	 thread;
	const struct server *server;
	unsigned	 seed, acknowledged, violations, changes;
	struct person	 people[PEOPLE];
};

struct campaign {
	const char	*build;
	struct server	 server;
	struct ledger	 ledger;
	struct worker	 workers[WORKERS];
	uint64_t	 highest;	/* uid that was ever seen */
	unsigned	 seed, violations, acknowledged, died_at_start;
	unsigned	 died[POINTS], died_anywhere, stopped, turn;
};

static void *
work(void *arg)
{
	struct worker *worker = arg;
	const struct server *server = worker->server;
	struct lines lines;
	bool acknowledged, alive = lines_open(&lines, server->socket,
	    server->account, server->mailbox);

	for (unsigned i = 0; i < worker->changes && alive; i++) {
		acknowledged = false;
		worker->violations += person_change(
		    &worker->people[rand_r(&worker->seed) % PEOPLE], &lines,
		    &worker->seed, &acknowledged, &alive);
		worker->acknowledged += acknowledged;
	}
	lines_close(&lines);
	return NULL;
}

static void
campaign_prepare(struct campaign *campaign)
{
	char command[3 * SERVER_PATH], real[PATH_MAX];

	server_prepare(&campaign->server, campaign->build);
	if (realpath(campaign->build, real) == NULL)
		real[0] = '\0';
	snprintf(command, sizeof(command), "%.500s/tests/crash/mailbox_take "
	    "%.500s", real, campaign->server.mailbox);
	server_mails(&campaign->server, command);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &campaign->workers[i];

		worker->server = &campaign->server;
		worker->seed = campaign->seed * WORKERS + i;
		for (unsigned j = 0; j < PEOPLE; j++)
			snprintf(worker->people[j].name,
			    sizeof(worker->people[j].name), "joe-%u-%u", i, j);
	}
}

static void
counts_take(struct campaign *campaign)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &campaign->workers[i];

		campaign->violations += worker->violations;
		campaign->acknowledged += worker->acknowledged;
		worker->violations = worker->acknowledged = 0;
	}
}

/* false: it was killed meanwhile. */
static bool
people_verify(struct campaign *campaign)
{
	uint64_t highest = campaign->highest;
	struct lines lines;
	bool alive = lines_open(&lines, campaign->server.socket,
	    campaign->server.account, campaign->server.mailbox);

	counts_take(campaign);
	for (unsigned i = 0; i < WORKERS * PEOPLE && alive; i++)
		campaign->violations += person_verify(
		    &campaign->workers[i / PEOPLE].people[i % PEOPLE],
		    &lines, highest, &campaign->highest, &alive);
	lines_close(&lines);
	return alive;
}

static void
workers_start(struct campaign *campaign, unsigned count, unsigned changes)
{
	for (unsigned i = 0; i < count; i++) {
		campaign->workers[i].changes = changes;
		pthread_create(&campaign->workers[i].thread, NULL, work,
		    &campaign->workers[i]);
	}
}

static void
workers_join(struct campaign *campaign, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(campaign->workers[i].thread, NULL);
}

/* Up to the comparison; false: it was killed before. */
static bool
server_up(struct campaign *campaign, const char *crash_at)
{
	server_start(&campaign->server, campaign->build, crash_at);
	if (!server_ready(&campaign->server))
		return false;
	return people_verify(campaign);
}

static void
judge_end(struct campaign *campaign, int status, bool in_order)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	if (in_order && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	printf("# VIOLATION: the server ended with status %#x\n", status);
	server_log_show(&campaign->server);
	campaign->violations++;
}

/* Killed at a point, if it is passed so often; otherwise asked to stop, which
 * passes the last points. */
static void
round_at_point(struct campaign *campaign)
{
	unsigned point = campaign->turn++ % POINTS;
	char at[64];
	int status;
	bool up;

	snprintf(at, sizeof(at), "%s:%u", points[point].point,
	    1 + (unsigned)rand_r(&campaign->seed) % points[point].passes);
	up = server_up(campaign, at);
	if (up) {
		workers_start(campaign, WORKERS, CHANGES);
		workers_join(campaign, WORKERS);
	} else
		campaign->died_at_start++;
	status = server_end(&campaign->server, up ? SIGTERM : 0);
	judge_end(campaign, status, up);
	campaign->died[point] += WIFSIGNALED(status);
	campaign->stopped += !WIFSIGNALED(status);
	campaign->violations += ledger_compare(&campaign->ledger,
	    campaign->server.folder, false);
}

static void
round_at_any_moment(struct campaign *campaign)
{
	struct timespec moment = {
		0, (long)(rand_r(&campaign->seed) % 60000) * 1000
	};

	if (!server_up(campaign, NULL)) {
		judge_end(campaign, server_end(&campaign->server, 0), false);
		return;
	}
	workers_start(campaign, WORKERS, 100 * CHANGES);
	nanosleep(&moment, NULL);
	judge_end(campaign, server_end(&campaign->server, SIGKILL), false);
	workers_join(campaign, WORKERS);
	campaign->violations += ledger_compare(&campaign->ledger,
	    campaign->server.folder, false);
	campaign->died_anywhere++;
}

static void
file_remove(const struct campaign *campaign, const char *name)
{
	char path[SERVER_PATH];

	snprintf(path, sizeof(path), "%s/%s", campaign->server.folder, name);
	unlink(path);
}

/* Compares once more, with a store that comes from the queue alone. */
static void
rebuild(struct campaign *campaign)
{
	if (server_up(campaign, NULL))
		server_end(&campaign->server, SIGTERM);
	file_remove(campaign, "accounts.gdbm");
	file_remove(campaign, "accounts.gdbm.clean");
	if (!server_up(campaign, NULL)) {
		printf("# VIOLATION: no start from the queue alone\n");
		campaign->violations++;
	}
	judge_end(campaign, server_end(&campaign->server, SIGTERM), true);
}

/* The audit log lags behind, until it has been given the time. */
static void
audit_verify(struct campaign *campaign)
{
	struct ledger *ledger = &campaign->ledger;
	uint64_t before = 0;

	for (int i = 0; i < AUDIT_TRIES && (i < 3 || ledger->change > before);
	    i++) {
		before = ledger->change;
		if (server_up(campaign, NULL))
			server_end(&campaign->server, SIGTERM);
		campaign->violations += ledger_compare(ledger,
		    campaign->server.folder, false);
	}
	campaign->violations += ledger_compare(ledger,
	    campaign->server.folder, true);
}

/* The control. */

static int64_t
segment_read(void *arg, uint64_t offset, void *data, size_t len)
{
	return pread(*(int *)arg, data, len, (off_t)offset);
}

static void
record_passed(void *arg, uint64_t seq, uint64_t offset)
{
	(void)seq;
	*(uint64_t *)arg = offset;
}

static bool
is_later(const char *name, const char *than)
{
	size_t len = strcspn(name, "."), than_len = strcspn(than, ".");
	int order = strncmp(name, than, len < than_len ? len : than_len);

	return order > 0 || (order == 0 && len > than_len);
}

static bool
last_segment(const struct campaign *campaign, char *path, size_t size)
{
	char folder[SERVER_PATH], last[256] = "";
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/queue",
	    campaign->server.folder);
	dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".wmq") != NULL &&
		    is_later(entry->d_name, last))
			snprintf(last, sizeof(last), "%s", entry->d_name);
	if (dir != NULL)
		closedir(dir);
	snprintf(path, size, "%s/%s", folder, last);
	return last[0] != '\0';
}

/* Also takes the store away, which would have told. */
static bool
record_cut(struct campaign *campaign)
{
	char path[2 * SERVER_PATH];
	struct segment_source source = { segment_read, NULL };
	struct segment_scan scan;
	uint64_t offset = 0;
	int fd, result = -1;

	file_remove(campaign, "accounts.gdbm");
	file_remove(campaign, "accounts.gdbm.clean");
	if (!last_segment(campaign, path, sizeof(path)))
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return false;
	source.arg = &fd;
	segment_scan(&source, record_passed, &offset, &scan);
	if (offset != 0)
		result = ftruncate(fd, (off_t)offset);
	close(fd);
	return result == 0;
}

/* How many of the rounds the comparison has noticed. */
static unsigned
control_run(const char *build, unsigned seed, unsigned rounds)
{
	unsigned noticed = 0;

	for (unsigned i = 0; i < rounds; i++) {
		struct campaign *campaign = calloc(1, sizeof(*campaign));

		campaign->build = build;
		campaign->seed = seed + i;
		campaign_prepare(campaign);
		if (server_up(campaign, NULL)) {
			workers_start(campaign, 1, 8 + i);
			workers_join(campaign, 1);
			server_end(&campaign->server, SIGKILL);
			campaign->violations = 0;
			printf("# control: what follows must be noticed\n");
			if (record_cut(campaign) &&
			    server_up(campaign, NULL))
				noticed += campaign->violations > 0;
		}
		server_remove(&campaign->server);
		free(campaign);
	}
	return noticed;
}

static void
deaths_show(const struct campaign *campaign)
{
	for (unsigned i = 0; i < POINTS; i++)
		printf("# killed at %s: %u\n", points[i].point,
		    campaign->died[i]);
	printf("# killed at any moment: %u; while starting: %u; stopped in "
	    "order: %u\n", campaign->died_anywhere, campaign->died_at_start,
	    campaign->stopped);
}

/* A point that was never died at was not tested. */
static unsigned
points_missed(const struct campaign *campaign)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < POINTS; i++)
		missed += campaign->died[i] == 0;
	return missed;
}

static unsigned
result(unsigned number, bool fine, const char *what)
{
	printf("%s %u - %s\n", fine ? "ok" : "not ok", number, what);
	return fine ? 0 : 1;
}

static unsigned
report(const struct campaign *campaign, unsigned rounds, unsigned noticed)
{
	unsigned failures = 0;

	deaths_show(campaign);
	printf("# %u changes were acknowledged\n", campaign->acknowledged);
	failures += result(1, campaign->violations == 0,
	    "nothing acknowledged is lost, nothing is half done");
	failures += result(2, campaign->acknowledged >= rounds,
	    "the rounds have made changes");
	failures += result(3, noticed == CONTROLS,
	    "the control, a record that was cut off, is noticed");
	if (rounds >= 200)
		failures += result(4, points_missed(campaign) == 0,
		    "the server was killed at every point");
	printf("1..%d\n", rounds >= 200 ? 4 : 3);
	printf("CAMPAIGN name=account-change rounds=%u violations=%u "
	    "control=%s\n", rounds, campaign->violations,
	    noticed == CONTROLS ? "failed as it must" : "passed: worthless");
	return failures;
}

static unsigned
campaign_run(struct campaign *campaign, unsigned rounds)
{
	unsigned first_seed = campaign->seed;

	campaign_prepare(campaign);
	for (unsigned i = 0; i < rounds; i++) {
		if (rand_r(&campaign->seed) % 4 == 0)
			round_at_any_moment(campaign);
		else
			round_at_point(campaign);
	}
	rebuild(campaign);
	audit_verify(campaign);
	if (campaign->violations > 0)
		server_log_show(&campaign->server);
	server_remove(&campaign->server);
	return report(campaign, rounds, control_run(campaign->build,
	    first_seed, CONTROLS));
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "build", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 }
	};
	static struct campaign campaign;
	unsigned rounds = 200;
	int option;

	campaign.seed = (unsigned)time(NULL);
	campaign.build = getenv("MC_BUILD");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rounds = (unsigned)atoi(optarg);
		else if (option == 's')
			campaign.seed = (unsigned)atoi(optarg);
		else if (option == 'b')
			campaign.build = optarg;
		else
			return 2;
	}
	if (campaign.build == NULL)
		campaign.build = ".";
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# seed %u\n", campaign.seed);
	campaign_run(&campaign, rounds);	/* TAP says how it went */
	return 0;
}
