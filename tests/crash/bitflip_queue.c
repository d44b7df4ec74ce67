/* SPDX-License-Identifier: MIT */
/*
 * bitflip-queue - one bit of a queue's files is flipped, any one.
 *
 * Each round makes a queue of some files, ended in order or not, and flips a
 * bit of one of them.  Then either it is said that something is wrong, by the
 * queue when it is opened or read, or everything is still as it was written
 * (the bit was in what no record uses).  Whatever is read must be what was
 * written.  A mirror of the damaged files must never show anything else
 * either.
 *
 * The control reads the records without verifying them.
 */
#include "campaign.h"

#include <metacube/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOON		(20000 * (uint64_t)86400000 + 43200000)
#define RECORDS_MAX	60
#define DATA_MAX	400
#define BATCH_SIZE	(2 * (WMQ_DATA_MAX + 64))
#define PATH_SIZE	512

static char folder[PATH_SIZE];
static bool syncs_fail;		/* as if the process had been killed */

/* What was written. */
static struct {
	uint32_t	len;
	uint8_t		data[DATA_MAX];
} written[RECORDS_MAX];
static unsigned count;

static int
no_sync(int fd)
{
	(void)fd;
	return 0;
}

static int
maybe_truncate(int fd, off_t size)
{
	errno = EIO;
	return syncs_fail ? -1 : ftruncate(fd, size);
}

static int
small_allocate(int fd, off_t offset, off_t len)
{
	if (offset + len > 64 * 1024) {	/* as on a disk that is nearly full */
		errno = ENOSPC;
		return -1;
	}
	return ftruncate(fd, offset + len);
}

