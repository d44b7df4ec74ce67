/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include "secret.h"
#include "value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN	63

struct setting *
setting_new(const char *name, enum setting_kind kind, const char *text)
{
	struct setting *setting = mc_zalloc(sizeof(*setting));

	setting->name = strdup(name);
	setting->kind = kind;
	setting->text = text == NULL ? NULL : strdup(text);
	if (setting->name == NULL || (text != NULL && setting->text == NULL))
		abort();
	return setting;
}

void
setting_free(struct setting **settingp)
{
	struct setting *setting = *settingp;

	if (setting == NULL)
		return;
	free(setting->name);
	if (setting->text != NULL)
		mc_wipe(setting->text, strlen(setting->text));
	free(setting->text);
	free(setting);
	*settingp = NULL;
}

void
settings_free(struct setting **first)
{
	struct setting *next;

	for (; *first != NULL; *first = next) {
		next = (*first)->next;
		setting_free(first);
	}
}

bool
keys_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAX_LEN &&
	    isalnum((unsigned char)name[0]) &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

static bool
fallback_parse(const struct mc_key *key, const char *file, void *field,
    struct errors *errors)
{
	struct setting setting = {
		.kind = SETTING_WORD, .text = (char *)key->fallback,
		.file = file, .directory = STATE_DIR
	};

	return value_parse(key, &setting, field, errors);
}

static const struct setting *
setting_find(const struct setting *setting, const char *name)
{
	while (setting != NULL && strcmp(setting->name, name) != 0)
		setting = setting->next;
	return setting;
}

static bool
field_fill(const struct mc_key *key, const struct setting *settings,
    const char *file, void *conf, struct errors *errors)
{
	const struct setting *setting = setting_find(settings, key->name);
	void *field = (char *)conf + key->offset;
	char expected[512];

	if (setting != NULL)
		return value_parse(key, setting, field, errors);
	if (key->fallback != NULL)
		return fallback_parse(key, file, field, errors);
	value_expected(key, expected, sizeof(expected));
	errors_at(errors, file, 0, "%s is missing; expected %s", key->name,
	    expected);
	return false;
}

static const struct mc_key *
key_find(const struct mc_key *keys, const char *name)
{
	for (; keys != NULL && keys->name != NULL; keys++) {
		if (strcmp(keys->name, name) == 0)
			return keys;
	}
	return NULL;
}

static void
unknown_report(const struct mc_key *keys, const struct setting *setting,
    struct errors *errors)
{
	const char *words[256], *nearest;
	size_t n = 0;

	for (; keys != NULL && keys->name != NULL && n < 255; keys++)
		words[n++] = keys->name;
	words[n] = NULL;
	nearest = word_nearest(setting->name, words);
	if (nearest != NULL)
		errors_at(errors, setting->file, setting->line,
		    "%s: no such setting; did you mean %s?", setting->name,
		    nearest);
	else
		errors_at(errors, setting->file, setting->line,
		    "%s: no such setting", setting->name);
}

bool
keys_parse(const struct mc_key *keys, const struct setting *settings,
    const char *file, void *conf, struct errors *errors)
{
	const struct mc_key *key;
	const struct setting *setting;
	bool fine = true;

	for (setting = settings; setting != NULL; setting = setting->next) {
		if (key_find(keys, setting->name) == NULL) {
			unknown_report(keys, setting, errors);
			fine = false;
		}
	}
	for (key = keys; key != NULL && key->name != NULL; key++) {
		if (!field_fill(key, settings, file, conf, errors))
			fine = false;
	}
	return fine;
}

static bool
is_text(const struct mc_key *key)
{
	return key->type == MC_STRING || key->type == MC_PATH ||
	    key->type == MC_SECRET || key->type == MC_ENDPOINT ||
	    key->type == MC_LISTEN;
}

void
keys_clear(const struct mc_key *keys, void *conf)
{
	char *field, *text;

	for (; keys != NULL && keys->name != NULL; keys++) {
		field = (char *)conf + keys->offset;
		if (is_text(keys)) {
			memcpy(&text, field, sizeof(text));
			if (keys->type == MC_SECRET)
				secret_free(&text);
			free(text);
		}
		memset(field, 0, keys->size);
	}
}

static bool
field_equal(const struct mc_key *key, const void *a, const void *b)
{
	const char *left, *right;

	if (!is_text(key))
		return memcmp(a, b, key->size) == 0;
	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return strcmp(left, right) == 0;
}

bool
keys_equal(const struct mc_key *keys, const void *a, const void *b)
{
	for (; keys != NULL && keys->name != NULL; keys++) {
		if (!field_equal(keys, (const char *)a + keys->offset,
		    (const char *)b + keys->offset))
			return false;
	}
	return true;
}

static size_t
field_size(const struct mc_key *key)
{
	return key->type == MC_BOOL ? sizeof(bool) :
	    is_text(key) ? sizeof(char *) : sizeof(int64_t);
}

static bool
fallback_valid(const struct mc_key *key)
{
	struct errors errors = { 0 };
	char field[sizeof(int64_t) + sizeof(char *)] = { 0 };
	struct mc_key alone[2] = { *key };
	bool fine;

	alone[0].offset = 0;
	fine = key->fallback == NULL || key->type == MC_SECRET ||
	    fallback_parse(key, NULL, field, &errors);
	keys_clear(alone, field);
	errors_clear(&errors);
	return fine;
}

static const char *
key_fault(const struct mc_key *key, size_t conf_size)
{
	if (!keys_name_valid(key->name))
		return "a key with an invalid name";
	if (key->type < MC_BOOL || key->type > MC_LISTEN)
		return "a key of unknown type";
	if (key->size != field_size(key) || key->offset > conf_size ||
	    key->size > conf_size - key->offset)
		return "a key whose field has not the size of its type";
	if (key->help == NULL || *key->help == '\0')
		return "a key without help";
	if (key->type == MC_CHOICE && key->choices == NULL)
		return "a key without its choices";
	if (!fallback_valid(key))
		return "a key whose own default is not acceptable";
	return NULL;
}

const char *
keys_fault(const struct mc_key *keys, size_t conf_size)
{
	const struct mc_key *key;
	const char *why;

	for (key = keys; key != NULL && key->name != NULL; key++) {
		why = key_fault(key, conf_size);
		if (why != NULL)
			return why;
		if (key_find(keys, key->name) != key)
			return "two keys of the same name";
	}
	return NULL;
}
