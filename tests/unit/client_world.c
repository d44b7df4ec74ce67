/* SPDX-License-Identifier: MIT */
/*
 * libmetacube-client all the way: from Login over a REROUTE into a world, out
 * of it and back, to Kicked.
 */
#include "client_rig.h"

#include <stdio.h>
#include <string.h>

static const char *world_endpoints[2];
static size_t world_count;
static const char *claimed_world;	/* what the world says it is */

static void
gateway_scene(struct counterpart *self)
{
	Metacube__Reroute reroute = METACUBE__REROUTE__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	reroute.n_endpoint = world_count;
	reroute.endpoint = (char **)world_endpoints;
	reroute.world = (char *)"world-1";
	reroute.map = (char *)"newbie-island";
	reroute.ticket.data = (uint8_t *)"ticket";
	reroute.ticket.len = 6;
	SAY(self, heard_cid, REROUTE, reroute, reroute);
}

static void
say_entered(struct counterpart *self)
{
	static uint32_t ids[] = { 7, 3 };
	static char *names[] = { (char *)"Joe", (char *)"Amanda" };
	static int32_t x[] = { 100, 200 }, y[] = { 300, -400 }, z[] = { 1, 2 };
	Metacube__Entered entered_ = METACUBE__ENTERED__INIT;

	entered_.session = 99;
	entered_.secret.data = (uint8_t *)"secret";
	entered_.secret.len = 6;
	entered_.avatar = 7;
	entered_.map = (char *)"newbie-island";
	entered_.title = (char *)"Newbie Island";
	entered_.width = entered_.height = 10000;
	entered_.tick_ms = 50;
	entered_.world = (char *)claimed_world;
	entered_.n_id = entered_.n_display = 2;
	entered_.n_x = entered_.n_y = entered_.n_z = 2;
	entered_.id = ids;
	entered_.display = names;
	entered_.x = x;
	entered_.y = y;
	entered_.z = z;
	SAY(self, heard_cid, ENTERED, entered, entered_);
}

static void
say_news(struct counterpart *self)
{
	uint32_t ids[] = { 3, 1000 };
	int32_t x[] = { 250, 1 }, y[] = { -350, 1 }, z[] = { 0, 0 };
	Metacube__Appeared appeared_ = METACUBE__APPEARED__INIT;
	Metacube__Update update = METACUBE__UPDATE__INIT;
	Metacube__Vanished vanished_ = METACUBE__VANISHED__INIT;

	appeared_.id = 5;
	appeared_.display = (char *)"bot-5";
	appeared_.x = 10;
	SAY(self, 0, APPEARED, appeared, appeared_);
	update.n_id = update.n_x = update.n_y = update.n_z = 2;
	update.id = ids;
	update.x = x;
	update.y = y;
	update.z = z;
	SAY(self, 0, UPDATE, update, update);
	vanished_.id = 5;
	SAY(self, 0, VANISHED, vanished, vanished_);
}

static bool
enter_scene(struct counterpart *self)
{
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_ENTER) ||
	    heard->enter->ticket.len != 6 ||
	    memcmp(heard->enter->ticket.data, "ticket", 6) != 0)
		return false;
	say_entered(self);
	return true;
}

/* Enters, is told what goes on, speaks, and is cut off. */
static void
world_scene(struct counterpart *self)
{
	Metacube__Said said_ = METACUBE__SAID__INIT;
	Metacube__Ping ping = METACUBE__PING__INIT;

	if (!enter_scene(self))
		return;
	say_news(self);
	SAY(self, 17, PING, ping, ping);
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_PONG) || heard_cid != 17 ||
	    !hear(self, METACUBE__ENVELOPE__MESSAGE_SAY))
		return;
	said_.id = 7;
	said_.display = (char *)"Joe";
	said_.text = heard->say->text;
	said_.range = heard->say->range;
	SAY(self, 0, SAID, said, said_);
}

static void
resume_scene(struct counterpart *self)
{
	Metacube__Kicked kicked_ = METACUBE__KICKED__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_RESUME) ||
	    heard->resume->session != 99 || heard->resume->secret.len != 6 ||
	    memcmp(heard->resume->secret.data, "secret", 6) != 0)
		return;
	say_entered(self);
	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_MOVE) ||
	    heard->move->x != -5 || heard->move->y != 6)
		return;
	kicked_.reason = METACUBE__REASON__LOGGED_IN_ELSEWHERE;
	kicked_.text = (char *)"elsewhere";
	SAY(self, 0, KICKED, kicked, kicked_);
}

/* One listener is gateway and world: scene after scene. */
static void
network_start(struct counterpart *server, const char *world)
{
	claimed_world = world;
	counterpart_start(server);
	world_endpoints[0] = server->endpoint;
	world_count = 1;
}

