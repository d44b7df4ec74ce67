/* SPDX-License-Identifier: MIT */
/*
 * Mirrors: what a mirror shows is what the queue has, byte by byte, however
 * its bytes come; and what is wrong is never shown.
 */
#include "cutap.h"
#include "scratch.h"
#include "queue_rig.h"

#include <metacube/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS		9
#define BIG		3000	/* the length of one of them */

static struct queue *mirror;

static struct queue *
open_mirror(void)
{
	struct queue_conf conf = {
		.path = scratch_path("mirror"), .io = &rig_io
	};
	struct queue *queue = queue_mirror_open(&conf, &rig_news, rig_why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
	return queue;
}

/* A queue of several files, closed. */
static void
source_make(const char *name, unsigned records)
{
	static uint8_t data[BIG];
	struct queue_entry entry = { "tst", data, 4 };
	struct queue *queue = rig_open(name, 300, NOON);
	uint64_t seq;

	for (unsigned i = 0; i < records; i++) {
		memcpy(data, &i, sizeof(i));
		entry.len = i == 5 ? BIG : 4;
		CU_ASSERT_EQUAL(queue_commit(queue, &entry, 1, NOON, &seq),
		    QUEUE_OK);
	}
	queue_close(&queue);
}

/* Making the queue is slow, so it is made once. */
static void
both_fresh(void)
{
	struct queue *left;
	static bool made;

	rig_fault_none();
	if (!made) {
		rig_fresh();
		source_make("queue", RECORDS);
		made = true;
	}
	left = open_mirror();
	CU_ASSERT_EQUAL(queue_mirror_anew(left, "20200101.wmq"), QUEUE_OK);
	queue_close(&left);
	mirror = open_mirror();
}

static struct queue_view *
view_copy(const struct queue_view *view)
{
	size_t size = sizeof(*view) + view->count * sizeof(view->files[0]);
	struct queue_view *copy = malloc(size);

	memcpy(copy, view, size);
	return copy;
}

/* The one that is used most does not change. */
static struct queue_view *
source_view(const char *name)
{
	static struct queue_view *known;
	struct rig_fault fault = rig_fault;	/* it is the mirror's */
	struct queue_view *view;
	struct queue *queue;

	if (strcmp(name, "queue") == 0 && known != NULL)
		return view_copy(known);
	rig_fault_none();
	queue = rig_open(name, 300, NOON);
	view = queue_view(queue);
	queue_close(&queue);
	rig_fault = fault;
	if (strcmp(name, "queue") == 0)
		known = view_copy(view);
	return view;
}

static char *
source_bytes(const char *folder, const char *name, size_t *len_r)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return scratch_read(scratch_path(path), len_r);
}

static enum queue_result
fetch_file(const char *folder, const char *name, size_t piece)
{
	enum queue_result result = QUEUE_OK;
	struct queue_place place;
	size_t len;
	char *bytes = source_bytes(folder, name, &len);

	queue_mirror_place(mirror, &place);
	while (result == QUEUE_OK && place.offset < len) {
		result = queue_mirror_put(mirror, &place,
		    bytes + place.offset, len - place.offset < piece ?
		    len - place.offset : piece);
		queue_mirror_place(mirror, &place);
	}
	free(bytes);
	return result;
}

/* What somebody who mirrors does, in pieces of this size, until everything is
 * there or something fails. */
static enum queue_result
fetch(const char *folder, size_t piece)
{
	struct queue_view *view = source_view(folder);
	enum queue_result result = QUEUE_OK;
	struct queue_place place;
	size_t i = 0;

	queue_mirror_place(mirror, &place);
	if (place.name[0] == '\0')
		result = queue_mirror_anew(mirror, view->files[0].name);
	queue_mirror_place(mirror, &place);
	while (i < view->count && strcmp(place.name,
	    view->files[i].name) != 0)
		i++;
	while (result == QUEUE_OK && i < view->count) {
		result = fetch_file(folder, view->files[i].name, piece);
		if (result == QUEUE_OK && ++i < view->count)
			result = queue_mirror_begin(mirror,
			    view->files[i].name);
	}
	free(view);
	return result;
}

static bool
is_equal(const char *folder)
{
	struct queue_view *view = source_view(folder);
	struct wmq_position position;
	bool equal = true;

	queue_position(mirror, &position);
	equal = memcmp(&position, &view->position, sizeof(position)) == 0;
	for (size_t i = 0; equal && i < view->count; i++) {
		size_t len, other_len;
		char *bytes = source_bytes(folder, view->files[i].name, &len);
		char *other = source_bytes("mirror", view->files[i].name,
		    &other_len);

		equal = equal && len == other_len &&
		    memcmp(bytes, other, len) == 0;
		free(bytes);
		free(other);
	}
	free(view);
	return equal;
}

