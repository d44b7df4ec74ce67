/* SPDX-License-Identifier: MIT */
/*
 * clean - may this GDBM file be opened?
 *
 * GDBM is not crash-safe, and on some damaged files it ends the process.  So
 * a file is only ever opened when its marker, written after a proper close,
 * says exactly what the file still is.  The marker goes before the first
 * change.  What has no marker, or differs from it, is set aside and built
 * anew: the queue is the truth, the file only an index of it.
 *
 *	accounts.gdbm		the store
 *	accounts.gdbm.clean	"metacube-clean 1 SIZE SHA256\n"
 *	accounts.gdbm.unclean	the last one that was set aside
 *	accounts.gdbm.lock	flock: one process at a time
 */
#ifndef TCAPW_GDBM_CLEAN_H
#define TCAPW_GDBM_CLEAN_H

#include <metacube/host.h>

enum clean_state {
	CLEAN_NONE,		/* there is no file */
	CLEAN_FINE,		/* it is what the marker says */
	CLEAN_UNCLEAN,		/* a GDBM file that may be damaged */
	CLEAN_REFUSED		/* not ours to touch; the reason is logged */
};

/* Also leaves the descriptor that holds the lock, or -1. */
enum clean_state clean_check(struct mc_host *, const char *path, int *lock_r);

/*
 * The marker of a file that is to take the place of path: its bytes are read
 * step by step (1: there are more, 0: that was all, -1: errno says why); end
 * syncs the file and names the marker.  Until clean_replace the store at path
 * differs from its marker, so counts as unclean.
 */
struct clean_marking;
struct clean_marking *clean_marking_new(struct mc_host *, const char *file);
int		 clean_marking_step(struct clean_marking *);
enum mc_status	 clean_marking_end(struct mc_host *, struct clean_marking *,
		    const char *path);
void		 clean_marking_free(struct clean_marking **);
enum mc_status	 clean_replace(struct mc_host *, const char *file,
		    const char *path);

enum mc_status	 clean_mark(struct mc_host *, const char *path);
enum mc_status	 clean_unmark(struct mc_host *, const char *path);
enum mc_status	 clean_set_aside(struct mc_host *, const char *path);

#endif
