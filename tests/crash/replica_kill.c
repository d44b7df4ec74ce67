/* SPDX-License-Identifier: MIT */
/*
 * replica_kill - a replica that is killed while it applies and while it loads
 * is, after each restart, what the account server is at the same change.
 *
 *	replica_kill [--rounds N] [--seed N] [--build FOLDER]
 *
 * Between the rounds the queue goes on, as files written here, and now and
 * then there is a new freeze.  Each round starts the replica, kills it at a
 * point or at any moment, starts it again, and compares pointer, count and
 * digest with a model that is kept here.
 *
 * The control marks the store of a killed replica as clean: as if there were
 * no marker.  Then the comparison must fail, or it proves nothing.
 */
#include "campaign.h"
#include "origin.h"
#include "server.h"

#include <gnutls/crypto.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH		512
#define CHANGES		60	/* between two rounds, at most */
#define PATIENCE_MS	60000
#define POLL_US		2000

/* Where, and after how many passes at most it is. */
static const struct { const char *point; unsigned passes; } points[] = {
	{ "tcapw_gdbm.stored", 10 }, { "tcapw_gdbm.unmarked", 1 },
	{ "tcapw_gdbm.closed", 1 }, { "tcapw_gdbm.marked", 1 },
	{ "tcapw_gdbm.set_aside", 1 }, { "tcapw_gdbm.loaded", 1 },
	{ "tcapw_gdbm.replaced", 1 }
};
#define FIRST_LOADING	4	/* these need a store that is unclean */
#define POINTS	(sizeof(points) / sizeof(points[0]))

struct campaign {
	const char	*build;
	struct server	 server;		/* the replica */
	struct origin	 origin;
	unsigned	 seed, violations, turn;
	unsigned	 died[POINTS], died_anywhere, stopped;
};

static const char *
path_of(const struct campaign *campaign, const char *name)
{
	static char paths[4][PATH];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH, "%s/%s", campaign->server.folder, name);
	return path;
}

static unsigned
pick(struct campaign *campaign, unsigned count)
{
	return (unsigned)rand_r(&campaign->seed) % count;
}

/* The replica. */

static void
conf_write(const struct campaign *campaign)
{
	char text[2 * PATH];

	server_write(&campaign->server, "conf.d/wmq.conf",
	    "module = \"wmq_file\";\n"
	    "settings = { path = \"../queue\"; };\n");
	server_write(&campaign->server, "conf.d/tcapw.conf",
	    "module = \"tcapw_gdbm\";\n"
	    "settings = { path = \"../accounts.gdbm\"; };\n");
	snprintf(text, sizeof(text), "module = \"servpw\";\n"
	    "settings = { key_files = \"%s\"; };\n", campaign->origin.key);
	server_write(&campaign->server, "conf.d/servpw.conf", text);
	snprintf(text, sizeof(text), "module = \"freeze_fake\";\n"
	    "settings = { path = \"%s\"; };\n", campaign->origin.freeze);
	server_write(&campaign->server, "conf.d/freeze.conf", text);
}

/* The loader wants them all in one folder. */
static void
modules_copy(const struct campaign *campaign)
{
	char command[4 * PATH];

	snprintf(command, sizeof(command), "mkdir '%s/modules' && cd '%s' && "
	    "cp modules/.libs/wmq_file.so modules/.libs/tcapw_gdbm.so "
	    "modules/.libs/servpw.so tests/fakes/.libs/freeze_fake.so "
	    "'%s/modules'", campaign->server.folder, campaign->build,
	    campaign->server.folder);
	if (system(command) != 0)
		server_die(command);
}

static void
prepare(struct campaign *campaign)
{
	server_make(&campaign->server, "modules");
	origin_make(&campaign->origin, &campaign->server);
	modules_copy(campaign);
	conf_write(campaign);
}

static void
start(struct campaign *campaign, const char *crash_at)
{
	server_start(&campaign->server, campaign->build, crash_at);
}

static int
end(struct campaign *campaign, int signal)
{
	return server_end(&campaign->server, signal);
}

struct found {
	char			state[32], digest[33];
	unsigned long long	seq, count;
};

/* What metacubectl says; false: nothing. */
static bool
look(struct campaign *campaign, struct found *found)
{
	char command[3 * PATH], line[512];
	FILE *pipe;

	memset(found, 0, sizeof(*found));
	snprintf(command, sizeof(command), "'%s/metacubectl' -s '%s' replica "
	    "status 2>/dev/null", campaign->build,
	    campaign->server.socket);
	pipe = popen(command, "r");
	if (pipe == NULL)
		server_die("popen");
	while (fgets(line, sizeof(line), pipe) != NULL) {
		sscanf(line, "state %31s", found->state);
		sscanf(line, "digest %32s", found->digest);
		sscanf(line, "seq %llu", &found->seq);
		sscanf(line, "accounts %llu", &found->count);
	}
	return pclose(pipe) == 0 && found->state[0] != '\0';
}

