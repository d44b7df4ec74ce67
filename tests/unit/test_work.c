/* SPDX-License-Identifier: MIT */
/* Jobs: in order on the instance's thread, many at once in the pool, and
 * back on the loop. */

#include "cutap.h"
#include "rig.h"

#include "work.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JOBS	1500

static struct rig rig;

struct job {
	unsigned	 number, turn, batch;
	size_t		 together;
	uint64_t	 request;
};

static struct job jobs[JOBS];
static unsigned turns, batches;		/* the instance's thread only */
static sem_t gate;

static void
begin(void)
{
	memset(jobs, 0, sizeof(jobs));
	turns = batches = 0;
	for (unsigned i = 0; i < JOBS; i++)
		jobs[i].number = i;
	sem_init(&gate, 0, 0);
	rig_open(&rig, "tcapw_fake", "");
}

static void
end(void)
{
	rig_close(&rig);
	sem_destroy(&gate);
}

static bool
jobless(void *arg)
{
	(void)arg;
	return !work_pending(rig.instance);
}

static void
run(void *arg)
{
	struct job *job = arg;

	job->turn = ++turns;
	job->request = request_current();
}

static void
wait_gate(void *arg)
{
	(void)arg;
	sem_wait(&gate);
}

static void
run_batch(void **args, size_t count)
{
	batches++;
	for (size_t i = 0; i < count; i++) {
		struct job *job = args[i];

		job->turn = ++turns;
		job->batch = batches;
		job->together = count;
	}
}

static void
test_order(void)
{
	begin();
	for (unsigned i = 0; i < JOBS; i++)
		mc_work(rig.instance, run, &jobs[i]);
	CU_ASSERT_EQUAL(jobs[0].turn, 0);	/* not at once */
	CU_ASSERT_TRUE(work_pending(rig.instance));
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	for (unsigned i = 0; i < JOBS; i++)
		CU_ASSERT_EQUAL(jobs[i].turn, i + 1);
	end();
}

/* All that stand in a row come together, up to the limit. */
static void
test_batch(void)
{
	begin();
	for (unsigned i = 0; i < JOBS; i++)
		mc_work_batch(rig.instance, run_batch, &jobs[i]);
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	for (unsigned i = 0; i < JOBS; i++) {
		CU_ASSERT_EQUAL(jobs[i].turn, i + 1);
		CU_ASSERT_EQUAL(jobs[i].batch, i / MC_BATCH_MAX + 1);
	}
	CU_ASSERT_EQUAL(jobs[0].together, MC_BATCH_MAX);
	CU_ASSERT_EQUAL(jobs[JOBS - 1].together, JOBS % MC_BATCH_MAX);
	end();
}

/* Another job between them keeps its place. */
static void
test_batch_ends(void)
{
	begin();
	for (unsigned i = 0; i < 9; i++)
		if (i == 4)
			mc_work(rig.instance, run, &jobs[i]);
		else
			mc_work_batch(rig.instance, run_batch, &jobs[i]);
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	for (unsigned i = 0; i < 9; i++)
		CU_ASSERT_EQUAL(jobs[i].turn, i + 1);
	CU_ASSERT_EQUAL(jobs[0].together, 4);
	CU_ASSERT_EQUAL(jobs[4].together, 0);
	CU_ASSERT_EQUAL(jobs[5].together, 4);
	end();
}

static void
test_request(void)
{
	struct callback callback;

	begin();
	callback_begin(&callback, rig.instance, "test", 41);
	mc_work(rig.instance, run, &jobs[0]);
	callback_end(&callback);
	callback_begin(&callback, rig.instance, "test", 42);
	mc_work(rig.instance, run, &jobs[1]);
	callback_end(&callback);
	mc_work(rig.instance, run, &jobs[2]);
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	CU_ASSERT_EQUAL(jobs[0].request, 41);
	CU_ASSERT_EQUAL(jobs[1].request, 42);
	CU_ASSERT_EQUAL(jobs[2].request, 0);
	end();
}

static void
count_atomically(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

/* The rig's pool has 2 threads and room for 4 jobs that wait. */
static void
test_pool_full(void)
{
	atomic_uint count = 0;
	unsigned accepted = 0;

	begin();
	CU_ASSERT_EQUAL(mc_pool_size(rig.instance), 2);
	while (accepted < 100 && mc_pool(rig.instance, wait_gate, NULL))
		accepted++;
	CU_ASSERT_TRUE(accepted >= 4 && accepted <= 6);
	CU_ASSERT_FALSE(mc_pool(rig.instance, count_atomically, &count) &&
	    mc_pool(rig.instance, count_atomically, &count) &&
	    mc_pool(rig.instance, count_atomically, &count));
	CU_ASSERT_TRUE(rig_counter(rig.instance, "pool_refused") >= 1);
	for (unsigned i = 0; i < accepted; i++)
		sem_post(&gate);
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	CU_ASSERT_TRUE(mc_pool(rig.instance, count_atomically, &count));
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	CU_ASSERT_TRUE(atomic_load(&count) >= 1);
	end();
}

struct thread {
	char	name[16];
	int	nice;
};

static void
look_around(void *arg)
{
	struct thread *thread = arg;

	pthread_getname_np(pthread_self(), thread->name,
	    sizeof(thread->name));
	thread->nice = getpriority(PRIO_PROCESS,
	    (id_t)syscall(SYS_gettid));
}

/* Hashing must not take the processor from the loop. */
static void
test_threads(void)
{
	struct thread own = { .nice = -1 }, pool = { .nice = -1 };
	int nice = getpriority(PRIO_PROCESS, 0);

	begin();
	mc_work(rig.instance, look_around, &own);
	CU_ASSERT_TRUE(mc_pool(rig.instance, look_around, &pool));
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	CU_ASSERT_STRING_EQUAL(own.name, rig.instance->name);
	CU_ASSERT_STRING_EQUAL(pool.name, "pool");
	CU_ASSERT_EQUAL(own.nice, nice);
	CU_ASSERT_EQUAL(pool.nice, nice + 10 < 19 ? nice + 10 : 19);
	end();
}

static void
on_loop(void *arg)
{
	struct job *job = arg;

	CU_ASSERT_TRUE(loop_here(rig.process.loop));
	run(job);
}

static void
send_back(void *arg)
{
	mc_later(rig.instance, on_loop, arg);
}

static void
test_later(void)
{
	begin();
	mc_later(rig.instance, on_loop, &jobs[0]);
	CU_ASSERT_EQUAL(jobs[0].turn, 0);	/* not inside the caller */
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	CU_ASSERT_EQUAL(jobs[0].turn, 1);
	for (unsigned i = 1; i < 100; i++)
		mc_work(rig.instance, send_back, &jobs[i]);
	CU_ASSERT_TRUE(rig_until(&rig, jobless, NULL));
	for (unsigned i = 1; i < 100; i++)
		CU_ASSERT_EQUAL(jobs[i].turn, i + 1);
	end();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "an instance's jobs run in order", test_order },
		{ "jobs of one kind run together", test_batch },
		{ "another kind ends a batch", test_batch_ends },
		{ "a job carries its request", test_request },
		{ "a full pool refuses", test_pool_full },
		{ "threads have names, the pool is nicer", test_threads },
		{ "mc_later runs on the loop", test_later },
		{ NULL, NULL }
	};

	callback_limit_set(60000);
	return cutap_run("work", tests);
}
