/* SPDX-License-Identifier: MIT */
/*
 * identity - the process's own certificate, key and CA, which every listener
 * and link uses that has none of its own.
 */
#include "process.h"
#include "pump.h"
#include "tls.h"

#include <pthread.h>
#include <stdio.h>

static struct {
	pthread_mutex_t	 lock;
	struct tls	*tls;
} identity = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct tls *
identity_ref(void)
{
	struct tls *tls;

	pthread_mutex_lock(&identity.lock);
	tls = tls_ref(identity.tls);
	pthread_mutex_unlock(&identity.lock);
	return tls;
}

static void
identity_set(struct tls *tls)
{
	struct tls *old;

	pthread_mutex_lock(&identity.lock);
	old = identity.tls;
	identity.tls = tls;
	pthread_mutex_unlock(&identity.lock);
	tls_unref(&old);
}

/* *tls_r NULL: none is configured. */
static bool
identity_read(struct mc_host *host, const struct process_conf *conf,
    struct tls **tls_r)
{
	struct tls_files files = {
		conf->certificate, conf->key, conf->ca, conf->tls_priority
	};

	*tls_r = NULL;
	if (conf->certificate[0] == '\0' && conf->key[0] == '\0' &&
	    conf->ca[0] == '\0')
		return true;
	*tls_r = tls_load(host, &files);
	return *tls_r != NULL;
}

bool
identity_usable(const struct process_conf *conf)
{
	struct tls *tls;
	bool usable = identity_read(NULL, conf, &tls);

	tls_unref(&tls);
	return usable;
}

enum mc_status
identity_load(struct process *process)
{
	struct tls *tls;

	if (!identity_read(process->self, &process->conf, &tls))
		return MC_INVALID;
	identity_set(tls);
	return MC_OK;
}

/* The name cannot dangle: it is copied, once for each thread. */
const char *
identity_name(void)
{
	static _Thread_local char name[64];
	struct tls *tls = identity_ref();

	snprintf(name, sizeof(name), "%s", tls != NULL ? tls_name(tls) : "");
	tls_unref(&tls);
	return name;
}
