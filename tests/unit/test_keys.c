/* SPDX-License-Identifier: MIT */
#include "cutap.h"
#include "keys.h"
#include "scratch.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct conf {
	bool		 flag;
	int64_t		 number, pause, size, level;
	const char	*text, *path, *secret, *peer, *listen;
};

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, flag), .type = MC_BOOL, .fallback = "true",
	  .help = "A flag." },
	{ MC_FIELD(struct conf, number), .type = MC_INT, .fallback = "7",
	  .min = 1, .max = 100, .help = "A number." },
	{ MC_FIELD(struct conf, pause), .type = MC_DURATION,
	  .fallback = "30s", .min = 10, .max = 3600000, .help = "A time." },
	{ MC_FIELD(struct conf, size), .type = MC_SIZE, .fallback = "64KiB",
	  .help = "A size." },
	{ MC_FIELD(struct conf, level), .type = MC_CHOICE, .fallback = "low",
	  .choices = "low|medium|high", .help = "A choice." },
	{ MC_FIELD(struct conf, text), .type = MC_STRING, .fallback = "abc",
	  .min = 1, .max = 8, .help = "A text." },
	{ MC_FIELD(struct conf, path), .type = MC_PATH, .fallback = "x/y",
	  .help = "A path." },
	{ MC_FIELD(struct conf, secret), .type = MC_SECRET, .fallback = "",
	  .min = 4, .max = 64, .help = "A secret." },
	{ MC_FIELD(struct conf, peer), .type = MC_ENDPOINT, .fallback = "",
	  .help = "A peer." },
	{ MC_FIELD(struct conf, listen), .type = MC_LISTEN,
	  .fallback = "127.0.0.1:0", .help = "An address." },
	{ .name = NULL }
};

static struct conf conf;

/* Parses one setting; what was said, or "" when it was accepted. */
static const char *
parse(struct setting *setting)
{
	static char line[1024];
	struct errors errors = { 0 };
	bool fine;

	setting->file = "f";
	setting->line = 3;
	setting->directory = "/d";
	keys_clear(keys, &conf);
	fine = keys_parse(keys, setting, "f", &conf, &errors);
	CU_ASSERT_EQUAL(fine, errors.count == 0);
	CU_ASSERT(errors.count <= 1);
	snprintf(line, sizeof(line), "%s",
	    errors.count > 0 ? errors.lines[0] : "");
	errors_clear(&errors);
	settings_free(&setting);
	return line;
}

static const char *
text(const char *name, const char *value)
{
	return parse(setting_new(name, SETTING_STRING, value));
}

static const char *
word(const char *name, const char *value)
{
	return parse(setting_new(name, SETTING_WORD, value));
}

static const char *
number(const char *name, enum setting_kind kind, int64_t value)
{
	struct setting *setting = setting_new(name, kind, NULL);

	setting->number = value;
	return parse(setting);
}

#define FINE(call)	CU_ASSERT_STRING_EQUAL(call, "")
#define SAYS(call, what) CU_ASSERT_STRING_EQUAL(call, "f:3: " what)

static void
fallbacks(void)
{
	struct errors errors = { 0 };

	CU_ASSERT(keys_parse(keys, NULL, "f", &conf, &errors));
	CU_ASSERT(conf.flag);
	CU_ASSERT_EQUAL(conf.number, 7);
	CU_ASSERT_EQUAL(conf.pause, 30000);
	CU_ASSERT_EQUAL(conf.size, 65536);
	CU_ASSERT_EQUAL(conf.level, 0);
	CU_ASSERT_STRING_EQUAL(conf.text, "abc");
	CU_ASSERT_STRING_EQUAL(conf.path, STATE_DIR "/x/y");
	CU_ASSERT_STRING_EQUAL(conf.secret, "");
	CU_ASSERT_STRING_EQUAL(conf.peer, "");
	CU_ASSERT_STRING_EQUAL(conf.listen, "127.0.0.1:0");
	keys_clear(keys, &conf);
	CU_ASSERT_PTR_NULL(conf.text);
	CU_ASSERT_EQUAL(errors.count, 0);
}

static void
booleans(void)
{
	FINE(number("flag", SETTING_BOOL, 0));
	CU_ASSERT(!conf.flag);
	FINE(word("flag", "false"));
	CU_ASSERT(!conf.flag);
	SAYS(number("flag", SETTING_INT, 1), "flag: expected true or false");
	SAYS(word("flag", "yes"), "flag: expected true or false");
	SAYS(text("flag", "true"), "flag: expected true or false");
}

static void
integers(void)
{
	FINE(number("number", SETTING_INT, 100));
	CU_ASSERT_EQUAL(conf.number, 100);
	FINE(word("number", "42"));
	CU_ASSERT_EQUAL(conf.number, 42);
	SAYS(number("number", SETTING_INT, 101),
	    "number: must be between 1 and 100");
	SAYS(word("number", "0"), "number: must be between 1 and 100");
	SAYS(word("number", "4x"), "number: expected a whole number");
	SAYS(word("number", ""), "number: expected a whole number");
	SAYS(word("number", "99999999999999999999"),
	    "number: expected a whole number");
	SAYS(text("number", "4"), "number: expected a whole number");
	SAYS(number("number", SETTING_OTHER, 0),
	    "number: expected a whole number");
}

