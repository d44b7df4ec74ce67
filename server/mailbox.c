/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <metacube/host.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	pthread_mutex_t	lock;
	struct mails	mails;
	int		fd;
};

void
mails_init(struct mails *mails)
{
	mails->first = NULL;
	mails->last = &mails->first;
}

void
mails_add(struct mails *mails, struct mail *mail)
{
	mail->next = NULL;
	*mails->last = mail;
	mails->last = &mail->next;
}

struct mailbox *
mailbox_new(void)
{
	struct mailbox *box = mc_zalloc(sizeof(*box));

	pthread_mutex_init(&box->lock, NULL);
	mails_init(&box->mails);
	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd == -1)
		abort();
	return box;
}

void
mailbox_free(struct mailbox **boxp)
{
	if (*boxp == NULL)
		return;
	close((*boxp)->fd);
	pthread_mutex_destroy(&(*boxp)->lock);
	free(*boxp);
	*boxp = NULL;
}

int
mailbox_fd(const struct mailbox *box)
{
	return box->fd;
}

/* Only the first mail in an empty box has to wake the owner. */
void
mailbox_post_all(struct mailbox *box, struct mails *mails)
{
	bool was_empty;

	if (mails->first == NULL)
		return;
	pthread_mutex_lock(&box->lock);
	was_empty = box->mails.first == NULL;
	*box->mails.last = mails->first;
	box->mails.last = mails->last;
	pthread_mutex_unlock(&box->lock);
	mails_init(mails);
	if (was_empty)
		eventfd_write(box->fd, 1);
}

void
mailbox_post(struct mailbox *box, struct mail *mail)
{
	struct mails one;

	mails_init(&one);
	mails_add(&one, mail);
	mailbox_post_all(box, &one);
}

void
mailbox_run(struct mailbox *box)
{
	struct mail *mail, *next;

	pthread_mutex_lock(&box->lock);
	mail = box->mails.first;
	mails_init(&box->mails);
	pthread_mutex_unlock(&box->lock);
	for (; mail != NULL; mail = next) {
		next = mail->next;
		mail->run(mail);
	}
}
