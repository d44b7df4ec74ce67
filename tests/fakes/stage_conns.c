/* SPDX-License-Identifier: MIT */
/*
 * stage_conns - who connects with the module and whom it dials, until either
 * side ends it.
 */
#include "stage.h"

#include "stage_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mc_listener {
	const struct mc_conn_ops *ops;
	const struct mc_stream_ops *stream;
	void		*state;
	char		 address[128];
};

struct mc_link {
	const struct mc_conn_ops *ops;
	const struct mc_stream_ops *stream;
	void		*state;
};

static struct {
	struct mc_conn	*conns;
	struct mc_listener *listener;
	struct mc_link	*link;
	char		 dialled[256];
	struct mc_peer	 peer;			/* of the next connection */
} ends;

static void
conn_free(struct mc_conn *conn)
{
	stage_skip(conn);
	stage_unwrite(conn);
	free(conn);
}

static void
conn_closed(struct mc_conn *conn)
{
	if (conn->stream != NULL)
		conn->stream->closed(conn->owner);
	else
		conn->ops->closed(conn->owner);
}

void
stage_conns_reset(void)
{
	struct mc_conn *conn;

	while ((conn = ends.conns) != NULL) {
		ends.conns = conn->next;
		conn_free(conn);
	}
	free(ends.listener);
	free(ends.link);
	memset(&ends, 0, sizeof(ends));
	stage_peer("192.0.2.7", "", "");
}

void
stage_conns_settle(void)
{
	for (struct mc_conn *conn = ends.conns; conn != NULL;
	    conn = conn->next)
		if (conn->over && !conn->gone) {
			conn->gone = true;
			conn_closed(conn);
		}
}

struct mc_listener *
mc_listen(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, const struct mc_conn_ops *ops, void *state)
{
	(void)host;
	(void)roles;
	ends.listener = mc_zalloc(sizeof(*ends.listener));
	ends.listener->ops = ops;
	ends.listener->state = state;
	snprintf(ends.listener->address, sizeof(ends.listener->address),
	    "%s", conf->endpoint);
	return ends.listener;
}

void
mc_unlisten(struct mc_listener **listener)
{
	free(*listener);
	*listener = ends.listener = NULL;
}

enum mc_status
mc_relisten(struct mc_listener *listener, const struct mc_listen_conf *conf)
{
	return strcmp(listener->address, conf->endpoint) == 0 ? MC_OK :
	    MC_INVALID;
}

const char *
mc_listener_address(const struct mc_listener *listener)
{
	return listener->address;
}

struct mc_link *
mc_dial(struct mc_host *host, const char *endpoint, const char *role,
    const struct mc_conn_ops *ops, void *state)
{
	(void)host;
	(void)endpoint;
	(void)role;
	ends.link = mc_zalloc(sizeof(*ends.link));
	ends.link->ops = ops;
	ends.link->state = state;
	return ends.link;
}

struct mc_listener *
mc_listen_stream(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, bool plain, const struct mc_stream_ops *ops,
    void *state)
{
	struct mc_listener *listener = mc_listen(host, conf, roles, NULL,
	    state);

	(void)plain;
	listener->stream = ops;
	return listener;
}

struct mc_link *
mc_dial_stream(struct mc_host *host, const char *endpoint, const char *role,
    bool plain, const struct mc_stream_ops *ops, void *state)
{
	struct mc_link *link = mc_dial(host, endpoint, role, NULL, state);

	(void)plain;
	link->stream = ops;
	snprintf(ends.dialled, sizeof(ends.dialled), "%s", endpoint);
	return link;
}

const char *
stage_dialled(void)
{
	return ends.link == NULL ? "" : ends.dialled;
}

void
mc_hangup(struct mc_link **link)
{
	if (*link == NULL)
		return;
	for (struct mc_conn *conn = ends.conns; conn != NULL;
	    conn = conn->next)
		if (conn->ops == (*link)->ops &&
		    conn->stream == (*link)->stream)
			conn->over = true;
	free(*link);
	*link = ends.link = NULL;
}

static struct mc_conn *
conn_new(const struct mc_conn_ops *ops, const struct mc_stream_ops *stream,
    void *state)
{
	struct mc_conn *conn = mc_zalloc(sizeof(*conn));

	conn->ops = ops;
	conn->stream = stream;
	conn->peer = ends.peer;
	conn->owner = stream != NULL ? stream->open(state, conn) :
	    ops->open(state, conn);
	if (conn->owner == NULL) {
		conn_free(conn);
		return NULL;
	}
	conn->next = ends.conns;
	ends.conns = conn;
	return conn;
}

struct mc_conn *
stage_connect(void)
{
	return ends.listener == NULL ? NULL : conn_new(ends.listener->ops,
	    ends.listener->stream, ends.listener->state);
}

struct mc_conn *
stage_accept(void)
{
	return ends.link == NULL ? NULL : conn_new(ends.link->ops,
	    ends.link->stream, ends.link->state);
}

void
stage_peer(const char *address, const char *name, const char *roles)
{
	struct mc_peer *peer = &ends.peer;

	if (address != NULL)
		snprintf(peer->address, sizeof(peer->address), "%s", address);
	if (name != NULL)
		snprintf(peer->name, sizeof(peer->name), "%s", name);
	if (roles != NULL)
		snprintf(peer->roles, sizeof(peer->roles), "%s", roles);
}

/* One role at a time is enough here. */
bool
mc_peer_is(const struct mc_peer *peer, const char *role)
{
	return strcmp(peer->roles, role) == 0;
}

const struct mc_peer *
mc_conn_peer(const struct mc_conn *conn)
{
	return &conn->peer;
}

void
mc_conn_admit(struct mc_conn *conn)
{
	conn->admitted = true;
}

bool
stage_admitted(const struct mc_conn *conn)
{
	return conn->admitted;
}

void
mc_conn_close(struct mc_conn *conn)
{
	conn->over = true;
}

void
stage_drop(struct mc_conn *conn)
{
	if (conn->gone)
		return;
	conn->over = conn->gone = true;
	conn_closed(conn);
}

bool
stage_over(const struct mc_conn *conn)
{
	return conn->over;
}
