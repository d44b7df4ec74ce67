/* SPDX-License-Identifier: MIT */
/*
 * people - a queue with many new accounts, as if each had been made.
 *
 *	people COUNT FOLDER
 */
#include "meter.h"
#include "plain.h"

#include <metacube/host.h>
#include <metacube/pwq.h>
#include <metacube/queue.h>

#include <stdlib.h>

#define BATCH	4096

static size_t
person_encode(unsigned number, uint8_t out[PWQ_MAX])
{
	struct tcapw_change change = { .verb = TCAPW_CREATE };
	struct tcapw_account *account = &change.account;

	account->uid = 66000 + number;
	account->created_ms = mc_time_ms();
	account->flags = TCAPW_EMAIL_VALID;
	snprintf(account->name, sizeof(account->name), "u%u", number);
	snprintf(account->display, sizeof(account->display), "U%u", number);
	snprintf(account->email, sizeof(account->email), "u%u@example.org",
	    number);
	plain_verifier(account->verifier, number, 0);
	strcpy(change.by, "bench");
	return pwq_encode(&change, out);
}

static void
batch_append(struct queue *queue, unsigned first, unsigned count)
{
	static uint8_t encoded[BATCH][PWQ_MAX];
	static struct queue_entry entries[BATCH];
	uint64_t seq;

	for (unsigned i = 0; i < count; i++) {
		entries[i].tag = PWQ_TAG;
		entries[i].data = encoded[i];
		entries[i].len = (uint32_t)person_encode(first + i,
		    encoded[i]);
	}
	if (queue_commit(queue, entries, count, mc_time_ms(), &seq) !=
	    QUEUE_OK)
		bench_fail("%s", queue_why(queue));
}

int
main(int argc, char **argv)
{
	struct queue_conf conf = {
		.segment_size = 64 << 20, .server = "bench",
		.io = &queue_io_real
	};
	char why[QUEUE_WHY];
	struct queue_news news;
	struct queue *queue;
	unsigned count;

	if (argc != 3)
		bench_fail("usage: people COUNT FOLDER");
	count = (unsigned)atoi(argv[1]);
	conf.path = argv[2];
	mc_random(conf.epoch, sizeof(conf.epoch));
	queue = queue_open(&conf, mc_time_ms(), &news, why);
	if (queue == NULL)
		bench_fail("%s", why);
	for (unsigned first = 0; first < count; first += BATCH)
		batch_append(queue, first, count - first < BATCH ?
		    count - first : BATCH);
	queue_close(&queue);
	return 0;
}
