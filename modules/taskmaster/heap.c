/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

static bool
before(const struct heap_node *a, const struct heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void
put(struct heap *heap, size_t place, struct heap_node *node)
{
	heap->nodes[place] = node;
	node->place = place;
}

static void
rise(struct heap *heap, struct heap_node *node)
{
	size_t place = node->place;

	for (; place > 1 && before(node, heap->nodes[place / 2]); place /= 2)
		put(heap, place, heap->nodes[place / 2]);
	put(heap, place, node);
}

static void
sink(struct heap *heap, struct heap_node *node)
{
	size_t place = node->place, child;

	while ((child = 2 * place) <= heap->count) {
		if (child < heap->count &&
		    before(heap->nodes[child + 1], heap->nodes[child]))
			child++;
		if (!before(heap->nodes[child], node))
			break;
		put(heap, place, heap->nodes[child]);
		place = child;
	}
	put(heap, place, node);
}

static void
grow(struct heap *heap)
{
	size_t size = heap->size > 0 ? 2 * heap->size : 4;
	struct heap_node **nodes = mc_zalloc(size * sizeof(struct heap_node *));

	if (heap->size > 0)
		memcpy(nodes, heap->nodes,
		    heap->size * sizeof(struct heap_node *));
	free(heap->nodes);
	heap->nodes = nodes;
	heap->size = size;
}

void
heap_free(struct heap *heap)
{
	free(heap->nodes);
	memset(heap, 0, sizeof(*heap));
}

void
heap_add(struct heap *heap, struct heap_node *node)
{
	if (heap->count + 1 >= heap->size)
		grow(heap);
	put(heap, ++heap->count, node);
	rise(heap, node);
}

void
heap_remove(struct heap *heap, struct heap_node *node)
{
	struct heap_node *last;

	if (node->place == 0)
		return;
	last = heap->nodes[heap->count--];
	if (last != node) {
		put(heap, node->place, last);
		rise(heap, last);
		sink(heap, last);
	}
	node->place = 0;
}

void
heap_key(struct heap *heap, struct heap_node *node, uint64_t key)
{
	node->key = key;
	if (node->place == 0)
		return;
	rise(heap, node);
	sink(heap, node);
}

struct heap_node *
heap_top(const struct heap *heap)
{
	return heap->count > 0 ? heap->nodes[1] : NULL;
}
