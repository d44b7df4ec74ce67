/* SPDX-License-Identifier: MIT */
/*
 * bench_lookup - fills an account store and looks accounts up, for
 * tools/bench lookup: always so many lookups under way, at random.
 *
 *	metacubectl bench fill ACCOUNTS
 *	metacubectl bench lookup OUTSTANDING SECONDS
 */
#include <metacube/control.h>
#include <metacube/host.h>
#include <metacube/pwq.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTSTANDING_MAX	1024
#define ACCOUNTS_MAX	100000000

struct bench {
	struct mc_host	*host;
	struct mc_ref	 tcapw;
	uint64_t	 accounts;
	uint64_t	 random;
};

/* Filling. */

struct fill {
	struct bench		*bench;
	struct mc_query		*query;
	uint64_t		 began_ms, count;
	struct tcapw_position	 position;
	uint8_t			*block;
	size_t			 len;
};

static mc_done_fn added;

static size_t
account_write(uint64_t n, uint8_t *at)
{
	struct tcapw_account account = {
		.uid = n, .seq = n, .created_ms = 1700000000000 + n,
		.flags = TCAPW_EMAIL_VALID
	};
	size_t len;

	snprintf(account.name, MC_NAME_SIZE, "player%" PRIu64, n);
	snprintf(account.display, MC_NAME_SIZE, "Player%" PRIu64, n);
	snprintf(account.email, TCAPW_EMAIL_SIZE, "player%" PRIu64
	    "@example.org", n);
	snprintf(account.verifier, TCAPW_VERIFIER_SIZE,
	    "$y$j9T$%022" PRIu64 "$%043" PRIu64, n, n);
	len = pwq_account_encode(&account, at + 2);
	at[0] = (uint8_t)len;
	at[1] = (uint8_t)(len >> 8);
	return 2 + len;
}

static void
fill_end(struct fill *fill, enum mc_status status)
{
	if (status == MC_OK)
		fill->bench->accounts = fill->count;
	mc_query_columns(fill->query, "ACCOUNTS", "MS", (char *)NULL);
	mc_query_row(fill->query);
	mc_query_cell(fill->query, "%" PRIu64, fill->position.count);
	mc_query_cell(fill->query, "%" PRIu64,
	    mc_now_ms() - fill->began_ms);
	mc_query_done(fill->query, status, NULL);
	free(fill->block);
	free(fill);
}

static void
loaded(void *owner, const struct mc_reply *reply)
{
	fill_end(owner, reply->status);
}

static void
fill_on(struct fill *fill)
{
	struct tcapw_position *position = &fill->position;
	size_t len;

	fill->len = 0;
	while (position->count < fill->count &&
	    fill->len + 2 + PWQ_MAX <= 65536) {
		len = account_write(++position->count,
		    fill->block + fill->len);
		pwq_digest_add(position->digest, fill->block + fill->len + 2,
		    len - 2);
		fill->len += len;
	}
	position->last_uid = position->count;
	if (fill->len > 0)
		tcapw_load_add(&fill->bench->tcapw, fill->block, fill->len,
		    NULL, added, fill);
	else
		tcapw_load_end(&fill->bench->tcapw, position, NULL, loaded,
		    fill);
}

static void
added(void *owner, const struct mc_reply *reply)
{
	if (reply->status == MC_OK)
		fill_on(owner);
	else
		fill_end(owner, reply->status);
}

static void
bench_fill(void *state, struct mc_query *query)
{
	long count = strtol(mc_query_arg(query, 0), NULL, 10);
	struct fill *fill;

	if (count < 1 || count > ACCOUNTS_MAX) {
		mc_query_done(query, MC_INVALID, "1 to %d accounts",
		    ACCOUNTS_MAX);
		return;
	}
	fill = mc_zalloc(sizeof(*fill));
	fill->bench = state;
	fill->query = query;
	fill->count = (uint64_t)count;
	fill->began_ms = mc_now_ms();
	fill->block = mc_zalloc(65536);
	fill->position.pointer.seq = fill->count;
	tcapw_load_begin(&fill->bench->tcapw, NULL, added, fill);
}

/* Looking up. */

struct run {
	struct bench	*bench;
	struct mc_query	*query;
	uint64_t	 began_ms, end_ms;
	uint64_t	 done, failed;
	unsigned	 asking;
};

static mc_done_fn looked_up;

static void
look_up(struct run *run)
{
	struct bench *bench = run->bench;
	char name[MC_NAME_SIZE];

	bench->random = bench->random * 6364136223846793005u + 1;
	snprintf(name, sizeof(name), "player%" PRIu64,
	    1 + (bench->random >> 33) % bench->accounts);
	tcapw_lookup(&bench->tcapw, name, NULL, looked_up, run);
}

static void
run_end(struct run *run)
{
	mc_query_columns(run->query, "LOOKUPS", "FAILED", "MS",
	    (char *)NULL);
	mc_query_row(run->query);
	mc_query_cell(run->query, "%" PRIu64, run->done);
	mc_query_cell(run->query, "%" PRIu64, run->failed);
	mc_query_cell(run->query, "%" PRIu64, mc_now_ms() - run->began_ms);
	mc_query_done(run->query, MC_OK, NULL);
	free(run);
}

static void
looked_up(void *owner, const struct mc_reply *reply)
{
	struct run *run = owner;

	if (MC_RESULT(reply, struct tcapw_account) != NULL)
		run->done++;
	else
		run->failed++;
	if (run->failed == 0 && mc_now_ms() < run->end_ms)
		look_up(run);
	else if (--run->asking == 0)
		run_end(run);
}

static void
bench_lookup(void *state, struct mc_query *query)
{
	struct bench *bench = state;
	long outstanding = strtol(mc_query_arg(query, 0), NULL, 10);
	long seconds = strtol(mc_query_arg(query, 1), NULL, 10);
	struct run *run;

	if (outstanding < 1 || outstanding > OUTSTANDING_MAX || seconds < 1 ||
	    bench->accounts == 0) {
		mc_query_done(query, MC_INVALID, "1 to %d lookups, at least "
		    "1 second, after a fill", OUTSTANDING_MAX);
		return;
	}
	run = mc_zalloc(sizeof(*run));
	run->bench = bench;
	run->query = query;
	run->began_ms = mc_now_ms();
	run->end_ms = run->began_ms + (uint64_t)seconds * 1000;
	run->asking = (unsigned)outstanding;
	for (long i = 0; i < outstanding; i++)
		look_up(run);
}

static const struct mc_command commands[] = {
	{ "bench fill", "ACCOUNTS", 1, 1,
	  "Loads so many accounts into the store.", bench_fill },
	{ "bench lookup", "OUTSTANDING SECONDS", 2, 2,
	  "Looks accounts up as fast as the store answers.", bench_lookup },
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
	bench->random = 1;
	return MC_OK;
}

static const struct mc_need needs[] = {
	{ TCAPW_SERVICE, offsetof(struct bench, tcapw), false },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "bench_lookup",
	.version	= "0.1.0",
	.summary	= "Fills an account store and looks accounts up",
	.license	= "MIT",
	.needs		= needs,
	.state_size	= sizeof(struct bench),
	.init		= init,
	.start		= start,
};
