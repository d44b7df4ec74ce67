/* SPDX-License-Identifier: MIT */
/*
 * The world and its taskmaster: maps loaded and unloaded, users kicked and
 * sent elsewhere, the link lost and found, start and stop.
 */
#include "world_rig.h"

#include <stdlib.h>
#include <string.h>

static void
registers(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *again;

	begin();
	stage_drop(master);
	CU_ASSERT_TRUE(stage_logged("is lost; 0 users stay"));
	again = stage_accept();
	envelope = HEARD(again, REGISTER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_STRING_EQUAL(envelope->register_->name, "world-1");
	CU_ASSERT_STRING_EQUAL(envelope->register_->endpoint,
	    "127.0.0.1:7750");
	CU_ASSERT_EQUAL(envelope->register_->capacity, 100);
	CU_ASSERT_EQUAL(envelope->register_->n_map, 3);
	CU_ASSERT_STRING_EQUAL(envelope->register_->map[0], "harbour-town");
	CU_ASSERT_STRING_EQUAL(envelope->register_->title[1],
	    "Newbie Island");
	CU_ASSERT_EQUAL(envelope->register_->map_capacity[1], 60);
	CU_ASSERT_EQUAL(envelope->register_->n_running, 1);
	CU_ASSERT_STRING_EQUAL(envelope->register_->running[0],
	    "newbie-island");
	CU_ASSERT_EQUAL(envelope->register_->running_epoch[0], 5);
	end();
}

static void
loads(void)
{
	const Metacube__Envelope *envelope;

	begin();
	CU_ASSERT_TRUE(stage_logged("map newbie-island loaded in "));
	CU_ASSERT_TRUE(stage_logged("(256 x 256, capacity 60)"));
	master_load("newbie-island", 6);	/* it runs already */
	envelope = HEARD(master, LOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(envelope->loaded->epoch, 6);
	CU_ASSERT_EQUAL(stage_count("maps_loaded"), 1);
	master_load("atlantis", 7);
	envelope = HEARD(master, REFUSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_PTR_NOT_NULL(strstr(envelope->refused->text, "atlantis"));
	master_load("../newbie-island", 8);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, REFUSED));
	end();
}

static void
kick(uint64_t uid, const char *map, uint64_t epoch)
{
	Metacube__Kick body = METACUBE__KICK__INIT;

	body.uid = uid;
	body.map = (char *)map;
	body.epoch = epoch;
	body.reason = METACUBE__REASON__ACCOUNT_LOCKED;
	SEND(master, KICK, kick, &body);
}

static void
kicked(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	kick(1, "newbie-island", 4);
	kick(1, "old-forest", 5);
	kick(2, "newbie-island", 5);
	CU_ASSERT_FALSE(stage_over(joe));
	kick(1, "newbie-island", 5);
	envelope = HEARD(joe, KICKED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__ACCOUNT_LOCKED);
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	end();
}

static void
evict(uint64_t uid, uint64_t void_ms)
{
	Metacube__Kick body = METACUBE__KICK__INIT;

	body.uid = uid;
	body.reason = METACUBE__REASON__ACCOUNT_LOCKED;
	body.void_ms = void_ms;
	SEND(master, KICK, kick, &body);
}

/* Wherever they are, connected or not, and with whatever ticket. */
static void
evicted(void)
{
	const Metacube__Envelope *envelope;
	struct ticket before, after;
	struct mc_conn *joe, *amanda;
	Metacube__Resume resume = METACUBE__RESUME__INIT;
	uint8_t secret[64];

	begin();
	before = ticket_of(1, "Joe", "newbie-island", 5);
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	evict(1, before.expires_ms);
	envelope = HEARD(joe, KICKED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__ACCOUNT_LOCKED);
	CU_ASSERT_STRING_EQUAL(envelope->kicked->text,
	    "this account is locked");
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_FALSE(stage_over(amanda));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	turned_away(show(&before, &key), METACUBE__REASON__BAD_TICKET);
	CU_ASSERT_EQUAL(stage_count("tickets_void"), 1);
	stage_pass(1);
	after = ticket_of(1, "Joe", "newbie-island", 5);
	joe = show(&after, &key);
	envelope = HEARD(joe, ENTERED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	resume.session = envelope->entered->session;
	resume.secret.len = envelope->entered->secret.len;
	memcpy(secret, envelope->entered->secret.data, resume.secret.len);
	resume.secret.data = secret;
	stage_drop(joe);
	stage_pass(1);
	CU_ASSERT_EQUAL(world->users, 2);
	evict(1, after.expires_ms);
	CU_ASSERT_EQUAL(world->users, 1);
	joe = stage_connect();
	SEND(joe, RESUME, resume, &resume);
	turned_away(joe, METACUBE__REASON__BAD_TICKET);
	end();
}

/* Who waits until the map is loaded again is not on it yet. */
static void
evicted_waiting(void)
{
	struct ticket ticket;
	struct mc_conn *joe;

	begin();
	stage_pass(59999);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	stage_pass(2);
	joe = show(&ticket, &key);
	evict(1, ticket.expires_ms);
	turned_away(joe, METACUBE__REASON__ACCOUNT_LOCKED);
	CU_ASSERT_EQUAL(world->users, 0);
	end();
}

static void
full(void)
{
	begin();
	for (uint64_t uid = 1; uid <= 60; uid++)
		CU_ASSERT_PTR_NOT_NULL(HEARD(come(uid, "Bot"), ENTERED));
	turned_away(come(61, "One"), METACUBE__REASON__NO_WORLD);
	CU_ASSERT_PTR_NOT_NULL(HEARD(come(60, "Bot"), ENTERED));
	CU_ASSERT_EQUAL(world->users, 60);
	end();
}

/* Who shows a ticket for a full copy stays where they are. */
static void
full_elsewhere(void)
{
	struct mc_conn *joe;
	struct ticket ticket;

	begin();
	master_load("old-forest", 6);
	ticket = ticket_of(100, "Joe", "old-forest", 6);
	joe = show(&ticket, &key);
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, ENTERED));
	for (uint64_t uid = 1; uid <= 60; uid++)
		come(uid, "Bot");
	turned_away(come(100, "Joe"), METACUBE__REASON__NO_WORLD);
	CU_ASSERT_PTR_NULL(HEARD(joe, KICKED));
	CU_ASSERT_FALSE(stage_over(joe));
	CU_ASSERT_EQUAL(world->users, 61);
	end();
}

