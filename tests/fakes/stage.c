/* SPDX-License-Identifier: MIT */
/*
 * stage - the host itself: what it is called, what it logs and counts.  Time
 * is in stage_time.c, connections in stage_conns.c, what is sent over them in
 * stage_wire.c, service calls in stage_calls.c, commands in stage_queries.c.
 */
#include "stage.h"

#include "stage_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTERS_MAX	128
#define LOG_SIZE	(256 * 1024)

struct mc_host {
	char	identity[64];
};

static struct {
	struct mc_host	 host;
	struct { const char *name; int64_t value; } counters[COUNTERS_MAX];
	char		 log[LOG_SIZE];
	size_t		 log_len;
} stage;

void
stage_reset(const char *identity)
{
	stage_conns_reset();
	stage_wire_reset();
	stage_queries_reset();
	stage_time_reset();
	memset(&stage, 0, sizeof(stage));
	snprintf(stage.host.identity, sizeof(stage.host.identity), "%s",
	    identity);
}

struct mc_host *
stage_host(void)
{
	return &stage.host;
}

void
mc_log(struct mc_host *host, enum mc_level level, const char *text, ...)
{
	size_t room = sizeof(stage.log) - stage.log_len;
	va_list ap;
	int len;

	(void)host;
	(void)level;
	va_start(ap, text);
	len = vsnprintf(stage.log + stage.log_len, room, text, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len + 2 < room) {
		stage.log_len += (size_t)len;
		stage.log[stage.log_len++] = '\n';
	}
	stage.log[stage.log_len] = '\0';
}

enum mc_status
mc_fail(struct mc_host *host, enum mc_status status, const char *text, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof(line), text, ap);
	va_end(ap);
	mc_log(host, MC_ERROR, "%s", line);
	return status;
}

void
mc_fatal(struct mc_host *host, const char *text, ...)
{
	va_list ap;

	(void)host;
	va_start(ap, text);
	vfprintf(stderr, text, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void
mc_crash_point(const char *point)
{
	(void)point;
}

const char *
mc_host_name(const struct mc_host *host)
{
	(void)host;
	return "stage";
}

const char *
mc_host_identity(const struct mc_host *host)
{
	return host->identity;
}

void *
mc_zalloc(size_t size)
{
	void *memory = calloc(1, size == 0 ? 1 : size);

	if (memory == NULL)
		abort();
	return memory;
}

void
mc_wipe(void *memory, size_t len)
{
	if (len > 0)
		explicit_bzero(memory, len);
}

bool
mc_equal_secret(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* Never the same twice, and the same in each run. */
void
mc_random(void *memory, size_t len)
{
	static uint64_t state = 88172645463325252u;
	uint8_t *at = memory;

	while (len-- > 0) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		*at++ = (uint8_t)state;
	}
}
void
mc_count(struct mc_host *host, const char *name, int64_t add)
{
	size_t i = 0;

	(void)host;
	while (i < COUNTERS_MAX - 1 && stage.counters[i].name != NULL &&
	    strcmp(stage.counters[i].name, name) != 0)
		i++;
	stage.counters[i].name = name;
	stage.counters[i].value += add;
}

void
mc_gauge(struct mc_host *host, const char *name, int64_t value)
{
	mc_count(host, name, value - stage_count(name));
}

int64_t
stage_count(const char *name)
{
	for (size_t i = 0; i < COUNTERS_MAX; i++)
		if (stage.counters[i].name != NULL &&
		    strcmp(stage.counters[i].name, name) == 0)
			return stage.counters[i].value;
	return 0;
}

bool
stage_logged(const char *words)
{
	return strstr(stage.log, words) != NULL;
}
