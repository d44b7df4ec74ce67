/* SPDX-License-Identifier: MIT */
#include "embed.h"

#include "conf.h"
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRIVER_NAME	"driver"

static const struct mc_provide *
provide_of(const struct mc_module *module, const struct mc_need *need)
{
	const struct mc_provide *provide = module->provides;

	for (; provide != NULL && provide->service != NULL; provide++)
		if (strcmp(provide->service, need->service) == 0 &&
		    provide->major == need->major &&
		    provide->minor >= need->minor)
			return provide;
	return NULL;
}

static struct conf_instance *
provider_find(const struct conf_set *set, const struct mc_need *need,
    const char *subject, const struct conf_instance *taken)
{
	struct conf_instance *found = NULL, *instance;

	for (instance = set->first; instance != NULL;
	    instance = instance->next) {
		if (instance == taken ||
		    provide_of(instance->module, need) == NULL)
			continue;
		if (strcmp(instance->module->name, subject) == 0)
			return instance;
		if (found == NULL)
			found = instance;
	}
	return found;
}

/* Who provides the first need of that service, if it is not this one. */
static struct conf_instance *
taken_find(const struct conf_instance *driver, size_t i)
{
	const struct mc_need *needs = driver->module->needs;

	for (size_t j = 0; j < i; j++)
		if (strcmp(needs[j].service, needs[i].service) == 0)
			return driver->providers[j];
	return NULL;
}

static bool
driver_resolve(struct conf_instance *driver, const struct conf_set *set,
    const char *subject)
{
	const struct mc_need *needs = driver->module->needs;
	size_t count = graph_needs(driver->module);

	driver->providers = mc_zalloc((count + 1) *
	    sizeof(struct conf_instance *));
	driver->ops = mc_zalloc((count + 1) * sizeof(void *));
	for (size_t i = 0; i < count; i++) {
		struct conf_instance *taken = taken_find(driver, i);

		driver->providers[i] = provider_find(set, &needs[i], subject,
		    taken);
		if (driver->providers[i] == NULL)
			driver->providers[i] = taken;
		if (driver->providers[i] != NULL)
			driver->ops[i] = provide_of(
			    driver->providers[i]->module, &needs[i])->ops;
		else if (!needs[i].optional) {
			fprintf(stderr, "%s: no instance provides %s %u.%u\n",
			    set->file, needs[i].service, needs[i].major,
			    needs[i].minor);
			return false;
		}
	}
	return true;
}

/* Last in both lists: it starts when all others have. */
static bool
driver_add(struct conf_set *set, const struct mc_module *module,
    const char *subject)
{
	struct conf_instance *driver = mc_zalloc(sizeof(*driver));
	struct conf_instance **tail;

	strcpy(driver->name, DRIVER_NAME);
	driver->file = strdup("the program itself");
	driver->module = module;
	driver->enabled = true;
	if (!driver_resolve(driver, set, subject)) {
		free(driver->file);
		free(driver->providers);
		free(driver->ops);
		free(driver);
		return false;
	}
	for (tail = &set->first; *tail != NULL; tail = &(*tail)->next)
		continue;
	*tail = driver;
	for (tail = &set->listed; *tail != NULL; tail = &(*tail)->listed)
		continue;
	*tail = driver;
	set->count++;
	return true;
}

int
metacubed_embed(const char *conf, const struct mc_module *driver,
    const char *subject)
{
	struct conf_args args = { .file = conf };
	struct errors errors = { 0 };
	struct conf_set *set = conf_read(&args, &errors);

	errors_print(&errors, stderr);
	errors_clear(&errors);
	if (set == NULL)
		return EXIT_FAILURE;
	if (!driver_add(set, driver, subject)) {
		conf_free(&set);
		return EXIT_FAILURE;
	}
	return process_run(&args, &set);
}
