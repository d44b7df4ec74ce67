/* SPDX-License-Identifier: MIT */
/*
 * control_socket - the socket: one Command in, one Output back.
 *
 * Who may ask is decided by the kernel's word for who is at the other end,
 * and by the socket's mode; there is no password.
 */
#include "control_parts.h"

#include "process.h"
#include "pump.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define QUERIES_MAX	16		/* unanswered, of one connection */

/* Room for it: its directory, and the name itself when a dead server has left
 * it. */

/* 0: somebody listens there; else why not. */
static int
try_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd == -1)
		return errno;
	strcpy(to.sun_path, path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		error = errno;
	close(fd);
	return error;
}

static enum mc_status
remove_stale(const char *path)
{
	struct stat st;
	int error;

	if (lstat(path, &st) == -1)
		return MC_OK;
	if (!S_ISSOCK(st.st_mode))
		return mc_fail(NULL, MC_INVALID, "control socket %s: there is "
		    "something else of this name", path);
	error = try_connect(path);
	if (error == 0)
		return mc_fail(NULL, MC_EXISTS, "control socket %s: a server "
		    "is already running there", path);
	if (error != ECONNREFUSED)
		return mc_fail(NULL, MC_UNAVAILABLE, "control socket %s: %s",
		    path, strerror(error));
	if (unlink(path) == -1)
		return mc_fail(NULL, MC_UNAVAILABLE, "control socket %s: "
		    "cannot remove the one that is left over: %s", path,
		    strerror(errno));
	return MC_OK;
}

/* Under a prefix of one's own there may be no var/run yet. */
static int
make_path(char *path)
{
	char *slash;
	int result;

	for (slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		result = mkdir(path, 0755);
		*slash = '/';
		if (result == -1 && errno != EEXIST)
			return -1;
	}
	return mkdir(path, 0755);
}

/* The directory belongs to the user that we are about to become. */
static enum mc_status
make_directory(const char *path, const char *user)
{
	char *directory = strdup(path);
	const struct passwd *owner = NULL;
	enum mc_status status = MC_OK;

	*strrchr(directory, '/') = '\0';
	if (*directory == '\0' || access(directory, F_OK) == 0) {
		free(directory);
		return MC_OK;
	}
	if (*user != '\0' && geteuid() == 0)
		owner = getpwnam(user);
	if (make_path(directory) == -1 || (owner != NULL &&
	    chown(directory, owner->pw_uid, owner->pw_gid) == -1))
		status = mc_fail(NULL, MC_UNAVAILABLE, "cannot make the "
		    "directory %s of the control socket: %s", directory,
		    strerror(errno));
	free(directory);
	return status;
}

enum mc_status
control_prepare(struct process *process)
{
	const char *path = process->conf.control;
	enum mc_status status;

	if (*path == '\0')
		return MC_OK;
	if (*path != '/' || strlen(path) >=
	    sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return mc_fail(NULL, MC_INVALID, "control socket %s: must be "
		    "an absolute path of at most %zu bytes", path,
		    sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	status = make_directory(path, process->conf.user);
	return status != MC_OK ? status : remove_stale(path);
}

/* Who comes by it. */

static void *
opened(void *state, struct mc_conn *conn)
{
	struct session *session;

	if (!pump_peer_trusted(conn)) {
		mc_log(NULL, MC_WARN, "control socket: a stranger was turned "
		    "away");
		return NULL;
	}
	session = mc_zalloc(sizeof(*session));
	session->commands = state;
	session->conn = conn;
	mc_conn_admit(conn);
	return session;
}

static void
asked(void *owner, const Metacube__Envelope *envelope)
{
	struct session *session = owner;
	struct mc_query *query;

	if (envelope->message_case != METACUBE__ENVELOPE__MESSAGE_COMMAND) {
		mc_conn_close(session->conn);
		return;
	}
	query = query_new(session, envelope->cid, envelope->command);
	if (session->queries > QUERIES_MAX)
		mc_query_done(query, MC_BUSY, "at most %d commands at a time",
		    QUERIES_MAX);
	else
		query_run(query);
}

static void
closed(void *owner)
{
	struct session *session = owner;
	struct mc_query *query = session->commands->queries;

	for (; query != NULL; query = query->next)
		if (query->session == session)
			query->session = NULL;
	free(session);
}

static const struct mc_conn_ops conn_ops = {
	.open		= opened,
	.message	= asked,
	.closed		= closed,
};

static const struct mc_listen_conf listen_conf = {
	.certificate		= "",
	.key			= "",
	.max_connections	= 64,
	.max_per_address	= 64,
	.handshake_ms		= 10000,
	.login_ms		= 10000,
	.idle_ms		= 3600 * 1000,
	.send_ms		= 60000,
	.queue_max		= 4 * QUERY_OUTPUT_MAX,
};

enum mc_status
control_start(struct process *process)
{
	struct commands *commands = process->commands;
	struct mc_listen_conf conf = listen_conf;
	char endpoint[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];

	if (*process->conf.control == '\0')
		return MC_OK;
	snprintf(endpoint, sizeof(endpoint), "unix:%s",
	    process->conf.control);
	conf.endpoint = endpoint;
	commands->listener = mc_listen(process->self, &conf, NULL, &conn_ops,
	    commands);
	if (commands->listener == NULL)
		return MC_UNAVAILABLE;
	commands->path = strdup(process->conf.control);
	if (chmod(commands->path, 0600) == -1)
		return mc_fail(NULL, MC_UNAVAILABLE, "control socket %s: %s",
		    commands->path, strerror(errno));
	return MC_OK;
}

void
control_stop(struct process *process)
{
	struct commands *commands = process->commands;

	if (commands->listener == NULL)
		return;
	mc_unlisten(&commands->listener);
	unlink(commands->path);
}
