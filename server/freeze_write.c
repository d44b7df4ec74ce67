/* SPDX-License-Identifier: MIT */
/*
 * freeze_write.c - writes a freeze (metacube/freeze.h).
 *
 * Until its header is there, which comes last, path.new is no freeze; and
 * path names it only when all of it was read again from the disk.  Whatever
 * goes wrong is kept, and told at the end.
 */
#include "freeze_file.h"

#include <metacube/bytes.h>
#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX	".new"

struct freeze_writer {
	char			 path[FREEZE_PATH_SIZE];
	char			 temporary[FREEZE_PATH_SIZE + sizeof(SUFFIX)];
	int			 fd;
	const struct freeze_keys *keys;
	struct freeze_cipher	 cipher;
	struct freeze_header	 header;
	struct freeze_tally	 tally;
	uint64_t		 at;		/* where the next chunk goes */
	size_t			 used;		/* bytes of plain */
	char			 why[FREEZE_WHY];	/* "": fine so far */
	uint8_t			 raw[FREEZE_HEADER_SIZE];
	uint8_t			 plain[FREEZE_CHUNK];
	uint8_t			 sealed[FREEZE_SEALED_MAX];
};

static int
failed(struct freeze_writer *writer)
{
	return freeze_fail(writer->why, writer->temporary, "%s",
	    strerror(errno));
}

