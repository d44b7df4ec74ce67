/* SPDX-License-Identifier: MIT */
/*
 * Keys and freezes without a server.
 */
#include "wmqmaint.h"

#include "../../modules/wmqmaint/merge.h"
#include "../ctl.h"

#include <metacube/host.h>
#include <metacube/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The file is new, and nobody else's: an old key would be lost with every
 * freeze that needs it. */
int
wmqmaint_keygen(const char *path)
{
	char text[2 * FREEZE_KEY_SIZE + 2];
	uint8_t key[FREEZE_KEY_SIZE];
	ssize_t written = -1;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool fine;

	if (fd == -1)
		return wmqmaint_fail("%s: %s", path, strerror(errno));
	mc_random(key, sizeof(key));
	mc_hex(text, key, sizeof(key));
	strcat(text, "\n");
	written = write(fd, text, sizeof(text) - 1);
	mc_wipe(key, sizeof(key));
	mc_wipe(text, sizeof(text));
	fine = written == sizeof(text) - 1 && fsync(fd) == 0;
	if (close(fd) == 0 && fine)
		return CTL_FINE;
	wmqmaint_fail("%s: cannot be written: %s", path, strerror(errno));
	unlink(path);
	return CTL_REFUSED;
}

static void
hex_print(const char *what, const uint8_t *bytes, size_t len)
{
	char hex[33];

	mc_hex(hex, bytes, len);
	printf("%-12s %s\n", what, hex);
}

static void
header_print(const struct freeze_header *header)
{
	const struct tcapw_position *position = &header->position;

	hex_print("epoch", position->pointer.epoch, 16);
	printf("%-12s %llu\n", "change",
	    (unsigned long long)position->pointer.seq);
	printf("%-12s %llu\n", "accounts",
	    (unsigned long long)position->count);
	printf("%-12s %llu\n", "highest uid",
	    (unsigned long long)position->last_uid);
	hex_print("digest", position->digest, 16);
	hex_print("key", header->key_id, 8);
	printf("%-12s %llu\n", "bytes", (unsigned long long)header->size);
	printf("%-12s %lu %lu\n", "goes on at", (unsigned long)header->time,
	    (unsigned long)header->offset);
}

int
wmqmaint_verify(const char *path, const char *files)
{
	char why[FREEZE_WHY];
	struct freeze_keys *keys = freeze_keys_load(files, why);
	struct freeze_header header;
	int result;

	if (keys == NULL)
		return wmqmaint_fail("%s", why);
	result = merge_verify(path, keys, NULL, &header, why);
	freeze_keys_free(&keys);
	if (result != 0)
		return wmqmaint_fail("%s", why);
	header_print(&header);
	return CTL_FINE;
}
