/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define MESSAGE_MAX	16384
#define DIGITS		"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

static bool
message_read(FILE *stream, char message[MESSAGE_MAX])
{
	size_t len = fread(message, 1, MESSAGE_MAX - 1, stream);

	message[len] = '\0';
	return len > 0 && !ferror(stream);
}

int
mailbox_deliver(const char *folder)
{
	char message[MESSAGE_MAX], to[128], path[512], new[512];
	const char *at;
	FILE *file;

	if (!message_read(stdin, message) ||
	    (at = strstr(message, "\nTo: ")) == NULL ||
	    sscanf(at + 5, "%127[^\n/]", to) != 1)
		return EX_DATAERR;
	snprintf(new, sizeof(new), "%s/.new-%d", folder, (int)getpid());
	snprintf(path, sizeof(path), "%s/%s", folder, to);
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return EX_TEMPFAIL;
	for (int i = 0; i == 0 || access(path, F_OK) == 0; i++)
		snprintf(path, sizeof(path), "%s/%s/%d-%d", folder, to,
		    (int)getpid(), i);
	file = fopen(new, "w");
	if (file == NULL || fputs(message, file) == EOF ||
	    fclose(file) != 0 || rename(new, path) == -1)
		return EX_TEMPFAIL;
	return EX_OK;
}

/* A line that is nothing but a code, after four spaces. */
static bool
code_find(const char *message, char code[MAILBOX_CODE])
{
	const char *at = message;

	while ((at = strstr(at, "\n    ")) != NULL) {
		at += 5;
		if (strspn(at, DIGITS) == MAILBOX_CODE - 1 &&
		    at[MAILBOX_CODE - 1] == '\n') {
			memcpy(code, at, MAILBOX_CODE - 1);
			code[MAILBOX_CODE - 1] = '\0';
			return true;
		}
	}
	return false;
}

static bool
file_code(const char *folder, const char *name, char code[MAILBOX_CODE])
{
	char path[1024], message[MESSAGE_MAX];
	FILE *file;
	bool fine;

	snprintf(path, sizeof(path), "%.511s/%.255s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	fine = message_read(file, message);
	fclose(file);
	return fine && code_find(message, code);
}

unsigned
mailbox_codes(const char *folder, const char *address,
    char codes[][MAILBOX_CODE], unsigned max)
{
	char path[512];
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%.255s/%.127s", folder, address);
	dir = opendir(path);
	while (dir != NULL && count < max && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			count += file_code(path, entry->d_name,
			    codes[count]);
	if (dir != NULL)
		closedir(dir);
	return count;
}
