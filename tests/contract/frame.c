/* SPDX-License-Identifier: MIT */
/*
 * The driver module, the thread of the suite, and the questions between the
 * two.  See frame.h; contract.c starts the processes.
 */
#include "contract.h"
#include "frame.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define NEEDS	(1 + CONTRACT_ALSO_MAX)

struct driver {
	struct mc_ref		 refs[NEEDS];
	struct mc_host		*host;
	const struct contract_phase *phase;
	pthread_t		 loop, suite;
	pthread_mutex_t		 lock;
};

static struct driver *driver;
static struct contract_shared *shared;
static const struct contract_phase *phase;

bool
promise(bool kept, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	shared->tests++;
	shared->failures += !kept;
	dprintf(STDOUT_FILENO, "%s %u - %s\n", kept ? "ok" : "not ok",
	    shared->tests, text);
	return kept;
}

void
note(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDOUT_FILENO, "# %s\n", text);
}

void *
contract_kept(void)
{
	return shared->kept;
}

const struct mc_ref *
contract_ref(unsigned n)
{
	return &driver->refs[n];
}

/* What metacube/call.h promises about an answer. */
static void
answer_check(const struct asked *asked)
{
	if (asked->asking)
		shared->inside++;
	if (!pthread_equal(pthread_self(), driver->loop))
		shared->elsewhere++;
	if (asked->slot != NULL)
		shared->slots++;
	shared->answers++;
}

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct asked *asked = owner;

	answer_check(asked);
	pthread_mutex_lock(&driver->lock);
	asked->status = reply->status;
	asked->len = reply->len;
	asked->data = mc_zalloc(reply->len + 1);
	if (reply->len > 0)
		memcpy(asked->data, reply->data, reply->len);
	asked->answered = true;
	pthread_cond_broadcast(&asked->changed);
	pthread_mutex_unlock(&driver->lock);
}

/* Loop. */
static void
put(void *job)
{
	struct asked *asked = job;

	asked->asking = true;
	asked->ask(asked->args, &asked->slot, answered, asked);
	asked->asking = false;
}

void
ask_start(struct asked *asked, ask_fn *put_question, void *args)
{
	memset(asked, 0, sizeof(*asked));
	asked->ask = put_question;
	asked->args = args;
	pthread_cond_init(&asked->changed, NULL);
	mc_later(driver->host, put, asked);
}

void
ask_wait(struct asked *asked)
{
	pthread_mutex_lock(&driver->lock);
	while (!asked->answered && !asked->cancelled)
		pthread_cond_wait(&asked->changed, &driver->lock);
	pthread_mutex_unlock(&driver->lock);
}

bool
ask_is_answered(struct asked *asked)
{
	bool is;

	pthread_mutex_lock(&driver->lock);
	is = asked->answered;
	pthread_mutex_unlock(&driver->lock);
	return is;
}

static void
cancel(void *job)
{
	struct asked *asked = job;

	mc_call_cancel(&asked->slot);
	pthread_mutex_lock(&driver->lock);
	asked->cancelled = true;
	pthread_cond_broadcast(&asked->changed);
	pthread_mutex_unlock(&driver->lock);
}

void
ask_cancel(struct asked *asked)
{
	mc_later(driver->host, cancel, asked);
}

void
ask_free(struct asked *asked)
{
	pthread_cond_destroy(&asked->changed);
	free(asked->data);
	asked->data = NULL;
}

enum mc_status
ask(ask_fn *put_question, void *args, void *result, size_t size)
{
	struct asked asked;
	enum mc_status status;

	ask_start(&asked, put_question, args);
	ask_wait(&asked);
	status = asked.status;
	if (status == MC_OK && asked.len != (result == NULL ? 0 : size)) {
		promise(false, "the result has %zu bytes, not %zu",
		    asked.len, size);
		status = MC_INTERNAL;
	} else if (status == MC_OK && result != NULL)
		memcpy(result, asked.data, size);
	ask_free(&asked);
	return status;
}

struct errand {
	void		(*run)(void *);
	void		*arg;
	bool		 done;
	pthread_cond_t	 changed;
};

static void
errand_run(void *job)
{
	struct errand *errand = job;

	errand->run(errand->arg);
	pthread_mutex_lock(&driver->lock);
	errand->done = true;
	pthread_cond_broadcast(&errand->changed);
	pthread_mutex_unlock(&driver->lock);
}

void
on_loop(void (*run)(void *), void *arg)
{
	struct errand errand = {
		.run = run, .arg = arg, .changed = PTHREAD_COND_INITIALIZER
	};

	mc_later(driver->host, errand_run, &errand);
	pthread_mutex_lock(&driver->lock);
	while (!errand.done)
		pthread_cond_wait(&errand.changed, &driver->lock);
	pthread_mutex_unlock(&driver->lock);
}

static void *
suite_main(void *arg)
{
	(void)arg;
	note("%s", phase->name);
	phase->run();
	shared->finished = true;
	kill(getpid(), phase->killed ? SIGKILL : SIGTERM);
	return NULL;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	(void)conf;
	driver = state;
	driver->host = host;
	driver->loop = pthread_self();
	pthread_mutex_init(&driver->lock, NULL);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	(void)state;
	if (pthread_create(&driver->suite, NULL, suite_main, NULL) != 0)
		return mc_fail(driver->host, MC_UNAVAILABLE, "no thread");
	return MC_OK;
}

static void
fini(void *state)
{
	(void)state;
	pthread_join(driver->suite, NULL);
	pthread_mutex_destroy(&driver->lock);
}

static struct mc_need needs[NEEDS + 1];

static const struct mc_module module = {
	MC_MODULE_ABI,
	.name		= "driver",
	.version	= "0",
	.summary	= "Asks as the suite says",
	.license	= "MIT",
	.needs		= needs,
	.state_size	= sizeof(struct driver),
	.init		= init,
	.start		= start,
	.fini		= fini,
};

static void
need_set(unsigned n, const char *service, uint16_t major, uint16_t minor,
    bool optional)
{
	needs[n].service = service;
	needs[n].major = major;
	needs[n].minor = minor;
	needs[n].offset = n * sizeof(struct mc_ref);
	needs[n].optional = optional;
}

const struct mc_module *
frame_prepare(const struct contract_suite *suite,
    const struct contract_phase *now, struct contract_shared *with)
{
	shared = with;
	phase = now;
	need_set(0, suite->service, suite->major, suite->minor, false);
	for (unsigned i = 0; i < CONTRACT_ALSO_MAX; i++)
		if (suite->also[i].service != NULL)
			need_set(i + 1, suite->also[i].service,
			    suite->also[i].major, suite->also[i].minor,
			    suite->also[i].optional);
	return &module;
}