static void
unloads(void)
{
	const Metacube__Envelope *envelope;
	struct ticket ticket;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	stage_pass(120000);
	SEND(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	stage_pass(59000);
	CU_ASSERT_PTR_NULL(HEARD(master, UNLOADED));
	ticket = ticket_of(2, "Amanda", "newbie-island", 5);
	stage_pass(1001);
	envelope = HEARD(master, UNLOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->unloaded->epoch, 5);
	CU_ASSERT_TRUE(stage_logged(
	    "newbie-island is empty for 60 s: unloaded"));
	CU_ASSERT_PTR_NULL(world->copies->map);
	/* her ticket was on its way: the copy comes back, and says so */
	joe = show(&ticket, &key);
	CU_ASSERT_EQUAL(stage_unheard(joe), 0);
	stage_pass(1);
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, ENTERED));
	envelope = HEARD(master, LOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 0);
	CU_ASSERT_EQUAL(envelope->loaded->epoch, 5);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, ARRIVED));
	SEND(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	stage_pass(60001);
	CU_ASSERT_PTR_NOT_NULL(world->copies);
	stage_pass(30001);
	CU_ASSERT_PTR_NULL(world->copies);
	end();
}

/* While the copy that a ticket is for is being loaded again. */
static void
waits_and_goes(void)
{
	struct ticket ticket;
	struct mc_conn *joe;

	begin();
	stage_pass(59999);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	stage_pass(2);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, UNLOADED));
	joe = show(&ticket, &key);
	stage_drop(joe);
	stage_pass(1);
	CU_ASSERT_EQUAL(world->users, 0);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, LOADED));
	end();
	begin();
	stage_pass(59999);
	ticket = ticket_of(1, "Joe", "newbie-island", 5);
	stage_pass(2);
	joe = show(&ticket, &key);
	move_to(joe, 0, 0);
	turned_away(joe, METACUBE__REASON__BAD_REQUEST);
	CU_ASSERT_EQUAL(world->users, 0);
	end();
}

