/* SPDX-License-Identifier: MIT */
/*
 * antpserv - serves the files of a message queue, and freezes, to replicas.
 *
 * It knows nothing of what is in the files: names, ends and paths are those
 * of the services wmqfile and freeze, and the bytes pass through.  What is
 * served is durable, as far as wmqfile says so.
 */
#include "antpserv.h"

#define DIGEST_MS	100	/* it is not asked for more often */

/* What stands in Head: and Digest: */

static void
digest_known(void *owner, const struct mc_reply *reply)
{
	struct antpserv *server = owner;
	const struct tcapw_position *position =
	    MC_RESULT(reply, struct tcapw_position);

	if (position != NULL)
		server->digest = *position;
}

/* For the next answer: this one does not wait for it. */
static void
digest_ask(struct antpserv *server)
{
	uint64_t now_ms = mc_now_ms();

	if (server->tcapw.ops == NULL || server->digest_call != NULL ||
	    server->digest.pointer.seq == server->head.seq ||
	    now_ms - server->digest_ms < DIGEST_MS)
		return;
	server->digest_ms = now_ms;
	tcapw_position(&server->tcapw, &server->digest_call, digest_known,
	    server);
}

void
antpserv_heard(struct antpserv *server, const struct wmq_position *position)
{
	if (position->durable > server->head.seq)
		server->head_ms = mc_time_ms();
	server->head.seq = position->durable;
	server->oldest = position->oldest;
	memcpy(server->head.epoch, position->epoch, 16);
}

void
antpserv_fill(struct antpserv *server, struct antp_response *response)
{
	response->head = server->head;
	response->head_ms = server->head_ms;
	response->digest = server->digest;
	digest_ask(server);
}

/* The time of the last record that was there before us. */
static void
last_read(void *owner, const struct mc_reply *reply)
{
	struct antpserv *server = owner;
	struct wmq_record record;
	size_t offset = 0;

	if (wmq_batch_next(reply, &offset, &record) != NULL &&
	    record.seq == server->head.seq)
		server->head_ms = record.time_ms;
}

static void
first_found(void *owner, const struct mc_reply *reply)
{
	const struct wmqfile_extent *extent =
	    MC_RESULT(reply, struct wmqfile_extent);
	struct antpserv *server = owner;
	struct wmq_pointer before;

	if (extent == NULL)
		return;
	antpserv_heard(server, &extent->position);
	before = server->head;
	if (before.seq == 0 || before.seq < server->oldest ||
	    server->wmq.ops == NULL)
		return;
	before.seq--;
	wmq_read(&server->wmq, &before, 1, 0, NULL, last_read, server);
}

/* Life */

static bool
paths_fit(const struct conf *conf)
{
	return strlen(conf->dbfile) < WMQFILE_PATH_SIZE &&
	    strlen(conf->state_file) + strlen(".new") < WMQFILE_PATH_SIZE;
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct antpserv *server = state;

	server->host = host;
	server->conf = conf;
	TAILQ_INIT(&server->sessions);
	LIST_INIT(&server->files);
	server->registry.host = host;
	server->registry.path = server->conf->state_file;
	if (!paths_fit(conf))
		return mc_fail(host, MC_INVALID, "dbfile or state_file has "
		    "%d bytes or more", WMQFILE_PATH_SIZE - 4);
	return registry_load(&server->registry);
}

static enum mc_status
start(void *state)
{
	struct antpserv *server = state;
	const struct conf *conf = server->conf;

	wmqfile_find(&server->wmqfile, 0, NULL, first_found, server);
	if (server->tcapw.ops != NULL)
		tcapw_position(&server->tcapw, &server->digest_call,
		    digest_known, server);
	server->listener = mc_listen_stream(server->host, &conf->listen,
	    conf->roles, conf->plain, &session_ops, server);
	if (server->listener == NULL)
		return MC_UNAVAILABLE;
	if (conf->plain)
		mc_log(server->host, MC_WARN, "%s is without TLS: everybody "
		    "on this machine can read the accounts there",
		    mc_listener_address(server->listener));
	mc_commands(server->host, replicas_commands, server);
	return MC_OK;
}

static enum mc_status
reload(void *state, const void *new_conf)
{
	struct antpserv *server = state;
	const struct conf *conf = new_conf;
	enum mc_status status;

	if (strcmp(conf->roles, server->conf->roles) != 0 ||
	    strcmp(conf->state_file, server->conf->state_file) != 0 ||
	    conf->plain != server->conf->plain)
		return mc_fail(server->host, MC_INVALID, "roles, plain and "
		    "state_file need a restart");
	if (!paths_fit(conf))
		return mc_fail(server->host, MC_INVALID, "dbfile is too "
		    "long");
	status = mc_relisten(server->listener, &conf->listen);
	if (status == MC_OK) {
		server->conf = conf;
		server->registry.path = conf->state_file;
	}
	return status;
}

static void
stop(void *state)
{
	struct antpserv *server = state;
	struct session *session;

	server->stopping = true;
	mc_unlisten(&server->listener);
	TAILQ_FOREACH(session, &server->sessions, link)
		session_stop(session);
	registry_end(&server->registry);
}

static void
fini(void *state)
{
	struct antpserv *server = state;

	registry_free(&server->registry);
}

static const struct mc_key keys[] = {
	MC_LISTEN_KEYS_QUEUE(struct conf, listen, "[::]:7746", "90s", "1MiB"),
	{ MC_FIELD(struct conf, roles), .type = MC_STRING,
	  .fallback = "gateway,account", .min = 1,
	  .max = 256,
	  .help = "Who may come: roles, one of which the certificate must "
	  "have." },
	{ MC_FIELD(struct conf, plain), .type = MC_BOOL, .fallback = "false",
	  .help = "Without TLS and without roles, for a loopback address "
	  "only." },
	{ MC_FIELD(struct conf, dbfile), .type = MC_PATH, .fallback = "",
	  .help = "A freeze file that new replicas begin with; empty: that "
	  "of the service freeze, if there is one." },
	{ MC_FIELD(struct conf, state_file), .type = MC_PATH,
	  .fallback = STATE_DIR "/replicas",
	  .help = "Where it is kept which replicas there are and what they "
	  "have acknowledged." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	REPLICAS_PROVIDE(&replicas_ops),
	{ 0 }
};

static const struct mc_need needs[] = {
	{ WMQFILE_SERVICE, offsetof(struct antpserv, wmqfile), false },
	{ WMQ_SERVICE, offsetof(struct antpserv, wmq), true },
	{ FREEZE_SERVICE, offsetof(struct antpserv, freeze), true },
	{ TCAPW_SERVICE, offsetof(struct antpserv, tcapw), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "antpserv",
	.version	= "0.1.0",
	.summary	= "Serves the files of a message queue",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct antpserv),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
	.fini		= fini,
};
