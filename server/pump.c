/* SPDX-License-Identifier: MIT */
#include "pump.h"

#include "listen.h"
#include "process.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pump *
pump_of(struct mc_host *host)
{
	if (host->pump == NULL)
		host->pump = mc_zalloc(sizeof(*host->pump));
	return host->pump;
}

/* A socket that root has made is for the user that we shall be. */
static bool
hand_over(struct mc_host *host, const char *endpoint)
{
	const char *path = endpoint_path(endpoint);
	const char *user = host->process->conf.user;
	struct passwd *entry;

	if (path == NULL || geteuid() != 0 || user[0] == '\0')
		return true;
	entry = getpwnam(user);
	if (entry != NULL && chown(path, entry->pw_uid, entry->pw_gid) == 0)
		return true;
	mc_log(host, MC_ERROR, "cannot give %s to the user %s: %s", path,
	    user, entry != NULL ? strerror(errno) : "no such user");
	return false;
}

enum mc_status
pump_bind(struct mc_host *host, const char *endpoint)
{
	struct bound *bound;
	int fd = bind_endpoint(host, endpoint);

	if (fd == -1)
		return MC_UNAVAILABLE;
	if (!hand_over(host, endpoint)) {
		close(fd);
		return MC_UNAVAILABLE;
	}
	bound = mc_zalloc(sizeof(*bound) + strlen(endpoint) + 1);
	bound->fd = fd;
	strcpy(bound->endpoint, endpoint);
	LIST_INSERT_HEAD(&pump_of(host)->bound, bound, link);
	return MC_OK;
}

int
pump_take(struct mc_host *host, const char *endpoint)
{
	struct bound *bound;
	int fd;

	LIST_FOREACH(bound, &pump_of(host)->bound, link)
		if (strcmp(bound->endpoint, endpoint) == 0)
			break;
	if (bound == NULL)
		return bind_endpoint(host, endpoint);
	fd = bound->fd;
	LIST_REMOVE(bound, link);
	free(bound);
	return fd;
}

enum mc_status
pump_reload(struct mc_host *host)
{
	struct mc_listener *listener;
	enum mc_status status = MC_OK, one;

	LIST_FOREACH(listener, &pump_of(host)->listeners, link) {
		one = listener_reload(host, listener);
		if (one != MC_OK)
			status = one;
	}
	return status;
}

static void
drop_of(struct io_thread *thread, void *arg)
{
	conn_drop_of(thread, arg);
}

static void
close_bound(struct pump *pump)
{
	struct bound *bound;

	while ((bound = LIST_FIRST(&pump->bound)) != NULL) {
		LIST_REMOVE(bound, link);
		close(bound->fd);
		free(bound);
	}
}

/* After this no I/O thread has anything of this instance, and what is still
 * in the mail finds nobody. */
void
pump_close(struct mc_host *host)
{
	struct pump *pump = host->pump;
	struct mc_listener *listener;

	if (pump == NULL)
		return;
	while ((listener = LIST_FIRST(&pump->listeners)) != NULL)
		mc_unlisten(&listener);
	links_close(pump);
	if (host->process->io != NULL)
		io_call_all(host->process->io, drop_of, host);
	while (!LIST_EMPTY(&pump->conns))
		conn_forget(LIST_FIRST(&pump->conns));
	close_bound(pump);
	free(pump);
	host->pump = NULL;
}

const char *
pump_listener(struct mc_host *host, unsigned n)
{
	struct mc_listener *listener;

	if (host->pump == NULL)
		return NULL;
	LIST_FOREACH(listener, &host->pump->listeners, link)
		if (n-- == 0)
			return mc_listener_address(listener);
	return NULL;
}

size_t
pump_connections(struct mc_host *host)
{
	return host->pump != NULL ? host->pump->nconns : 0;
}

bool
pump_peer_trusted(const struct mc_conn *conn)
{
	return conn->trusted;
}
