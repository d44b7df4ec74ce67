/* SPDX-License-Identifier: MIT */
/* One question, one answer, whatever the provider does. */

#include "cutap.h"
#include "rig.h"

#include "calls.h"
#include "instance.h"

#include <metacube/tcapw.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Far above the other: a busy machine may rest between two questions. */
#define SLOW_MS	500

static const struct mc_op quick_read = { "tcapw.lookup", 30, false };
static const struct mc_op quick_write = { "tcapw.apply", 30, true };
static const struct mc_op slow_read = { "tcapw.lookup", SLOW_MS, false };

static struct rig rig;

/* One question of a test, and what came of it. */
struct asked {
	struct mc_call		*slot;
	enum mc_status		 status;
	struct tcapw_account	 account;
	bool			 has_account, slot_was_null;
	unsigned		 answers;
	uint64_t		 request, at_ms;
	unsigned		 turn;
};

static unsigned waiting_for, turns;

static void
answered(void *owner, const struct mc_reply *reply)
{
	struct asked *asked = owner;
	const struct tcapw_account *account =
	    MC_RESULT(reply, struct tcapw_account);

	asked->answers++;
	asked->status = reply->status;
	asked->slot_was_null = asked->slot == NULL;
	asked->request = request_current();
	asked->at_ms = mc_now_ms();
	asked->turn = ++turns;
	asked->has_account = account != NULL;
	if (account != NULL)
		asked->account = *account;
	if (waiting_for > 0 && --waiting_for == 0)
		loop_stop(rig.process.loop);
}

static void
lookup(struct asked *asked, const char *name)
{
	memset(asked, 0, sizeof(*asked));
	waiting_for++;
	tcapw_lookup(&rig.to, name, &asked->slot, answered, asked);
}

/* With a time-out of the test's own. */
static void
lookup_as(struct asked *asked, const struct mc_op *op)
{
	const struct tcapw_ops *ops = rig.to.ops;
	struct mc_call *call;

	memset(asked, 0, sizeof(*asked));
	waiting_for++;
	call = mc_call_new(&rig.to, op, &asked->slot, answered, asked);
	if (call != NULL)
		ops->lookup(rig.to.provider, "joe", call);
}

static void
begin(const char *settings)
{
	waiting_for = turns = 0;
	rig_open(&rig, "tcapw_fake", settings);
}

static void
end(void)
{
	rig_close(&rig);
}

static void
check_answer(const struct asked *asked, const char *name)
{
	CU_ASSERT_EQUAL(asked->answers, 1);
	CU_ASSERT_EQUAL(asked->status, MC_OK);
	CU_ASSERT_TRUE(asked->slot_was_null);
	CU_ASSERT_TRUE_FATAL(asked->has_account);
	CU_ASSERT_STRING_EQUAL(asked->account.name, name);
}

static bool
nothing_owed(void *arg)
{
	(void)arg;
	return calls_owed(rig.instance) == 0;
}

static void
test_answer(void)
{
	struct asked joe, amanda;

	begin("behaviour = \"answers\";");
	lookup(&joe, "joe");
	CU_ASSERT_EQUAL(joe.answers, 0);	/* not inside the call */
	CU_ASSERT_PTR_NOT_NULL(joe.slot);
	lookup(&amanda, "amanda");
	CU_ASSERT_TRUE(rig_run(&rig));
	check_answer(&joe, "joe");
	check_answer(&amanda, "amanda");
	CU_ASSERT_TRUE(joe.turn < amanda.turn);
	CU_ASSERT_EQUAL(rig_counter(rig.instance, "tcapw.lookup.calls"), 2);
	CU_ASSERT_EQUAL(calls_owed(rig.instance), 0);
	end();
}

/* The linker takes the frees of the host here (--wrap). */
static unsigned freed_results;

void	__real_free(void *);
void	__wrap_free(void *);

void
__wrap_free(void *block)
{
	if (block != NULL && memmem(block, malloc_usable_size(block),
	    "canary-account", 14) != NULL)
		freed_results++;
	__real_free(block);
}

