/* SPDX-License-Identifier: MIT */
#include "conf_instance.h"

#include "conf_file.h"
#include "graph.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	"module", "name", "enabled", "use", "settings", NULL
};

static void
fault(const struct conf_file *file, const config_setting_t *setting,
    struct errors *errors, const char *text)
{
	errors_at(errors, file->path, config_setting_source_line(setting),
	    "%s: %s", config_setting_name(setting), text);
}

static void
words_check(const struct conf_file *file, struct errors *errors)
{
	config_setting_t *root = config_root_setting(&file->tree), *setting;
	const char *name, *nearest;
	char text[128];

	for (int i = 0; i < config_setting_length(root); i++) {
		setting = config_setting_get_elem(root, (unsigned)i);
		name = config_setting_name(setting);
		nearest = word_nearest(name, words);
		if (nearest == NULL)
			fault(file, setting, errors, "no such setting here; "
			    "there are module, name, enabled, use, settings");
		else if (strcmp(nearest, name) != 0) {
			snprintf(text, sizeof(text), "no such setting here; "
			    "did you mean %s?", nearest);
			fault(file, setting, errors, text);
		}
	}
}

/* A name under this word; fallback NULL: it must be there. */
static const char *
name_get(const struct conf_file *file, const char *word, const char *fallback,
    struct errors *errors)
{
	config_setting_t *setting = config_lookup(&file->tree, word);
	const char *text;

	if (setting == NULL && fallback == NULL)
		errors_at(errors, file->path, 0, "%s is missing; expected "
		    "%s = \"...\";", word, word);
	if (setting == NULL)
		return fallback;
	text = config_setting_type(setting) != CONFIG_TYPE_STRING ? NULL :
	    config_setting_get_string(setting);
	if (text != NULL && keys_name_valid(text))
		return text;
	fault(file, setting, errors, "expected a name in quotes: letters, "
	    "digits, - and _, at most 63");
	return NULL;
}

static bool
enabled_get(const struct conf_file *file, struct errors *errors)
{
	config_setting_t *setting = config_lookup(&file->tree, "enabled");

	if (setting == NULL)
		return true;
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
		fault(file, setting, errors, "expected true or false");
		return true;
	}
	return config_setting_get_bool(setting);
}

static struct setting *
group_get(const struct conf_file *file, const char *word,
    const struct conf_instance *instance, const char *expected,
    struct errors *errors)
{
	config_setting_t *setting = config_lookup(&file->tree, word);

	if (setting != NULL &&
	    config_setting_type(setting) != CONFIG_TYPE_GROUP) {
		fault(file, setting, errors, expected);
		return NULL;
	}
	return conf_file_settings(setting, instance->file,
	    instance->directory);
}

/* An array that ends with a zero entry; the words belong to the settings. */
static struct graph_use *
uses_make(const struct setting *setting, struct errors *errors)
{
	struct graph_use *uses;
	size_t n = 0;

	for (const struct setting *at = setting; at != NULL; at = at->next)
		n++;
	uses = mc_zalloc((n + 1) * sizeof(*uses));
	for (n = 0; setting != NULL; setting = setting->next) {
		if (setting->kind != SETTING_STRING) {
			errors_at(errors, setting->file, setting->line,
			    "use.%s: expected the name of an instance in "
			    "quotes", setting->name);
			continue;
		}
		uses[n].service = setting->name;
		uses[n].instance = setting->text;
		uses[n++].line = setting->line;
	}
	return uses;
}

static void
instance_fill(struct conf_instance *instance, const struct conf_file *file,
    struct errors *errors)
{
	const char *module = name_get(file, "module", NULL, errors);
	const char *name = name_get(file, "name", module != NULL ? module : "",
	    errors);
	config_setting_t *where = config_lookup(&file->tree, "module");

	instance->file = strdup(file->path);
	instance->directory = strdup(file->directory);
	instance->module_name = strdup(module != NULL ? module : "");
	if (instance->file == NULL || instance->directory == NULL ||
	    instance->module_name == NULL)
		abort();
	instance->module_line = where == NULL ? 0 :
	    config_setting_source_line(where);
	snprintf(instance->name, sizeof(instance->name), "%s",
	    name != NULL ? name : "");
	instance->enabled = enabled_get(file, errors);
	instance->settings = group_get(file, "settings", instance,
	    "expected a group: settings = { key = value; };", errors);
	instance->use_settings = group_get(file, "use", instance,
	    "expected a group: use = { service = \"instance\"; };", errors);
	instance->uses = uses_make(instance->use_settings, errors);
}

struct conf_instance *
conf_instance_read(const char *path, struct errors *errors)
{
	struct conf_instance *instance;
	struct conf_file file;

	if (!conf_file_open(&file, path, errors))
		return NULL;
	instance = mc_zalloc(sizeof(*instance));
	words_check(&file, errors);
	instance_fill(instance, &file, errors);
	conf_file_close(&file);
	if (strcmp(instance->name, CONF_SELF) == 0)
		errors_at(errors, instance->file, 0, "name: " CONF_SELF
		    " is the host itself; choose another");
	return instance;
}

void
conf_instance_free(struct conf_instance **instancep)
{
	struct conf_instance *instance = *instancep;

	if (instance == NULL)
		return;
	if (instance->module != NULL)
		conf_settings_free(instance->module, &instance->conf);
	settings_free(&instance->settings);
	settings_free(&instance->use_settings);
	free(instance->uses);
	free(instance->file);
	free(instance->directory);
	free(instance->module_name);
	free(instance->providers);
	free(instance->ops);
	free(instance);
	*instancep = NULL;
}

void
conf_setting_override(struct setting **at, const char *key, const char *value,
    const char *directory)
{
	struct setting *old, *new = setting_new(key, SETTING_WORD, value);

	while (*at != NULL && strcmp((*at)->name, key) != 0)
		at = &(*at)->next;
	old = *at;
	new->file = "--set";
	new->directory = directory;
	new->next = old != NULL ? old->next : NULL;
	*at = new;
	setting_free(&old);
}
