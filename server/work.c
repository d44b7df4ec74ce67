/* SPDX-License-Identifier: MIT */
/*
 * work - see work.h.
 *
 * Jobs for an instance's thread are collected on the loop and handed over
 * just before it waits: one wake-up for many, and larger batches.  Pool jobs
 * are few and long; each wakes a thread at once.  The pool's threads run at a
 * lower priority, so that hashing on all cores does not stall the loop.
 *
 * A job belongs to the request that queued it: what it logs carries the id.
 */
#include <config.h>

#include "work.h"

#include "process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POOL_NICE	10		/* more than the loop */
#define POOL_MAX	256		/* threads */

struct job {
	struct mail	 mail;		/* of mc_later; next for the queues */
	struct mc_host	*host;
	mc_work_fn	*run;		/* one of these two */
	mc_batch_fn	*run_batch;
	void		*arg;
	uint64_t	 request;
};

/* What one or several threads wait for. */
struct queue {
	pthread_mutex_t	 lock;
	pthread_cond_t	 filled;
	struct mails	 jobs;
	size_t		 waiting;
	bool		 ending;
};

struct worker {
	struct queue	 queue;
	pthread_t	 thread;
	struct mails	 collected;	/* loop thread */
	struct mc_host	*host;
	struct worker	*next;		/* with something collected */
};

struct pool {
	struct queue	 queue;
	size_t		 queue_max;
	unsigned	 threads;
	pthread_t	 thread[];
};

static void
queue_init(struct queue *queue)
{
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	mails_init(&queue->jobs);
}

static void
queue_destroy(struct queue *queue)
{
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
}

static void
queue_end(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->ending = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

/* Waits for jobs; false: there are none and the queue ends. */
static bool
queue_wait(struct queue *queue)
{
	while (queue->jobs.first == NULL && !queue->ending)
		pthread_cond_wait(&queue->filled, &queue->lock);
	return queue->jobs.first != NULL;
}

static struct job *
job_new(struct mc_host *host, void *arg)
{
	struct job *job = mc_zalloc(sizeof(*job));

	job->host = host;
	job->arg = arg;
	job->request = request_current();
	atomic_fetch_add(&host->jobs, 1);
	return job;
}

/* The last touch of the instance: it may be gone right after this. */
static void
job_free(struct job *job)
{
	atomic_fetch_sub(&job->host->jobs, 1);
	free(job);
}

static void
job_run(struct job *job)
{
	request_set(job->request);
	job->run(job->arg);
	request_set(0);
	job_free(job);
}

static void
start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg) != 0)
		mc_fatal(NULL, "cannot start a thread");
}

/* The instance's own thread. */

/* Runs the job and all that stand behind it with the same function; returns
 * the first that does not. */
static struct job *
batch_run(struct job *job)
{
	mc_batch_fn *run = job->run_batch;
	struct mc_host *host = job->host;
	struct job *jobs[MC_BATCH_MAX];
	void *args[MC_BATCH_MAX];
	size_t n = 0;

	request_set(job->request);
	for (; job != NULL && job->run_batch == run && n < MC_BATCH_MAX;
	    job = (struct job *)job->mail.next) {
		args[n] = job->arg;
		jobs[n++] = job;
	}
	loop_collect(host->process->loop);
	run(args, n);
	loop_collected();
	request_set(0);
	for (size_t i = 0; i < n; i++)
		job_free(jobs[i]);
	return job;
}

