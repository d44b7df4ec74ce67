/* SPDX-License-Identifier: MIT */
/*
 * world - a world server: runs the maps that are in use, and only those.
 *
 * It dials the taskmaster and says which maps it has; it loads a map when it
 * is told to, lets in who shows a ticket for it, walks everybody over the
 * terrain, and unloads what has been empty for a while.
 *
 * This file: settings, life, and what metacubectl may ask.
 */

#include "world.h"

#include <metacube/account.h>
#include <metacube/control.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_MS	1000

/*
 * Load, in thousandths: the share of time that the ticks took, smoothed over
 * some seconds, and the share of seats that are taken, added up; and what the
 * operator adds.
 */
unsigned
world_load(const struct world *world)
{
	double crowd = (double)world->users / (double)world->conf->capacity;

	return (unsigned)(world->conf->load_base +
	    (int64_t)((world->busy + crowd) * 1000));
}

uint64_t
world_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
measure(struct world *world)
{
	uint64_t now = world_clock_us();
	double passed = (double)(now - world->measured_us);

	if (passed > 0)
		world->busy +=
		    ((double)world->busy_us / passed - world->busy) / 4;
	world->busy_us = 0;
	world->measured_us = now;
}

static void
second(void *owner)
{
	struct world *world = owner;

	measure(world);
	mc_gauge(world->host, "users", (int64_t)world->users);
	mc_gauge(world->host, "maps", (int64_t)copies_running(world));
	mc_gauge(world->host, "load", world_load(world));
	link_report(world, world_load(world));
	mc_timer_set(world->host, &world->second, SECOND_MS, second, world);
}

/*
 * Commands.
 */

static const char *const state_words[] = {
	[COPY_LOADING]	= "loading",
	[COPY_RUNNING]	= "running",
};

static void
show_map(struct mc_query *query, const struct copy *copy)
{
	mc_query_row(query);
	mc_query_cell(query, "%s", copy->key);
	mc_query_cell(query, "%s", state_words[copy->state]);
	mc_query_cell(query, "%llu", (unsigned long long)copy->epoch);
	mc_query_cell(query, "%zu", copy->count);
	mc_query_cell(query, "%u",
	    copy->map == NULL ? 0 : copy->map->capacity);
	mc_query_cell(query, "%llu", (unsigned long long)copy->tick_us);
}

static void
show_maps(void *state, struct mc_query *query)
{
	struct world *world = state;

	mc_query_columns(query, "map", "state", "epoch", "users", "capacity",
	    "tick_us", NULL);
	for (struct copy *copy = world->copies; copy; copy = copy->next)
		if (copy->state != COPY_UNLOADED)
			show_map(query, copy);
	mc_query_done(query, MC_OK, NULL);
}

static void
show_player(struct mc_query *query, const struct avatar *avatar)
{
	mc_query_row(query);
	mc_query_cell(query, "%s", avatar->display);
	mc_query_cell(query, "%s", avatar->copy->key);
	mc_query_cell(query, "%.2f", avatar->body.x / 100);
	mc_query_cell(query, "%.2f", avatar->body.y / 100);
	mc_query_cell(query, "%.2f", avatar->body.z / 100);
	mc_query_cell(query, "%s",
	    avatar->session == NULL ? "lost" : "connected");
}

static void
show_players(void *state, struct mc_query *query)
{
	struct world *world = state;
	const char *only = mc_query_arg(query, 0);

	mc_query_columns(query, "player", "map", "x", "y", "z", "state",
	    NULL);
	for (struct copy *copy = world->copies; copy; copy = copy->next)
		for (size_t i = 0; i < copy->count; i++)
			if (only == NULL || strcmp(only, copy->key) == 0)
				show_player(query, copy->avatars[i]);
	mc_query_done(query, MC_OK, NULL);
}

static const struct mc_command commands[] = {
	{ "world maps", "", 0, 0, "Shows the maps that this world runs.",
	  show_maps },
	{ "world players", "[MAP]", 0, 1,
	  "Shows who is on this world, and where (in metres).",
	  show_players },
	{ 0 }
};

/*
 * Life.
 */

