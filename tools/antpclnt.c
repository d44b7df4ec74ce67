/* SPDX-License-Identifier: MIT */
/*
 * metacube-antpclnt - mirrors the queue files of a server to a folder.
 *
 *	metacube-antpclnt [--once] [--cert F --key F --ca F] URL DIR
 *
 * The module antpclnt does the work: this is a server process with that module
 * and one instance more, which shows how far it is and says when to end.  What
 * it is told by options stands in a configuration that is gone afterwards.
 */
#include <config.h>

#include "server/embed.h"

#include <metacube/host.h>
#include <metacube/mirror.h>
#include <metacube/text.h>

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE	4096
#define LOOK_MS		100
#define LINE_MS		2000	/* between two lines, without a terminal */
#define RATE_MS		1000	/* a rate is measured over so long */
#define LINE_SIZE	160

enum {
	EXIT_USAGE = 2, EXIT_UNREACHED, EXIT_UNFINISHED, EXIT_HALTED
};

static struct {
	const char	*url, *folder, *cert, *key, *ca, *role, *modules;
	bool		 once, plain, no_freeze, quiet;
	unsigned	 patience_s;
} args = { .role = "account", .modules = MODULE_DIR, .patience_s = 30 };

static char conf_folder[PATH_SIZE / 2];
static int outcome = EXIT_UNFINISHED;

/* The instance that looks on. */

struct driver {
	struct mc_ref		 mirror;
	struct mc_host		*host;
	struct mc_call		*call;
	struct mc_timer		*timer;
	uint64_t		 began_ms, shown_ms, rated_ms;
	uint64_t		 rated_bytes, rate;	/* bytes a second */
	uint64_t		 rated_records, record_rate;
	char			 shown[LINE_SIZE];
	bool			 terminal, done;
};

static void
bytes_text(uint64_t bytes, char text[32])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value,
	    units[unit]);
}

static void
rates_measure(struct driver *driver, const struct mirror_state *state)
{
	uint64_t now_ms = mc_now_ms(), past = now_ms - driver->rated_ms;

	if (past < RATE_MS)
		return;
	driver->rate = (state->received - driver->rated_bytes) * 1000 / past;
	driver->record_rate = state->fetched < driver->rated_records ? 0 :
	    (state->fetched - driver->rated_records) * 1000 / past;
	driver->rated_bytes = state->received;
	driver->rated_records = state->fetched;
	driver->rated_ms = now_ms;
}

static void
add_remaining(struct mc_text *text, uint64_t left, uint64_t rate)
{
	if (rate > 0 && left > 0)
		mc_text_add(text, ", %" PRIu64 " s left", left / rate + 1);
}

static void
line_make(const struct driver *driver, const struct mirror_state *state,
    char line[LINE_SIZE])
{
	struct mc_text text = { line, LINE_SIZE };
	char have[32], size[32], rate[32];

	if (!state->connected) {
		mc_text_add(&text, "%s is not connected", state->server);
		return;
	}
	bytes_text(driver->rate, rate);
	if (state->freeze_size != 0) {
		bytes_text(state->freeze_have, have);
		bytes_text(state->freeze_size, size);
		mc_text_add(&text, "freeze %s of %s (%u%%), %s/s", have,
		    size, (unsigned)(state->freeze_have * 100 /
		    state->freeze_size), rate);
		add_remaining(&text, state->freeze_size - state->freeze_have,
		    driver->rate);
		mc_text_add(&text, "; ");
	}
	mc_text_add(&text, "record %" PRIu64 " of %" PRIu64,
	    state->fetched, state->head.seq);
	if (state->freeze_size == 0 && state->head.seq > state->fetched) {
		mc_text_add(&text, ", %s/s", rate);
		add_remaining(&text, state->head.seq - state->fetched,
		    driver->record_rate);
	}
}

static void
line_show(struct driver *driver, const struct mirror_state *state)
{
	uint64_t now_ms = mc_now_ms();
	char line[LINE_SIZE];

	rates_measure(driver, state);
	if (args.quiet || (!driver->terminal && !driver->done &&
	    now_ms - driver->shown_ms < LINE_MS))
		return;
	line_make(driver, state, line);
	if (strcmp(line, driver->shown) == 0 && !driver->done)
		return;
	if (driver->terminal)
		printf("\r\033[K%s%s", line, driver->done ? "\n" : "");
	else
		printf("%s\n", line);
	fflush(stdout);
	strcpy(driver->shown, line);
	driver->shown_ms = now_ms;
}

