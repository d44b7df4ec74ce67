/* SPDX-License-Identifier: MIT */
/*
 * bench_append - drives a queue for tools/bench append: so many writers, each
 * of which appends its next record when its last one is durable.
 *
 *	metacubectl bench append WRITERS SECONDS
 */
#include <metacube/control.h>
#include <metacube/host.h>
#include <metacube/wmq.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD		200
#define WRITERS_MAX	1024

struct bench {
	struct mc_host	*host;
	struct mc_ref	 wmq;
};

struct run {
	struct bench	*bench;
	struct mc_query	*query;
	uint64_t	 began_ms, end_ms;
	uint64_t	 done, failed;
	unsigned	 writing;
};

static mc_done_fn appended;

static void
append(struct run *run)
{
	static const uint8_t payload[PAYLOAD];

	wmq_append(&run->bench->wmq, "bnc", payload, sizeof(payload), NULL,
	    appended, run);
}

static void
finish(struct run *run)
{
	uint64_t took_ms = mc_now_ms() - run->began_ms;

	mc_query_columns(run->query, "APPENDS", "FAILED", "MS", (char *)NULL);
	mc_query_row(run->query);
	mc_query_cell(run->query, "%" PRIu64, run->done);
	mc_query_cell(run->query, "%" PRIu64, run->failed);
	mc_query_cell(run->query, "%" PRIu64, took_ms);
	mc_query_done(run->query, MC_OK, NULL);
	free(run);
}

static void
appended(void *owner, const struct mc_reply *reply)
{
	struct run *run = owner;

	if (reply->status == MC_OK)
		run->done++;
	else
		run->failed++;
	if (reply->status == MC_OK && mc_now_ms() < run->end_ms)
		append(run);
	else if (--run->writing == 0)
		finish(run);
}

static void
bench_append(void *state, struct mc_query *query)
{
	long writers = strtol(mc_query_arg(query, 0), NULL, 10);
	long seconds = strtol(mc_query_arg(query, 1), NULL, 10);
	struct run *run;

	if (writers < 1 || writers > WRITERS_MAX || seconds < 1) {
		mc_query_done(query, MC_INVALID,
		    "1 to %d writers, at least 1 second", WRITERS_MAX);
		return;
	}
	run = mc_zalloc(sizeof(*run));
	run->bench = state;
	run->query = query;
	run->began_ms = mc_now_ms();
	run->end_ms = run->began_ms + (uint64_t)seconds * 1000;
	run->writing = (unsigned)writers;
	for (long i = 0; i < writers; i++)
		append(run);
}

static const struct mc_command commands[] = {
	{ "bench append", "WRITERS SECONDS", 2, 2,
	  "Appends records as fast as the queue makes them durable.",
	  bench_append },
	{ 0 }
};

static enum mc_status
start(void *state)
{
	struct bench *bench = state;

	mc_commands(bench->host, commands, bench);
	return MC_OK;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct bench *bench = state;

	(void)conf;
	bench->host = host;
	return MC_OK;
}

static const struct mc_need needs[] = {
	{ WMQ_SERVICE, offsetof(struct bench, wmq), false },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "bench_append",
	.version	= "0.1.0",
	.summary	= "Drives a queue for measurements",
	.license	= "MIT",
	.needs		= needs,
	.state_size	= sizeof(struct bench),
	.init		= init,
	.start		= start,
};
