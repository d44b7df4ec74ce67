/* SPDX-License-Identifier: MIT */
/*
 * The replicas as a text file, one line for each:
 *
 *	<name> <progress> <epoch> <seq> <count> <digest> <waited|given-up>
 *
 * progress is UTC milliseconds, epoch and digest are 32 hexadecimal digits.
 * When a replica was seen without progress is not kept: it would change all
 * the time, and nothing depends on it.  The file is rewritten as a whole, at
 * most once a second, at least once an hour while replicas ask, and at the
 * end.  What is lost in a crash only delays what is done for those who have
 * acknowledged more; so a file that cannot be understood is an error, not an
 * empty one.
 */
#include "antpserv.h"

#include <metacube/text.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAVE_MS		1000
#define STALE_MS	3600000
#define LINE_SIZE	320
#define TITLE		"# metacube replicas 1\n"

/* Reading */

static bool
read_hex(const char *text, uint8_t out[16])
{
	unsigned byte;

	if (strlen(text) != 32 ||
	    strspn(text, "0123456789abcdef") != 32)
		return false;
	for (int i = 0; i < 16; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		out[i] = (uint8_t)byte;
	}
	return true;
}

static bool
read_entry(const char *line, struct replicas_entry *entry)
{
	struct tcapw_position *position = &entry->acknowledged;
	char epoch[33], digest[33], state[10], rest;

	if (sscanf(line, "%63s %" SCNu64 " %32s %" SCNu64 " %" SCNu64
	    " %32s %9s %c", entry->name, &entry->progress_ms, epoch,
	    &position->pointer.seq, &position->count, digest, state,
	    &rest) != 7)
		return false;
	entry->seen_ms = entry->progress_ms;
	entry->resync = strcmp(state, "given-up") == 0;
	return (entry->resync || strcmp(state, "waited") == 0) &&
	    position->pointer.seq != 0 &&
	    read_hex(epoch, position->pointer.epoch) &&
	    read_hex(digest, position->digest);
}

static bool
read_line(struct registry *registry, const char *line)
{
	struct replicas_entry entry = { 0 };
	struct replica *replica;

	if (!read_entry(line, &entry) ||
	    replica_find(registry, entry.name) != NULL)
		return false;
	replica = replica_add(registry, entry.name);
	if (replica == NULL)
		return false;
	replica->entry = entry;
	replica->furthest = entry.acknowledged.pointer;
	return true;
}

static enum mc_status
read_lines(struct registry *registry, FILE *file)
{
	char line[LINE_SIZE];
	unsigned number = 1;

	if (fgets(line, sizeof(line), file) == NULL ||
	    strcmp(line, TITLE) != 0)
		return mc_fail(registry->host, MC_INVALID, "%s: line 1: this "
		    "is no list of replicas", registry->path);
	while (fgets(line, sizeof(line), file) != NULL) {
		number++;
		if (strchr(line, '\n') == NULL || !read_line(registry, line))
			return mc_fail(registry->host, MC_INVALID,
			    "%s: line %u is malformed", registry->path,
			    number);
	}
	if (ferror(file))
		return mc_fail(registry->host, MC_UNAVAILABLE, "%s: %s",
		    registry->path, strerror(errno));
	return MC_OK;
}

enum mc_status
registry_load(struct registry *registry)
{
	FILE *file = fopen(registry->path, "re");
	enum mc_status status;

	LIST_INIT(&registry->replicas);
	if (file == NULL && errno == ENOENT)
		return MC_OK;
	if (file == NULL)
		return mc_fail(registry->host, MC_UNAVAILABLE, "%s: %s",
		    registry->path, strerror(errno));
	status = read_lines(registry, file);
	fclose(file);
	if (status != MC_OK)
		registry_free(registry);
	return status;
}