static void
digest_format(const uint8_t digest[16], char text[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static void
violation(struct campaign *campaign, const char *what)
{
	campaign->violations++;
	printf("# VIOLATION: %s\n", what);
	server_log_show(&campaign->server);
}

static void
compare(struct campaign *campaign, const struct found *found)
{
	char digest[33], text[200];

	digest_format(campaign->origin.position.digest, digest);
	if (found->count == campaign->origin.position.count &&
	    strcmp(found->digest, digest) == 0)
		return;
	snprintf(text, sizeof(text), "at %llu the replica has %llu accounts, "
	    "digest %s, not %llu, %s", found->seq, found->count,
	    found->digest, (unsigned long long)campaign->origin.position.count,
	    digest);
	violation(campaign, text);
}

/* Until it is where the queue ends. */
static void
verify(struct campaign *campaign)
{
	struct timespec pause = { 0, POLL_US * 1000 };
	struct found found;

	for (unsigned waited = 0; waited < PATIENCE_MS * 1000 / POLL_US;
	    waited++) {
		if (look(campaign, &found) &&
		    found.seq >= campaign->origin.position.pointer.seq) {
			compare(campaign, &found);
			return;
		}
		if (!server_is_alive(&campaign->server)) {
			violation(campaign, "the replica has died");
			return;
		}
		nanosleep(&pause, NULL);
	}
	violation(campaign, "the replica does not come to the end of the "
	    "queue");
}

/* A round. */

static void
killed_at_point(struct campaign *campaign)
{
	unsigned point = campaign->turn++ % POINTS;
	char at[64];
	int status;

	snprintf(at, sizeof(at), "%s:%u", points[point].point,
	    1 + pick(campaign, points[point].passes));
	if (point >= FIRST_LOADING)
		unlink(path_of(campaign, "accounts.gdbm.clean"));
	start(campaign, at);
	for (unsigned i = 0; i < 150 && server_is_alive(&campaign->server);
	    i++)
		nanosleep(&(struct timespec){ 0, POLL_US * 1000 }, NULL);
	status = end(campaign, SIGTERM);	/* passes the last points */
	campaign->died[point] += WIFSIGNALED(status);
	campaign->stopped += !WIFSIGNALED(status);
}

static void
killed_at_any_moment(struct campaign *campaign)
{
	struct timespec moment = { 0, pick(campaign, 60000) * 1000L };

	start(campaign, NULL);
	nanosleep(&moment, NULL);
	end(campaign, SIGKILL);
	campaign->died_anywhere++;
}

static void
one_round(struct campaign *campaign)
{
	int status;

	origin_go_on(&campaign->origin, 1 + pick(campaign, CHANGES),
	    &campaign->seed);
	if (pick(campaign, 4) == 0)
		origin_freeze(&campaign->origin);
	if (pick(campaign, 2) == 0)
		killed_at_point(campaign);
	else
		killed_at_any_moment(campaign);
	start(campaign, NULL);
	verify(campaign);
	status = end(campaign, pick(campaign, 2) == 0 ? SIGKILL : SIGTERM);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		violation(campaign, "the replica ended with an error");
}

/* The control. */

static void
mark_forge(struct campaign *campaign)
{
	int fd = open(path_of(campaign, "accounts.gdbm"),
	    O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t hash[32], *bytes;
	char text[128];
	int len;

	if (fd == -1 || fstat(fd, &st) == -1)
		server_die("accounts.gdbm");
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL || read(fd, bytes, (size_t)st.st_size) !=
	    st.st_size || gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes,
	    (size_t)st.st_size, hash) != 0)
		server_die("accounts.gdbm");
	close(fd);
	free(bytes);
	len = snprintf(text, sizeof(text), "metacube-clean 1 %lld ",
	    (long long)st.st_size);
	for (int i = 0; i < 32; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
		    "%02x", hash[i]);
	strcpy(text + len, "\n");
	server_write(&campaign->server, "accounts.gdbm.clean", text);
}

static unsigned
control_run(const char *build, unsigned seed)
{
	struct campaign *campaign = calloc(1, sizeof(*campaign));
	unsigned noticed;

	campaign->build = build;
	campaign->seed = seed;
	prepare(campaign);
	origin_go_on(&campaign->origin, 300, &campaign->seed);
	origin_freeze(&campaign->origin);
	start(campaign, NULL);
	verify(campaign);
	end(campaign, SIGTERM);
	origin_go_on(&campaign->origin, CHANGES, &campaign->seed);
	start(campaign, "tcapw_gdbm.stored:20");
	end(campaign, 0);
	mark_forge(campaign);
	printf("# control: what follows must be noticed\n");
	campaign->violations = 0;
	start(campaign, NULL);
	verify(campaign);
	end(campaign, SIGKILL);
	noticed = campaign->violations > 0;
	server_remove(&campaign->server);
	free(campaign);
	return noticed;
}

/* All of it. */

static unsigned
points_missed(const struct campaign *campaign)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < POINTS; i++) {
		printf("# killed at %s: %u\n", points[i].point,
		    campaign->died[i]);
		missed += campaign->died[i] == 0;
	}
	printf("# killed at any moment: %u; stopped in order: %u; changes: "
	    "%llu\n", campaign->died_anywhere, campaign->stopped,
	    (unsigned long long)campaign->origin.position.pointer.seq);
	return missed;
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 100 };
	struct campaign *campaign = calloc(1, sizeof(*campaign));
	unsigned noticed = 0, missed;
	bool fine;

	campaign_begin(&options, argc, argv);
	campaign->build = options.build;
	campaign->seed = options.seed;
	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++)
		noticed += control_run(options.build, options.seed + i);
	prepare(campaign);
	for (unsigned i = 0; i < options.rounds; i++) {
		one_round(campaign);
		campaign_progress(&options, i + 1, campaign->violations);
	}
	missed = points_missed(campaign);
	campaign_result(campaign->violations == 0, "after each restart the "
	    "replica is what the server is");
	campaign_result(noticed == CAMPAIGN_CONTROLS, "the control, a killed "
	    "store that passes for a clean one, is noticed");
	if (options.rounds >= 500)
		campaign_result(missed == 0,
		    "the replica was killed at every point");
	campaign_end(&options, "replica-kill", campaign->violations,
	    noticed);
	fine = campaign->violations == 0 && noticed == CAMPAIGN_CONTROLS;
	if (fine)
		server_remove(&campaign->server);
	free(campaign);
	return fine ? 0 : 1;
}