static void
finish(struct driver *driver, int status)
{
	driver->done = true;
	outcome = status;
	kill(getpid(), SIGTERM);	/* the process stops in order */
}

/* Has all been done, or is there no point in going on? */
static void
judge(struct driver *driver, const struct mirror_state *state)
{
	if (driver->done || !args.once)
		return;
	if (state->level)
		finish(driver, EXIT_SUCCESS);
	else if (state->halted)
		finish(driver, EXIT_HALTED);
	else if (state->connected)
		driver->began_ms = mc_now_ms();
	else if (mc_now_ms() - driver->began_ms >=
	    (uint64_t)args.patience_s * 1000)
		finish(driver, EXIT_UNREACHED);
}

static void look(void *owner);

static void
looked(void *owner, const struct mc_reply *reply)
{
	struct driver *driver = owner;
	const struct mirror_state *state =
	    MC_RESULT(reply, struct mirror_state);

	if (state != NULL) {
		judge(driver, state);
		line_show(driver, state);
	}
	if (!driver->done)
		mc_timer_set(driver->host, &driver->timer, LOOK_MS, look,
		    driver);
}

static void
look(void *owner)
{
	struct driver *driver = owner;

	mirror_state(&driver->mirror, false, &driver->call, looked, driver);
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct driver *driver = state;

	(void)conf;
	driver->host = host;
	driver->terminal = isatty(STDOUT_FILENO);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct driver *driver = state;

	driver->began_ms = driver->rated_ms = mc_now_ms();
	if (!args.once)
		outcome = EXIT_SUCCESS;
	look(driver);
	return MC_OK;
}

static void
stop(void *state)
{
	struct driver *driver = state;

	mc_call_cancel(&driver->call);
	mc_timer_clear(&driver->timer);
	if (driver->terminal && !driver->done && !args.quiet)
		putchar('\n');
}

static const struct mc_need needs[] = {
	{ MIRROR_SERVICE, offsetof(struct driver, mirror), false },
	{ 0 }
};

static const struct mc_module driver = {
	MC_MODULE_ABI,
	.name		= "driver",
	.version	= "0.1.0",
	.summary	= "Shows how far the mirror is",
	.license	= "MIT",
	.needs		= needs,
	.state_size	= sizeof(struct driver),
	.init		= init,
	.start		= start,
	.stop		= stop,
};

/* The configuration. */

