/* SPDX-License-Identifier: MIT */
/*
 * metacube/mail.h - mail to people.  Service "mail" 1.0.
 */
#ifndef METACUBE_MAIL_H
#define METACUBE_MAIL_H

#include <metacube/call.h>
#include <metacube/tcapw.h>

#define MAIL_SERVICE		"mail", 1, 0
#define MAIL_PROVIDE(ops) \
	{ MAIL_SERVICE, 1 ? (ops) : (const struct mail_ops *)0 }
#define MAIL_TIMEOUT_MS		10000
#define MAIL_SUBJECT_SIZE	128
#define MAIL_TEXT_SIZE		4096

struct mail {
	char	to[TCAPW_EMAIL_SIZE];	/* one address, already checked */
	char	subject[MAIL_SUBJECT_SIZE];	/* ASCII, one line */
	char	text[MAIL_TEXT_SIZE];	/* UTF-8, lines end with LF */
};

/*
 * Is this an address that mail can be sent to?  One addr-spec of RFC 5321
 * with a domain name, ASCII, without quoting, comments or control characters,
 * at most 254 bytes.  NULL: fine; else what is wrong, to follow "the e-mail
 * address".  Pure, any thread.
 */
#ifdef __cplusplus
extern "C"
#endif
const char	*mc_email_fault(const char *address);

struct mail_ops {
	/* MC_OK: the mail is on disk and will be handed over, whatever
	 * happens to this process; that may take as long as the mail system
	 * needs.  MC_BUSY: too many are waiting, or the disk is full. */
	void (*send)(void *state, const struct mail *, struct mc_call *);
};

static inline void
mail_send(const struct mc_ref *to, const struct mail *mail,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = { "mail.send", MAIL_TIMEOUT_MS, true };
	const struct mail_ops *ops = (const struct mail_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->send(to->provider, mail, call);
}

#endif
