/* SPDX-License-Identifier: MIT */
/*
 * metacube-contract - does a module keep the contract of its service?
 *
 *	metacube-contract SERVICE MODULE.so CONF [CONF...]
 *
 * The first CONF is a conf.d file for the module, further ones are for those
 * it needs, which lie in the same folder; one that is called metacubed.conf
 * has further settings of the host (a certificate).  They are copied into a
 * folder of their own, so a relative path in them is an empty place that is
 * removed afterwards.  Speaks TAP; exit status 0 when all promises were kept.
 */
#include "contract.h"

#include "server/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE	4096
#define PHASE_SECONDS	600

static const struct contract_suite *const suites[] = {
	&contract_account, &contract_auth, &contract_freeze, &contract_mail,
	&contract_mirror, &contract_replica, &contract_replicas,
	&contract_taskmaster, &contract_tcapw, &contract_wmq,
	&contract_wmqfile
};

static char folder[PATH_SIZE / 2];
static struct contract_shared *shared;

static const struct contract_suite *
suite_find(const char *service)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (strcmp(suites[i]->service, service) == 0)
			return suites[i];
	return NULL;
}

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
folder_remove(void)
{
	nftw(folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static int
copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "a");
	char buffer[4096];
	size_t got;
	int result = in == NULL || out == NULL ? -1 : 0;

	while (result == 0 && (got = fread(buffer, 1, sizeof(buffer),
	    in)) > 0)
		if (fwrite(buffer, 1, got, out) != got)
			result = -1;
	if (in != NULL)
		fclose(in);
	if (out != NULL && fclose(out) != 0)
		result = -1;
	return result;
}

static int
host_conf_write(const char *module)
{
	char real[PATH_SIZE], path[PATH_SIZE];
	FILE *file;

	if (realpath(module, real) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/metacubed.conf", folder);
	file = fopen(path, "w");
	if (file == NULL)
		return -1;
	fprintf(file, "module_dir = \"%s\";\nconf_dir = \"conf.d\";\n"
	    "control = \"control\";\nio_threads = 1;\npool_threads = 2;\n"
	    "log_level = \"warn\";\n", dirname(real));
	return fclose(file);
}

static int
folder_make(const char *module, char **confs, int count)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_SIZE], name[PATH_SIZE];

	snprintf(folder, sizeof(folder), "%s/metacube-contract-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL)
		return -1;
	atexit(folder_remove);
	snprintf(path, sizeof(path), "%s/conf.d", folder);
	if (mkdir(path, 0700) == -1 || host_conf_write(module) == -1)
		return -1;
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s", confs[i]);
		if (snprintf(path, sizeof(path), "%s/%s%s", folder,
		    strcmp(basename(name), "metacubed.conf") == 0 ?
		    "" : "conf.d/", basename(name)) >= (int)sizeof(path) ||
		    copy(confs[i], path) == -1)
			return -1;
	}
	return 0;
}

/* "/usr/lib/.../tcapw_mem.so": its name is tcapw_mem. */
static void
module_name(const char *module, char *name, size_t size)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s", module);
	snprintf(name, size, "%s", basename(path));
	name[strcspn(name, ".")] = '\0';
}

static void
phase_child(const struct contract_suite *suite,
    const struct contract_phase *phase, const char *module)
{
	char conf[PATH_SIZE], name[PATH_SIZE];

	snprintf(conf, sizeof(conf), "%s/metacubed.conf", folder);
	module_name(module, name, sizeof(name));
	alarm(PHASE_SECONDS);
	/* exit, so that sanitizers look for leaks; but the folder is not
	 * this process's to remove */
	folder[0] = '\0';
	exit(metacubed_embed(conf, frame_prepare(suite, phase, shared),
	    name));
}

static void
plain_promise(bool kept, const char *text, const char *more)
{
	shared->tests++;
	shared->failures += !kept;
	printf("%s %u - %s%s\n", kept ? "ok" : "not ok", shared->tests, text,
	    more);
	fflush(stdout);
}

/* Does going on make sense? */
static bool
phase_run(const struct contract_suite *suite,
    const struct contract_phase *phase, const char *module)
{
	int status = 0;
	pid_t pid;

	shared->finished = false;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		phase_child(suite, phase, module);
	while (pid != -1 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (phase->killed)
		plain_promise(shared->finished && WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGKILL, "runs until it is killed: ",
		    phase->name);
	else
		plain_promise(shared->finished && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 0, "starts, and stops in order: ",
		    phase->name);
	return shared->finished;
}

static void
answers_judge(void)
{
	printf("# %u questions were answered\n", shared->answers);
	plain_promise(shared->inside == 0,
	    "no answer comes inside the call that asked", "");
	plain_promise(shared->elsewhere == 0,
	    "every answer comes on the loop thread", "");
	plain_promise(shared->slots == 0,
	    "the slot is empty when the answer comes", "");
}

static void
usage(void)
{
	fputs("usage: metacube-contract SERVICE MODULE.so CONF [CONF...]\n"
	    "SERVICE is one of:", stderr);
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		fprintf(stderr, " %s", suites[i]->service);
	fputc('\n', stderr);
}

int
main(int argc, char **argv)
{
	const struct contract_suite *suite =
	    argc < 4 ? NULL : suite_find(argv[1]);
	const struct contract_phase *phase;

	if (suite == NULL) {
		usage();
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED ||
	    folder_make(argv[2], argv + 3, argc - 3) == -1) {
		fprintf(stderr, "metacube-contract: %s: %s\n", argv[2],
		    strerror(errno));
		return 2;
	}
	for (phase = suite->phases; phase->name != NULL; phase++)
		if (!phase_run(suite, phase, argv[2]))
			break;
	answers_judge();
	printf("1..%u\n", shared->tests);
	return shared->failures == 0 ? 0 : 1;
}
