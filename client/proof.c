/* SPDX-License-Identifier: MIT */
/*
 * proof - turns a password into what is shown to the gateway.
 *
 * Name and password are brought into one form first, so that the same two
 * give the same proof on every keyboard: the name is folded as the servers
 * do it, the password follows the OpaqueString profile of RFC 8265.
 */
#include <metacube/client.h>
#include <metacube/name.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <string.h>
#include <strings.h>

#define DOMAIN		"metacube-login-1"
#define PASSWORD_MAX	1024
#define BLOCK		64	/* of SHA-256 */

/* The profile leaves these as they are.  GnuTLS would, too, but frees copies of
 * the password that it has not wiped. */
static bool
is_plain(const char *password)
{
	while (*password >= ' ' && *password <= '~')
		password++;
	return *password == '\0';
}

/* All parts but the last are followed by a NUL.  The hash frees its last block
 * as it is, with the password in it: other bytes take that place. */
static int
hash_parts(const char *folded, const gnutls_datum_t *password, uint8_t *proof)
{
	uint8_t nothing[BLOCK - 1] = { 0 }, unused[METACUBE_PROOF_SIZE];
	gnutls_hash_hd_t hash;
	int failed;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return METACUBE_E_MEMORY;
	failed = gnutls_hash(hash, DOMAIN, sizeof(DOMAIN)) < 0 ||
	    gnutls_hash(hash, folded, strlen(folded) + 1) < 0 ||
	    gnutls_hash(hash, password->data, password->size) < 0;
	gnutls_hash_output(hash, proof);
	gnutls_hash(hash, nothing, sizeof(nothing));
	gnutls_hash_deinit(hash, unused);
	return failed ? METACUBE_E_MEMORY : METACUBE_OK;
}

int
metacube_proof(const char *name, const char *password,
    uint8_t proof[METACUBE_PROOF_SIZE])
{
	char folded[MC_NAME_SIZE];
	size_t len = strnlen(password, PASSWORD_MAX + 1);
	gnutls_datum_t plain = {
		(unsigned char *)(uintptr_t)password, (unsigned)len
	}, normal = { NULL, 0 };
	int error;

	if (mc_name_fold(name, folded) != NULL)
		return METACUBE_E_NAME;
	if (len == 0 || len > PASSWORD_MAX)
		return METACUBE_E_PASSWORD;
	if (is_plain(password))
		return hash_parts(folded, &plain, proof);
	if (gnutls_utf8_password_normalize((const unsigned char *)password,
	    (unsigned)len, &normal, 0) < 0)
		return METACUBE_E_PASSWORD;
	error = hash_parts(folded, &normal, proof);
	explicit_bzero(normal.data, normal.size);
	gnutls_free(normal.data);
	return error;
}

/* Of UTF-8: bytes that continue a character do not count. */
static size_t
characters(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

enum metacube_error
metacube_new_proof(const char *name, const char *password,
    uint8_t proof[METACUBE_PROOF_SIZE])
{
	if (password[0] != '\0' &&
	    characters(password) < METACUBE_PASSWORD_MIN)
		return METACUBE_E_PASSWORD_SHORT;
	if (strcasecmp(password, name) == 0)
		return METACUBE_E_PASSWORD_NAME;
	return (enum metacube_error)metacube_proof(name, password, proof);
}
