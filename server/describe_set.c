/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include "conf.h"
#include "graph.h"
#include "loader.h"

#include <stdlib.h>
#include <string.h>

static void
module_line(FILE *to, const char *name, const struct mc_module *module,
    const char *file)
{
	fprintf(to, "%-20s %s %s, ABI %u.%u, %s\n", name, module->name,
	    module->version, module->abi_major, module->abi_minor,
	    module->license);
	fprintf(to, "    file      %s\n", file);
}

static void
provides_line(FILE *to, const struct mc_module *module)
{
	const struct mc_provide *provide = module->provides;

	for (; provide != NULL && provide->service != NULL; provide++)
		fprintf(to, "    provides  %s %u.%u\n", provide->service,
		    provide->major, provide->minor);
}

static void
needs_line(FILE *to, const struct mc_module *module,
    struct conf_instance *const *providers)
{
	const struct mc_need *need = module->needs;

	for (size_t i = 0; i < graph_needs(module); i++, need++) {
		fprintf(to, "    needs     %s %u.%u%s", need->service,
		    need->major, need->minor,
		    need->optional ? " (optional)" : "");
		if (providers != NULL)
			fprintf(to, " <- %s", providers[i] != NULL ?
			    providers[i]->name : "nobody");
		fputc('\n', to);
	}
}

static bool
used(const struct conf_set *set, const char *module)
{
	const struct conf_instance *at = set->first;

	while (at != NULL && strcmp(at->module->name, module) != 0)
		at = at->next;
	return at != NULL;
}

/* A file that is no module is said to be none, and the list goes on. */
static void
unused_list(FILE *to, const struct conf_set *set)
{
	char **names = loader_names(set->host->module_dir);
	const struct mc_module *module;
	struct errors errors = { 0 };

	for (char **name = names; *name != NULL; name++) {
		if (used(set, *name))
			continue;
		module = loader_load(set->host->module_dir, *name, NULL, 0,
		    &errors);
		if (module == NULL)
			continue;
		module_line(to, "(no instance)", module, loader_file(module));
		provides_line(to, module);
		needs_line(to, module, NULL);
	}
	errors_print(&errors, to);
	errors_clear(&errors);
	free(names);
}

void
describe_list(FILE *to, const struct conf_set *set)
{
	const struct conf_instance *at;

	for (at = set->first; at != NULL; at = at->next) {
		module_line(to, at->name, at->module, at->file);
		provides_line(to, at->module);
		needs_line(to, at->module, at->providers);
	}
	if (set->host->module_dir != NULL)
		unused_list(to, set);
}

void
describe_graph(FILE *to, const struct conf_set *set)
{
	const struct conf_instance *at;
	const struct mc_need *needs;

	fputs("digraph metacube {\n\trankdir=LR;\n\tnode [shape=box];\n", to);
	for (at = set->first; at != NULL; at = at->next) {
		fprintf(to, "\t\"%s\" [label=\"%s\\n%s %s\"];\n", at->name,
		    at->name, at->module->name, at->module->version);
		needs = at->module->needs;
		for (size_t i = 0; i < graph_needs(at->module); i++) {
			if (at->providers[i] == NULL)
				continue;
			fprintf(to, "\t\"%s\" -> \"%s\" [label=\"%s\"];\n",
			    at->name, at->providers[i]->name,
			    needs[i].service);
		}
	}
	fputs("}\n", to);
}