/* Every record that is shown is right. */
static size_t
shown(void)
{
	unsigned numbers[64];
	struct wmq_position position;
	enum queue_result result;
	size_t n;

	queue_position(mirror, &position);
	n = rig_read(mirror, position.oldest - 1, 1 << 16, numbers, &result);
	CU_ASSERT_EQUAL(result, QUEUE_OK);
	CU_ASSERT_EQUAL(n, position.durable - position.oldest + 1);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(numbers[i], position.oldest - 1 + i);
	return n;
}

static void
any_pieces(void)
{
	static const size_t pieces[] = { 1, 7, 63, 64, 65, 1000, 1 << 20 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		both_fresh();
		CU_ASSERT_EQUAL(fetch("queue", pieces[i]), QUEUE_OK);
		CU_ASSERT_TRUE(is_equal("queue"));
		CU_ASSERT_EQUAL(shown(), RECORDS);
		queue_close(&mirror);
		CU_ASSERT_TRUE(rig_news.cut_bytes == 0);
		mirror = open_mirror();
		CU_ASSERT_TRUE(is_equal("queue"));
		CU_ASSERT_EQUAL(rig_news.dropped, 0);
		queue_close(&mirror);
	}
}

static void
nothing_there(void)
{
	struct wmq_position position;
	struct queue_place place;
	size_t count;

	both_fresh();
	queue_mirror_place(mirror, &place);
	CU_ASSERT_STRING_EQUAL(place.name, "");
	queue_position(mirror, &position);
	CU_ASSERT_TRUE(position.oldest == 1 && position.durable == 0);
	CU_ASSERT_EQUAL(shown(), 0);
	CU_ASSERT_EQUAL(queue_prune(mirror, 100, &count), QUEUE_OK);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, "x", 1),
	    QUEUE_DAMAGED);
	queue_close(&mirror);
}

/* Opened again after each single byte: goes on from the last whole record. */
static void
interrupted(void)
{
	struct queue_view *view;
	struct queue_place place;
	char *bytes;
	size_t len;

	both_fresh();
	view = source_view("queue");
	bytes = source_bytes("queue", view->files[0].name, &len);
	for (size_t have = 0; have <= len; have++) {
		CU_ASSERT_EQUAL(queue_mirror_anew(mirror,
		    view->files[0].name), QUEUE_OK);
		queue_mirror_place(mirror, &place);
		CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes, have),
		    QUEUE_OK);
		queue_close(&mirror);
		mirror = open_mirror();
		shown();
		queue_mirror_place(mirror, &place);
		CU_ASSERT_TRUE(place.offset <= have &&
		    (have == 0 || place.offset + 64 + BIG > have));
		CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
		CU_ASSERT_TRUE(is_equal("queue"));
	}
	free(bytes);
	free(view);
	queue_close(&mirror);
}

/* Each bit flipped on the way: said so, and then fetched again. */
static void
flipped_on_the_way(void)
{
	struct queue_view *view;
	struct queue_place place;
	char *bytes;
	size_t len;

	both_fresh();
	view = source_view("queue");
	CU_ASSERT_TRUE(view->count > 3);
	bytes = source_bytes("queue", view->files[0].name, &len);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		CU_ASSERT_EQUAL(queue_mirror_anew(mirror,
		    view->files[0].name), QUEUE_OK);
		queue_mirror_place(mirror, &place);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		if (queue_mirror_put(mirror, &place, bytes, len) ==
		    QUEUE_OK)
			CU_FAIL("a flipped bit was taken");
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		shown();
	}
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	CU_ASSERT_TRUE(is_equal("queue"));
	free(bytes);
	free(view);
	queue_close(&mirror);
}

/* How far from one bit to the next?  All are tried in the second file and in
 * the last one. */
static size_t
bit_step(const struct queue_view *view, size_t file, size_t bit)
{
	if (view->files[file].end > BIG && bit > 2000)
		return 797;
	return file == 1 || file + 1 == view->count ? 1 : 41;
}

/* Bits flipped on the disk: noticed when opened, or when read; and when that
 * file is forgotten and fetched again, everything is right. */