static int
entry_remove(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
conf_remove(void)
{
	if (conf_folder[0] != '\0')
		nftw(conf_folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void
setting(FILE *file, const char *name, const char *text)
{
	fprintf(file, "%s = \"", name);
	for (; *text != '\0'; text++)
		fprintf(file, *text == '"' || *text == '\\' ? "\\%c" : "%c",
		    *text);
	fputs("\";\n", file);
}

/* Absolute, since the configuration lies elsewhere. */
static int
path_setting(FILE *file, const char *name, const char *path)
{
	char *real = realpath(path, NULL);

	if (real == NULL) {
		fprintf(stderr, "metacube-antpclnt: %s: %s\n", path,
		    strerror(errno));
		return -1;
	}
	setting(file, name, real);
	free(real);
	return 0;
}

static FILE *
conf_open(const char *name, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/%s", conf_folder, name);
	return fopen(path, "w");
}

static int
host_conf_write(char path[PATH_SIZE])
{
	FILE *file = conf_open("metacubed.conf", path);
	int result;

	if (file == NULL)
		return -1;
	result = path_setting(file, "module_dir", args.modules);
	fputs("conf_dir = \"conf.d\";\ncontrol = \"control\";\n"
	    "io_threads = 1;\npool_threads = 1;\nlog_level = \"warn\";\n",
	    file);
	if (args.cert != NULL)
		result |= path_setting(file, "certificate", args.cert) |
		    path_setting(file, "key", args.key) |
		    path_setting(file, "ca", args.ca);
	return fclose(file) | result;
}

static int
module_conf_write(void)
{
	char path[PATH_SIZE];
	FILE *file = conf_open("conf.d/antpclnt.conf", path);
	int result;

	if (file == NULL)
		return -1;
	fputs("module = \"antpclnt\";\nsettings: {\n", file);
	result = path_setting(file, "path", args.folder);
	setting(file, "server", args.url);
	setting(file, "role", args.role);
	fprintf(file, "plain = %s;\nmirror_freeze = %s;\n};\n",
	    args.plain ? "true" : "false", args.no_freeze ? "false" : "true");
	return fclose(file) | result;
}

static int
conf_make(char path[PATH_SIZE])
{
	const char *tmp = getenv("TMPDIR");
	char folder[PATH_SIZE];

	snprintf(conf_folder, sizeof(conf_folder), "%s/antpclnt-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(conf_folder) == NULL) {
		perror(conf_folder);
		conf_folder[0] = '\0';
		return -1;
	}
	atexit(conf_remove);
	snprintf(folder, sizeof(folder), "%s/conf.d", conf_folder);
	if (mkdir(args.folder, 0700) == -1 && errno != EEXIST) {
		perror(args.folder);
		return -1;
	}
	if (mkdir(folder, 0700) == -1)
		return -1;
	return host_conf_write(path) | module_conf_write();
}

/* Arguments. */

static int
usage(FILE *to)
{
	fputs("usage: metacube-antpclnt [--once] [--cert FILE --key FILE "
	    "--ca FILE] [--plain]\n"
	    "           [--role ROLE] [--no-freeze] [--patience SECONDS] "
	    "[--quiet]\n"
	    "           [--modules DIR] antp://HOST:PORT/[,...] DIR\n", to);
	return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static bool
args_are_fine(void)
{
	unsigned files = (args.cert != NULL) + (args.key != NULL) +
	    (args.ca != NULL);

	if (files != 0 && files != 3)
		fputs("metacube-antpclnt: --cert, --key and --ca go "
		    "together\n", stderr);
	else if (files == 0 && !args.plain)
		fputs("metacube-antpclnt: --cert, --key and --ca, or --plain "
		    "(on this machine only)\n", stderr);
	else
		return true;
	return false;
}

static bool
number_read(const char *text, unsigned *number_r)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*number_r = (unsigned)number;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	    number <= 86400;
}

static int
args_read(int argc, char **argv)
{
	enum { ONCE = 1, PLAIN, NO_FREEZE, QUIET, SHOW_VERSION };
	static const struct option options[] = {
		{ "once", no_argument, NULL, ONCE },
		{ "plain", no_argument, NULL, PLAIN },
		{ "no-freeze", no_argument, NULL, NO_FREEZE },
		{ "quiet", no_argument, NULL, QUIET },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "ca", required_argument, NULL, 'a' },
		{ "role", required_argument, NULL, 'r' },
		{ "patience", required_argument, NULL, 'p' },
		{ "modules", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, SHOW_VERSION },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case ONCE: args.once = true; break;
		case PLAIN: args.plain = true; break;
		case NO_FREEZE: args.no_freeze = true; break;
		case QUIET: args.quiet = true; break;
		case 'c': args.cert = optarg; break;
		case 'k': args.key = optarg; break;
		case 'a': args.ca = optarg; break;
		case 'r': args.role = optarg; break;
		case 'p':
			if (!number_read(optarg, &args.patience_s))
				return -1;
			break;
		case 'm': args.modules = optarg; break;
		case 'h': exit(usage(stdout));
		case SHOW_VERSION:
			puts("metacube-antpclnt " PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		default: return -1;
		}
	if (argc - optind != 2)
		return -1;
	args.url = argv[optind];
	args.folder = argv[optind + 1];
	return 0;
}

int
main(int argc, char **argv)
{
	char conf[PATH_SIZE];
	int status;

	if (args_read(argc, argv) == -1)
		return usage(stderr);
	if (!args_are_fine())
		return EXIT_USAGE;
	if (conf_make(conf) != 0)
		return EXIT_FAILURE;
	status = metacubed_embed(conf, &driver, "antpclnt");
	if (status != EXIT_SUCCESS)
		return status;
	if (outcome == EXIT_UNREACHED)
		fprintf(stderr, "metacube-antpclnt: %s was not reached within "
		    "%u s; what is here is kept\n", args.url,
		    args.patience_s);
	else if (outcome == EXIT_HALTED)
		fputs("metacube-antpclnt: what the server sends does not fit, "
		    "again and again\n", stderr);
	else if (outcome == EXIT_UNFINISHED)
		fputs("metacube-antpclnt: interrupted; the next run goes on "
		    "from here\n", stderr);
	return outcome;
}
