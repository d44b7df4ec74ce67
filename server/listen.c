/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include "process.h"
#include "pump.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG		4096
#define ACCEPT_MAX	4	/* at a time, then the others have their turn */
#define PAUSE_MS	500	/* without descriptors */

/* How one I/O thread watches a listening socket. */
struct acceptor_watch {
	struct acceptor		*acceptor;
	struct io_thread	*thread;
	struct event		 readable, resume;
};

struct pump *
pump_of(struct mc_host *host)
{
	if (host->pump == NULL)
		host->pump = mc_zalloc(sizeof(*host->pump));
	return host->pump;
}

/* Acceptors */

void
acceptor_ref(struct acceptor *acceptor)
{
	atomic_fetch_add_explicit(&acceptor->refs, 1, memory_order_relaxed);
}

void
acceptor_unref(struct acceptor *acceptor)
{
	if (atomic_fetch_sub(&acceptor->refs, 1) != 1)
		return;
	if (acceptor->fd != -1)
		close(acceptor->fd);
	tls_unref(&acceptor->tls);
	limit_free(&acceptor->limit);
	flood_fini(&acceptor->flood);
	pthread_mutex_destroy(&acceptor->lock);
	free(acceptor->watches);
	free(acceptor->roles);
	free(acceptor);
}

struct tls *
acceptor_tls(struct acceptor *acceptor)
{
	struct tls *tls;

	pthread_mutex_lock(&acceptor->lock);
	tls = tls_ref(acceptor->tls);
	pthread_mutex_unlock(&acceptor->lock);
	return tls != NULL ? tls : identity_ref();
}

static void
set_tls(struct acceptor *acceptor, struct tls *tls)
{
	struct tls *old;

	pthread_mutex_lock(&acceptor->lock);
	old = acceptor->tls;
	acceptor->tls = tls;
	pthread_mutex_unlock(&acceptor->lock);
	tls_unref(&old);
}

static void
set_terms(struct acceptor *acceptor, const struct mc_listen_conf *conf)
{
	acceptor->terms.handshake_ms = conf->handshake_ms;
	acceptor->terms.login_ms = conf->login_ms;
	acceptor->terms.idle_ms = conf->idle_ms;
	acceptor->terms.send_ms = conf->send_ms;
	acceptor->terms.queue_max = conf->queue_max;
	acceptor->max_connections = conf->max_connections;
	acceptor->max_per_address = conf->max_per_address;
	acceptor->proxy_protocol = conf->proxy_protocol;
}

/* I/O thread: accepting */

static void
pause_accepting(struct acceptor_watch *watch, int error)
{
	struct timeval tv = { .tv_usec = PAUSE_MS * 1000 };

	mc_count(watch->acceptor->host, "accept_paused", 1);
	flood_log(&watch->acceptor->flood, watch->acceptor->host, MC_WARN,
	    "cannot accept on %s: %s; next try in %d ms",
	    watch->acceptor->address, strerror(error), PAUSE_MS);
	event_del(&watch->readable);
	event_add(&watch->resume, &tv);
}

static void
resume_accepting(evutil_socket_t fd, short events, void *arg)
{
	struct acceptor_watch *watch = arg;

	(void)fd;
	(void)events;
	event_add(&watch->readable, NULL);
}

static void
take(struct acceptor_watch *watch, int fd, const struct address *address)
{
	struct acceptor *acceptor = watch->acceptor;
	uint64_t key = acceptor->proxy_protocol ? 0 : limit_key(address);
	enum limit_verdict verdict = limit_take(acceptor->limit, key,
	    acceptor->max_connections, acceptor->max_per_address);
	char host[64];

	if (verdict == LIMIT_FINE) {
		mc_count(acceptor->host, "accepted", 1);
		conn_accepted(watch->thread, acceptor, fd, address);
		return;
	}
	close(fd);
	mc_count(acceptor->host, "refused_limit", 1);
	address_host(address, host, sizeof(host));
	flood_log(&acceptor->flood, acceptor->host, MC_WARN,
	    "%s on %s: refused, there are %lld connections %s", host,
	    acceptor->address, (long long)(verdict == LIMIT_FULL ?
	    acceptor->max_connections : acceptor->max_per_address),
	    verdict == LIMIT_FULL ? "open already" : "from there already");
}

