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
static enum metacube_error
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

/* What the password is on every keyboard.  To be wiped and freed when it is not
 * the same memory. */
static enum metacube_error
normalise(const char *password, gnutls_datum_t *normal_r)
{
	size_t len = strnlen(password, METACUBE_PASSWORD_MAX + 1);

	normal_r->data = (unsigned char *)(uintptr_t)password;
	normal_r->size = (unsigned)len;
	if (len == 0 || len > METACUBE_PASSWORD_MAX)
		return METACUBE_E_PASSWORD;
	if (is_plain(password))
		return METACUBE_OK;
	if (gnutls_utf8_password_normalize((const unsigned char *)password,
	    (unsigned)len, normal_r, 0) < 0)
		return METACUBE_E_PASSWORD;
	return METACUBE_OK;
}

/* Of UTF-8: bytes that continue a character do not count. */
static size_t
characters(const gnutls_datum_t *text)
{
	size_t count = 0;

	for (unsigned i = 0; i < text->size; i++)
		count += (text->data[i] & 0xc0) != 0x80;
	return count;
}

static enum metacube_error
new_check(const char *name, const gnutls_datum_t *password)
{
	if (characters(password) < METACUBE_PASSWORD_MIN)
		return METACUBE_E_PASSWORD_SHORT;
	if (strlen(name) == password->size && strncasecmp(name,
	    (const char *)password->data, password->size) == 0)
		return METACUBE_E_PASSWORD_NAME;
	return METACUBE_OK;
}

static enum metacube_error
proof_make(const char *name, const char *password, bool is_new,
    uint8_t proof[METACUBE_PROOF_SIZE])
{
	char folded[MC_NAME_SIZE];
	enum metacube_error error;
	gnutls_datum_t normal;

	if (mc_name_fold(name, folded) != NULL)
		return METACUBE_E_NAME;
	error = normalise(password, &normal);
	if (error != METACUBE_OK)
		return error;
	if (is_new)
		error = new_check(folded, &normal);
	if (error == METACUBE_OK)
		error = hash_parts(folded, &normal, proof);
	if (normal.data != (const unsigned char *)password) {
		explicit_bzero(normal.data, normal.size);
		gnutls_free(normal.data);
	}
	return error;
}

enum metacube_error
metacube_proof(const char *name, const char *password,
    uint8_t proof[METACUBE_PROOF_SIZE])
{
	return proof_make(name, password, false, proof);
}

enum metacube_error
metacube_new_proof(const char *name, const char *password,
    uint8_t proof[METACUBE_PROOF_SIZE])
{
	return proof_make(name, password, true, proof);
}
