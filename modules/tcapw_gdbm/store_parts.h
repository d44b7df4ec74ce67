/* SPDX-License-Identifier: MIT */
/*
 * store_parts - the inside of store.h, shared by its files.
 */
#ifndef TCAPW_GDBM_STORE_PARTS_H
#define TCAPW_GDBM_STORE_PARTS_H

#include "clean.h"
#include "load.h"
#include "store.h"

#include <gdbm.h>

struct store {
	struct mc_host		*host;
	struct store_conf	 conf;
	GDBM_FILE		 db;
	int			 lock;
	bool			 dirty;		/* has no marker */
	bool			 broken;	/* until the next start */
	struct tcapw_position	 position;
	char			(*names)[MC_NAME_SIZE];	/* sorted; a listing */
	size_t			 nnames;	/* is under way */
	struct load		*load;		/* NULL: none */
	struct tcapw_position	 loaded;	/* what it shall be */
	GDBM_FILE		 loaded_db;	/* all is in it */
	struct clean_marking	*marking;	/* of that */
};

/* GDBM does not tell its fatal function which file it was: the one that this
 * thread works on. */
extern _Thread_local struct store *store_current;

/* Sizes of its cache and its map. */
void	store_options(const struct store *, GDBM_FILE);

/* As gdbm_store returns it. */
int	store_position_write(GDBM_FILE, const struct tcapw_position *);

/* What is under way. */
void	store_list_forget(struct store *);
void	store_load_forget(struct store *);

#endif
