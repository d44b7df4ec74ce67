/* SPDX-License-Identifier: MIT */
#include "world_rig.h"

#include <stdio.h>
#include <stdlib.h>

struct world_conf conf;
struct world *world;
struct mc_conn *master;
const struct ticket_key key = { .id = 7, .secret = "secret" };

void
master_load(const char *map, uint64_t epoch)
{
	Metacube__Load load = METACUBE__LOAD__INIT;

	load.map = (char *)map;
	load.epoch = epoch;
	SEND(master, LOAD, load, &load);
	stage_pass(1);
}

void
master_up(uint64_t *epochs, size_t count)
{
	Metacube__Registered registered = METACUBE__REGISTERED__INIT;
	Metacube__TicketKey ticket_key = METACUBE__TICKET_KEY__INIT;

	registered.running_epoch = epochs;
	registered.n_running_epoch = count;
	ticket_key.id = key.id;
	ticket_key.secret.data = (uint8_t *)key.secret;
	ticket_key.secret.len = sizeof(key.secret);
	SEND(master, REGISTERED, registered, &registered);
	SEND(master, TICKET_KEY, ticket_key, &ticket_key);
}

void
begin_with(const struct account_ops *account)
{
	conf = (struct world_conf) {
		.listen = { .endpoint = "127.0.0.1:7750",
		    .queue_max = 65536 },
		.advertise = "", .name = "", .taskmaster = "127.0.0.1:1",
		.maps = MAPS_DIR, .capacity = 100, .tick_ms = 50,
		.idle_unload_ms = 60000, .resume_ms = 30000,
		.max_messages = 60, .max_says = 3, .change_rate = 3,
	};
	stage_reset("world-1");
	world = mc_zalloc(metacube_module.state_size);
	world->account.ops = account;
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(world, stage_host(),
	    &conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(world), MC_OK);
	master = stage_accept();
	CU_ASSERT_PTR_NOT_NULL_FATAL(master);
	CU_ASSERT_PTR_NOT_NULL_FATAL(HEARD(master, REGISTER));
	master_up(NULL, 0);
	master_load("newbie-island", 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(HEARD(master, LOADED));
}

void
begin(void)
{
	begin_with(NULL);
}

void
end(void)
{
	metacube_module.stop(world);
	stage_pass(0);
	metacube_module.fini(world);
	free(world);
	stage_reset("");
}

struct ticket
ticket_of(uint64_t uid, const char *display, const char *map, uint64_t epoch)
{
	struct ticket ticket = {
		.uid = uid, .epoch = epoch,
		.expires_ms = mc_time_ms() + 20000, .world = "world-1",
	};

	mc_random(ticket.id, sizeof(ticket.id));
	ticket.generation = 100 + uid;
	snprintf(ticket.display, sizeof(ticket.display), "%s", display);
	CU_ASSERT_PTR_NULL(mc_name_fold(display, ticket.name));
	snprintf(ticket.map, sizeof(ticket.map), "%s", map);
	return ticket;
}

struct mc_conn *
show(const struct ticket *ticket, const struct ticket_key *with)
{
	struct mc_conn *conn = stage_connect();
	uint8_t sealed[TICKET_SEALED_MAX];
	Metacube__Enter enter = METACUBE__ENTER__INIT;

	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	enter.ticket.data = sealed;
	enter.ticket.len = ticket_seal(ticket, with, sealed);
	SEND(conn, ENTER, enter, &enter);
	return conn;
}

struct mc_conn *
come(uint64_t uid, const char *display)
{
	struct ticket ticket = ticket_of(uid, display, "newbie-island", 5);

	return show(&ticket, &key);
}

unsigned
refused(struct mc_conn *conn)
{
	const Metacube__Envelope *envelope = HEARD(conn, REFUSED);

	return envelope == NULL ? 0 : (unsigned)envelope->refused->reason;
}

void
turned_away(struct mc_conn *conn, unsigned reason)
{
	CU_ASSERT_EQUAL(refused(conn), reason);
	CU_ASSERT_TRUE(stage_over(conn));
	CU_ASSERT_FALSE(stage_admitted(conn));
	stage_pass(0);
}

void
move_to(struct mc_conn *conn, int32_t x, int32_t y)
{
	Metacube__Move move = METACUBE__MOVE__INIT;

	move.x = x;
	move.y = y;
	SEND(conn, MOVE, move, &move);
}