static void
times(void)
{
	static const struct {
		const char	*text;
		int64_t		 ms;
	} good[] = {
		{ "250ms", 250 }, { "10s", 10000 }, { "5m", 300000 },
		{ "1h", 3600000 }
	};

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		FINE(text("pause", good[i].text));
		CU_ASSERT_EQUAL(conf.pause, good[i].ms);
	}
	SAYS(text("pause", "9ms"), "pause: must be between 10ms and 1h");
	SAYS(text("pause", "2h"), "pause: must be between 10ms and 1h");
#define TIME "pause: expected a time such as \"250ms\", \"30s\" or \"1h\""
	SAYS(text("pause", "30"), TIME);
	SAYS(text("pause", "30 s"), TIME);
	SAYS(text("pause", "-1s"), TIME);
	SAYS(text("pause", ""), TIME);
	SAYS(number("pause", SETTING_INT, 30), TIME);
	SAYS(text("pause", "9223372036854775807d"), "pause: is too large");
}

static void
sizes(void)
{
	FINE(text("size", "16MiB"));
	CU_ASSERT_EQUAL(conf.size, 16 << 20);
	FINE(text("size", "512"));
	CU_ASSERT_EQUAL(conf.size, 512);
	FINE(number("size", SETTING_INT, 4096));
	CU_ASSERT_EQUAL(conf.size, 4096);
#define SIZE "size: expected a size such as \"64KiB\" or \"16MiB\""
	SAYS(text("size", "64kb"), SIZE);
	SAYS(text("size", "-1KiB"), SIZE);
	SAYS(number("size", SETTING_INT, -1), SIZE);
	SAYS(text("size", "9223372036854775807TiB"), "size: is too large");
}

static void
choices(void)
{
	FINE(text("level", "high"));
	CU_ASSERT_EQUAL(conf.level, 2);
	SAYS(text("level", "hig"),
	    "level: expected one of \"low\", \"medium\", \"high\"");
	SAYS(text("level", "low|medium"),
	    "level: expected one of \"low\", \"medium\", \"high\"");
	SAYS(text("level", ""),
	    "level: expected one of \"low\", \"medium\", \"high\"");
}

static void
strings(void)
{
	FINE(text("text", "caf\xc3\xa9"));
	SAYS(text("text", ""), "text: must have 1 to 8 bytes, not 0");
	SAYS(text("text", "123456789"), "text: must have 1 to 8 bytes, not 9");
	SAYS(text("text", "a\x01"),
	    "text: is not UTF-8 or has control characters");
	SAYS(text("text", "\xff\xfe"),
	    "text: is not UTF-8 or has control characters");
	SAYS(number("text", SETTING_INT, 5), "text: expected a string");
}

static void
paths(void)
{
	FINE(text("path", "/a/b"));
	CU_ASSERT_STRING_EQUAL(conf.path, "/a/b");
	FINE(text("path", "b"));
	CU_ASSERT_STRING_EQUAL(conf.path, "/d/b");
	SAYS(text("path", ""), "path: must not be empty");
	SAYS(number("path", SETTING_BOOL, 1),
	    "path: expected a path as a string");
}

static void
endpoints(void)
{
	FINE(text("peer", "example.org:7740"));
	FINE(text("peer", "[::1]:7740"));
	FINE(text("peer", "unix:/run/x"));
	FINE(text("peer", ""));
	CU_ASSERT_STRING_NOT_EQUAL(text("peer", "example.org"), "");
	CU_ASSERT_STRING_NOT_EQUAL(text("peer", "example.org:70000"), "");
	CU_ASSERT_STRING_NOT_EQUAL(text("peer", "unix:run/x"), "");
	CU_ASSERT_STRING_NOT_EQUAL(text("listen", ""), "");
}