static void
flipped_on_disk(void)
{
	struct queue_view *view;
	struct queue_place fault;
	unsigned numbers[64];
	enum queue_result result;
	char *bytes, path[128];
	size_t len;

	both_fresh();
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	queue_close(&mirror);
	view = source_view("queue");
	for (size_t file = 0; file < view->count; file++) {
		bytes = source_bytes("queue", view->files[file].name, &len);
		snprintf(path, sizeof(path), "mirror/%s",
		    view->files[file].name);
		for (size_t bit = 0; bit < 8 * len;
		    bit += bit_step(view, file, bit)) {
			bytes[bit / 8] ^= (char)(1 << bit % 8);
			scratch_write(path, bytes, len, 0600);
			bytes[bit / 8] ^= (char)(1 << bit % 8);
			mirror = open_mirror();
			rig_read(mirror, 0, 1 << 16, numbers, &result);
			if (result == QUEUE_DAMAGED) {
				queue_fault(mirror, &fault);
				CU_ASSERT_STRING_EQUAL(fault.name,
				    view->files[file].name);
				CU_ASSERT_EQUAL(queue_mirror_forget(mirror,
				    fault.name), QUEUE_OK);
			} else
				CU_ASSERT_TRUE(rig_news.dropped > 0 ||
				    rig_news.cut_bytes > 0);
			shown();
			CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
			if (!is_equal("queue"))
				CU_FAIL("it is not what the queue has");
			queue_close(&mirror);
		}
		free(bytes);
	}
	free(view);
}

static void
wrong_places(void)
{
	struct queue_view *view;
	struct queue_place place;
	char *bytes;
	size_t len;

	both_fresh();
	view = source_view("queue");
	bytes = source_bytes("queue", view->files[0].name, &len);
	CU_ASSERT_EQUAL(queue_mirror_anew(mirror, "../20241004.wmq"),
	    QUEUE_FAILED);
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, "20241004-1.wmq"),
	    QUEUE_FAILED);
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, ""), QUEUE_FAILED);
	CU_ASSERT_EQUAL(queue_mirror_anew(mirror, view->files[0].name),
	    QUEUE_OK);
	queue_mirror_place(mirror, &place);
	place.offset = 1;
	CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes + 1, 20),
	    QUEUE_DAMAGED);
	queue_mirror_place(mirror, &place);
	CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes, len - 1),
	    QUEUE_OK);
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, view->files[1].name),
	    QUEUE_FAILED);	/* its last byte is missing */
	queue_mirror_place(mirror, &place);
	CU_ASSERT_EQUAL(place.offset, len - 1);
	CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes + len - 1, 1),
	    QUEUE_OK);
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, view->files[0].name),
	    QUEUE_FAILED);
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, "20241003.wmq"),
	    QUEUE_FAILED);
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, view->files[2].name),
	    QUEUE_OK);		/* the next but one does not continue */
	free(bytes);
	bytes = source_bytes("queue", view->files[2].name, &len);
	queue_mirror_place(mirror, &place);
	CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes, len),
	    QUEUE_DAMAGED);
	CU_ASSERT_PTR_NOT_NULL(strstr(queue_why(mirror), "does not continue"));
	free(bytes);
	free(view);
	queue_close(&mirror);
}

static void
other_epoch(void)
{
	struct wmq_position position;
	struct queue_place place;
	char *bytes;
	size_t len;

	both_fresh();
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	rig_epoch = "another epoch";
	source_make("other", 3);
	rig_epoch = NULL;
	CU_ASSERT_EQUAL(queue_mirror_begin(mirror, "20241005.wmq"),
	    QUEUE_OK);
	bytes = source_bytes("other", "20241004.wmq", &len);
	queue_mirror_place(mirror, &place);
	CU_ASSERT_EQUAL(queue_mirror_put(mirror, &place, bytes, len),
	    QUEUE_DAMAGED);
	CU_ASSERT_PTR_NOT_NULL(strstr(queue_why(mirror), "another epoch"));
	free(bytes);
	CU_ASSERT_EQUAL(queue_mirror_anew(mirror, "20241004.wmq"),
	    QUEUE_OK);
	queue_position(mirror, &position);
	CU_ASSERT_EQUAL(position.durable, 0);
	CU_ASSERT_EQUAL(fetch("other", 1 << 16), QUEUE_OK);
	CU_ASSERT_TRUE(is_equal("other"));
	CU_ASSERT_EQUAL(shown(), 3);
	queue_close(&mirror);
}

static void
pruned(void)
{
	struct wmq_position position;
	unsigned numbers[64];
	enum queue_result result;
	size_t count;

	both_fresh();
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	CU_ASSERT_EQUAL(queue_prune(mirror, 7, &count), QUEUE_OK);
	CU_ASSERT_TRUE(count > 0);
	queue_position(mirror, &position);
	CU_ASSERT_TRUE(position.oldest > 1 && position.oldest <= 8);
	rig_read(mirror, 0, 1 << 16, numbers, &result);
	CU_ASSERT_EQUAL(result, QUEUE_GONE);
	shown();
	queue_close(&mirror);
	mirror = open_mirror();
	CU_ASSERT_EQUAL(rig_news.dropped, 0);
	CU_ASSERT_EQUAL(shown(), RECORDS + 1 - position.oldest);
	queue_close(&mirror);
}

