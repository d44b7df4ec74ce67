/* SPDX-License-Identifier: MIT */
/*
 * freeze_keys.c - the keys of freezes, from files (metacube/freeze.h).
 *
 * They lie in pages of their own, which are neither dumped nor, as far as
 * the process's limit goes, swapped out.
 */
#include "freeze_file.h"

#include <metacube/host.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIAL	"credential:"
#define DIGITS		(2 * FREEZE_KEY_SIZE)
#define PATH_SIZE	1024

static const char *
file_fault(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "belongs neither to this process's user nor to root";
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return "others may read or change it; chmod 0600 or 0640";
	return NULL;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const char *
key_parse(const char *text, ssize_t len, uint8_t out[FREEZE_KEY_SIZE])
{
	static const char fault[] = "needs exactly 64 hexadecimal digits";

	if (len == -1)
		return strerror(errno);
	if (len == DIGITS + 1 && text[DIGITS] == '\n')
		len--;
	if (len != DIGITS)
		return fault;
	for (int i = 0; i < FREEZE_KEY_SIZE; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high == -1 || low == -1)
			return fault;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return NULL;
}

static int
key_read(const char *path, struct freeze_key *key, char why[FREEZE_WHY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char text[DIGITS + 2] = "";
	uint8_t hash[32];
	const char *fault;

	fault = fd == -1 ? strerror(errno) : file_fault(fd);
	if (fault == NULL)
		fault = key_parse(text, read(fd, text, sizeof(text)),
		    key->bytes);
	if (fd != -1)
		close(fd);
	mc_wipe(text, sizeof(text));
	if (fault != NULL)
		return freeze_fail(why, path, "%s", fault);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, key->bytes, FREEZE_KEY_SIZE,
	    hash) != 0)
		abort();	/* only when the library itself is broken */
	memcpy(key->id, hash, sizeof(key->id));
	return 0;
}

/* "credential:NAME" as a path. */
static int
credential_path(const char *written, char path[PATH_SIZE],
    char why[FREEZE_WHY])
{
	const char *name = written + strlen(CREDENTIAL);
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL)
		return freeze_fail(why, written, "needs a name without / "
		    "after the colon");
	if (folder == NULL)
		return freeze_fail(why, written, "there is no "
		    "$CREDENTIALS_DIRECTORY (LoadCredential= in the systemd "
		    "unit makes it)");
	if (snprintf(path, PATH_SIZE, "%s/%s", folder, name) >= PATH_SIZE)
		return freeze_fail(why, written, "the path is too long");
	return 0;
}

static int
keys_add(struct freeze_keys *keys, const char *written, char why[FREEZE_WHY])
{
	struct freeze_key *key = &keys->key[keys->count];
	char path[PATH_SIZE];

	if (keys->count == FREEZE_KEYS_MAX)
		return freeze_fail(why, written, "more than %d keys",
		    FREEZE_KEYS_MAX);
	if (strncmp(written, CREDENTIAL, strlen(CREDENTIAL)) == 0) {
		if (credential_path(written, path, why) != 0)
			return -1;
		written = path;
	}
	if (key_read(written, key, why) != 0)
		return -1;
	if (freeze_key_find(keys, key->id) != NULL)
		return freeze_fail(why, written, "the same key as the file "
		    "before");
	keys->count++;
	return 0;
}

static struct freeze_keys *
keys_new(void)
{
	struct freeze_keys *keys = mmap(NULL, sizeof(*keys),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (keys == MAP_FAILED ||
	    madvise(keys, sizeof(*keys), MADV_DONTDUMP) == -1)
		abort();
	mlock(keys, sizeof(*keys));	/* the limit may be 0 */
	return keys;
}

static char *
trimmed(char *word)
{
	size_t len;

	while (isspace((unsigned char)*word))
		word++;
	for (len = strlen(word);
	    len > 0 && isspace((unsigned char)word[len - 1]); len--)
		word[len - 1] = '\0';
	return word;
}

struct freeze_keys *
freeze_keys_load(const char *files, char why[FREEZE_WHY])
{
	struct freeze_keys *keys = keys_new();
	char *list = strdup(files), *rest = list, *word;
	int result = 0;

	if (list == NULL)
		abort();
	while (result == 0 && (word = strsep(&rest, ",")) != NULL) {
		word = trimmed(word);
		result = *word == '\0' ? freeze_fail(why, "key files",
		    "an empty name in \"%s\"", files) :
		    keys_add(keys, word, why);
	}
	free(list);
	if (result != 0)
		freeze_keys_free(&keys);
	return keys;
}

void
freeze_keys_free(struct freeze_keys **keys)
{
	if (*keys == NULL)
		return;
	mc_wipe(*keys, sizeof(**keys));
	munmap(*keys, sizeof(**keys));
	*keys = NULL;
}

const struct freeze_key *
freeze_key_find(const struct freeze_keys *keys, const uint8_t id[8])
{
	for (size_t i = 0; i < keys->count; i++)
		if (memcmp(keys->key[i].id, id, 8) == 0)
			return &keys->key[i];
	return NULL;
}
