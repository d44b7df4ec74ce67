/* SPDX-License-Identifier: MIT */
/*
 * wmqmaint_rig - wmqmaint on a stage, with a queue, a store and replicas that
 * the test plays: what is frozen is compared, byte for byte, with what the
 * store has.
 */
#ifndef TESTS_WMQMAINT_RIG_H
#define TESTS_WMQMAINT_RIG_H

#include "cutap.h"
#include "freeze_files.h"
#include "scratch.h"
#include "stage.h"
#include "../../modules/wmqmaint/wmqmaint.h"

#define ACCOUNTS_MAX	4000
#define REPLICAS	4

extern struct conf conf;
extern struct wmqmaint *maint;
extern struct mc_ref service;			/* its freeze */
extern char path[256], key_files[256];		/* of the freeze */

extern struct rig_queue {
	struct record { size_t len; uint8_t bytes[400]; } *records;
	uint64_t	 count, oldest;		/* that is still there */
	uint8_t		 epoch[16];
	unsigned	 reads;
	uint64_t	 prunes, pruned_to;
} queue;

extern struct rig_store {
	struct tcapw_account *accounts;		/* by their numbers */
	bool		 exists[ACCOUNTS_MAX];
	struct tcapw_position position;
	unsigned	 asked;			/* for it */
	bool		 silent;
	size_t		 loaded_len;
	unsigned	 load_begins, load_ends;
	enum mc_status	 load_status;
} store;

extern struct rig_replicas {
	struct replicas_entry entries[REPLICAS];
	size_t		 count;
	enum mc_status	 listed, give_up;	/* what is answered */
	char		 given_up[256];
} replicas;

extern struct rig_mirror {
	struct freeze_file file;
	struct freeze_ops ops;			/* for maint->mirrored */
} mirror;

void	 rig_begin(void);		/* no module started yet */
void	 rig_open(void);		/* rig_begin does it, too */
void	 rig_start(void);
void	 rig_close(void);
void	 rig_end(void);

/* Both the queue and the store get a change of account number n. */
void	 change(enum tcapw_verb, uint64_t n);
void	 create_many(uint64_t from, uint64_t to);
void	 change_many(uint64_t from, uint64_t to);	/* half; a quarter goes */

/* Asked by a command, without looking at the outcome; with. */
void	 command(const char *name);
bool	 freezes(void);
bool	 freeze_refused(const char *words);
bool	 prunes_to(uint64_t seq);
bool	 prune_refused(const char *words);

bool	 there(const char *name);
void	 freeze_damage(size_t from_end);	/* one byte of it */

/* Does the freeze have the accounts of the store, and nothing else? */
bool	 frozen_right(void);

/* What the service says: the file is good until it is asked again. */
const struct freeze_file *obtained(enum mc_status expected);

#endif
