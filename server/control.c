/* SPDX-License-Identifier: MIT */
/*
 * control - the commands that instances have added, and who is to answer a
 * query.  What they do is the business of those who add them; the host's own
 * are in control_builtin.c.
 */
#include "control_parts.h"

#include "process.h"

#include <stdlib.h>
#include <string.h>

struct added {
	struct added		*next;
	struct mc_host		*host;
	const struct mc_command	*commands;
	void			*state;
};

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

void
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