static void
jobs_run(struct job *job)
{
	struct job *next;

	while (job != NULL) {
		if (job->run_batch != NULL)
			job = batch_run(job);
		else {
			next = (struct job *)job->mail.next;
			job_run(job);
			job = next;
		}
	}
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	struct queue *queue = &worker->queue;
	struct job *first;
	char name[16];

	snprintf(name, sizeof(name), "%.15s", worker->host->name);
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&queue->lock);
	while (queue_wait(queue)) {
		first = (struct job *)queue->jobs.first;
		mails_init(&queue->jobs);
		pthread_mutex_unlock(&queue->lock);
		jobs_run(first);
		pthread_mutex_lock(&queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

static struct worker *
worker_of(struct mc_host *host)
{
	struct worker *worker = host->worker;

	if (worker == NULL) {
		worker = host->worker = mc_zalloc(sizeof(*worker));
		worker->host = host;
		queue_init(&worker->queue);
		mails_init(&worker->collected);
		start_thread(&worker->thread, worker_main, worker);
	}
	return worker;
}

static void
collect(struct mc_host *host, struct job *job)
{
	struct worker *worker = worker_of(host);

	if (worker->collected.first == NULL) {
		worker->next = host->process->workers;
		host->process->workers = worker;
	}
	mails_add(&worker->collected, &job->mail);
}

static void
hand_over(struct worker *worker)
{
	struct queue *queue = &worker->queue;

	pthread_mutex_lock(&queue->lock);
	*queue->jobs.last = worker->collected.first;
	queue->jobs.last = worker->collected.last;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
	mails_init(&worker->collected);
}

void
work_flush(void *arg)
{
	struct process *process = arg;
	struct worker *worker;

	while ((worker = process->workers) != NULL) {
		process->workers = worker->next;
		hand_over(worker);
	}
}

void
worker_free(struct mc_host *host)
{
	struct worker *worker = host->worker;

	if (worker == NULL)
		return;
	work_flush(host->process);
	queue_end(&worker->queue);
	pthread_join(worker->thread, NULL);
	queue_destroy(&worker->queue);
	free(worker);
	host->worker = NULL;
}

void
mc_work(struct mc_host *host, mc_work_fn *run, void *arg)
{
	struct job *job = job_new(host, arg);

	loop_check(host, "mc_work");
	job->run = run;
	collect(host, job);
}

void
mc_work_batch(struct mc_host *host, mc_batch_fn *run, void *arg)
{
	struct job *job = job_new(host, arg);

	loop_check(host, "mc_work_batch");
	job->run_batch = run;
	collect(host, job);
}

/* The pool. */

static void *
pool_main(void *arg)
{
	struct pool *pool = arg;
	struct queue *queue = &pool->queue;
	id_t self = (id_t)syscall(SYS_gettid);
	struct job *job;

	pthread_setname_np(pthread_self(), "pool");
	setpriority(PRIO_PROCESS, self,
	    getpriority(PRIO_PROCESS, self) + POOL_NICE);
	pthread_mutex_lock(&queue->lock);
	while (queue_wait(queue)) {
		job = (struct job *)queue->jobs.first;
		queue->jobs.first = job->mail.next;
		if (job->mail.next == NULL)
			mails_init(&queue->jobs);
		queue->waiting--;
		pthread_mutex_unlock(&queue->lock);
		job_run(job);
		pthread_mutex_lock(&queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

static unsigned
cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (unsigned)n;
}

struct pool *
pool_new(unsigned threads, size_t queue_max)
{
	struct pool *pool;

	if (threads == 0)
		threads = cores();
	if (threads > POOL_MAX)
		threads = POOL_MAX;
	pool = mc_zalloc(sizeof(*pool) + threads * sizeof(pthread_t));
	pool->threads = threads;
	pool->queue_max = queue_max;
	queue_init(&pool->queue);
	for (unsigned i = 0; i < threads; i++)
		start_thread(&pool->thread[i], pool_main, pool);
	return pool;
}

void
pool_free(struct pool **poolp)
{
	struct pool *pool = *poolp;

	if (pool == NULL)
		return;
	queue_end(&pool->queue);
	for (unsigned i = 0; i < pool->threads; i++)
		pthread_join(pool->thread[i], NULL);
	queue_destroy(&pool->queue);
	free(pool);
	*poolp = NULL;
}

bool
mc_pool(struct mc_host *host, mc_work_fn *run, void *arg)
{
	struct pool *pool = host->process->pool;
	struct queue *queue = &pool->queue;
	struct job *job;

	pthread_mutex_lock(&queue->lock);
	if (queue->waiting >= pool->queue_max) {
		pthread_mutex_unlock(&queue->lock);
		mc_count(host, "pool_refused", 1);
		return false;
	}
	job = job_new(host, arg);
	job->run = run;
	mails_add(&queue->jobs, &job->mail);
	queue->waiting++;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
	return true;
}

unsigned
mc_pool_size(const struct mc_host *host)
{
	return host->process->pool->threads;
}

/* Back on the loop. */

static void
later(struct mail *mail)
{
	struct job *job = (struct job *)mail;
	struct callback callback;

	callback_begin(&callback, job->host, "mc_later", job->request);
	job->run(job->arg);
	callback_end(&callback);
	job_free(job);
}

void
mc_later(struct mc_host *host, mc_work_fn *run, void *arg)
{
	struct job *job = job_new(host, arg);

	job->mail.run = later;
	job->run = run;
	loop_post(host->process->loop, &job->mail);
}

bool
work_pending(struct mc_host *host)
{
	return atomic_load(&host->jobs) != 0;
}
