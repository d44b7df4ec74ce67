/* SPDX-License-Identifier: MIT */
/*
 * freeze.c - the parts of a freeze file (metacube/freeze.h): its header, its
 * sealed chunks, and what the accounts in it amount to.
 */
#include "freeze_file.h"

#include <metacube/bytes.h>
#include <metacube/pwq.h>
#include <metacube/segment.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAGIC		"mc-frz\r\n"
#define VERSION		1

/* Where what stands in the header. */
enum {
	AT_TIME = 0, AT_OFFSET = 4, AT_MAGIC = 8, AT_VERSION = 16,
	AT_LENGTH = 20, AT_EPOCH = 24, AT_SEQ = 40, AT_KEY_ID = 48,
	AT_PREFIX = 56, AT_COUNT = 64, AT_LAST_UID = 72, AT_DIGEST = 80,
	AT_SIZE = 96, AT_CHUNK = 104, AT_ZEROES = 108, AT_CRC = 124
};

/* An account begins with its uid: field 1 of metacube.Account, a fixed64. */
#define UID_TAG		0x09
#define UID_END		9

void
freeze_header_write(const struct freeze_header *header,
    uint8_t out[FREEZE_HEADER_SIZE])
{
	const struct tcapw_position *position = &header->position;

	memset(out, 0, FREEZE_HEADER_SIZE);
	mc_put32(out + AT_TIME, header->time);
	mc_put32(out + AT_OFFSET, header->offset);
	memcpy(out + AT_MAGIC, MAGIC, 8);
	mc_put32(out + AT_VERSION, VERSION);
	mc_put32(out + AT_LENGTH, FREEZE_HEADER_SIZE);
	memcpy(out + AT_EPOCH, position->pointer.epoch, 16);
	mc_put64(out + AT_SEQ, position->pointer.seq);
	memcpy(out + AT_KEY_ID, header->key_id, 8);
	memcpy(out + AT_PREFIX, header->nonce_prefix, 8);
	mc_put64(out + AT_COUNT, position->count);
	mc_put64(out + AT_LAST_UID, position->last_uid);
	memcpy(out + AT_DIGEST, position->digest, 16);
	mc_put64(out + AT_SIZE, header->size);
	mc_put32(out + AT_CHUNK, FREEZE_CHUNK);
	mc_put32(out + AT_CRC, crc32c(out, AT_CRC));
}

/* The last chunk may be short, but it has its tag. */
static bool
size_possible(uint64_t size)
{
	uint64_t body = size - FREEZE_HEADER_SIZE;

	return size >= FREEZE_HEADER_SIZE + FREEZE_TAG_SIZE &&
	    (body % FREEZE_SEALED_MAX == 0 ||
	    body % FREEZE_SEALED_MAX >= FREEZE_TAG_SIZE) &&
	    body / FREEZE_SEALED_MAX < UINT32_MAX;
}

static const char *
header_fault(const uint8_t *at, size_t len)
{
	static const uint8_t zeroes[AT_CRC - AT_ZEROES];

	if (len < FREEZE_HEADER_SIZE)
		return "too short for the header of a freeze";
	if (memcmp(at + AT_MAGIC, MAGIC, 8) != 0)
		return "not a freeze (its magic number is another one)";
	if (mc_get32(at + AT_VERSION) != VERSION)
		return "a freeze of another version than 1";
	if (mc_get32(at + AT_CRC) != crc32c(at, AT_CRC))
		return "damaged: the header's checksum is wrong";
	if (mc_get32(at + AT_LENGTH) != FREEZE_HEADER_SIZE ||
	    mc_get32(at + AT_CHUNK) != FREEZE_CHUNK ||
	    memcmp(at + AT_ZEROES, zeroes, sizeof(zeroes)) != 0)
		return "the header has lengths that version 1 does not have";
	if (!size_possible(mc_get64(at + AT_SIZE)))
		return "the header names a size that no freeze has";
	return NULL;
}

const char *
freeze_header_read(const void *data, size_t len,
    struct freeze_header *header_r)
{
	struct tcapw_position *position = &header_r->position;
	const uint8_t *at = data;
	const char *fault = header_fault(at, len);

