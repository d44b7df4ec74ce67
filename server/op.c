/* SPDX-License-Identifier: MIT */
#include "op.h"

#include <metacube/host.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS		16	/* a power of two */

/* Each caller's copy of a struct mc_op, and where it is counted. */
struct op_known {
	struct op_known		*next;
	const struct mc_op	*op;
	struct op_stat		*stat;
};

struct op_stats {
	struct op_stat	*first;
	struct op_known	*known[BUCKETS];
};

struct op_stats *
op_stats_new(void)
{
	return mc_zalloc(sizeof(struct op_stats));
}

void
op_stats_free(struct op_stats **statsp)
{
	struct op_stats *stats = *statsp;
	struct op_known *known;
	struct op_stat *stat;

	if (stats == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((known = stats->known[i]) != NULL) {
			stats->known[i] = known->next;
			free(known);
		}
	while ((stat = stats->first) != NULL) {
		stats->first = stat->next;
		free(stat->name);
		free(stat->what);
		free(stat);
	}
	free(stats);
	*statsp = NULL;
}

static count_cell *
op_cell(struct counters *counters, const char *op, const char *what)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.%s", op, what);
	return counters_cell(counters, name);
}

void
op_count(struct counters *counters, const char *op, const char *what)
{
	atomic_fetch_add(op_cell(counters, op, what), 1);
}

static char *
two_words(const char *first, const char *second)
{
	size_t size = strlen(first) + strlen(second) + 1;
	char *words = mc_zalloc(size);

	snprintf(words, size, "%s%s", first, second);
	return words;
}

static struct op_stat *
stat_by_name(struct op_stats *stats, struct counters *counters,
    const char *name)
{
	struct op_stat *stat = stats->first;

	while (stat != NULL && strcmp(stat->name, name) != 0)
		stat = stat->next;
	if (stat != NULL)
		return stat;
	stat = mc_zalloc(sizeof(*stat));
	stat->name = two_words(name, "");
	stat->what = two_words(name, " answered");
	stat->calls = op_cell(counters, name, "calls");
	stat->us = op_cell(counters, name, "us");
	stat->next = stats->first;
	return stats->first = stat;
}

struct op_stat *
op_stat_of(struct op_stats *stats, struct counters *counters,
    const struct mc_op *op)
{
	size_t bucket = (uintptr_t)op / sizeof(*op) & (BUCKETS - 1);
	struct op_known *known = stats->known[bucket];

	while (known != NULL && known->op != op)
		known = known->next;
	if (known == NULL) {
		known = mc_zalloc(sizeof(*known));
		known->op = op;
		known->stat = stat_by_name(stats, counters, op->name);
		known->next = stats->known[bucket];
		stats->known[bucket] = known;
	}
	return known->stat;
}
