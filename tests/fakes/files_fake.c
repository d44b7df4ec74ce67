/* SPDX-License-Identifier: MIT */
/*
 * files_fake - a queue of files that grow when they are told to, for tests of
 * whoever serves them: services wmqfile and freeze, without any queue.
 *
 * Bytes are a pattern of their place and the file's number, so that whoever
 * gets them can be sure.  Commands: "files grow BYTES", "files next NAME",
 * "files gone" (the oldest), "files freeze PATH SIZE SEQ".
 */
#include <metacube/control.h>
#include <metacube/freeze.h>
#include <metacube/wmqfile.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define FILES_MAX	64
#define CHUNK		65536

struct conf {
	const char	*path;
};

struct waiter {
	TAILQ_ENTRY(waiter)	 link;
	struct fake		*fake;
	struct mc_call		*call;
	struct mc_timer		*timer;
	char			 name[WMQFILE_NAME_SIZE];
	uint64_t		 offset;
};

struct fake {
	struct mc_host		*host;
	const struct conf	*conf;
	struct wmqfile_extent	 files[FILES_MAX];
	unsigned		 count, oldest;
	struct wmq_position	 position;
	char			 freeze[FREEZE_PATH_SIZE];	/* or "" */
	TAILQ_HEAD(, waiter)	 waiters;
};

static struct wmqfile_extent *
find(struct fake *fake, const char *name)
{
	for (unsigned i = fake->oldest; i < fake->count; i++)
		if (strcmp(fake->files[i].name, name) == 0)
			return &fake->files[i];
	return NULL;
}

static void
answer(struct fake *fake, struct wmqfile_extent *file, struct mc_call *call)
{
	file->position = fake->position;
	mc_call_done(call, MC_OK, file, sizeof(*file));
}

static void
waiter_end(struct waiter *waiter)
{
	struct fake *fake = waiter->fake;
	struct wmqfile_extent *file = find(fake, waiter->name);

	TAILQ_REMOVE(&fake->waiters, waiter, link);
	mc_timer_clear(&waiter->timer);
	if (file != NULL)
		answer(fake, file, waiter->call);
	else
		mc_call_done(waiter->call, MC_NOT_FOUND, NULL, 0);
	free(waiter);
}

static void
waited(void *owner)
{
	waiter_end(owner);
}

static void
wake(struct fake *fake, const struct wmqfile_extent *file)
{
	struct waiter *waiter, *next;

	for (waiter = TAILQ_FIRST(&fake->waiters); waiter != NULL;
	    waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		if (file == NULL || (strcmp(waiter->name, file->name) == 0 &&
		    (file->finished || file->end > waiter->offset)))
			waiter_end(waiter);
	}
}

static void
extent(void *state, const char *name, uint64_t offset, unsigned wait_ms,
    struct mc_call *call)
{
	struct fake *fake = state;
	struct wmqfile_extent *file = find(fake, name);
	struct waiter *waiter;

	if (file == NULL || offset > file->end) {
		mc_call_done(call, file == NULL ? MC_NOT_FOUND : MC_INVALID,
		    NULL, 0);
		return;
	}
	if (file->end > offset || file->finished || wait_ms == 0) {
		answer(fake, file, call);
		return;
	}
	waiter = mc_zalloc(sizeof(*waiter));
	waiter->fake = fake;
	waiter->call = call;
	waiter->offset = offset;
	strcpy(waiter->name, name);
	TAILQ_INSERT_TAIL(&fake->waiters, waiter, link);
	mc_timer_set(fake->host, &waiter->timer, wait_ms, waited, waiter);
}

