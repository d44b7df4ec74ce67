/* SPDX-License-Identifier: MIT */
#include "flood.h"

#include "log.h"

void
flood_init(struct flood *flood)
{
	pthread_mutex_init(&flood->lock, NULL);
	flood->second = 0;
	flood->lines = flood->held = 0;
}

void
flood_fini(struct flood *flood)
{
	pthread_mutex_destroy(&flood->lock);
}

/* held_r: lines of earlier seconds that nobody has heard of yet. */
static bool
pass(struct flood *flood, unsigned *held_r)
{
	uint64_t second = mc_now_ms() / 1000;
	bool passes;

	*held_r = 0;
	pthread_mutex_lock(&flood->lock);
	if (flood->second != second) {
		*held_r = flood->held;
		flood->second = second;
		flood->lines = flood->held = 0;
	}
	passes = flood->lines < FLOOD_LINES;
	if (passes)
		flood->lines++;
	else
		flood->held++;
	pthread_mutex_unlock(&flood->lock);
	return passes;
}

void
flood_vlog(struct flood *flood, struct mc_host *host, enum mc_level level,
    const char *format, va_list ap)
{
	unsigned held;

	if (!pass(flood, &held))
		return;
	if (held != 0)
		mc_log(host, level, "(and %u more lines like these)", held);
	log_write(host, level, format, ap);
}

void
flood_log(struct flood *flood, struct mc_host *host, enum mc_level level,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	flood_vlog(flood, host, level, format, ap);
	va_end(ap);
}
