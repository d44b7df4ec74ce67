/* SPDX-License-Identifier: MIT */
/*
 * page - the pages, each one form and one question to the account server, and
 * what happens when a form comes back.
 */
#ifndef ACCTSERV_PAGE_H
#define ACCTSERV_PAGE_H

#include "field.h"
#include "reply.h"
#include "request.h"
#include "site.h"

#define PAGE_FIELDS	6
#define QUERY_MAX	2048	/* bytes; longer ones never get here */

/* A field on a page, perhaps with other words than it has elsewhere. */
struct use {
	enum field_id	id;		/* FIELD_NONE: the end */
	enum text	label, hint;
};

struct page {
	const char	*path;
	Metacube__AccountRequest__Verb verb;
	enum text	 title, intro, button, about, done;
	enum text	 group;		/* which begins with this page */
	struct use	 uses[PAGE_FIELDS + 1];
	enum field_id	 proof;		/* the password that is shown */
	bool		 new_proof;	/* and FIELD_NEW the one it becomes */
	const char	*next;		/* the form that comes afterwards */
	bool		 linked;	/* mails have links to it */
	bool		 harmless;	/* changes nothing */
	bool		 grave;
};

/* By the end of the list a path of NULL. */
const struct page	*pages(void);
const struct page	*page_find(const char *path);

/* One request on its way to a reply. */
struct visit {
	struct site		*site;
	const struct request	*request;
	const struct gate	*gate;
	struct reply		 reply;
	const struct page	*page;
	char		 cookie[TOKEN_COOKIE];	/* "": none came */
	struct values		 values;
	/* How the form is shown. */
	enum text		 faults[FIELD_COUNT];
	enum text		 trouble;	/* with the whole; or T_NONE */
	unsigned		 wait_s;	/* with that; 0: not said */
	enum text		 news;		/* good ones; or T_NONE */
};

/* GET: the form, filled from the link when there was one. */
void	page_show(struct visit *);

/* POST: body is wiped by the caller. */
void	page_take(struct visit *, char *body, size_t len);

/* A page that is no form. */
void	page_message(struct visit *, unsigned status, enum text title,
	    enum text what);

/* paint.c: into the reply's body. */
void	paint_home(struct visit *);
void	paint_form(struct visit *, const char *token);
void	paint_message(struct visit *, enum text title, enum text what,
	    bool good);

#endif
