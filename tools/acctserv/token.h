/* SPDX-License-Identifier: MIT */
/*
 * token - a form counts only when it was this site's own page that asked.
 *
 * Signed double submit, without any state on the server: a cookie holds a
 * random number, and each form a token that is made of it:
 *
 *	EXPIRES "." HMAC-SHA256(key, "metacube-form-1" NUL COOKIE NUL
 *			EXPIRES NUL PAGE)
 *
 * EXPIRES is 12 hexadecimal digits, seconds since 1970; the HMAC has 64.
 * Another site can neither read the cookie nor make a token for it, and one
 * who can plant a cookie has no token for that either, but for the page and
 * cookie that it was itself given.
 */
#ifndef ACCTSERV_TOKEN_H
#define ACCTSERV_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_KEY_MIN	32
#define TOKEN_KEY_MAX	4096
#define TOKEN_COOKIE	33	/* with the NUL */
#define TOKEN_SIZE	78
#define TOKEN_LIFE_S	3600

enum token_fault {
	TOKEN_FINE = 0,
	TOKEN_EXPIRED,		/* otherwise right */
	TOKEN_WRONG
};

struct token_key {
	size_t	len;
	uint8_t	data[TOKEN_KEY_MAX];
};

/* The file's whole content.  NULL: read; else why not. */
const char	*token_key_read(const char *path, struct token_key *key_r);

bool		 token_cookie_make(char cookie_r[TOKEN_COOKIE]);

/* From the header Cookie.  false: there is none, or it is none of ours. */
bool		 token_cookie_find(const char *header, const char *name,
		    char cookie_r[TOKEN_COOKIE]);

bool		 token_make(const struct token_key *, const char *cookie,
		    const char *page, int64_t now_s, char token_r[TOKEN_SIZE]);
enum token_fault token_check(const struct token_key *, const char *cookie,
		    const char *page, int64_t now_s, const char *token);

#endif
