/* SPDX-License-Identifier: MIT */
#include "meter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
bench_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void
pids_parse(struct pids *pids, const char *list)
{
	char *end;

	pids->count = 0;
	while (*list != '\0') {
		long pid = strtol(list, &end, 10);

		if (end == list || pid <= 0 || pids->count == METER_PIDS)
			bench_fail("not a list of process ids: %s", list);
		pids->pid[pids->count++] = (pid_t)pid;
		list = *end == ',' ? end + 1 : end;
	}
}

static double
us(const struct timespec *ts)
{
	return (double)ts->tv_sec * 1e6 + (double)ts->tv_nsec / 1e3;
}

double
meter_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return us(&ts);
}

double
meter_cpu_us(const struct pids *pids)
{
	double sum = 0;

	for (size_t i = 0; i < pids->count; i++) {
		struct timespec ts;
		clockid_t clock;

		if (clock_getcpuclockid(pids->pid[i], &clock) != 0 ||
		    clock_gettime(clock, &ts) != 0)
			bench_fail("process %d is gone", (int)pids->pid[i]);
		sum += us(&ts);
	}
	return sum;
}

static double
pss_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Pss: %lf kB", &kib) == 1)
			break;
	if (file != NULL)
		fclose(file);
	if (kib < 0)
		bench_fail("cannot read %s", path);
	return kib;
}

double
meter_pss_kib(const struct pids *pids)
{
	double sum = 0;

	for (size_t i = 0; i < pids->count; i++)
		sum += pss_kib(pids->pid[i]);
	return sum;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
meter_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] :
	    (values[count / 2 - 1] + values[count / 2]) / 2;
}

double
meter_percentile(double *values, size_t count, double percent)
{
	size_t at = (size_t)((double)count * percent / 100);

	qsort(values, count, sizeof(*values), compare);
	return values[at < count ? at : count - 1];
}

void
meter_result(const char *name, double ours, double peer, const char *unit,
    double ratio)
{
	printf("RESULT name=%s ours=%.2f peer=%.2f unit=%s ratio=%.2f\n",
	    name, ours, peer, unit, ratio);
	fflush(stdout);
}
