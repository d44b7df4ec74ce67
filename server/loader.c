/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include "descriptor.h"
#include "elfnote.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUFFIX		".so"
#define WHY_SIZE	1024
#define FINE		"+"		/* what the child says of a good one */
#define STR_(x)		#x
#define STR(x)		STR_(x)
#define HOST_ABI	STR(MC_ABI_MAJOR) "." STR(MC_ABI_MINOR)

struct loaded {
	struct loaded		*next;
	char			*path;
	const struct mc_module	*module;
};

/* A file on its way to become a module. */
struct candidate {
	const char	*name;
	char		*path;
	int		 fd;
	bool		 opened;	/* by the linker: the number is taken */
	char		 why[WHY_SIZE];
};

static struct loaded *loaded;
static bool sealed;
static unsigned patience_ms = LOADER_PROBE_MS;

void
loader_seal(void)
{
	sealed = true;
}

void
loader_patience_set(unsigned ms)
{
	patience_ms = ms;
}

const char *
loader_file(const struct mc_module *module)
{
	for (const struct loaded *at = loaded; at != NULL; at = at->next) {
		if (at->module == module)
			return at->path;
	}
	return NULL;
}

static bool MC_PRINTF(2, 3)
refuse(struct candidate *candidate, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(candidate->why, sizeof(candidate->why), text, args);
	va_end(args);
	return false;
}

static const char *
owner_fault(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to somebody who is neither root nor the user "
		    "of this process";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "can be written by others (chmod go-w)";
	return NULL;
}

static int
directory_open(struct candidate *candidate, const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	const char *why;

	if (fd == -1 || fstat(fd, &st) == -1)
		why = strerror(errno);
	else if ((why = owner_fault(&st)) == NULL)
		return fd;
	refuse(candidate, "the module directory %s: %s", directory, why);
	if (fd != -1)
		close(fd);
	return -1;
}