static enum mc_status
name_set(struct world *world)
{
	const char *identity = mc_host_identity(world->host);

	const char *name = *world->conf->name != '\0' ? world->conf->name :
	    identity;

	if (*name == '\0')
		return mc_fail(world->host, MC_INVALID, "this world has no "
		    "name: give the process a certificate, or set name");
	if (!mc_key_valid(name))
		return mc_fail(world->host, MC_INVALID, "name: '%s' cannot "
		    "be a server's name", name);
	if (*identity != '\0' && strcmp(identity, name) != 0)
		return mc_fail(world->host, MC_INVALID, "name: '%s' is not "
		    "the name in the certificate, '%s'", name, identity);
	memcpy(world->name, name, strlen(name) + 1);
	return MC_OK;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct world *world = state;
	enum mc_status status;
	long count;

	world->host = host;
	world->conf = conf;
	status = name_set(world);
	if (status != MC_OK)
		return status;
	count = stock_scan(host, world->conf->maps, &world->stock);
	if (count == -1)
		return MC_UNAVAILABLE;
	if (count == 0)
		mc_log(host, MC_WARN, "maps: there is no map in %s",
		    world->conf->maps);
	world->stocks = (size_t)count;
	world->tickets = tickets_new();
	world->link = link_new(world);
	mc_commands(host, commands, world);
	return MC_OK;
}

static bool
is_wildcard(const char *address)
{
	return strncmp(address, "[::]:", 5) == 0 ||
	    strncmp(address, "0.0.0.0:", 8) == 0 || *address == ':' ||
	    *address == '*';
}

/* What clients are told: as configured, with the real port where that is 0;
 * or where the listener is, if that is one place. */
