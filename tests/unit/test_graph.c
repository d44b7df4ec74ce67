/* SPDX-License-Identifier: MIT */
#include "cutap.h"
#include "graph.h"

#include <string.h>

#define NODES_MAX	8

static const int ops;

static const struct mc_provide store12[] = {
	{ "store", 1, 2, &ops }, { NULL }
};
static const struct mc_provide store20[] = {
	{ "store", 2, 0, &ops }, { NULL }
};
static const struct mc_provide check10[] = {
	{ "check", 1, 0, &ops }, { NULL }
};
static const struct mc_need store_needed[] = {
	{ "store", 1, 1, 0, false }, { NULL }
};
static const struct mc_need store_wished[] = {
	{ "store", 1, 1, 0, true }, { NULL }
};
static const struct mc_need check_needed[] = {
	{ "check", 1, 0, 0, false }, { NULL }
};

static const struct mc_module store = { .name = "store", .provides = store12 };
static const struct mc_module newer = { .name = "newer", .provides = store20 };
static const struct mc_module check = {
	.name = "check", .provides = check10, .needs = store_needed
};
static const struct mc_module user = { .name = "user", .needs = check_needed };
static const struct mc_module wish = { .name = "wish", .needs = store_wished };
static const struct mc_module proxy = {	/* stands before another store */
	.name = "proxy", .provides = store12, .needs = store_needed
};
static const struct mc_module circle = {	/* provides what check needs */
	.name = "circle", .provides = store12, .needs = check_needed
};

static size_t order[NODES_MAX];
static char said[2048];

static const char *
hint(void *arg, const struct mc_need *need)
{
	(void)arg;
	return strcmp(need->service, "store") == 0 ? "try module store" : NULL;
}

/* Resolves; the errors are in said.  The results stay in the nodes. */
static bool
resolve(struct graph_node *nodes, size_t count)
{
	struct errors errors = { 0 };
	bool fine = graph_resolve(nodes, count, order, hint, NULL, &errors);

	said[0] = '\0';
	CU_ASSERT_EQUAL(fine, errors.count == 0);
	for (size_t i = 0; i < errors.count; i++) {
		strncat(said, errors.lines[i], 500);
		strcat(said, "\n");
	}
	errors_clear(&errors);
	return fine;
}

static void
ordered(void)
{
	struct graph_node nodes[] = {
		{ "u", "u.conf", &user }, { "c", "c.conf", &check },
		{ "s", "s.conf", &store }
	};

	CU_ASSERT(resolve(nodes, 3));
	CU_ASSERT_EQUAL(order[0], 2);
	CU_ASSERT_EQUAL(order[1], 1);
	CU_ASSERT_EQUAL(order[2], 0);
	CU_ASSERT_EQUAL(nodes[0].provider[0], 1);
	CU_ASSERT_EQUAL(nodes[1].provider[0], 2);
	CU_ASSERT_PTR_EQUAL(nodes[1].provide[0], &store12[0]);
	graph_free(nodes, 3);
}

static void
nothing(void)
{
	CU_ASSERT(resolve(NULL, 0));
}

static void
missing(void)
{
	struct graph_node nodes[] = { { "c", "c.conf", &check } };

	CU_ASSERT(!resolve(nodes, 1));
	CU_ASSERT_STRING_EQUAL(said, "c.conf: c needs store 1.1, and no "
	    "enabled instance provides it; try module store\n");
	graph_free(nodes, 1);
}

static void
optional(void)
{
	struct graph_node nodes[] = {
		{ "w", "w.conf", &wish }, { "s", "s.conf", &store }
	};

	CU_ASSERT(resolve(nodes, 1));
	CU_ASSERT_EQUAL(nodes[0].provider[0], GRAPH_NONE);
	graph_free(nodes, 1);
	CU_ASSERT(resolve(nodes, 2));
	CU_ASSERT_EQUAL(nodes[0].provider[0], 1);
	graph_free(nodes, 2);
}

static void
twice(void)
{
	struct graph_use use[] = { { "store", "s2", 4 }, { NULL } };
	struct graph_node nodes[] = {
		{ "s1", "s1.conf", &store }, { "s2", "s2.conf", &store },
		{ "c", "c.conf", &check }
	};

	CU_ASSERT(!resolve(nodes, 3));
	CU_ASSERT_STRING_EQUAL(said, "c.conf: c needs store, and more than "
	    "one instance provides it: s1 (s1.conf), s2 (s2.conf); say which "
	    "with use = { store = \"...\"; }\n");
	graph_free(nodes, 3);
	nodes[2].mark = nodes[1].mark = nodes[0].mark = 0;
	nodes[2].uses = use;
	CU_ASSERT(resolve(nodes, 3));
	CU_ASSERT_EQUAL(nodes[2].provider[0], 1);
	graph_free(nodes, 3);
}

