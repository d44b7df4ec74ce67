/* SPDX-License-Identifier: MIT */
/*
 * memory - memory, secrets, clocks and words that everybody uses.
 */
#include <metacube/host.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void *
mc_zalloc(size_t size)
{
	void *memory = calloc(1, size != 0 ? size : 1);

	if (memory == NULL)
		mc_fatal(NULL, "out of memory (%zu bytes asked)", size);
	return memory;
}

void
mc_wipe(void *memory, size_t size)
{
	if (size != 0)
		explicit_bzero(memory, size);
}

bool
mc_equal_secret(const void *left, const void *right, size_t size)
{
	const volatile uint8_t *l = left, *r = right;
	uint8_t differs = 0;

	for (size_t i = 0; i < size; i++)
		differs |= l[i] ^ r[i];
	return differs == 0;
}

void
mc_random(void *memory, size_t size)
{
	uint8_t *at = memory;
	ssize_t n;

	while (size > 0) {
		n = getrandom(at, size, 0);
		if (n < 0 && errno != EINTR)
			mc_fatal(NULL, "no random numbers: %s",
			    strerror(errno));
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
}

static uint64_t
clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
mc_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t
mc_time_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

const char *
mc_status_text(enum mc_status status)
{
	static const char *const texts[] = {
		[MC_OK]			= "done",
		[MC_DENIED]		= "denied",
		[MC_NOT_FOUND]		= "not found",
		[MC_EXISTS]		= "exists already",
		[MC_INVALID]		= "invalid",
		[MC_BUSY]		= "busy, try again later",
		[MC_TIMEOUT]		= "no answer in time",
		[MC_UNCERTAIN]		= "no answer, it may have been done",
		[MC_UNAVAILABLE]	= "not available",
		[MC_INTERNAL]		= "internal error",
	};

	if ((size_t)status >= sizeof(texts) / sizeof(texts[0]))
		return "unknown status";
	return texts[status];
}
