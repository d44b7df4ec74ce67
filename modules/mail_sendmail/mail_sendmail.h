/* SPDX-License-Identifier: MIT */
/*
 * mail_sendmail - its parts: mail_sendmail.c takes mails, message.c writes
 * them out, spool.c keeps them on disk, delivery.c says which has its turn,
 * child.c runs the command.
 */
#ifndef MAIL_SENDMAIL_H
#define MAIL_SENDMAIL_H

#include <metacube/call.h>
#include <metacube/host.h>
#include <metacube/mail.h>

#include <sys/types.h>

#define ID_SIZE		40	/* "1763697600000-0123456789abcdef" */
#define MESSAGE_MAX	(4 * MAIL_TEXT_SIZE + 2048)
#define OUTPUT_MAX	200	/* of what the command says */
#define ARGS_MAX	32

/*
 * message.c: the whole message, lines ending with LF; sender and recipient
 * are addresses (mc_email_fault), name and subject are text.  Returns its
 * length.
 */
struct envelope {
	const char	*from, *from_name;
	const char	*id;
	uint64_t	 time_ms;	/* UTC */
};
size_t	message_write(const struct mail *, const struct envelope *,
	    char out[MESSAGE_MAX]);

/*
 * spool.c: ID.mail is a mail that waits, ID.new one being written, and in
 * failed/ is what was given up, without its text.  Not on the loop thread.
 * 0 or -1 with errno.
 */
int	spool_prepare(const char *path);
typedef void spool_found_fn(void *arg, const char *id);
int	spool_list(const char *path, spool_found_fn *, void *arg);
int	spool_write(const char *path, const char *id, const void *message,
	    size_t len);		/* as ID.new, synced */
int	spool_publish(const char *path, const char *id);	/* renamed */
int	spool_sync(const char *path);	/* after that, for all */
void	spool_drop(const char *path, const char *id);
int	spool_open(const char *path, const char *id);	/* to read */
int	spool_remove(const char *path, const char *id);
int	spool_fail(const char *path, const char *id, const char *why);
/* Removes what was given up before that (UTC); how many that were. */
int	spool_prune(const char *path, uint64_t before_ms, size_t *gone_r);

/* Milliseconds since 1970 at which this id was made; 0: it is none. */
uint64_t id_time(const char *id);

/* child.c: the command, with the message on its standard input.  -1: it could
 * not be started, errno says why. */
struct child {
	pid_t	pid;		/* and of its group */
	int	pidfd;		/* readable when it has ended */
	int	output;		/* what it says, to be read without waiting */
};
int	child_start(struct child *, char *const args[], int message);
void	child_kill(const struct child *);

/* After its end: the status of waitpid, and the first line of its output. */
int	child_end(struct child *, char output_r[OUTPUT_MAX]);

/* Forgets one that still runs. */
void	child_leave(struct child *);

#endif
