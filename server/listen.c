/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG		4096

/* A certificate of its own; tls_r NULL: the process's. */
static enum mc_status
own_tls(struct mc_host *host, const char *certificate, const char *key,
    const char *roles, struct tls **tls_r)
{
	const struct process_conf *process = &host->process->conf;
	struct tls_files files = {
		certificate, key, process->ca, process->tls_priority
	};

	*tls_r = NULL;
	if (certificate[0] == '\0' && key[0] == '\0')
		return MC_OK;
	if (roles == NULL)
		files.ca = "";
	*tls_r = tls_load(host, &files);
	return *tls_r != NULL ? MC_OK : MC_INVALID;
}

/* Does this listener have all that TLS needs? */
static enum mc_status
check_tls(struct mc_host *host, const char *endpoint, const struct tls *own,
    const char *roles)
{
	struct tls *identity = identity_ref();
	bool has = own != NULL || identity != NULL;

	tls_unref(&identity);
	if (!has)
		return mc_fail(host, MC_INVALID, "%s needs a certificate: set "
		    "certificate and key here or in metacubed.conf", endpoint);
	if (roles != NULL && host->process->conf.ca[0] == '\0')
		return mc_fail(host, MC_INVALID, "%s is for servers and needs "
		    "the CA of their certificates: set ca in metacubed.conf",
		    endpoint);
	return MC_OK;
}

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static char *
copy(struct mc_host *host, const char *text)
{
	char *copied = strdup(text);

	if (copied == NULL)
		mc_fatal(host, "out of memory");
	return copied;
}

static enum mc_status
prepare_tls(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, bool plain, struct tls **tls_r)
{
	enum mc_status status;

	*tls_r = NULL;
	if (endpoint_path(conf->endpoint) != NULL)
		return conf->proxy_protocol ? mc_fail(host, MC_INVALID,
		    "%s: proxy_protocol is for TCP, not for unix sockets",
		    conf->endpoint) : MC_OK;
	if (plain)
		return conf->proxy_protocol ? mc_fail(host, MC_INVALID,
		    "%s: proxy_protocol is for TLS: without it everybody is "
		    "on this machine", conf->endpoint) : MC_OK;
	status = own_tls(host, text_or_empty(conf->certificate),
	    text_or_empty(conf->key), roles, tls_r);
	if (status != MC_OK)
		return status;
	status = check_tls(host, conf->endpoint, *tls_r, roles);
	if (status != MC_OK)
		tls_unref(tls_r);
	return status;
}

/* Whoever hears a connection without TLS hears all of it. */
static bool
may_be_plain(struct mc_host *host, const char *endpoint, int fd)
{
	struct address address = { .len = sizeof(address.sa) };

	getsockname(fd, &address.sa.any, &address.len);
	if (address_is_loopback(&address))
		return true;
	mc_log(host, MC_ERROR, "%s: without TLS only loopback addresses can "
	    "be listened on", endpoint);
	return false;
}

static int
open_listening(struct mc_host *host, const char *endpoint, bool plain)
{
	int fd = pump_take(host, endpoint);

	if (fd == -1)
		return -1;
	if (plain && !may_be_plain(host, endpoint, fd)) {
		close(fd);
		return -1;
	}
	if (listen(fd, BACKLOG) == 0)
		return fd;
	mc_log(host, MC_ERROR, "cannot listen on %s: %s", endpoint,
	    strerror(errno));
	close(fd);
	return -1;
}

struct mc_listener *
listen_for(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, const struct conn_kind *kind, void *state)
{
	struct mc_listener *listener;
	struct tls *tls;
	int fd;

	if (prepare_tls(host, conf, roles, kind->plain, &tls) != MC_OK)
		return NULL;
	fd = open_listening(host, conf->endpoint, kind->plain);
	if (fd == -1) {
		tls_unref(&tls);
		return NULL;
	}
	listener = mc_zalloc(sizeof(*listener));
	listener->endpoint = copy(host, conf->endpoint);
	listener->certificate = copy(host, text_or_empty(conf->certificate));
	listener->key = copy(host, text_or_empty(conf->key));
	listener->kind = *kind;
	listener->state = state;
	listener->acceptor = acceptor_new(host, conf,
	    roles != NULL ? copy(host, roles) : NULL, kind, fd, tls);
	listener->acceptor->listener = listener;
	LIST_INSERT_HEAD(&pump_of(host)->listeners, listener, link);
	acceptor_start(listener->acceptor);
	mc_log(host, MC_NOTE, "listening on %s", listener->acceptor->address);
	return listener;
}

struct mc_listener *
mc_listen(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, const struct mc_conn_ops *ops, void *state)
{
	struct conn_kind kind = { .messages = ops };

	return listen_for(host, conf, roles, &kind, state);
}

/* When this returns nobody accepts here any more, and the address is free. */
void
mc_unlisten(struct mc_listener **listenerp)
{
	struct mc_listener *listener = *listenerp;
	struct acceptor *acceptor;

	*listenerp = NULL;
	if (listener == NULL)
		return;
	acceptor = listener->acceptor;
	acceptor_stop(acceptor);
	if (acceptor->local)
		unlink(endpoint_path(acceptor->address));
	close(acceptor->fd);
	acceptor->fd = -1;
	acceptor->listener = NULL;
	acceptor_unref(acceptor);
	LIST_REMOVE(listener, link);
	free(listener->endpoint);
	free(listener->certificate);
	free(listener->key);
	free(listener);
}

static void
replace(struct mc_host *host, char **text, const char *with)
{
	char *old = *text;

	*text = copy(host, with);
	free(old);
}

enum mc_status
mc_relisten(struct mc_listener *listener, const struct mc_listen_conf *conf)
{
	struct acceptor *acceptor = listener->acceptor;
	struct tls *tls;
	enum mc_status status;

	if (strcmp(conf->endpoint, listener->endpoint) != 0)
		return mc_fail(acceptor->host, MC_INVALID, "%s cannot become "
		    "%s without a restart", listener->endpoint,
		    conf->endpoint);
	status = prepare_tls(acceptor->host, conf, acceptor->roles,
	    acceptor->plain, &tls);
	if (status != MC_OK)
		return status;
	acceptor_set_tls(acceptor, tls);
	acceptor_set_terms(acceptor, conf);
	replace(acceptor->host, &listener->certificate,
	    text_or_empty(conf->certificate));
	replace(acceptor->host, &listener->key, text_or_empty(conf->key));
	return MC_OK;
}

const char *
mc_listener_address(const struct mc_listener *listener)
{
	return listener->acceptor->address;
}

enum mc_status
listener_reload(struct mc_host *host, struct mc_listener *listener)
{
	struct acceptor *acceptor = listener->acceptor;
	struct tls *tls;
	enum mc_status status;

	if (acceptor->local || acceptor->plain)
		return MC_OK;
	status = own_tls(host, listener->certificate, listener->key,
	    acceptor->roles, &tls);
	if (status == MC_OK)
		acceptor_set_tls(acceptor, tls);
	return status;
}
