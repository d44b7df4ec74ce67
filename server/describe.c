/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "describe.h"

#include "conf.h"
#include "graph.h"
#include "loader.h"
#include "process_conf.h"
#include "value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS		79
#define TAB		8
#define DATE		"November 21, 2026"	/* manual pages want one */
#define DEFAULT_SIZE	(VALUE_TEXT_MAX + 64)

/* What is described, host and modules alike. */
struct subject {
	const char		*name, *version, *summary;
	char			 page[80];	/* of the manual */
	const struct mc_key	*keys;
	const struct mc_module	*module;	/* NULL: the host */
};

static struct subject
subject_of(const struct mc_module *module)
{
	struct subject subject = {
		CONF_SELF, PACKAGE_VERSION, "Settings of the MetaCube host",
		CONF_SELF ".conf", process_keys, NULL
	};

	if (module == NULL)
		return subject;
	subject.name = module->name;
	subject.version = module->version;
	subject.summary = module->summary;
	snprintf(subject.page, sizeof(subject.page), "metacube-%s",
	    module->name);
	subject.keys = module->keys;
	subject.module = module;
	return subject;
}

static bool
any_key(const struct subject *subject)
{
	return subject->keys != NULL && subject->keys->name != NULL;
}

/* Words, broken into lines that begin with the prefix. */
static void
wrap(FILE *to, const char *prefix, size_t indent, const char *text)
{
	size_t column = 0, len;

	while (*text != '\0') {
		len = strcspn(text, " ");
		if (column != 0 && column + 1 + len > COLUMNS) {
			fputc('\n', to);
			column = 0;
		}
		column += column == 0 ? indent : 1;
		fputs(column == indent ? prefix : " ", to);
		fwrite(text, 1, len, to);
		column += len;
		text += len;
		while (*text == ' ')
			text++;
	}
	fputc('\n', to);
}

static bool
is_bare(const struct mc_key *key)
{
	return key->type == MC_BOOL || key->type == MC_INT;
}

/* The default, as it would be written in a file; a relative path begins in
 * the state directory. */
static const char *
value_text(const struct mc_key *key, char buf[DEFAULT_SIZE])
{
	const char *text = key->fallback;
	size_t used = 0;

	if (is_bare(key)) {
		snprintf(buf, DEFAULT_SIZE, "%s%s", text,
		    key->type == MC_INT && llabs(atoll(text)) > INT32_MAX ?
		    "L" : "");
		return buf;
	}
	buf[used++] = '"';
	if (key->type == MC_PATH && *text != '/' && *text != '\0')
		used += (size_t)snprintf(buf + used, DEFAULT_SIZE - used, "%s/",
		    STATE_DIR);
	for (; *text != '\0' && used < DEFAULT_SIZE - 4; text++) {
		if (*text == '"' || *text == '\\')
			buf[used++] = '\\';
		buf[used++] = *text;
	}
	buf[used++] = '"';
	buf[used] = '\0';
	return buf;
}

/* "a whole number from 1 to 256". */
static void
kind_text(const struct mc_key *key, char *buf, size_t size)
{
	char least[32], most[32];
	size_t used;

	value_expected(key, buf, size);
	used = strlen(buf);
	if (key->min == 0 && key->max == 0)
		return;
	value_number_text(key->type, key->min, least);
	value_number_text(key->type, key->max, most);
	if (key->type != MC_INT && key->type != MC_DURATION &&
	    key->type != MC_SIZE)
		snprintf(buf + used, size - used, " of %s to %s bytes", least,
		    key->max == 0 ? "4096" : most);
	else if (key->max == 0)
		snprintf(buf + used, size - used, ", at least %s", least);
	else
		snprintf(buf + used, size - used, ", from %s to %s", least,
		    most);
}

static void
kind_sentence(const struct mc_key *key, char *buf, size_t size)
{
	size_t len;

	kind_text(key, buf, size);
	buf[0] = (char)toupper((unsigned char)buf[0]);
	len = strlen(buf);
	snprintf(buf + len, size - len, ".");
}

static void
provides_print(FILE *to, const struct mc_module *module, const char *before,
    const char *between, const char *none)
{
	const struct mc_provide *provide = module->provides;

	if (provide == NULL || provide->service == NULL)
		fputs(none, to);
	for (; provide != NULL && provide->service != NULL; provide++) {
		fprintf(to, "%s%s %u.%u", before, provide->service,
		    provide->major, provide->minor);
		before = between;
	}
}

