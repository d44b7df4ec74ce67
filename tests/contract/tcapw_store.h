/* SPDX-License-Identifier: MIT */
/*
 * tcapw_store - the store that is tested, beside a model of it: the same
 * changes applied to a plain array, whose digest is made with metacube/pwq.h.
 * What is found is always compared with it.
 */
#ifndef TESTS_CONTRACT_TCAPW_STORE_H
#define TESTS_CONTRACT_TCAPW_STORE_H

#include "frame.h"

#include <metacube/tcapw.h>

#define MODEL_MAX	600	/* more than fit in one list */

struct model {
	struct tcapw_account	accounts[MODEL_MAX];
	size_t			count;
	struct tcapw_position	position;
};

extern struct model model;

struct list_args {
	const char	*after;
	size_t		 max;
};

/* Questions, for ask and ask_start; args: a name, a change, a list's. */
ask_fn	put_lookup, put_apply, put_list;

enum mc_status store_lookup(const char *name, struct tcapw_account *);
enum mc_status store_apply(struct tcapw_change *);
struct tcapw_position store_position(void);

/* The store is as the model: its position; this account, or that it is not
 * there; the whole list, asked for in pieces of max. */
bool	is_level(void);
bool	is_stored(const char *name);
bool	each_once(size_t max);

/* One walk through the list; how often each account of the model was seen.
 * The accounts that it comes to may be deleted on the way. */
bool	walk(size_t max, bool delete_on_the_way, unsigned *seen);

/* The change after the last one; what makes it in both. */
struct tcapw_change next_change(enum tcapw_verb, const char *display,
	    uint64_t uid);
bool	change_both(struct tcapw_change *);
void	model_apply(const struct tcapw_change *);

bool	is_same(const struct tcapw_position *, const struct tcapw_position *);

/* tcapw_load.c: what is promised of loads; one that is under way when the
 * store is killed, and what is there then. */
void	promise_loads(void);
void	promise_killed_load(void);
void	promise_load_after_kill(void);

#endif
