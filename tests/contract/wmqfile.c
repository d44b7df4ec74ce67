/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/wmqfile.h, with records that are appended through
 * metacube/wmq.h: of the same instance, or of the queue that it mirrors.
 */
#include "frame.h"

#include <metacube/segment.h>
#include <metacube/wmqfile.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of contract_ref: the queue whose files these are, and the one that it
 * mirrors, or else itself. */
#define WMQ		1
#define SOURCE		2
#define PATIENCE	1200	/* tries of a mirror that lags, 50 ms each */
#define PAYLOAD		8192
#define MANY		100	/* of them: more than a file takes */
#define SOON_MS		50
#define LONG_MS		WMQ_WAIT_MAX_MS

struct kept {
	struct wmq_position	position;
	struct wmqfile_extent	last;
};

struct extent_args {
	char		name[WMQFILE_NAME_SIZE];
	uint64_t	offset;
	unsigned	wait_ms;
};

static void
put_append(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const uint8_t data[PAYLOAD];

	wmq_append(contract_ref(SOURCE), "tst", data, *(size_t *)args, slot,
	    done, owner);
}

static void
put_extent(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct extent_args *extent = args;

	wmqfile_extent(contract_ref(0), extent->name, extent->offset,
	    extent->wait_ms, slot, done, owner);
}

static void
put_find(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	wmqfile_find(contract_ref(0), *(uint64_t *)args, slot, done, owner);
}

static void
put_prune(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	wmqfile_prune(contract_ref(0), *(uint64_t *)args, slot, done, owner);
}

static void
put_position(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	(void)args;
	wmq_position(contract_ref(WMQ), slot, done, owner);
}

static void
put_read(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	wmq_read(contract_ref(WMQ), args, 1024, 0, slot, done, owner);
}

static struct wmq_position
position(void)
{
	struct wmq_position at = { .durable = UINT64_MAX };

	ask(put_position, NULL, &at, sizeof(at));
	return at;
}

static enum mc_status
find(uint64_t seq, struct wmqfile_extent *extent)
{
	memset(extent, 0, sizeof(*extent));
	return ask(put_find, &seq, extent, sizeof(*extent));
}

static enum mc_status
extent_of(const char *name, uint64_t offset, unsigned wait_ms,
    struct wmqfile_extent *extent)
{
	struct extent_args args = { .offset = offset, .wait_ms = wait_ms };

	strcpy(args.name, name);
	memset(extent, 0, sizeof(*extent));
	return ask(put_extent, &args, extent, sizeof(*extent));
}

/* Appends one, and waits until the files have it: those of a mirror may need
 * a while. */
static uint64_t
append(size_t len)
{
	struct wmqfile_extent extent = { .end = 0 };
	struct wmq_pointer pointer = { .seq = 0 };

	if (ask(put_append, &len, &pointer, sizeof(pointer)) != MC_OK)
		return 0;
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (find(0, &extent) == MC_OK &&
		    extent.position.durable >= pointer.seq)
			return pointer.seq;
		usleep(50000);
	}
	return 0;
}

/* Are these bytes of the file whole records with the numbers from first on?
 * Returns the number after the last one, 0: they are not. */
static uint64_t
bytes_check(const struct wmqfile_extent *extent)
{
	uint8_t *data = mc_zalloc((size_t)extent->end + 1);
	int fd = open(extent->path, O_RDONLY | O_CLOEXEC);
	ssize_t got = pread(fd, data, (size_t)extent->end, 0);
	struct segment_header header;
	struct wmq_record head;
	uint64_t seq = extent->first_seq;
	size_t at = SEGMENT_HEADER_SIZE, size;
	bool fine = got == (ssize_t)extent->end &&
	    segment_header_read(data, (size_t)got, &header) == NULL &&
	    header.first_seq == extent->first_seq &&
	    memcmp(header.epoch, extent->position.epoch, 16) == 0;

	while (fine && at < extent->end) {
		size = segment_record_read(data + at,
		    (size_t)extent->end - at, seq++, &head);
		fine = size > 0;
		at += size;
	}
	if (fd != -1)
		close(fd);
	free(data);
	return fine ? seq : 0;
}

static bool
is_same(const struct wmqfile_extent *one, const struct wmqfile_extent *other)
{
	return strcmp(one->name, other->name) == 0 &&
	    strcmp(one->path, other->path) == 0 && one->end == other->end &&
	    one->finished == other->finished &&
	    one->first_seq == other->first_seq &&
	    strcmp(one->next, other->next) == 0;
}