static void
uses(void)
{
	struct graph_use use[] = {
		{ "store", "stork", 4 }, { "stor", "s", 5 }, { NULL }
	};
	struct graph_node nodes[] = {
		{ "store", "s.conf", &store }, { "c", "c.conf", &check, use },
	};

	CU_ASSERT(!resolve(nodes, 2));
	CU_ASSERT_STRING_EQUAL(said, "c.conf:5: use.stor: module check does "
	    "not need such a service; did you mean store?\n"
	    "c.conf:4: use.store: there is no enabled instance stork; did "
	    "you mean store?\n");
	graph_free(nodes, 2);
	nodes[0].mark = nodes[1].mark = 0;
	use[0].instance = "c";
	use[1].service = NULL;
	CU_ASSERT(!resolve(nodes, 2));
	CU_ASSERT_STRING_EQUAL(said, "c.conf:4: use.store: c (c.conf) does "
	    "not provide store\n");
	graph_free(nodes, 2);
}

static void
versions(void)
{
	struct graph_node nodes[] = {
		{ "n", "n.conf", &newer }, { "c", "c.conf", &check },
		{ "s", "s.conf", &store }
	};

	CU_ASSERT(!resolve(nodes, 2));
	CU_ASSERT_STRING_EQUAL(said, "c.conf: c needs store 1.1, but n "
	    "(n.conf) provides store 2.0: module check is older, install a "
	    "newer one\n");
	graph_free(nodes, 2);
	nodes[0].mark = nodes[1].mark = 0;
	CU_ASSERT(resolve(nodes, 3));	/* the one that fits is taken */
	CU_ASSERT_EQUAL(nodes[1].provider[0], 2);
	graph_free(nodes, 3);
}

static void
in_between(void)
{
	struct graph_use use[] = { { "store", "p", 2 }, { NULL } };
	struct graph_node nodes[] = {
		{ "c", "c.conf", &check, use }, { "p", "p.conf", &proxy },
		{ "s", "s.conf", &store }
	};

	CU_ASSERT(resolve(nodes, 3));
	CU_ASSERT_EQUAL(nodes[0].provider[0], 1);
	CU_ASSERT_EQUAL(nodes[1].provider[0], 2);
	graph_free(nodes, 3);
}

static void
cycle(void)
{
	struct graph_node nodes[] = {
		{ "c", "c.conf", &check }, { "r", "r.conf", &circle }
	};

	CU_ASSERT(!resolve(nodes, 2));
	CU_ASSERT_STRING_EQUAL(said, "c.conf: a circle of needs: c (c.conf) "
	    "needs r (r.conf) needs c\n");
	graph_free(nodes, 2);
}

/* What check needs comes from one that would like to have check. */
static void
circle_opened(void)
{
	static const struct mc_need wished[] = {
		{ "check", 1, 0, 0, true }, { NULL }
	};
	static const struct mc_module wishful = {
		.name = "wishful", .provides = store12, .needs = wished
	};
	struct graph_node nodes[] = {
		{ "c", "c.conf", &check }, { "w", "w.conf", &wishful }
	};
	struct graph_node turned[] = { nodes[1], nodes[0] };

	CU_ASSERT(resolve(nodes, 2));
	CU_ASSERT_EQUAL(order[0], 1);
	CU_ASSERT_EQUAL(order[1], 0);
	CU_ASSERT_EQUAL(nodes[1].provider[0], 0);
	graph_free(nodes, 2);
	CU_ASSERT(resolve(turned, 2));
	CU_ASSERT_EQUAL(order[0], 0);
	CU_ASSERT_EQUAL(order[1], 1);
	CU_ASSERT_EQUAL(turned[0].provider[0], 1);
	graph_free(turned, 2);
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "providers come first, whatever the order", ordered },
		{ "no instances at all", nothing },
		{ "a missing provider, and who could be one", missing },
		{ "an optional need may stay open", optional },
		{ "two providers are an error, unless use names one", twice },
		{ "use names a service and an instance that exist", uses },
		{ "versions: same major, minor not below", versions },
		{ "an instance may stand before a like provider", in_between },
		{ "a circle names every file of it", cycle },
		{ "an optional need closes no circle", circle_opened },
		{ NULL, NULL }
	};

	return cutap_run("graph", tests);
}