static int
write_at(struct freeze_writer *writer, const void *data, size_t len,
    uint64_t offset)
{
	const uint8_t *at = data;
	ssize_t n;

	while (len > 0) {
		n = pwrite(writer->fd, at, len, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return failed(writer);
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Writes the chunk; all but the last are full, with zeroes behind the
 * accounts. */
static int
chunk_write(struct freeze_writer *writer, bool last)
{
	size_t len = last ? writer->used : FREEZE_CHUNK;

	memset(writer->plain + writer->used, 0, len - writer->used);
	if (freeze_seal(&writer->cipher, writer->raw, last, writer->plain,
	    len, writer->sealed) != 0)
		return freeze_fail(writer->why, writer->temporary,
		    "cannot encrypt");
	if (write_at(writer, writer->sealed, len + FREEZE_TAG_SIZE,
	    writer->at) != 0)
		return -1;
	writer->at += len + FREEZE_TAG_SIZE;
	writer->used = 0;
	mc_crash_point("freeze.chunk");
	return 0;
}

static int
temporary_open(struct freeze_writer *writer)
{
	snprintf(writer->temporary, sizeof(writer->temporary), "%s" SUFFIX,
	    writer->path);
	if (unlink(writer->temporary) == -1 && errno != ENOENT)
		return failed(writer);
	writer->fd = open(writer->temporary,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (writer->fd == -1)
		return failed(writer);
	mc_crash_point("freeze.begun");
	return 0;
}

static int
writer_open(struct freeze_writer *writer, const struct freeze_header *header)
{
	const struct freeze_key *key = &writer->keys->key[0];

	writer->header = *header;
	memcpy(writer->header.key_id, key->id, sizeof(key->id));
	freeze_header_write(&writer->header, writer->raw);
	writer->at = FREEZE_HEADER_SIZE;
	if (freeze_cipher_begin(&writer->cipher, key,
	    header->nonce_prefix) != 0)
		return freeze_fail(writer->why, writer->path, "the cipher "
		    "AES-256-GCM is not available");
	return temporary_open(writer);
}

static void
writer_free(struct freeze_writer **writer)
{
	if ((*writer)->fd != -1)
		close((*writer)->fd);
	freeze_cipher_end(&(*writer)->cipher);
	mc_wipe(*writer, sizeof(**writer));
	free(*writer);
	*writer = NULL;
}

struct freeze_writer *
freeze_begin(const char *path, const struct freeze_keys *keys,
    const struct freeze_header *header, char why[FREEZE_WHY])
{
	struct freeze_writer *writer = mc_zalloc(sizeof(*writer));
	int result;

	writer->fd = -1;
	writer->keys = keys;
	if (strlen(path) >= sizeof(writer->path))
		result = freeze_fail(writer->why, path, "the path is too long");
	else {
		strcpy(writer->path, path);
		result = writer_open(writer, header);
	}
	if (result != 0) {
		memcpy(why, writer->why, FREEZE_WHY);
		writer_free(&writer);
	}
	return writer;
}

int
freeze_add(struct freeze_writer *writer, const void *encoded, size_t len)
{
	const char *fault;

	if (writer->why[0] != '\0')
		return -1;
	fault = freeze_tally_add(&writer->tally, encoded, len);
	if (fault != NULL)
		return freeze_fail(writer->why, writer->temporary, "account "
		    "%llu %s",
		    (unsigned long long)writer->tally.so_far.count + 1, fault);
	if (FREEZE_LENGTH_SIZE + len > FREEZE_CHUNK - writer->used &&
	    chunk_write(writer, false) != 0)
		return -1;
	mc_put16(writer->plain + writer->used, (uint16_t)len);
	memcpy(writer->plain + writer->used + FREEZE_LENGTH_SIZE, encoded,
	    len);
	writer->used += FREEZE_LENGTH_SIZE + len;
	return 0;
}

void
freeze_so_far(const struct freeze_writer *writer,
    struct tcapw_position *position_r)
{
	*position_r = writer->tally.so_far;
	position_r->pointer = writer->header.position.pointer;
}

/* Now all of the header is known. */
static int
header_complete(struct freeze_writer *writer)
{
	const struct tcapw_position *found = &writer->tally.so_far;
	struct tcapw_position *position = &writer->header.position;

	if (found->last_uid > position->last_uid)
		return freeze_fail(writer->why, writer->temporary, "has a uid "
		    "above the highest one that was ever given");
	position->count = found->count;
	memcpy(position->digest, found->digest, sizeof(position->digest));
	writer->header.size = writer->at + writer->used + FREEZE_TAG_SIZE;
	freeze_header_write(&writer->header, writer->raw);
	return 0;
}

static int
sync_all(struct freeze_writer *writer)
{
	mc_crash_point("freeze.written");
	if (fsync(writer->fd) == -1)
		return failed(writer);
	/* What is read again comes from the disk. */
	posix_fadvise(writer->fd, 0, 0, POSIX_FADV_DONTNEED);
	mc_crash_point("freeze.synced");
	return 0;
}

static int
verify(struct freeze_writer *writer)
{
	struct freeze_header header;
	struct freeze_reader *reader = freeze_open(writer->temporary,
	    writer->keys, &header, writer->why);
	const void *accounts;
	uint8_t raw[FREEZE_HEADER_SIZE];
	size_t len;
	int result;

	if (reader == NULL)
		return -1;
	do
		result = freeze_next(reader, &accounts, &len, writer->why);
	while (result == 0 && len > 0);
	freeze_close(&reader);
	if (result != 0)
		return -1;
	freeze_header_write(&header, raw);
	if (memcmp(raw, writer->raw, sizeof(raw)) != 0)
		return freeze_fail(writer->why, writer->temporary, "has "
		    "another header than was written");
	mc_crash_point("freeze.verified");
	return 0;
}

int
freeze_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[FREEZE_PATH_SIZE + sizeof(SUFFIX)] = ".";
	int fd, result;

	if (slash != NULL)
		snprintf(folder, sizeof(folder), "%.*s",
		    (int)(slash - path) + (slash == path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

static int
put_in_place(struct freeze_writer *writer)
{
	if (rename(writer->temporary, writer->path) == -1)
		return failed(writer);
	mc_crash_point("freeze.renamed");
	if (freeze_sync_folder(writer->path) == -1)
		return failed(writer);
	mc_crash_point("freeze.folder_synced");
	return 0;
}

int
freeze_end(struct freeze_writer **slot, struct freeze_header *header_r,
    char why[FREEZE_WHY])
{
	struct freeze_writer *writer = *slot;

	if (writer->why[0] != '\0' || header_complete(writer) != 0 ||
	    chunk_write(writer, true) != 0 ||
	    write_at(writer, writer->raw, sizeof(writer->raw), 0) != 0 ||
	    sync_all(writer) != 0 || verify(writer) != 0 ||
	    put_in_place(writer) != 0) {
		memcpy(why, writer->why, FREEZE_WHY);
		freeze_drop(slot);
		return -1;
	}
	*header_r = writer->header;
	writer_free(slot);
	return 0;
}

void
freeze_drop(struct freeze_writer **writer)
{
	if (*writer == NULL)
		return;
	if ((*writer)->fd != -1)
		unlink((*writer)->temporary);
	writer_free(writer);
}
