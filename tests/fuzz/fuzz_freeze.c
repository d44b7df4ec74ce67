/* SPDX-License-Identifier: MIT */
/*
 * fuzz_freeze - any bytes as a freeze.
 *
 * Three ways: as they are; with the header's length and checksum put right,
 * which are no secrets; and as the plain text of a freeze that is sealed here
 * with the key, so that what is behind the tags is reached.
 */
#include "freeze_file.h"

#include <metacube/bytes.h>
#include <metacube/freeze.h>
#include <metacube/pwq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY	"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define INPUT_MAX	(1 << 20)

static struct freeze_keys *keys;

static void
put(int fd, const void *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len)
		abort();
}

static int
file_new(char path[32])
{
	int fd = memfd_create("freeze", MFD_CLOEXEC);

	if (fd == -1 || fchmod(fd, 0600) == -1)
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void
keys_make(void)
{
	char path[32], why[FREEZE_WHY];
	int fd = file_new(path);

	put(fd, KEY, strlen(KEY));
	keys = freeze_keys_load(path, why);
	if (keys == NULL)
		abort();
	close(fd);
}

/* What comes out is whole accounts, in order, and no more than the header
 * says. */
static void
accounts_check(const void *accounts, size_t len, uint64_t *count,
    uint64_t *last_uid)
{
	size_t offset = 0, size;
	const uint8_t *at;
	uint64_t uid;

	while ((at = pwq_account_next(accounts, len, &offset, &size)) !=
	    NULL) {
		uid = mc_get64(at + 1);
		if (size > PWQ_MAX || uid <= *last_uid)
			abort();
		*last_uid = uid;
		++*count;
	}
	if (offset != len)
		abort();
}

static void
file_read(const char *path, bool undigested)
{
	char why[FREEZE_WHY] = "";
	struct freeze_header header;
	struct freeze_reader *reader = freeze_open(path, keys, &header, why);
	uint64_t count = 0, last_uid = 0;
	const void *accounts;
	size_t len = 1;
	int result = 0;

	if (reader == NULL && why[0] == '\0')
		abort();
	if (reader == NULL)
		return;
	if (undigested)
		freeze_undigested(reader);
	while (result == 0 && len > 0) {
		result = freeze_next(reader, &accounts, &len, why);
		accounts_check(accounts, len, &count, &last_uid);
	}
	if (result == 0 && (count != header.position.count ||
	    last_uid > header.position.last_uid))
		abort();
	if (result != 0 && why[0] == '\0')
		abort();
	freeze_close(&reader);
}

static void
try(const uint8_t *data, size_t len)
{
	char path[32];
	int fd = file_new(path);

	put(fd, data, len);
	file_read(path, false);
	file_read(path, true);
	close(fd);
}

/* A header that is taken is one that would be written. */
static void
header_check(const uint8_t *data, size_t len)
{
	uint8_t again[FREEZE_HEADER_SIZE];
	struct freeze_header header;
	char name[64];

	if (freeze_header_read(data, len, &header) != NULL)
		return;
	freeze_header_write(&header, again);
	if (memcmp(again, data, sizeof(again)) != 0)
		abort();
	freeze_name(&header, name);
}

static void
try_mended(const uint8_t *data, size_t len)
{
	struct freeze_header header = { .size = len };
	uint8_t *copy = malloc(len);

	memcpy(copy, data, len);
	memcpy(header.key_id, keys->key[0].id, sizeof(header.key_id));
	memcpy(header.nonce_prefix, data + 56, 8);
	memcpy(&header.position.count, data + 64, 8);
	memcpy(&header.position.last_uid, data + 72, 8);
	freeze_header_write(&header, copy);
	header_check(copy, len);
	try(copy, len);
	free(copy);
}

static void
try_sealed(uint8_t count, const uint8_t *data, size_t len)
{
	struct freeze_header header = { .position.last_uid = UINT64_MAX };
	uint8_t raw[FREEZE_HEADER_SIZE], *sealed;
	struct freeze_cipher cipher;
	char path[32];
	int fd = file_new(path);
	size_t part, chunks = (len + FREEZE_CHUNK - 1) / FREEZE_CHUNK;

	chunks += chunks == 0;
	header.position.count = count;
	header.size = FREEZE_HEADER_SIZE + len + chunks * FREEZE_TAG_SIZE;
	memcpy(header.key_id, keys->key[0].id, sizeof(header.key_id));
	freeze_header_write(&header, raw);
	put(fd, raw, sizeof(raw));
	if (freeze_cipher_begin(&cipher, &keys->key[0],
	    header.nonce_prefix) != 0)
		abort();
	sealed = malloc(FREEZE_SEALED_MAX);
	while (chunks-- > 0) {
		part = len < FREEZE_CHUNK ? len : FREEZE_CHUNK;
		if (freeze_seal(&cipher, raw, chunks == 0, data, part,
		    sealed) != 0)
			abort();
		put(fd, sealed, part + FREEZE_TAG_SIZE);
		data += part;
		len -= part;
	}
	free(sealed);
	freeze_cipher_end(&cipher);
	file_read(path, false);
	file_read(path, true);
	close(fd);
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (keys == NULL)
		keys_make();
	if (len > INPUT_MAX)
		return 0;
	header_check(data, len);
	try(data, len);
	if (len >= FREEZE_HEADER_SIZE + FREEZE_TAG_SIZE)
		try_mended(data, len);
	if (len > 0)	/* the first byte says how many accounts there are */
		try_sealed(data[0], data + 1, len - 1);
	return 0;
}