void
registry_free(struct registry *registry)
{
	struct replica *replica;

	while ((replica = LIST_FIRST(&registry->replicas)) != NULL) {
		LIST_REMOVE(replica, link);
		free(replica);
	}
	registry->count = 0;
}

/* Writing */

struct writing {
	struct registry	*registry;
	char		*path;
	int		 error;
	size_t		 len;
	char		 text[];
};

static size_t
put_entry(char *out, const struct replicas_entry *entry)
{
	const struct tcapw_position *position = &entry->acknowledged;
	char epoch[33], digest[33];

	mc_hex(epoch, position->pointer.epoch, 16);
	mc_hex(digest, position->digest, 16);
	return (size_t)snprintf(out, LINE_SIZE, "%s %" PRIu64 " %s %" PRIu64
	    " %" PRIu64 " %s %s\n", entry->name, entry->progress_ms, epoch,
	    position->pointer.seq, position->count, digest,
	    entry->resync ? "given-up" : "waited");
}

static struct writing *
writing_new(struct registry *registry)
{
	struct writing *writing = mc_zalloc(sizeof(*writing) +
	    (registry->count + 1) * LINE_SIZE);
	struct replica *replica;

	writing->registry = registry;
	writing->path = strdup(registry->path);
	if (writing->path == NULL)
		mc_fatal(registry->host, "out of memory");
	strcpy(writing->text, TITLE);
	writing->len = strlen(TITLE);
	LIST_FOREACH(replica, &registry->replicas, link)
		writing->len += put_entry(writing->text + writing->len,
		    &replica->entry);
	return writing;
}

static int
write_new(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int error = 0;

	if (fd == -1)
		return errno;
	for (ssize_t n; len != 0; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n == -1) {
			error = errno;
			break;
		}
	}
	if (error == 0 && fdatasync(fd) == -1)
		error = errno;
	close(fd);
	return error;
}

static int
sync_folder(char *path)
{
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = 0;

	if (fd == -1)
		return errno;
	if (fsync(fd) == -1)
		error = errno;
	close(fd);
	return error;
}

static void
written(void *arg)
{
	struct writing *writing = arg;
	struct registry *registry = writing->registry;

	registry->writing = false;
	if (writing->error != 0 && !registry->failed)
		mc_log(registry->host, MC_ERROR, "%s: cannot write: %s",
		    registry->path, strerror(writing->error));
	registry->failed = writing->error != 0;
	if (registry->ending)
		registry_save(registry);
	else if (registry->failed || registry->changed)
		registry_changed(registry);
	free(writing->path);
	free(writing);
}

/* Instance's thread. */
static void
write_file(void *arg)
{
	struct writing *writing = arg;
	char path[WMQFILE_PATH_SIZE];

	snprintf(path, sizeof(path), "%s.new", writing->path);
	writing->error = write_new(path, writing->text, writing->len);
	mc_crash_point("antpserv.registry");
	if (writing->error == 0 && rename(path, writing->path) == -1)
		writing->error = errno;
	if (writing->error == 0)
		writing->error = sync_folder(writing->path);
	mc_later(writing->registry->host, written, writing);
}

void
registry_save(struct registry *registry)
{
	mc_timer_clear(&registry->timer);
	if (!registry->changed || registry->writing)
		return;
	registry->changed = false;
	registry->writing = true;
	registry->written_ms = mc_now_ms();
	mc_work(registry->host, write_file, writing_new(registry));
}

bool
registry_stale(const struct registry *registry)
{
	return mc_now_ms() - registry->written_ms >= STALE_MS;
}

void
registry_end(struct registry *registry)
{
	registry->ending = true;
	registry->changed |= registry->count != 0;	/* its time */
	registry_save(registry);
}

static void
save(void *owner)
{
	registry_save(owner);
}

void
registry_changed(struct registry *registry)
{
	registry->changed = true;
	if (registry->timer == NULL && !registry->writing)
		mc_timer_set(registry->host, &registry->timer, SAVE_MS, save,
		    registry);
}
