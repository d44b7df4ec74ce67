/* SPDX-License-Identifier: MIT */
#include "conf_file.h"

#include "conf_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text {
	char	*bytes;
	size_t	 len;
};

static void
text_free(struct text *text)
{
	if (text->bytes != NULL)
		mc_wipe(text->bytes, text->len);
	free(text->bytes);
	text->bytes = NULL;
}

static const char *
kind_fault(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "is not a regular file";
}

/* Up to one byte more than is allowed, so that growth is seen too. */
static const char *
bytes_read(int fd, struct text *text)
{
	ssize_t n = 1;

	text->bytes = mc_zalloc(CONF_FILE_MAX + 2);
	while (n > 0 && text->len <= CONF_FILE_MAX) {
		n = read(fd, text->bytes + text->len,
		    CONF_FILE_MAX + 1 - text->len);
		if (n == -1)
			return strerror(errno);
		text->len += (size_t)n;
	}
	return text->len <= CONF_FILE_MAX ? NULL :
	    "is larger than 256 KiB, too large for a configuration file";
}

static bool
text_read(const char *path, struct text *text, struct errors *errors)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why;

	why = fd == -1 ? strerror(errno) : kind_fault(fd);
	if (why == NULL)
		why = bytes_read(fd, text);
	if (fd != -1)
		close(fd);
	if (why != NULL)
		errors_at(errors, path, 0, "%s", why);
	return why == NULL;
}

static bool
tree_parse(struct conf_file *file, const char *text, struct errors *errors)
{
	config_init(&file->tree);
	if (config_read_string(&file->tree, text) == CONFIG_TRUE)
		return true;
	errors_at(errors, file->path,
	    (unsigned)config_error_line(&file->tree), "%s; expected "
	    "settings such as: name = value;", config_error_text(&file->tree));
	return false;
}

static void
path_set(struct conf_file *file, const char *path)
{
	char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);

	if (asprintf(&file->path, "%s%s%s", cwd != NULL ? cwd : "",
	    cwd != NULL ? "/" : "", path) == -1)
		abort();
	free(cwd);
	file->directory = strdup(file->path);
	if (file->directory == NULL)
		abort();
	*strrchr(file->directory, '/') = '\0';
}

bool
conf_file_open(struct conf_file *file, const char *path,
    struct errors *errors)
{
	struct text text = { 0 };
	bool fine;

	memset(file, 0, sizeof(*file));
	path_set(file, path);
	fine = text_read(file->path, &text, errors) &&
	    conf_scan(file->path, text.bytes, text.len, errors) &&
	    tree_parse(file, text.bytes, errors);
	text_free(&text);
	if (!fine)
		conf_file_close(file);
	return fine;
}

static void
strings_wipe(config_setting_t *setting)
{
	const char *text;

	if (setting == NULL)
		return;
	if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
		text = config_setting_get_string(setting);
		if (text != NULL)
			mc_wipe((char *)text, strlen(text));
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++)
		strings_wipe(config_setting_get_elem(setting, (unsigned)i));
}

void
conf_file_close(struct conf_file *file)
{
	if (file->tree.root != NULL) {
		strings_wipe(config_root_setting(&file->tree));
		config_destroy(&file->tree);
	}
	free(file->path);
	free(file->directory);
	memset(file, 0, sizeof(*file));
}

static struct setting *
setting_convert(config_setting_t *from)
{
	const char *name = config_setting_name(from);
	struct setting *to;

	switch (config_setting_type(from)) {
	case CONFIG_TYPE_STRING:
		return setting_new(name, SETTING_STRING,
		    config_setting_get_string(from));
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		to = setting_new(name, SETTING_INT, NULL);
		to->number = config_setting_type(from) == CONFIG_TYPE_INT ?
		    config_setting_get_int(from) :
		    config_setting_get_int64(from);
		return to;
	case CONFIG_TYPE_BOOL:
		to = setting_new(name, SETTING_BOOL, NULL);
		to->number = config_setting_get_bool(from);
		return to;
	default:
		return setting_new(name, SETTING_OTHER, NULL);
	}
}

struct setting *
conf_file_settings(const config_setting_t *group, const char *file,
    const char *directory)
{
	struct setting *first = NULL, **last = &first;
	config_setting_t *from;

	for (int i = 0; group != NULL && i < config_setting_length(group);
	    i++) {
		from = config_setting_get_elem((config_setting_t *)group,
		    (unsigned)i);
		*last = setting_convert(from);
		(*last)->file = file;
		(*last)->line = config_setting_source_line(from);
		(*last)->directory = directory;
		last = &(*last)->next;
	}
	return first;
}
