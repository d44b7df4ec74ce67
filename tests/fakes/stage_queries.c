/* SPDX-License-Identifier: MIT */
/*
 * stage_queries - commands, which are asked by whoever calls their functions;
 * here is what they are told.
 */
#include "stage.h"

#include "stage_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	bool		told;			/* a query was answered */
	enum mc_status	status;
	char		text[1024];
} last;

struct mc_query {
	const char *const	*args;
};
static const struct mc_command *added;
static void *added_state;

void
stage_queries_reset(void)
{
	memset(&last, 0, sizeof(last));
	added = NULL;
}

void
mc_commands(struct mc_host *host, const struct mc_command *commands,
    void *state)
{
	(void)host;
	added = commands;
	added_state = state;
}

void
stage_command(const char *name, const char *const args[])
{
	static struct mc_query query;
	const struct mc_command *command = added;

	while (strcmp(command->name, name) != 0)
		command++;
	query.args = args;
	command->run(added_state, &query);
}

const char *
mc_query_arg(const struct mc_query *query, unsigned n)
{
	for (unsigned i = 0; query != NULL && i <= n; i++)
		if (query->args[i] == NULL)
			return NULL;
	return query != NULL ? query->args[n] : NULL;
}

const uint8_t *
mc_query_secret(const struct mc_query *query, size_t *len)
{
	(void)query;
	*len = 0;
	return NULL;
}

const char *
mc_query_by(const struct mc_query *query)
{
	(void)query;
	return "tester";
}

void
mc_query_columns(struct mc_query *query, const char *first, ...)
{
	(void)query;
	(void)first;
}

void
mc_query_row(struct mc_query *query)
{
	(void)query;
}

void
mc_query_cell(struct mc_query *query, const char *text, ...)
{
	(void)query;
	(void)text;
}

bool
stage_told(enum mc_status *status_r, const char **text_r)
{
	bool told = last.told;

	last.told = false;
	*status_r = last.status;
	*text_r = last.text;
	return told;
}

void
mc_query_done(struct mc_query *query, enum mc_status status,
    const char *text, ...)
{
	(void)query;
	va_list args;

	last.told = true;
	last.status = status;
	last.text[0] = '\0';
	if (text == NULL)
		return;
	va_start(args, text);
	vsnprintf(last.text, sizeof(last.text), text, args);
	va_end(args);
}
