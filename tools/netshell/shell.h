/* SPDX-License-Identifier: MIT */
/*
 * shell - what the parts of metacube-netshell share.
 */
#ifndef NETSHELL_SHELL_H
#define NETSHELL_SHELL_H

#include "terminal.h"

#include <metacube/client.h>

#include <stdbool.h>
#include <stdint.h>

#define HEARD_MAX	64		/* lines that expect can look back on */
#define WORDS_MAX	8

/* What the command that was given last is waiting for. */
enum shell_wait {
	WAIT_NOTHING, WAIT_LOGIN, WAIT_MAPS, WAIT_ENTER, WAIT_ARRIVE,
	WAIT_HEARD, WAIT_LEFT, WAIT_TIME, WAIT_TEXT, WAIT_CHANGE
};

struct shell {
	struct metacube_client	*client;
	struct terminal		*terminal;

	const char		*user;		/* --user */
	char			 name[METACUBE_NAME_SIZE];	/* logged in as */
	const char		*then;	/* what comes after WAIT_CHANGE, or "" */
	const char		*password_file;
	int			 password_fd;	/* -1: none */

	bool			 scripted;	/* -e: a failure ends it */
	enum shell_wait		 wait;
	uint64_t		 wait_until;	/* WAIT_TIME, _TEXT, _HEARD */
	char			 wait_text[256];
	int32_t			 aim_x, aim_y;	/* WAIT_ARRIVE */
	uint64_t		 moved_ms;	/* own avatar, last */
	bool			 failed;	/* at least one command */
	bool			 quitting, done;

	char			 watched[METACUBE_NAME_SIZE];	/* "": nobody */
	uint32_t		 watch_id;
	uint64_t		 watch_told_ms, stands_ms;	/* 0: known */
	size_t			 maps_told;
	char			 heard[HEARD_MAX][512];
	unsigned		 nheard, expected;	/* counted for ever */
};

/* shell.c */
uint64_t	shell_now_ms(void);
void		shell_print(struct shell *, const char *format, ...)
		    __attribute__((format(printf, 2, 3)));
/* The command has not done what it should. */
void		shell_fail(struct shell *, const char *format, ...)
		    __attribute__((format(printf, 2, 3)));
void		shell_done(struct shell *, enum shell_wait); /* if waited for */
void		shell_leave(struct shell *);
/* Lets time pass: ends waits that are over. */
void		shell_tick(struct shell *);
int		shell_timeout_ms(const struct shell *);

/* events.c: what the client library reports. */
extern const struct metacube_events shell_events;
void		events_stands(struct shell *);	/* who is watched */

/* commands.c */
extern const char *const command_words[];
/* Runs one line.  true: it was a command (history). */
bool		command_run(struct shell *, const char *line);

/* look.c */
void		look_around(struct shell *, int32_t radius);
void		look_who(struct shell *);
const char	*look_direction(int32_t dx, int32_t dy);
double		look_metres(int32_t dx, int32_t dy);

/* account.c: changes of the own account */
void		account_password(struct shell *, const char *file,
		    const char *new_file);
void		account_email(struct shell *, const char *email,
		    bool is_private, const char *file);
void		account_validate(struct shell *, const char *code,
		    const char *file);
void		account_resend(struct shell *, const char *file);
void		account_delete(struct shell *, const char *name,
		    const char *file);

/* password.c: -1 with the reason printed.  A secret: wipe it. */
#define PASSWORD_SIZE	1026
int		password_get(struct shell *, const char *name,
		    const char *file, char password[PASSWORD_SIZE]);
/* A new one: from this file, or the descriptor; a person types it twice. */
int		password_new(struct shell *, const char *file,
		    char password[PASSWORD_SIZE]);
/* A line that may be seen, from a person.  -1: there is none to ask. */
int		password_ask_line(struct shell *, const char *question,
		    char line[PASSWORD_SIZE]);

#endif
