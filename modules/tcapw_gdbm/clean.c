/* SPDX-License-Identifier: MIT */
#include "clean.h"

#include <metacube/text.h>

#include <gnutls/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE	4096
#define HASH_SIZE	32
#define MARK_SIZE	128
#define CHUNK_SIZE	(256 * 1024)

/* The first four bytes of a GDBM file: old, 32 bit, 64 bit, and the last two
 * with a number of syncs. */
static const uint32_t magics[] = {
	0x13579ace, 0x13579acd, 0x13579acf, 0x13579ad0, 0x13579ad1
};

static bool
is_gdbm(uint32_t magic)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magic == magics[i] ||
		    magic == __builtin_bswap32(magics[i]))
			return true;
	return false;
}

static enum mc_status
dir_sync(struct mc_host *host, const char *path)
{
	char copy[PATH_SIZE];
	const char *dir;
	int fd, result;

	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return mc_fail(host, MC_UNAVAILABLE, "%s: %s", dir,
		    strerror(errno));
	result = fsync(fd);
	if (result == -1)
		mc_log(host, MC_ERROR, "%s: %s", dir, strerror(errno));
	close(fd);
	return result == 0 ? MC_OK : MC_UNAVAILABLE;
}

struct clean_marking {
	int			 fd;
	gnutls_hash_hd_t	 state;
	uint8_t			*chunk;
};

/* Over the descriptor, which is the marking's from now on. */
static struct clean_marking *
marking_new(int fd)
{
	struct clean_marking *marking = mc_zalloc(sizeof(*marking));

	marking->fd = fd;
	marking->chunk = mc_zalloc(CHUNK_SIZE);
	if (gnutls_hash_init(&marking->state, GNUTLS_DIG_SHA256) != 0)
		abort();	/* only when the library itself is broken */
	return marking;
}

struct clean_marking *
clean_marking_new(struct mc_host *host, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd != -1)
		return marking_new(fd);
	mc_log(host, MC_ERROR, "%s: %s", file, strerror(errno));
	return NULL;
}

void
clean_marking_free(struct clean_marking **markingp)
{
	struct clean_marking *marking = *markingp;

	if (marking == NULL)
		return;
	gnutls_hash_deinit(marking->state, NULL);
	mc_wipe(marking->chunk, CHUNK_SIZE);
	free(marking->chunk);
	close(marking->fd);
	free(marking);
	*markingp = NULL;
}

int
clean_marking_step(struct clean_marking *marking)
{
	ssize_t got = read(marking->fd, marking->chunk, CHUNK_SIZE);

	if (got > 0)
		gnutls_hash(marking->state, marking->chunk, (size_t)got);
	if (got == -1)
		return errno == EINTR ? 1 : -1;
	return got > 0;
}

/* After the last step: what the marker of this file says, or would. */
static int
mark_format(const struct clean_marking *marking, char mark[MARK_SIZE])
{
	char text[2 * HASH_SIZE + 1];
	uint8_t hash[HASH_SIZE];
	struct stat st;

	if (fstat(marking->fd, &st) == -1)
		return -1;
	gnutls_hash_output(marking->state, hash);
	mc_hex(text, hash, HASH_SIZE);
	snprintf(mark, MARK_SIZE, "metacube-clean 1 %lld %s\n",
	    (long long)st.st_size, text);
	return 0;
}

/* All steps at once. */
static int
mark_make(struct clean_marking *marking, char mark[MARK_SIZE])
{
	int more;

	while ((more = clean_marking_step(marking)) == 1)
		;
	return more == 0 ? mark_format(marking, mark) : -1;
}

static int
file_mark(int fd, char mark[MARK_SIZE])
{
	struct clean_marking *marking;
	int copy, result;

	if (lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy == -1)
		return -1;
	marking = marking_new(copy);
	result = mark_make(marking, mark);
	clean_marking_free(&marking);
	return result;
}

static bool
mark_matches(const char *path, int fd)
{
	char name[PATH_SIZE], mark[MARK_SIZE], found[MARK_SIZE];
	ssize_t got;
	int mark_fd;

	snprintf(name, sizeof(name), "%s.clean", path);
	mark_fd = open(name, O_RDONLY | O_CLOEXEC);
	if (mark_fd == -1)
		return false;
	got = read(mark_fd, found, sizeof(found) - 1);
	close(mark_fd);
	if (got <= 0 || file_mark(fd, mark) == -1)
		return false;
	found[got] = '\0';
	return strcmp(mark, found) == 0;
}

