/* SPDX-License-Identifier: MIT */
/*
 * Changes are only noted one behind the other; when there is no room, what
 * later ones have made void is thrown out, and only when that is little is
 * the table full.
 */
#include "changes.h"

#include <metacube/host.h>
#include <metacube/pwq.h>

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t	uid, seq;
	uint32_t	offset, len;	/* in bytes; len 0: deleted */
};

struct changes {
	struct entry	*entries;
	size_t		 count, room;
	uint8_t		*bytes;
	size_t		 used, size;
};

struct changes *
changes_new(size_t budget)
{
	struct changes *changes = mc_zalloc(sizeof(*changes));

	changes->room = budget / 8 / sizeof(struct entry);
	changes->entries = mc_zalloc(changes->room * sizeof(struct entry));
	changes->size = budget - budget / 8;
	changes->bytes = mc_zalloc(changes->size);
	return changes;
}

void
changes_free(struct changes **changes)
{
	if (*changes == NULL)
		return;
	mc_wipe((*changes)->bytes, (*changes)->used);
	free((*changes)->bytes);
	free((*changes)->entries);
	free(*changes);
	*changes = NULL;
}

void
changes_clear(struct changes *changes)
{
	mc_wipe(changes->bytes, changes->used);
	changes->count = changes->used = 0;
}

static int
by_uid(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;

	if (one->uid != two->uid)
		return one->uid < two->uid ? -1 : 1;
	return one->seq < two->seq ? -1 : one->seq > two->seq;
}

static int
by_offset(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;

	return one->offset < two->offset ? -1 : one->offset > two->offset;
}

size_t
changes_sort(struct changes *changes)
{
	struct entry *entries = changes->entries;
	size_t kept = 0;

	qsort(entries, changes->count, sizeof(*entries), by_uid);
	for (size_t i = 0; i < changes->count; i++)
		if (i + 1 == changes->count ||
		    entries[i + 1].uid != entries[i].uid)
			entries[kept++] = entries[i];
	changes->count = kept;
	return kept;
}

/* Moves the bytes that still count together. */
static void
compact(struct changes *changes)
{
	size_t count = changes_sort(changes), was = changes->used;
	struct entry *entry;

	qsort(changes->entries, count, sizeof(*entry), by_offset);
	changes->used = 0;
	for (size_t i = 0; i < count; i++) {
		entry = &changes->entries[i];
		memmove(changes->bytes + changes->used,
		    changes->bytes + entry->offset, entry->len);
		entry->offset = (uint32_t)changes->used;
		changes->used += entry->len;
	}
	mc_wipe(changes->bytes + changes->used, was - changes->used);
}

static bool
has_room(const struct changes *changes)
{
	return changes->count < changes->room &&
	    changes->size - changes->used >= PWQ_MAX;
}

static bool
room_make(struct changes *changes)
{
	if (has_room(changes))
		return true;
	compact(changes);
	return changes->count < changes->room / 2 &&
	    changes->used < changes->size / 2;
}

bool
changes_put(struct changes *changes, const struct tcapw_change *change)
{
	struct entry *entry;

	if (change->verb == TCAPW_RESERVE)
		return true;
	if (!room_make(changes))
		return false;
	entry = &changes->entries[changes->count++];
	entry->uid = change->account.uid;
	entry->seq = change->pointer.seq;
	entry->offset = (uint32_t)changes->used;
	entry->len = 0;
	if (change->verb != TCAPW_DELETE)
		entry->len = (uint32_t)pwq_account_encode(&change->account,
		    changes->bytes + changes->used);
	changes->used += entry->len;
	return true;
}

struct changes_state
changes_at(const struct changes *changes, size_t n)
{
	const struct entry *entry = &changes->entries[n];

	return (struct changes_state) {
		entry->uid, entry->len, changes->bytes + entry->offset
	};
}
