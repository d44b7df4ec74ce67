/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include "conf_file.h"
#include "conf_instance.h"
#include "graph.h"
#include "keys.h"
#include "loader.h"
#include "process_conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FILE	SYSCONF_DIR "/metacubed.conf"
#define SUFFIX		".conf"

/* One --set, taken apart. */
struct override {
	char	*instance, *key, *value;
};

static bool
override_split(const char *written, struct override *override)
{
	char *text = strdup(written);
	char *dot = strchr(text, '.'), *equal = strchr(text, '=');

	if (dot == NULL || equal == NULL || dot > equal) {
		free(text);
		return false;
	}
	*dot = *equal = '\0';
	override->instance = text;
	override->key = dot + 1;
	override->value = equal + 1;
	return true;
}

static void
override_free(struct override *override)
{
	mc_wipe(override->value, strlen(override->value));
	free(override->instance);
}

/* Calls apply for each --set, until it says that it was the one. */
static void
overrides_apply(const struct conf_args *args, const char *instance,
    struct setting **settings, const char *directory)
{
	struct override override;

	for (size_t i = 0; i < args->nsets; i++) {
		if (!override_split(args->sets[i], &override))
			continue;
		if (strcmp(override.instance, instance) == 0)
			conf_setting_override(settings, override.key,
			    override.value, directory);
		override_free(&override);
	}
}

/* The value is not repeated: it may be a secret. */
static void
overrides_check(const struct conf_args *args, const struct conf_set *set,
    struct errors *errors)
{
	struct override override;
	const struct conf_instance *at;

	for (size_t i = 0; i < args->nsets; i++) {
		if (!override_split(args->sets[i], &override)) {
			errors_add(errors, "--set: expected "
			    "instance.key=value");
			continue;
		}
		for (at = set->listed; at != NULL && strcmp(at->name,
		    override.instance) != 0; at = at->listed)
			;
		if (at == NULL && strcmp(override.instance, CONF_SELF) != 0)
			errors_add(errors, "--set %s.%s: there is no instance "
			    "%s", override.instance, override.key,
			    override.instance);
		override_free(&override);
	}
}

/* metacubed.conf */

static struct setting *
host_settings(struct conf_set *set, const struct conf_args *args,
    struct errors *errors)
{
	const char *path = args->file != NULL ? args->file : DEFAULT_FILE;
	struct setting *settings;
	struct conf_file file;

	if (args->file == NULL && access(path, F_OK) == -1 && errno == ENOENT)
		return NULL;
	set->broken = !conf_file_open(&file, path, errors);
	if (set->broken)
		return NULL;
	free(set->file);
	set->file = strdup(file.path);
	set->directory = strdup(file.directory);
	settings = conf_file_settings(config_root_setting(&file.tree),
	    set->file, set->directory);
	conf_file_close(&file);
	return settings;
}

/* What a file that cannot be read says about folders is not known, and the
 * usual ones would be the wrong ones. */
static void
folder_forget(const struct setting *settings, const char *name,
    const char **folder)
{
	while (settings != NULL && strcmp(settings->name, name) != 0)
		settings = settings->next;
	if (settings != NULL)
		return;
	free((char *)*folder);
	*folder = NULL;
}

struct conf_set *
conf_read_host(const struct conf_args *args, struct errors *errors)
{
	struct conf_set *set = mc_zalloc(sizeof(*set));
	struct setting *settings;

	set->file = strdup("");
	set->cwd = getcwd(NULL, 0);
	set->host = mc_zalloc(sizeof(*set->host));
	settings = host_settings(set, args, errors);
	overrides_apply(args, CONF_SELF, &settings, set->cwd);
	keys_parse(process_keys, settings,
	    *set->file != '\0' ? set->file : NULL, set->host, errors);
	if (set->broken) {
		folder_forget(settings, "conf_dir", &set->host->conf_dir);
		folder_forget(settings, "module_dir", &set->host->module_dir);
	}
	settings_free(&settings);
	return set;
}

