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
#include "asking.h"
#include "disk.h"
#include "people.h"
#include "server.h"

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
#define CONTROLS	5
#define MOMENT_MAX_US	60000

/* Holds back all workers while the power is cut, so that of each at most one
 * change is under way then. */
struct gate {
	pthread_mutex_t	lock;
	pthread_cond_t	opened;
	bool		closed, ending;
};

struct worker {
	pthread_t	 thread;
	struct gate	*gate;
	const char	*socket;
	unsigned	 seed, acknowledged, violations;
	struct person	 people[PEOPLE];	/* under the gate's lock, but */
	int		 busy;			/* for this one; -1: none */
	struct person	 kept[PEOPLE];		/* as they were at the cut */
	int		 kept_busy;
};

struct cutting {
	const char	*build;
	struct disk	*disk;
	struct server	 server, again;
	struct gate	 gate;
	struct worker	 workers[WORKERS];
	unsigned	 seed, violations, acknowledged;
};

/* false: it is over. */
static bool
turn_begin(struct worker *worker)
{
	struct gate *gate = worker->gate;
	bool going;

	pthread_mutex_lock(&gate->lock);
	while (gate->closed && !gate->ending)
		pthread_cond_wait(&gate->opened, &gate->lock);
	worker->busy = (int)((unsigned)rand_r(&worker->seed) % PEOPLE);
	going = !gate->ending;
	pthread_mutex_unlock(&gate->lock);
	return going;
}

/* The person is changed in a copy: the cut looks at the others meanwhile. */
static void *
work(void *arg)
{
	struct worker *worker = arg;
	int fd = asking_connect(worker->socket);
	bool alive = fd != -1, acknowledged;
	struct person person;

	while (alive && turn_begin(worker)) {
		person = worker->people[worker->busy];
		acknowledged = false;
		worker->violations += person_change(&person, fd,
		    &worker->seed, &acknowledged, &alive);
		pthread_mutex_lock(&worker->gate->lock);
		worker->people[worker->busy] = person;
		worker->busy = -1;
		worker->acknowledged += acknowledged;
		pthread_mutex_unlock(&worker->gate->lock);
	}
	if (fd != -1)
		close(fd);
	return NULL;
}

static void
worker_start(struct cutting *cutting, unsigned number)
{
	struct worker *worker = &cutting->workers[number];

	worker->gate = &cutting->gate;
	worker->socket = cutting->server.socket;
	worker->seed = cutting->seed * WORKERS + number;
	worker->busy = -1;
	for (unsigned i = 0; i < PEOPLE; i++)
		snprintf(worker->people[i].name,
		    sizeof(worker->people[i].name), "joe-%u-%u", number, i);
	pthread_create(&worker->thread, NULL, work, worker);
}

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
	pthread_mutex_init(&cutting->gate.lock, NULL);
	pthread_cond_init(&cutting->gate.opened, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_start(cutting, i);
}

static void
gate_set(struct cutting *cutting, bool closed, bool ending)
{
	pthread_mutex_lock(&cutting->gate.lock);
	cutting->gate.closed = closed;
	cutting->gate.ending = ending;
	pthread_cond_broadcast(&cutting->gate.opened);
	pthread_mutex_unlock(&cutting->gate.lock);
}

static void
cutting_end(struct cutting *cutting)
{
	gate_set(cutting, false, true);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(cutting->workers[i].thread, NULL);
		cutting->violations += cutting->workers[i].violations;
		cutting->acknowledged += cutting->workers[i].acknowledged;
	}
	server_end(&cutting->server, SIGKILL);
	server_remove(&cutting->server);
}

/* What is acknowledged from here on is not expected of the copy. */
static void
people_keep(struct cutting *cutting)
{
	pthread_mutex_lock(&cutting->gate.lock);
	cutting->gate.closed = true;
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &cutting->workers[i];

		memcpy(worker->kept, worker->people, sizeof(worker->kept));
		worker->kept_busy = worker->busy;
	}
	pthread_mutex_unlock(&cutting->gate.lock);
}

static bool
all_idle(struct cutting *cutting)
{
	bool idle = true;

	pthread_mutex_lock(&cutting->gate.lock);
	for (unsigned i = 0; i < WORKERS; i++)
		idle = idle && cutting->workers[i].busy == -1;
	pthread_mutex_unlock(&cutting->gate.lock);
	return idle;
}

