/* SPDX-License-Identifier: MIT */
/*
 * control_builtin - the commands that every metacubed answers.
 */
#include <config.h>

#include "calls.h"
#include "control.h"
#include "count.h"
#include "process.h"
#include "pump.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *
stage_word(enum mc_host_stage stage)
{
	static const char *const words[] = {
		[HOST_RESOLVED]	= "resolved",
		[HOST_INITED]	= "initialised",
		[HOST_STARTED]	= "running",
		[HOST_STOPPED]	= "stopping",
		[HOST_FINISHED]	= "finished",
	};

	return words[stage];
}

static struct mc_host *
find_instance(struct process *process, const char *name)
{
	struct mc_host *host = process->instances;

	if (strcmp(name, process->self->name) == 0)
		return process->self;
	while (host != NULL && strcmp(host->name, name) != 0)
		host = host->next;
	return host;
}

/* status */

static void MC_PRINTF(3, 4)
say(struct mc_query *query, const char *what, const char *format, ...)
{
	char value[256];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	mc_query_row(query);
	mc_query_cell(query, "%s", what);
	mc_query_cell(query, "%s", value);
}

static void
say_uptime(struct mc_query *query, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	say(query, "uptime", "%llud %02llu:%02llu:%02llu", s / 86400,
	    s / 3600 % 24, s / 60 % 60, s % 60);
}

static void
say_listeners(struct mc_query *query, struct mc_host *host)
{
	const char *address;

	for (unsigned n = 0; (address = pump_listener(host, n)) != NULL; n++)
		say(query, "listener", "%s %s", host->name, address);
}

static void
status(void *state, struct mc_query *query)
{
	struct process *process = state;
	size_t instances = 0, connections = 0, owed = 0;
	struct mc_host *host;

	mc_query_columns(query, "what", "value", NULL);
	say(query, "version", "%s", PACKAGE_VERSION);
	say(query, "abi", "%d.%d", MC_ABI_MAJOR, MC_ABI_MINOR);
	say(query, "pid", "%ld", (long)getpid());
	say_uptime(query, mc_now_ms() - process->started_ms);
	say(query, "identity", "%s", identity_name());
	for (host = process->instances; host != NULL; host = host->next) {
		instances++;
		connections += pump_connections(host);
		owed += calls_owed(host);
	}
	say(query, "instances", "%zu", instances);
	say(query, "connections", "%zu", connections);
	say(query, "pending calls", "%zu", owed);
	for (host = process->instances; host != NULL; host = host->next)
		say_listeners(query, host);
	mc_query_done(query, MC_OK, NULL);
}

/* modules */

static void
modules(void *state, struct mc_query *query)
{
	struct process *process = state;
	const struct mc_host *host;

	mc_query_columns(query, "instance", "module", "version", "state",
	    "connections", "pending", "file", NULL);
	for (host = process->instances; host != NULL; host = host->next) {
		mc_query_row(query);
		mc_query_cell(query, "%s", host->name);
		mc_query_cell(query, "%s", host->module->name);
		mc_query_cell(query, "%s", host->module->version);
		mc_query_cell(query, "%s", stage_word(host->stage));
		mc_query_cell(query, "%zu",
		    pump_connections((struct mc_host *)(uintptr_t)host));
		mc_query_cell(query, "%zu", calls_owed(host));
		mc_query_cell(query, "%s", host->file);
	}
	mc_query_done(query, MC_OK, NULL);
}

/* counters [INSTANCE] */

struct counting {
	struct mc_query		*query;
	const struct mc_host	*host;
};

static void
counted(void *arg, const char *name, int64_t value)
{
	const struct counting *counting = arg;

	mc_query_row(counting->query);
	mc_query_cell(counting->query, "%s", counting->host->name);
	mc_query_cell(counting->query, "%s", name);
	mc_query_cell(counting->query, "%" PRId64, value);
}

static void
count_all(struct mc_query *query, struct mc_host *host)
{
	struct counting counting = { query, host };

	counters_each(host->counters, counted, &counting);
}

static void
counters(void *state, struct mc_query *query)
{
	struct process *process = state;
	const char *name = mc_query_arg(query, 0);
	struct mc_host *host;

	mc_query_columns(query, "instance", "counter", "value", NULL);
	if (name != NULL) {
		host = find_instance(process, name);
		if (host == NULL) {
			mc_query_done(query, MC_NOT_FOUND, "there is no "
			    "instance \"%s\" here", name);
			return;
		}
		count_all(query, host);
	} else {
		count_all(query, process->self);
		for (host = process->instances; host != NULL;
		    host = host->next)
			count_all(query, host);
	}
	mc_query_done(query, MC_OK, NULL);
}

/* reload, stop */

static void
reload(void *state, struct mc_query *query)
{
	enum mc_status result = process_reload(state);

	mc_query_done(query, result, result == MC_OK ? "reloaded" :
	    "the reload has failed; the log says what was not taken, and why");
}

static void
stop(void *state, struct mc_query *query)
{
	(void)state;
	mc_query_done(query, MC_OK, "stopping");
	kill(getpid(), SIGTERM);	/* one way for all who ask */
}

/* commands */

static void
listed(void *arg, const struct mc_host *host, const struct mc_command *command)
{
	struct mc_query *query = arg;

	mc_query_row(query);
	mc_query_cell(query, "%s%s%s", command->name,
	    command->args != NULL ? " " : "",
	    command->args != NULL ? command->args : "");
	mc_query_cell(query, "%s", host->name);
	mc_query_cell(query, "%s", command->help);
}

static void
commands(void *state, struct mc_query *query)
{
	const struct process *process = state;

	mc_query_columns(query, "command", "instance", "help", NULL);
	commands_each(process->commands, listed, query);
	mc_query_done(query, MC_OK, NULL);
}

const struct mc_command control_builtins[] = {
	{ "status", NULL, 0, 0,
	  "What this server is and how it is.", status },
	{ "modules", NULL, 0, 0,
	  "The instances of modules that run here.", modules },
	{ "counters", "[INSTANCE]", 0, 1,
	  "What has been counted, by all instances or by one.", counters },
	{ "reload", NULL, 0, 0,
	  "Reads all settings and certificates again.", reload },
	{ "stop", NULL, 0, 0,
	  "Stops the server; it finishes what it has begun.", stop },
	{ "commands", NULL, 0, 0,
	  "The commands that this server knows.", commands },
	{ 0 }
};