/* A result may be a verifier: its copy does not stay in memory. */
static void
test_wiped(void)
{
	struct asked asked;

	begin("behaviour = \"answers\";");
	freed_results = 0;
	lookup(&asked, "canary-account");
	CU_ASSERT_TRUE(rig_run(&rig));
	check_answer(&asked, "canary-account");
	end();
	CU_ASSERT_EQUAL(freed_results, 0);
}

static void
ask_many(const char *settings)
{
	static struct asked many[100];
	char name[16];

	begin(settings);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		lookup(&many[i], name);
	}
	CU_ASSERT_TRUE(rig_run(&rig));
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		check_answer(&many[i], name);
	}
	end();
}

static void
test_threads(void)
{
	ask_many("behaviour = \"thread\";");
	ask_many("behaviour = \"pool\";");
}

static void
test_silent(void)
{
	struct asked read, write;
	uint64_t began;

	begin("behaviour = \"silent\";");
	began = mc_now_ms();
	lookup_as(&read, &quick_read);
	lookup_as(&write, &quick_write);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(read.status, MC_TIMEOUT);
	CU_ASSERT_EQUAL(write.status, MC_UNCERTAIN);
	CU_ASSERT_TRUE(read.slot_was_null && write.slot_was_null);
	CU_ASSERT_TRUE(read.at_ms - began >= 29);
	CU_ASSERT_EQUAL(calls_owed(rig.instance), 2);
	CU_ASSERT_FALSE(calls_awaited(rig.instance));
	CU_ASSERT_EQUAL(rig_counter(rig.instance, "tcapw.lookup.timeouts"), 1);
	CU_ASSERT_EQUAL(rig_counter(rig.instance, "tcapw.apply.timeouts"), 1);
	end();
}

static void
test_order(void)
{
	struct asked slow, first, second;
	uint64_t began;

	begin("behaviour = \"silent\";");
	began = mc_now_ms();
	lookup_as(&slow, &slow_read);
	lookup_as(&first, &quick_read);
	lookup_as(&second, &quick_read);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(first.turn, 1);
	CU_ASSERT_EQUAL(second.turn, 2);
	CU_ASSERT_EQUAL(slow.turn, 3);
	CU_ASSERT_TRUE(slow.at_ms - began >= SLOW_MS - 1);
	end();
}

/* The timer that the first call has set serves the later ones. */
static void
test_later_deadline(void)
{
	struct asked dropped, kept;
	uint64_t began;

	begin("behaviour = \"silent\";");
	lookup_as(&dropped, &slow_read);
	mc_call_cancel(&dropped.slot);
	began = mc_now_ms();
	lookup_as(&kept, &slow_read);
	waiting_for = 1;
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(dropped.answers, 0);
	CU_ASSERT_EQUAL(kept.status, MC_TIMEOUT);
	CU_ASSERT_TRUE(kept.at_ms - began >= SLOW_MS - 1);
	end();
}

static void
test_late(void)
{
	struct asked asked;

	begin("behaviour = \"unwanted\";");
	lookup_as(&asked, &quick_read);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(asked.status, MC_TIMEOUT);
	CU_ASSERT_TRUE(rig_until(&rig, nothing_owed, NULL));
	CU_ASSERT_EQUAL(asked.answers, 1);
	CU_ASSERT_EQUAL(rig_counter(rig.instance, "tcapw.lookup.late"), 1);
	end();
}

static void
test_cancel(void)
{
	struct asked asked;

	begin("behaviour = \"unwanted\";");
	lookup(&asked, "joe");
	CU_ASSERT_TRUE(mc_call_wanted(asked.slot));
	mc_call_cancel(&asked.slot);
	CU_ASSERT_PTR_NULL(asked.slot);
	mc_call_cancel(&asked.slot);		/* of NULL is fine */
	CU_ASSERT_EQUAL(calls_owed(rig.instance), 1);
	CU_ASSERT_TRUE(rig_until(&rig, nothing_owed, NULL));
	CU_ASSERT_EQUAL(asked.answers, 0);
	CU_ASSERT_EQUAL(rig_counter(rig.instance, "tcapw.lookup.late"), 0);
	end();
}

