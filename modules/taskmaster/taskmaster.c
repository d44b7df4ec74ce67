/* SPDX-License-Identifier: MIT */
/*
 * taskmaster - knows every world server and every map, and decides where a
 * user goes.
 *
 * It keeps nothing on disk: worlds dial in and say what they have and what
 * they run, and after a restart they say it again.  It never sees a password,
 * and what a world does with its maps is the world's own business.
 */
#include "taskmaster.h"

static void
place_asked(void *state, const struct taskmaster_request *request,
    struct mc_call *call)
{
	place(state, request, call, NULL, 0);
}

static void
maps_asked(void *state, const char *after, struct mc_call *call)
{
	struct taskmaster_map maps[TASKMASTER_MAPS_MAX];
	size_t count = maps_list(state, after, maps);

	mc_call_done(call, MC_OK, maps, count * sizeof(maps[0]));
}

static void
evict_asked(void *state, uint64_t uid, int reason, struct mc_call *call)
{
	evict(state, uid, (Metacube__Reason)reason, "this server");
	mc_call_done(call, MC_OK, NULL, 0);
}

static void
players_asked(void *state, uint64_t after, struct mc_call *call)
{
	struct taskmaster_players list;

	players_list(state, after, &list);
	mc_call_done(call, MC_OK, &list, sizeof(list));
}

static const struct taskmaster_ops ops = {
	.place	 = place_asked,
	.maps	 = maps_asked,
	.evict	 = evict_asked,
	.players = players_asked,
};

static enum mc_status
init(void *state, struct mc_host *host, const void *given)
{
	struct taskmaster *taskmaster = state;
	const struct conf *conf = given;

	taskmaster->host = host;
	taskmaster->started_ms = mc_now_ms();
	taskmaster->conf = conf;
	placement_init(&taskmaster->placement, conf->policy, conf->overload);
	players_init(taskmaster);
	evictions_init(&taskmaster->evictions);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct taskmaster *taskmaster = state;

	mc_commands(taskmaster->host, taskmaster_commands, taskmaster);
	taskmaster->listener = mc_listen(taskmaster->host,
	    &taskmaster->conf->listen, "world,gateway,account", &link_ops,
	    taskmaster);
	if (taskmaster->listener == NULL)
		return MC_UNAVAILABLE;
	links_watch(taskmaster);
	return MC_OK;
}

static enum mc_status
reload(void *state, const void *given)
{
	struct taskmaster *taskmaster = state;
	const struct conf *conf = given;
	enum mc_status status = mc_relisten(taskmaster->listener,
	    &conf->listen);

	if (status != MC_OK)
		return status;
	taskmaster->conf = conf;
	placement_policy(&taskmaster->placement, conf->policy,
	    conf->overload);
	links_watch(taskmaster);
	return MC_OK;
}

static void
stop(void *state)
{
	struct taskmaster *taskmaster = state;

	taskmaster->stopping = true;
	mc_unlisten(&taskmaster->listener);
	links_stop(taskmaster);
}

static void
fini(void *state)
{
	struct taskmaster *taskmaster = state;

	players_free(taskmaster);
	evictions_free(&taskmaster->evictions);
	placement_fini(&taskmaster->placement);
}

static const struct mc_key keys[] = {
	/* One Loaded may answer thousands who wait at one gateway. */
	MC_LISTEN_KEYS_QUEUE(struct conf, listen, "127.0.0.1:7745", "60s",
	    "64MiB"),
	{ MC_FIELD(struct conf, policy), .type = MC_CHOICE,
	  .choices = POLICY_CHOICES, .fallback = "combined",
	  .help = "Where a user goes: to the world server with the fewest "
	  "users; with the lowest load; to one that runs the map already; or "
	  "to one that runs it and is not overloaded, else to the one with "
	  "the least of users and load." },
	{ MC_FIELD(struct conf, overload), .type = MC_INT,
	  .fallback = "900", .min = 1, .max = 1000000,
	  .help = "Load, in thousandths, from which on the policy combined "
	  "looks for another world server." },
	{ MC_FIELD_AS("ticket_life", struct conf, ticket_ms),
	  .type = MC_DURATION, .fallback = "20s", .min = 1000,
	  .max = TICKET_LIFE_MS,
	  .help = "How long a ticket can be used.  Clocks of servers may "
	  "differ by what is left to 30 s." },
	{ MC_FIELD_AS("seat_slack", struct conf, seat_slack_ms),
	  .type = MC_DURATION, .fallback = "5s", .min = 0, .max = 600000,
	  .help = "How long a seat is kept when its ticket has expired." },
	{ MC_FIELD_AS("load_timeout", struct conf, load_ms),
	  .type = MC_DURATION, .fallback = "20s", .min = 10, .max = 600000,
	  .help = "How long a world server may take to load a map before "
	  "another one is asked." },
	{ MC_FIELD_AS("world_timeout", struct conf, silent_ms),
	  .type = MC_DURATION, .fallback = "10s", .min = 100, .max = 600000,
	  .help = "A world server that says nothing for so long is lost." },
	{ MC_FIELD_AS("key_rotation", struct conf, rotation_ms),
	  .type = MC_DURATION, .fallback = "1h", .min = 1000,
	  .max = 604800000,
	  .help = "How often each world server gets a new ticket key." },
	{ MC_FIELD(struct conf, max_waiting), .type = MC_INT,
	  .fallback = "100000", .min = 1, .max = 10000000,
	  .help = "Users that may wait for maps to be loaded." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	TASKMASTER_PROVIDE(&ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "taskmaster",
	.version	= "0.1.0",
	.summary	= "Decides where a map runs and where a user goes",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct taskmaster),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