static bool
file_check(struct candidate *candidate)
{
	struct stat st;
	const char *why;

	if (fstat(candidate->fd, &st) == -1)
		return refuse(candidate, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(candidate, "is not a regular file");
	why = owner_fault(&st);
	return why == NULL || refuse(candidate, "%s", why);
}

/* O_NONBLOCK: a named pipe must not make us wait. */
static bool
file_open(struct candidate *candidate, const char *directory)
{
	int in = directory_open(candidate, directory);
	const char *file = strrchr(candidate->path, '/') + 1;

	if (in == -1)
		return false;
	candidate->fd = openat(in, file,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (candidate->fd == -1 && errno == ENOENT)
		refuse(candidate, "there is no such file");
	else if (candidate->fd == -1 && errno == ELOOP)
		refuse(candidate, "is a symbolic link");
	else if (candidate->fd == -1)
		refuse(candidate, "%s", strerror(errno));
	close(in);
	return candidate->fd != -1 && file_check(candidate);
}

static bool
abi_check(struct candidate *candidate)
{
	struct elfnote note;
	const char *why = elfnote_read(candidate->fd, &note);

	if (why != NULL)
		return refuse(candidate, "%s", why);
	if (note.abi_major == MC_ABI_MAJOR && note.abi_minor <= MC_ABI_MINOR)
		return true;
	if (note.abi_major < MC_ABI_MAJOR)
		return refuse(candidate, "the module is older than this "
		    "metacubed (module ABI %u.%u, host " HOST_ABI "): install "
		    "a newer version of the module or build it again",
		    note.abi_major, note.abi_minor);
	return refuse(candidate, "this metacubed is older than the module "
	    "(module ABI %u.%u, host " HOST_ABI "): install a newer "
	    "metacubed, or a module built for this one",
	    note.abi_major, note.abi_minor);
}

static bool
descriptor_check(struct candidate *candidate, const struct mc_module *module)
{
	const char *why;

	if (module->abi_major != MC_ABI_MAJOR ||
	    module->abi_minor > MC_ABI_MINOR ||
	    module->size < sizeof(*module))
		return refuse(candidate, "its descriptor (ABI %u.%u, %u "
		    "bytes) does not agree with its note; build it again",
		    module->abi_major, module->abi_minor, module->size);
	if (module->name == NULL ||
	    strcmp(module->name, candidate->name) != 0)
		return refuse(candidate, "the module in it is named %.64s, "
		    "not %s", module->name == NULL ? "nothing" :
		    module->name, candidate->name);
	why = descriptor_fault(module);
	return why == NULL || refuse(candidate,
	    "its descriptor is wrong: %s", why);
}

/*
 * Through the open file, not the path.  With the number of the process
 * instead of "self", debuggers and sanitizers find it too; the link says
 * which number that is in this /proc.
 */
static void *
candidate_dlopen(const struct candidate *candidate)
{
	char self[32], path[96];
	ssize_t len = readlink("/proc/self", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/fd/%d",
	    len > 0 ? self : "self", candidate->fd);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

static const struct mc_module *
candidate_load(struct candidate *candidate)
{
	void *handle = candidate_dlopen(candidate);
	const struct mc_module *module;
	const char *why;

	candidate->opened = handle != NULL;
	if (handle == NULL) {
		why = dlerror();
		if (strncmp(why, "/proc/", 6) == 0 && strchr(why, ' ') != NULL)
			why = strchr(why, ' ') + 1;
		refuse(candidate, "cannot be loaded: %s", why);
		return NULL;
	}
	module = dlsym(handle, "metacube_module");
	if (module == NULL) {
		refuse(candidate, "has no symbol metacube_module");
		return NULL;
	}
	return descriptor_check(candidate, module) ? module : NULL;
}

/* In the child: what it finds goes through the pipe; silence is bad. */
static void __attribute__((noreturn))
probe_run(struct candidate *candidate, int out)
{
	struct rlimit none = { 0, 0 };
	int null = open("/dev/null", O_RDWR);
	const char *answer;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	answer = candidate_load(candidate) != NULL ? FINE : candidate->why;
	_exit(write(out, answer, strlen(answer)) == -1);
}

static int64_t
now_ms(void)
{
	return (int64_t)mc_now_ms();
}

/* Reads until the child has closed its end; false: it took too long. */
static bool
probe_listen(int in, char *text, size_t size)
{
	int64_t deadline = now_ms() + patience_ms, left;
	struct pollfd poller = { .fd = in, .events = POLLIN };
	size_t len = 0;
	ssize_t n = 1;

	while (n != 0) {
		left = deadline - now_ms();
		if (left <= 0 || len + 1 == size)
			break;
		if (poll(&poller, 1, (int)left) <= 0)
			continue;
		n = read(in, text + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	return n == 0;
}

static bool
probe_judge(struct candidate *candidate, int status, bool in_time,
    const char *said)
{
	if (!in_time)
		return refuse(candidate, "is damaged: loading it did not end "
		    "within %u ms", patience_ms);
	if (WIFSIGNALED(status))
		return refuse(candidate, "is damaged: trying to load it ended "
		    "with signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	if (*said == '\0')
		return refuse(candidate, "is damaged: trying to load it ended "
		    "the process (status %d)", WEXITSTATUS(status));
	return strcmp(said, FINE) == 0 || refuse(candidate, "%s", said);
}

static bool
probe_wait(struct candidate *candidate, pid_t child, int in)
{
	char said[WHY_SIZE];
	bool in_time = probe_listen(in, said, sizeof(said));
	int status;

	if (!in_time)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == -1) {
		if (errno != EINTR)
			return refuse(candidate, "cannot be tried: %s",
			    strerror(errno));
	}
	return probe_judge(candidate, status, in_time, said);
}

static bool
probe(struct candidate *candidate)
{
	int ends[2];
	pid_t child;
	bool fine;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return refuse(candidate, "cannot be tried: %s",
		    strerror(errno));
	child = fork();
	if (child == 0)
		probe_run(candidate, ends[1]);
	close(ends[1]);
	fine = child == -1 ? refuse(candidate, "cannot be tried: %s",
	    strerror(errno)) : probe_wait(candidate, child, ends[0]);
	close(ends[0]);
	return fine;
}

static const struct mc_module *
loaded_find(const char *path)
{
	for (const struct loaded *at = loaded; at != NULL; at = at->next) {
		if (strcmp(at->path, path) == 0)
			return at->module;
	}
	return NULL;
}

static void
loaded_keep(const struct candidate *candidate, const struct mc_module *module)
{
	struct loaded *entry = mc_zalloc(sizeof(*entry));

	entry->path = strdup(candidate->path);
	entry->module = module;
	entry->next = loaded;
	loaded = entry;
}

static const struct mc_module *
candidate_try(struct candidate *candidate, const char *directory)
{
	const struct mc_module *module;

	if (sealed) {
		refuse(candidate, "was not loaded at start; a further module "
		    "needs a restart");
		return NULL;
	}
	if (!file_open(candidate, directory) || !abi_check(candidate) ||
	    !probe(candidate))
		return NULL;
	module = candidate_load(candidate);
	if (module != NULL)
		loaded_keep(candidate, module);
	return module;
}

const struct mc_module *
loader_load(const char *directory, const char *name, const char *at,
    unsigned line, struct errors *errors)
{
	struct candidate candidate = { .name = name, .fd = -1 };
	const struct mc_module *module;

	if (asprintf(&candidate.path, "%s/%s" SUFFIX, directory, name) == -1)
		abort();
	module = loaded_find(candidate.path);
	if (module == NULL) {
		module = candidate_try(&candidate, directory);
		if (module == NULL) {
			errors_at(errors, at, line, "module %s: %s: %s", name,
			    candidate.path, candidate.why);
			if (candidate.fd != -1 && !candidate.opened)
				close(candidate.fd);
		}
	}
	free(candidate.path);
	return module;
}

static int
is_module(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && entry->d_name[0] != '.' &&
	    strcmp(entry->d_name + len - 3, SUFFIX) == 0;
}

char **
loader_names(const char *directory)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_module, alphasort);
	size_t n = count > 0 ? (size_t)count : 0;
	char **names = mc_zalloc((n + 1) * (sizeof(*names) + NAME_MAX + 1));
	char *at = (char *)(names + n + 1);

	for (size_t i = 0; i < n; i++) {
		names[i] = at;
		at = stpcpy(at, entries[i]->d_name) - 2;
		at[-1] = '\0';
		free(entries[i]);
	}
	free(entries);
	return names;
}