static void
first_file(void)
{
	struct wmqfile_extent extent, found;
	uint64_t seq = append(20);

	promise(seq == 1 && find(0, &extent) == MC_OK && !extent.finished &&
	    extent.next[0] == '\0' && extent.first_seq == 1,
	    "the first record begins the first file");
	promise(bytes_check(&extent) == 2, "what is shown of it is a header "
	    "and that record");
	promise(extent_of(extent.name, 0, 0, &found) == MC_OK &&
	    is_same(&extent, &found), "it is found by its name");
	promise(find(1, &found) == MC_OK && is_same(&extent, &found),
	    "it will hold the next record as well");
	promise(extent.position.durable == position().durable,
	    "with it comes the position of the queue");
}

static void
refusals(void)
{
	struct wmqfile_extent extent, other;

	find(0, &extent);
	promise(extent_of("20010101.wmq", 0, 0, &other) == MC_NOT_FOUND &&
	    extent_of("../lock", 0, 0, &other) == MC_NOT_FOUND &&
	    extent_of("lock", 0, 0, &other) == MC_NOT_FOUND &&
	    extent_of("", 0, 0, &other) == MC_NOT_FOUND,
	    "other names are not found");
	promise(extent_of(extent.name, extent.end + 1, 0, &other) ==
	    MC_INVALID, "an offset beyond the end is refused");
	promise(find(position().durable + 1, &other) == MC_INVALID,
	    "so is a number beyond the end");
}

static void
waiting(void)
{
	struct extent_args args = { .wait_ms = LONG_MS };
	struct wmqfile_extent extent, *told;
	struct asked asked;
	uint64_t began = mc_now_ms();

	find(0, &extent);
	strcpy(args.name, extent.name);
	args.offset = extent.end;
	ask_start(&asked, put_extent, &args);
	position();		/* so it was asked before the append */
	promise(!ask_is_answered(&asked), "who has read all waits");
	append(30);
	ask_wait(&asked);
	told = asked.data;
	promise(asked.status == MC_OK && asked.len == sizeof(*told) &&
	    told->end > args.offset && bytes_check(told) == 3 &&
	    mc_now_ms() - began < LONG_MS / 2,
	    "and is told as soon as there is more");
	ask_free(&asked);
}

static void
waiting_ends(void)
{
	struct wmqfile_extent extent, told;
	uint64_t began = mc_now_ms();

	find(0, &extent);
	promise(extent_of(extent.name, extent.end, SOON_MS, &told) == MC_OK &&
	    is_same(&extent, &told) && mc_now_ms() - began >= SOON_MS - 1,
	    "after wait_ms without more the answer is what there is");
}

static void
cancelled(void)
{
	struct extent_args args = { .wait_ms = LONG_MS };
	struct wmqfile_extent extent;
	struct asked asked;

	find(0, &extent);
	strcpy(args.name, extent.name);
	args.offset = extent.end;
	ask_start(&asked, put_extent, &args);
	ask_cancel(&asked);
	ask_wait(&asked);
	ask_free(&asked);
	promise(append(10) > 0, "who waits and goes harms nobody");
}

/* Walks from file to file; returns how many, 0: something is wrong. */
static size_t
walk(uint64_t *last_r)
{
	struct wmqfile_extent extent, next;
	size_t count = 1;
	uint64_t after;

	if (find(0, &extent) != MC_OK)
		return 0;
	while ((after = bytes_check(&extent)) != 0 && extent.finished) {
		if (extent_of(extent.next, 0, 0, &next) != MC_OK ||
		    next.first_seq != after)
			return 0;
		extent = next;
		count++;
	}
	*last_r = after - 1;
	return after == 0 || extent.next[0] != '\0' ? 0 : count;
}

