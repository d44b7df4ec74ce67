/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include <metacube/freeze.h>
#include <metacube/pwq.h>
#include <metacube/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void
origin_make(struct origin *origin, const struct server *replica)
{
	char key[66];

	memset(origin, 0, sizeof(*origin));
	snprintf(origin->path, sizeof(origin->path), "%s/queue",
	    replica->folder);
	snprintf(origin->freeze, sizeof(origin->freeze), "%s/freeze",
	    replica->folder);
	snprintf(origin->key, sizeof(origin->key), "%s/key", replica->folder);
	if (mkdir(origin->path, 0700) == -1)
		server_die(origin->path);
	memset(key, 'a', 64);
	strcpy(key + 64, "\n");
	server_write(replica, "key", key);
	if (chmod(origin->key, 0600) == -1)
		server_die(origin->key);
}

static void
digest_change(struct origin *origin, const struct tcapw_account *account,
    void (*change)(uint8_t *, const void *, size_t))
{
	uint8_t bytes[PWQ_MAX];

	change(origin->position.digest, bytes,
	    pwq_account_encode(account, bytes));
}

static void
change_note(struct origin *origin, struct tcapw_account *was,
    const struct tcapw_change *change)
{
	if (was->uid != 0) {
		digest_change(origin, was, pwq_digest_sub);
		origin->position.count--;
	}
	memset(was, 0, sizeof(*was));
	if (change->verb != TCAPW_DELETE) {
		*was = change->account;
		digest_change(origin, was, pwq_digest_add);
		origin->position.count++;
	}
	if (change->account.uid > origin->position.last_uid)
		origin->position.last_uid = change->account.uid;
}

static void
change_make(struct origin *origin, struct tcapw_change *change, unsigned *seed)
{
	unsigned n = (unsigned)rand_r(seed) % ORIGIN_PEOPLE;
	struct tcapw_account *was = &origin->people[n];
	struct tcapw_account *account = &change->account;

	memset(change, 0, sizeof(*change));
	*account = *was;
	account->seq = ++origin->position.pointer.seq;
	change->verb = was->uid == 0 ? TCAPW_CREATE :
	    (unsigned)rand_r(seed) % 5 == 0 ? TCAPW_DELETE : TCAPW_CHANGE;
	if (change->verb == TCAPW_CREATE)
		account->uid = ++origin->next_uid;
	snprintf(account->name, MC_NAME_SIZE, "joe-%u", n);
	snprintf(account->display, MC_NAME_SIZE, "Joe-%u", n);
	snprintf(account->verifier, TCAPW_VERIFIER_SIZE, "$y$%u",
	    (unsigned)rand_r(seed) % 1000000);
	change_note(origin, was, change);
}

static struct queue *
queue_begin(struct origin *origin)
{
	struct queue_conf conf = {
		.path = origin->path, .segment_size = 32 * 1024,
		.server = "account", .io = &queue_io_real
	};
	struct queue_news news;
	struct queue *queue;
	char why[QUEUE_WHY];

	memset(conf.epoch, 0xee, sizeof(conf.epoch));
	memset(origin->position.pointer.epoch, 0xee, sizeof(conf.epoch));
	queue = queue_open(&conf, 1700000000000, &news, why);
	if (queue == NULL)
		server_die(why);
	return queue;
}

void
origin_go_on(struct origin *origin, unsigned changes, unsigned *seed)
{
	struct queue *queue = queue_begin(origin);
	struct tcapw_change change;
	uint8_t bytes[PWQ_MAX];
	struct queue_entry entry = { "pwq", bytes, 0 };
	uint64_t seq;

	while (changes-- > 0) {
		change_make(origin, &change, seed);
		entry.len = (uint32_t)pwq_encode(&change, bytes);
		if (queue_commit(queue, &entry, 1, 1700000000000, &seq) !=
		    QUEUE_OK || seq != origin->position.pointer.seq)
			server_die(queue_why(queue));
	}
	queue_close(&queue);
}

static int
uid_compare(const void *left, const void *right)
{
	uint64_t a = (*(const struct tcapw_account *const *)left)->uid;
	uint64_t b = (*(const struct tcapw_account *const *)right)->uid;

	return a < b ? -1 : a > b;
}

void
origin_freeze(const struct origin *origin)
{
	const struct tcapw_account *sorted[ORIGIN_PEOPLE];
	struct freeze_header header = { .position = origin->position };
	char why[FREEZE_WHY];
	uint8_t bytes[PWQ_MAX];
	struct freeze_keys *keys = freeze_keys_load(origin->key, why);
	struct freeze_writer *writer = keys == NULL ? NULL :
	    freeze_begin(origin->freeze, keys, &header, why);
	size_t n = 0;

	if (writer == NULL)
		server_die(why);
	for (unsigned i = 0; i < ORIGIN_PEOPLE; i++)
		if (origin->people[i].uid != 0)
			sorted[n++] = &origin->people[i];
	qsort(sorted, n, sizeof(sorted[0]), uid_compare);
	for (size_t i = 0; i < n; i++)
		freeze_add(writer, bytes,
		    pwq_account_encode(sorted[i], bytes));
	if (freeze_end(&writer, &header, why) == -1)
		server_die(why);
	freeze_keys_free(&keys);
}
