/* SPDX-License-Identifier: MIT */
/*
 * Which server is dialled, and when.
 *
 * The link itself dials again for ever.  Here is what it cannot know: that
 * another server stands in for one that is not there, and that a server which
 * does not go on from what is here is asked no more.  When none does, the
 * mirror starts anew from what the server says is FIRST; that throws away what
 * is here, so it is said loudly, and done only so often an hour.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdio.h>
#include <string.h>

#define HOUR_MS		3600000
#define TICK_MS		1000

/* "antp://a:7746/, antp://b:7746/" */
enum mc_status
servers_read(struct client *client, const struct conf *conf)
{
	const char *at = conf->server, *fault;
	char url[512];
	size_t len;

	client->nservers = client->server = 0;
	for (;; at += len) {
		at += strspn(at, ", \t");
		len = strcspn(at, ", \t");
		if (len == 0)
			break;
		if (client->nservers == SERVERS_MAX || len >= sizeof(url))
			return mc_fail(client->host, MC_INVALID, "server: "
			    "more than %d, or too long", SERVERS_MAX);
		snprintf(url, sizeof(url), "%.*s", (int)len, at);
		fault = antp_url_read(url,
		    &client->servers[client->nservers]);
		if (fault == NULL &&
		    client->servers[client->nservers].file[0] != '\0')
			fault = "names a file; a queue is mirrored whole";
		if (fault != NULL)
			return mc_fail(client->host, MC_INVALID,
			    "server: \"%s\" %s", url, fault);
		client->nservers++;
	}
	if (client->nservers == 0)
		return mc_fail(client->host, MC_INVALID, "server: none");
	return MC_OK;
}

static void
dial(void *owner)
{
	struct client *client = owner;

	client->dialled_ms = mc_now_ms();
	client->halted = false;
	client->link = mc_dial_stream(client->host,
	    client->servers[client->server].endpoint, client->conf->role,
	    client->conf->plain, &line_ops, client);
}

/* At once, or after a pause. */
void
client_dial(struct client *client, unsigned ms)
{
	if (client->stopping || client->link != NULL ||
	    client->retry != NULL)
		return;
	if (ms == 0)
		dial(client);
	else
		mc_timer_set(client->host, &client->retry, ms, dial, client);
}

void
client_hang_up(struct client *client)
{
	mc_timer_clear(&client->retry);
	line_drop(client);
	mc_hangup(&client->link);
}

static void
next_server(struct client *client)
{
	client->server = (client->server + 1) % client->nservers;
}

/* The time until the next start, when there were too many. */
static unsigned
anew_count(struct client *client)
{
	uint64_t now_ms = mc_now_ms();
	unsigned kept = 0;

	for (unsigned i = 0; i < client->nanews; i++)
		if (now_ms - client->anews[i] < HOUR_MS)
			client->anews[kept++] = client->anews[i];
	client->nanews = kept;
	mc_count(client->host, "anew", 1);
	if (kept < client->conf->anew_max) {
		client->anews[client->nanews++] = now_ms;
		return 0;
	}
	kept = (unsigned)(client->anews[0] + HOUR_MS - now_ms) + 1;
	memmove(client->anews, client->anews + 1,
	    (client->nanews - 1) * sizeof(client->anews[0]));
	client->anews[client->nanews - 1] = now_ms + kept;
	return kept;
}

static void
start_anew(struct client *client, const char *why)
{
	unsigned pause_ms = anew_count(client);

	client->halted = pause_ms > 0;
	client->retry_ms = client->retry_ms == 0 ? 100 :
	    client->retry_ms * 2 < 30000 ? client->retry_ms * 2 : 30000;
	if (client->halted)
		client->retry_ms = pause_ms;
	mc_log(client->host, MC_ERROR, "%s: %s: everything is fetched anew "
	    "from what it has first%s",
	    client->servers[client->server].endpoint, why, client->halted ?
	    "; but that was so too often within an hour: not before a pause" :
	    "");
}

/* The server's files do not go on from ours. */
void
client_refused(struct client *client, const char *why)
{
	mc_count(client->host, "refused", 1);
	if (course_refuse(&client->course))
		start_anew(client, why);
	else {
		mc_log(client->host, MC_WARN, "%s does not go on from what "
		    "is here: %s; asking the next one",
		    client->servers[client->server].endpoint, why);
		client->retry_ms = 100;
	}
	next_server(client);
	client_hang_up(client);
	client_dial(client, client->retry_ms);
}

/* Is all here that the server has? */
void
client_level(struct client *client)
{
	const struct course *course = &client->course;
	const struct wmq_position *here = &client->here.position;
	bool at_head = memcmp(client->head.epoch, here->epoch,
	    sizeof(here->epoch)) == 0 && here->durable == client->head.seq;
	bool level = client->line != NULL && course->looked &&
	    course->wanted.name[0] == '\0' && client->pending == 0 &&
	    client->here.filled && (at_head || course->level);

	if (!level)
		return;
	if (!client->level)
		mc_log(client->host, MC_NOTE, "all is here that %s has: "
		    "records up to %llu",
		    client->servers[client->server].endpoint,
		    (unsigned long long)client->here.position.durable);
	client->level = true;
	client->retry_ms = 0;
	if (client->behind) {
		client->behind = false;
		readers_wake(client);
	}
}

static void
gauges_set(struct client *client)
{
	uint64_t fetched = client->here.position.durable;
	uint64_t now_ms = mc_time_ms();

	mc_gauge(client->host, "lag", client->head.seq > fetched ?
	    (int64_t)(client->head.seq - fetched) : 0);
	mc_gauge(client->host, "silent_ms", client->heard_ms == 0 ||
	    client->heard_ms > now_ms ? 0 :
	    (int64_t)(now_ms - client->heard_ms));
}

/* Once a second: whether somebody is silent, or something is due. */
void
client_tick(void *owner)
{
	struct client *client = owner;
	uint64_t now_ms = mc_now_ms();

	gauges_set(client);
	line_check(client, now_ms);
	if (client->line != NULL && now_ms - client->looked_ms >=
	    (uint64_t)client->conf->freeze_ms)
		client->course.look = true;
	if (client->line == NULL && client->link != NULL &&
	    client->nservers > 1 && now_ms - client->dialled_ms >=
	    (uint64_t)client->conf->fallback_ms) {
		client_hang_up(client);
		next_server(client);
		client_dial(client, 0);
	}
	mc_timer_set(client->host, &client->tick, TICK_MS, client_tick,
	    client);
}