static enum clean_state
file_judge(struct mc_host *host, const char *path, int fd)
{
	struct stat st;
	uint32_t magic;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		mc_log(host, MC_ERROR, "%s is not a regular file", path);
		return CLEAN_REFUSED;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		mc_log(host, MC_ERROR, "%s is locked by another process",
		    path);
		return CLEAN_REFUSED;
	}
	if (st.st_size == 0)
		return CLEAN_UNCLEAN;
	if (pread(fd, &magic, sizeof(magic), 0) != sizeof(magic) ||
	    !is_gdbm(magic)) {
		mc_log(host, MC_ERROR, "%s is not a GDBM file; it was not "
		    "touched: move it away, or correct the setting path",
		    path);
		return CLEAN_REFUSED;
	}
	return mark_matches(path, fd) ? CLEAN_FINE : CLEAN_UNCLEAN;
}

static int
lock_take(struct mc_host *host, const char *path)
{
	char name[PATH_SIZE];
	int fd;

	snprintf(name, sizeof(name), "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1) {
		mc_log(host, MC_ERROR, "cannot open %s: %s", name,
		    strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	mc_log(host, MC_ERROR, "%s is locked by another process", path);
	close(fd);
	return -1;
}

enum clean_state
clean_check(struct mc_host *host, const char *path, int *lock_r)
{
	enum clean_state state;
	int fd;

	*lock_r = lock_take(host, path);
	if (*lock_r == -1)
		return CLEAN_REFUSED;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		return CLEAN_NONE;
	if (fd == -1) {
		mc_log(host, MC_ERROR, "cannot open %s: %s", path,
		    strerror(errno));
		return CLEAN_REFUSED;
	}
	state = file_judge(host, path, fd);
	close(fd);
	return state;
}

/* The file's bytes, then the marker's, and only then its name. */
static int
mark_write(const struct clean_marking *marking, const char *temporary)
{
	char mark[MARK_SIZE];
	int fd, result;

	if (mark_format(marking, mark) == -1 || fsync(marking->fd) == -1)
		return -1;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	result = write(fd, mark, strlen(mark)) == (ssize_t)strlen(mark) &&
	    fsync(fd) == 0 ? 0 : -1;
	close(fd);
	return result;
}

enum mc_status
clean_marking_end(struct mc_host *host, struct clean_marking *marking,
    const char *path)
{
	char temporary[PATH_SIZE], name[PATH_SIZE];

	snprintf(temporary, sizeof(temporary), "%s.clean.new", path);
	snprintf(name, sizeof(name), "%s.clean", path);
	if (mark_write(marking, temporary) == -1)
		return mc_fail(host, MC_UNAVAILABLE, "%s: %s; the store will "
		    "be built anew", temporary, strerror(errno));
	mc_crash_point("tcapw_gdbm.closed");
	if (rename(temporary, name) == -1)
		return mc_fail(host, MC_UNAVAILABLE, "%s: %s; the store will "
		    "be built anew", name, strerror(errno));
	mc_crash_point("tcapw_gdbm.marked");
	return MC_OK;
}

enum mc_status
clean_mark(struct mc_host *host, const char *path)
{
	struct clean_marking *marking = clean_marking_new(host, path);
	enum mc_status status = MC_UNAVAILABLE;
	int more = 1;

	if (marking == NULL)
		return MC_UNAVAILABLE;
	while (more == 1)
		more = clean_marking_step(marking);
	if (more == 0)
		status = clean_marking_end(host, marking, path);
	else
		mc_log(host, MC_ERROR, "%s: %s", path, strerror(errno));
	clean_marking_free(&marking);
	return status == MC_OK ? dir_sync(host, path) : status;
}

enum mc_status
clean_replace(struct mc_host *host, const char *file, const char *path)
{
	if (rename(file, path) == -1)
		return mc_fail(host, MC_UNAVAILABLE, "%s: %s", path,
		    strerror(errno));
	mc_crash_point("tcapw_gdbm.replaced");
	return dir_sync(host, path);
}

enum mc_status
clean_unmark(struct mc_host *host, const char *path)
{
	char name[PATH_SIZE];
	enum mc_status status;

	snprintf(name, sizeof(name), "%s.clean", path);
	if (unlink(name) == -1 && errno != ENOENT)
		return mc_fail(host, MC_UNAVAILABLE, "%s: %s", name,
		    strerror(errno));
	status = dir_sync(host, path);
	mc_crash_point("tcapw_gdbm.unmarked");
	return status;
}

enum mc_status
clean_set_aside(struct mc_host *host, const char *path)
{
	char name[PATH_SIZE];

	snprintf(name, sizeof(name), "%s.unclean", path);
	if (rename(path, name) == -1)
		return mc_fail(host, MC_UNAVAILABLE, "%s: cannot be set "
		    "aside: %s", path, strerror(errno));
	mc_log(host, MC_WARN, "%s was not closed properly, or has changed "
	    "since: it is kept as %s and a new one is built from the queue",
	    path, name);
	mc_count(host, "rebuilds", 1);
	mc_crash_point("tcapw_gdbm.set_aside");
	return dir_sync(host, path);
}
