/* SPDX-License-Identifier: MIT */
/*
 * bench hash - logins with real passwords, against a bare loop of crypt_r on
 * all cores: what the gateway costs beside the hash itself, in CPU, and in
 * logins a second (where the clients, on the same cores, cost some, too).
 *
 *	hash PORT PIDS ACCOUNTS PASSWORD ROUNDS SECONDS
 *
 * The accounts are bench-0 and on, all with the same password, hashed with
 * yescrypt at its default cost: that is what the bare loop computes, too.
 */
#include "crowd.h"
#include "frame.h"
#include "meter.h"

#include <metacube/client.h>
#include <metacube/proto/envelope.pb-c.h>

#include <crypt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNTS_MAX	256
#define CLIENTS		8
#define ROUNDS_MAX	100
#define THREADS_MAX	256

static uint8_t login[ACCOUNTS_MAX][512];
static size_t login_len[ACCOUNTS_MAX];
static unsigned naccounts;

static void
logins_prepare(const char *password)
{
	for (unsigned i = 0; i < naccounts; i++) {
		Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
		Metacube__Login message = METACUBE__LOGIN__INIT;
		uint8_t proof[32];
		char name[32];

		snprintf(name, sizeof(name), "bench-%u", i);
		if (metacube_proof(name, password, proof) != 0)
			bench_fail("the password cannot be used");
		message.version = 1;
		message.mechanism = (char *)"password";
		message.name = name;
		message.proof.data = proof;
		message.proof.len = sizeof(proof);
		envelope.message_case = METACUBE__ENVELOPE__MESSAGE_LOGIN;
		envelope.login = &message;
		login_len[i] = frame_write(&envelope, login[i],
		    sizeof(login[i]));
	}
}

static const void *
request(unsigned n, size_t *len)
{
	static unsigned turn;
	unsigned i = turn++ % naccounts;

	(void)n;
	*len = login_len[i];
	return login[i];
}

/* Queued messages may come first. */
static int
answered(const uint8_t *data, size_t len)
{
	Metacube__Envelope *envelope;
	size_t used;
	int kind;

	while (frame_read(data, len, &envelope, &used)) {
		if (envelope == NULL)
			return -1;
		kind = (int)envelope->message_case;
		if (kind == METACUBE__ENVELOPE__MESSAGE_REFUSED)
			fprintf(stderr, "refused: %s\n",
			    envelope->refused->text);
		metacube__envelope__free_unpacked(envelope, NULL);
		if (kind == METACUBE__ENVELOPE__MESSAGE_LOGGED_IN)
			return 1;
		if (kind != METACUBE__ENVELOPE__MESSAGE_QUEUED)
			return -1;
		data += used;
		len -= used;
	}
	return 0;
}

/* How many a second, and milliseconds of CPU for one. */
struct score {
	double	rate, cpu;
};

static struct score
score_of(const char *who, uint64_t done, double seconds, double cpu_us)
{
	struct score score = {
		(double)done / seconds, cpu_us / 1e3 / (double)done
	};

	printf("  %-12s %6.1f/s  %6.2f ms of CPU each\n", who, score.rate,
	    score.cpu);
	fflush(stdout);
	return score;
}

static struct score
measure_ours(const struct crowd_ask *ask, const struct pids *pids,
    double seconds)
{
	struct pids self = { { getpid() }, 1 };
	struct crowd_score score;
	double cpu = meter_cpu_us(pids), clients = meter_cpu_us(&self);

	crowd_run(ask, seconds, &score);
	if (score.failed > 0 || score.done == 0)
		bench_fail("%llu logins failed",
		    (unsigned long long)score.failed);
	cpu = meter_cpu_us(pids) - cpu;
	clients = meter_cpu_us(&self) - clients;
	printf("  (the clients %14.2f ms of CPU each)\n",
	    clients / 1e3 / (double)score.done);
	return score_of("MetaCube", score.done, score.seconds, cpu);
}

struct loop {
	const char		*verifier;
	double			 end_us;
	atomic_uint_fast64_t	 done;
};

static void *
hash(void *arg)
{
	static const char proof[] = "0123456789abcdef0123456789abcdef"
	    "0123456789abcdef0123456789abcdef";
	struct crypt_data *data = calloc(1, sizeof(*data));
	struct loop *loop = arg;

	while (meter_now_us() < loop->end_us) {
		if (crypt_r(proof, loop->verifier, data) == NULL)
			bench_fail("crypt_r refuses %s", loop->verifier);
		atomic_fetch_add(&loop->done, 1);
	}
	free(data);
	return NULL;
}

static struct score
measure_peer(const char *verifier, double seconds)
{
	struct pids self = { { getpid() }, 1 };
	double cpu = meter_cpu_us(&self);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct loop loop = { .verifier = verifier };
	pthread_t threads[THREADS_MAX];
	double began = meter_now_us();

	if (cores > THREADS_MAX)
		cores = THREADS_MAX;
	loop.end_us = began + seconds * 1e6;
	for (long i = 0; i < cores; i++)
		pthread_create(&threads[i], NULL, hash, &loop);
	for (long i = 0; i < cores; i++)
		pthread_join(threads[i], NULL);
	return score_of("bare crypt_r", loop.done,
	    (meter_now_us() - began) / 1e6, meter_cpu_us(&self) - cpu);
}

int
main(int argc, char **argv)
{
	struct crowd_ask ask = { "127.0.0.1", 0, CLIENTS, request, answered };
	double our_rate[ROUNDS_MAX], our_cpu[ROUNDS_MAX], seconds;
	double peer_rate[ROUNDS_MAX], peer_cpu[ROUNDS_MAX], a, b;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct score score;
	struct pids pids;
	size_t rounds;

	if (argc != 7)
		bench_fail("usage: hash PORT PIDS ACCOUNTS PASSWORD ROUNDS "
		    "SECONDS");
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting,
	    sizeof(setting)) == NULL)
		bench_fail("crypt_gensalt_rn knows no yescrypt");
	ask.port = (uint16_t)atoi(argv[1]);
	pids_parse(&pids, argv[2]);
	naccounts = (unsigned)atoi(argv[3]);
	rounds = strtoul(argv[5], NULL, 10);
	seconds = atof(argv[6]);
	if (naccounts < 1 || naccounts > ACCOUNTS_MAX || rounds < 1 ||
	    rounds > ROUNDS_MAX)
		bench_fail("1 to %d accounts, 1 to %d rounds", ACCOUNTS_MAX,
		    ROUNDS_MAX);
	logins_prepare(argv[4]);
	for (size_t i = 0; i < rounds; i++) {
		score = measure_peer(setting, seconds);
		peer_rate[i] = score.rate;
		peer_cpu[i] = score.cpu;
		score = measure_ours(&ask, &pids, seconds);
		our_rate[i] = score.rate;
		our_cpu[i] = score.cpu;
	}
	a = meter_median(our_rate, rounds);
	b = meter_median(peer_rate, rounds);
	meter_result("hash-rate", a, b, "logins/s", a / b);
	a = meter_median(our_cpu, rounds);
	b = meter_median(peer_cpu, rounds);
	meter_result("hash", a, b, "cpu-ms/login", b / a);
	return 0;
}
