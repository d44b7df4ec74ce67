/* SPDX-License-Identifier: MIT */
/*
 * metacube/host.h - what the host does for a module.
 *
 * Loop thread only, unless marked (any thread).  A module never touches the
 * event library, GnuTLS or syslog itself.
 */
#ifndef METACUBE_HOST_H
#define METACUBE_HOST_H

#include <metacube/module.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MC_PRINTF(f, a)	__attribute__((format(printf, f, a)))
#else
#define MC_PRINTF(f, a)
#endif

enum mc_level { MC_ERROR, MC_WARN, MC_NOTE, MC_DEBUG };

/* (any thread) One line; the host adds time, instance and request id. */
void		 mc_log(struct mc_host *, enum mc_level, const char *, ...)
		    MC_PRINTF(3, 4);

/* (any thread) Logs the cause where it is known and returns the status, so
 * `return mc_fail(...)` is the whole error path and nobody logs it again. */
enum mc_status	 mc_fail(struct mc_host *, enum mc_status, const char *, ...)
		    MC_PRINTF(3, 4);

/* (any thread) The words for a status: "denied", "try again later", ... */
const char	*mc_status_text(enum mc_status);

/* (any thread) The instance's name in conf.d: the default for names that
 * other servers see. */
const char	*mc_host_name(const struct mc_host *);

/* (any thread) The name in this process's certificate, "" without one. */
const char	*mc_host_identity(const struct mc_host *);

/* Something is lost that only people can bring back (fsync failed): logs the
 * reason and stops the whole process with an error exit, at once. */
void		 mc_fatal(struct mc_host *, const char *, ...)
		    MC_PRINTF(2, 3) __attribute__((noreturn));

/* (any thread) Zeroed memory; never NULL, the process ends instead.  Sizes
 * that come from outside are checked against a limit before this. */
void		*mc_zalloc(size_t);

/* (any thread) Zeroes memory that held a secret; never optimised away. */
void		 mc_wipe(void *, size_t);

/* (any thread) Same time wherever the difference is. */
bool		 mc_equal_secret(const void *, const void *, size_t);

/* (any thread) Random bytes fit for keys. */
void		 mc_random(void *, size_t);

/* (any thread) Milliseconds: steady, for deadlines; and of the calendar
 * (UTC, since 1970), for what is stored or shown. */
uint64_t	 mc_now_ms(void);
uint64_t	 mc_time_ms(void);

/* A timer lives in its slot: set replaces, clear of NULL is fine.  It fires
 * once; the slot is NULL by then. */
struct mc_timer;
typedef void mc_timer_fn(void *owner);
void		 mc_timer_set(struct mc_host *, struct mc_timer **slot,
		    unsigned ms, mc_timer_fn *, void *owner);
void		 mc_timer_clear(struct mc_timer **slot);

/* A watched descriptor lives in its slot too: for libraries that bring their
 * own socket (libpq, cnats, a DNS resolver).  events is a set of MC_READ and
 * MC_WRITE; set replaces, clear of NULL is fine, the descriptor stays open. */
enum { MC_READ = 1, MC_WRITE = 2 };
struct mc_watch;
typedef void mc_watch_fn(void *owner, int events);
void		 mc_watch_set(struct mc_host *, struct mc_watch **slot,
		    int fd, int events, mc_watch_fn *, void *owner);
void		 mc_watch_clear(struct mc_watch **slot);

/* (any thread) A named counter of this instance, shown by metacubectl: one
 * that only grows, and one that is set.  name is a literal. */
void		 mc_count(struct mc_host *, const char *name, int64_t add);
void		 mc_gauge(struct mc_host *, const char *name, int64_t value);

/* (any thread) The number of the request that this callback or job works for:
 * it stands in log lines, and calls inherit it; 0: none, a call then begins a
 * new one.  Whoever keeps requests waiting (a queue) keeps their numbers, and
 * sets one when it goes on with it: that counts until the callback returns. */
uint64_t	 mc_request(void);
void		 mc_request_set(uint64_t);

/* (any thread) For tests of what survives a crash: a process that was started
 * with METACUBE_CRASH_AT=POINT or POINT:N in its environment is killed
 * (SIGKILL) when it passes this point for the first or the Nth time. */
void		 mc_crash_point(const char *point);

#ifdef __cplusplus
}
#endif
#endif
