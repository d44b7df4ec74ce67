/* SPDX-License-Identifier: MIT */
/*
 * servpw_rig - a replica on a stage: its store is tcapw_mem's table, the
 * server, its queue and its freezes are what the test makes them.
 *
 * Change n creates account n, unless the test says otherwise.
 */
#ifndef TESTS_SERVPW_RIG_H
#define TESTS_SERVPW_RIG_H

#include "cutap.h"
#include "stage.h"
#include "../../modules/servpw/servpw.h"
#include "../../modules/tcapw_mem/table.h"

#include <metacube/pwq.h>

#define RECORDS_MAX	400

struct server {
	uint8_t			 epoch[16];
	uint64_t		 oldest, durable;
	struct { size_t len; uint8_t bytes[PWQ_MAX]; } records[RECORDS_MAX];
	struct table		*table;		/* what it holds */
	struct mirror_state	 said;
	bool			 silent;	/* mirror: cannot be reached */
	bool			 lies;		/* of another digest */
	enum mc_status		 obtain;
	struct freeze_file	 file;
	unsigned		 obtains, acknowledged;
};

struct store {
	struct table	*table, *loaded;
	enum mc_status	 add;		/* what load_add answers */
	bool		 held;		/* load_add is not answered */
	unsigned	 begins, ends, wrong;
};

extern struct server server;
extern struct store store;
extern struct servpw *servpw;
extern struct conf conf;

void	 rig_begin(void);		/* no module yet, one key */
void	 rig_start(void);		/* the module */
void	 rig_end(void);

/* The next change; NULL: account number seq is created. */
void	 server_change(const struct tcapw_change *);
void	 server_changes(unsigned count);
void	 server_nonsense(void);		/* a record that nobody knows */
void	 server_epoch(void);		/* a new one, from the next change on */

/* The latest freeze: of accounts 1 to count, at the change with this number;
 * NULL: of what the server holds. */
void	 server_freeze(uint64_t count, uint64_t seq);
void	 server_freeze_now(void);

/* The store holds accounts 1 to count, at this change. */
void	 store_fill(uint64_t count, uint64_t seq);
bool	 store_is_level(void);		/* with the server */

void	 command(const char *name);
bool	 told(enum mc_status, const char *words);	/* the answer */
#endif
