/* SPDX-License-Identifier: MIT */
/*
 * skeleton - a module outside of MetaCube's tree, to start your own from.
 *
 * It has two settings, a counter, and one command: `metacubectl greet Joe`
 * is answered after a moment.  It provides no service and needs none; a
 * module that does names them in .provides and .needs (metacube/module.h):
 * modules/tcapw_mem provides one, modules/acctserv needs two.
 *
 *	# conf.d/skeleton.conf
 *	module = "skeleton";
 *	settings = { greeting = "Welcome"; pause = "20ms"; };
 */
#include <metacube/control.h>
#include <metacube/host.h>
#include <metacube/module.h>

struct skeleton_conf {
	const char	*greeting;
	int64_t		 pause_ms;
};

struct skeleton {
	struct mc_host			*host;
	const struct skeleton_conf	*conf;
	struct mc_query			*query;	/* the one being answered */
	struct mc_timer			*timer;
};

static mc_timer_fn rested;

/* metacubectl greet NAME */
static void
greet(void *state, struct mc_query *query)
{
	struct skeleton *me = state;

	if (me->query != NULL) {
		mc_query_done(query, MC_BUSY, "one greeting at a time");
		return;
	}
	me->query = query;
	mc_timer_set(me->host, &me->timer, (unsigned)me->conf->pause_ms,
	    rested, me);
}

static void
rested(void *owner)
{
	struct skeleton *me = owner;

	mc_count(me->host, "greetings", 1);
	mc_query_done(me->query, MC_OK, "%s, %s", me->conf->greeting,
	    mc_query_arg(me->query, 0));
	me->query = NULL;
}

static const struct mc_command commands[] = {
	{ "greet", "NAME", 1, 1, "Greets somebody.", greet },
	{ NULL }
};

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct skeleton *me = state;

	me->host = host;
	me->conf = conf;
	mc_commands(host, commands, me);
	return MC_OK;
}

/* The new settings are good as they are: the key table has checked them. */
static enum mc_status
reload(void *state, const void *conf)
{
	((struct skeleton *)state)->conf = conf;
	return MC_OK;
}

static void
stop(void *state)
{
	struct skeleton *me = state;

	mc_timer_clear(&me->timer);
	if (me->query != NULL)
		mc_query_done(me->query, MC_UNAVAILABLE, "the server stops");
	me->query = NULL;
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct skeleton_conf, greeting), .type = MC_STRING,
	  .fallback = "Hello", .min = 1, .max = 100,
	  .help = "What is said before the name." },
	{ MC_FIELD_AS("pause", struct skeleton_conf, pause_ms),
	  .type = MC_DURATION, .fallback = "10ms", .max = 1000,
	  .help = "How long it thinks about that." },
	{ NULL }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name = "skeleton",
	.version = "0.1.0",
	.summary = "greets people; a module to start your own from",
	.license = "MIT",
	.keys = keys,
	.conf_size = sizeof(struct skeleton_conf),
	.state_size = sizeof(struct skeleton),
	.init = init,
	.reload = reload,
	.stop = stop
};