static int
entry_remove(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

static void
folder_empty(void)
{
	nftw(folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static struct queue *
queue_of(const char *name, struct queue_news *news)
{
	static struct queue_io io;
	char path[PATH_SIZE + 16], why[QUEUE_WHY];
	struct queue_conf conf = {
		.path = path, .segment_size = 4096, .server = "joe",
		.epoch = "the one epoch", .io = &io
	};

	io = queue_io_real;
	io.fdatasync = no_sync;
	io.ftruncate = maybe_truncate;
	io.fallocate = small_allocate;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return strcmp(name, "mirror") == 0 ?
	    queue_mirror_open(&conf, news, why) :
	    queue_open(&conf, NOON, news, why);
}

static void
commit_some(struct queue *queue, unsigned some)
{
	struct queue_entry entries[8];
	uint64_t seq;

	for (unsigned i = 0; i < some; i++) {
		written[count + i].len = 1 + (uint32_t)rand() % DATA_MAX;
		for (uint32_t j = 0; j < written[count + i].len; j++)
			written[count + i].data[j] = (uint8_t)rand();
		entries[i] = (struct queue_entry){ "tst",
		    written[count + i].data, written[count + i].len };
	}
	if (queue_commit(queue, entries, some, NOON + count, &seq) !=
	    QUEUE_OK || seq != count + 1)
		abort();	/* it is not this that is tried here */
	count += some;
}

static void
queue_make(void)
{
	struct queue_news news;
	struct queue *queue;
	unsigned wanted = 5 + (unsigned)rand() % (RECORDS_MAX - 12);

	folder_empty();
	count = 0;
	queue = queue_of("queue", &news);
	if (queue == NULL)
		abort();
	while (count < wanted)
		commit_some(queue, 1 + (unsigned)rand() % 6);
	syncs_fail = rand() % 2;
	queue_close(&queue);
	syncs_fail = false;
}

static struct queue_view *
files_of(void)
{
	struct queue_news news;
	struct queue_view *view;
	struct queue *queue;

	syncs_fail = true;		/* looks only */
	queue = queue_of("queue", &news);
	if (queue == NULL)
		abort();
	view = queue_view(queue);
	queue_close(&queue);
	syncs_fail = false;
	return view;
}

static int
file_open(const char *name, int flags)
{
	char path[PATH_SIZE + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/queue/%s", folder, name);
	fd = open(path, flags);
	if (fd == -1)
		abort();
	return fd;
}

static uint64_t
file_size(const char *name)
{
	struct stat st;
	int fd = file_open(name, O_RDONLY);

	if (fstat(fd, &st) == -1)
		abort();
	close(fd);
	return (uint64_t)st.st_size;
}

static void
flip(const char *name, uint64_t bit)
{
	int fd = file_open(name, O_RDWR);
	uint8_t byte;

	if (pread(fd, &byte, 1, (off_t)(bit / 8)) != 1)
		abort();
	byte ^= (uint8_t)(1 << bit % 8);
	if (pwrite(fd, &byte, 1, (off_t)(bit / 8)) != 1)
		abort();
	close(fd);
}

/* Are these the records that were written, in order, and how many? */
static bool
read_right(struct queue *queue, uint64_t *read_r, enum queue_result *result_r)
{
	static uint8_t batch[BATCH_SIZE];
	struct mc_reply reply = { .status = MC_OK, .data = batch };
	struct wmq_record record;
	const void *data;
	size_t offset;

	*read_r = 0;
	do {
		offset = 0;
		*result_r = queue_read(queue, *read_r, sizeof(batch), batch,
		    sizeof(batch), &reply.len);
		if (*result_r != QUEUE_OK)
			return true;
		while ((data = wmq_batch_next(&reply, &offset,
		    &record)) != NULL) {
			if (record.seq != *read_r + 1 ||
			    record.seq > count ||
			    record.len != written[*read_r].len ||
			    memcmp(data, written[*read_r].data,
			    record.len) != 0)
				return false;
			++*read_r;
		}
	} while (reply.len > 0);
	return true;
}

/* Was it said, or is everything there? */
static bool
queue_judge(void)
{
	enum queue_result result;
	struct queue_news news;
	struct queue *queue = queue_of("queue", &news);
	uint64_t got;
	bool fine;

	if (queue == NULL)
		return true;
	fine = read_right(queue, &got, &result) &&
	    (result != QUEUE_OK || news.cut_bytes > 0 || got == count);
	queue_close(&queue);
	return fine;
}

/* All bytes that are shown of the files, as long as they are taken. */
static void
mirror_feed(struct queue *mirror, const struct queue_view *view)
{
	static uint8_t bytes[64 * 1024];
	struct queue_place place;
	ssize_t got;
	int fd;

	for (size_t i = 0; i < view->count; i++) {
		if ((i == 0 ? queue_mirror_anew(mirror, view->files[i].name) :
		    queue_mirror_begin(mirror, view->files[i].name)) !=
		    QUEUE_OK)
			return;
		queue_mirror_place(mirror, &place);
		fd = file_open(view->files[i].name, O_RDONLY);
		got = pread(fd, bytes, view->files[i].end < sizeof(bytes) ?
		    view->files[i].end : sizeof(bytes), 0);
		close(fd);
		if (got < 0 || queue_mirror_put(mirror, &place, bytes,
		    (size_t)got) != QUEUE_OK)
			return;
	}
}

static bool
mirror_judge(const struct queue_view *view, bool used)
{
	enum queue_result result;
	struct queue_news news;
	struct queue *mirror = queue_of("mirror", &news);
	uint64_t got;
	bool fine;

	if (mirror == NULL)
		abort();
	mirror_feed(mirror, view);
	fine = read_right(mirror, &got, &result) && result == QUEUE_OK &&
	    (got < count || !used);
	queue_close(&mirror);
	return fine;
}

/* Reads as one who trusts: by the lengths alone. */
static bool
naive_judge(const struct queue_view *view)
{
	static uint8_t bytes[64 * 1024];
	unsigned n = 0;

	for (size_t i = 0; i < view->count; i++) {
		int fd = file_open(view->files[i].name, O_RDONLY);
		ssize_t got = pread(fd, bytes, sizeof(bytes), 0);
		uint64_t at = SEGMENT_HEADER_SIZE;
		size_t size;

		close(fd);
		for (; got > 0 && at < view->files[i].end; at += size, n++) {
			if (!segment_record_size(bytes + at,
			    view->files[i].end - at, &size) ||
			    size > view->files[i].end - at)
				return true;	/* even that was noticed */
			if (n < count && memcmp(bytes + at + RECORD_HEAD_SIZE,
			    written[n].data, written[n].len) != 0)
				return false;
		}
	}
	return true;
}

/* Returns whether all went as it must. */
static bool
round_run(bool naive)
{
	struct queue_view *view;
	const struct queue_file *file;
	uint64_t bit;
	bool fine;

	queue_make();
	view = files_of();
	file = &view->files[(size_t)rand() % view->count];
	/* A payload's bit, for those who trust. */
	bit = naive ? 8 * (SEGMENT_HEADER_SIZE + RECORD_HEAD_SIZE) :
	    (uint64_t)rand() % (8 * file_size(file->name));
	if (naive)
		file = &view->files[0];
	flip(file->name, bit);
	fine = naive ? naive_judge(view) :
	    mirror_judge(view, bit / 8 < file->end) && queue_judge();
	if (!fine && !naive)
		printf("# bit %llu of %s\n", (unsigned long long)bit,
		    file->name);
	free(view);
	return fine;
}

static void
folder_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/metacube-bitflip-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct campaign_options options = { .rounds = 500 };
	unsigned violations = 0, noticed = 0;

	campaign_begin(&options, argc, argv);
	srand(options.seed);
	folder_make();
	for (unsigned i = 0; i < options.rounds; i++) {
		violations += !round_run(false);
		campaign_progress(&options, i + 1, violations);
	}
	for (unsigned i = 0; i < CAMPAIGN_CONTROLS; i++)
		noticed += !round_run(true);
	folder_empty();
	rmdir(folder);
	campaign_result(violations == 0, "no flipped bit of a queue is taken "
	    "silently");
	campaign_result(noticed == CAMPAIGN_CONTROLS, "who does not verify "
	    "takes them");
	campaign_end(&options, "bitflip-queue", violations, noticed);
	return 0;
}
