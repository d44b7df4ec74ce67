/* SPDX-License-Identifier: MIT */
/*
 * server - the metacubed that a crash test starts, kills and starts again,
 * over one folder.  The account server is acctserv, wmq_file and tcapw_gdbm
 * (server_account.c).
 */
#ifndef TESTS_CRASH_SERVER_H
#define TESTS_CRASH_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#define SERVER_PATH	512

struct server {
	pid_t	pid;			/* 0: not running */
	char	folder[SERVER_PATH / 2];
	char	socket[SERVER_PATH];	/* for asking_connect */
	char	account[SERVER_PATH];	/* likewise, for requests */
	char	mailbox[SERVER_PATH];
	char	log[SERVER_PATH];
	off_t	log_before;		/* its size before this start */
};

/* Makes the folder, with the host's own configuration and nothing in
 * conf.d. */
void	server_make(struct server *, const char *module_dir);
void	server_write(const struct server *, const char *name,
	    const char *text);

/* Starts it; crash_at ("point:n") may be NULL. */
void	server_start(struct server *, const char *build, const char *crash_at);

/* Sends the signal (0: none), waits for the end, returns waitpid's status. */
int	server_end(struct server *, int signal);
bool	server_is_alive(struct server *);

/* Shows the end of its log on standard output, as TAP comments. */
void	server_log_show(const struct server *);

void	server_remove(struct server *);

/* Ends the test; errno says why. */
void	server_die(const char *what) __attribute__((noreturn));

/* The account server: this makes it whole.  build is where metacubed is. */
void	server_prepare(struct server *, const char *build);

/* Its files were moved, and the paths in this with them. */
void	server_moved(struct server *);

/* Has it send mail, with this command. */
void	server_mails(struct server *, const char *command);

/* Waits until it answers; false: it has died before, or was ended because it
 * said that it refuses everything until the next start. */
bool	server_ready(struct server *);

#endif
