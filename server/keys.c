/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include "endpoint.h"
#include "secret.h"

#include <metacube/name.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN	63

struct unit {
	const char	*name;
	int64_t		 factor;
};

/* Ascending, and each a multiple of the one before. */
static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	{ "d", 86400000 }, { NULL, 0 }
};

static const struct unit sizes[] = {
	{ "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
	{ "TiB", INT64_C(1) << 40 }, { NULL, 0 }
};

/* One setting on its way into its field. */
struct parse {
	const struct mc_key	*key;
	const struct setting	*setting;
	void			*field;
	struct errors		*errors;
};

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

const char *
keys_choice(const struct mc_key *key, int64_t index, size_t *len_r)
{
	const char *word = key->choices;

	for (; index > 0 && word != NULL; index--) {
		word = strchr(word, '|');
		word = word == NULL ? NULL : word + 1;
	}
	*len_r = word == NULL ? 0 : strcspn(word, "|");
	return word;
}

const char *
keys_number_text(enum mc_type type, int64_t number, char buf[32])
{
	const struct unit *unit = type == MC_DURATION ? durations : sizes;

	if (type != MC_DURATION && type != MC_SIZE) {
		snprintf(buf, 32, "%" PRId64, number);
		return buf;
	}
	while (unit[1].name != NULL && number != 0 &&
	    number % unit[1].factor == 0)
		unit++;
	snprintf(buf, 32, "%" PRId64 "%s", number / unit->factor, unit->name);
	return buf;
}

static void
expected_choices(const struct mc_key *key, char *buf, size_t size)
{
	const char *word;
	size_t len, used;

	snprintf(buf, size, "one of");
	for (int64_t i = 0; (word = keys_choice(key, i, &len)) != NULL; i++) {
		used = strlen(buf);
		snprintf(buf + used, size - used, "%s \"%.*s\"",
		    i == 0 ? "" : ",", (int)len, word);
	}
}

void
keys_expected(const struct mc_key *key, char *buf, size_t size)
{
	static const char *const words[] = {
		[MC_BOOL] = "true or false",
		[MC_INT] = "a whole number",
		[MC_DURATION] = "a time such as \"250ms\", \"30s\" or \"1h\"",
		[MC_SIZE] = "a size such as \"64KiB\" or \"16MiB\"",
		[MC_STRING] = "a string",
		[MC_PATH] = "a path as a string",
		[MC_SECRET] = "a string: the secret, \"file:/path\" or "
		    "\"credential:NAME\"",
		[MC_ENDPOINT] = "\"host:port\" or \"unix:/path\"",
		[MC_LISTEN] = "\"address:port\" or \"unix:/path\""
	};

	if (key->type == MC_CHOICE)
		expected_choices(key, buf, size);
	else
		snprintf(buf, size, "%s", words[key->type]);
}

static bool
fault(const struct parse *parse, const char *text)
{
	errors_at(parse->errors, parse->setting->file, parse->setting->line,
	    "%s: %s", parse->key->name, text);
	return false;
}

/* What was written is not repeated here: it could be a secret that stands in
 * the wrong place. */
static bool
mistyped(const struct parse *parse)
{
	char expected[512], text[600];

	keys_expected(parse->key, expected, sizeof(expected));
	snprintf(text, sizeof(text), "expected %s", expected);
	return fault(parse, text);
}

static bool
ranged(const struct parse *parse, int64_t number)
{
	const struct mc_key *key = parse->key;
	char least[32], most[32], text[128];

	if ((key->min == 0 && key->max == 0) || (number >= key->min &&
	    (number <= key->max || key->max == 0)))
		return true;
	keys_number_text(key->type, key->min, least);
	keys_number_text(key->type, key->max, most);
	if (key->max == 0)
		snprintf(text, sizeof(text), "must be at least %s", least);
	else
		snprintf(text, sizeof(text), "must be between %s and %s",
		    least, most);
	return fault(parse, text);
}

static bool
number_keep(const struct parse *parse, int64_t number)
{
	if (!ranged(parse, number))
		return false;
	memcpy(parse->field, &number, sizeof(number));
	return true;
}

static bool
text_keep(const struct parse *parse, char *text)
{
	memcpy(parse->field, &text, sizeof(text));
	return true;
}

static bool
bool_parse(const struct parse *parse)
{
	const struct setting *setting = parse->setting;
	bool value = setting->number != 0;

	if (setting->kind == SETTING_WORD) {
		value = strcmp(setting->text, "true") == 0;
		if (!value && strcmp(setting->text, "false") != 0)
			return mistyped(parse);
	} else if (setting->kind != SETTING_BOOL)
		return mistyped(parse);
	memcpy(parse->field, &value, sizeof(value));
	return true;
}

/* The number at the start of the text; *rest_r is what follows it. */
static bool
number_split(const char *text, int64_t *number_r, const char **rest_r)
{
	char *rest;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return false;
	errno = 0;
	*number_r = strtoll(text, &rest, 10);
	*rest_r = rest;
	return errno == 0;
}

static bool
int_parse(const struct parse *parse)
{
	const struct setting *setting = parse->setting;
	int64_t number = setting->number;
	const char *rest;

	if (setting->kind == SETTING_WORD) {
		if (!number_split(setting->text, &number, &rest) ||
		    *rest != '\0')
			return mistyped(parse);
	} else if (setting->kind != SETTING_INT)
		return mistyped(parse);
	return number_keep(parse, number);
}

static bool
unit_parse(const struct parse *parse, const struct unit *unit)
{
	int64_t number;
	const char *rest;

	if (parse->setting->text == NULL ||
	    !number_split(parse->setting->text, &number, &rest) || number < 0)
		return mistyped(parse);
	if (number == 0 && *rest == '\0')
		return number_keep(parse, 0);
	while (unit->name != NULL && strcmp(unit->name, rest) != 0)
		unit++;
	if (unit->name == NULL)
		return mistyped(parse);
	if (number > INT64_MAX / unit->factor)
		return fault(parse, "is too large");
	return number_keep(parse, number * unit->factor);
}

/* A size may also be a plain number of bytes. */
static bool
size_parse(const struct parse *parse)
{
	if (parse->setting->kind == SETTING_INT)
		return parse->setting->number < 0 ? mistyped(parse) :
		    number_keep(parse, parse->setting->number);
	return unit_parse(parse, sizes);
}

static bool
choice_parse(const struct parse *parse)
{
	const char *text = parse->setting->text, *word;
	size_t len;

	if (text == NULL)
		return mistyped(parse);
	for (int64_t i = 0;
	    (word = keys_choice(parse->key, i, &len)) != NULL; i++) {
		if (strlen(text) == len && memcmp(text, word, len) == 0) {
			memcpy(parse->field, &i, sizeof(i));
			return true;
		}
	}
	return mistyped(parse);
}

static bool
length_fits(const struct parse *parse, const char *value)
{
	const struct mc_key *key = parse->key;
	int64_t max = key->max == 0 ? KEYS_TEXT_MAX : key->max;
	int64_t len = (int64_t)strlen(value);
	char text[96];

	if (len >= key->min && len <= max)
		return true;
	snprintf(text, sizeof(text), "must have %" PRId64 " to %" PRId64
	    " bytes, not %" PRId64, key->min, max, len);
	return fault(parse, text);
}

static bool
string_parse(const struct parse *parse)
{
	const char *text = parse->setting->text;

	if (text == NULL)
		return mistyped(parse);
	if (!length_fits(parse, text))
		return false;
	if (!mc_text_valid(text, KEYS_TEXT_MAX))
		return fault(parse, "is not UTF-8 or has control characters");
	return text_keep(parse, strdup(text));
}

/* The empty string is possible where it is the fallback: it means "none". */
static bool
may_be_empty(const struct parse *parse)
{
	return parse->key->fallback != NULL && *parse->key->fallback == '\0';
}

static bool
path_parse(const struct parse *parse)
{
	const struct setting *setting = parse->setting;
	char *path;

	if (setting->text == NULL)
		return mistyped(parse);
	if (*setting->text == '\0')
		return may_be_empty(parse) ? text_keep(parse, strdup("")) :
		    fault(parse, "must not be empty");
	if (!mc_text_valid(setting->text, KEYS_TEXT_MAX))
		return fault(parse, "is not UTF-8 or has control characters");
	if (*setting->text == '/')
		path = strdup(setting->text);
	else if (setting->directory == NULL)
		return fault(parse, "must be an absolute path");
	else if (asprintf(&path, "%s/%s", setting->directory,
	    setting->text) == -1)
		abort();
	return text_keep(parse, path);
}

static bool
endpoint_keep(const struct parse *parse)
{
	const char *text = parse->setting->text, *why;
	struct endpoint endpoint;

	if (text == NULL)
		return mistyped(parse);
	if (!length_fits(parse, text))
		return false;
	if (*text != '\0' || !may_be_empty(parse)) {
		why = endpoint_parse(text, &endpoint);
		if (why != NULL)
			return fault(parse, why);
	}
	return text_keep(parse, strdup(text));
}

static bool
secret_parse(const struct parse *parse)
{
	char why[SECRET_WHY_SIZE];
	char *secret;

	if (parse->setting->text == NULL)
		return mistyped(parse);
	secret = secret_read(parse->setting->text, why);
	if (secret == NULL)
		return fault(parse, why);
	if (!(*secret == '\0' && may_be_empty(parse)) &&
	    !length_fits(parse, secret)) {
		secret_free(&secret);
		return false;
	}
	return text_keep(parse, secret);
}

static bool
key_parse(const struct parse *parse)
{
	switch (parse->key->type) {
	case MC_BOOL:
		return bool_parse(parse);
	case MC_INT:
		return int_parse(parse);
	case MC_DURATION:
		return unit_parse(parse, durations);
	case MC_SIZE:
		return size_parse(parse);
	case MC_STRING:
		return string_parse(parse);
	case MC_CHOICE:
		return choice_parse(parse);
	case MC_PATH:
		return path_parse(parse);
	case MC_SECRET:
		return secret_parse(parse);
	case MC_ENDPOINT:
	case MC_LISTEN:
		return endpoint_keep(parse);
	}
	return false;
}

static bool
fallback_parse(const struct mc_key *key, const char *file, void *field,
    struct errors *errors)
{
	struct setting setting = {
		.kind = SETTING_WORD, .text = (char *)key->fallback,
		.file = file, .directory = STATE_DIR
	};
	struct parse parse = { key, &setting, field, errors };

	return key_parse(&parse);
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
	struct parse parse = {
		key, setting_find(settings, key->name),
		(char *)conf + key->offset, errors
	};
	char expected[512];

	if (parse.setting != NULL)
		return key_parse(&parse);
	if (key->fallback != NULL)
		return fallback_parse(key, file, parse.field, errors);
	keys_expected(key, expected, sizeof(expected));
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