/* The change that was under way has its answer now. */
static void
busy_settle(struct cutting *cutting)
{
	struct timespec pause = { 0, 200000 };

	while (!all_idle(cutting) && server_is_alive(&cutting->server))
		nanosleep(&pause, NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &cutting->workers[i];
		struct person *kept = &worker->kept[worker->kept_busy < 0 ?
		    0 : worker->kept_busy];

		if (worker->kept_busy < 0)
			continue;
		kept->maybe = worker->people[worker->kept_busy].now;
		kept->doubtful = true;
	}
}

static unsigned
people_compare(struct cutting *cutting)
{
	int fd = asking_connect(cutting->again.socket);
	uint64_t highest = 0;
	unsigned violations = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		for (unsigned j = 0; j < PEOPLE; j++)
			violations += person_verify(
			    &cutting->workers[i].kept[j], fd, 0, &highest);
	if (fd != -1)
		close(fd);
	return violations;
}

/* The same path, on the copy. */
static void
path_move(char *path, size_t size, const struct disk *disk)
{
	char rest[SERVER_PATH];

	snprintf(rest, sizeof(rest), "%s", path + strlen(disk->live));
	snprintf(path, size, "%s%s", disk->copy, rest);
}

static void
server_move(struct server *server, const struct disk *disk)
{
	path_move(server->folder, sizeof(server->folder), disk);
	path_move(server->socket, sizeof(server->socket), disk);
	path_move(server->log, sizeof(server->log), disk);
	server->pid = 0;
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
		violations = people_compare(cutting);
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
	people_keep(cutting);
	cut = disk_cut(cutting->disk);
	busy_settle(cutting);
	if (cut && disk_mount(cutting->disk)) {
		violations = server_again(cutting);
		disk_unmount(cutting->disk);
	} else
		printf("# VIOLATION: the disk cannot be mounted\n");
	gate_set(cutting, false, false);
	return violations;
}

static struct cutting *
cutting_new(const char *build, struct disk *disk, unsigned seed)
{
	struct cutting *cutting = calloc(1, sizeof(*cutting));

	cutting->build = build;
	cutting->disk = disk;
	cutting->seed = seed;
	cutting_start(cutting);
	return cutting;
}

/* In how many of the rounds it was noticed that nothing had been synced. */
static unsigned
control_run(const char *build, struct disk *disk, unsigned seed)
{
	char preload[PATH_MAX + 64];
	unsigned noticed = 0;
	struct cutting *cutting;

	snprintf(preload, sizeof(preload), "%s/tests/crash/.libs/nosync.so",
	    build);
	setenv("LD_PRELOAD", preload, 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	cutting = cutting_new(build, disk, seed);
	unsetenv("LD_PRELOAD");
	printf("# control: what follows must be noticed\n");
	for (unsigned i = 0; i < CONTROLS; i++)
		noticed += round_run(cutting) > 0;
	cutting_end(cutting);
	free(cutting);
	return noticed;
}

static void
result(unsigned number, bool fine, const char *what)
{
	printf("%s %u - %s\n", fine ? "ok" : "not ok", number, what);
}

static void
campaign_run(const char *build, struct disk *disk, unsigned seed,
    unsigned rounds)
{
	struct cutting *cutting = cutting_new(build, disk, seed);
	unsigned noticed, violations, acknowledged;

	for (unsigned i = 0; i < rounds; i++)
		cutting->violations += round_run(cutting);
	cutting_end(cutting);
	violations = cutting->violations;
	acknowledged = cutting->acknowledged;
	free(cutting);
	noticed = control_run(build, disk, seed);
	printf("# %u changes were acknowledged\n", acknowledged);
	result(1, violations == 0,
	    "what was acknowledged is there after a power cut");
	result(2, acknowledged >= rounds, "the rounds have made changes");
	result(3, noticed == CONTROLS,
	    "the control, a server that syncs nothing, is noticed");
	printf("1..3\nCAMPAIGN name=power-cut rounds=%u violations=%u "
	    "control=%s\n", rounds, violations, noticed == CONTROLS ?
	    "failed as it must" : "passed: worthless");
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
	const char *build = getenv("MC_BUILD"), *fault;
	unsigned rounds = 50, seed = (unsigned)time(NULL);
	char real[PATH_MAX];
	struct disk disk;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rounds = (unsigned)atoi(optarg);
		else if (option == 's')
			seed = (unsigned)atoi(optarg);
		else if (option == 'b')
			build = optarg;
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (realpath(build == NULL ? "." : build, real) == NULL)
		return 2;
	fault = disk_make(&disk);
	if (fault != NULL)
		printf("1..0 # SKIP %s\n", fault);
	else {
		printf("# seed %u\n", seed);
		campaign_run(real, &disk, seed, rounds);
	}
	disk_remove(&disk);
	return 0;
}
