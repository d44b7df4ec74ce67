/* SPDX-License-Identifier: MIT */
/*
 * new-epoch: a backup of queue and freeze was restored, so numbers that were
 * given out before may be given out again for something else.  The queue goes
 * on in a new epoch, which tells everybody else to load the whole database:
 *
 *	1 the freeze takes in all that the queue has	 (still the old epoch)
 *	2 FREEZE.epoch names the new epoch
 *	3 the queue begins it, with a RESERVE record: no uid that may ever
 *	  have been given is given again
 *	4 the freeze takes in that record, and with it the new epoch
 *	5 FREEZE.epoch is removed
 *
 * Killed anywhere, it is done again from the start and completes what was
 * begun.
 */
#include "wmqmaint.h"

#include "../../modules/wmqmaint/merge.h"
#include "../ctl.h"

#include <metacube/host.h>
#include <metacube/pwq.h>
#include <metacube/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUDGET		(64 * 1024 * 1024)
#define SEGMENT		(64 * 1024 * 1024)
#define MARK_END	".epoch"

struct renewal {
	const struct wmqmaint_files *files;
	struct freeze_keys	*keys;
	struct queue		*queue;
	struct freeze_header	 header;	/* of the freeze as it is */
	char			 mark[FREEZE_PATH_SIZE + 8];
	uint8_t			 epoch[16];	/* the new one */
	bool			 marked;	/* it was chosen before */
	char			 why[FREEZE_WHY];
};

static int
mark_read(struct renewal *renewal)
{
	int fd = open(renewal->mark, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd == -1) {
		if (errno == ENOENT)
			return CTL_FINE;
		return wmqmaint_fail("%s: %s", renewal->mark,
		    strerror(errno));
	}
	len = read(fd, renewal->epoch, sizeof(renewal->epoch));
	close(fd);
	renewal->marked = len == sizeof(renewal->epoch);
	return CTL_FINE;	/* a torn one: nothing was begun yet */
}

/* The name of the mark must be as lasting as what follows from it. */
static bool
mark_settle(const struct renewal *renewal)
{
	char folder[sizeof(renewal->mark)];

	strcpy(folder, renewal->mark);
	return queue_io_real.fsync_dir(dirname(folder)) == 0;
}