/* Without a taskmaster all goes on; a new one learns what there is. */
static void
link_lost(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;
	uint64_t epoch = 77;

	begin();
	joe = come(1, "Joe");
	stage_drop(master);
	amanda = come(2, "Amanda");
	CU_ASSERT_PTR_NOT_NULL(HEARD(joe, APPEARED));
	CU_ASSERT_PTR_NOT_NULL(HEARD(amanda, ENTERED));
	SEND(amanda, JOIN, join, &(Metacube__Join)METACUBE__JOIN__INIT);
	CU_ASSERT_EQUAL(refused(amanda), METACUBE__REASON__NO_SUCH_MAP);
	SEND(amanda, LIST_MAPS, list_maps,
	    &(Metacube__ListMaps)METACUBE__LIST_MAPS__INIT);
	CU_ASSERT_EQUAL(refused(amanda), METACUBE__REASON__TRY_LATER);
	CU_ASSERT_FALSE(stage_over(amanda));

	master = stage_accept();
	envelope = HEARD(master, REGISTER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->register_->n_player, 2);
	CU_ASSERT_EQUAL(envelope->register_->n_player_map, 2);
	CU_ASSERT_EQUAL(envelope->register_->player_map[0], 0);
	CU_ASSERT_EQUAL_FATAL(envelope->register_->n_player_generation, 2);
	for (size_t i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(envelope->register_->player_generation[i],
		    100 + envelope->register_->player[i]);
	/* before it has answered, one goes and one comes */
	SEND(joe, LEAVE, leave, &(Metacube__Leave)METACUBE__LEAVE__INIT);
	come(3, "Third");
	CU_ASSERT_EQUAL(stage_unheard(master), 0);
	master_up(&epoch, 1);
	envelope = HEARD(master, DEPARTED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->departed->uid, 1);
	CU_ASSERT_EQUAL(envelope->departed->epoch, 77);
	envelope = HEARD(master, ARRIVED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->arrived->uid, 3);
	CU_ASSERT_EQUAL(envelope->arrived->generation, 103);
	CU_ASSERT_EQUAL(envelope->arrived->epoch, 77);
	CU_ASSERT_EQUAL(stage_unheard(master), 0);
	turned_away(come(4, "Late"), METACUBE__REASON__BAD_TICKET);
	end();
}

/* A copy that has loaded while the link was down is announced. */
static void
loaded_while_down(void)
{
	const Metacube__Envelope *envelope;
	Metacube__Load load = METACUBE__LOAD__INIT;

	begin();
	load.map = (char *)"old-forest";
	load.epoch = 6;
	SEND(master, LOAD, load, &load);
	stage_drop(master);
	master = stage_accept();
	stage_pass(1);
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, REGISTER));
	CU_ASSERT_EQUAL(stage_unheard(master), 0);
	master_up((uint64_t[]) { 5 }, 1);
	envelope = HEARD(master, LOADED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 0);
	CU_ASSERT_STRING_EQUAL(envelope->loaded->map, "old-forest");
	CU_ASSERT_EQUAL(envelope->loaded->epoch, 6);
	end();
}

static void
travels(void)
{
	const Metacube__Envelope *envelope;
	Metacube__Join join = METACUBE__JOIN__INIT;
	Metacube__Placed placed = METACUBE__PLACED__INIT;
	Metacube__Envelope answer = METACUBE__ENVELOPE__INIT;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	join.map = (char *)"../old-forest";
	SEND(joe, JOIN, join, &join);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__NO_SUCH_MAP);
	CU_ASSERT_PTR_NULL(HEARD(master, PLACE));
	join.map = (char *)"old-forest";
	SEND(joe, JOIN, join, &join);
	envelope = HEARD(master, PLACE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->place->uid, 1);
	CU_ASSERT_STRING_EQUAL(envelope->place->name, "joe");
	CU_ASSERT_STRING_EQUAL(envelope->place->map, "old-forest");
	answer.cid = envelope->cid;
	SEND(joe, JOIN, join, &join);	/* one at a time */
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	placed.world = (char *)"world-2";
	placed.endpoint = (char *)"192.0.2.2:7750";
	placed.map = (char *)"old-forest";
	placed.ticket.data = (uint8_t *)"ticket";
	placed.ticket.len = 6;
	answer.message_case = METACUBE__ENVELOPE__MESSAGE_PLACED;
	answer.placed = &placed;
	stage_say(master, &answer);
	envelope = HEARD(joe, REROUTE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	CU_ASSERT_EQUAL(envelope->reroute->n_endpoint, 1);
	CU_ASSERT_STRING_EQUAL(envelope->reroute->endpoint[0],
	    "192.0.2.2:7750");
	CU_ASSERT_EQUAL(envelope->reroute->ticket.len, 6);
	CU_ASSERT_TRUE(stage_over(joe));
	CU_ASSERT_PTR_NOT_NULL(HEARD(master, DEPARTED));
	stage_say(master, &answer);	/* an answer nobody waits for */
	end();
}

