/* SPDX-License-Identifier: MIT */
/*
 * sender - what mail_sendmail.c, which takes mails, and delivery.c, which
 * hands them to the mail system, share.  Loop thread; what init sets for good
 * (host, conf, from, args) is read by the instance's thread, too.
 */
#ifndef SENDER_H
#define SENDER_H

#include "mail_sendmail.h"

#include <sys/queue.h>

struct conf {
	const char	*command, *from, *from_name, *spool;
	int64_t		 parallel, timeout_ms, spool_max;
	int64_t		 retry_base_ms, retry_max_ms, give_up_ms;
	int64_t		 keep_failed_ms;
};

TAILQ_HEAD(items, item);

struct sender {
	struct mc_host		*host;
	const struct conf	*conf;
	struct items		 ready;		/* wait for their turn */
	struct items		 others;	/* run, or wait for a time */
	struct mc_timer		*prune;
	size_t			 count;		/* in the spool */
	int64_t			 running;
	bool			 stopping;
	char			 from[TCAPW_EMAIL_SIZE];
	char			*words;		/* of the command */
	char			*args[ARGS_MAX];
};

/* A mail that is in the spool: it will have its turn. */
void	delivery_add(struct sender *, const char *id);

/* Begins as many as may run. */
void	delivery_turn(struct sender *);

/* The mails stay in the spool. */
void	delivery_forget(struct sender *);

#endif
