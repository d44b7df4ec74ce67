/* SPDX-License-Identifier: MIT */
/*
 * The gateway and accounts that others have changed: what the replica says,
 * and what it must find out itself.
 */
#include "gateway_rig.h"

#include <stdio.h>

static void
cut(void)
{
	Metacube__Join join = METACUBE__JOIN__INIT;
	struct mc_conn *joe, *again, *amanda;

	open_with(false, true);
	joe = joe_is_in();
	again = joe_is_in();
	join.map = (char *)"desert";
	SEND(again, JOIN, join, &join);
	amanda = log_in("Amanda");
	granted(6, "amanda", "Amanda");
	HEARD(amanda, LOGGED_IN);
	told(5, REPLICA_LOCKED, 5, "joe");
	kicked(joe, LOCKED);
	kicked(again, LOCKED);
	CU_ASSERT_FALSE(stage_over(amanda));
	CU_ASSERT_EQUAL(evicted, 5);
	CU_ASSERT_EQUAL(evicted_for, (int)LOCKED);
	told(6, REPLICA_PASSWORD, 6, "amanda");
	kicked(amanda, CHANGED);
	CU_ASSERT_EQUAL(evicted, 5);		/* not answered yet */
	answer(&evict_call, MC_OK, NULL, 0);
	CU_ASSERT_EQUAL(evicted, 6);
	CU_ASSERT_EQUAL(evicted_for, (int)CHANGED);
	CU_ASSERT_EQUAL(stage_count("kicked"), 3);
	close_gateway();
}

/* The old password was looked up, the change came, then it was found right. */
static void
while_verifying(void)
{
	struct mc_conn *joe, *amanda;

	open_with(false, true);
	joe = log_in("JOE");
	told(5, REPLICA_PASSWORD, 5, "joe");
	granted(5, "joe", "Joe");
	CU_ASSERT_PTR_NULL(HEARD(joe, LOGGED_IN));
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_EQUAL(stage_count("logins_stale"), 1);
	amanda = log_in("amanda");
	told(6, REPLICA_PASSWORD, 5, "joe");
	granted(6, "amanda", "Amanda");
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, LOGGED_IN));
	joe = log_in("joe");
	told(7, REPLICA_ANYTHING, 0, "");
	kicked(amanda, CHANGED);
	granted(5, "joe", "Joe");
	CU_ASSERT_TRUE(stage_over(joe));
	close_gateway();
}

/* In order, and again until it was answered. */
static void
taskmaster_away(void)
{
	open_with(false, true);
	told(5, REPLICA_LOCKED, 5, "joe");
	told(6, REPLICA_DELETED, 6, "amanda");
	CU_ASSERT_EQUAL(stage_count("evictions_waiting"), 2);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(evicted, 5);
		answer(&evict_call, i == 1 ? MC_UNCERTAIN : MC_UNAVAILABLE,
		    NULL, 0);
		CU_ASSERT_PTR_NULL(evict_call);
		stage_pass(1000);
	}
	answer(&evict_call, MC_OK, NULL, 0);
	CU_ASSERT_EQUAL(evicted, 6);
	answer(&evict_call, MC_DENIED, NULL, 0);	/* never will be */
	CU_ASSERT_TRUE(stage_logged("does not let this server"));
	CU_ASSERT_EQUAL(stage_count("evictions_waiting"), 0);
	CU_ASSERT_PTR_NULL(evict_call);
	close_gateway();
}

/* Where they are sent, it is known of which login they are. */
static void
sent(void)
{
	Metacube__Join join = METACUBE__JOIN__INIT;
	struct mc_conn *conn;

	open_with(false, false);
	conn = joe_is_in();
	join.map = (char *)"desert";
	SEND(conn, JOIN, join, &join);
	CU_ASSERT_PTR_NOT_NULL(place_call);
	CU_ASSERT_EQUAL(placed_generation, 17);
	close_gateway();
}

static void
store_says(const char *name, uint64_t uid, uint64_t generation,
    uint32_t flags)
{
	struct tcapw_account account = {
		.uid = uid, .flags = flags, .generation = generation
	};

	CU_ASSERT_STRING_EQUAL(looked_up, name);
	snprintf(account.name, sizeof(account.name), "%s", name);
	answer(&lookup_call, MC_OK, &account, sizeof(account));
}

static void
store_has_not(const char *name)
{
	CU_ASSERT_STRING_EQUAL(looked_up, name);
	answer(&lookup_call, MC_NOT_FOUND, NULL, 0);
}

static void
evicts(uint64_t uid, Metacube__Reason reason)
{
	CU_ASSERT_EQUAL(evicted, uid);
	CU_ASSERT_EQUAL(evicted_for, (int)reason);
	answer(&evict_call, MC_OK, NULL, 0);
}

static void
nobody_goes(void)
{
	CU_ASSERT_PTR_NULL(lookup_call);
	CU_ASSERT_PTR_NULL(evict_call);
}

/* What has happened while no gateway was there is no news to it. */
static void
missed(void)
{
	is_there(5, 1, "Joe");
	is_there(6, 1, "Amanda");
	is_there(7, 2, "Gone");
	is_there(8, 2, "Another");
	is_there(9, 0, "No one!");
	open_with(false, true);
	store_says("joe", 5, 2, TCAPW_LOCKED);
	evicts(5, LOCKED);
	answer(&lookup_call, MC_UNAVAILABLE, NULL, 0);
	nobody_goes();
	stage_pass(1000);
	store_says("amanda", 6, 2, 0);
	evicts(6, CHANGED);
	store_has_not("gone");
	evicts(7, CHANGED);
	store_says("another", 10, 2, 0);
	evicts(8, CHANGED);
	evicts(9, CHANGED);
	nobody_goes();
	CU_ASSERT_EQUAL(stage_count("reviews"), 1);
	CU_ASSERT_EQUAL(stage_count("reviewed_out"), 5);
	stage_pass(10000);			/* once is enough */
	nobody_goes();
	close_gateway();
}

