/* SPDX-License-Identifier: MIT */
/*
 * asker - a module that only asks: tcapw, when it is told to ("ask" with
 * metacubectl).  It can also fail to begin, for tests of how a host ends what
 * it has begun.
 */
#include <metacube/control.h>
#include <metacube/host.h>
#include <metacube/tcapw.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

MC_MODULE_NOTE;

enum fails { NOWHERE, IN_INIT, IN_START };

struct conf {
	int64_t	fails;
};

struct asker {
	struct mc_host	*host;
	struct mc_ref	 tcapw;
	int64_t		 fails;
	struct question	*questions;	/* not answered yet */
};

struct question {
	struct question	*next, **prev;
	struct mc_query	*query;
	struct mc_call	*call;
};

static struct question *
question_new(struct asker *asker, struct mc_query *query)
{
	struct question *question = mc_zalloc(sizeof(*question));

	question->query = query;
	question->prev = &asker->questions;
	question->next = asker->questions;
	if (question->next != NULL)
		question->next->prev = &question->next;
	return asker->questions = question;
}

static void
question_free(struct question *question)
{
	*question->prev = question->next;
	if (question->next != NULL)
		question->next->prev = question->prev;
	free(question);
}

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct question *question = owner;

	mc_query_done(question->query, reply->status, "answered: %s",
	    mc_status_text(reply->status));
	question_free(question);
}

static void
ask(void *state, struct mc_query *query)
{
	struct asker *asker = state;
	struct question *question = question_new(asker, query);

	mc_log(asker->host, MC_NOTE, "asks");
	tcapw_lookup(&asker->tcapw, mc_query_arg(query, 0), &question->call,
	    answered, question);
}

static void
pass(void *state, struct mc_query *query)
{
	(void)state;
	mc_crash_point("asker.pass");
	mc_query_done(query, MC_OK, "passed");
}

static void
hang(void *state, struct mc_query *query)
{
	struct asker *asker = state;

	(void)query;
	mc_log(asker->host, MC_NOTE, "hangs");
	for (;;)
		pause();
}

static const struct mc_command commands[] = {
	{ "hang", NULL, 0, 0, "Holds the loop for ever.", hang },
	{ "ask", "NAME", 1, 1, "Looks an account up.", ask },
	{ "pass", NULL, 0, 0, "Passes a crash point.", pass },
	{ 0 }
};

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct asker *asker = state;

	asker->host = host;
	asker->fails = ((const struct conf *)conf)->fails;
	if (asker->fails == IN_INIT)
		return mc_fail(host, MC_UNAVAILABLE, "fails in init");
	mc_commands(host, commands, asker);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct asker *asker = state;

	if (asker->fails == IN_START)
		return mc_fail(asker->host, MC_UNAVAILABLE, "fails in start");
	mc_log(asker->host, MC_NOTE, "start");
	return MC_OK;
}

static void
stop(void *state)
{
	mc_log(((struct asker *)state)->host, MC_NOTE, "stop");
}

/* What was not answered in time, the host has answered. */
static void
fini(void *state)
{
	struct asker *asker = state;

	while (asker->questions != NULL)
		question_free(asker->questions);
	mc_log(asker->host, MC_NOTE, "fini");
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, fails), .type = MC_CHOICE,
	  .fallback = "nowhere", .choices = "nowhere|init|start",
	  .help = "Where it fails to begin." },
	{ 0 }
};

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct asker, tcapw), false },
	{ 0 }
};

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "asker",
	.version	= "0.1.0",
	.summary	= "Asks an account store when it is told to",
	.license	= "MIT",
	.keys		= keys,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct asker),
	.init		= init,
	.start		= start,
	.stop		= stop,
	.fini		= fini,
};
