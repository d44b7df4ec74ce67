/* SPDX-License-Identifier: MIT */
/*
 * Links: one connection to a server, made again and again.
 *
 * A name is resolved by a thread of its own, which may take as long as a name
 * server takes; the loop thread only hears of the result.  Each address is
 * tried in turn; after the last one there is a pause, twice as long each time
 * and never quite the same, so that many who were cut off at once do not come
 * back at once.
 */
#include "conn.h"
#include "listen.h"
#include "process.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS	100
#define PAUSE_MAX_MS	10000
#define SETTLED_MS	10000	/* so long up: the pauses start anew; */
#define SETTLED_BYTES	65536	/* or a stream that has brought so much */
#define REPEAT_MS	300000	/* how often a lasting failure is logged */
#define ADDRESSES_MAX	8

struct lookup;

struct mc_link {
	LIST_ENTRY(mc_link)	 link;
	struct mc_host		*host;
	char			*text;		/* the endpoint as written */
	struct endpoint		 endpoint;
	char			 role[64];
	struct conn_kind	 kind;
	void			*state;
	struct mc_timer		*timer;
	struct lookup		*lookup;	/* under way */
	struct mc_conn		*conn;		/* under way or open */
	struct address		 addresses[ADDRESSES_MAX];
	unsigned		 naddresses, next;
	unsigned		 pause_ms;
	uint64_t		 opened_ms;	/* 0: not open */
	uint64_t		 logged_ms;	/* 0: there was no failure */
};

static void dial(void *);

/* Names */

struct lookup {
	struct mail		 mail;
	struct mc_link		*link;		/* NULL: nobody waits */
	char			 host[ENDPOINT_HOST_MAX + 1];
	struct addrinfo		*found;
	int			 error;
};

/* A lookup may outlive the loop when the process ends. */
static struct {
	pthread_mutex_t	 lock;
	struct loop	*loop;		/* NULL: there is none any more */
} lookups = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
links_end(void)
{
	pthread_mutex_lock(&lookups.lock);
	lookups.loop = NULL;
	pthread_mutex_unlock(&lookups.lock);
}

static void
links_begin(struct loop *loop)
{
	pthread_mutex_lock(&lookups.lock);
	lookups.loop = loop;
	pthread_mutex_unlock(&lookups.lock);
}

static void
lookup_free(struct lookup *lookup)
{
	if (lookup->found != NULL)
		freeaddrinfo(lookup->found);
	free(lookup);
}

/* Its own thread; may block. */
static void *
lookup_run(void *arg)
{
	struct lookup *lookup = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	lookup->error = getaddrinfo(lookup->host, NULL, &hints,
	    &lookup->found);
	pthread_mutex_lock(&lookups.lock);
	if (lookups.loop != NULL)
		loop_post(lookups.loop, &lookup->mail);
	else
		lookup_free(lookup);
	pthread_mutex_unlock(&lookups.lock);
	return NULL;
}

static int
start_thread(void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error == 0)
		pthread_detach(thread);
	return error;
}

/* Life */

/* Once when it begins, then rarely: a server that is down for a day is not
 * news every ten seconds. */
static void
log_failure(struct mc_link *link, const char *what, const char *why)
{
	uint64_t now_ms = mc_now_ms();
	bool news = link->logged_ms == 0 ||
	    now_ms - link->logged_ms >= REPEAT_MS;

	if (news)
		link->logged_ms = now_ms;
	mc_log(link->host, news ? MC_WARN : MC_DEBUG, "%s %s: %s", what,
	    link->text, why);
}

/* Half of the pause is fixed, half is chance. */
static void
pause_dialling(struct mc_link *link)
{
	uint32_t chance;

	mc_random(&chance, sizeof(chance));
	if (link->pause_ms == 0)
		link->pause_ms = PAUSE_MIN_MS;
	mc_timer_set(link->host, &link->timer,
	    link->pause_ms / 2 + chance % (link->pause_ms / 2), dial, link);
	link->pause_ms *= 2;
	if (link->pause_ms > PAUSE_MAX_MS)
		link->pause_ms = PAUSE_MAX_MS;
}

static void
dial_next(struct mc_link *link)
{
	link->conn = conn_dial(link->host, link, &link->kind, link->role,
	    &link->addresses[link->next++]);
}

static void
failed(struct mc_link *link, const char *why)
{
	mc_count(link->host, "dial_failed", 1);
	log_failure(link, "cannot reach", why);
	link->naddresses = link->next = 0;
	pause_dialling(link);
}

/* Without TLS nothing leaves this machine. */
static bool
may_reach(const struct mc_link *link, const struct address *address)
{
	return !link->kind.plain || address->sa.any.sa_family == AF_UNIX ||
	    address_is_loopback(address);
}

