/* SPDX-License-Identifier: MIT */
/*
 * freeze_read.c - reads a freeze, chunk by chunk (metacube/freeze.h).
 *
 * Nothing is handed out before its chunk is authenticated, and nothing is
 * complete before the last one is, which vouches for the whole header; then
 * the file must be at its end, and count, order and digest as the header has
 * them.
 */
#include "freeze_file.h"

#include <metacube/bytes.h>
#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct freeze_reader {
	char			 path[FREEZE_PATH_SIZE];
	int			 fd;
	struct freeze_cipher	 cipher;
	struct freeze_header	 header;
	struct freeze_tally	 tally;
	uint64_t		 at;		/* next byte of the file */
	bool			 failed;
	uint8_t			 raw[FREEZE_HEADER_SIZE];
	uint8_t			 sealed[FREEZE_SEALED_MAX];
	uint8_t			 plain[FREEZE_CHUNK];
};

/* Exactly so many bytes; errno is 0 when the file ends before. */
static int
read_all(int fd, void *data, size_t len)
{
	uint8_t *at = data;
	ssize_t n;

	while (len > 0) {
		n = read(fd, at, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? 0 : errno;
			return -1;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static const char *
error_text(void)
{
	return errno == 0 ? "the file has become shorter" : strerror(errno);
}

static int
header_check(struct freeze_reader *reader, char why[FREEZE_WHY])
{
	struct stat st;
	ssize_t len = pread(reader->fd, reader->raw, sizeof(reader->raw), 0);
	const char *fault;

	if (len == -1 || fstat(reader->fd, &st) == -1)
		return freeze_fail(why, reader->path, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return freeze_fail(why, reader->path, "not a regular file");
	fault = freeze_header_read(reader->raw, (size_t)len, &reader->header);
	if (fault != NULL)
		return freeze_fail(why, reader->path, "%s", fault);
	if ((uint64_t)st.st_size != reader->header.size)
		return freeze_fail(why, reader->path, "has %llu bytes, but "
		    "%llu by its header",
		    (unsigned long long)st.st_size,
		    (unsigned long long)reader->header.size);
	reader->at = FREEZE_HEADER_SIZE;
	if (lseek(reader->fd, FREEZE_HEADER_SIZE, SEEK_SET) == -1)
		return freeze_fail(why, reader->path, "%s", strerror(errno));
	return 0;
}

static int
cipher_open(struct freeze_reader *reader, const struct freeze_keys *keys,
    char why[FREEZE_WHY])
{
	const struct freeze_header *header = &reader->header;
	const uint8_t *id = header->key_id;
	const struct freeze_key *key = freeze_key_find(keys, id);

	if (key == NULL)
		return freeze_fail(why, reader->path, "the key with id "
		    "%02x%02x%02x%02x%02x%02x%02x%02x is not among the key "
		    "files", id[0], id[1], id[2], id[3], id[4], id[5], id[6],
		    id[7]);
	if (freeze_cipher_begin(&reader->cipher, key,
	    header->nonce_prefix) != 0)
		return freeze_fail(why, reader->path, "the cipher "
		    "AES-256-GCM is not available");
	return 0;
}

struct freeze_reader *
freeze_open(const char *path, const struct freeze_keys *keys,
    struct freeze_header *header_r, char why[FREEZE_WHY])
{
	struct freeze_reader *reader = mc_zalloc(sizeof(*reader));

	reader->fd = -1;
	if (strlen(path) >= sizeof(reader->path)) {
		freeze_fail(why, path, "the path is too long");
		freeze_close(&reader);
		return NULL;
	}
	strcpy(reader->path, path);
	reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (reader->fd == -1)
		freeze_fail(why, path, "%s", strerror(errno));
	if (reader->fd == -1 || header_check(reader, why) != 0 ||
	    cipher_open(reader, keys, why) != 0) {
		freeze_close(&reader);
		return NULL;
	}
	posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*header_r = reader->header;
	return reader;
}

void
freeze_undigested(struct freeze_reader *reader)
{
	reader->tally.undigested = true;
}

/* The accounts of a chunk; what is left of it is zeroes.  *len_r: of the
 * accounts.  NULL or what is wrong. */
static const char *
accounts_check(struct freeze_reader *reader, size_t size, bool last,
    size_t *len_r)
{
	const uint8_t *at = reader->plain;
	const char *fault;
	size_t offset = 0, len;

	while (size - offset >= FREEZE_LENGTH_SIZE) {
		len = mc_get16(at + offset);
		if (len == 0)
			break;
		offset += FREEZE_LENGTH_SIZE;
		if (len > size - offset)
			return "goes beyond its chunk";
		fault = freeze_tally_add(&reader->tally, at + offset, len);
		if (fault != NULL)
			return fault;
		offset += len;
	}
	*len_r = offset;
	if (last && offset < size)
		return "has something behind it that is none";
	for (; offset < size; offset++)
		if (at[offset] != 0)
			return "has something behind it that is none";
	return NULL;
}

/* Behind the last chunk. */
static int
end_check(struct freeze_reader *reader, char why[FREEZE_WHY])
{
	const struct tcapw_position *found = &reader->tally.so_far;
	const struct tcapw_position *told = &reader->header.position;

	if (found->count != told->count)
		return freeze_fail(why, reader->path, "has %llu accounts, "
		    "but %llu by its header",
		    (unsigned long long)found->count,
		    (unsigned long long)told->count);
	if (found->last_uid > told->last_uid)
		return freeze_fail(why, reader->path, "has a uid above the "
		    "highest one of its header");
	if (!reader->tally.undigested && memcmp(found->digest, told->digest,
	    sizeof(told->digest)) != 0)
		return freeze_fail(why, reader->path, "its accounts have "
		    "another digest than its header says");
	return 0;
}

static int
chunk_read(struct freeze_reader *reader, size_t *len_r, char why[FREEZE_WHY])
{
	uint64_t begin = reader->at, left = reader->header.size - begin;
	size_t len = left < FREEZE_SEALED_MAX ? (size_t)left :
	    FREEZE_SEALED_MAX;
	bool last = len == left;
	const char *fault;

	if (read_all(reader->fd, reader->sealed, len) != 0)
		return freeze_fail(why, reader->path, "cannot read at byte "
		    "%llu: %s", (unsigned long long)begin, error_text());
	if (freeze_unseal(&reader->cipher, reader->raw, last, reader->sealed,
	    len, reader->plain) != 0)
		return freeze_fail(why, reader->path, "the chunk at byte %llu "
		    "is not authentic: damaged, or of another key",
		    (unsigned long long)begin);
	reader->at += len;
	fault = accounts_check(reader, len - FREEZE_TAG_SIZE, last, len_r);
	if (fault != NULL)
		return freeze_fail(why, reader->path, "account %llu, in the "
		    "chunk at byte %llu, %s",
		    (unsigned long long)reader->tally.so_far.count + 1,
		    (unsigned long long)begin, fault);
	if (*len_r == 0 && reader->header.position.count > 0)
		return freeze_fail(why, reader->path, "the chunk at byte "
		    "%llu is empty", (unsigned long long)begin);
	return last ? end_check(reader, why) : 0;
}

int
freeze_next(struct freeze_reader *reader, const void **accounts_r,
    size_t *len_r, char why[FREEZE_WHY])
{
	*accounts_r = reader->plain;
	*len_r = 0;
	if (reader->failed)
		return freeze_fail(why, reader->path, "has failed before");
	if (reader->at == reader->header.size)
		return 0;
	if (chunk_read(reader, len_r, why) == 0)
		return 0;
	reader->failed = true;
	mc_wipe(reader->plain, sizeof(reader->plain));
	*len_r = 0;
	return -1;
}

void
freeze_close(struct freeze_reader **reader)
{
	if (*reader == NULL)
		return;
	if ((*reader)->fd != -1)
		close((*reader)->fd);
	freeze_cipher_end(&(*reader)->cipher);
	mc_wipe(*reader, sizeof(**reader));
	free(*reader);
	*reader = NULL;
}