static void
needs_print(FILE *to, const struct mc_module *module, const char *between,
    const char *none)
{
	const struct mc_need *need = module->needs;
	const char *before = "";

	if (need == NULL || need->service == NULL)
		fputs(none, to);
	for (; need != NULL && need->service != NULL; need++) {
		fprintf(to, "%s%s %u.%u%s", before, need->service, need->major,
		    need->minor, need->optional ? " (optional)" : "");
		before = between;
	}
}

/* For people. */

static void
key_text(FILE *to, const struct mc_key *key)
{
	char value[DEFAULT_SIZE], kind[640];

	kind_text(key, kind, sizeof(kind));
	fprintf(to, "\n    %s\n", key->name);
	wrap(to, "\t", TAB, key->help);
	wrap(to, "\t", TAB, kind);
	if (key->fallback == NULL)
		fputs("\trequired\n", to);
	else
		fprintf(to, "\tdefault: %s\n", value_text(key, value));
}

static void
text_print(FILE *to, const struct subject *subject, const char *file)
{
	const struct mc_module *module = subject->module;

	fprintf(to, "%s %s - %s\n", subject->name, subject->version,
	    subject->summary);
	if (file != NULL)
		fprintf(to, "file:     %s\n", file);
	fprintf(to, "ABI:      %u.%u\n",
	    module != NULL ? module->abi_major : MC_ABI_MAJOR,
	    module != NULL ? module->abi_minor : MC_ABI_MINOR);
	if (module != NULL) {
		fprintf(to, "licence:  %s\nprovides: ", module->license);
		provides_print(to, module, "", ", ", "nothing");
		fputs("\nneeds:    ", to);
		needs_print(to, module, ", ", "nothing");
		fputs("\n", to);
	}
	fputs(any_key(subject) ? "settings:\n" : "settings: none\n", to);
	for (const struct mc_key *key = subject->keys;
	    key != NULL && key->name != NULL; key++)
		key_text(to, key);
}

/* As a manual page. */

/* One word; nothing in it is taken for a macro. */
static size_t
mdoc_text(FILE *to, const char *word, size_t len, bool begins)
{
	if (begins && (*word == '.' || *word == '\''))
		fputs("\\&", to);
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\\')
			fputs("\\e", to);
		else
			fputc(word[i], to);
	}
	return len;
}

/* Each sentence begins a line, as mdoc wants it. */
static void
mdoc(FILE *to, const char *text)
{
	size_t column = 0, len;
	bool ended = false;

	for (; *text != '\0'; text += strspn(text, " ")) {
		len = strcspn(text, " ");
		if (column > 0 && (column + 1 + len > COLUMNS ||
		    (ended && isupper((unsigned char)*text)))) {
			fputc('\n', to);
			column = 0;
		}
		if (column > 0)
			fputc(' ', to);
		column += (column > 0) + mdoc_text(to, text, len, column == 0);
		ended = text[len - 1] == '.';
		text += len;
	}
	fputc('\n', to);
}

/* An argument of a macro: one word in quotes. */
static void
mdoc_word(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputs("\\(dq", to);
		else if (*text == '\\')
			fputs("\\e", to);
		else
			fputc(*text, to);
	}
	fputs("\"\n", to);
}

static void
key_mdoc(FILE *to, const struct mc_key *key)
{
	char value[DEFAULT_SIZE], kind[640];

	kind_sentence(key, kind, sizeof(kind));
	fprintf(to, ".It Cm %s\n", key->name);
	mdoc(to, key->help);
	fputs(".br\n", to);
	mdoc(to, kind);
	fputs(".br\n", to);
	if (key->fallback == NULL) {
		fputs("Required.\n", to);
		return;
	}
	fputs("Default:\n.Li ", to);
	mdoc_word(to, value_text(key, value));
}

static void
sentence_mdoc(FILE *to, const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '.')
		len--;
	fprintf(to, "%.*s\n", (int)len, text);
}

static void
services_mdoc(FILE *to, const struct mc_module *module)
{
	fputs("It provides\n", to);
	provides_print(to, module, "the service ", ",\n", "no service");
	fputs(",\nand needs\n", to);
	needs_print(to, module, ",\n", "none");
	fputs(".\nIts licence is ", to);
	fprintf(to, "%s.\n", module->license);
}

