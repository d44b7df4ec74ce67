/* SPDX-License-Identifier: MIT */
/*
 * The old freeze is read and the new one written account by account, both in
 * the order of uids, as the sorted changes are.  A pass between is a freeze
 * of its own, PATH.part: encrypted like every other, and gone at the end.
 */
#include "merge.h"

#include <metacube/bytes.h>
#include <metacube/host.h>
#include <metacube/pwq.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UID_AT		1	/* in an encoded account: freeze.h's order */
#define PART		".part"
#define NEW		".new"

/* One pass. */
struct pass {
	struct merge		*merge;
	struct freeze_writer	*writer;
	struct freeze_reader	*reader;	/* NULL: from nothing */
	size_t			 next, count;	/* of the changes */
};

static bool
stopped(const atomic_bool *stop)
{
	return stop != NULL && atomic_load(stop);
}

static int
stopping(char why[FREEZE_WHY])
{
	snprintf(why, FREEZE_WHY, "given up, as the server stops");
	return -1;
}

/* Writes the changed accounts below this uid; true: it has itself changed. */
static bool
changed_below(struct pass *pass, uint64_t uid)
{
	struct changes_state state;

	while (pass->next < pass->count) {
		state = changes_at(pass->merge->changes, pass->next);
		if (state.uid > uid)
			return false;
		pass->next++;
		if (state.len > 0)
			freeze_add(pass->writer, state.encoded, state.len);
		if (state.uid == uid)
			return true;
	}
	return false;
}

static int
chunk_merge(struct pass *pass, const void *accounts, size_t size)
{
	size_t offset = 0, len;
	const uint8_t *at;

	while ((at = pwq_account_next(accounts, size, &offset, &len)) != NULL)
		if (!changed_below(pass, mc_get64(at + UID_AT)) &&
		    freeze_add(pass->writer, at, len) != 0)
			return -1;
	return 0;
}

static int
old_merge(struct pass *pass)
{
	struct merge *merge = pass->merge;
	struct freeze_header header;
	const void *accounts;
	size_t len = 1;

	if (merge->from[0] == '\0')
		return 0;
	pass->reader = freeze_open(merge->from, merge->keys, &header,
	    merge->why);
	if (pass->reader == NULL)
		return -1;
	while (len > 0) {
		if (stopped(merge->stop))
			return stopping(merge->why);
		if (freeze_next(pass->reader, &accounts, &len,
		    merge->why) != 0)
			return -1;
		/* A failed add is told by freeze_end. */
		if (chunk_merge(pass, accounts, len) != 0)
			return 0;
	}
	return 0;
}

static int
outcome_check(struct pass *pass, const struct tcapw_position *expected)
{
	struct merge *merge = pass->merge;
	struct tcapw_position made;

	freeze_so_far(pass->writer, &made);
	if (expected == NULL || (made.count == expected->count &&
	    merge->last_uid == expected->last_uid &&
	    memcmp(made.digest, expected->digest, 16) == 0))
		return 0;
	merge->differs = true;
	snprintf(merge->why, FREEZE_WHY, "the store is not what the queue "
	    "says: at change %llu it has %llu accounts and the highest uid "
	    "%llu, by the queue there are %llu and %llu%s",
	    (unsigned long long)merge->at.seq,
	    (unsigned long long)expected->count,
	    (unsigned long long)expected->last_uid,
	    (unsigned long long)made.count,
	    (unsigned long long)merge->last_uid,
	    memcmp(made.digest, expected->digest, 16) != 0 ?
	    ", with another digest" : "");
	return -1;
}

static int
pass_run(struct merge *merge, const char *to,
    const struct tcapw_position *expected, struct freeze_header *header)
{
	struct pass pass = { .merge = merge };
	int result = -1;

	header->position.pointer = merge->at;
	header->position.last_uid = merge->last_uid;
	mc_random(header->nonce_prefix, sizeof(header->nonce_prefix));
	pass.writer = freeze_begin(to, merge->keys, header, merge->why);
	if (pass.writer == NULL)
		return -1;
	pass.count = changes_sort(merge->changes);
	if (old_merge(&pass) == 0) {
		changed_below(&pass, UINT64_MAX);
		if (outcome_check(&pass, expected) == 0)
			result = freeze_end(&pass.writer, header, merge->why);
	}
	freeze_drop(&pass.writer);
	freeze_close(&pass.reader);
	changes_clear(merge->changes);
	merge->passes++;
	return result;
}

