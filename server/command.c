/* SPDX-License-Identifier: MIT */
/*
 * command - the command line of metacubed.
 *
 * Whatever is asked, the answer goes to standard output and what is wrong to
 * standard error.  Exit status: 0, 1 when something is wrong, 2 when the
 * question is.
 */
#include <config.h>

#include "command.h"

#include "conf.h"
#include "describe.h"
#include "keys.h"
#include "loader.h"
#include "process.h"
#include "pump.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE_ERROR	2

enum action {
	ACTION_RUN, ACTION_CHECK, ACTION_LIST, ACTION_GRAPH, ACTION_DESCRIBE,
	ACTION_VERSION, ACTION_HELP
};

struct command {
	enum action		 action;
	unsigned		 actions;	/* how many were asked for */
	const char		*describe;
	const char		*format;
	struct conf_args	 args;
};

enum { OPTION_SET = 256, OPTION_FORMAT, OPTION_ACTION };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "check", no_argument, NULL, OPTION_ACTION + ACTION_CHECK },
	{ "list", no_argument, NULL, OPTION_ACTION + ACTION_LIST },
	{ "graph", no_argument, NULL, OPTION_ACTION + ACTION_GRAPH },
	{ "describe", required_argument, NULL,
	    OPTION_ACTION + ACTION_DESCRIBE },
	{ "version", no_argument, NULL, OPTION_ACTION + ACTION_VERSION },
	{ "help", no_argument, NULL, OPTION_ACTION + ACTION_HELP },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
    "usage: metacubed [-c FILE] [--set INSTANCE.KEY=VALUE]... [ACTION]\n"
    "\n"
    "  -c, --config FILE         instead of " SYSCONF_DIR
	"/metacubed.conf\n"
    "      --set INSTANCE.KEY=VALUE\n"
    "                            instead of what the file says; the host\n"
    "                            itself is the instance \"" CONF_SELF "\"\n"
    "without an action the server runs; the actions are:\n"
    "      --check               report all that is wrong\n"
    "      --list                show instances, modules and their services\n"
    "      --graph               the same as a graph for dot(1)\n"
    "      --describe MODULE     show a module's settings (of the host:\n"
    "                            \"" CONF_SELF "\")\n"
    "      --format=text|man|conf\n"
    "                            for people, as a manual page, as a sample\n"
    "      --version\n"
    "      --help\n";

static void
set_add(struct conf_args *args, const char *set)
{
	args->sets = realloc(args->sets,
	    (args->nsets + 1) * sizeof(*args->sets));
	if (args->sets == NULL)
		abort();
	args->sets[args->nsets++] = set;
}

static bool
option_take(struct command *command, int option)
{
	if (option == 'c')
		command->args.file = optarg;
	else if (option == OPTION_SET)
		set_add(&command->args, optarg);
	else if (option == OPTION_FORMAT)
		command->format = optarg;
	else if (option >= OPTION_ACTION) {
		command->action = (enum action)(option - OPTION_ACTION);
		command->actions++;
		if (command->action == ACTION_DESCRIBE)
			command->describe = optarg;
	} else
		return false;
	return true;
}

static bool
command_parse(struct command *command, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (!option_take(command, option))
			return false;
	}
	if (optind < argc)
		fprintf(stderr, "metacubed: %s: not understood\n",
		    argv[optind]);
	else if (command->actions > 1)
		fprintf(stderr, "metacubed: one action at a time\n");
	else if (command->format != NULL && command->action != ACTION_DESCRIBE)
		fprintf(stderr, "metacubed: --format goes with --describe\n");
	else
		return true;
	return false;
}

/* Prints what is wrong; the exit status. */
static int
errors_finish(struct errors *errors)
{
	int status = errors->count > 0 ? EXIT_FAILURE : EXIT_SUCCESS;

	fflush(stdout);
	errors_print(errors, stderr);
	errors_clear(errors);
	return status;
}

static int
check(const struct command *command)
{
	struct errors errors = { 0 };
	struct conf_set *set = conf_read(&command->args, &errors);
	int status = EXIT_SUCCESS;

	if (set != NULL && !identity_usable(set->host))
		status = EXIT_FAILURE;		/* and why has been logged */
	else if (set != NULL)
		printf("the configuration is fine: %zu instance%s\n",
		    set->count, set->count == 1 ? "" : "s");
	conf_free(&set);
	return errors_finish(&errors) | status;
}

/* Shows what there is even when something is wrong with the rest. */
static int
show(const struct command *command)
{
	struct errors errors = { 0 };
	struct conf_set *set = conf_read_all(&command->args, &errors);

	if (command->action == ACTION_LIST)
		describe_list(stdout, set);
	else
		describe_graph(stdout, set);
	conf_free(&set);
	return errors_finish(&errors);
}

static bool
format_parse(const char *word, enum describe_format *format_r)
{
	static const char *const words[] = { "text", "man", "conf" };

	for (unsigned i = 0; i < 3; i++) {
		if (word == NULL || strcmp(word, words[i]) == 0) {
			*format_r = (enum describe_format)i;
			return true;
		}
	}
	fprintf(stderr, "metacubed: --format: expected text, man or conf\n");
	return false;
}

static void
module_describe(const struct command *command, enum describe_format format,
    struct errors *errors)
{
	struct conf_set *set = conf_read_host(&command->args, errors);
	const struct mc_module *module = NULL;

	if (!keys_name_valid(command->describe))
		errors_add(errors, "--describe: expected the name of a module, "
		    "not of a file");
	else if (set->host->module_dir != NULL)
		module = loader_load(set->host->module_dir, command->describe,
		    NULL, 0, errors);
	if (module != NULL)
		describe_print(stdout, module, loader_file(module), format);
	conf_free(&set);
}

static int
describe(const struct command *command)
{
	struct errors errors = { 0 };
	enum describe_format format;

	if (!format_parse(command->format, &format))
		return USAGE_ERROR;
	if (strcmp(command->describe, CONF_SELF) == 0)
		describe_print(stdout, NULL, NULL, format);
	else
		module_describe(command, format, &errors);
	return errors_finish(&errors);
}

static int
run(const struct command *command)
{
	struct errors errors = { 0 };
	struct conf_set *set = conf_read(&command->args, &errors);

	if (set == NULL)
		return errors_finish(&errors);
	loader_seal();
	return process_run(&command->args, &set);
}

static int
command_run(const struct command *command)
{
	switch (command->action) {
	case ACTION_RUN:
		return run(command);
	case ACTION_CHECK:
		return check(command);
	case ACTION_LIST:
	case ACTION_GRAPH:
		return show(command);
	case ACTION_DESCRIBE:
		return describe(command);
	case ACTION_VERSION:
		printf("metacubed %s (module ABI %d.%d)\n", PACKAGE_VERSION,
		    MC_ABI_MAJOR, MC_ABI_MINOR);
		return EXIT_SUCCESS;
	case ACTION_HELP:
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	return USAGE_ERROR;
}

/* A file that is opened later must never become standard output. */
static void
standard_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

int
metacubed_main(int argc, char **argv)
{
	struct command command = { .action = ACTION_RUN };
	int status;

	standard_open();
	if (command_parse(&command, argc, argv))
		status = command_run(&command);
	else {
		fputs(usage, stderr);
		status = USAGE_ERROR;
	}
	free(command.args.sets);
	return status;
}
