/* SPDX-License-Identifier: MIT */
/*
 * crash - the points at which a test may have the process killed.
 */
#include <metacube/host.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char wanted[64];			/* "": nothing */
static atomic_int left;

static void
read_environment(void)
{
	const char *value = getenv("METACUBE_CRASH_AT");
	size_t len;

	if (value == NULL)
		return;
	len = strcspn(value, ":");
	if (len == 0 || len >= sizeof(wanted))
		return;
	memcpy(wanted, value, len);
	atomic_store(&left, value[len] == ':' ? atoi(value + len + 1) : 1);
	mc_log(NULL, MC_WARN, "METACUBE_CRASH_AT is set: this process will "
	    "be killed at passing %d of %s", atomic_load(&left), wanted);
}

void
mc_crash_point(const char *point)
{
	pthread_once(&once, read_environment);
	if (wanted[0] == '\0' || strcmp(point, wanted) != 0)
		return;
	if (atomic_fetch_sub(&left, 1) == 1) {
		kill(getpid(), SIGKILL);
		pause();
	}
}
