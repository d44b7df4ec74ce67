/* SPDX-License-Identifier: MIT */
/*
 * reload - new settings for a running process.
 *
 * Everything is read and checked first; when anything is wrong, nothing
 * changes.  Then each instance takes its new settings whole or refuses them.
 * What stands for the shape of the process (which instances there are, who
 * provides for whom, threads, user, sockets of the host) stays as it is
 * until a restart, and the log says so.
 */
#include "conf.h"
#include "instance.h"
#include "log.h"
#include "notify.h"
#include "process.h"
#include "pump.h"
#include "signals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
needs_restart(const char *what)
{
	mc_log(NULL, MC_WARN, "%s has changed: that needs a restart", what);
}

static void
compare_host(const struct process_conf *old, const struct process_conf *new)
{
	const struct {
		const char	*name;
		bool		 differs;
	} fixed[] = {
		{ "module_dir", strcmp(old->module_dir, new->module_dir) != 0 },
		{ "conf_dir", strcmp(old->conf_dir, new->conf_dir) != 0 },
		{ "user", strcmp(old->user, new->user) != 0 },
		{ "control", strcmp(old->control, new->control) != 0 },
		{ "io_threads", old->io_threads != new->io_threads },
		{ "pool_threads", old->pool_threads != new->pool_threads },
		{ "pool_queue", old->pool_queue != new->pool_queue },
		{ "core_dumps", old->core_dumps != new->core_dumps },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (fixed[i].differs)
			needs_restart(fixed[i].name);
}

static enum mc_status
log_take(const struct process_conf *conf)
{
	return log_open(conf->log_file, (enum log_format)conf->log_format,
	    (enum mc_level)conf->log_level);
}

/* Takes what can change while we run; on failure all is as it was. */
static enum mc_status
take_host(struct process *process, struct conf_set *set)
{
	struct process_conf old = process->conf;
	enum mc_status status;

	process->conf = *set->host;
	status = log_take(&process->conf);
	if (status == MC_OK)
		status = identity_load(process);
	if (status != MC_OK) {
		process->conf = old;
		log_take(&old);
		return status;
	}
	compare_host(&old, &process->conf);
	callback_limit_set((unsigned)process->conf.stall_ms);
	signals_limit_set(process->signals, process->conf.stop_ms);
	conf_settings_free(NULL, (void **)&process->taken);
	process->taken = set->host;
	set->host = NULL;
	return MC_OK;
}

static struct conf_instance *
conf_by_name(const struct conf_set *set, const char *name)
{
	struct conf_instance *conf = set->first;

	while (conf != NULL && strcmp(conf->name, name) != 0)
		conf = conf->next;
	return conf;
}

/* Is it the same module with the same providers? */
static bool
same_shape(const struct mc_host *host, const struct conf_instance *conf)
{
	const struct mc_need *needs = host->module->needs;
	const struct mc_ref *ref;
	const char *before, *now;

	if (strcmp(host->module->name, conf->module->name) != 0)
		return false;
	for (size_t i = 0; needs != NULL && needs[i].service != NULL; i++) {
		ref = (const struct mc_ref *)((const char *)host->state +
		    needs[i].offset);
		before = ref->owner != NULL ? ref->owner->name : "";
		now = conf->providers[i] != NULL ?
		    conf->providers[i]->name : "";
		if (strcmp(before, now) != 0)
			return false;
	}
	return true;
}

static enum mc_status
take_instance(struct mc_host *host, const struct conf_set *set)
{
	struct conf_instance *conf = conf_by_name(set, host->name);

	if (conf == NULL) {
		mc_log(host, MC_WARN, "is not configured any more: that needs "
		    "a restart");
		return MC_OK;
	}
	if (!same_shape(host, conf)) {
		mc_log(host, MC_WARN, "its module or a provider has changed: "
		    "that needs a restart");
		return MC_OK;
	}
	return instance_reload(host, conf);
}

static enum mc_status
take_instances(struct process *process, const struct conf_set *set)
{
	enum mc_status status, worst = MC_OK;
	struct mc_host *host;
	size_t known = 0;

	for (host = process->instances; host != NULL; host = host->next) {
		known += conf_by_name(set, host->name) != NULL;
		status = take_instance(host, set);
		if (status != MC_OK)
			worst = status;
	}
	if (known < set->count)
		needs_restart("the list of instances");
	return worst;
}

static void
log_errors(const struct errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		mc_log(NULL, MC_ERROR, "%s", errors->lines[i]);
	if (errors->more != 0)
		mc_log(NULL, MC_ERROR, "and %zu more", errors->more);
}

static enum mc_status
read_again(struct process *process, const char **failed_r)
{
	struct errors errors = { 0 };
	struct conf_set *set = conf_read(process->args, &errors);
	enum mc_status status = MC_INVALID;

	*failed_r = "nothing was reloaded";
	if (set == NULL)
		log_errors(&errors);
	else
		status = take_host(process, set);
	if (status == MC_OK) {
		*failed_r = "not everything was reloaded";
		status = take_instances(process, set);
	}
	errors_clear(&errors);
	conf_free(&set);
	return status;
}

enum mc_status
process_reload(struct process *process)
{
	const char *failed;
	enum mc_status status;
	struct timespec ts;

	if (process->stopping)
		return MC_UNAVAILABLE;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
	log_reopen();
	status = read_again(process, &failed);
	if (status == MC_OK)
		mc_log(NULL, MC_NOTE, "reloaded");
	else
		mc_log(NULL, MC_ERROR, "%s: %s", failed,
		    mc_status_text(status));
	notify_send("READY=1\nSTATUS=%s", status == MC_OK ? "reloaded" :
	    "the last reload failed, see the log");
	return status;
}
