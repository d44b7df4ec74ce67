/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "endpoint.h"
#include "secret.h"

#include <metacube/name.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

const char *
value_choice(const struct mc_key *key, int64_t index, size_t *len_r)
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
value_number_text(enum mc_type type, int64_t number, char buf[32])
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
	for (int64_t i = 0; (word = value_choice(key, i, &len)) != NULL; i++) {
		used = strlen(buf);
		snprintf(buf + used, size - used, "%s \"%.*s\"",
		    i == 0 ? "" : ",", (int)len, word);
	}
}

void
value_expected(const struct mc_key *key, char *buf, size_t size)
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

	value_expected(parse->key, expected, sizeof(expected));
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
	value_number_text(key->type, key->min, least);
	value_number_text(key->type, key->max, most);
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
	    (word = value_choice(parse->key, i, &len)) != NULL; i++) {
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
	int64_t max = key->max == 0 ? VALUE_TEXT_MAX : key->max;
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
	if (!mc_text_valid(text, VALUE_TEXT_MAX))
		return fault(parse, "is not UTF-8 or has control characters");
	return text_keep(parse, strdup(text));
}

/* The empty string is possible where it is the fallback: it means "none". */
static bool
may_be_empty(const struct parse *parse)
{
	return parse->key->min < 0 || (parse->key->fallback != NULL &&
	    *parse->key->fallback == '\0');
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
	if (!mc_text_valid(setting->text, VALUE_TEXT_MAX))
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
any_parse(const struct parse *parse)
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

bool
value_parse(const struct mc_key *key, const struct setting *setting,
    void *field, struct errors *errors)
{
	struct parse parse = { key, setting, field, errors };

	return any_parse(&parse);
}
