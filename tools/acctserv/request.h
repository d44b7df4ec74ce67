/* SPDX-License-Identifier: MIT */
/*
 * request - the meta-variables of CGI, with "" for those that are missing.
 */
#ifndef ACCTSERV_REQUEST_H
#define ACCTSERV_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct request {
	const char	*method;
	const char	*script;	/* what is before path in links */
	const char	*path;		/* "/register" */
	const char	*query;
	const char	*type;		/* of the body */
	const char	*length;	/* as it was said */
	const char	*cookie;
	const char	*accept;
	const char	*address;	/* of the client */
	const char	*fetch_site;	/* Sec-Fetch-Site */
	bool		 https;
};

void	request_read(char **envp, struct request *request_r);

/* Does an Accept header ("": everything) want this type, say "text/html"? */
bool	request_accepts(const char *accept, const char *type);

/* Bytes of the body; -1: nonsense. */
long long request_length(const struct request *);

#endif
