/* SPDX-License-Identifier: MIT */
/* Any metacubed: its folder, its life, its log. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void
server_die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

void
server_write(const struct server *server, const char *name, const char *text)
{
	char path[2 * SERVER_PATH];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", server->folder, name);
	file = fopen(path, "w");
	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		server_die(path);
}

void
server_make(struct server *server, const char *module_dir)
{
	const char *tmp = getenv("TMPDIR");
	char text[2 * SERVER_PATH];

	memset(server, 0, sizeof(*server));
	snprintf(server->folder, sizeof(server->folder), "%s/mc-crash-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(server->folder) == NULL)
		server_die(server->folder);
	snprintf(server->socket, sizeof(server->socket), "%s/control",
	    server->folder);
	snprintf(server->log, sizeof(server->log), "%s/log", server->folder);
	snprintf(text, sizeof(text), "%s/conf.d", server->folder);
	if (mkdir(text, 0700) == -1)
		server_die(text);
	if (snprintf(text, sizeof(text), "module_dir = \"%s\";\n"
	    "conf_dir = \"conf.d\";\ncontrol = \"control\";\n"
	    "io_threads = 1;\npool_threads = 1;\n", module_dir) >=
	    (int)sizeof(text))
		server_die("the build's path is too long");
	server_write(server, "metacubed.conf", text);
}

static void
child(const struct server *server, const char *build, const char *crash_at)
{
	char program[SERVER_PATH], conf[SERVER_PATH];
	int log = open(server->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (crash_at != NULL)
		setenv("METACUBE_CRASH_AT", crash_at, 1);
	snprintf(program, sizeof(program), "%s/metacubed", build);
	snprintf(conf, sizeof(conf), "%s/metacubed.conf", server->folder);
	execl(program, program, "-c", conf, (char *)NULL);
	_exit(127);
}

void
server_start(struct server *server, const char *build, const char *crash_at)
{
	struct stat log;

	server->log_before = stat(server->log, &log) == 0 ? log.st_size : 0;
	server->pid = fork();
	if (server->pid == -1)
		server_die("fork");
	if (server->pid == 0)
		child(server, build, crash_at);
}

bool
server_is_alive(struct server *server)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)server->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

int
server_end(struct server *server, int signal)
{
	int status = 0;

	if (signal != 0)
		kill(server->pid, signal);
	while (waitpid(server->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	server->pid = 0;
	return status;
}

void
server_log_show(const struct server *server)
{
	char command[2 * SERVER_PATH];

	fflush(stdout);
	snprintf(command, sizeof(command), "tail -n 30 '%s' | sed 's/^/# /'",
	    server->log);
	if (system(command) != 0)
		printf("# (no log)\n");
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

void
server_remove(struct server *server)
{
	if (server->pid != 0)
		server_end(server, SIGKILL);
	nftw(server->folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}
