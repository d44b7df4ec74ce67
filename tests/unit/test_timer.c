/* SPDX-License-Identifier: MIT */
/* Timers and watched descriptors: once, in their slot, and gone in time. */

#include "cutap.h"
#include "rig.h"

#include "timer.h"

#include <string.h>
#include <unistd.h>

static struct rig rig;
static unsigned turns;

struct owner {
	struct mc_timer	*timer;
	struct mc_watch	*watch;
	unsigned	 fired, turn;
	bool		 slot_was_null;
	int		 events, fds[2];
};

static void
fired(void *arg)
{
	struct owner *owner = arg;

	owner->fired++;
	owner->turn = ++turns;
	owner->slot_was_null = owner->timer == NULL;
}

static void
stop(void *arg)
{
	fired(arg);
	loop_stop(rig.process.loop);
}

static void
set(struct owner *owner, unsigned ms)
{
	mc_timer_set(rig.instance, &owner->timer, ms, fired, owner);
}

static void
begin(void)
{
	turns = 0;
	rig_open(&rig, "tcapw_fake", "");
}

static void
end(void)
{
	rig_close(&rig);
}

static void
test_timer(void)
{
	struct owner early = { 0 }, late = { 0 }, last = { 0 };
	uint64_t began;

	begin();
	mc_timer_clear(&early.timer);		/* of NULL is fine */
	do {	/* until the second is set before it should have been due */
		began = mc_now_ms();
		set(&late, 30);
		set(&early, 10);
	} while (mc_now_ms() - began >= 20);
	mc_timer_set(rig.instance, &last.timer, 60, stop, &last);
	CU_ASSERT_PTR_NOT_NULL(early.timer);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(early.fired, 1);
	CU_ASSERT_TRUE(early.slot_was_null);
	CU_ASSERT_EQUAL(early.turn, 1);
	CU_ASSERT_EQUAL(late.turn, 2);
	CU_ASSERT_EQUAL(last.turn, 3);
	end();
}

static void
test_replace(void)
{
	struct owner moved = { 0 }, cleared = { 0 }, last = { 0 };
	uint64_t began = mc_now_ms();

	begin();
	set(&cleared, 5);
	mc_timer_clear(&cleared.timer);
	CU_ASSERT_PTR_NULL(cleared.timer);
	set(&moved, 60000);
	mc_timer_set(rig.instance, &moved.timer, 5, fired, &moved);
	mc_timer_set(rig.instance, &last.timer, 40, stop, &last);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(moved.fired, 1);
	CU_ASSERT_EQUAL(cleared.fired, 0);
	CU_ASSERT_TRUE(mc_now_ms() - began >= 30);
	end();
}

/* A timer that sets itself again from its own callback. */
static void
again(void *arg)
{
	struct owner *owner = arg;

	fired(owner);
	if (owner->fired < 5)
		mc_timer_set(rig.instance, &owner->timer, 1, again, owner);
	else
		loop_stop(rig.process.loop);
}

static void
test_again(void)
{
	struct owner owner = { 0 };

	begin();
	mc_timer_set(rig.instance, &owner.timer, 1, again, &owner);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(owner.fired, 5);
	CU_ASSERT_PTR_NULL(owner.timer);
	end();
}

static void
ready(void *arg, int events)
{
	struct owner *owner = arg;

	owner->events |= events;
	mc_watch_clear(&owner->watch);		/* from its own callback */
	loop_stop(rig.process.loop);
}

static void
test_watch(void)
{
	struct owner owner = { 0 };

	begin();
	CU_ASSERT_EQUAL_FATAL(pipe(owner.fds), 0);
	mc_watch_set(rig.instance, &owner.watch, owner.fds[0], MC_READ, ready,
	    &owner);
	CU_ASSERT_EQUAL(write(owner.fds[1], "x", 1), 1);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(owner.events, MC_READ);
	CU_ASSERT_PTR_NULL(owner.watch);
	owner.events = 0;
	mc_watch_set(rig.instance, &owner.watch, owner.fds[1], MC_WRITE,
	    ready, &owner);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(owner.events, MC_WRITE);
	close(owner.fds[0]);
	close(owner.fds[1]);
	end();
}

/* Who ends takes them along, and its slots say so. */
static void
test_close(void)
{
	struct owner owner = { 0 }, last = { 0 };

	begin();
	CU_ASSERT_EQUAL_FATAL(pipe(owner.fds), 0);
	set(&owner, 1);
	mc_watch_set(rig.instance, &owner.watch, owner.fds[1], MC_WRITE,
	    ready, &owner);
	timers_close(rig.instance);
	CU_ASSERT_PTR_NULL(owner.timer);
	CU_ASSERT_PTR_NULL(owner.watch);
	mc_timer_set(rig.asker, &last.timer, 20, stop, &last);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(owner.fired, 0);
	CU_ASSERT_EQUAL(owner.events, 0);
	close(owner.fds[0]);
	close(owner.fds[1]);
	end();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "timers fire once, in order", test_timer },
		{ "a timer is moved or cleared", test_replace },
		{ "a timer sets itself again", test_again },
		{ "a descriptor is watched", test_watch },
		{ "an instance's end takes them along", test_close },
		{ NULL, NULL }
	};

	callback_limit_set(60000);
	return cutap_run("timer", tests);
}
