/* SPDX-License-Identifier: MIT */
/*
 * mailbox - how one thread hands work to another: many may post, one runs.
 *
 * A mail is the first member of whatever is handed over; its run function
 * gets it on the thread that owns the mailbox, in the order of posting.  The
 * owner is woken through a descriptor, once for any number of mails.
 */
#ifndef SERVER_MAILBOX_H
#define SERVER_MAILBOX_H

struct mail {
	struct mail	*next;
	void		(*run)(struct mail *);	/* owns the mail */
};

/* A batch that its sender still collects. */
struct mails {
	struct mail	*first, **last;
};

struct mailbox;

struct mailbox	*mailbox_new(void);
void		 mailbox_free(struct mailbox **);

/* To be watched for edges (EV_ET): each one says that there is mail.  It is
 * never read, and so always readable after the first. */
int		 mailbox_fd(const struct mailbox *);
void		 mailbox_post(struct mailbox *, struct mail *);

void		 mails_init(struct mails *);
void		 mails_add(struct mails *, struct mail *);

/* Hands over the whole batch, which is empty afterwards. */
void		 mailbox_post_all(struct mailbox *, struct mails *);

/* Owner's thread: runs what was posted before the call. */
void		 mailbox_run(struct mailbox *);

#endif
