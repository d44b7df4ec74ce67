/* SPDX-License-Identifier: MIT */
/*
 * The replicas of this server: whoever has said in a request what its store
 * holds (Applied:) is registered and waited for, until it is given up or
 * forgotten.  Mirrors that only fetch files are not.
 */
#include "antpserv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct replica *
replica_find(struct registry *registry, const char *name)
{
	struct replica *replica;

	LIST_FOREACH(replica, &registry->replicas, link)
		if (strcmp(replica->entry.name, name) == 0)
			return replica;
	return NULL;
}

/* In the order of their names. */
struct replica *
replica_add(struct registry *registry, const char *name)
{
	struct replica *replica, *at, *before = NULL;

	if (registry->count == REPLICAS_MAX)
		return NULL;
	replica = mc_zalloc(sizeof(*replica));
	snprintf(replica->entry.name, MC_KEY_SIZE, "%s", name);
	LIST_FOREACH(at, &registry->replicas, link)
		if (strcmp(at->entry.name, name) < 0)
			before = at;
	if (before != NULL)
		LIST_INSERT_AFTER(before, replica, link);
	else
		LIST_INSERT_HEAD(&registry->replicas, replica, link);
	registry->count++;
	return replica;
}

/* Connections */

static void
connected_gauge(struct antpserv *server)
{
	struct replica *replica;
	int64_t connected = 0;

	LIST_FOREACH(replica, &server->registry.replicas, link)
		connected += replica->sessions != 0;
	mc_gauge(server->host, "replicas_connected", connected);
}

static bool
replica_came(struct session *session)
{
	struct registry *registry = &session->server->registry;
	char name[MC_KEY_SIZE];
	struct replica *replica;

	session_name(session, name);
	replica = replica_find(registry, name);
	if (replica == NULL) {
		replica = replica_add(registry, name);
		if (replica == NULL)
			return false;
		replica->entry.progress_ms = mc_time_ms();
		mc_log(registry->host, MC_NOTE, "%s is a new replica", name);
	}
	replica->sessions++;
	replica->entry.connected = true;
	session->replica = replica;
	connected_gauge(session->server);
	return true;
}

/* Whoever loses again and again what it had comes no further by that. */
static bool
makes_progress(const struct antpserv *server, struct replica *replica)
{
	const struct wmq_pointer *pointer =
	    &replica->entry.acknowledged.pointer;
	struct wmq_pointer *furthest = &replica->furthest;

	if (memcmp(pointer->epoch, server->head.epoch, 16) != 0)
		return false;
	if (memcmp(pointer->epoch, furthest->epoch, 16) != 0 ||
	    pointer->seq > furthest->seq) {
		*furthest = *pointer;
		return true;
	}
	return pointer->seq >= server->head.seq;
}

/* Who was given up is waited for again when it has what it needs. */
static void
come_back(struct antpserv *server, struct replicas_entry *entry)
{
	if (!entry->resync ||
	    entry->acknowledged.pointer.seq + 1 < server->oldest)
		return;
	entry->resync = false;
	registry_changed(&server->registry);
	mc_log(server->host, MC_NOTE, "%s had been given up and is back",
	    entry->name);
}

bool
replica_acknowledge(struct session *session)
{
	const struct tcapw_position *applied = &session->request.applied;
	struct antpserv *server = session->server;
	struct replicas_entry *entry;

	if (session->replica == NULL && !replica_came(session))
		return false;
	entry = &session->replica->entry;
	entry->seen_ms = mc_time_ms();
	if (memcmp(&entry->acknowledged, applied, sizeof(*applied)) != 0 ||
	    registry_stale(&server->registry))
		registry_changed(&server->registry);
	entry->acknowledged = *applied;
	if (makes_progress(server, session->replica)) {
		entry->progress_ms = entry->seen_ms;
		come_back(server, entry);
	}
	return true;
}

void
replica_left(struct session *session)
{
	struct replica *replica = session->replica;

	session->replica = NULL;
	if (replica == NULL)
		return;
	replica->entry.connected = --replica->sessions != 0;
	connected_gauge(session->server);
	if (!session->server->stopping)
		registry_changed(&session->server->registry);
}

/* The service */

