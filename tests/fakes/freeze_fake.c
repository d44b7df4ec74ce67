/* SPDX-License-Identifier: MIT */
/*
 * freeze_fake - service "freeze" from a file that is simply there: for tests
 * of whoever thaws it.
 */
#include <metacube/freeze.h>
#include <metacube/host.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct conf {
	const char	*path;
};

struct fake {
	const struct conf	*conf;
};

static bool
file_read(const char *path, struct freeze_file *file)
{
	uint8_t head[FREEZE_HEADER_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd != -1) {
		got = read(fd, head, sizeof(head));
		close(fd);
	}
	snprintf(file->path, sizeof(file->path), "%s", path);
	return got == sizeof(head) &&
	    freeze_header_read(head, sizeof(head), &file->header) == NULL;
}

static void
obtain(void *state, bool renew, struct mc_call *call)
{
	const struct fake *fake = state;
	struct freeze_file file;

	(void)renew;
	memset(&file, 0, sizeof(file));
	if (file_read(fake->conf->path, &file))
		mc_call_done(call, MC_OK, &file, sizeof(file));
	else
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct fake *fake = state;

	(void)host;
	fake->conf = conf;
	return MC_OK;
}

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, path), .type = MC_PATH,
	  .help = "The freeze." },
	{ 0 }
};

static const struct freeze_ops ops = { .obtain = obtain };

static const struct mc_provide provides[] = {
	FREEZE_PROVIDE(&ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "freeze_fake",
	.version	= "0.1.0",
	.summary	= "A freeze that is simply there",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct fake),
	.init		= init,
};
