/* SPDX-License-Identifier: MIT */
#include "resolve.h"
#include "endpoint.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Shared by the one who asks and the thread; freed by whoever is last. */
struct resolve {
	atomic_int		 holders;
	atomic_bool		 done;
	int			 fd[2];		/* -1 without a thread */
	int			 error;
	struct addrinfo		*addresses;
	char			 host[ENDPOINT_HOST];
	char			 port[6];
};

static void
release(struct resolve *resolve)
{
	if (atomic_fetch_sub(&resolve->holders, 1) > 1)
		return;
	if (resolve->addresses != NULL)
		freeaddrinfo(resolve->addresses);
	for (int i = 0; i < 2; i++)
		if (resolve->fd[i] >= 0)
			close(resolve->fd[i]);
	free(resolve);
}

static int
ask(struct resolve *resolve, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};

	return getaddrinfo(resolve->host, resolve->port, &hints,
	    &resolve->addresses);
}

static void *
run(void *arg)
{
	struct resolve *resolve = arg;
	ssize_t n;

	resolve->error = ask(resolve, AI_ADDRCONFIG);
	atomic_store(&resolve->done, true);
	do
		n = write(resolve->fd[1], "", 1);
	while (n < 0);	/* only EINTR is possible: we hold both ends */
	release(resolve);
	return NULL;
}

/* The program's signals are not for this thread. */
static int
start(struct resolve *resolve)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int error;

	if (pipe2(resolve->fd, O_CLOEXEC) < 0)
		return -1;
	if (pthread_attr_init(&attr) != 0)
		return -1;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&resolve->holders, 1);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attr, run, resolve);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (error != 0)
		atomic_fetch_sub(&resolve->holders, 1);
	return error == 0 ? 0 : -1;
}

struct resolve *
resolve_new(const char *host, const char *port)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (resolve == NULL)
		return NULL;
	atomic_init(&resolve->holders, 1);
	resolve->fd[0] = resolve->fd[1] = -1;
	snprintf(resolve->host, sizeof(resolve->host), "%s", host);
	snprintf(resolve->port, sizeof(resolve->port), "%s", port);
	resolve->error = ask(resolve, AI_NUMERICHOST);
	if (resolve->error != EAI_NONAME)
		atomic_store(&resolve->done, true);
	else if (start(resolve) < 0)
		resolve_free(&resolve);
	return resolve;
}

void
resolve_free(struct resolve **resolvep)
{
	if (*resolvep != NULL)
		release(*resolvep);
	*resolvep = NULL;
}

int
resolve_fd(const struct resolve *resolve)
{
	return atomic_load(&resolve->done) ? -1 : resolve->fd[0];
}

bool
resolve_done(struct resolve *resolve, int *error_r,
    struct addrinfo **addresses_r)
{
	if (!atomic_load(&resolve->done))
		return false;
	*addresses_r = resolve->addresses;
	*error_r = resolve->error;
	resolve->addresses = NULL;
	return true;
}
