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
 * A queue lives for LIFE rounds, since many starts read all of it; at its end
 * the store is built anew from it and compared once more.
 * The control rounds cut the last acknowledged record off the queue, behind
 * the server's back: then the comparison must fail, or it proves nothing.
 */
#include "asking.h"
#include "campaign.h"
#include "ledger.h"
#include "people.h"
#include "queue_cut.h"
#include "server.h"

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
#define LIFE		500	/* rounds with one queue */
#define AUDIT_TRIES	60

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
	const struct campaign_options *options;
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
prepare(struct campaign *campaign)
{
	const char *build = campaign->options->build;
	char command[3 * SERVER_PATH];

	memset(campaign->workers, 0, sizeof(campaign->workers));
	memset(&campaign->ledger, 0, sizeof(campaign->ledger));
	campaign->highest = 0;
	server_prepare(&campaign->server, build);
	snprintf(command, sizeof(command), "%.500s/tests/crash/mailbox_take "
	    "%.500s", build, campaign->server.mailbox);
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
	server_start(&campaign->server, campaign->options->build, crash_at);
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

/* The audit log lags behind, until it has been given the time: each start more
 * of it. */
static void
audit_verify(struct campaign *campaign)
{
	struct ledger *ledger = &campaign->ledger;
	unsigned life_ms = 1;

	for (int i = 0; i < AUDIT_TRIES && (i == 0 ||
	    ledger->change < ledger->last); i++) {
		if (server_up(campaign, NULL)) {
			nanosleep(&(struct timespec){ life_ms / 1000,
			    life_ms % 1000 * 1000000L }, NULL);
			server_end(&campaign->server, SIGTERM);
		}
		life_ms += life_ms < 4000 ? life_ms : 0;
		campaign->violations += ledger_compare(ledger,
		    campaign->server.folder, false);
	}
	campaign->violations += ledger_compare(ledger,
	    campaign->server.folder, true);
}

/* The control. */

/* Of a change that somebody is sure of. */
static uint64_t
last_acknowledged(const struct campaign *campaign)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct person *person = &campaign->workers[0].people[i];

		if (!person->doubtful && person->now.seq > last)
			last = person->now.seq;
	}
	return last;
}

/* Also takes the store and the audit log away, which would have told. */
static bool
record_cut(struct campaign *campaign)
{
	char audit[2 * SERVER_PATH], queue[SERVER_PATH];

	file_remove(campaign, "accounts.gdbm");
	file_remove(campaign, "accounts.gdbm.clean");
	snprintf(audit, sizeof(audit), "rm -rf '%s/audit'",
	    campaign->server.folder);
	snprintf(queue, sizeof(queue), "%s/queue", campaign->server.folder);
	return system(audit) == 0 && queue_cut(queue,
	    last_acknowledged(campaign));
}

/* How many of the rounds the comparison has noticed. */
static unsigned
control_run(const struct campaign_options *options)
{
	unsigned noticed = 0;

	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++) {
		struct campaign *campaign = calloc(1, sizeof(*campaign));

		campaign->options = options;
		campaign->seed = options->seed + i;
		prepare(campaign);
		if (server_up(campaign, NULL)) {
			workers_start(campaign, 1, 8 + i);
			workers_join(campaign, 1);
			server_end(&campaign->server, SIGKILL);
			campaign->violations = 0;
			printf("# control: what follows must be noticed\n");
			if (!record_cut(campaign))
				printf("# nothing was cut off\n");
			else if (!server_up(campaign, NULL))
				server_log_show(&campaign->server);
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

static void
report(const struct campaign *campaign, unsigned noticed)
{
	unsigned rounds = campaign->options->rounds;

	deaths_show(campaign);
	printf("# %u changes were acknowledged\n", campaign->acknowledged);
	campaign_result(campaign->violations == 0,
	    "nothing acknowledged is lost, nothing is half done");
	campaign_result(campaign->acknowledged >= rounds,
	    "the rounds have made changes");
	campaign_result(noticed == CAMPAIGN_CONTROLS,
	    "the control, a record that was cut off, is noticed");
	if (rounds >= 200)
		campaign_result(points_missed(campaign) == 0,
		    "the server was killed at every point");
	campaign_end(campaign->options, "account-change",
	    campaign->violations, noticed);
}

/* What was lived through with one queue must be in it, and in the audit. */
static void
life_end(struct campaign *campaign)
{
	unsigned before = campaign->violations;

	rebuild(campaign);
	audit_verify(campaign);
	if (campaign->violations > before)
		server_log_show(&campaign->server);
	server_remove(&campaign->server);
}

static void
round_run(struct campaign *campaign)
{
	if (rand_r(&campaign->seed) % 4 == 0)
		round_at_any_moment(campaign);
	else
		round_at_point(campaign);
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 200 };
	static struct campaign campaign;

	campaign_begin(&options, argc, argv);
	campaign.options = &options;
	campaign.seed = options.seed;
	for (unsigned i = 0; i < options.rounds; i++) {
		if (i % LIFE == 0)
			prepare(&campaign);
		round_run(&campaign);
		campaign_progress(&options, i + 1, campaign.violations);
		if ((i + 1) % LIFE == 0 || i + 1 == options.rounds)
			life_end(&campaign);
	}
	report(&campaign, control_run(&options));
	return 0;		/* TAP says how it went */
}
