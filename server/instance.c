/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "instance.h"

#include "calls.h"
#include "conf.h"
#include "control.h"
#include "count.h"
#include "pump.h"
#include "timer.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOODBYE_MS	1000

const char *
mc_host_name(const struct mc_host *host)
{
	return host != NULL ? host->name : CONF_SELF;
}

const char *
mc_host_identity(const struct mc_host *host)
{
	(void)host;
	return identity_name();
}

struct mc_host *
instance_new(struct process *process, const char *name, const char *file,
    const struct mc_module *module, void *conf)
{
	struct mc_host *host = mc_zalloc(sizeof(*host));

	host->process = process;
	snprintf(host->name, sizeof(host->name), "%s", name);
	host->file = strdup(file);
	host->module = module;
	host->conf = conf;
	host->calls = calls_new();
	host->counters = counters_new();
	if (module == NULL)
		host->stage = HOST_STARTED;
	else
		host->state = mc_zalloc(module->state_size);
	return host;
}

void
instance_free(struct mc_host **hostp)
{
	struct mc_host *host = *hostp;

	if (host == NULL)
		return;
	worker_free(host);
	if (host->module != NULL)
		conf_settings_free(host->module, &host->conf);
	calls_free(&host->calls);
	counters_free(&host->counters);
	free(host->state);
	free(host->file);
	free(host);
	*hostp = NULL;
}

static struct mc_host *
instance_by_name(struct process *process, const char *name)
{
	struct mc_host *host = process->instances;

	while (host != NULL && strcmp(host->name, name) != 0)
		host = host->next;
	return host;
}

void
instance_resolve(struct mc_host *host, const struct conf_instance *conf)
{
	const struct mc_need *needs = host->module->needs;
	struct mc_ref *ref;

	for (size_t i = 0; needs != NULL && needs[i].service != NULL; i++) {
		ref = (struct mc_ref *)((char *)host->state + needs[i].offset);
		ref->caller = host;
		if (conf->providers[i] == NULL)
			continue;
		ref->owner = instance_by_name(host->process,
		    conf->providers[i]->name);
		ref->provider = ref->owner->state;
		ref->ops = conf->ops[i];
	}
}

enum mc_status
instance_bind(struct mc_host *host)
{
	const struct mc_key *key = host->module->keys;
	const char *endpoint;
	enum mc_status status;

	for (; key != NULL && key->name != NULL; key++) {
		if (key->type != MC_LISTEN)
			continue;
		memcpy(&endpoint, (char *)host->conf + key->offset,
		    sizeof(endpoint));
		if (endpoint == NULL || *endpoint == '\0')
			continue;
		status = pump_bind(host, endpoint);
		if (status != MC_OK)
			return status;
	}
	return MC_OK;
}

static enum mc_status
failed(struct mc_host *host, const char *what, enum mc_status status)
{
	return mc_fail(host, status, "%s (%s) could not be %s: %s",
	    host->name, host->file, what, mc_status_text(status));
}

enum mc_status
instance_init(struct mc_host *host)
{
	enum mc_status status = MC_OK;

	/* It may take its time over its files: not measured. */
	if (host->module->init != NULL)
		status = host->module->init(host->state, host, host->conf);
	if (status != MC_OK)
		return failed(host, "initialised", status);
	host->stage = HOST_INITED;
	return MC_OK;
}

enum mc_status
instance_start(struct mc_host *host)
{
	struct callback callback;
	enum mc_status status = MC_OK;

	host->stage = HOST_STARTED;
	callback_begin(&callback, host, "start", 0);
	if (host->module->start != NULL)
		status = host->module->start(host->state);
	callback_end(&callback);
	if (status == MC_OK)
		return MC_OK;
	host->stage = HOST_INITED;
	return failed(host, "started", status);
}

static enum mc_status
new_settings(struct mc_host *host, const void *conf)
{
	struct callback callback;
	enum mc_status status;

	if (host->module->reload == NULL)
		return conf_settings_equal(host->module, host->conf, conf) ?
		    MC_OK : MC_INVALID;
	callback_begin(&callback, host, "reload", 0);
	status = host->module->reload(host->state, conf);
	callback_end(&callback);
	return status;
}

/* Settings that were accepted replace the old ones, which nobody uses any
 * more.  Without reload the module goes on using what it was given. */
enum mc_status
instance_reload(struct mc_host *host, struct conf_instance *conf)
{
	enum mc_status status = new_settings(host, conf->conf);

	if (status != MC_OK)
		return mc_fail(host, status, "refuses the new settings in %s: "
		    "%s; it goes on with the old ones", conf->file,
		    host->module->reload == NULL ?
		    "they need a restart" : mc_status_text(status));
	if (host->module->reload != NULL) {
		conf_settings_free(host->module, &host->conf);
		host->conf = conf->conf;
		conf->conf = NULL;
	}
	return pump_reload(host);
}

void
instance_stop(struct mc_host *host)
{
	struct callback callback;

	callback_begin(&callback, host, "stop", 0);
	if (host->module->stop != NULL)
		host->module->stop(host->state);
	callback_end(&callback);
	host->stage = HOST_STOPPED;
	host->stopped_ms = mc_now_ms();
}

/* What stop has said to those who are connected should still reach them. */
static bool
has_said_goodbye(struct mc_host *host)
{
	return pump_connections(host) == 0 ||
	    mc_now_ms() - host->stopped_ms >= GOODBYE_MS;
}

bool
instance_idle(struct mc_host *host)
{
	return !calls_awaited(host) && !work_pending(host) &&
	    host->queries == 0 && has_said_goodbye(host);
}

void
instance_finish(struct mc_host *host)
{
	pump_close(host);
	control_forget(host);
	calls_close(host);
	timers_close(host);
	host->stage = HOST_FINISHED;
	if (work_pending(host))
		mc_log(host, MC_WARN, "has not finished its work in time");
	else if (host->module->fini != NULL)
		host->module->fini(host->state);
}
