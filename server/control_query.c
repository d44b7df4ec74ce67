/* SPDX-License-Identifier: MIT */
/*
 * control_query - one command that somebody has asked for: its words, and the
 * table and text of its answer.
 */
#include "control_parts.h"

#include "process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX	1024
#define TEXT_MAX	1024
#define COLUMNS_MAX	32

static void
list_add(struct list *list, const char *text)
{
	if (list->count == list->room) {
		list->room = list->room != 0 ? list->room * 2 : 16;
		list->items = realloc(list->items,
		    list->room * sizeof(char *));
	}
	if (list->items != NULL)
		list->items[list->count] = strdup(text);
	if (list->items == NULL || list->items[list->count] == NULL)
		mc_fatal(NULL, "out of memory");
	list->count++;
}

static void
list_clear(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct list){ 0 };
}

void
query_free(struct mc_query *query)
{
	*query->prev = query->next;
	if (query->next != NULL)
		query->next->prev = query->prev;
	if (query->session != NULL)
		query->session->queries--;
	if (query->host != NULL)
		query->host->queries--;
	mc_wipe(query->secret, query->secret_len);
	free(query->secret);
	list_clear(&query->words);
	list_clear(&query->columns);
	list_clear(&query->cells);
	free(query);
}

struct mc_query *
query_new(struct session *session, uint32_t cid,
    const Metacube__Command *command)
{
	struct mc_query *query = mc_zalloc(sizeof(*query));

	query->commands = session->commands;
	query->session = session;
	query->cid = cid;
	memcpy(query->by, mc_conn_peer(session->conn)->name,
	    sizeof(query->by));
	for (size_t i = 0; i < command->n_word; i++)
		list_add(&query->words, command->word[i]);
	query->secret_len = command->secret.len;
	query->secret = mc_zalloc(query->secret_len);
	if (query->secret_len != 0) {
		memcpy(query->secret, command->secret.data,
		    query->secret_len);
		mc_wipe(command->secret.data, query->secret_len);
	}
	query->prev = &session->commands->queries;
	query->next = *query->prev;
	if (query->next != NULL)
		query->next->prev = &query->next;
	*query->prev = query;
	session->queries++;
	return query;
}

static void
query_send(struct mc_query *query, enum mc_status status, char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Output output = METACUBE__OUTPUT__INIT;

	if (query->session == NULL)
		return;
	output.status = (uint32_t)status;
	output.text = text;
	output.column = query->columns.items;
	output.n_column = query->columns.count;
	output.cell = query->cells.items;
	output.n_cell = query->cells.count;
	envelope.cid = query->cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_OUTPUT;
	envelope.output = &output;
	mc_conn_send(query->session->conn, &envelope);
}

/* The last row may be short when its module stopped in the middle. */
static void
fill_row(struct mc_query *query)
{
	size_t columns = query->columns.count;

	while (columns != 0 && query->cells.count % columns != 0)
		list_add(&query->cells, "");
}

const char *
mc_query_arg(const struct mc_query *query, unsigned n)
{
	size_t i = query->first_arg + n;

	return i < query->words.count ? query->words.items[i] : NULL;
}

const char *
mc_query_by(const struct mc_query *query)
{
	return query->by;
}

const uint8_t *
mc_query_secret(const struct mc_query *query, size_t *len)
{
	*len = query->secret_len;
	return query->secret;
}

void
mc_query_columns(struct mc_query *query, const char *first, ...)
{
	va_list args;

	va_start(args, first);
	for (; first != NULL && query->columns.count < COLUMNS_MAX;
	    first = va_arg(args, const char *))
		list_add(&query->columns, first);
	va_end(args);
}

void
mc_query_row(struct mc_query *query)
{
	fill_row(query);
	query->cut = query->size > QUERY_OUTPUT_MAX;
	query->left_out += query->cut;
}

void
mc_query_cell(struct mc_query *query, const char *format, ...)
{
	char text[CELL_MAX];
	va_list args;

	if (query->cut)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	list_add(&query->cells, text);
	query->size += strlen(text) + 8;
}

void
mc_query_done(struct mc_query *query, enum mc_status status,
    const char *format, ...)
{
	char text[TEXT_MAX] = "";
	va_list args;
	size_t len;

	fill_row(query);
	if (format != NULL) {
		va_start(args, format);
		vsnprintf(text, sizeof(text), format, args);
		va_end(args);
	} else if (status != MC_OK)
		snprintf(text, sizeof(text), "%s", mc_status_text(status));
	if (query->left_out != 0) {
		len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "%s%zu more rows are "
		    "not shown", len != 0 ? "; " : "", query->left_out);
	}
	query_send(query, status, text);
	query_free(query);
}
