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

#include <metacube/freeze.h>
#include <metacube/pwq.h>
#include <metacube/queue.h>

#include <gnutls/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH		512
#define PEOPLE		400
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
	char		 folder[PATH / 4];
	unsigned	 seed, violations, turn;
	unsigned	 died[POINTS], died_anywhere, stopped;
	pid_t		 pid;

	/* The account server. */
	struct queue	*queue;
	struct tcapw_account people[PEOPLE];	/* uid 0: not there */
	uint64_t	 next_uid;
	struct tcapw_position position;
};

static void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

static const char *
path_of(const struct campaign *campaign, const char *name)
{
	static char paths[4][PATH];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH, "%s/%s", campaign->folder, name);
	return path;
}

static void
file_write(const struct campaign *campaign, const char *name,
    const char *text)
{
	int fd = open(path_of(campaign, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, text, strlen(text)) !=
	    (ssize_t)strlen(text) || close(fd) == -1)
		die(name);
}

static unsigned
pick(struct campaign *campaign, unsigned count)
{
	return (unsigned)rand_r(&campaign->seed) % count;
}

/* The account server: its queue, what its store would hold, its freezes. */

static void
digest_change(struct campaign *campaign, const struct tcapw_account *account,
    void (*change)(uint8_t *, const void *, size_t))
{
	uint8_t bytes[PWQ_MAX];

	change(campaign->position.digest, bytes,
	    pwq_account_encode(account, bytes));
}

static void
change_note(struct campaign *campaign, struct tcapw_account *was,
    const struct tcapw_change *change)
{
	if (was->uid != 0) {
		digest_change(campaign, was, pwq_digest_sub);
		campaign->position.count--;
	}
	memset(was, 0, sizeof(*was));
	if (change->verb != TCAPW_DELETE) {
		*was = change->account;
		digest_change(campaign, was, pwq_digest_add);
		campaign->position.count++;
	}
	if (change->account.uid > campaign->position.last_uid)
		campaign->position.last_uid = change->account.uid;
}

static void
change_make(struct campaign *campaign, struct tcapw_change *change)
{
	unsigned n = pick(campaign, PEOPLE);
	struct tcapw_account *was = &campaign->people[n];
	struct tcapw_account *account = &change->account;

	memset(change, 0, sizeof(*change));
	*account = *was;
	account->seq = ++campaign->position.pointer.seq;
	change->verb = was->uid == 0 ? TCAPW_CREATE :
	    pick(campaign, 5) == 0 ? TCAPW_DELETE : TCAPW_CHANGE;
	if (change->verb == TCAPW_CREATE)
		account->uid = ++campaign->next_uid;
	snprintf(account->name, MC_NAME_SIZE, "joe-%u", n);
	snprintf(account->display, MC_NAME_SIZE, "Joe-%u", n);
	snprintf(account->verifier, TCAPW_VERIFIER_SIZE, "$y$%u",
	    pick(campaign, 1000000));
	change_note(campaign, was, change);
}

static void
queue_begin(struct campaign *campaign)
{
	struct queue_conf conf = {
		.path = path_of(campaign, "queue"),
		.segment_size = 32 * 1024, .server = "account",
		.io = &queue_io_real
	};
	struct queue_news news;
	char why[QUEUE_WHY];

	memset(conf.epoch, 0xee, sizeof(conf.epoch));
	memset(campaign->position.pointer.epoch, 0xee, sizeof(conf.epoch));
	campaign->queue = queue_open(&conf, 1700000000000, &news, why);
	if (campaign->queue == NULL)
		die(why);
}

static void
queue_go_on(struct campaign *campaign, unsigned count)
{
	struct tcapw_change change;
	uint8_t bytes[PWQ_MAX];
	struct queue_entry entry = { "pwq", bytes, 0 };
	uint64_t seq;

	queue_begin(campaign);
	while (count-- > 0) {
		change_make(campaign, &change);
		entry.len = (uint32_t)pwq_encode(&change, bytes);
		if (queue_commit(campaign->queue, &entry, 1, 1700000000000,
		    &seq) != QUEUE_OK ||
		    seq != campaign->position.pointer.seq)
			die(queue_why(campaign->queue));
	}
	queue_close(&campaign->queue);
}

