/* SPDX-License-Identifier: MIT */
/*
 * control - commands over a unix socket: one Command in, one Output back.
 *
 * Who may ask is decided by the kernel's word for who is at the other end,
 * and by the socket's mode; there is no password.  What the commands do is
 * the business of those who add them; the host's own are in
 * control_builtin.c.
 */
#include <config.h>

#include "control.h"

#include "process.h"
#include "pump.h"

#include <metacube/conn.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define QUERIES_MAX	16		/* unanswered, of one connection */
#define OUTPUT_MAX	(8 * 1024 * 1024)	/* bytes in one table */
#define CELL_MAX	1024
#define TEXT_MAX	1024
#define COLUMNS_MAX	32

/* What one instance has added. */
struct added {
	struct added		*next;
	struct mc_host		*host;
	const struct mc_command	*commands;
	void			*state;
};

struct commands {
	struct process		*process;
	struct added		*added;		/* in order of adding */
	struct mc_query		*queries;	/* all unanswered */
	struct mc_listener	*listener;
	char			*path;		/* of the socket, when ours */
};

struct session {
	struct commands	*commands;
	struct mc_conn	*conn;
	unsigned	 queries;
};

struct list {
	char	**items;
	size_t	  count, room;
};

struct mc_query {
	struct mc_query	 *next, **prev;
	struct commands	 *commands;
	struct session	 *session;	/* NULL: nobody waits any more */
	struct mc_host	 *host;		/* who answers, NULL: we */
	uint32_t	  cid;
	struct list	  words;
	size_t		  first_arg;
	uint8_t		 *secret;
	size_t		  secret_len;
	struct list	  columns, cells;
	size_t		  size;		/* bytes in cells */
	size_t		  left_out;	/* rows beyond OUTPUT_MAX */
	char		  by[64];
	bool		  cut;
};

/* Lists of strings. */

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

/* Queries. */

static void
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

/* What the peer sent; its secret is wiped where it lies. */
static struct mc_query *
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
	query->cut = query->size > OUTPUT_MAX;
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

/* Commands. */

static size_t
count_words(const char *name)
{
	size_t n = 1;

	for (; *name != '\0'; name++)
		n += *name == ' ';
	return n;
}

/* How many of the query's words are this command's name, 0: none. */
static size_t
name_matches(const char *name, const struct list *words)
{
	size_t n = count_words(name), len;

	if (words->count < n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		len = strcspn(name, " ");
		if (strlen(words->items[i]) != len ||
		    memcmp(words->items[i], name, len) != 0)
			return 0;
		name += len + (name[len] == ' ');
	}
	return n;
}

/* Of "account" and "account create", the longer one that fits. */
static const struct mc_command *
command_find(struct commands *commands, const struct list *words,
    struct added **from)
{
	const struct mc_command *command, *best = NULL;
	struct added *added;
	size_t n, best_n = 0;

	for (added = commands->added; added != NULL; added = added->next)
		for (command = added->commands; command->name != NULL;
		    command++) {
			n = name_matches(command->name, words);
			if (n > best_n) {
				best = command;
				best_n = n;
				*from = added;
			}
		}
	return best;
}

static void
command_run(struct mc_query *query, const struct mc_command *command,
    struct added *from)
{
	size_t nargs;
	struct callback callback;

	query->first_arg = count_words(command->name);
	nargs = query->words.count - query->first_arg;
	if (nargs < command->min_args || nargs > command->max_args) {
		mc_query_done(query, MC_INVALID, "usage: %s%s%s",
		    command->name, command->args != NULL ? " " : "",
		    command->args != NULL ? command->args : "");
		return;
	}
	query->host = from->host;
	from->host->queries++;
	callback_begin(&callback, from->host, command->name, request_new());
	mc_log(from->host, MC_DEBUG, "command %s", command->name);
	command->run(from->state, query);
	callback_end(&callback);
}

static void
query_run(struct mc_query *query)
{
	const struct mc_command *command;
	struct added *from = NULL;

	command = command_find(query->commands, &query->words, &from);
	if (command == NULL)
		mc_query_done(query, MC_NOT_FOUND, "this server knows no "
		    "command \"%s\" (\"commands\" lists those it knows)",
		    query->words.count != 0 ? query->words.items[0] : "");
	else if (from->host->stage != HOST_STARTED)
		mc_query_done(query, MC_UNAVAILABLE, "%s is not running",
		    from->host->name);
	else
		command_run(query, command, from);
}

static bool
command_known(struct commands *commands, const char *name)
{
	const struct added *added;
	const struct mc_command *command;

	for (added = commands->added; added != NULL; added = added->next)
		for (command = added->commands; command->name != NULL;
		    command++)
			if (strcmp(command->name, name) == 0)
				return true;
	return false;
}

