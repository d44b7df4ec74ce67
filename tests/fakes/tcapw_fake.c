/* SPDX-License-Identifier: MIT */
/*
 * tcapw_fake - an account store that behaves as badly as it is told to.
 *
 * What every test of a module that needs tcapw wants to see it survive: a
 * store that is silent, slow, fails, answers twice, answers only when nobody
 * waits any more, answers more than is allowed, or holds the loop.
 */
#include <metacube/host.h>
#include <metacube/tcapw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

MC_MODULE_NOTE;

enum behaviour { ANSWERS, THREAD, POOL, SLOW, SILENT, FAILING, DOUBLE,
	UNWANTED, HUGE, HOLDS };

#define LOOK_MS	1	/* UNWANTED: between two looks */

struct conf {
	int64_t	behaviour, delay_ms, status;
};

struct fake {
	struct mc_host		*host;
	const struct conf	*conf;
	struct question		*questions;	/* not answered yet */
};

struct question {
	struct question		*next, **prev;
	struct fake		*fake;
	struct mc_call		*call;
	struct mc_timer		*timer;
	int64_t			 delay_ms;	/* for its thread */
	struct tcapw_account	 account;
};

static struct question *
question_new(struct fake *fake, const char *name, struct mc_call *call)
{
	struct question *question = mc_zalloc(sizeof(*question));

	question->fake = fake;
	question->call = call;
	question->delay_ms = fake->conf->delay_ms;
	question->account.uid = 1;
	snprintf(question->account.name, sizeof(question->account.name),
	    "%s", name);
	question->prev = &fake->questions;
	question->next = fake->questions;
	if (question->next != NULL)
		question->next->prev = &question->next;
	fake->questions = question;
	return question;
}

static void
question_free(struct question *question)
{
	mc_timer_clear(&question->timer);
	*question->prev = question->next;
	if (question->next != NULL)
		question->next->prev = question->prev;
	free(question);
}

static void
answer(struct question *question)
{
	mc_call_done(question->call, MC_OK, &question->account,
	    sizeof(question->account));
}

/* On the loop again: the question is over. */
static void
forgotten(void *arg)
{
	question_free(arg);
}

static void
dawdle(const struct question *question)
{
	struct timespec delay = {
		question->delay_ms / 1000, question->delay_ms % 1000 * 1000000
	};

	nanosleep(&delay, NULL);
}

/* Instance thread or pool. */
static void
answer_there(void *arg)
{
	struct question *question = arg;

	dawdle(question);
	answer(question);
	mc_later(question->fake->host, forgotten, question);
}

static void
delayed(void *arg)
{
	answer(arg);
	question_free(arg);
}

static void
answer_again(void *arg)
{
	struct question *question = arg;

	answer(question);
	mc_later(question->fake->host, forgotten, question);
}

static void
looked(void *arg)
{
	struct question *question = arg;

	if (mc_call_wanted(question->call))
		mc_timer_set(question->fake->host, &question->timer, LOOK_MS,
		    looked, question);
	else
		delayed(question);
}

static void
answer_hugely(struct question *question)
{
	void *much = mc_zalloc(MC_REPLY_MAX + 1);

	mc_call_done(question->call, MC_OK, much, MC_REPLY_MAX + 1);
	free(much);
	question_free(question);
}

static void
behave(struct fake *fake, struct question *question)
{
	switch ((enum behaviour)fake->conf->behaviour) {
	case ANSWERS:
		delayed(question);
		break;
	case THREAD:
		mc_work(fake->host, answer_there, question);
		break;
	case POOL:
		if (!mc_pool(fake->host, answer_there, question))
			delayed(question);
		break;
	case SLOW:
		mc_timer_set(fake->host, &question->timer,
		    (unsigned)question->delay_ms, delayed, question);
		break;
	case SILENT:
		break;
	case FAILING:
		mc_call_done(question->call,
		    (enum mc_status)fake->conf->status, NULL, 0);
		question_free(question);
		break;
	case DOUBLE:
		answer(question);
		mc_work(fake->host, answer_again, question);
		break;
	case UNWANTED:
		looked(question);
		break;
	case HUGE:
		answer_hugely(question);
		break;
	case HOLDS:
		dawdle(question);
		delayed(question);
		break;
	}
}

static void
lookup(void *state, const char *name, struct mc_call *call)
{
	behave(state, question_new(state, name, call));
}

static void
apply(void *state, const struct tcapw_change *change, struct mc_call *call)
{
	behave(state, question_new(state, change->account.name, call));
}

static void
position(void *state, struct mc_call *call)
{
	behave(state, question_new(state, "", call));
}

static void
list(void *state, const char *after, size_t max, struct mc_call *call)
{
	(void)max;
	behave(state, question_new(state, after, call));
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct fake *fake = state;

	fake->host = host;
	fake->conf = conf;
	return MC_OK;
}

static enum mc_status
reload(void *state, const void *conf)
{
	struct fake *fake = state;

	fake->conf = conf;
	return MC_OK;
}

static void
fini(void *state)
{
	struct fake *fake = state;

	while (fake->questions != NULL)
		question_free(fake->questions);
}

static const struct tcapw_ops ops = {
	.lookup		= lookup,
	.apply		= apply,
	.position	= position,
	.list		= list,
};

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, behaviour), .type = MC_CHOICE,
	  .fallback = "answers", .choices = "answers|thread|pool|slow|silent|"
	  "failing|double|unwanted|huge|holds",
	  .help = "What it does with a question." },
	{ MC_FIELD_AS("delay", struct conf, delay_ms), .type = MC_DURATION,
	  .fallback = "0ms", .min = 0, .max = 3600000,
	  .help = "How long thread, pool, slow and holds take." },
	{ MC_FIELD(struct conf, status), .type = MC_CHOICE,
	  .fallback = "unavailable", .choices = "ok|denied|not_found|exists|"
	  "invalid|busy|timeout|uncertain|unavailable|internal",
	  .help = "What failing answers." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	TCAPW_PROVIDE(&ops),
	{ 0 }
};

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "tcapw_fake",
	.version	= "0.1.0",
	.summary	= "An account store that behaves badly",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct fake),
	.init		= init,
	.reload		= reload,
	.fini		= fini,
};