static enum mc_status
endpoint_set(struct world *world)
{
	const char *bound = mc_listener_address(world->listener);
	const char *wish = world->conf->advertise;
	const char *port = strrchr(wish, ':');
	int len;

	if (*wish == '\0' && is_wildcard(bound))
		return mc_fail(world->host, MC_INVALID, "advertise: the world "
		    "listens on every address of this machine (%s): say "
		    "under which one clients reach it, for instance "
		    "\"world-1.example.org:7750\"", bound);
	if (*wish == '\0')
		len = snprintf(world->endpoint, sizeof(world->endpoint),
		    "%s", bound);
	else if (port != NULL && strcmp(port, ":0") == 0)
		len = snprintf(world->endpoint, sizeof(world->endpoint),
		    "%.*s%s", (int)(port - wish), wish, strrchr(bound, ':'));
	else
		len = snprintf(world->endpoint, sizeof(world->endpoint),
		    "%s", wish);
	if (len >= (int)sizeof(world->endpoint))
		return mc_fail(world->host, MC_INVALID, "advertise: longer "
		    "than %d characters", ENDPOINT_SIZE - 1);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct world *world = state;
	enum mc_status status;

	world->listener = mc_listen(world->host, &world->conf->listen, NULL,
	    &session_ops, world);
	if (world->listener == NULL)
		return MC_UNAVAILABLE;
	status = endpoint_set(world);
	if (status != MC_OK)
		return status;
	mc_log(world->host, MC_NOTE, "%s: clients are sent to %s; %zu maps, "
	    "capacity %lld", world->name, world->endpoint, world->stocks,
	    (long long)world->conf->capacity);
	world->measured_us = world_clock_us();
	second(world);
	return link_dial(world->link);
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* What clients and the taskmaster were told stays as it is. */
static const char *
fixed_setting(const struct world_conf *old, const struct world_conf *new)
{
	if (!same(old->name, new->name))
		return "name";
	if (!same(old->advertise, new->advertise))
		return "advertise";
	if (!same(old->taskmaster, new->taskmaster))
		return "taskmaster";
	if (!same(old->maps, new->maps))
		return "maps";
	if (old->capacity != new->capacity)
		return "capacity";
	if (old->tick_ms != new->tick_ms)
		return "tick";
	return NULL;
}

static enum mc_status
reload(void *state, const void *conf)
{
	struct world *world = state;
	const struct world_conf *new = conf;
	const char *fixed = fixed_setting(world->conf, new);
	enum mc_status status;

	if (fixed != NULL)
		return mc_fail(world->host, MC_INVALID, "%s cannot change "
		    "while the world runs: restart it", fixed);
	status = mc_relisten(world->listener, &new->listen);
	if (status != MC_OK)
		return status;
	world->conf = new;
	return MC_OK;
}

static void
stop(void *state)
{
	struct world *world = state;
	struct session *session, *next;

	world->stopping = true;
	mc_unlisten(&world->listener);
	mc_timer_clear(&world->second);
	for (session = world->sessions; session != NULL; session = next) {
		next = session->next;
		session_kick(session, METACUBE__REASON__SERVER_STOPPING,
		    "this world server stops");
	}
	link_hangup(world->link);
}

static void
fini(void *state)
{
	struct world *world = state;

	while (world->copies != NULL) {
		struct copy *copy = world->copies;

		while (copy->count > 0) {
			struct avatar *avatar = copy->avatars[0];

			avatar_free(&avatar);
		}
		copy_drop(&copy);
	}
	if (world->link != NULL)
		link_free(&world->link);
	tickets_free(&world->tickets);
	free(world->stock);
}

static const struct mc_key keys[] = {
	MC_LISTEN_KEYS(struct world_conf, listen, "[::]:7750", "120s"),
	{ MC_FIELD(struct world_conf, advertise), .type = MC_ENDPOINT,
	  .fallback = "",
	  .help = "Where clients reach this world; port 0 stands for the "
	  "port of listen; empty: the address in listen, which must then be "
	  "one that clients can reach." },
	{ MC_FIELD(struct world_conf, name), .type = MC_STRING,
	  .fallback = "", .max = MC_KEY_SIZE - 1,
	  .help = "This world's name, the same as in its certificate; empty: "
	  "the name in the certificate." },
	{ MC_FIELD(struct world_conf, taskmaster), .type = MC_ENDPOINT,
	  .fallback = "127.0.0.1:7745",
	  .help = "Where the taskmaster is." },
	{ MC_FIELD(struct world_conf, maps), .type = MC_PATH,
	  .fallback = DATA_DIR "/maps",
	  .help = "The folder with the maps: one folder each, named as the "
	  "map's key." },
	{ MC_FIELD(struct world_conf, capacity), .type = MC_INT,
	  .fallback = "1000", .min = 1, .max = 100000,
	  .help = "Users at most, on all maps together." },
	{ MC_FIELD_AS("tick", struct world_conf, tick_ms),
	  .type = MC_DURATION, .fallback = "50ms", .min = 10, .max = 1000,
	  .help = "From one step of the simulation to the next." },
	{ MC_FIELD_AS("idle_unload", struct world_conf, idle_unload_ms),
	  .type = MC_DURATION, .fallback = "60s", .min = 1000,
	  .max = 86400000,
	  .help = "A map that has been empty for so long is unloaded." },
	{ MC_FIELD_AS("resume_window", struct world_conf, resume_ms),
	  .type = MC_DURATION, .fallback = "30s", .min = 1, .max = 3600000,
	  .help = "So long the place of a user whose connection was lost is "
	  "kept." },
	{ MC_FIELD(struct world_conf, load_base), .type = MC_INT,
	  .fallback = "0", .min = 0, .max = 1000,
	  .help = "Added to the load (thousandths) that the taskmaster is "
	  "told, so that it prefers other worlds." },
	{ MC_FIELD(struct world_conf, max_messages), .type = MC_INT,
	  .fallback = "60", .min = 1, .max = 10000,
	  .help = "Messages a second from one client; one that sends more "
	  "for some seconds is disconnected." },
	{ MC_FIELD(struct world_conf, max_says), .type = MC_INT,
	  .fallback = "3", .min = 1, .max = 1000,
	  .help = "How often one user may speak in a second." },
	{ MC_FIELD(struct world_conf, change_rate), .type = MC_INT,
	  .fallback = "6", .min = 1, .max = 1000000,
	  .help = "Changes of the own account that a user may ask for in a "
	  "minute." },
	{ 0 }
};

static const struct mc_need needs[] = {
	{ ACCOUNT_SERVICE, offsetof(struct world, account), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "world",
	.version	= "0.1.0",
	.summary	= "World server: runs the maps that are in use",
	.license	= "MIT",
	.keys		= keys,
	.needs		= needs,
	.conf_size	= sizeof(struct world_conf),
	.state_size	= sizeof(struct world),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