void
mc_commands(struct mc_host *host, const struct mc_command *list, void *state)
{
	struct commands *commands = host->process->commands;
	const struct mc_command *command;
	struct added *added, **tail = &commands->added;

	for (command = list; command->name != NULL; command++)
		if (command_known(commands, command->name)) {
			mc_log(host, MC_ERROR, "another instance has already "
			    "added the command \"%s\": none of this one's are "
			    "added", command->name);
			return;
		}
	added = mc_zalloc(sizeof(*added));
	added->host = host;
	added->commands = list;
	added->state = state;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = added;
}

void
commands_each(struct commands *commands, command_fn *run, void *arg)
{
	const struct added *added;
	const struct mc_command *command;

	for (added = commands->added; added != NULL; added = added->next)
		for (command = added->commands; command->name != NULL;
		    command++)
			run(arg, added->host, command);
}

struct commands *
commands_new(struct process *process)
{
	struct commands *commands = mc_zalloc(sizeof(*commands));

	commands->process = process;
	process->commands = commands;
	mc_commands(process->self, control_builtins, process);
	return commands;
}

void
commands_free(struct commands **commandsp)
{
	struct commands *commands = *commandsp;
	struct added *added;

	if (commands == NULL)
		return;
	while (commands->queries != NULL)
		query_free(commands->queries);
	while ((added = commands->added) != NULL) {
		commands->added = added->next;
		free(added);
	}
	free(commands->path);
	free(commands);
	*commandsp = NULL;
}

void
control_forget(struct mc_host *host)
{
	struct commands *commands = host->process->commands;
	struct added *gone, **added = &commands->added;
	struct mc_query *query, *next;

	for (query = commands->queries; query != NULL; query = next) {
		next = query->next;
		if (query->host == host)
			mc_query_done(query, MC_UNCERTAIN, "%s has stopped: "
			    "this may have been done or not", host->name);
	}
	while ((gone = *added) != NULL)
		if (gone->host == host) {
			*added = gone->next;
			free(gone);
		} else
			added = &gone->next;
}

/* The socket. */

static void *
opened(void *state, struct mc_conn *conn)
{
	struct session *session;

	if (!pump_peer_trusted(conn)) {
		mc_log(NULL, MC_WARN, "control socket: a stranger was turned "
		    "away");
		return NULL;
	}
	session = mc_zalloc(sizeof(*session));
	session->commands = state;
	session->conn = conn;
	mc_conn_admit(conn);
	return session;
}

static void
asked(void *owner, const Metacube__Envelope *envelope)
{
	struct session *session = owner;
	struct mc_query *query;

	if (envelope->message_case != METACUBE__ENVELOPE__MESSAGE_COMMAND) {
		mc_conn_close(session->conn);
		return;
	}
	query = query_new(session, envelope->cid, envelope->command);
	if (session->queries > QUERIES_MAX)
		mc_query_done(query, MC_BUSY, "at most %d commands at a time",
		    QUERIES_MAX);
	else
		query_run(query);
}

static void
closed(void *owner)
{
	struct session *session = owner;
	struct mc_query *query = session->commands->queries;

	for (; query != NULL; query = query->next)
		if (query->session == session)
			query->session = NULL;
	free(session);
}

static const struct mc_conn_ops conn_ops = {
	.open		= opened,
	.message	= asked,
	.closed		= closed,
};

static const struct mc_listen_conf listen_conf = {
	.certificate		= "",
	.key			= "",
	.max_connections	= 64,
	.max_per_address	= 64,
	.handshake_ms		= 10000,
	.login_ms		= 10000,
	.idle_ms		= 3600 * 1000,
	.send_ms		= 60000,
	.queue_max		= 4 * OUTPUT_MAX,
};

enum mc_status
control_start(struct process *process)
{
	struct commands *commands = process->commands;
	struct mc_listen_conf conf = listen_conf;
	char endpoint[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];

	if (*process->conf.control == '\0')
		return MC_OK;
	snprintf(endpoint, sizeof(endpoint), "unix:%s",
	    process->conf.control);
	conf.endpoint = endpoint;
	commands->listener = mc_listen(process->self, &conf, NULL, &conn_ops,
	    commands);
	if (commands->listener == NULL)
		return MC_UNAVAILABLE;
	commands->path = strdup(process->conf.control);
	if (chmod(commands->path, 0600) == -1)
		return mc_fail(NULL, MC_UNAVAILABLE, "control socket %s: %s",
		    commands->path, strerror(errno));
	return MC_OK;
}

void
control_stop(struct process *process)
{
	struct commands *commands = process->commands;

	if (commands->listener == NULL)
		return;
	mc_unlisten(&commands->listener);
	unlink(commands->path);
}