	memset(header_r, 0, sizeof(*header_r));
	if (fault != NULL)
		return fault;
	header_r->time = mc_get32(at + AT_TIME);
	header_r->offset = mc_get32(at + AT_OFFSET);
	memcpy(header_r->key_id, at + AT_KEY_ID, 8);
	memcpy(header_r->nonce_prefix, at + AT_PREFIX, 8);
	memcpy(position->pointer.epoch, at + AT_EPOCH, 16);
	position->pointer.seq = mc_get64(at + AT_SEQ);
	position->count = mc_get64(at + AT_COUNT);
	position->last_uid = mc_get64(at + AT_LAST_UID);
	memcpy(position->digest, at + AT_DIGEST, 16);
	header_r->size = mc_get64(at + AT_SIZE);
	return NULL;
}

void
freeze_name(const struct freeze_header *header, char out[64])
{
	const struct wmq_pointer *pointer = &header->position.pointer;

	snprintf(out, 64, "%02x%02x%02x%02x-%llu.freeze", pointer->epoch[0],
	    pointer->epoch[1], pointer->epoch[2], pointer->epoch[3],
	    (unsigned long long)pointer->seq);
}

int
freeze_cipher_begin(struct freeze_cipher *cipher,
    const struct freeze_key *key, const uint8_t prefix[8])
{
	gnutls_datum_t datum = { (uint8_t *)key->bytes, FREEZE_KEY_SIZE };

	memset(cipher, 0, sizeof(*cipher));
	memcpy(cipher->nonce, prefix, 8);
	return gnutls_aead_cipher_init(&cipher->handle,
	    GNUTLS_CIPHER_AES_256_GCM, &datum) == 0 ? 0 : -1;
}

void
freeze_cipher_end(struct freeze_cipher *cipher)
{
	if (cipher->handle != NULL)
		gnutls_aead_cipher_deinit(cipher->handle);
	cipher->handle = NULL;
}

static void
nonce_next(struct freeze_cipher *cipher)
{
	uint32_t chunk = cipher->chunk++;

	for (int i = 0; i < 4; i++)
		cipher->nonce[8 + i] = (uint8_t)(chunk >> (24 - 8 * i));
}

int
freeze_seal(struct freeze_cipher *cipher,
    const uint8_t header[FREEZE_HEADER_SIZE], bool last, const void *plain,
    size_t len, void *sealed)
{
	size_t size = len + FREEZE_TAG_SIZE;

	nonce_next(cipher);
	return gnutls_aead_cipher_encrypt(cipher->handle, cipher->nonce,
	    sizeof(cipher->nonce), header,
	    last ? FREEZE_HEADER_SIZE : FREEZE_HEADER_PLAIN,
	    FREEZE_TAG_SIZE, plain, len, sealed, &size) == 0 ? 0 : -1;
}

int
freeze_unseal(struct freeze_cipher *cipher,
    const uint8_t header[FREEZE_HEADER_SIZE], bool last, const void *sealed,
    size_t len, void *plain)
{
	size_t size = len - FREEZE_TAG_SIZE;

	nonce_next(cipher);
	return gnutls_aead_cipher_decrypt(cipher->handle, cipher->nonce,
	    sizeof(cipher->nonce), header,
	    last ? FREEZE_HEADER_SIZE : FREEZE_HEADER_PLAIN,
	    FREEZE_TAG_SIZE, sealed, len, plain, &size) == 0 ? 0 : -1;
}

const char *
freeze_tally_add(struct freeze_tally *tally, const void *encoded, size_t len)
{
	const uint8_t *at = encoded;
	uint64_t uid;

	if (len < UID_END || len > PWQ_MAX || at[0] != UID_TAG)
		return "is malformed";
	uid = mc_get64(at + 1);
	if (uid <= tally->so_far.last_uid)
		return "does not come in the order of uids";
	tally->so_far.last_uid = uid;
	tally->so_far.count++;
	if (!tally->undigested)
		pwq_digest_add(tally->so_far.digest, encoded, len);
	return NULL;
}

int
freeze_fail(char why[FREEZE_WHY], const char *path, const char *format, ...)
{
	va_list args;
	char words[FREEZE_WHY];

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	snprintf(why, FREEZE_WHY, "%.300s: %.200s", path, words);
	return -1;
}