static void
secrets(void)
{
	const char *canary = "correct horse";
	char value[600];

	scratch_make();
	FINE(text("secret", canary));
	CU_ASSERT_STRING_EQUAL(conf.secret, canary);
	scratch_text("key", "correct horse\n");
	snprintf(value, sizeof(value), "file:%s", scratch_path("key"));
	FINE(text("secret", value));
	CU_ASSERT_STRING_EQUAL(conf.secret, canary);
	setenv("CREDENTIALS_DIRECTORY", scratch_path("."), 1);
	FINE(text("secret", "credential:key"));
	CU_ASSERT_STRING_EQUAL(conf.secret, canary);
	CU_ASSERT_STRING_NOT_EQUAL(text("secret", "credential:../key"), "");
	CU_ASSERT_STRING_NOT_EQUAL(text("secret", "credential:none"), "");
	unsetenv("CREDENTIALS_DIRECTORY");
	CU_ASSERT_STRING_NOT_EQUAL(text("secret", "credential:key"), "");
	chmod(scratch_path("key"), 0644);
	CU_ASSERT_PTR_NOT_NULL(strstr(text("secret", value),
	    "others may read or change it"));
	scratch_write("key", "a\0b", 3, 0600);
	CU_ASSERT_PTR_NOT_NULL(strstr(text("secret", value), "NUL"));
	SAYS(text("secret", "file:x"),
	    "secret: file: needs an absolute path after it");
	CU_ASSERT_PTR_NULL(strstr(text("secret", "xyz"), "xyz"));
	SAYS(text("secret", "xyz"), "secret: must have 4 to 64 bytes, not 3");
	scratch_remove();
}

static void
unknown(void)
{
	SAYS(text("nmber", "1"), "nmber: no such setting; did you mean "
	    "number?");
	SAYS(text("zzzzzzzz", "1"), "zzzzzzzz: no such setting");
}

static void
required(void)
{
	static const struct mc_key needed[] = {
		{ MC_FIELD(struct conf, text), .type = MC_STRING,
		  .help = "A text." },
		{ .name = NULL }
	};
	struct errors errors = { 0 };

	CU_ASSERT(!keys_parse(needed, NULL, "f", &conf, &errors));
	CU_ASSERT_EQUAL_FATAL(errors.count, 1);
	CU_ASSERT_STRING_EQUAL(errors.lines[0],
	    "f: text is missing; expected a string");
	errors_clear(&errors);
	keys_clear(needed, &conf);
}

static void
equality(void)
{
	struct errors errors = { 0 };
	struct conf a = { 0 }, b = { 0 };

	keys_parse(keys, NULL, "f", &a, &errors);
	keys_parse(keys, NULL, "f", &b, &errors);
	CU_ASSERT(keys_equal(keys, &a, &b));
	b.number++;
	CU_ASSERT(!keys_equal(keys, &a, &b));
	b.number--;
	free((char *)b.text);
	b.text = strdup("abd");
	CU_ASSERT(!keys_equal(keys, &a, &b));
	keys_clear(keys, &a);
	keys_clear(keys, &b);
	errors_clear(&errors);
}

static const char *
fault(struct mc_key key)
{
	struct mc_key table[2] = { key };
	const char *why = keys_fault(table, sizeof(struct conf));

	return why == NULL ? "" : why;
}

static void
tables(void)
{
	struct mc_key key = keys[1];

	CU_ASSERT_PTR_NULL(keys_fault(keys, sizeof(struct conf)));
	CU_ASSERT_PTR_NULL(keys_fault(NULL, 0));
	CU_ASSERT_PTR_NOT_NULL(keys_fault(keys, sizeof(struct conf) - 1));
	FINE(fault(key));
	key.size = 4;
	CU_ASSERT_STRING_NOT_EQUAL(fault(key), "");
	key = keys[1];
	key.fallback = "101";
	CU_ASSERT_STRING_NOT_EQUAL(fault(key), "");
	key = keys[1];
	key.offset = (size_t)-8;
	CU_ASSERT_STRING_NOT_EQUAL(fault(key), "");
	key = keys[1];
	key.type = 99;
	CU_ASSERT_STRING_NOT_EQUAL(fault(key), "");
	key = keys[1];
	key.help = NULL;
	CU_ASSERT_STRING_NOT_EQUAL(fault(key), "");
}

static void
texts(void)
{
	char buf[32];

	CU_ASSERT_STRING_EQUAL(value_number_text(MC_DURATION, 90000, buf),
	    "90s");
	CU_ASSERT_STRING_EQUAL(value_number_text(MC_DURATION, 0, buf), "0ms");
	CU_ASSERT_STRING_EQUAL(value_number_text(MC_SIZE, 1 << 20, buf),
	    "1MiB");
	CU_ASSERT_STRING_EQUAL(value_number_text(MC_SIZE, 1000, buf), "1000");
	CU_ASSERT_STRING_EQUAL(value_number_text(MC_INT, -5, buf), "-5");
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "fallbacks fill what nobody has set", fallbacks },
		{ "booleans", booleans },
		{ "integers and their range", integers },
		{ "times with a unit", times },
		{ "sizes with and without a unit", sizes },
		{ "choices", choices },
		{ "strings and their length", strings },
		{ "paths become absolute", paths },
		{ "endpoints", endpoints },
		{ "secrets: plain, from a file, as a credential", secrets },
		{ "an unknown setting names the nearest", unknown },
		{ "a required setting is missed", required },
		{ "equality looks at values", equality },
		{ "a table that is wrong is found out", tables },
		{ "numbers as text", texts },
		{ NULL, NULL }
	};
	int status = cutap_run("keys", tests);

	keys_clear(keys, &conf);
	return status;
}