static size_t
nobody_known(void)
{
	size_t looked = 0;

	for (; lookup_call != NULL; looked++)
		answer(&lookup_call, MC_NOT_FOUND, NULL, 0);
	return looked;
}

static void
all_go(void)
{
	while (evict_call != NULL)
		answer(&evict_call, MC_OK, NULL, 0);
}

/* As many evictions as that are enough to wait for: news come after them. */
static void
many_missed(void)
{
	char name[16];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "gone%u", i);
		is_there(1 + i % 90, 2, name);
	}
	open_with(false, true);
	CU_ASSERT_EQUAL(nobody_known(), 257);
	stage_pass(5000);
	CU_ASSERT_PTR_NULL(lookup_call);
	answer(&evict_call, MC_OK, NULL, 0);
	stage_pass(1000);
	CU_ASSERT_EQUAL(nobody_known(), 1);
	all_go();
	stage_pass(1000);
	CU_ASSERT_EQUAL(nobody_known(), 42);
	all_go();
	CU_ASSERT_EQUAL(stage_count("reviewed_out"), 300);
	close_gateway();
}

/* Nothing has happened, or this store does not know of it yet. */
static void
not_missed(void)
{
	is_there(5, 1, "Joe");
	is_there(6, 3, "Amanda");
	is_there(7, 3, "Unlocked");
	is_there(101, 0, "New");
	is_there(102, 0, "Again");
	open_with(false, true);
	store_says("joe", 5, 1, 0);
	store_says("amanda", 6, 2, 0);
	store_says("unlocked", 7, 3, TCAPW_LOCKED);
	store_has_not("new");
	store_says("again", 50, 4, 0);
	nobody_goes();
	close_gateway();
}

/* The taskmaster has forgotten whom it was to evict, and says so. */
static void
in_doubt(void)
{
	open_with(false, true);
	is_there(5, 1, "Joe");
	stage_pass(5000);
	nobody_goes();				/* seats are given all day */
	doubt = 2;
	players_status = MC_UNAVAILABLE;
	stage_pass(5000);
	nobody_goes();
	players_status = MC_OK;
	stage_pass(1000);
	doubt = 3;				/* while joe is looked up */
	store_says("joe", 5, 1, 0);
	stage_pass(1000);
	players_status = MC_UNAVAILABLE;	/* then it is gone */
	store_says("joe", 5, 1, 0);
	players_status = MC_OK;
	stage_pass(1000);			/* so all of it once more */
	store_says("joe", 5, 2, 0);
	evicts(5, CHANGED);
	stage_pass(5000);
	nobody_goes();
	close_gateway();
}

/* A minute, and nothing new. */
static void
minute_passes(void)
{
	for (int i = 0; i < 2; i++) {
		stage_pass(31000);
		answer(&news_call, MC_OK, NULL, 0);
	}
}

/* At once as always; and when it had the time to come to where it was,
 * everything counts: there may be less in it than there was. */
static void
store_replaced(void)
{
	struct mc_call *dropped;

	open_with(false, true);
	is_there(5, 1, "Joe");
	is_there(6, 3, "Amanda");
	is_there(7, 3, "Locked");
	is_there(101, 0, "New");
	told(5, REPLICA_ANYTHING, 0, "");
	store_says("joe", 5, 2, 0);
	evicts(5, CHANGED);
	store_says("amanda", 6, 2, 0);
	dropped = lookup_call;
	lookup_call = NULL;
	told(6, REPLICA_ANYTHING, 0, "");	/* so from the first on */
	answer(&dropped, MC_OK, NULL, 0);
	for (int i = 0; i < 2; i++) {
		store_says("joe", 5, 1, 0);
		store_says("amanda", 6, i == 0 ? 2 : 3, 0);
		store_says("locked", 7, 3, TCAPW_LOCKED);
		if (i == 1)
			evicts(7, LOCKED);
		store_has_not("new");
		if (i == 1)
			evicts(101, CHANGED);
		nobody_goes();
		minute_passes();
	}
	nobody_goes();
	close_gateway();
}

/* A backup is older than the password of who is there. */
static void
store_restored(void)
{
	open_with(false, true);
	is_there(5, 2, "Joe");
	told(5, REPLICA_ANYTHING, 0, "");
	store_says("joe", 5, 1, 0);
	nobody_goes();
	minute_passes();
	store_says("joe", 5, 1, 0);
	evicts(5, CHANGED);
	close_gateway();
}

static void
replica_fails(void)
{
	open_with(false, true);
	answer(&news_call, MC_OK, NULL, 0);		/* no news */
	CU_ASSERT_EQUAL(news_after, 4);
	answer(&news_call, MC_UNAVAILABLE, NULL, 0);
	CU_ASSERT_PTR_NULL(news_call);
	stage_pass(1000);
	CU_ASSERT_PTR_NOT_NULL(news_call);
	CU_ASSERT_EQUAL(news_after, 4);
	close_gateway();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "locked and changed accounts", cut },
		{ "while the password is being checked", while_verifying },
		{ "the taskmaster is away", taskmaster_away },
		{ "of which login they are, where they are sent", sent },
		{ "changes while no gateway was there", missed },
		{ "many who have gone, some at a time", many_missed },
		{ "who came with a later login stays", not_missed },
		{ "a taskmaster that may have forgotten", in_doubt },
		{ "the whole store was replaced", store_replaced },
		{ "by one that is older", store_restored },
		{ "the replica has no news, or fails", replica_fails },
		{ NULL, NULL }
	};

	return cutap_run("gateway_news", tests);
}
