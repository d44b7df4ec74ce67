/* SPDX-License-Identifier: MIT */
/*
 * process - from the configuration to a running server, and back.
 *
 * Up:	bind as root, become the user, start threads, init all instances in
 *	the order of their needs, start them in the same order, say ready.
 * Down: stop and finish one instance after the other, last started first, so
 *	that each still has those it needs until it is done.  Whoever does not
 *	finish within stop_limit is left behind.
 */
#include <config.h>

#include "process.h"

#include "calls.h"
#include "conf.h"
#include "control.h"
#include "count.h"
#include "instance.h"
#include "loader.h"
#include "log.h"
#include "notify.h"
#include "privilege.h"
#include "pump.h"
#include "signals.h"
#include "work.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAIN_MS	5	/* between two looks at who is not done */

static struct process *
process_new(const struct conf_args *args, struct conf_set *set)
{
	struct process *process = mc_zalloc(sizeof(*process));

	process->args = args;
	process->taken = set->host;
	set->host = NULL;
	process->conf = *process->taken;
	process->started_ms = mc_now_ms();
	process->loop = loop_new();
	process->call_pool = call_pool_new(process->loop);
	process->self = instance_new(process, CONF_SELF, set->file, NULL,
	    NULL);
	process->commands = commands_new(process);
	loop_on_flush(process->loop, work_flush, process);
	callback_limit_set((unsigned)process->conf.stall_ms);
	return process;
}

static void
process_free(struct process **processp)
{
	struct process *process = *processp;
	struct mc_host *host;

	pool_free(&process->pool);
	while ((host = process->instances) != NULL) {
		process->instances = host->next;
		instance_free(&host);
	}
	instance_free(&process->self);
	commands_free(&process->commands);
	call_pool_free(&process->call_pool);
	signals_free(&process->signals);
	loop_free(&process->loop);
	conf_settings_free(NULL, (void **)&process->taken);
	free(process);
	*processp = NULL;
}

/* Up. */

static void
add_instances(struct process *process, const struct conf_set *set)
{
	struct mc_host **tail = &process->instances, *host;
	struct conf_instance *conf;

	for (conf = set->first; conf != NULL; conf = conf->next) {
		*tail = instance_new(process, conf->name, conf->file,
		    conf->module, conf->conf);
		conf->conf = NULL;
		tail = &(*tail)->next;
	}
	/* A provider may stand behind (graph.h), so only now. */
	conf = set->first;
	for (host = process->instances; host != NULL; host = host->next) {
		instance_resolve(host, conf);
		conf = conf->next;
	}
}

/* What only root may do, then no longer root.  Other sockets may lie in the
 * folder of the control socket, so that is made first. */
static enum mc_status
become_user(struct process *process)
{
	enum mc_status status = identity_load(process);
	struct mc_host *host;

	if (status == MC_OK)
		status = control_prepare(process);
	for (host = process->instances; status == MC_OK && host != NULL;
	    host = host->next)
		status = instance_bind(host);
	if (status == MC_OK)
		status = privilege_drop(process->conf.user);
	return status;
}

static void
start_threads(struct process *process)
{
	loader_seal();
	process->io = io_start(process, (unsigned)process->conf.io_threads);
	process->pool = pool_new((unsigned)process->conf.pool_threads,
	    (size_t)process->conf.pool_queue);
}

static enum mc_status
start_instances(struct process *process)
{
	enum mc_status status = MC_OK;
	struct mc_host *host;

	for (host = process->instances; status == MC_OK && host != NULL;
	    host = host->next)
		status = instance_init(host);
	for (host = process->instances; status == MC_OK && host != NULL;
	    host = host->next)
		status = instance_start(host);
	return status;
}

static void
set_limits(const struct process *process)
{
	umask(027);
	privilege_raise_limits();
	if (!process->conf.core_dumps)
		privilege_hide_memory();
}

/* Until we are who we shall be, to standard error: a file that root has made
 * could not be opened again. */
