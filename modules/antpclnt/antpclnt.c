/* SPDX-License-Identifier: MIT */
/*
 * antpclnt - mirrors a message queue and its freeze (antp.h).
 *
 * One connection to a server of queue files, kept for ever; what changes
 * there is here within milliseconds.  See client.h for its parts.
 */
#include "client.h"

#include <metacube/host.h>

#include <stdlib.h>
#include <string.h>

/* Calls that wait. */

struct waiter *
waiter_add(struct client *client, struct waiters *waiters,
    struct mc_call *call, unsigned wait_ms)
{
	struct waiter *waiter = mc_zalloc(sizeof(*waiter));

	waiter->client = client;
	waiter->call = call;
	waiter->until_ms = mc_now_ms() + wait_ms;
	TAILQ_INSERT_TAIL(waiters, waiter, link);
	client_wait(client, wait_ms);
	return waiter;
}

void
waiters_end(struct waiters *waiters, enum mc_status status,
    const void *result, size_t len)
{
	struct waiter *waiter;

	while ((waiter = TAILQ_FIRST(waiters)) != NULL) {
		TAILQ_REMOVE(waiters, waiter, link);
		mc_call_done(waiter->call, status, result, len);
		free(waiter);
	}
}

static void
waiters_pass(struct waiters *waiters, enum mc_status status)
{
	uint64_t now_ms = mc_now_ms();
	struct waiter *waiter, *next;

	for (waiter = TAILQ_FIRST(waiters); waiter != NULL; waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		if (waiter->until_ms > now_ms)
			continue;
		TAILQ_REMOVE(waiters, waiter, link);
		mc_call_done(waiter->call, status, NULL, 0);
		free(waiter);
	}
}

static uint64_t
first_deadline(const struct client *client)
{
	const struct waiters *lists[] = {
		&client->positions, &client->extents, &client->renewals,
		&client->fresh
	};
	uint64_t first_ms = UINT64_MAX;
	const struct reader *reader;
	const struct waiter *waiter;

	TAILQ_FOREACH(reader, &client->readers, link)
		if (reader->until_ms < first_ms)
			first_ms = reader->until_ms;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		TAILQ_FOREACH(waiter, lists[i], link)
			if (waiter->until_ms < first_ms)
				first_ms = waiter->until_ms;
	return first_ms;
}

static void
waited(void *owner)
{
	struct client *client = owner;
	uint64_t first_ms, now_ms;

	readers_pass(client);
	files_pass(client);
	waiters_pass(&client->positions, MC_UNAVAILABLE);
	waiters_pass(&client->renewals, MC_BUSY);
	waiters_pass(&client->fresh, MC_UNAVAILABLE);
	first_ms = first_deadline(client);
	now_ms = mc_now_ms();
	if (first_ms != UINT64_MAX)
		client_wait(client, first_ms > now_ms ?
		    (unsigned)(first_ms - now_ms) : 1);
}

/* Looks after so many ms whether somebody has waited long enough. */
void
client_wait(struct client *client, unsigned ms)
{
	uint64_t until_ms = mc_now_ms() + ms;

	if (client->waits != NULL && client->waits_ms <= until_ms)
		return;
	client->waits_ms = until_ms;
	mc_timer_set(client->host, &client->waits, ms, waited, client);
}

/* Life. */

static void
lists_init(struct client *client)
{
	TAILQ_INIT(&client->readers);
	TAILQ_INIT(&client->positions);
	TAILQ_INIT(&client->extents);
	TAILQ_INIT(&client->renewals);
	TAILQ_INIT(&client->fresh);
}

static void
course_prepare(struct client *client)
{
	const struct disk_state *here = &client->here;
	struct course_conf conf = {
		.mirror_freeze = client->conf->mirror_freeze,
		.servers = client->nservers,
		.wait_s = (unsigned)(client->conf->wait_ms / 1000)
	};
	struct wmq_pointer last = { .seq = here->position.durable };
	char name[64];

	course_init(&client->course, &conf);
	memcpy(last.epoch, here->position.epoch, sizeof(last.epoch));
	if (here->file[0] != '\0')
		course_queue(&client->course, here->file, here->place, &last);
	if (here->freeze.header.size != 0) {
		freeze_name(&here->freeze.header, name);
		course_freeze(&client->course, name,
		    here->freeze.header.size);
	}
	if (here->part[0] != '\0')
		course_partial(&client->course, here->part, here->part_have,
		    here->part_header);
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct client *client = state;
	char news[DISK_WHY], why[DISK_WHY];
	enum mc_status status;

	client->host = host;
	client->conf = conf;
	lists_init(client);
	status = servers_read(client, conf);
	if (status != MC_OK)
		return status;
	client->disk = disk_open(client->conf->path, news, why);
	if (client->disk == NULL)
		return mc_fail(host, MC_UNAVAILABLE, "%s", why);
	disk_state(client->disk, &client->here);
	client->behind = news[0] != '\0';
	if (client->behind) {
		mc_count(host, "damaged", 1);
		mc_log(host, MC_WARN, "%s: %s", client->conf->path, news);
	}
	course_prepare(client);
	mc_gauge(host, "connected", 0);
	mc_gauge(host, "fetched", (int64_t)client->here.position.durable);
	mc_commands(host, state_commands, client);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct client *client = state;

	client_dial(client, 0);
	client_tick(client);
	return client->link != NULL ? MC_OK : MC_INVALID;
}