int
merge_begin(struct merge *merge, const char *path,
    const struct freeze_keys *keys, size_t budget, const atomic_bool *stop)
{
	struct freeze_header header;
	struct freeze_reader *reader;

	memset(merge, 0, sizeof(*merge));
	merge->path = path;
	merge->keys = keys;
	merge->stop = stop;
	if (strlen(path) + sizeof(PART) > sizeof(merge->part)) {
		snprintf(merge->why, FREEZE_WHY, "%.300s: the path is too "
		    "long", path);
		return -1;
	}
	snprintf(merge->part, sizeof(merge->part), "%s" PART, path);
	if (access(path, F_OK) == 0) {
		reader = freeze_open(path, keys, &header, merge->why);
		if (reader == NULL)
			return -1;
		freeze_close(&reader);
		snprintf(merge->from, sizeof(merge->from), "%s", path);
		merge->at = header.position.pointer;
		merge->last_uid = header.position.last_uid;
	} else if (errno != ENOENT) {
		snprintf(merge->why, FREEZE_WHY, "%.300s: %s", path,
		    strerror(errno));
		return -1;
	}
	merge->changes = changes_new(budget);
	return 0;
}

static int
room_make(struct merge *merge)
{
	struct freeze_header header = { .time = 0 };

	if (pass_run(merge, merge->part, NULL, &header) != 0)
		return -1;
	mc_crash_point("freeze.pass");
	strcpy(merge->from, merge->part);
	return 0;
}

static int
change_take(struct merge *merge, const struct wmq_record *record,
    const void *data)
{
	struct tcapw_change change;
	int result = 0;

	if (pwq_decode(data, record->len, &change) != 0) {
		snprintf(merge->why, FREEZE_WHY, "record %llu of the queue is "
		    "no account change", (unsigned long long)record->seq);
		return -1;
	}
	/* As the follower does it for the store. */
	change.pointer.seq = change.account.seq = record->seq;
	if (!changes_put(merge->changes, &change)) {
		result = room_make(merge);
		if (result == 0)
			changes_put(merge->changes, &change);
	}
	if (change.account.uid > merge->last_uid)
		merge->last_uid = change.account.uid;
	mc_wipe(&change, sizeof(change));
	return result;
}

int
merge_record(struct merge *merge, const struct wmq_record *record,
    const void *data)
{
	if (stopped(merge->stop))
		return stopping(merge->why);
	if (record->seq != merge->at.seq + 1) {
		snprintf(merge->why, FREEZE_WHY, "the queue gave record %llu "
		    "after %llu", (unsigned long long)record->seq,
		    (unsigned long long)merge->at.seq);
		return -1;
	}
	if (memcmp(record->tag, PWQ_TAG, sizeof(PWQ_TAG)) == 0 &&
	    change_take(merge, record, data) != 0)
		return -1;
	merge->at.seq = record->seq;
	return 0;
}

int
merge_end(struct merge *merge, const struct tcapw_position *expected,
    uint32_t time, uint32_t offset, struct freeze_header *header_r)
{
	memset(header_r, 0, sizeof(*header_r));
	header_r->time = time;
	header_r->offset = offset;
	return pass_run(merge, merge->path, expected, header_r);
}

void
merge_free(struct merge *merge)
{
	if (merge->changes == NULL)
		return;
	changes_free(&merge->changes);
	merge_clean(merge->path);
}

int
merge_verify(const char *path, const struct freeze_keys *keys,
    const atomic_bool *stop, struct freeze_header *header_r,
    char why[FREEZE_WHY])
{
	struct freeze_reader *reader = freeze_open(path, keys, header_r, why);
	const void *accounts;
	size_t len = 1;
	int result = 0;

	if (reader == NULL)
		return -1;
	while (result == 0 && len > 0)
		result = stopped(stop) ? stopping(why) :
		    freeze_next(reader, &accounts, &len, why);
	freeze_close(&reader);
	return result;
}

void
merge_clean(const char *path)
{
	static const char *const ends[] = { NEW, PART, PART NEW };
	char left[FREEZE_PATH_SIZE + 16];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(left, sizeof(left), "%s%s", path, ends[i]);
		unlink(left);
	}
}
