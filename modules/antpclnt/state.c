/* SPDX-License-Identifier: MIT */
/*
 * How far the mirror is: service "mirror", and the command of that name.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FRESH_WAIT_MS	25000

static void
state_fill(const struct client *client, struct mirror_state *state)
{
	const struct course *course = &client->course;

	memset(state, 0, sizeof(*state));
	state->connected = client->line != NULL;
	snprintf(state->server, sizeof(state->server), "antp://%.100s/",
	    client->servers[client->server].endpoint);
	state->heard_ms = client->heard_ms;
	state->head = client->head;
	state->fetched = client->here.position.durable;
	state->checkpoint = client->checkpoint;
	state->level = client->level;
	state->halted = client->halted;
	state->received = client->received;
	state->freeze_have = course->wanted.have;
	state->freeze_size = course->wanted.size;
	snprintf(state->freeze, sizeof(state->freeze), "%s",
	    course->wanted.name);
}

static void
answer(const struct client *client, struct mc_call *call)
{
	struct mirror_state state;

	state_fill(client, &state);
	mc_call_done(call, MC_OK, &state, sizeof(state));
}

static void
state_ask(void *owner, bool fresh, struct mc_call *call)
{
	struct client *client = owner;

	if (!fresh)
		answer(client, call);
	else if (client->line == NULL)
		mc_call_done(call, MC_UNAVAILABLE, NULL, 0);
	else {
		client->freshening = client->asked;
		line_look(client);
		waiter_add(client, &client->fresh, call, FRESH_WAIT_MS);
	}
}

static void
acknowledge(void *owner, const struct tcapw_position *at)
{
	struct client *client = owner;

	client->applied = *at;
}

const struct mirror_ops state_ops = {
	.state		= state_ask,
	.acknowledge	= acknowledge,
};

/* FIRST was answered. */
void
state_looked(struct client *client)
{
	struct mirror_state state;

	if (client->looked <= client->freshening)
		return;
	state_fill(client, &state);
	waiters_end(&client->fresh, MC_OK, &state, sizeof(state));
}

void
state_lost(struct client *client)
{
	client->level = false;
	waiters_end(&client->fresh, MC_UNAVAILABLE, NULL, 0);
	waiters_end(&client->renewals, MC_UNAVAILABLE, NULL, 0);
}

/* The command. */

static void __attribute__((format(printf, 3, 4)))
row(struct mc_query *query, const char *what, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mc_query_row(query);
	mc_query_cell(query, "%s", what);
	mc_query_cell(query, "%s", text);
}

static const char *
state_word(const struct client *client)
{
	if (client->halted)
		return "halted: started anew too often within an hour";
	if (client->full)
		return "the disk cannot be written";
	if (client->line == NULL)
		return "not connected";
	return client->level ? "level" : "fetching";
}

static void
freeze_rows(const struct client *client, struct mc_query *query)
{
	const struct freeze_header *header = &client->here.freeze.header;
	const struct course_file *wanted = &client->course.wanted;
	char name[64];

	if (header->size != 0) {
		freeze_name(header, name);
		row(query, "freeze", "%s", name);
		row(query, "freeze accounts", "%llu",
		    (unsigned long long)header->position.count);
		row(query, "freeze bytes", "%llu",
		    (unsigned long long)header->size);
	} else
		row(query, "freeze", "none");
	if (wanted->name[0] == '\0')
		return;
	row(query, "in transfer", "%s", wanted->name);
	if (wanted->size != 0)
		row(query, "transferred", "%llu of %llu (%u%%)",
		    (unsigned long long)wanted->have,
		    (unsigned long long)wanted->size,
		    (unsigned)(wanted->have * 100 / wanted->size));
}

static void
mirror_show(void *owner, struct mc_query *query)
{
	const struct client *client = owner;
	uint64_t fetched = client->here.position.durable;
	uint64_t head = client->head.seq, now_ms = mc_time_ms();

	mc_query_columns(query, "what", "value", NULL);
	row(query, "server", "antp://%s/",
	    client->servers[client->server].endpoint);
	row(query, "state", "%s", state_word(client));
	row(query, "head", "%llu", (unsigned long long)head);
	row(query, "fetched", "%llu", (unsigned long long)fetched);
	row(query, "lag", "%llu",
	    (unsigned long long)(head > fetched ? head - fetched : 0));
	row(query, "applied", "%llu",
	    (unsigned long long)client->applied.pointer.seq);
	if (client->heard_ms != 0 && client->heard_ms <= now_ms)
		row(query, "last heard", "%llu ms ago",
		    (unsigned long long)(now_ms - client->heard_ms));
	else
		row(query, "last heard", "never");
	freeze_rows(client, query);
	mc_query_done(query, MC_OK, NULL);
}

const struct mc_command state_commands[] = {
	{ "mirror", "", 0, 0, "How far the mirror of the queue is.",
	  mirror_show },
	{ 0 }
};