static int
uid_compare(const void *left, const void *right)
{
	uint64_t a = (*(const struct tcapw_account *const *)left)->uid;
	uint64_t b = (*(const struct tcapw_account *const *)right)->uid;

	return a < b ? -1 : a > b;
}

static void
freeze_write(struct campaign *campaign)
{
	const struct tcapw_account *sorted[PEOPLE];
	struct freeze_header header = { .position = campaign->position };
	char why[FREEZE_WHY];
	uint8_t bytes[PWQ_MAX];
	struct freeze_keys *keys =
	    freeze_keys_load(path_of(campaign, "key"), why);
	struct freeze_writer *writer = keys == NULL ? NULL :
	    freeze_begin(path_of(campaign, "freeze"), keys, &header, why);
	size_t n = 0;

	if (writer == NULL)
		die(why);
	for (unsigned i = 0; i < PEOPLE; i++)
		if (campaign->people[i].uid != 0)
			sorted[n++] = &campaign->people[i];
	qsort(sorted, n, sizeof(sorted[0]), uid_compare);
	for (size_t i = 0; i < n; i++)
		freeze_add(writer, bytes,
		    pwq_account_encode(sorted[i], bytes));
	if (freeze_end(&writer, &header, why) == -1)
		die(why);
	freeze_keys_free(&keys);
}

/* The replica. */

static void
conf_write(struct campaign *campaign)
{
	char text[2 * PATH], hex[66] = "";

	snprintf(text, sizeof(text), "module_dir = \"%s/modules\";\n"
	    "conf_dir = \"conf.d\";\ncontrol = \"control\";\n"
	    "io_threads = 1;\npool_threads = 1;\n", campaign->folder);
	file_write(campaign, "metacubed.conf", text);
	file_write(campaign, "conf.d/wmq.conf", "module = \"wmq_file\";\n"
	    "settings = { path = \"../queue\"; };\n");
	file_write(campaign, "conf.d/tcapw.conf", "module = \"tcapw_gdbm\";\n"
	    "settings = { path = \"../accounts.gdbm\"; };\n");
	snprintf(text, sizeof(text), "module = \"servpw\";\n"
	    "settings = { key_files = \"%s\"; };\n",
	    path_of(campaign, "key"));
	file_write(campaign, "conf.d/servpw.conf", text);
	snprintf(text, sizeof(text), "module = \"freeze_fake\";\n"
	    "settings = { path = \"%s\"; };\n", path_of(campaign, "freeze"));
	file_write(campaign, "conf.d/freeze.conf", text);
	memset(hex, 'a', 64);
	hex[64] = '\n';
	file_write(campaign, "key", hex);
}

/* The loader wants them all in one folder. */
static void
modules_copy(struct campaign *campaign)
{
	char command[4 * PATH];

	snprintf(command, sizeof(command), "cd '%s' && cp "
	    "modules/.libs/wmq_file.so modules/.libs/tcapw_gdbm.so "
	    "modules/.libs/servpw.so tests/fakes/.libs/freeze_fake.so "
	    "'%s'", campaign->build, path_of(campaign, "modules"));
	if (system(command) != 0)
		die(command);
}

static void
prepare(struct campaign *campaign)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(campaign->folder, sizeof(campaign->folder),
	    "%.80s/mc-replica-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(campaign->folder) == NULL ||
	    mkdir(path_of(campaign, "conf.d"), 0700) == -1 ||
	    mkdir(path_of(campaign, "modules"), 0700) == -1 ||
	    mkdir(path_of(campaign, "queue"), 0700) == -1)
		die(campaign->folder);
	modules_copy(campaign);
	conf_write(campaign);
}