/* The answer is on its way when the question is withdrawn. */
static void
test_cancel_answered(void)
{
	struct asked asked;

	begin("behaviour = \"answers\";");
	lookup(&asked, "joe");
	mc_call_cancel(&asked.slot);
	CU_ASSERT_TRUE(rig_until(&rig, nothing_owed, NULL));
	CU_ASSERT_EQUAL(asked.answers, 0);
	end();
}

static void
test_double(void)
{
	static struct asked many[3000];		/* more than the quarantine */

	begin("behaviour = \"double\";");
	for (size_t i = 0; i < 3000; i += 100) {
		for (size_t k = i; k < i + 100; k++)
			lookup(&many[k], "joe");
		CU_ASSERT_TRUE(rig_run(&rig));
	}
	for (size_t i = 0; i < 3000; i++)
		check_answer(&many[i], "joe");
	rig_close(&rig);
}

static bool
doubled(void *arg)
{
	(void)arg;
	return rig_counter(rig.instance, "tcapw.lookup.doubled") == 5;
}

/* How many lines of what this process has said have these words. */
static unsigned
lines_with(FILE *said, const char *words)
{
	unsigned count = 0;
	char line[512];

	rewind(said);
	while (fgets(line, sizeof(line), said) != NULL)
		count += strstr(line, words) != NULL;
	fclose(said);
	return count;
}

static void
test_double_counted(void)
{
	int before = dup(STDERR_FILENO);
	FILE *said = tmpfile();
	struct asked asked[5];

	dup2(fileno(said), STDERR_FILENO);
	begin("behaviour = \"double\";");
	for (int i = 0; i < 5; i++)
		lookup(&asked[i], "joe");
	CU_ASSERT_TRUE(rig_until(&rig, doubled, NULL));
	for (int i = 0; i < 5; i++)
		check_answer(&asked[i], "joe");
	end();
	dup2(before, STDERR_FILENO);
	close(before);
	CU_ASSERT_EQUAL(lines_with(said, "answered a second time"), 1);
}

static void
test_failing(void)
{
	struct asked asked;

	begin("behaviour = \"failing\"; status = \"denied\";");
	lookup(&asked, "joe");
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(asked.status, MC_DENIED);
	CU_ASSERT_FALSE(asked.has_account);
	end();
}

static void
test_huge(void)
{
	struct asked asked;

	begin("behaviour = \"huge\";");
	lookup(&asked, "joe");
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(asked.status, MC_INTERNAL);
	end();
}

static void
test_limit(void)
{
	struct asked asked[4], refused, withdrawn;

	begin("behaviour = \"unwanted\";");
	rig.process.conf.max_calls = 4;
	for (int i = 0; i < 4; i++)
		lookup(&asked[i], "joe");
	lookup(&refused, "amanda");
	lookup(&withdrawn, "amanda");
	CU_ASSERT_EQUAL(refused.answers, 0);	/* not inside the call */
	CU_ASSERT_PTR_NOT_NULL(refused.slot);
	mc_call_cancel(&withdrawn.slot);
	waiting_for = 1;
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(refused.status, MC_BUSY);
	CU_ASSERT_TRUE(refused.slot_was_null);
	CU_ASSERT_EQUAL(withdrawn.answers, 0);
	CU_ASSERT_EQUAL(rig_counter(rig.instance, "tcapw.lookup.refused"), 2);
	for (int i = 0; i < 4; i++)
		mc_call_cancel(&asked[i].slot);
	CU_ASSERT_TRUE(rig_until(&rig, nothing_owed, NULL));
	lookup_as(&asked[0], &quick_read);	/* there is room again */
	CU_ASSERT_EQUAL(calls_owed(rig.instance), 1);
	waiting_for = 1;
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(asked[0].status, MC_TIMEOUT);
	end();
}