static void
find_seq(void *state, uint64_t seq, struct mc_call *call)
{
	struct fake *fake = state;

	for (unsigned i = fake->count; i > fake->oldest; i--) {
		if (fake->files[i - 1].first_seq > seq + 1 && seq != 0)
			continue;
		answer(fake, &fake->files[seq == 0 ? fake->oldest : i - 1],
		    call);
		return;
	}
	mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

static void
prune(void *state, uint64_t seq, struct mc_call *call)
{
	uint64_t none = 0;

	(void)state;
	(void)seq;
	mc_call_done(call, MC_OK, &none, sizeof(none));
}

static void
obtain(void *state, bool renew, struct mc_call *call)
{
	struct fake *fake = state;
	struct freeze_file file = { 0 };

	(void)renew;
	strcpy(file.path, fake->freeze);
	if (fake->freeze[0] != '\0')
		mc_call_done(call, MC_OK, &file, sizeof(file));
	else
		mc_call_done(call, MC_NOT_FOUND, NULL, 0);
}

/* Bytes */

static uint8_t
pattern(unsigned number, uint64_t at)
{
	return (uint8_t)((at * 2654435761u + number * 40503u) >> 11);
}

static bool
append(const char *path, unsigned number, uint64_t from, uint64_t len)
{
	uint8_t chunk[CHUNK];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	size_t some = 0;
	bool good = fd != -1;

	for (; good && len != 0; from += some, len -= some) {
		some = len < CHUNK ? (size_t)len : CHUNK;
		for (size_t i = 0; i < some; i++)
			chunk[i] = pattern(number, from + i);
		good = pwrite(fd, chunk, some, (off_t)from) == (ssize_t)some;
	}
	if (fd != -1)
		close(fd);
	return good;
}

/* Commands */

static void
next_file(void *state, struct mc_query *query)
{
	struct fake *fake = state;
	struct wmqfile_extent *file = &fake->files[fake->count], *before;
	const char *name = mc_query_arg(query, 0);

	if (fake->count == FILES_MAX) {
		mc_query_done(query, MC_BUSY, "too many files");
		return;
	}
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(file->path, sizeof(file->path), "%s/%s", fake->conf->path,
	    name);
	file->first_seq = fake->position.durable + 1;
	before = fake->count > fake->oldest ? file - 1 : NULL;
	fake->count++;
	if (before != NULL) {
		before->finished = true;
		strcpy(before->next, file->name);
		wake(fake, before);
	}
	mc_query_done(query, MC_OK, NULL);
}

static void
grow(void *state, struct mc_query *query)
{
	struct fake *fake = state;
	struct wmqfile_extent *file = &fake->files[fake->count - 1];
	uint64_t len = strtoull(mc_query_arg(query, 0), NULL, 10);

	if (fake->count == 0 || !append(file->path, fake->count, file->end,
	    len)) {
		mc_query_done(query, MC_UNAVAILABLE, "cannot append");
		return;
	}
	file->end += len;
	fake->position.durable++;
	wake(fake, file);
	mc_query_done(query, MC_OK, "%llu", (unsigned long long)file->end);
}

static void
gone(void *state, struct mc_query *query)
{
	struct fake *fake = state;

	unlink(fake->files[fake->oldest].path);
	fake->oldest++;
	fake->position.oldest = fake->files[fake->oldest].first_seq;
	mc_query_done(query, MC_OK, NULL);
}

/* A header that is right, and anything behind it. */
static void
freeze(void *state, struct mc_query *query)
{
	struct fake *fake = state;
	const char *path = mc_query_arg(query, 0);
	struct freeze_header header = { 0 };
	uint8_t bytes[FREEZE_HEADER_SIZE];
	char temporary[FREEZE_PATH_SIZE + 8];
	int fd;

	header.size = strtoull(mc_query_arg(query, 1), NULL, 10);
	header.position.pointer.seq = strtoull(mc_query_arg(query, 2), NULL,
	    10);
	memcpy(header.position.pointer.epoch, fake->position.epoch, 16);
	freeze_header_write(&header, bytes);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	append(temporary, (unsigned)header.position.pointer.seq, 0,
	    header.size);
	fd = open(temporary, O_WRONLY | O_CLOEXEC);
	if (pwrite(fd, bytes, sizeof(bytes), 0) != sizeof(bytes) ||
	    close(fd) == -1 || rename(temporary, path) == -1) {
		mc_query_done(query, MC_UNAVAILABLE, "cannot write");
		return;
	}
	snprintf(fake->freeze, sizeof(fake->freeze), "%s", path);
	mc_query_done(query, MC_OK, NULL);
}

static const struct mc_command commands[] = {
	{ "files next", "NAME", 1, 1, "Begins a file.", next_file },
	{ "files grow", "BYTES", 1, 1, "Appends to the last file.", grow },
	{ "files gone", NULL, 0, 0, "Removes the oldest file.", gone },
	{ "files freeze", "PATH SIZE SEQ", 3, 3, "Makes a freeze.", freeze },
	{ 0 }
};

/* Life */

static enum mc_status
init(void *state, struct mc_host *host, const void *conf)
{
	struct fake *fake = state;

	fake->host = host;
	fake->conf = conf;
	memset(fake->position.epoch, 0xab, 16);
	fake->position.oldest = 1;
	TAILQ_INIT(&fake->waiters);
	return MC_OK;
}

static enum mc_status
start(void *state)
{
	struct fake *fake = state;

	mc_commands(fake->host, commands, fake);
	return MC_OK;
}

static void
stop(void *state)
{
	wake(state, NULL);
}

static const struct wmqfile_ops wmqfile_ops = {
	.extent	= extent,
	.find	= find_seq,
	.prune	= prune,
};

static const struct freeze_ops freeze_ops = { .obtain = obtain };

static const struct mc_key keys[] = {
	{ MC_FIELD(struct conf, path), .type = MC_PATH,
	  .help = "Folder of the files." },
	{ 0 }
};

static const struct mc_provide provides[] = {
	WMQFILE_PROVIDE(&wmqfile_ops),
	FREEZE_PROVIDE(&freeze_ops),
	{ 0 }
};

MC_MODULE_NOTE;

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name		= "files_fake",
	.version	= "0.1.0",
	.summary	= "Files that grow when they are told to",
	.license	= "MIT",
	.keys		= keys,
	.provides	= provides,
	.conf_size	= sizeof(struct conf),
	.state_size	= sizeof(struct fake),
	.init		= init,
	.start		= start,
	.stop		= stop,
};
