/* SPDX-License-Identifier: MIT */
/*
 * meter - what the benchmarks measure with: the clock, the CPU time of other
 * processes, medians, and the closing RESULT line.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stddef.h>
#include <sys/types.h>

#define METER_PIDS	16

struct pids {
	pid_t	pid[METER_PIDS];
	size_t	count;
};

/* "123,456"; ends the program with a message when that is not a list. */
void	pids_parse(struct pids *, const char *list);

double	meter_now_us(void);
double	meter_cpu_us(const struct pids *);	/* all threads, all pids */
double	meter_pss_kib(const struct pids *);	/* proportional set size */
double	meter_median(double *values, size_t count);	/* sorts them */
double	meter_percentile(double *values, size_t count, double percent);	/* too */

/* A ratio above 1 means that MetaCube is ahead. */
void	meter_result(const char *name, double ours, double peer,
	    const char *unit, double ratio);

/* Prints the reason and exits with 1. */
void	bench_fail(const char *, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

#endif
