/* SPDX-License-Identifier: MIT */
/*
 * auth_any - lets everybody in, so that a benchmark measures the way of a
 * login and not the price of a password.  Never installed: who can load this
 * has no passwords any more.
 */
#include <metacube/auth.h>
#include <metacube/host.h>

#include <string.h>

struct auth {
	struct mc_host	*host;
};

/* The same name is the same user. */
static uint64_t
uid_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return hash | 1;
}

static void
begin(void *state, struct auth_begin *begin, struct mc_call *call)
{
	struct auth_result result = { .state = AUTH_GRANTED };

	(void)state;
	mc_wipe(begin->data, sizeof(begin->data));
	if (mc_name_fold(begin->name, result.name) != NULL) {
		mc_call_done(call, MC_DENIED, NULL, 0);
		return;
	}
	/* a name that folds is no longer than that */
	memcpy(result.display, begin->name, strlen(result.name));
	result.uid = uid_of(result.name);
	mc_call_done(call, MC_OK, &result, sizeof(result));
}

/* No exchange of this provider is ever open. */
static void
step(void *state, uint64_t exchange, uint8_t *data, size_t len,
    struct mc_call *call)
{
	(void)state;
	(void)exchange;
	if (len > 0)
		mc_wipe(data, len);
	mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static void
drop(void *state, uint64_t exchange)
{
	(void)state;
	(void)exchange;
}

static const struct auth_ops ops = {
	.begin	= begin,
	.step	= step,
	.drop	= drop,
};

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct auth *auth = state;

	(void)conf;
	auth->host = host;
	mc_log(host, MC_WARN, "lets everybody in with any password: for "
	    "measurements only");
	return MC_OK;
}

static const struct mc_provide provides[] = {
	AUTH_PROVIDE(&ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "auth_any",
	.version	= "0.1.0",
	.summary	= "Lets everybody in, for benchmarks",
	.license	= "MIT",
	.provides	= provides,
	.state_size	= sizeof(struct auth),
	.init		= init,
};
