/* SPDX-License-Identifier: MIT */
/*
 * acceptor - who may come in by a listening socket: the I/O threads accept up
 * to its limits, on its terms.
 */
#include "listen.h"

#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_MAX	4	/* at a time, then the others have their turn */
#define PAUSE_MS	500	/* without descriptors */

/* How one I/O thread watches a listening socket. */
struct acceptor_watch {
	struct acceptor		*acceptor;
	struct io_thread	*thread;
	struct event		 readable, resume;
};

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

void
acceptor_set_tls(struct acceptor *acceptor, struct tls *tls)
{
	struct tls *old;

	pthread_mutex_lock(&acceptor->lock);
	old = acceptor->tls;
	acceptor->tls = tls;
	pthread_mutex_unlock(&acceptor->lock);
	tls_unref(&old);
}

void
acceptor_set_terms(struct acceptor *acceptor, const struct mc_listen_conf *conf)
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

struct acceptor *
acceptor_new(struct mc_host *host, const struct mc_listen_conf *conf,
    char *roles, const struct conn_kind *kind, int fd, struct tls *tls)
{
	struct acceptor *acceptor = mc_zalloc(sizeof(*acceptor));
	struct address address = { .len = sizeof(address.sa) };

	atomic_init(&acceptor->refs, 1);
	acceptor->host = host;
	acceptor->roles = roles;
	acceptor->local = endpoint_path(conf->endpoint) != NULL;
	acceptor->plain = kind->plain;
	acceptor->stream = kind->bytes != NULL;
	acceptor->fd = fd;
	getsockname(fd, &address.sa.any, &address.len);
	address_text(&address, acceptor->address);
	acceptor_set_terms(acceptor, conf);
	acceptor->limit = limit_new();
	flood_init(&acceptor->flood);
	pthread_mutex_init(&acceptor->lock, NULL);
	acceptor->tls = tls;
	acceptor->watches = mc_zalloc(host->process->io->count *
	    sizeof(*acceptor->watches));
	return acceptor;
}

/* I/O thread */

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

/* Loop */

void
acceptor_start(struct acceptor *acceptor)
{
	io_call_all(acceptor->host->process->io, watch, acceptor);
}

void
acceptor_stop(struct acceptor *acceptor)
{
	io_call_all(acceptor->host->process->io, unwatch, acceptor);
}