/* conf.d */

/* What editors and package managers leave behind has another end or begins
 * with another character. */
static int
is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return len > suffix && isalnum((unsigned char)entry->d_name[0]) &&
	    strcmp(entry->d_name + len - suffix, SUFFIX) == 0;
}

static struct conf_instance **
file_read(struct conf_instance **last, const char *directory,
    const char *name, struct errors *errors)
{
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) == -1)
		abort();
	*last = conf_instance_read(path, errors);
	free(path);
	return *last == NULL ? last : &(*last)->listed;
}

static void
directory_read(struct conf_set *set, struct errors *errors)
{
	struct conf_instance **last = &set->listed;
	const char *directory = set->host->conf_dir;
	struct dirent **entries;
	int count;

	if (directory == NULL)
		return;		/* and why has been said */
	count = scandir(directory, &entries, is_conf, alphasort);
	if (count == -1) {
		errors_at(errors, *set->file != '\0' ? set->file : NULL, 0,
		    "conf_dir: %s: %s", directory, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		last = file_read(last, directory, entries[i]->d_name, errors);
		free(entries[i]);
	}
	free(entries);
}

static const struct conf_instance *
name_taken(const struct conf_set *set, const struct conf_instance *instance)
{
	const struct conf_instance *at = set->listed;

	for (; at != instance; at = at->listed) {
		if (at->enabled && *at->name != '\0' &&
		    strcmp(at->name, instance->name) == 0)
			return at;
	}
	return NULL;
}

static void
instance_parse(struct conf_set *set, const struct conf_args *args,
    struct conf_instance *instance, struct errors *errors)
{
	if (set->host->module_dir == NULL || *instance->module_name == '\0')
		return;		/* and why has been said */
	instance->module = loader_load(set->host->module_dir,
	    instance->module_name, instance->file, instance->module_line,
	    errors);
	if (instance->module == NULL)
		return;
	overrides_apply(args, instance->name, &instance->settings, set->cwd);
	instance->conf = mc_zalloc(instance->module->conf_size);
	keys_parse(instance->module->keys, instance->settings, instance->file,
	    instance->conf, errors);
}

static void
instances_parse(struct conf_set *set, const struct conf_args *args,
    struct errors *errors)
{
	struct conf_instance *at;
	const struct conf_instance *other;

	for (at = set->listed; at != NULL; at = at->listed) {
		if (!at->enabled)
			continue;
		other = name_taken(set, at);
		if (other != NULL)
			errors_at(errors, at->file, 0, "the name %s is taken "
			    "by %s; give one of them another name",
			    at->name, other->file);
		instance_parse(set, args, at, errors);
		set->count++;
	}
}

/* Order */

static bool
provides(const struct mc_module *module, const struct mc_need *need)
{
	const struct mc_provide *provide = module->provides;

	for (; provide != NULL && provide->service != NULL; provide++) {
		if (strcmp(provide->service, need->service) == 0 &&
		    provide->major == need->major &&
		    provide->minor >= need->minor)
			return true;
	}
	return false;
}

static const struct conf_instance *
unloaded_find(const struct conf_set *set)
{
	const struct conf_instance *at = set->listed;

	while (at != NULL && (!at->enabled || at->module != NULL))
		at = at->listed;
	return at;
}

/* Looks through the modules that nobody has configured.  What is wrong with
 * them does not matter here. */
static const char *
providers_search(const struct conf_set *set, const struct mc_need *need)
{
	static char hint[512];
	char **names = loader_names(set->host->module_dir);
	struct errors ignored = { 0 };
	const struct mc_module *module;
	size_t used = 0;

	for (char **name = names; *name != NULL; name++) {
		module = loader_load(set->host->module_dir, *name, NULL, 0,
		    &ignored);
		if (module == NULL || !provides(module, need))
			continue;
		used += (size_t)snprintf(hint + used, sizeof(hint) - used,
		    "%s%s", used == 0 ? "it could come from module " : " or ",
		    *name);
		if (used >= sizeof(hint))
			break;
	}
	errors_clear(&ignored);
	free(names);
	return used == 0 ? NULL : hint;
}

static const char *
providers_hint(void *arg, const struct mc_need *need)
{
	static char hint[512];
	const struct conf_set *set = arg;
	const struct conf_instance *unloaded = unloaded_find(set);

	if (unloaded == NULL)
		return providers_search(set, need);
	snprintf(hint, sizeof(hint), "but module %s (%s) could not be loaded",
	    unloaded->module_name, unloaded->file);
	return hint;
}

/* Those whose module could not be loaded are no part of the graph. */
static size_t
nodes_make(const struct conf_set *set, struct graph_node *nodes,
    struct conf_instance **instances)
{
	struct conf_instance *at;
	size_t n = 0;

	for (at = set->listed; at != NULL; at = at->listed) {
		if (!at->enabled || at->module == NULL)
			continue;
		nodes[n].name = at->name;
		nodes[n].file = at->file;
		nodes[n].module = at->module;
		nodes[n].uses = at->uses;
		instances[n++] = at;
	}
	return n;
}

static void
providers_keep(struct conf_instance *instance, const struct graph_node *node,
    struct conf_instance *const *instances)
{
	size_t count = graph_needs(node->module);

	instance->providers = mc_zalloc(count * sizeof(*instance->providers));
	instance->ops = mc_zalloc(count * sizeof(*instance->ops));
	for (size_t i = 0; i < count; i++) {
		if (node->provider[i] == GRAPH_NONE)
			continue;
		instance->providers[i] = instances[node->provider[i]];
		instance->ops[i] = node->provide[i]->ops;
	}
}

static void
instances_order(struct conf_set *set, struct errors *errors)
{
	struct graph_node *nodes = mc_zalloc(set->count * sizeof(*nodes));
	struct conf_instance **instances =
	    mc_zalloc(set->count * sizeof(*instances));
	size_t *order = mc_zalloc(set->count * sizeof(*order));
	struct conf_instance **last = &set->first;
	size_t count = nodes_make(set, nodes, instances);

	graph_resolve(nodes, count, order, providers_hint, set, errors);
	for (size_t i = 0; i < count; i++) {
		*last = instances[order[i]];
		providers_keep(*last, &nodes[order[i]], instances);
		last = &(*last)->next;
	}
	graph_free(nodes, count);
	free(nodes);
	free(instances);
	free(order);
}

struct conf_set *
conf_read_all(const struct conf_args *args, struct errors *errors)
{
	struct conf_set *set = conf_read_host(args, errors);

	directory_read(set, errors);
	overrides_check(args, set, errors);
	instances_parse(set, args, errors);
	instances_order(set, errors);
	return set;
}

struct conf_set *
conf_read(const struct conf_args *args, struct errors *errors)
{
	struct conf_set *set = conf_read_all(args, errors);

	if (errors->count > 0)
		conf_free(&set);
	return set;
}

void
conf_free(struct conf_set **setp)
{
	struct conf_set *set = *setp;
	struct conf_instance *instance;

	if (set == NULL)
		return;
	while ((instance = set->listed) != NULL) {
		set->listed = instance->listed;
		conf_instance_free(&instance);
	}
	conf_settings_free(NULL, (void **)&set->host);
	free(set->file);
	free(set->directory);
	free(set->cwd);
	free(set);
	*setp = NULL;
}

static const struct mc_key *
keys_of(const struct mc_module *module)
{
	return module == NULL ? process_keys : module->keys;
}

void
conf_settings_free(const struct mc_module *module, void **conf)
{
	if (*conf == NULL)
		return;
	keys_clear(keys_of(module), *conf);
	free(*conf);
	*conf = NULL;
}

bool
conf_settings_equal(const struct mc_module *module, const void *a,
    const void *b)
{
	return keys_equal(keys_of(module), a, b);
}