static enum mc_status
open_log(const struct process *process, bool ready)
{
	return log_open(ready ? process->conf.log_file : "",
	    (enum log_format)process->conf.log_format,
	    (enum mc_level)process->conf.log_level);
}

static enum mc_status
bring_up(struct process *process)
{
	enum mc_status status = become_user(process);

	if (status != MC_OK)
		return status;
	set_limits(process);	/* after the user: that resets dumpable */
	status = open_log(process, true);
	if (status != MC_OK)
		return status;
	start_threads(process);
	status = start_instances(process);
	if (status == MC_OK)
		status = control_start(process);
	return status;
}

static size_t
count_instances(const struct process *process)
{
	const struct mc_host *host = process->instances;
	size_t n = 0;

	for (; host != NULL; host = host->next)
		n++;
	return n;
}

static void
say_ready(const struct process *process)
{
	size_t n = count_instances(process);

	mc_log(NULL, MC_NOTE, "ready: MetaCube %s, %zu instance%s, started in "
	    "%llu ms", PACKAGE_VERSION, n, n == 1 ? "" : "s",
	    (unsigned long long)(mc_now_ms() - process->started_ms));
	notify_send("READY=1\nMAINPID=%ld\nSTATUS=%zu instances are running",
	    (long)getpid(), n);
}

/* Down. */

/* The one to finish next: the last that is alive. */
static struct mc_host *
last_alive(struct process *process)
{
	struct mc_host *host, *last = NULL;

	for (host = process->instances; host != NULL; host = host->next)
		if (host->stage != HOST_RESOLVED &&
		    host->stage != HOST_FINISHED)
			last = host;
	return last;
}

static void
finish_instance(struct process *process, struct mc_host *host)
{
	if (work_pending(host))
		process->unfinished = true;
	instance_finish(host);
}

static void
drained(void *arg)
{
	struct process *process = arg;
	struct mc_host *host;

	while ((host = last_alive(process)) != NULL) {
		if (host->stage == HOST_STARTED)
			instance_stop(host);
		if (!instance_idle(host) &&
		    mc_now_ms() < process->stop_by_ms) {
			mc_timer_set(process->self, &process->drain, DRAIN_MS,
			    drained, process);
			return;
		}
		finish_instance(process, host);
	}
	loop_stop(process->loop);
}

/* From the loop and never inside whoever asked: a command has to be answered
 * first. */
void
process_stop(struct process *process)
{
	unsigned soon = process->stopping ? 0 : 1;

	if (process->stopping) {
		mc_log(NULL, MC_WARN, "stopping at once");
		process->stop_by_ms = 0;
	} else {
		mc_log(NULL, MC_NOTE, "stopping");
		notify_send("STOPPING=1\nSTATUS=stopping");
		process->stop_by_ms = mc_now_ms() +
		    (uint64_t)process->conf.stop_ms;
	}
	process->stopping = true;
	mc_timer_set(process->self, &process->drain, soon, drained, process);
}

static void
bring_down(struct process *process)
{
	control_stop(process);
	pump_close(process->self);
	calls_close(process->self);
	mc_timer_clear(&process->drain);
	io_stop(&process->io);
	notify_send("STATUS=stopped");
}

int
process_run(const struct conf_args *args, struct conf_set **setp)
{
	struct process *process = process_new(args, *setp);
	int status;

	open_log(process, false);
	process->signals = signals_new(process);
	add_instances(process, *setp);
	conf_free(setp);
	if (bring_up(process) == MC_OK)
		say_ready(process);
	else {
		process->failed = true;
		process_stop(process);
	}
	loop_run(process->loop);
	bring_down(process);
	if (process->unfinished) {
		/* Threads still use what would be freed. */
		mc_log(NULL, MC_ERROR, "stopped with work unfinished");
		_exit(EXIT_FAILURE);
	}
	status = process->failed ? EXIT_FAILURE : EXIT_SUCCESS;
	process_free(&process);
	mc_log(NULL, MC_NOTE, "stopped");
	return status;
}
