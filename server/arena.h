/* SPDX-License-Identifier: MIT */
/*
 * arena - memory for one decoded message: taken piece by piece, never given
 * back singly, bounded, and wiped when it goes.
 *
 * The first piece is the caller's (usually behind the message's own head, so
 * that a small message is one allocation).
 */
#ifndef SERVER_ARENA_H
#define SERVER_ARENA_H

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	ProtobufCAllocator	 allocator;
	struct arena_block	*blocks;	/* beyond the first piece */
	uint8_t			*at, *end;
	size_t			 left;		/* bytes of further blocks */
};

/* first holds first_size bytes; beyond it at most limit more. */
void	 arena_init(struct arena *, void *first, size_t first_size,
	    size_t limit);

/* Aligned for anything; NULL when the limit is reached. */
void	*arena_take(struct arena *, size_t size);

/* Wipes and frees all but the first piece, which is the caller's to wipe. */
void	 arena_clear(struct arena *);

#endif
