/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include "people.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORKERS		4
#define PEOPLE		8	/* of each worker */
#define PATIENCE_S	60	/* without an answer */

/* What is shared stands under the crowd's lock. */
struct worker {
	pthread_t	 thread;
	struct crowd	*crowd;
	unsigned	 seed, acknowledged, violations;
	struct person	 people[PEOPLE];
	int		 busy;			/* who is changed; -1: nobody */
	struct person	 kept[PEOPLE];		/* as they were when held */
	int		 kept_busy;
};

struct crowd {
	const struct server *server;
	pthread_mutex_t	 lock;
	pthread_cond_t	 moved;
	bool		 held, ending;
	unsigned	 running;		/* workers */
	unsigned	 turns, changes;	/* of all; acknowledged ones */
	unsigned	 silences;
	struct worker	 workers[WORKERS];
};

/* false: it is over. */
static bool
turn_begin(struct worker *worker)
{
	struct crowd *crowd = worker->crowd;
	bool going;

	pthread_mutex_lock(&crowd->lock);
	while (crowd->held && !crowd->ending)
		pthread_cond_wait(&crowd->moved, &crowd->lock);
	going = !crowd->ending;
	if (going)
		worker->busy = (int)((unsigned)rand_r(&worker->seed) % PEOPLE);
	pthread_mutex_unlock(&crowd->lock);
	return going;
}

static void
turn_end(struct worker *worker, const struct person *person,
    bool acknowledged, unsigned violations)
{
	struct crowd *crowd = worker->crowd;

	pthread_mutex_lock(&crowd->lock);
	worker->people[worker->busy] = *person;
	worker->busy = -1;
	worker->acknowledged += acknowledged;
	crowd->turns++;
	crowd->changes += acknowledged;
	worker->violations += violations;
	pthread_cond_broadcast(&crowd->moved);
	pthread_mutex_unlock(&crowd->lock);
}

static bool
server_reach(const struct server *server, struct lines *lines)
{
	return lines_open(lines, server->socket, server->account, NULL);
}

static void *
work(void *arg)
{
	struct worker *worker = arg;
	struct crowd *crowd = worker->crowd;
	struct lines lines;
	bool alive = server_reach(crowd->server, &lines);
	bool acknowledged;
	struct person person;
	unsigned violations;

	while (alive && turn_begin(worker)) {
		person = worker->people[worker->busy];
		acknowledged = false;
		violations = person_change(&person, &lines, &worker->seed,
		    &acknowledged, &alive);
		turn_end(worker, &person, acknowledged, violations);
	}
	lines_close(&lines);
	pthread_mutex_lock(&crowd->lock);
	crowd->running--;
	pthread_cond_broadcast(&crowd->moved);
	pthread_mutex_unlock(&crowd->lock);
	return NULL;
}

static void
worker_start(struct crowd *crowd, unsigned crowd_number, unsigned number,
    unsigned seed)
{
	struct worker *worker = &crowd->workers[number];

	worker->crowd = crowd;
	worker->seed = seed * WORKERS + number;
	worker->busy = -1;
	for (unsigned i = 0; i < PEOPLE; i++)
		snprintf(worker->people[i].name,
		    sizeof(worker->people[i].name), "joe-%u-%u-%u",
		    crowd_number, number, i);
	pthread_create(&worker->thread, NULL, work, worker);
}

struct crowd *
crowd_start(const struct server *server, unsigned number, unsigned seed)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	crowd->server = server;
	pthread_mutex_init(&crowd->lock, NULL);
	pthread_cond_init(&crowd->moved, NULL);
	crowd->running = WORKERS;
	for (unsigned i = 0; i < WORKERS; i++)
		worker_start(crowd, number, i, seed);
	return crowd;
}

static void
wait_for(struct crowd *crowd, const unsigned *count, unsigned more)
{
	struct timespec until;
	unsigned wanted;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&crowd->lock);
	wanted = *count + more;
	while (*count < wanted && crowd->running > 0 && error == 0)
		error = pthread_cond_timedwait(&crowd->moved, &crowd->lock,
		    &until);
	if (*count < wanted && crowd->running > 0) {
		printf("# VIOLATION: after %d s there are still %u to come\n",
		    PATIENCE_S, wanted - *count);
		crowd->silences++;
	}
	pthread_mutex_unlock(&crowd->lock);
}

void
crowd_wait(struct crowd *crowd, unsigned changes)
{
	wait_for(crowd, &crowd->changes, changes);
}

void
crowd_wait_turns(struct crowd *crowd, unsigned turns)
{
	wait_for(crowd, &crowd->turns, turns);
}

void
crowd_hold(struct crowd *crowd)
{
	pthread_mutex_lock(&crowd->lock);
	crowd->held = true;
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &crowd->workers[i];

		memcpy(worker->kept, worker->people, sizeof(worker->kept));
		worker->kept_busy = worker->busy;
	}
	pthread_mutex_unlock(&crowd->lock);
}

/* The change that was under way: made by then, or not. */
static void
worker_settle(struct worker *worker)
{
	struct person *kept, *now;

	while (worker->busy != -1)
		pthread_cond_wait(&worker->crowd->moved,
		    &worker->crowd->lock);
	if (worker->kept_busy == -1)
		return;
	kept = &worker->kept[worker->kept_busy];
	now = &worker->people[worker->kept_busy];
	kept->maybe = now->doubtful ? now->maybe : now->now;
	kept->doubtful = true;
}

void
crowd_settle(struct crowd *crowd)
{
	pthread_mutex_lock(&crowd->lock);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_settle(&crowd->workers[i]);
	pthread_mutex_unlock(&crowd->lock);
}

void
crowd_go_on(struct crowd *crowd)
{
	pthread_mutex_lock(&crowd->lock);
	crowd->held = false;
	pthread_cond_broadcast(&crowd->moved);
	pthread_mutex_unlock(&crowd->lock);
}

unsigned
crowd_compare(struct crowd *crowd, const struct server *server)
{
	struct lines lines;
	bool alive = server_reach(server, &lines);
	uint64_t highest = 0;
	unsigned violations = 0;

	for (unsigned i = 0; i < WORKERS * PEOPLE && alive; i++)
		violations += person_verify(
		    &crowd->workers[i / PEOPLE].kept[i % PEOPLE], &lines, 0,
		    &highest, &alive);
	lines_close(&lines);
	if (alive)
		return violations;
	printf("# VIOLATION: the server is gone while it is compared\n");
	return violations + 1;
}

unsigned
crowd_end(struct crowd **crowdp, unsigned *acknowledged_r)
{
	struct crowd *crowd = *crowdp;
	unsigned violations = crowd->silences;

	*acknowledged_r = 0;
	pthread_mutex_lock(&crowd->lock);
	crowd->ending = true;
	pthread_cond_broadcast(&crowd->moved);
	pthread_mutex_unlock(&crowd->lock);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(crowd->workers[i].thread, NULL);
		violations += crowd->workers[i].violations;
		*acknowledged_r += crowd->workers[i].acknowledged;
	}
	pthread_cond_destroy(&crowd->moved);
	pthread_mutex_destroy(&crowd->lock);
	free(crowd);
	*crowdp = NULL;
	return violations;
}
