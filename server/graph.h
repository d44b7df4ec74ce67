/* SPDX-License-Identifier: MIT */
/*
 * graph - who provides what to whom, and hence in which order they start.
 *
 * Pure: it knows descriptors and names only, loads and calls nothing.  A need
 * is met by the one instance that provides the service in a version that
 * fits (same major, minor not below), or by the one that "use" names.  An
 * instance is never its own provider, so it may stand before another
 * provider of the same service.  Two instances may need each other when one
 * of the needs is optional: that one does not count for the order.
 */
#ifndef SERVER_GRAPH_H
#define SERVER_GRAPH_H

#include "errors.h"

#include <metacube/module.h>

/* use = { service = "instance"; } */
struct graph_use {
	const char	*service, *instance;
	unsigned	 line;
};

struct graph_node {
	const char		 *name, *file;
	const struct mc_module	 *module;
	const struct graph_use	 *uses;		/* service NULL: the end */

	/* Results: for each need, the index of the provider's node or
	 * GRAPH_NONE, and what it provides. */
	size_t			 *provider;
	const struct mc_provide	**provide;
	int			  mark;		/* private */
};

#define GRAPH_NONE	((size_t)-1)

/* Which modules that nobody has configured provide this?  Their names as a
 * sentence to append, or NULL. */
typedef const char *graph_hint_fn(void *arg, const struct mc_need *);

/*
 * Fills the results and order, an array of count indices: providers first,
 * otherwise as the nodes stand.  false: something was reported, naming the
 * files of all that are involved.  graph_free in both cases.
 */
bool	graph_resolve(struct graph_node *, size_t count, size_t *order,
	    graph_hint_fn *, void *hint_arg, struct errors *);
void	graph_free(struct graph_node *, size_t count);

/* The number of elements of a module's list of needs. */
size_t	graph_needs(const struct mc_module *);

#endif