static void
whole_way(void)
{
	struct counterpart server = { .certificate = CERT_ROLES,
	    .scenes = { gateway_scene, world_scene, hang_up, resume_scene } };
	struct witness witness;
	const struct metacube_avatar *seen;
	size_t count;

	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &usual);
	login(&witness, "newbie-island");
	until(&witness, "vanished");
	CU_ASSERT_STRING_EQUAL(witness.story,
	    "rerouted world-1 newbie-island; "
	    "entered world-1 Newbie Island 2; appeared bot-5 10 0; "
	    "moved Amanda 250 -350; vanished bot-5; ");
	seen = metacube_client_seen(witness.client, &count);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_EQUAL(seen[0].id, 3);
	CU_ASSERT_EQUAL(seen[1].id, 7);
	CU_ASSERT_EQUAL(metacube_client_place(witness.client)->self, 7);
	CU_ASSERT_EQUAL(metacube_client_say(witness.client, "a\nb", 0),
	    METACUBE_E_TEXT);
	CU_ASSERT_EQUAL(metacube_client_say(witness.client, "hello",
	    METACUBE_SHOUT), 0);
	until(&witness, "said Joe hello 1; dropped");
	CU_ASSERT_EQUAL(metacube_client_state(witness.client),
	    METACUBE_DROPPED);
	until(&witness, "resumed newbie-island");
	CU_ASSERT_EQUAL(metacube_client_move(witness.client, -5, 6), 0);
	until(&witness, "kicked 11 elsewhere");
	CU_ASSERT_EQUAL(metacube_client_state(witness.client), METACUBE_IDLE);
	CU_ASSERT_PTR_NULL(metacube_client_place(witness.client));
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
	CU_ASSERT_TRUE(server.ok);
}

static void
enter_only(struct counterpart *self)
{
	if (enter_scene(self))
		hear_the_end(self);
}

/* The world that was promised, and no other. */
static void
other_world(void)
{
	struct counterpart server = { .certificate = CERT_ROLES,
	    .scenes = { gateway_scene, enter_only } };
	struct witness witness;

	network_start(&server, "world-2");
	begin(&witness, server.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_WORLD);
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

static void
world_with_wrong_certificate(void)
{
	struct counterpart gateway = { .certificate = CERT_ROLES,
	    .scenes = { gateway_scene } };
	struct counterpart world = { .certificate = CERT_WORLD_2,
	    .scenes = { hang_up } };
	struct witness witness;

	counterpart_start(&gateway);
	network_start(&world, "world-1");
	begin(&witness, gateway.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_CERT_ROLE);
	metacube_client_free(&witness.client);
	counterpart_stop(&gateway);
	counterpart_stop(&world);
}

/* The first endpoint is dead, the second lives. */
static void
second_endpoint(void)
{
	struct counterpart dead = { .plain = true, .scenes = { hang_up } };
	struct counterpart server = { .scenes = { gateway_scene, enter_only } };
	struct witness witness;
	char gateways[80];

	counterpart_start(&dead);
	counterpart_stop(&dead);
	network_start(&server, "world-1");
	world_endpoints[0] = dead.endpoint;
	world_endpoints[1] = server.endpoint;
	world_count = 2;
	snprintf(gateways, sizeof(gateways), "%s,%s", dead.endpoint,
	    server.endpoint);
	begin(&witness, gateways, &usual);
	login(&witness, "newbie-island");
	until(&witness, "entered");
	CU_ASSERT_EQUAL(metacube_client_leave(witness.client), 0);
	until(&witness, "left");
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
	CU_ASSERT_TRUE(server.ok);
}

static void
resume_refused_scene(struct counterpart *self)
{
	Metacube__Refused refused_ = METACUBE__REFUSED__INIT;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_RESUME))
		return;
	refused_.reason = METACUBE__REASON__BAD_TICKET;
	refused_.text = (char *)"no such session";
	SAY(self, heard_cid, REFUSED, refused, refused_);
}

static void
enter_and_drop(struct counterpart *self)
{
	enter_scene(self);
}

static void
session_gone(void)
{
	struct counterpart server = { .scenes = { gateway_scene,
	    enter_and_drop, resume_refused_scene } };
	struct witness witness;

	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &usual);
	login_to_the_end(&witness, "newbie-island");
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_RESUME);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, "no such session"));
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

static void
never_back(void)
{
	struct counterpart server = { .scenes = { gateway_scene,
	    enter_and_drop } };
	struct metacube_options options = usual;
	struct witness witness;

	options.resume_ms = 1000;
	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &options);
	login(&witness, "newbie-island");
	until(&witness, "dropped");
	counterpart_stop(&server);
	CU_ASSERT_FALSE(metacube_client_run_for(witness.client, PATIENCE_MS));
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_RESUME);
	metacube_client_free(&witness.client);
}

static void
silent_scene(struct counterpart *self)
{
	if (enter_scene(self))
		hear_the_end(self);
}

/* Nothing comes from the world, not even Pong. */
static void
dead_silence(void)
{
	struct counterpart server = { .scenes = { gateway_scene,
	    silent_scene } };
	struct metacube_options options = usual;
	struct witness witness;

	options.keepalive_ms = 2000;
	network_start(&server, "world-1");
	begin(&witness, server.endpoint, &options);
	login(&witness, "newbie-island");
	until(&witness, "dropped 12");
	metacube_client_free(&witness.client);
	counterpart_stop(&server);
}

const struct cutap_test client_world_tests[] = {
	{ "login, REROUTE, enter, drop, resume, kicked", whole_way },
	{ "another world than promised", other_world },
	{ "a world with another world's certificate",
	    world_with_wrong_certificate },
	{ "the second endpoint is tried", second_endpoint },
	{ "a session that is gone", session_gone },
	{ "a world that does not come back", never_back },
	{ "a world that falls silent", dead_silence },
	{ NULL, NULL }
};
