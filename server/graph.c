/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#define LIST_SIZE	512	/* of names in one message */

enum { UNSEEN, OPEN, DONE };

struct graph {
	struct graph_node	*nodes;
	size_t			 count;
	size_t			*order, ordered;
	size_t			*path, depth;	/* nodes that are OPEN */
	graph_hint_fn		*hint;
	void			*hint_arg;
	struct errors		*errors;
	bool			 fine;
};

#define fault(graph, node, line, ...) do { \
	errors_at((graph)->errors, (node)->file, line, __VA_ARGS__); \
	(graph)->fine = false; \
} while (0)

size_t
graph_needs(const struct mc_module *module)
{
	size_t n = 0;

	while (module->needs != NULL && module->needs[n].service != NULL)
		n++;
	return n;
}

static const struct mc_provide *
provide_find(const struct graph_node *node, const char *service)
{
	const struct mc_provide *provide = node->module->provides;

	for (; provide != NULL && provide->service != NULL; provide++) {
		if (strcmp(provide->service, service) == 0)
			return provide;
	}
	return NULL;
}

static bool
version_fits(const struct mc_provide *provide, const struct mc_need *need)
{
	return provide->major == need->major && provide->minor >= need->minor;
}

static const struct graph_use *
use_find(const struct graph_node *node, const char *service)
{
	const struct graph_use *use = node->uses;

	for (; use != NULL && use->service != NULL; use++) {
		if (strcmp(use->service, service) == 0)
			return use;
	}
	return NULL;
}

static size_t
node_find(const struct graph *graph, const char *name)
{
	for (size_t i = 0; i < graph->count; i++) {
		if (strcmp(graph->nodes[i].name, name) == 0)
			return i;
	}
	return GRAPH_NONE;
}

static void
version_report(struct graph *graph, const struct graph_node *node,
    unsigned line, const struct mc_need *need, const struct graph_node *other)
{
	const struct mc_provide *provide = provide_find(other, need->service);
	bool older = provide->major < need->major ||
	    (provide->major == need->major && provide->minor < need->minor);

	fault(graph, node, line, "%s needs %s %u.%u, but %s (%s) provides "
	    "%s %u.%u: module %s is older, install a newer one", node->name,
	    need->service, need->major, need->minor, other->name, other->file,
	    need->service, provide->major, provide->minor,
	    older ? other->module->name : node->module->name);
}

static void
provider_bind(const struct graph *graph, struct graph_node *node, size_t need,
    size_t to)
{
	node->provider[need] = to;
	node->provide[need] = provide_find(&graph->nodes[to],
	    node->module->needs[need].service);
}

static void
use_follow(struct graph *graph, struct graph_node *node, size_t n,
    const struct graph_use *use)
{
	const struct mc_need *need = &node->module->needs[n];
	size_t to = node_find(graph, use->instance);
	const struct mc_provide *provide;
	const char **names, *nearest;

	if (to == GRAPH_NONE) {
		names = mc_zalloc((graph->count + 1) * sizeof(*names));
		for (size_t i = 0; i < graph->count; i++)
			names[i] = graph->nodes[i].name;
		nearest = word_nearest(use->instance, names);
		fault(graph, node, use->line, "use.%s: there is no enabled "
		    "instance %s%s%s%s", use->service, use->instance,
		    nearest != NULL ? "; did you mean " : "",
		    nearest != NULL ? nearest : "",
		    nearest != NULL ? "?" : "");
		free(names);
		return;
	}
	provide = provide_find(&graph->nodes[to], need->service);
	if (provide == NULL)
		fault(graph, node, use->line, "use.%s: %s (%s) does not "
		    "provide %s", use->service, use->instance,
		    graph->nodes[to].file, need->service);
	else if (&graph->nodes[to] == node)
		fault(graph, node, use->line, "use.%s: %s cannot be its own "
		    "provider", use->service, use->instance);
	else if (!version_fits(provide, need))
		version_report(graph, node, use->line, need,
		    &graph->nodes[to]);
	else
		provider_bind(graph, node, n, to);
}

static void
missing_report(struct graph *graph, const struct graph_node *node,
    const struct mc_need *need)
{
	const char *hint = graph->hint == NULL ? NULL :
	    graph->hint(graph->hint_arg, need);

	fault(graph, node, 0, "%s needs %s %u.%u, and no enabled instance "
	    "provides it%s%s", node->name, need->service, need->major,
	    need->minor, hint != NULL ? "; " : "", hint != NULL ? hint : "");
}

static void
double_report(struct graph *graph, const struct graph_node *node,
    const struct mc_need *need)
{
	char list[LIST_SIZE] = "";
	size_t used;

	for (size_t i = 0; i < graph->count; i++) {
		const struct graph_node *other = &graph->nodes[i];
		const struct mc_provide *provide =
		    provide_find(other, need->service);

		if (other == node || provide == NULL ||
		    !version_fits(provide, need))
			continue;
		used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s (%s)",
		    used > 0 ? ", " : "", other->name, other->file);
	}
	fault(graph, node, 0, "%s needs %s, and more than one instance "
	    "provides it: %s; say which with use = { %s = \"...\"; }",
	    node->name, need->service, list, need->service);
}

