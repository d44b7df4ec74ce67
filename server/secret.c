/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <metacube/host.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX	4096

static const char *
file_fault(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return "others may read or change it; chmod 0600 or 0640";
	if (st.st_size > FILE_MAX)
		return "longer than 4096 bytes";
	return NULL;
}

static const char *
content_read(int fd, char *text)
{
	ssize_t len = read(fd, text, FILE_MAX + 1);

	if (len == -1)
		return strerror(errno);
	if (len > FILE_MAX)
		return "longer than 4096 bytes";
	if (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	if (strlen(text) != (size_t)len)
		return "contains a NUL byte";
	return len == 0 ? "empty" : NULL;
}

static char *
file_read(const char *path, char why[SECRET_WHY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = mc_zalloc(FILE_MAX + 2), *secret = NULL;
	const char *fault;

	fault = fd == -1 ? strerror(errno) : file_fault(fd);
	if (fault == NULL)
		fault = content_read(fd, text);
	if (fault != NULL)
		snprintf(why, SECRET_WHY_SIZE, "%s: %s", path, fault);
	else if ((secret = strdup(text)) == NULL)
		abort();
	if (fd != -1)
		close(fd);
	mc_wipe(text, FILE_MAX + 2);
	free(text);
	return secret;
}

static char *
credential_read(const char *name, char why[SECRET_WHY_SIZE])
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char *path, *secret;

	if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL) {
		snprintf(why, SECRET_WHY_SIZE, "credential: needs a name "
		    "without / after it");
		return NULL;
	}
	if (directory == NULL) {
		snprintf(why, SECRET_WHY_SIZE, "credential:%s: there is no "
		    "$CREDENTIALS_DIRECTORY (LoadCredential= in the systemd "
		    "unit makes it)", name);
		return NULL;
	}
	if (asprintf(&path, "%s/%s", directory, name) == -1)
		abort();
	secret = file_read(path, why);
	free(path);
	return secret;
}

char *
secret_read(const char *written, char why[SECRET_WHY_SIZE])
{
	char *secret;

	if (strncmp(written, "file:/", 6) == 0)
		return file_read(written + 5, why);
	if (strncmp(written, "file:", 5) == 0) {
		snprintf(why, SECRET_WHY_SIZE, "file: needs an absolute path "
		    "after it");
		return NULL;
	}
	if (strncmp(written, "credential:", 11) == 0)
		return credential_read(written + 11, why);
	if ((secret = strdup(written)) == NULL)
		abort();
	return secret;
}

void
secret_free(char **secret)
{
	if (*secret == NULL)
		return;
	mc_wipe(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}