/* Each call fails once while everything is fetched; then the mirror is opened
 * again and fetches the rest. */
static void
each_call(int error)
{
	for (enum call call = 0; call < CALLS; call++) {
		unsigned count;

		both_fresh();
		rig_fault_none();
		fetch("queue", 50);
		count = rig_fault.count[call];
		queue_close(&mirror);
		for (unsigned nth = 1; nth <= count; nth++) {
			both_fresh();
			rig_fault_set(call, nth, error);
			fetch("queue", 50);
			rig_fault_none();
			shown();
			queue_close(&mirror);
			mirror = open_mirror();
			shown();
			CU_ASSERT_EQUAL(fetch("queue", 50), QUEUE_OK);
			CU_ASSERT_TRUE(is_equal("queue"));
			queue_close(&mirror);
		}
	}
}

static void
each_call_fails(void)
{
	each_call(EIO);
	each_call(ENOSPC);
	each_call(EINTR);
	each_call(0);
}

/* A full disk: said so, and later it goes on without being opened again. */
static void
full(void)
{
	both_fresh();
	rig_fault_set(CALL_PWRITE, 3, ENOSPC);
	CU_ASSERT_EQUAL(fetch("queue", 50), QUEUE_FULL);
	rig_fault_none();
	shown();
	CU_ASSERT_EQUAL(fetch("queue", 50), QUEUE_OK);
	CU_ASSERT_TRUE(is_equal("queue"));
	queue_close(&mirror);
}

/* That a file cannot be opened just now is no damage; that it is gone is. */
static void
unreadable(void)
{
	unsigned numbers[64];
	enum queue_result result;
	struct queue_place fault;
	struct queue_view *view;
	char path[64];

	both_fresh();
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	view = source_view("queue");
	rig_fault_set(CALL_OPEN, 1, EMFILE);
	rig_read(mirror, 0, 1 << 16, numbers, &result);
	CU_ASSERT_EQUAL(result, QUEUE_FAILED);
	rig_fault_none();
	CU_ASSERT_EQUAL(shown(), RECORDS);
	snprintf(path, sizeof(path), "mirror/%s", view->files[1].name);
	CU_ASSERT_EQUAL(unlink(scratch_path(path)), 0);
	rig_read(mirror, 0, 1 << 16, numbers, &result);
	CU_ASSERT_EQUAL(result, QUEUE_DAMAGED);
	queue_fault(mirror, &fault);
	CU_ASSERT_STRING_EQUAL(fault.name, view->files[1].name);
	CU_ASSERT_EQUAL(queue_mirror_forget(mirror, fault.name), QUEUE_OK);
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	CU_ASSERT_TRUE(is_equal("queue"));
	free(view);
	queue_close(&mirror);
}

/* Whatever a power cut leaves of the newest file. */
static void
power_cut(void)
{
	struct queue_view *view;
	char *bytes, path[128];
	size_t len;

	both_fresh();
	CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
	view = source_view("queue");
	queue_close(&mirror);
	bytes = source_bytes("queue", view->files[view->count - 1].name, &len);
	snprintf(path, sizeof(path), "mirror/%s",
	    view->files[view->count - 1].name);
	for (size_t kept = 0; kept < len; kept++) {
		char *left = malloc(len);

		memcpy(left, bytes, len);
		memset(left + kept, 0, kept + 20 < len ? 20 : len - kept);
		scratch_write(path, left, kept % 2 == 0 ? kept : len, 0600);
		free(left);
		mirror = open_mirror();
		CU_ASSERT_EQUAL(rig_news.dropped,
		    kept < SEGMENT_HEADER_SIZE);	/* else it is cut */
		shown();
		CU_ASSERT_EQUAL(fetch("queue", 1 << 16), QUEUE_OK);
		CU_ASSERT_TRUE(is_equal("queue"));
		queue_close(&mirror);
	}
	free(bytes);
	free(view);
}

const struct cutap_test queue_mirror_tests[] = {
	{ "bytes in pieces of any size", any_pieces },
	{ "an empty mirror", nothing_there },
	{ "ended after each byte, it goes on", interrupted },
	{ "no bit changes unseen on the way", flipped_on_the_way },
	{ "no bit changes unseen on the disk", flipped_on_disk },
	{ "bytes and files out of place are refused", wrong_places },
	{ "another epoch, from its first file on", other_epoch },
	{ "old files are deleted, and the rest is shown", pruned },
	{ "each call fails once", each_call_fails },
	{ "what cannot be read now, and what is gone", unreadable },
	{ "a full disk, and later it goes on", full },
	{ "what a power cut leaves is cut off", power_cut },
	{ NULL, NULL }
};
