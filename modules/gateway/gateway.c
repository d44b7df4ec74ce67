/* SPDX-License-Identifier: MIT */
/*
 * gateway - lets a client in and sends it to the right world server.
 *
 * It knows neither accounts nor worlds: who the client is says auth, where it
 * goes says the taskmaster.  Here is what an operator sees of the module.
 */
#include "session.h"

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct gateway *gateway = state;

	gateway->host = host;
	gateway->conf = conf;
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct gateway *gateway = state;

	gateway->listener = mc_listen(gateway->host, &gateway->conf->listen,
	    NULL, &session_ops, gateway);
	if (gateway->listener == NULL)
		return MC_UNAVAILABLE;
	news_start(gateway);
	return MC_OK;
}

static enum mc_status
reload(void *state, const void *given)
{
	struct gateway *gateway = state;
	const struct conf *conf = given;
	enum mc_status status = mc_relisten(gateway->listener, &conf->listen);

	if (status == MC_OK)
		gateway->conf = conf;
	return status;
}

static void
stop(void *state)
{
	struct gateway *gateway = state;

	mc_unlisten(&gateway->listener);
	sessions_stop(gateway);
	news_stop(gateway);
	review_stop(gateway);
}

static const struct mc_key keys[] = {
	MC_LISTEN_KEYS(struct conf, listen, "[::]:7740", "2m"),
	{ MC_FIELD(struct conf, log_rate), .type = MC_INT,
	  .fallback = "20", .min = 0, .max = 1000000,
	  .help = "Refused clients that are logged, lines a second; of "
	  "further ones only the number." },
	{ MC_FIELD(struct conf, question_rate), .type = MC_INT,
	  .fallback = "10", .min = 1, .max = 1000000,
	  .help = "Questions about maps that a client who has logged in may "
	  "ask in a second." },
	{ MC_FIELD(struct conf, change_rate), .type = MC_INT,
	  .fallback = "6", .min = 1, .max = 1000000,
	  .help = "Changes of its account that a client who has logged in "
	  "may ask for in a minute." },
	{ 0 }
};

static const struct mc_need needs[] = {
	{ AUTH_SERVICE, offsetof(struct gateway, auth), false },
	{ TASKMASTER_SERVICE, offsetof(struct gateway, taskmaster), false },
	{ ACCOUNT_SERVICE, offsetof(struct gateway, account), true },
	{ REPLICA_SERVICE, offsetof(struct gateway, replica), true },
	{ TCAPW_SERVICE, offsetof(struct gateway, tcapw), true },
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "gateway",
	.version	= "0.1.0",
	.summary	= "Login server: checks a user and reroutes the client",
	.license	= "MIT",
	.keys		= keys,
	.needs		= needs,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct gateway),
	.init		= init,
	.start		= start,
	.reload		= reload,
	.stop		= stop,
};
