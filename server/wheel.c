/* SPDX-License-Identifier: MIT */
#include "wheel.h"

#include <stddef.h>

void
wheel_init(struct wheel *wheel, uint64_t now_ms)
{
	wheel->tick = now_ms / WHEEL_TICK_MS + 1;
	wheel->count = 0;
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		LIST_INIT(&wheel->slots[i]);
}

/* The slot whose time is just past the deadline, or the last one there is. */
static uint64_t
tick_for(const struct wheel *wheel, uint64_t deadline_ms)
{
	uint64_t tick = deadline_ms / WHEEL_TICK_MS + 1;

	if (tick < wheel->tick)
		return wheel->tick;
	if (tick >= wheel->tick + WHEEL_SLOTS)
		return wheel->tick + WHEEL_SLOTS - 1;
	return tick;
}

static void
insert(struct wheel *wheel, struct wheel_entry *entry)
{
	entry->tick = tick_for(wheel, entry->deadline_ms);
	LIST_INSERT_HEAD(&wheel->slots[entry->tick % WHEEL_SLOTS], entry,
	    link);
	wheel->count++;
}

void
wheel_clear(struct wheel *wheel, struct wheel_entry *entry)
{
	if (entry->tick == 0)
		return;
	LIST_REMOVE(entry, link);
	entry->tick = 0;
	wheel->count--;
}

void
wheel_set(struct wheel *wheel, struct wheel_entry *entry,
    uint64_t deadline_ms)
{
	entry->deadline_ms = deadline_ms;
	if (entry->tick != 0 && entry->tick <= deadline_ms / WHEEL_TICK_MS + 1)
		return;
	wheel_clear(wheel, entry);
	insert(wheel, entry);
}

static void
turn_slot(struct wheel *wheel, uint64_t now_ms, wheel_due_fn *due)
{
	struct wheel_list slot = wheel->slots[wheel->tick % WHEEL_SLOTS];
	struct wheel_entry *entry;

	LIST_INIT(&wheel->slots[wheel->tick % WHEEL_SLOTS]);
	if (slot.lh_first != NULL)
		slot.lh_first->link.le_prev = &slot.lh_first;
	wheel->tick++;
	while ((entry = LIST_FIRST(&slot)) != NULL) {
		wheel_clear(wheel, entry);
		if (entry->deadline_ms > now_ms)
			insert(wheel, entry);
		else
			due(entry);
	}
}

void
wheel_turn(struct wheel *wheel, uint64_t now_ms, wheel_due_fn *due)
{
	uint64_t upto = now_ms / WHEEL_TICK_MS;

	if (wheel->count == 0 && wheel->tick <= upto)
		wheel->tick = upto + 1;
	while (wheel->tick <= upto)
		turn_slot(wheel, now_ms, due);
}

int
wheel_wait(const struct wheel *wheel, uint64_t now_ms)
{
	uint64_t tick = wheel->tick, at;

	if (wheel->count == 0)
		return -1;
	while (LIST_EMPTY(&wheel->slots[tick % WHEEL_SLOTS]))
		tick++;
	at = tick * WHEEL_TICK_MS;
	return at > now_ms ? (int)(at - now_ms) : 0;
}