static void
provider_choose(struct graph *graph, struct graph_node *node, size_t n)
{
	const struct mc_need *need = &node->module->needs[n];
	size_t fitting = 0, other = GRAPH_NONE, found = GRAPH_NONE;

	for (size_t i = 0; i < graph->count; i++) {
		const struct mc_provide *provide =
		    provide_find(&graph->nodes[i], need->service);

		if (provide == NULL || &graph->nodes[i] == node)
			continue;
		if (!version_fits(provide, need)) {
			other = i;
			continue;
		}
		found = i;
		fitting++;
	}
	if (fitting == 1)
		provider_bind(graph, node, n, found);
	else if (fitting > 1)
		double_report(graph, node, need);
	else if (other != GRAPH_NONE)
		version_report(graph, node, 0, need, &graph->nodes[other]);
	else if (!need->optional)
		missing_report(graph, node, need);
}

static bool
needed(const struct graph_node *node, const char *service)
{
	for (size_t i = 0; i < graph_needs(node->module); i++) {
		if (strcmp(node->module->needs[i].service, service) == 0)
			return true;
	}
	return false;
}

static void
uses_check(struct graph *graph, const struct graph_node *node)
{
	const struct graph_use *use = node->uses;
	size_t count = graph_needs(node->module);
	const char **names = mc_zalloc((count + 1) * sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		names[i] = node->module->needs[i].service;
	for (; use != NULL && use->service != NULL; use++) {
		if (needed(node, use->service))
			continue;
		nearest = word_nearest(use->service, names);
		fault(graph, node, use->line, "use.%s: module %s does not "
		    "need such a service%s%s%s", use->service,
		    node->module->name,
		    nearest != NULL ? "; did you mean " : "",
		    nearest != NULL ? nearest : "",
		    nearest != NULL ? "?" : "");
	}
	free(names);
}

static void
node_resolve(struct graph *graph, struct graph_node *node)
{
	size_t count = graph_needs(node->module);
	const struct graph_use *use;

	node->provider = mc_zalloc(count * sizeof(*node->provider));
	node->provide = mc_zalloc(count * sizeof(*node->provide));
	uses_check(graph, node);
	for (size_t n = 0; n < count; n++) {
		node->provider[n] = GRAPH_NONE;
		use = use_find(node, node->module->needs[n].service);
		if (use != NULL)
			use_follow(graph, node, n, use);
		else
			provider_choose(graph, node, n);
	}
}

/* From the node that is met again, along the path, back to it. */
static void
cycle_report(struct graph *graph, size_t again)
{
	const struct graph_node *node;
	char list[LIST_SIZE] = "";
	size_t used, from = 0;

	while (graph->path[from] != again)
		from++;
	for (size_t i = from; i < graph->depth; i++) {
		node = &graph->nodes[graph->path[i]];
		used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s (%s) needs ",
		    node->name, node->file);
	}
	node = &graph->nodes[again];
	fault(graph, node, 0, "a circle of needs: %s%s", list, node->name);
}

/* Does what this node cannot do without need a node that is OPEN? */
static bool
leads_back(const struct graph *graph, size_t index, bool *seen)
{
	const struct graph_node *node = &graph->nodes[index];

	if (node->mark == OPEN)
		return true;
	if (node->mark == DONE || seen[index])
		return false;
	seen[index] = true;
	for (size_t n = 0; n < graph_needs(node->module); n++) {
		if (node->provider[n] != GRAPH_NONE &&
		    !node->module->needs[n].optional &&
		    leads_back(graph, node->provider[n], seen))
			return true;
	}
	return false;
}

/* An optional need gives way where it would close a circle. */
static bool
gives_way(const struct graph *graph, const struct graph_node *node, size_t n)
{
	bool *seen, back;

	if (!node->module->needs[n].optional)
		return false;
	seen = mc_zalloc(graph->count * sizeof(*seen));
	back = leads_back(graph, node->provider[n], seen);
	free(seen);
	return back;
}

static void
visit(struct graph *graph, size_t index)
{
	struct graph_node *node = &graph->nodes[index];

	if (node->mark == DONE)
		return;
	if (node->mark == OPEN) {
		cycle_report(graph, index);
		return;
	}
	node->mark = OPEN;
	graph->path[graph->depth++] = index;
	for (size_t n = 0; n < graph_needs(node->module); n++) {
		if (node->provider[n] != GRAPH_NONE &&
		    !gives_way(graph, node, n))
			visit(graph, node->provider[n]);
	}
	graph->depth--;
	node->mark = DONE;
	graph->order[graph->ordered++] = index;
}

bool
graph_resolve(struct graph_node *nodes, size_t count, size_t *order,
    graph_hint_fn *hint, void *hint_arg, struct errors *errors)
{
	struct graph graph = {
		.nodes = nodes, .count = count, .order = order, .hint = hint,
		.hint_arg = hint_arg, .errors = errors, .fine = true
	};

	for (size_t i = 0; i < count; i++)
		node_resolve(&graph, &nodes[i]);
	graph.path = mc_zalloc(count * sizeof(*graph.path));
	for (size_t i = 0; i < count; i++)
		visit(&graph, i);
	free(graph.path);
	return graph.fine;
}

void
graph_free(struct graph_node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(nodes[i].provider);
		free(nodes[i].provide);
		nodes[i].provider = NULL;
		nodes[i].provide = NULL;
	}
}
