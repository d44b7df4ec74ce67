/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "asking.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS	20000
#define POLL_US		500

static void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

static void
file_write(const struct server *server, const char *name, const char *text)
{
	char path[2 * SERVER_PATH];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", server->folder, name);
	file = fopen(path, "w");
	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		die(path);
}

static void
acctserv_conf_write(const struct server *server)
{
	char text[2 * SERVER_PATH];

	snprintf(text, sizeof(text), "module = \"acctserv\";\nsettings = { "
	    "cost = 1; listen = \"\"; listen_unix = \"unix:%s\"; "
	    "audit = \"../audit\"; account_free = 1000; "
	    "account_mails = 1000000; };\n", server->account);
	file_write(server, "conf.d/acctserv.conf", text);
}

void
server_moved(struct server *server)
{
	server->pid = 0;
	acctserv_conf_write(server);
}

void
server_prepare(struct server *server, const char *build)
{
	const char *tmp = getenv("TMPDIR");
	char text[2 * SERVER_PATH], real[4096];

	memset(server, 0, sizeof(*server));
	snprintf(server->folder, sizeof(server->folder), "%s/mc-crash-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(server->folder) == NULL || realpath(build, real) == NULL)
		die(server->folder);
	snprintf(server->socket, sizeof(server->socket), "%s/control",
	    server->folder);
	snprintf(server->account, sizeof(server->account), "%s/account",
	    server->folder);
	snprintf(server->mailbox, sizeof(server->mailbox), "%s/mailbox",
	    server->folder);
	snprintf(server->log, sizeof(server->log), "%s/log", server->folder);
	snprintf(text, sizeof(text), "%s/conf.d", server->folder);
	if (mkdir(text, 0700) == -1)
		die(text);
	if (snprintf(text, sizeof(text), "module_dir = \"%s/modules/.libs\";\n"
	    "conf_dir = \"conf.d\";\ncontrol = \"control\";\n"
	    "io_threads = 1;\npool_threads = 1;\n", real) >=
	    (int)sizeof(text))
		die("the build's path is too long");
	file_write(server, "metacubed.conf", text);
	acctserv_conf_write(server);
	file_write(server, "conf.d/tcapw.conf", "module = \"tcapw_gdbm\";\n"
	    "settings = { path = \"../accounts.gdbm\"; };\n");
	file_write(server, "conf.d/wmq.conf", "module = \"wmq_file\";\n"
	    "settings = { path = \"../queue\"; segment_size = \"8KiB\"; };\n");
}

void
server_mails(struct server *server, const char *command)
{
	char text[3 * SERVER_PATH];

	if (mkdir(server->mailbox, 0700) == -1)
		die(server->mailbox);
	snprintf(text, sizeof(text), "module = \"mail_sendmail\";\n"
	    "settings = { command = \"%s\"; spool = \"../mail\"; "
	    "from = \"noreply@example.com\"; retry_base = \"100ms\"; };\n",
	    command);
	file_write(server, "conf.d/mail.conf", text);
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
		die("fork");
	if (server->pid == 0)
		child(server, build, crash_at);
}

static void
pause_us(long us)
{
	struct timespec pause = { 0, us * 1000 };

	nanosleep(&pause, NULL);
}

bool
server_is_alive(struct server *server)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)server->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

static bool
is_level(const struct server *server)
{
	struct asking_answer answer;
	int fd = asking_connect(server->socket);

	if (fd == -1)
		return false;
	asking_ask(fd, "show", "nobody", NULL, &answer);
	close(fd);
	return answer.status == MC_NOT_FOUND;
}

/* It goes on, but has no use for its store: it says so, once. */
static bool
refuses(const struct server *server)
{
	char line[1024];
	bool said = false;
	FILE *log = fopen(server->log, "r");

	if (log == NULL)
		return false;
	if (fseeko(log, server->log_before, SEEK_SET) == -1)
		die(server->log);
	while (!said && fgets(line, sizeof(line), log) != NULL)
		said = strstr(line, "until the next start") != NULL;
	fclose(log);
	return said;
}

bool
server_ready(struct server *server)
{
	for (long waited = 0; waited < PATIENCE_MS * 1000L;
	    waited += POLL_US) {
		if (is_level(server))
			return true;
		if (!server_is_alive(server))
			return false;
		if (refuses(server)) {
			kill(server->pid, SIGKILL);
			return false;
		}
		pause_us(POLL_US);
	}
	server_log_show(server);
	server_end(server, SIGKILL);
	printf("Bail out! the server is neither ready nor dead\n");
	exit(99);
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
