/* SPDX-License-Identifier: MIT */
/*
 * freeze_file.h - what the writer and the reader of freezes share: keys,
 * chunks, and the tally of the accounts that went by.
 */
#ifndef SERVER_FREEZE_FILE_H
#define SERVER_FREEZE_FILE_H

#include <metacube/freeze.h>

#include <gnutls/crypto.h>

#define FREEZE_TAG_SIZE		16
#define FREEZE_SEALED_MAX	(FREEZE_CHUNK + FREEZE_TAG_SIZE)
#define FREEZE_LENGTH_SIZE	2	/* before each account */
#define FREEZE_KEYS_MAX		16
#define FREEZE_HEADER_PLAIN	64	/* known before the last chunk is */

struct freeze_key {
	uint8_t	id[8];
	uint8_t	bytes[FREEZE_KEY_SIZE];
};

/* The first is the current one. */
struct freeze_keys {
	size_t			count;
	struct freeze_key	key[FREEZE_KEYS_MAX];
};

/* freeze_keys.c; NULL: not among them. */
const struct freeze_key *freeze_key_find(const struct freeze_keys *,
		    const uint8_t id[8]);

/* Seals and opens the chunks of one file. */
struct freeze_cipher {
	gnutls_aead_cipher_hd_t	 handle;
	uint8_t			 nonce[12];
	uint32_t		 chunk;		/* the next one */
};

/* 0 or -1: the library refuses. */
int		 freeze_cipher_begin(struct freeze_cipher *,
		    const struct freeze_key *, const uint8_t prefix[8]);
void		 freeze_cipher_end(struct freeze_cipher *);
int		 freeze_seal(struct freeze_cipher *,
		    const uint8_t header[FREEZE_HEADER_SIZE], bool last,
		    const void *plain, size_t len, void *sealed);
int		 freeze_unseal(struct freeze_cipher *,
		    const uint8_t header[FREEZE_HEADER_SIZE], bool last,
		    const void *sealed, size_t len, void *plain);

/* What the accounts that went by amount to. */
struct freeze_tally {
	struct tcapw_position	 so_far;	/* count, last_uid, digest */
	bool			 undigested;	/* somebody else does it */
};

/* NULL or what is wrong with the account. */
const char	*freeze_tally_add(struct freeze_tally *, const void *encoded,
		    size_t len);

/* freeze_write.c; -1 and errno. */
int		 freeze_sync_folder(const char *path);

/* "PATH: WORDS" as the reason; returns -1. */
int		 freeze_fail(char why[FREEZE_WHY], const char *path,
		    const char *format, ...)
		    __attribute__((format(printf, 3, 4)));

#endif