/* The connection is made anew when it would be another one; the one that is
 * there keeps its certificate until then, the next one shows the new. */
static enum mc_status
reload(void *state, const void *conf)
{
	struct client *client = state, other = { .host = client->host };
	const struct conf *next = conf, *now = client->conf;
	bool same = strcmp(next->server, now->server) == 0 &&
	    strcmp(next->role, now->role) == 0 && next->plain == now->plain;

	if (strcmp(next->path, now->path) != 0)
		return mc_fail(client->host, MC_INVALID, "path cannot be "
		    "changed while the server runs");
	if (servers_read(&other, next) != MC_OK)
		return MC_INVALID;
	client->conf = next;
	client->course.conf.mirror_freeze = next->mirror_freeze;
	client->course.conf.servers = other.nservers;
	client->course.conf.wait_s = (unsigned)(next->wait_ms / 1000);
	if (same)
		return MC_OK;
	memcpy(client->servers, other.servers, sizeof(other.servers));
	client->nservers = other.nservers;
	client->server = 0;
	client_hang_up(client);
	client_dial(client, 0);
	return MC_OK;
}

static void
stop(void *state)
{
	struct client *client = state;

	client->stopping = true;
	client_hang_up(client);
	mc_timer_clear(&client->tick);
	readers_wake(client);
	files_wake(client);
	state_lost(client);
	waiters_end(&client->positions, MC_UNAVAILABLE, NULL, 0);
	mc_timer_clear(&client->waits);
}

static void
fini(void *state)
{
	struct client *client = state;

	disk_close(&client->disk);
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, path), .type = MC_PATH,
	  .fallback = STATE_DIR "/mirror",
	  .help = "Folder of the mirrored files; it is made if it is not "
	  "there." },
	{ MC_FIELD(struct conf, server), .type = MC_STRING,
	  .fallback = "antp://127.0.0.1:7746/", .min = 1, .max = 4096,
	  .help = "Whose queue is mirrored: antp://HOST:PORT/, or several, "
	  "separated by commas, which have the same queue: each is dialled "
	  "when the one before cannot be reached." },
	{ MC_FIELD(struct conf, role), .type = MC_STRING,
	  .fallback = "account", .min = 1, .max = 32,
	  .help = "Role that the server's certificate must have." },
	{ MC_FIELD(struct conf, plain), .type = MC_BOOL,
	  .fallback = "false",
	  .help = "Without TLS: to servers on this machine (loopback) "
	  "only." },
	{ MC_FIELD(struct conf, mirror_freeze), .type = MC_BOOL,
	  .fallback = "true",
	  .help = "Whether the latest freeze is mirrored beside the queue." },
	{ MC_FIELD_AS("wait", struct conf, wait_ms), .type = MC_DURATION,
	  .fallback = "20s", .min = 1000, .max = 60000,
	  .help = "How long the server is asked to wait for news before it "
	  "says that there are none." },
	{ MC_FIELD_AS("answer_timeout", struct conf, answer_ms),
	  .type = MC_DURATION, .fallback = "10s", .min = 100, .max = 600000,
	  .help = "A server that is so late, beyond wait, is dialled anew." },
	{ MC_FIELD_AS("freeze_interval", struct conf, freeze_ms),
	  .type = MC_DURATION, .fallback = "5m", .min = 1000,
	  .max = 86400000,
	  .help = "How often the server is asked for a newer freeze." },
	{ MC_FIELD_AS("fallback_after", struct conf, fallback_ms),
	  .type = MC_DURATION, .fallback = "5s", .min = 100, .max = 3600000,
	  .help = "A server that cannot be reached for so long is given up "
	  "for the next one." },
	{ MC_FIELD(struct conf, anew_max), .type = MC_INT,
	  .fallback = "6", .min = 1, .max = ANEWS_MAX,
	  .help = "So often within an hour everything may be fetched anew "
	  "because the server's queue is not the one that is here." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	WMQ_PROVIDE(&reader_ops),
	WMQFILE_PROVIDE(&file_ops),
	FREEZE_PROVIDE(&freeze_ops),
	MIRROR_PROVIDE(&state_ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "antpclnt",
	.version	= "0.1.0",
	.summary	= "Mirrors a message queue and its freeze",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct client),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