static void
start(struct campaign *campaign, const char *crash_at)
{
	char program[2 * PATH];
	int log;

	campaign->pid = fork();
	if (campaign->pid == -1)
		die("fork");
	if (campaign->pid > 0)
		return;
	log = open(path_of(campaign, "log"),
	    O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (crash_at != NULL)
		setenv("METACUBE_CRASH_AT", crash_at, 1);
	snprintf(program, sizeof(program), "%s/metacubed", campaign->build);
	execl(program, program, "-c", path_of(campaign, "metacubed.conf"),
	    (char *)NULL);
	_exit(127);
}

static int
end(struct campaign *campaign, int signal)
{
	int status = 0;

	if (signal != 0)
		kill(campaign->pid, signal);
	while (waitpid(campaign->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	campaign->pid = 0;
	return status;
}

static bool
is_alive(struct campaign *campaign)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)campaign->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
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
	    path_of(campaign, "control"));
	pipe = popen(command, "r");
	if (pipe == NULL)
		die("popen");
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
log_show(struct campaign *campaign)
{
	char command[2 * PATH];

	fflush(stdout);
	snprintf(command, sizeof(command), "tail -n 15 '%s' | sed 's/^/# /'",
	    path_of(campaign, "log"));
	if (system(command) != 0)
		printf("# (no log)\n");
}

static void
violation(struct campaign *campaign, const char *what)
{
	campaign->violations++;
	printf("# VIOLATION: %s\n", what);
	log_show(campaign);
}

static void
compare(struct campaign *campaign, const struct found *found)
{
	char digest[33], text[200];

	digest_format(campaign->position.digest, digest);
	if (found->count == campaign->position.count &&
	    strcmp(found->digest, digest) == 0)
		return;
	snprintf(text, sizeof(text), "at %llu the replica has %llu accounts, "
	    "digest %s, not %llu, %s", found->seq, found->count,
	    found->digest, (unsigned long long)campaign->position.count,
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
		    found.seq >= campaign->position.pointer.seq) {
			compare(campaign, &found);
			return;
		}
		if (!is_alive(campaign)) {
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
	for (unsigned i = 0; i < 150 && is_alive(campaign); i++)
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

	queue_go_on(campaign, 1 + pick(campaign, CHANGES));
	if (pick(campaign, 4) == 0)
		freeze_write(campaign);
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

static int
entry_remove(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
cleanup(struct campaign *campaign)
{
	nftw(campaign->folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
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
		die("accounts.gdbm");
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL || read(fd, bytes, (size_t)st.st_size) !=
	    st.st_size || gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes,
	    (size_t)st.st_size, hash) != 0)
		die("accounts.gdbm");
	close(fd);
	free(bytes);
	len = snprintf(text, sizeof(text), "metacube-clean 1 %lld ",
	    (long long)st.st_size);
	for (int i = 0; i < 32; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
		    "%02x", hash[i]);
	strcpy(text + len, "\n");
	file_write(campaign, "accounts.gdbm.clean", text);
}

static unsigned
control_run(const char *build, unsigned seed)
{
	struct campaign *campaign = calloc(1, sizeof(*campaign));
	unsigned noticed;

	campaign->build = build;
	campaign->seed = seed;
	prepare(campaign);
	queue_go_on(campaign, 300);
	freeze_write(campaign);
	start(campaign, NULL);
	verify(campaign);
	end(campaign, SIGTERM);
	queue_go_on(campaign, CHANGES);
	start(campaign, "tcapw_gdbm.stored:20");
	end(campaign, 0);
	mark_forge(campaign);
	printf("# control: what follows must be noticed\n");
	campaign->violations = 0;
	start(campaign, NULL);
	verify(campaign);
	end(campaign, SIGKILL);
	noticed = campaign->violations > 0;
	cleanup(campaign);
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
	    (unsigned long long)campaign->position.pointer.seq);
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
		cleanup(campaign);
	free(campaign);
	return fine ? 0 : 1;
}
