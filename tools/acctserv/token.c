/* SPDX-License-Identifier: MIT */
/*
 * token - see token.h.
 */
#include "token.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOMAIN		"metacube-form-1"
#define MAC_SIZE	32
#define EXPIRES_DIGITS	12
#define HEX		"0123456789abcdef"

/* -- the key --------------------------------------------------------------- */

static const char *
key_file_read(int fd, struct token_key *key)
{
	struct stat is;
	ssize_t got;

	if (fstat(fd, &is) == -1)
		return strerror(errno);
	if (!S_ISREG(is.st_mode))
		return "it is no file";
	if ((is.st_mode & S_IRWXO) != 0)
		return "others may use it (chmod o=)";
	if (is.st_size < TOKEN_KEY_MIN || is.st_size > TOKEN_KEY_MAX)
		return "it must have 32 to 4096 bytes";
	got = read(fd, key->data, sizeof(key->data));
	if (got != is.st_size)
		return got == -1 ? strerror(errno) : "it changes";
	key->len = (size_t)got;
	return NULL;
}

const char *
token_key_read(const char *path, struct token_key *key)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *fault;

	if (fd == -1)
		return strerror(errno);
	fault = key_file_read(fd, key);
	close(fd);
	return fault;
}

/* -- the cookie ------------------------------------------------------------ */

static void
hex_write(const uint8_t *data, size_t len, char *to)
{
	for (size_t i = 0; i < len; i++) {
		*to++ = HEX[data[i] >> 4];
		*to++ = HEX[data[i] & 15];
	}
	*to = '\0';
}

bool
token_cookie_make(char cookie[TOKEN_COOKIE])
{
	uint8_t number[(TOKEN_COOKIE - 1) / 2];

	if (getrandom(number, sizeof(number), 0) != sizeof(number))
		return false;
	hex_write(number, sizeof(number), cookie);
	return true;
}

static bool
cookie_take(const char *value, size_t len, char cookie[TOKEN_COOKIE])
{
	if (len != TOKEN_COOKIE - 1 || strspn(value, HEX) < len)
		return false;
	memcpy(cookie, value, len);
	cookie[len] = '\0';
	return true;
}

bool
token_cookie_find(const char *header, const char *name,
    char cookie[TOKEN_COOKIE])
{
	size_t len = strlen(name), pair;

	for (;; header += pair) {
		header += strspn(header, "; ");
		pair = strcspn(header, ";");
		if (pair == 0)
			return false;
		if (pair > len && strncmp(header, name, len) == 0 &&
		    header[len] == '=')
			return cookie_take(header + len + 1, pair - len - 1,
			    cookie);
	}
}

/* -- the token ------------------------------------------------------------- */

static bool
mac_make(const struct token_key *key, const char *cookie, const char *expires,
    const char *page, uint8_t mac[MAC_SIZE])
{
	gnutls_hmac_hd_t hmac;
	bool made;

	if (gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, key->data,
	    key->len) < 0)
		return false;
	made = gnutls_hmac(hmac, DOMAIN, sizeof(DOMAIN)) >= 0 &&
	    gnutls_hmac(hmac, cookie, strlen(cookie) + 1) >= 0 &&
	    gnutls_hmac(hmac, expires, strlen(expires) + 1) >= 0 &&
	    gnutls_hmac(hmac, page, strlen(page)) >= 0;
	gnutls_hmac_deinit(hmac, mac);
	return made;
}

static bool
token_write(const struct token_key *key, const char *cookie, const char *page,
    int64_t expires_s, char token[TOKEN_SIZE])
{
	char expires[EXPIRES_DIGITS + 1];
	uint8_t mac[MAC_SIZE];

	snprintf(expires, sizeof(expires), "%012llx",
	    (unsigned long long)expires_s & 0xffffffffffff);
	if (!mac_make(key, cookie, expires, page, mac))
		return false;
	memcpy(token, expires, EXPIRES_DIGITS);
	token[EXPIRES_DIGITS] = '.';
	hex_write(mac, sizeof(mac), token + EXPIRES_DIGITS + 1);
	return true;
}

bool
token_make(const struct token_key *key, const char *cookie, const char *page,
    int64_t now_s, char token[TOKEN_SIZE])
{
	return token_write(key, cookie, page, now_s + TOKEN_LIFE_S, token);
}

enum token_fault
token_check(const struct token_key *key, const char *cookie, const char *page,
    int64_t now_s, const char *token)
{
	char right[TOKEN_SIZE];
	int64_t expires_s;

	if (strlen(token) != TOKEN_SIZE - 1 ||
	    strspn(token, HEX) != EXPIRES_DIGITS)
		return TOKEN_WRONG;
	expires_s = strtoll(token, NULL, 16);
	if (expires_s > now_s + TOKEN_LIFE_S ||
	    !token_write(key, cookie, page, expires_s, right) ||
	    gnutls_memcmp(token, right, TOKEN_SIZE) != 0)
		return TOKEN_WRONG;
	return expires_s > now_s ? TOKEN_FINE : TOKEN_EXPIRED;
}
