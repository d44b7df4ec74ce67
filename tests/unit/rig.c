/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include "calls.h"
#include "conf.h"
#include "count.h"
#include "instance.h"
#include "timer.h"
#include "work.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

static struct conf_set *
configure(struct rig *rig, const char *module, const char *settings)
{
	struct conf_args args = { 0 };
	struct errors errors = { 0 };
	struct conf_set *set;
	char text[1024], path[128];

	strcpy(rig->dir, "/tmp/metacube-rig-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(rig->dir));
	snprintf(text, sizeof(text), "module_dir = \"%s\";\nconf_dir = \"%s/"
	    "conf.d\";\n", FAKES_DIR, rig->dir);
	write_file(rig->dir, "metacubed.conf", text);
	snprintf(path, sizeof(path), "%s/conf.d", rig->dir);
	mkdir(path, 0700);
	snprintf(text, sizeof(text), "module = \"%s\";\nname = \"fake\";\n"
	    "settings: { %s };\n", module, settings);
	write_file(path, "fake.conf", text);
	snprintf(path, sizeof(path), "%s/metacubed.conf", rig->dir);
	args.file = path;
	set = conf_read(&args, &errors);
	errors_print(&errors, stderr);
	errors_clear(&errors);
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	return set;
}

static void
unconfigure(const struct rig *rig)
{
	static const char *const names[] = {
		"conf.d/fake.conf", "conf.d", "metacubed.conf", ""
	};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", rig->dir, names[i]);
		remove(path);
	}
}

void
rig_open(struct rig *rig, const char *module, const char *settings)
{
	struct process *process = &rig->process;
	struct conf_set *set;

	memset(rig, 0, sizeof(*rig));
	set = configure(rig, module, settings);
	process->taken = set->host;
	set->host = NULL;
	process->conf = *process->taken;
	process->loop = loop_new();
	process->call_pool = call_pool_new(process->loop);
	process->pool = pool_new(2, 4);
	loop_on_flush(process->loop, work_flush, process);
	process->self = instance_new(process, "test", "", NULL, NULL);
	rig->asker = process->self;
	rig->instance = instance_new(process, set->first->name,
	    set->first->file, set->first->module, set->first->conf);
	set->first->conf = NULL;
	process->instances = rig->instance;
	rig->to.caller = rig->asker;
	rig->to.owner = rig->instance;
	rig->to.provider = rig->instance->state;
	rig->to.ops = set->first->module->provides[0].ops;
	conf_free(&set);
	CU_ASSERT_EQUAL_FATAL(instance_init(rig->instance), MC_OK);
	CU_ASSERT_EQUAL_FATAL(instance_start(rig->instance), MC_OK);
}

static bool
jobless(void *arg)
{
	struct rig *rig = arg;

	return !work_pending(rig->instance) && !work_pending(rig->asker);
}

/* What the loop still had to do is done before the end. */
void
rig_close(struct rig *rig)
{
	struct process *process = &rig->process;

	CU_ASSERT_TRUE(rig_until(rig, jobless, rig));
	if (rig->instance->stage == HOST_STARTED)
		instance_stop(rig->instance);
	calls_close(rig->asker);
	timers_close(rig->asker);
	calls_close(rig->instance);
	timers_close(rig->instance);
	rig->instance->module->fini(rig->instance->state);
	pool_free(&process->pool);
	instance_free(&rig->instance);
	instance_free(&process->self);
	call_pool_free(&process->call_pool);
	loop_free(&process->loop);
	conf_settings_free(NULL, (void **)&process->taken);
	unconfigure(rig);
}

struct run {
	struct rig	*rig;
	struct mc_timer	*limit, *look;
	rig_condition	*holds;
	void		*arg;
	bool		 in_time;
};

static void
limit_reached(void *arg)
{
	struct run *run = arg;

	run->in_time = false;
	loop_stop(run->rig->process.loop);
}

bool
rig_run(struct rig *rig)
{
	struct run run = { .rig = rig, .in_time = true };

	mc_timer_set(rig->asker, &run.limit, RIG_LIMIT_MS, limit_reached,
	    &run);
	loop_run(rig->process.loop);
	mc_timer_clear(&run.limit);
	return run.in_time;
}

static void
look(void *arg)
{
	struct run *run = arg;

	if (run->holds(run->arg))
		loop_stop(run->rig->process.loop);
	else
		mc_timer_set(run->rig->asker, &run->look, 1, look, run);
}

bool
rig_until(struct rig *rig, rig_condition *holds, void *arg)
{
	struct run run = { .rig = rig, .holds = holds, .arg = arg };
	bool in_time;

	mc_timer_set(rig->asker, &run.look, 1, look, &run);
	in_time = rig_run(rig);
	mc_timer_clear(&run.look);
	return in_time;
}

int64_t
rig_counter(struct mc_host *host, const char *name)
{
	return atomic_load(counters_cell(host->counters, name));
}
