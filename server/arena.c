/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <metacube/host.h>

#include <stdlib.h>

#define ALIGN		8
#define BLOCK_MIN	2048

struct arena_block {
	struct arena_block	*next;
	size_t			 size;	/* of what follows */
	uint8_t			 bytes[];
};

static void *
take(void *arena, size_t size)
{
	return arena_take(arena, size);
}

static void
give(void *arena, void *pointer)
{
	(void)arena;
	(void)pointer;
}

void
arena_init(struct arena *arena, void *first, size_t first_size, size_t limit)
{
	arena->allocator.alloc = take;
	arena->allocator.free = give;
	arena->allocator.allocator_data = arena;
	arena->blocks = NULL;
	arena->at = first;
	arena->end = arena->at + first_size;
	arena->left = limit;
}

static bool
add_block(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size < BLOCK_MIN)
		size = BLOCK_MIN;
	if (size > arena->left)
		return false;
	block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return false;
	block->next = arena->blocks;
	block->size = size;
	arena->blocks = block;
	arena->left -= size;
	arena->at = block->bytes;
	arena->end = block->bytes + size;
	return true;
}

void *
arena_take(struct arena *arena, size_t size)
{
	void *pointer;

	if (size > SIZE_MAX - ALIGN)
		return NULL;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > (size_t)(arena->end - arena->at) && !add_block(arena, size))
		return NULL;
	pointer = arena->at;
	arena->at += size;
	return pointer;
}

void
arena_clear(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block != NULL; block = next) {
		next = block->next;
		mc_wipe(block->bytes, block->size);
		free(block);
	}
	arena->blocks = NULL;
	arena->at = arena->end = NULL;
}
