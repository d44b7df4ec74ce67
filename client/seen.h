/* SPDX-License-Identifier: MIT */
/*
 * seen - who is on the map, ordered by id.
 */
#ifndef CLIENT_SEEN_H
#define CLIENT_SEEN_H

#include <metacube/client.h>

#define SEEN_MAX	65536

struct seen {
	struct metacube_avatar	*all;
	size_t			 count, size;
};

struct metacube_avatar *seen_find(const struct seen *, uint32_t id);
/* The one with this id, made when it is new (zeroed but for the id).  NULL:
 * there are SEEN_MAX already, or there is no memory. */
struct metacube_avatar *seen_add(struct seen *, uint32_t id);
void	seen_remove(struct seen *, uint32_t id);
void	seen_clear(struct seen *);

#endif