static void
many_files(void)
{
	struct extent_args args = { .wait_ms = LONG_MS };
	struct wmqfile_extent extent;
	uint64_t last = 0;
	struct asked asked;

	find(0, &extent);
	strcpy(args.name, extent.name);
	do {	/* whoever waits for more hears that there is no more */
		args.offset = extent.end;
		ask_start(&asked, put_extent, &args);
		if (append(PAYLOAD) == 0)
			break;
		ask_wait(&asked);
		memcpy(&extent, asked.data, asked.len == sizeof(extent) ?
		    sizeof(extent) : 0);
		ask_free(&asked);
	} while (!extent.finished && extent.position.durable < MANY);
	promise(extent.finished && extent.next[0] != '\0' &&
	    extent.end >= args.offset, "who waits is told that a file is "
	    "finished, and which one follows");
	while (position().durable < 2 * MANY)
		if (append(PAYLOAD) == 0)
			break;
	promise(walk(&last) > 2 && last == position().durable,
	    "from file to file all records are there");
}

static void
finding(void)
{
	uint64_t durable = position().durable;
	bool fine = true;

	for (uint64_t seq = 1; seq <= durable; seq++) {
		struct wmqfile_extent extent;
		uint64_t after;

		fine = find(seq, &extent) == MC_OK &&
		    extent.first_seq <= seq + 1 &&
		    (after = bytes_check(&extent)) != 0 &&
		    (after > seq + 1 || !extent.finished) && fine;
	}
	promise(fine, "the file of each record is found");
}

static void
gone_check(uint64_t oldest)
{
	struct wmqfile_extent extent;
	struct wmq_pointer start = { .seq = oldest - 2 };
	struct asked asked;

	memcpy(start.epoch, position().epoch, sizeof(start.epoch));
	ask_start(&asked, put_read, &start);
	ask_wait(&asked);
	promise(asked.status == MC_NOT_FOUND && find(oldest - 2, &extent) ==
	    MC_NOT_FOUND, "its records are gone");
	ask_free(&asked);
}

static void
pruning(void)
{
	struct wmqfile_extent first, second, extent;
	uint64_t count = 9, seq, last;
	size_t files = walk(&last);

	find(0, &first);
	extent_of(first.next, 0, 0, &second);
	seq = second.first_seq - 2;
	promise(ask(put_prune, &seq, &count, sizeof(count)) == MC_OK &&
	    count == 0 && extent_of(first.name, 0, 0, &extent) == MC_OK,
	    "a file is kept while one of its records is to be");
	seq++;
	promise(ask(put_prune, &seq, &count, sizeof(count)) == MC_OK &&
	    count == 1 && extent_of(first.name, 0, 0, &extent) ==
	    MC_NOT_FOUND && access(first.path, F_OK) == -1,
	    "and is deleted when none is");
	promise(position().oldest == second.first_seq && find(0, &extent) ==
	    MC_OK && strcmp(extent.name, second.name) == 0,
	    "the oldest record is the first of the next file");
	gone_check(second.first_seq);
	promise(ask(put_prune, &seq, &count, sizeof(count)) == MC_OK &&
	    count == 0 && walk(&last) == files - 1, "once more does nothing");
	seq = UINT64_MAX;
	promise(ask(put_prune, &seq, &count, sizeof(count)) == MC_OK &&
	    count == files - 2 && walk(&last) == 1 &&
	    last == position().durable, "the last file always stays");
}

static void
keep(void)
{
	struct kept *kept = contract_kept();

	find(position().durable, &kept->last);
	kept->position = position();
}

static bool
is_kept(void)
{
	struct kept *kept = contract_kept();
	struct wmqfile_extent extent;
	struct wmq_position at = position();

	return memcmp(&at, &kept->position, sizeof(at)) == 0 &&
	    find(at.durable, &extent) == MC_OK &&
	    is_same(&extent, &kept->last) &&
	    bytes_check(&extent) == at.durable + 1;
}

static void
from_nothing(void)
{
	first_file();
	refusals();
	waiting();
	waiting_ends();
	cancelled();
	many_files();
	finding();
	pruning();
	keep();
}

static void
stopped(void)
{
	promise(is_kept(), "after a stop the same file is there, to the same "
	    "byte");
	promise(append(10) == position().durable, "and it goes on from "
	    "there");
	keep();
}

static void
killed(void)
{
	promise(is_kept(), "after SIGKILL likewise");
}

static const struct contract_phase phases[] = {
	{ "from nothing", from_nothing, false },
	{ "after a stop", stopped, true },
	{ "after SIGKILL", killed, false },
	{ 0 }
};

const struct contract_suite contract_wmqfile = {
	WMQFILE_SERVICE, .phases = phases,
	.also = { { WMQ_SERVICE, false }, { WMQ_SERVICE, false } }
};