static void
questions_end(void)
{
	Metacube__ListMaps list = METACUBE__LIST_MAPS__INIT;
	Metacube__Maps maps = METACUBE__MAPS__INIT;
	Metacube__Envelope answer = METACUBE__ENVELOPE__INIT;
	const Metacube__Envelope *envelope;
	struct mc_conn *joe;

	begin();
	joe = come(1, "Joe");
	list.after = (char *)"\xff\n";
	SEND(joe, LIST_MAPS, list_maps, &list);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__BAD_REQUEST);
	list.after = (char *)"harbour-town";
	SEND(joe, LIST_MAPS, list_maps, &list);
	envelope = HEARD(master, LIST_MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	answer.cid = envelope->cid;
	answer.message_case = METACUBE__ENVELOPE__MESSAGE_MAPS;
	answer.maps = &maps;
	stage_say(master, &answer);
	envelope = HEARD(joe, MAPS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->cid, 9);
	SEND(joe, LIST_MAPS, list_maps, &list);
	stage_pass(30001);		/* no answer */
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	SEND(joe, LIST_MAPS, list_maps, &list);
	stage_drop(master);
	CU_ASSERT_EQUAL(refused(joe), METACUBE__REASON__TRY_LATER);
	master = stage_accept();
	master_up((uint64_t[]) { 5 }, 1);
	SEND(joe, LIST_MAPS, list_maps, &list);
	envelope = HEARD(master, LIST_MAPS);
	answer.cid = envelope->cid;
	stage_drop(joe);		/* who asked is gone */
	stage_say(master, &answer);
	end();
}

static void
stops(void)
{
	const Metacube__Envelope *envelope;
	struct mc_conn *joe, *amanda;

	begin();
	joe = come(1, "Joe");
	amanda = come(2, "Amanda");
	stage_drop(amanda);
	metacube_module.stop(world);
	envelope = HEARD(joe, KICKED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(envelope);
	CU_ASSERT_EQUAL(envelope->kicked->reason,
	    METACUBE__REASON__SERVER_STOPPING);
	CU_ASSERT_PTR_NULL(stage_connect());
	stage_pass(0);
	metacube_module.fini(world);
	free(world);
	stage_reset("");
}

static enum mc_status
started(const char *listen, const char *advertise, const char *name)
{
	enum mc_status status;

	stage_reset("world-1");
	conf.listen.endpoint = listen;
	conf.advertise = advertise;
	conf.name = name;
	conf.maps = MAPS_DIR;
	conf.capacity = 1;
	world = mc_zalloc(metacube_module.state_size);
	status = metacube_module.init(world, stage_host(), &conf);
	if (status == MC_OK)
		status = metacube_module.start(world);
	if (status == MC_OK)
		metacube_module.stop(world);
	stage_pass(0);
	metacube_module.fini(world);
	return status;
}

static void
settings(void)
{
	CU_ASSERT_EQUAL(started("[::]:7750", "", ""), MC_INVALID);
	CU_ASSERT_TRUE(stage_logged("advertise: "));
	free(world);
	CU_ASSERT_EQUAL(started("0.0.0.0:7750", "", ""), MC_INVALID);
	free(world);
	CU_ASSERT_EQUAL(started("[::]:7750", "w.example.org:0", ""), MC_OK);
	CU_ASSERT_STRING_EQUAL(world->endpoint, "w.example.org:7750");
	free(world);
	CU_ASSERT_EQUAL(started("[::]:7750", "[2001:db8::1]:80", ""), MC_OK);
	CU_ASSERT_STRING_EQUAL(world->endpoint, "[2001:db8::1]:80");
	free(world);
	CU_ASSERT_EQUAL(started("127.0.0.1:7750", "", "world-2"),
	    MC_INVALID);
	CU_ASSERT_TRUE(stage_logged("is not the name in the certificate"));
	free(world);
	stage_reset("");
}

const struct cutap_test world_master_tests[] = {
	{ "registers, and again", registers },
	{ "loads maps", loads },
	{ "kicked by the taskmaster", kicked },
	{ "evicted, with ticket and secret", evicted },
	{ "evicted while the map is loaded", evicted_waiting },
	{ "a full map", full },
	{ "a full map, and a place elsewhere", full_elsewhere },
	{ "an empty map is unloaded, and a late ticket good", unloads },
	{ "waits for a map, and goes", waits_and_goes },
	{ "the link is lost, and comes back", link_lost },
	{ "a load outlives the link", loaded_while_down },
	{ "travels", travels },
	{ "questions end", questions_end },
	{ "stops", stops },
	{ "advertise and name", settings },
	{ NULL, NULL }
};