static int
mark_write(struct renewal *renewal)
{
	int fd;
	bool fine;

	if (renewal->marked)
		return CTL_FINE;
	mc_random(renewal->epoch, sizeof(renewal->epoch));
	fd = open(renewal->mark, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	fine = fd != -1 && write(fd, renewal->epoch, sizeof(renewal->epoch)) ==
	    sizeof(renewal->epoch) && fsync(fd) == 0;
	if (fd != -1)
		close(fd);
	if (!fine || !mark_settle(renewal))
		return wmqmaint_fail("%s: %s", renewal->mark,
		    strerror(errno));
	renewal->marked = true;
	mc_crash_point("epoch.marked");
	return CTL_FINE;
}

static struct queue_conf
conf_of(const struct renewal *renewal)
{
	struct queue_conf conf = {
		.path = renewal->files->queue, .segment_size = SEGMENT,
		.server = "wmqmaint", .io = &queue_io_real
	};

	memcpy(conf.epoch, renewal->epoch, sizeof(conf.epoch));
	return conf;
}

/* Takes all the records that the queue has. */
static int
records_take(struct renewal *renewal, struct merge *merge)
{
	uint8_t *batch = mc_zalloc(WMQ_BATCH_MAX);
	struct mc_reply reply = { MC_OK, 1, batch };
	struct wmq_record record;
	size_t offset;
	const void *data;
	int status = CTL_FINE;

	while (status == CTL_FINE && reply.len > 0) {
		if (queue_read(renewal->queue, merge->at.seq, WMQ_BATCH_MAX,
		    batch, WMQ_BATCH_MAX, &reply.len) != QUEUE_OK) {
			status = wmqmaint_fail("%s",
			    queue_why(renewal->queue));
			break;
		}
		offset = 0;
		while (status == CTL_FINE &&
		    (data = wmq_batch_next(&reply, &offset, &record)) != NULL)
			if (merge_record(merge, &record, data) != 0)
				status = wmqmaint_fail("%s", merge->why);
	}
	mc_wipe(batch, WMQ_BATCH_MAX);
	free(batch);
	return status;
}

/* Does the freeze end where this queue begins or goes on? */
static int
place_check(struct renewal *renewal, struct merge *merge)
{
	struct wmq_position position;

	queue_position(renewal->queue, &position);
	if (merge->from[0] == '\0' || (renewal->marked &&
	    memcmp(position.epoch, renewal->epoch, 16) == 0))
		memcpy(merge->at.epoch, position.epoch, 16);
	if (memcmp(merge->at.epoch, position.epoch, 16) != 0)
		return wmqmaint_fail("%s is of another epoch than %s: they "
		    "are not of the same backup", renewal->files->freeze,
		    renewal->files->queue);
	if (merge->at.seq > position.durable)
		return wmqmaint_fail("%s is newer than %s: it has change "
		    "%llu, the queue ends at %llu", renewal->files->freeze,
		    renewal->files->queue, (unsigned long long)merge->at.seq,
		    (unsigned long long)position.durable);
	if (merge->at.seq + 1 < position.oldest)
		return wmqmaint_fail("%s has change %llu, but the queue only "
		    "begins with %llu: what is between is lost; restore the "
		    "freeze that belongs to it", renewal->files->freeze,
		    (unsigned long long)merge->at.seq,
		    (unsigned long long)position.oldest);
	return CTL_FINE;
}

/* The freeze takes in what the queue has. */
static int
freeze_renew(struct renewal *renewal)
{
	struct merge merge;
	int status;

	if (merge_begin(&merge, renewal->files->freeze, renewal->keys, BUDGET,
	    NULL) != 0)
		return wmqmaint_fail("%s", merge.why);
	status = place_check(renewal, &merge);
	if (status == CTL_FINE)
		status = records_take(renewal, &merge);
	if (status == CTL_FINE && merge_end(&merge, NULL, 0, 0,
	    &renewal->header) != 0)
		status = wmqmaint_fail("%s", merge.why);
	merge_free(&merge);
	return status;
}

static int
queue_begin(struct renewal *renewal)
{
	struct queue_conf conf = conf_of(renewal);
	struct queue_news news;
	char why[QUEUE_WHY];

	if (access(renewal->files->queue, F_OK) == -1)
		return wmqmaint_fail("%s: %s", renewal->files->queue,
		    strerror(errno));
	renewal->queue = queue_open(&conf, mc_time_ms(), &news, why);
	if (renewal->queue == NULL)
		return wmqmaint_fail("%s", why);
	if (news.created)
		return wmqmaint_fail("%s: there was no queue",
		    renewal->files->queue);
	if (news.cut_bytes > 0)
		fprintf(stderr, "metacube-wmqmaint: %s: cut off a commit that "
		    "was not complete\n", news.cut_file);
	return CTL_FINE;
}

/* Above every uid that was ever given: nobody makes a million accounts per
 * second. */
static uint64_t
uid_reserve(uint64_t last_uid)
{
	uint64_t now = mc_time_ms() / 1000 << 20;

	return last_uid > now ? last_uid : now;
}

static int
epoch_begin(struct renewal *renewal)
{
	struct queue_conf conf = conf_of(renewal);
	struct tcapw_change change = {
		.verb = TCAPW_RESERVE, .by = "metacube-wmqmaint"
	};
	uint8_t record[PWQ_MAX];
	struct queue_entry entry = { PWQ_TAG, record, 0 };
	struct wmq_pointer at;
	char why[QUEUE_WHY];

	change.account.uid = uid_reserve(renewal->header.position.last_uid);
	entry.len = (uint32_t)pwq_encode(&change, record);
	if (queue_new_epoch(&conf, mc_time_ms(), &entry, &at, why) != 0)
		return wmqmaint_fail("%s", why);
	mc_crash_point("epoch.begun");
	return CTL_FINE;
}

static void
epoch_told(const struct renewal *renewal)
{
	char name[64];

	freeze_name(&renewal->header, name);
	printf("The queue goes on in a new epoch, at change %llu; the freeze "
	    "is %s.\n"
	    "Before the account server is started: move the file of its "
	    "account store\naway (tcapw_gdbm: accounts.gdbm); it is made anew "
	    "from freeze and queue.\nReplicas notice by themselves and load "
	    "the freeze.\n",
	    (unsigned long long)renewal->header.position.pointer.seq, name);
}

/* How far was it done? */
enum stage { AT_START, AT_QUEUE, AT_FREEZE };

static enum stage
stage_find(struct renewal *renewal)
{
	struct queue_conf conf = conf_of(renewal);
	struct wmq_position position;
	struct queue_news news;
	char why[QUEUE_WHY];
	struct queue *queue;

	if (!renewal->marked || access(renewal->files->queue, F_OK) == -1)
		return AT_START;
	queue = queue_open(&conf, mc_time_ms(), &news, why);
	if (queue == NULL)
		return AT_QUEUE;
	queue_position(queue, &position);
	queue_close(&queue);
	return memcmp(position.epoch, renewal->epoch, 16) == 0 ?
	    AT_FREEZE : AT_START;
}

static int
freeze_with_queue(struct renewal *renewal)
{
	int status = queue_begin(renewal);

	if (status == CTL_FINE)
		status = freeze_renew(renewal);
	queue_close(&renewal->queue);
	return status;
}

/* The queue is between two epochs: the freeze has all of the old one. */
static int
freeze_as_it_is(struct renewal *renewal)
{
	if (merge_verify(renewal->files->freeze, renewal->keys, NULL,
	    &renewal->header, renewal->why) != 0)
		return wmqmaint_fail("%s", renewal->why);
	return CTL_FINE;
}

static int
renew(struct renewal *renewal)
{
	int status = mark_read(renewal);
	enum stage stage = status == CTL_FINE ? stage_find(renewal) : AT_START;

	if (status == CTL_FINE && stage == AT_START)
		status = freeze_with_queue(renewal);
	if (status == CTL_FINE && stage == AT_START)
		status = mark_write(renewal);
	if (status == CTL_FINE && stage == AT_QUEUE)
		status = freeze_as_it_is(renewal);
	if (status == CTL_FINE && stage != AT_FREEZE)
		status = epoch_begin(renewal);
	if (status == CTL_FINE)
		status = freeze_with_queue(renewal);
	if (status == CTL_FINE && unlink(renewal->mark) == -1)
		status = wmqmaint_fail("%s: %s", renewal->mark,
		    strerror(errno));
	return status;
}

int
wmqmaint_new_epoch(const struct wmqmaint_files *files)
{
	struct renewal renewal = { .files = files };
	int status;

	if (strlen(files->freeze) >= FREEZE_PATH_SIZE)
		return wmqmaint_fail("%s: the path is too long",
		    files->freeze);
	snprintf(renewal.mark, sizeof(renewal.mark), "%s" MARK_END,
	    files->freeze);
	renewal.keys = freeze_keys_load(files->keys, renewal.why);
	if (renewal.keys == NULL)
		return wmqmaint_fail("%s", renewal.why);
	status = renew(&renewal);
	freeze_keys_free(&renewal.keys);
	if (status == CTL_FINE)
		epoch_told(&renewal);
	return status;
}
