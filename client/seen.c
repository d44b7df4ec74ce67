/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The first whose id is not below. */
static size_t
position(const struct seen *seen, uint32_t id)
{
	size_t low = 0, high = seen->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seen->all[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct seen *seen, size_t i, uint32_t id)
{
	return i < seen->count && seen->all[i].id == id;
}

struct metacube_avatar *
seen_find(const struct seen *seen, uint32_t id)
{
	size_t i = position(seen, id);

	return is_at(seen, i, id) ? &seen->all[i] : NULL;
}

static int
make_room(struct seen *seen)
{
	size_t size = seen->size != 0 ? seen->size * 2 : 16;
	struct metacube_avatar *all;

	if (seen->count < seen->size)
		return 0;
	if (seen->count >= SEEN_MAX)
		return -1;
	all = realloc(seen->all, size * sizeof(*all));
	if (all == NULL)
		return -1;
	seen->all = all;
	seen->size = size;
	return 0;
}

struct metacube_avatar *
seen_add(struct seen *seen, uint32_t id)
{
	size_t i = position(seen, id);
	struct metacube_avatar *avatar;

	if (is_at(seen, i, id))
		return &seen->all[i];
	if (make_room(seen) < 0)
		return NULL;
	avatar = &seen->all[i];
	memmove(avatar + 1, avatar, (seen->count - i) * sizeof(*avatar));
	seen->count++;
	memset(avatar, 0, sizeof(*avatar));
	avatar->id = id;
	return avatar;
}

void
seen_remove(struct seen *seen, uint32_t id)
{
	size_t i = position(seen, id);

	if (!is_at(seen, i, id))
		return;
	seen->count--;
	memmove(&seen->all[i], &seen->all[i + 1],
	    (seen->count - i) * sizeof(seen->all[i]));
}

void
seen_clear(struct seen *seen)
{
	free(seen->all);
	*seen = (struct seen){ NULL, 0, 0 };
}