static void
list(void *state, struct mc_call *call)
{
	struct antpserv *server = state;
	struct replicas_entry *all;
	struct replica *replica;
	size_t count = 0;

	all = mc_zalloc((server->registry.count + 1) * sizeof(*all));
	LIST_FOREACH(replica, &server->registry.replicas, link)
		all[count++] = replica->entry;
	mc_call_done(call, MC_OK, all, count * sizeof(*all));
	free(all);
}

static void
give_up(void *state, const char *name, struct mc_call *call)
{
	struct antpserv *server = state;
	struct replica *replica = replica_find(&server->registry, name);

	if (replica == NULL) {
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
		return;
	}
	if (!replica->entry.resync)
		mc_log(server->host, MC_WARN, "%s is given up: it will have "
		    "to load a freeze", name);
	replica->entry.resync = true;
	registry_changed(&server->registry);
	mc_call_done(call, MC_OK, NULL, 0);
}

const struct replicas_ops replicas_ops = { list, give_up };

/* Commands */

static void
time_cell(struct mc_query *query, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32] = "never";
	struct tm tm;

	if (ms != 0)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
		    gmtime_r(&seconds, &tm));
	mc_query_cell(query, "%s", text);
}

static const char *
state_of(const struct antpserv *server, const struct replicas_entry *entry)
{
	const struct wmq_pointer *pointer = &entry->acknowledged.pointer;

	if (entry->resync)
		return "given up";
	if (memcmp(pointer->epoch, server->head.epoch, 16) != 0)
		return "other epoch";
	if (pointer->seq > server->head.seq)
		return "ahead";
	if (!entry->connected)
		return "away";
	return pointer->seq == server->head.seq ? "current" : "behind";
}

static void
replica_row(struct mc_query *query, const struct antpserv *server,
    const struct replicas_entry *entry)
{
	const struct wmq_pointer *pointer = &entry->acknowledged.pointer;
	bool same = memcmp(pointer->epoch, server->head.epoch, 16) == 0;

	mc_query_row(query);
	mc_query_cell(query, "%s", entry->name);
	mc_query_cell(query, "%s", entry->connected ? "yes" : "no");
	mc_query_cell(query, "%llu", (unsigned long long)pointer->seq);
	if (same && pointer->seq <= server->head.seq)
		mc_query_cell(query, "%llu", (unsigned long long)
		    (server->head.seq - pointer->seq));
	else
		mc_query_cell(query, "?");
	time_cell(query, entry->seen_ms);
	time_cell(query, entry->progress_ms);
	mc_query_cell(query, "%s", state_of(server, entry));
}

static void
mirror_row(struct mc_query *query, const struct session *session)
{
	char name[MC_KEY_SIZE];

	session_name(session, name);
	mc_query_row(query);
	mc_query_cell(query, "%s", name);
	mc_query_cell(query, "yes");
	mc_query_cell(query, "-");
	mc_query_cell(query, "-");
	mc_query_cell(query, "-");
	mc_query_cell(query, "-");
	mc_query_cell(query, "mirror");
}

static void
show(void *state, struct mc_query *query)
{
	struct antpserv *server = state;
	struct replica *replica;
	struct session *session;

	mc_query_columns(query, "name", "connected", "pointer", "behind by",
	    "seen", "progress", "state", NULL);
	LIST_FOREACH(replica, &server->registry.replicas, link)
		replica_row(query, server, &replica->entry);
	TAILQ_FOREACH(session, &server->sessions, link)
		if (session->replica == NULL)
			mirror_row(query, session);
	mc_query_done(query, MC_OK, NULL);
}

static void
forget(void *state, struct mc_query *query)
{
	struct antpserv *server = state;
	const char *name = mc_query_arg(query, 0);
	struct replica *replica = replica_find(&server->registry, name);

	if (replica == NULL) {
		mc_query_done(query, MC_NOT_FOUND, "there is no replica %s",
		    name);
		return;
	}
	if (replica->sessions != 0) {
		mc_query_done(query, MC_BUSY, "%s is connected", name);
		return;
	}
	LIST_REMOVE(replica, link);
	server->registry.count--;
	free(replica);
	registry_changed(&server->registry);
	mc_query_done(query, MC_OK, "%s is forgotten", name);
}

const struct mc_command replicas_commands[] = {
	{ "replicas", NULL, 0, 0, "The replicas of this server and how far "
	  "they are.", show },
	{ "replicas forget", "NAME", 1, 1, "Forgets a replica that will not "
	  "come back, so that nothing is kept for it.", forget },
	{ 0 }
};