static void
title_mdoc(FILE *to, const struct subject *subject)
{
	fprintf(to, ".\\\" SPDX-License-Identifier: MIT\n.Dd %s\n.Dt ", DATE);
	for (const char *c = subject->page; *c != '\0'; c++)
		fputc(toupper((unsigned char)*c), to);
	fprintf(to, " 5\n.Os\n.Sh NAME\n.Nm %s\n.Nd ", subject->page);
	sentence_mdoc(to, subject->summary);
}

static void
man_print(FILE *to, const struct subject *subject)
{
	title_mdoc(to, subject);
	fprintf(to, ".Sh DESCRIPTION\nThis page describes the settings of\n"
	    ".Sy %s ,\nversion %s.\n", subject->name, subject->version);
	if (subject->module != NULL)
		services_mdoc(to, subject->module);
	fprintf(to, ".Sh SETTINGS\n%s\n", any_key(subject) ?
	    ".Bl -tag -width Ds" : "There are none.");
	for (const struct mc_key *key = subject->keys;
	    key != NULL && key->name != NULL; key++)
		key_mdoc(to, key);
	fprintf(to, "%s.Sh FILES\n.Bl -tag -width Ds\n.It Pa %s/%s.conf\n",
	    any_key(subject) ? ".El\n" : "",
	    subject->module != NULL ? CONF_DIR : SYSCONF_DIR, subject->name);
	fputs("Where these settings stand.\n.El\n"
	    ".Sh SEE ALSO\n.Xr metacube.conf 5 ,\n.Xr metacubed 8\n", to);
}

/* As a sample file: everything is there, and the defaults are comments, so
 * that a later version may have better ones. */

static void
key_conf(FILE *to, const struct mc_key *key, const char *indent)
{
	char value[DEFAULT_SIZE], kind[640], prefix[16];
	size_t width = *indent == '\t' ? TAB + 2 : 2;

	snprintf(prefix, sizeof(prefix), "%s# ", indent);
	kind_sentence(key, kind, sizeof(kind));
	fputc('\n', to);
	wrap(to, prefix, width, key->help);
	wrap(to, prefix, width, kind);
	if (key->fallback == NULL)
		fprintf(to, "%s#%s = %s;\t# required\n", indent, key->name,
		    is_bare(key) ? "?" : "\"\"");
	else
		fprintf(to, "%s#%s = %s;\n", indent, key->name,
		    value_text(key, value));
}

static void
use_conf(FILE *to, const struct mc_module *module)
{
	const struct mc_need *need = module->needs;

	if (need == NULL || need->service == NULL)
		return;
	fputs("\n# Which instance provides a service, where there are "
	    "several.\n#use = {", to);
	for (; need->service != NULL; need++)
		fprintf(to, " %s = \"\";", need->service);
	fputs(" };\n", to);
}

static void
conf_print(FILE *to, const struct subject *subject)
{
	const char *indent = subject->module != NULL ? "\t" : "";
	char text[1024];

	snprintf(text, sizeof(text), "%s - %s", subject->name,
	    subject->summary);
	wrap(to, "# ", 2, text);
	snprintf(text, sizeof(text), "Every setting is here, with its default "
	    "as a comment. See %s(5).", subject->page);
	fputs("#\n", to);
	wrap(to, "# ", 2, text);
	if (subject->module != NULL) {
		fprintf(to, "\nmodule = \"%s\";\n\n# The name of this "
		    "instance, for logs, --set and use.\n#name = \"%s\";\n\n"
		    "# Does it run?\nenabled = false;\n", subject->name,
		    subject->name);
		use_conf(to, subject->module);
		fputs("\nsettings = {", to);
	}
	for (const struct mc_key *key = subject->keys;
	    key != NULL && key->name != NULL; key++)
		key_conf(to, key, indent);
	if (subject->module != NULL)
		fputs("};\n", to);
}

void
describe_print(FILE *to, const struct mc_module *module, const char *file,
    enum describe_format format)
{
	struct subject subject = subject_of(module);

	if (format == DESCRIBE_TEXT)
		text_print(to, &subject, file);
	else if (format == DESCRIBE_MAN)
		man_print(to, &subject);
	else
		conf_print(to, &subject);
}
