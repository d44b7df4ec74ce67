/* SPDX-License-Identifier: MIT */
/*
 * metacube/pwq.h - account changes as records of a message queue.
 *
 * The typed wrapper over the generic wmq: a record with the tag "pwq" holds
 * one metacube.Change (api/proto/account.proto), that is CREATE, CHANGE or
 * DELETE with the account's whole new state, or RESERVE with nothing but a
 * uid.  The same encoding of the account alone is what a store keeps, and what
 * its digest is made of.
 *
 * Pure functions, any thread; 0 or -1 where they can fail, nothing is logged.
 */
#ifndef METACUBE_PWQ_H
#define METACUBE_PWQ_H

#include <metacube/tcapw.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PWQ_TAG		"pwq"
#define PWQ_MAX		1536	/* bytes of an encoded change or account */

/* The pointer is not part of the record: it is the record's place. */
size_t	pwq_encode(const struct tcapw_change *, uint8_t out[PWQ_MAX]);
int	pwq_decode(const void *data, size_t len, struct tcapw_change *change_r);

size_t	pwq_account_encode(const struct tcapw_account *, uint8_t out[PWQ_MAX]);
int	pwq_account_decode(const void *data, size_t len,
	    struct tcapw_account *account_r);

/* The name in an encoded account that was decoded once, so is valid: without
 * its end, *len_r bytes.  NULL: it is none. */
const char *pwq_account_name(const void *data, size_t len, size_t *len_r);

/* Walks the accounts of tcapw.load_add: the next one, encoded, or NULL at the
 * end: then *offset is len, or the rest is malformed.  offset begins with 0. */
const void *pwq_account_next(const void *accounts, size_t len,
	    size_t *offset, size_t *len_r);

/*
 * The digest of a store: the sum, modulo 2^128, of the first 16 bytes
 * (little-endian) of the SHA-256 of each account's encoding.  It does not
 * depend on order, and an account is taken out by subtracting.
 */
void	pwq_digest_add(uint8_t digest[16], const void *encoded, size_t len);
void	pwq_digest_sub(uint8_t digest[16], const void *encoded, size_t len);

#ifdef __cplusplus
}
#endif
#endif