static void
keep_addresses(struct mc_link *link, const struct addrinfo *info)
{
	struct address *address;

	for (; info != NULL && link->naddresses < ADDRESSES_MAX;
	    info = info->ai_next) {
		address = &link->addresses[link->naddresses];
		memset(address, 0, sizeof(*address));
		memcpy(&address->sa, info->ai_addr, info->ai_addrlen);
		address->len = info->ai_addrlen;
		if (address->sa.any.sa_family == AF_INET6)
			address->sa.in6.sin6_port = htons(link->endpoint.port);
		else
			address->sa.in.sin_port = htons(link->endpoint.port);
		if (may_reach(link, address))
			link->naddresses++;
	}
}

static void
looked_up(struct mail *mail)
{
	struct lookup *lookup = (struct lookup *)mail;
	struct mc_link *link = lookup->link;

	if (link != NULL) {
		link->lookup = NULL;
		if (lookup->error == 0)
			keep_addresses(link, lookup->found);
		if (link->naddresses != 0)
			dial_next(link);
		else
			failed(link, lookup->error != 0 ?
			    gai_strerror(lookup->error) : link->kind.plain ?
			    "the name has no loopback address, and without "
			    "TLS nothing else is reached" :
			    "the name has no address");
	}
	lookup_free(lookup);
}

static void
look_up(struct mc_link *link)
{
	struct lookup *lookup = mc_zalloc(sizeof(*lookup));
	int error;

	lookup->mail.run = looked_up;
	lookup->link = link;
	strcpy(lookup->host, link->endpoint.host);
	error = start_thread(lookup_run, lookup);
	if (error != 0) {
		free(lookup);
		failed(link, strerror(error));
		return;
	}
	link->lookup = lookup;
}

static void
dial(void *arg)
{
	struct mc_link *link = arg;

	link->next = link->naddresses = 0;
	if (endpoint_address(&link->endpoint, &link->addresses[0])) {
		link->naddresses = 1;
		dial_next(link);
	} else {
		look_up(link);
	}
}

void *
link_state(struct mc_link *link)
{
	return link->state;
}

void
link_opened(struct mc_link *link, struct mc_conn *conn)
{
	link->opened_ms = mc_now_ms();
	link->logged_ms = 0;
	mc_log(link->host, MC_NOTE, "connected to %s%s%s", link->text,
	    conn->peer.name[0] != '\0' ? ": " : "", conn->peer.name);
}

static bool
was_settled(const struct mc_link *link, const struct mc_conn *conn)
{
	return mc_now_ms() - link->opened_ms >= SETTLED_MS ||
	    conn->taken >= SETTLED_BYTES;
}

void
link_closed(struct mc_link *link, struct mc_conn *conn)
{
	const char *why = conn->why != NULL ? conn->why : "closed by us";

	link->conn = NULL;
	if (link->opened_ms != 0) {
		if (was_settled(link, conn))
			link->pause_ms = 0;
		link->opened_ms = 0;
		log_failure(link, "lost the connection to", why);
		pause_dialling(link);
	} else if (link->next < link->naddresses) {
		mc_log(link->host, MC_DEBUG, "%s at %s: %s", link->text,
		    conn->peer.address, why);
		dial_next(link);
	} else {
		failed(link, why);
	}
}

static const char *
take_endpoint(struct mc_link *link, const char *endpoint)
{
	const char *fault = endpoint_parse(endpoint, &link->endpoint);
	struct address address;

	if (fault == NULL && endpoint_address(&link->endpoint, &address) &&
	    !may_reach(link, &address))
		return "is no loopback address, and without TLS nothing else "
		    "is reached";
	return fault;
}

struct mc_link *
dial_for(struct mc_host *host, const char *endpoint, const char *role,
    const struct conn_kind *kind, void *state)
{
	struct mc_link *link = mc_zalloc(sizeof(*link));
	const char *fault;

	link->kind = *kind;
	fault = take_endpoint(link, endpoint);
	if (fault != NULL) {
		mc_log(host, MC_ERROR, "endpoint \"%s\" %s", endpoint, fault);
		free(link);
		return NULL;
	}
	links_begin(host->process->loop);
	link->host = host;
	link->text = strdup(endpoint);
	if (link->text == NULL)
		mc_fatal(host, "out of memory");
	snprintf(link->role, sizeof(link->role), "%s", role);
	link->state = state;
	LIST_INSERT_HEAD(&pump_of(host)->links, link, link);
	dial(link);
	return link;
}

struct mc_link *
mc_dial(struct mc_host *host, const char *endpoint, const char *role,
    const struct mc_conn_ops *ops, void *state)
{
	struct conn_kind kind = { .messages = ops };

	return dial_for(host, endpoint, role, &kind, state);
}

void
mc_hangup(struct mc_link **linkp)
{
	struct mc_link *link = *linkp;

	*linkp = NULL;
	if (link == NULL)
		return;
	mc_timer_clear(&link->timer);
	if (link->lookup != NULL)
		link->lookup->link = NULL;
	if (link->conn != NULL) {
		link->conn->dialler = NULL;
		mc_conn_close(link->conn);
	}
	LIST_REMOVE(link, link);
	free(link->text);
	free(link);
}

void
links_close(struct pump *pump)
{
	struct mc_link *link;

	while ((link = LIST_FIRST(&pump->links)) != NULL)
		mc_hangup(&link);
}
