/* SPDX-License-Identifier: MIT */
/* The account server: its modules, and when it can be asked. */
#include "server.h"

#include "asking.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS	20000
#define POLL_US		500

static void
acctserv_conf_write(const struct server *server)
{
	char text[2 * SERVER_PATH];

	snprintf(text, sizeof(text), "module = \"acctserv\";\nsettings = { "
	    "cost = 1; listen = \"\"; listen_unix = \"unix:%s\"; "
	    "audit = \"../audit\"; account_free = 1000; "
	    "account_mails = 1000000; };\n", server->account);
	server_write(server, "conf.d/acctserv.conf", text);
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
	char real[PATH_MAX], modules[PATH_MAX + 16];

	if (realpath(build, real) == NULL)
		server_die(build);
	snprintf(modules, sizeof(modules), "%s/modules/.libs", real);
	server_make(server, modules);
	snprintf(server->account, sizeof(server->account), "%s/account",
	    server->folder);
	snprintf(server->mailbox, sizeof(server->mailbox), "%s/mailbox",
	    server->folder);
	acctserv_conf_write(server);
	server_write(server, "conf.d/tcapw.conf", "module = \"tcapw_gdbm\";\n"
	    "settings = { path = \"../accounts.gdbm\"; };\n");
	server_write(server, "conf.d/wmq.conf", "module = \"wmq_file\";\n"
	    "settings = { path = \"../queue\"; segment_size = \"8KiB\"; };\n");
}

void
server_mails(struct server *server, const char *command)
{
	char text[3 * SERVER_PATH];

	if (mkdir(server->mailbox, 0700) == -1)
		server_die(server->mailbox);
	snprintf(text, sizeof(text), "module = \"mail_sendmail\";\n"
	    "settings = { command = \"%s\"; spool = \"../mail\"; "
	    "from = \"noreply@example.com\"; retry_base = \"100ms\"; };\n",
	    command);
	server_write(server, "conf.d/mail.conf", text);
}

static void
pause_us(long us)
{
	struct timespec pause = { 0, us * 1000 };

	nanosleep(&pause, NULL);
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
		server_die(server->log);
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