static void
test_absent(void)
{
	struct mc_ref absent;
	struct asked asked = { .slot = NULL };

	begin("");
	absent = (struct mc_ref){ .caller = rig.asker };
	waiting_for = 1;
	tcapw_lookup(&absent, "joe", &asked.slot, answered, &asked);
	CU_ASSERT_EQUAL(asked.answers, 0);
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(asked.status, MC_UNAVAILABLE);
	end();
}

static void
test_stopped(void)
{
	struct asked asked;

	begin("");
	instance_stop(rig.instance);
	lookup(&asked, "joe");
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(asked.status, MC_UNAVAILABLE);
	end();
}

/* Who has ended hears nothing, and cannot ask. */
static void
test_closed(void)
{
	struct asked before, after;

	begin("behaviour = \"slow\"; delay = \"5ms\";");
	lookup(&before, "joe");
	calls_close(rig.asker);
	CU_ASSERT_PTR_NULL(before.slot);
	lookup(&after, "amanda");
	CU_ASSERT_PTR_NULL(after.slot);
	CU_ASSERT_TRUE(rig_until(&rig, nothing_owed, NULL));
	CU_ASSERT_EQUAL(before.answers + after.answers, 0);
	end();
}

static void
test_request(void)
{
	struct callback callback;
	struct asked inherited, fresh, other;

	begin("behaviour = \"thread\";");
	callback_begin(&callback, rig.asker, "test", 77);
	lookup(&inherited, "joe");
	callback_end(&callback);
	lookup(&fresh, "joe");
	lookup(&other, "joe");
	CU_ASSERT_TRUE(rig_run(&rig));
	CU_ASSERT_EQUAL(inherited.request, 77);
	CU_ASSERT_NOT_EQUAL(fresh.request, 0);
	CU_ASSERT_NOT_EQUAL(fresh.request, other.request);
	CU_ASSERT_EQUAL(request_current(), 0);
	end();
}

/* Says what a call costs; how much that may be depends on the machine. */
#define COST_CALLS	100000
#define COST_CHAINS	64		/* questions open at any time */

static unsigned cost_calls;

static void
again(void *owner, const struct mc_reply *reply)
{
	struct mc_call **slot = owner;

	CU_ASSERT_EQUAL(reply->status, MC_OK);
	if (++cost_calls < COST_CALLS)
		tcapw_lookup(&rig.to, "joe", slot, again, slot);
	else
		loop_stop(rig.process.loop);
}

static double
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void
test_cost(void)
{
	struct mc_call *slots[COST_CHAINS];
	double from;

	begin("behaviour = \"answers\";");
	cost_calls = 0;
	from = cpu_ns();
	for (int i = 0; i < COST_CHAINS; i++)
		tcapw_lookup(&rig.to, "joe", &slots[i], again, &slots[i]);
	CU_ASSERT_TRUE(rig_run(&rig));
	printf("# %.0f ns for a call, with its provider\n",
	    (cpu_ns() - from) / COST_CALLS);
	CU_ASSERT_TRUE(cost_calls >= COST_CALLS);
	end();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "an answer comes once, later, as a copy", test_answer },
		{ "a result is wiped when it has been read", test_wiped },
		{ "answers come from any thread", test_threads },
		{ "a silent provider is answered for", test_silent },
		{ "calls expire in order", test_order },
		{ "a later call has its own deadline", test_later_deadline },
		{ "a late answer is counted and dropped", test_late },
		{ "a cancelled call is not answered", test_cancel },
		{ "nor when its answer is under way", test_cancel_answered },
		{ "a second answer reaches nobody", test_double },
		{ "a second answer is counted", test_double_counted },
		{ "a refusal is passed on", test_failing },
		{ "an answer that is too long is an error", test_huge },
		{ "beyond the limit a call is refused", test_limit },
		{ "an absent provider is not available", test_absent },
		{ "nor is a stopped one", test_stopped },
		{ "who has ended hears nothing", test_closed },
		{ "a call inherits the request", test_request },
		{ "many calls, and what they cost", test_cost },
		{ NULL, NULL }
	};

	callback_limit_set(60000);
	return cutap_run("call", tests);
}