static void
accept_ready(evutil_socket_t fd, short events, void *arg)
{
	struct acceptor_watch *watch = arg;
	struct address address;
	int client;

	(void)events;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		memset(&address, 0, sizeof(address));
		address.len = sizeof(address.sa);
		client = accept4(fd, &address.sa.any, &address.len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client != -1) {
			watch->thread->events++;
			take(watch, client, &address);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_accepting(watch, errno);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void
watch(struct io_thread *thread, void *arg)
{
	struct acceptor *acceptor = arg;
	struct acceptor_watch *here =
	    &acceptor->watches[thread - thread->io->threads];

	here->acceptor = acceptor;
	here->thread = thread;
	event_assign(&here->readable, thread->base, acceptor->fd,
	    EV_READ | EV_PERSIST, accept_ready, here);
	evtimer_assign(&here->resume, thread->base, resume_accepting, here);
	event_add(&here->readable, NULL);
}

static void
unwatch(struct io_thread *thread, void *arg)
{
	struct acceptor *acceptor = arg;
	struct acceptor_watch *here =
	    &acceptor->watches[thread - thread->io->threads];

	event_del(&here->readable);
	event_del(&here->resume);
}

/* Bound ahead */

static bool
is_local(const char *endpoint)
{
	return strncmp(endpoint, "unix:", 5) == 0;
}

/* A socket that root has made is for the user that we shall be. */
static bool
hand_over(struct mc_host *host, const char *endpoint)
{
	const char *path = endpoint + strlen("unix:");
	const char *user = host->process->conf.user;
	struct passwd *entry;

	if (!is_local(endpoint) || geteuid() != 0 || user[0] == '\0')
		return true;
	entry = getpwnam(user);
	if (entry != NULL && chown(path, entry->pw_uid, entry->pw_gid) == 0)
		return true;
	mc_log(host, MC_ERROR, "cannot give %s to the user %s: %s", path,
	    user, entry != NULL ? strerror(errno) : "no such user");
	return false;
}

enum mc_status
pump_bind(struct mc_host *host, const char *endpoint)
{
	struct bound *bound;
	int fd = bind_endpoint(host, endpoint);

	if (fd == -1)
		return MC_UNAVAILABLE;
	if (!hand_over(host, endpoint)) {
		close(fd);
		return MC_UNAVAILABLE;
	}
	bound = mc_zalloc(sizeof(*bound) + strlen(endpoint) + 1);
	bound->fd = fd;
	strcpy(bound->endpoint, endpoint);
	LIST_INSERT_HEAD(&pump_of(host)->bound, bound, link);
	return MC_OK;
}

static int
take_bound(struct mc_host *host, const char *endpoint)
{
	struct bound *bound;
	int fd;

	LIST_FOREACH(bound, &pump_of(host)->bound, link)
		if (strcmp(bound->endpoint, endpoint) == 0)
			break;
	if (bound == NULL)
		return bind_endpoint(host, endpoint);
	fd = bound->fd;
	LIST_REMOVE(bound, link);
	free(bound);
	return fd;
}

/* Listeners */

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
	if (is_local(conf->endpoint))
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

static struct acceptor *
acceptor_new(struct mc_host *host, const struct mc_listen_conf *conf,
    const char *roles, const struct conn_kind *kind, int fd, struct tls *tls)
{
	struct acceptor *acceptor = mc_zalloc(sizeof(*acceptor));
	struct address address = { .len = sizeof(address.sa) };

	atomic_init(&acceptor->refs, 1);
	acceptor->host = host;
	acceptor->roles = roles != NULL ? copy(host, roles) : NULL;
	acceptor->local = is_local(conf->endpoint);
	acceptor->plain = kind->plain;
	acceptor->stream = kind->bytes != NULL;
	acceptor->fd = fd;
	getsockname(fd, &address.sa.any, &address.len);
	address_text(&address, acceptor->address);
	set_terms(acceptor, conf);
	acceptor->limit = limit_new();
	flood_init(&acceptor->flood);
	pthread_mutex_init(&acceptor->lock, NULL);
	acceptor->tls = tls;
	acceptor->watches = mc_zalloc(host->process->io->count *
	    sizeof(*acceptor->watches));
	return acceptor;
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
	int fd = take_bound(host, endpoint);

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
	listener->acceptor = acceptor_new(host, conf, roles, kind, fd,
	    tls);
	listener->acceptor->listener = listener;
	LIST_INSERT_HEAD(&pump_of(host)->listeners, listener, link);
	io_call_all(host->process->io, watch, listener->acceptor);
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
	io_call_all(acceptor->host->process->io, unwatch, acceptor);
	if (acceptor->local)
		unlink(acceptor->address + strlen("unix:"));
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
	set_tls(acceptor, tls);
	set_terms(acceptor, conf);
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

/* What the host asks */

static enum mc_status
reload_listener(struct mc_host *host, struct mc_listener *listener)
{
	struct acceptor *acceptor = listener->acceptor;
	struct tls *tls;
	enum mc_status status;

	if (acceptor->local || acceptor->plain)
		return MC_OK;
	status = own_tls(host, listener->certificate, listener->key,
	    acceptor->roles, &tls);
	if (status == MC_OK)
		set_tls(acceptor, tls);
	return status;
}

enum mc_status
pump_reload(struct mc_host *host)
{
	struct mc_listener *listener;
	enum mc_status status = MC_OK, one;

	LIST_FOREACH(listener, &pump_of(host)->listeners, link) {
		one = reload_listener(host, listener);
		if (one != MC_OK)
			status = one;
	}
	return status;
}

static void
drop_of(struct io_thread *thread, void *arg)
{
	conn_drop_of(thread, arg);
}

static void
close_bound(struct pump *pump)
{
	struct bound *bound;

	while ((bound = LIST_FIRST(&pump->bound)) != NULL) {
		LIST_REMOVE(bound, link);
		close(bound->fd);
		free(bound);
	}
}

/* After this no I/O thread has anything of this instance, and what is still
 * in the mail finds nobody. */
void
pump_close(struct mc_host *host)
{
	struct pump *pump = host->pump;
	struct mc_listener *listener;

	if (pump == NULL)
		return;
	while ((listener = LIST_FIRST(&pump->listeners)) != NULL)
		mc_unlisten(&listener);
	links_close(pump);
	if (host->process->io != NULL)
		io_call_all(host->process->io, drop_of, host);
	while (!LIST_EMPTY(&pump->conns))
		conn_forget(LIST_FIRST(&pump->conns));
	close_bound(pump);
	free(pump);
	host->pump = NULL;
}

const char *
pump_listener(struct mc_host *host, unsigned n)
{
	struct mc_listener *listener;

	if (host->pump == NULL)
		return NULL;
	LIST_FOREACH(listener, &host->pump->listeners, link)
		if (n-- == 0)
			return mc_listener_address(listener);
	return NULL;
}

size_t
pump_connections(struct mc_host *host)
{
	return host->pump != NULL ? host->pump->nconns : 0;
}

bool
pump_peer_trusted(const struct mc_conn *conn)
{
	return conn->trusted;
}
